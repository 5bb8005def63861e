"""Frames -> files: CSV, Excel, Parquet; text stays text, instants have a zone, and no cell can start a formula."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.choices import parse_path
from cenports_nb.frames.dates import format_iso, parse_time_zone
from cenports_nb.frames.provenance import read_time_zone
from cenports_nb.private_files import replace_file

SUFFIXES = (".csv", ".xlsx", ".parquet")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Characters that start a formula in a spreadsheet; CSV files get an apostrophe in front of such a text."""
IDENTIFIERS = frozenset(
    {"product_sku", "retailer_sku", "product_upc", "warehouse_code", "order_no", "customer_order_no", "channel_id"}
)
"""Columns whose texts can be read back exactly: an apostrophe also goes before texts with one or with blanks around."""


def export(
    frame_or_mapping: pd.DataFrame | Mapping[str, pd.DataFrame],
    path: str | Path,
    *,
    time_zone: str | None = None,
    private: bool = False,
) -> Path:
    """Write one frame, or several to one workbook, in the format of the path's suffix, atomically.

    Identifiers stay text: leading zeros, `1e5` and `TRUE` are kept. Nulls and empty texts are empty cells. Named index
    levels become columns.

    - `.xlsx`: one sheet per frame that has rows, and a last sheet, "About", with their origins and totals. A header
      shows a title, such as "Product SKU"; its cell holds the column's name, and its note the name and the zone of
      instants. Money has two decimals. Text is written as text cells, never as formulas, numbers or links. Instants and
      days are real dates. Excel shows milliseconds at most; the cell keeps microseconds. Dates that Excel lacks (before March
      1900) and whole numbers of more than 15 digits, which it would round, are text. An `order_date` of exactly midnight
      UTC is a plain day, which no zone shifts.
    - `.csv`: UTF-8 with a byte order mark for Excel. Instants are ISO 8601 with their offset. A text that a spreadsheet
      would take for a formula gets an apostrophe in front, and so does an identifier that begins with one or has blanks
      around it; `read_counts` removes it.
    - `.parquet`: exact dtypes, and `attrs` with the provenance.

    Args:
        frame_or_mapping: A frame, or a mapping of sheet names to frames. Sheet names that Excel refuses are changed.
        path: The file; its folder must exist, and an existing file is replaced.
        time_zone: The zone of instants, such as `Europe/Berlin`. By default the zone in which each frame was loaded, else
            UTC; a .parquet file has UTC by default, as the frame has.
        private: Make the file readable only by you, from its first byte on; by default your umask decides.

    Returns:
        The path.

    Raises:
        InvalidRequestError: An unknown suffix, a missing folder or zone, several frames for a file that holds one,
            more than a sheet or a cell can hold, or a file that is in use. Nothing was written.

    Example:
        >>> orders = cn.load_orders(client, last="30D")
        >>> cn.export({"Orders": orders, "Channels": cn.load_channels(client)}, "orders.xlsx").name
        'orders.xlsx'
    """
    target = check_path(path)
    parse_time_zone(time_zone or "UTC")
    frames = _frames(frame_or_mapping, target)
    zones = {name: parse_time_zone(read_time_zone(time_zone, frame)) for name, frame in frames.items()}
    first = next(iter(frames))
    try:
        with replace_file(target, private=private) as partial:
            if target.suffix.lower() == ".xlsx":
                from cenports_nb.frames.export.workbook import write_workbook  # noqa: PLC0415 - XlsxWriter only for a workbook

                write_workbook(frames, partial, zones)
            elif target.suffix.lower() == ".csv":
                write_csv(frames[first], partial, zones[first])
            else:
                _write_parquet(frames[first], partial, zones[first] if time_zone else None)
    except OSError as error:
        raise InvalidRequestError(
            f"{target} can't be written ({error.strerror or error}): close it where it is open, or choose another place."
        ) from None
    return target


def check_path(path: str | Path) -> Path:
    """Check that a frame can be written to a path, before loading it.

    Raises:
        InvalidRequestError: The suffix isn't .csv, .xlsx or .parquet, or the folder is missing.
    """
    target = parse_path("path", path)
    if target.suffix.lower() not in SUFFIXES:
        raise InvalidRequestError(f"{target.name!r} has no known ending: use one of {', '.join(SUFFIXES)}.")
    with suppress(OSError):  # a name that the disk refuses is refused when it is written
        if target.is_dir():
            raise InvalidRequestError(f"{str(target)!r} is a folder: choose another name for the file.")
    if not target.parent.is_dir():
        raise InvalidRequestError(f"There is no folder {str(target.parent)!r} for {target.name}: make it first.")
    return target


def _frames(given: pd.DataFrame | Mapping[str, pd.DataFrame], target: Path) -> dict[str, pd.DataFrame]:
    """Return the given frames by sheet name, without indexes."""
    named = {target.stem: given} if isinstance(given, pd.DataFrame) else given
    if not isinstance(named, Mapping) or not named:
        raise InvalidRequestError(
            "export takes a DataFrame, or a mapping of sheet names to DataFrames with at least one."
        )
    for name, frame in named.items():
        if not isinstance(frame, pd.DataFrame):
            raise InvalidRequestError(f"{name!r} is a {type(frame).__name__}: export takes DataFrames.")
    if len(named) > 1 and target.suffix.lower() != ".xlsx":
        raise InvalidRequestError(
            f"A {target.suffix} file holds one frame, not {len(named)}: use .xlsx for several, or one call each."
        )
    return {str(name): _flatten(frame) for name, frame in named.items()}


def _flatten(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert named index levels to columns, and column labels to text."""
    meaningless = list(frame.index.names) == [None] and pd.api.types.is_integer_dtype(frame.index.dtype)
    flat = frame.reset_index(drop=meaningless, allow_duplicates=True)
    labels: list[Any] = list(flat.columns)
    flat.columns = pd.Index(
        [" ".join(filter(None, map(str, name))) if isinstance(name, tuple) else str(name) for name in labels],
        dtype=object,
    )
    flat.attrs = frame.attrs
    return flat


def write_csv(frame: pd.DataFrame, path: Path, zone: ZoneInfo, exact: Collection[str] = ()) -> None:
    """Write a frame as CSV.

    Args:
        frame: A frame without named index levels.
        path: The file.
        zone: The zone of instants.
        exact: Columns whose texts are written unchanged, for scanners, even if a spreadsheet would change them.
    """
    columns = [
        column if column.name in exact else _format_csv_column(column, zone)
        for column in (frame.iloc[:, position] for position in range(frame.shape[1]))
    ]
    harmless = pd.concat(columns, axis=1) if columns else frame
    harmless.columns = pd.Index([_escape_formula(name) for name in frame.columns])
    # The byte order mark tells Excel that it is UTF-8. With this line terminator, lone \r and \n in texts are quoted.
    harmless.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\r\n", errors="backslashreplace")


def _format_csv_column(column: pd.Series[Any], zone: ZoneInfo) -> pd.Series[Any]:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return format_iso(column, zone)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if isinstance(column.dtype, pd.StringDtype):
        changes = column.str.startswith(FORMULA_STARTS)
        if column.name in IDENTIFIERS:
            changes |= column.str.startswith("'") | (column.str.strip() != column)
        return column.where(~changes.fillna(value=False).astype(bool), "'" + column)
    if column.dtype == object:
        return pd.Series([_escape_formula(value) for value in column], index=column.index, dtype=object)
    return column


def _escape_formula(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def _write_parquet(frame: pd.DataFrame, path: Path, zone: ZoneInfo | None) -> None:
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InvalidRequestError(f"Two columns are called {twice!r}, which a .parquet file can't hold: rename one.")
    if zone is not None:
        instants = frame.select_dtypes("datetimetz")
        frame = frame.assign(**{str(name): column.dt.tz_convert(zone) for name, column in instants.items()})
    try:
        frame.to_parquet(path, index=False)
    except (ValueError, TypeError, NotImplementedError) as error:
        reason = " ".join(str(error).split())
        raise InvalidRequestError(
            f"The frame can't be a .parquet file ({reason}): give each column one type."
        ) from None
