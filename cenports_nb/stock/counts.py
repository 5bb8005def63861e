"""Counts: the file that a person brings from the shelf."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Literal
from zipfile import BadZipFile

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames import schemas
from cenports_nb.frames.checks import check
from cenports_nb.stock.demand import KEYS

COLUMNS = ("warehouse_code", "product_sku", "quantity", "counted_at")
IDENTIFIERS = ("product_sku", "product_upc", "retailer_sku")
LARGEST = 2**31 - 1


def read_counts(
    path_or_buffer: str | Path | IO[bytes] | IO[str],
    *,
    columns: Mapping[str, str] | None = None,
    warehouse_code: str | None = None,
    warehouse_map: Mapping[str, str] | None = None,
    duplicates: Literal["raise", "sum"] = "raise",
    by: Literal["product_sku", "product_upc", "retailer_sku"] = "product_sku",
    stock: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Read counted stock from a .csv, .tsv, .xlsx or .parquet file.

    Every cell is read as text, so `0012` keeps its zeros.

    Args:
        path_or_buffer: The file.
        columns: Your headers: `{"quantity": "Counted"}` or `{"Counted": "quantity"}`.
        warehouse_code: The warehouse of a file that has no such column.
        warehouse_map: Your warehouse codes to those of Cenports.
        duplicates: `"sum"` adds up rows of the same warehouse and SKU (bins); `"raise"` refuses them.

        by: What the file names products by; another name than the SKU is looked up in `stock`.
        stock: Actual stock, from `load_actual_stock`, for `by`.

    Returns:
        `warehouse_code product_sku quantity`, and `counted_at` (UTC) if the file has it.

    Raises:
        InvalidRequestError: A missing column, or a negative, fractional, missing or doubled row, by its line.
    """
    if duplicates not in ("raise", "sum") or by not in IDENTIFIERS:
        raise InvalidRequestError(
            f"duplicates={duplicates!r} must be 'raise' or 'sum', and by={by!r} one of {', '.join(IDENTIFIERS)}."
        )
    name, frame = _read(path_or_buffer)
    frame = _named(frame, columns, name, by)
    frame = frame[~(frame == "").all(axis=1)]  # rows with nothing in them
    lines = frame.index + 2  # the header is line 1
    if "warehouse_code" not in frame.columns and warehouse_code is not None:
        frame["warehouse_code"] = warehouse_code
    lacking = [column for column in ("warehouse_code", by, "quantity") if column not in frame.columns]
    if lacking:
        hint = " (or pass warehouse_code=)" if "warehouse_code" in lacking else ""
        raise InvalidRequestError(
            f"{name} lacks the column{'s' if len(lacking) > 1 else ''} {', '.join(lacking)}{hint}; it has "
            f"{', '.join(map(str, frame.columns)) or 'none'}. Name your headers with columns=."
        )
    for column in ("warehouse_code", by):
        _refuse(frame[column] == "", lines, name, f"no {column}")
    if warehouse_map is not None:
        _refuse(
            ~frame["warehouse_code"].isin(list(warehouse_map)),
            lines,
            name,
            "a warehouse that warehouse_map lacks",
        )
        frame["warehouse_code"] = frame["warehouse_code"].map(warehouse_map)
    if by != "product_sku":
        frame = _identified(frame, by, stock, lines, name)
    number = pd.to_numeric(frame["quantity"], errors="coerce").astype("float64")
    _refuse(frame["quantity"] == "", lines, name, "no quantity")
    _refuse(number.isna(), lines, name, "a quantity that is no number")
    _refuse(number < 0, lines, name, "a negative quantity")
    _refuse(number % 1 != 0, lines, name, "a quantity that is not whole")
    _refuse(number > LARGEST, lines, name, f"a quantity above {LARGEST:,}")
    counts = frame[KEYS].astype("str").assign(quantity=number.astype("int64"))
    if "counted_at" in frame.columns:
        counts["counted_at"] = _instants(frame["counted_at"], lines, name)
    twice = counts.duplicated(KEYS, keep=False)
    if duplicates == "sum":
        how: dict[str, Any] = {"quantity": "sum"} | ({"counted_at": "min"} if "counted_at" in counts.columns else {})
        return counts.groupby(KEYS, as_index=False, sort=False).agg(how)
    _refuse(twice, lines, name, 'a warehouse and SKU that repeats (duplicates="sum" adds bins up)')
    return counts.reset_index(drop=True)


def _read(source: str | Path | IO[bytes] | IO[str]) -> tuple[str, pd.DataFrame]:
    """Read any of the formats as text; the kind is told by the content, so that a buffer needs no name."""
    name = Path(str(source)).name if isinstance(source, str | Path) else str(getattr(source, "name", "the buffer"))
    try:
        raw = Path(source).read_bytes() if isinstance(source, str | Path) else source.read()
    except FileNotFoundError:
        raise InvalidRequestError(f"There is no file {str(source)!r}: check the path.") from None
    except OSError as error:
        raise InvalidRequestError(f"{name} can't be read: {error.strerror}.") from None
    content = raw.encode() if isinstance(raw, str) else raw
    try:
        if content[:4] == b"PAR1":
            frame = pd.read_parquet(io.BytesIO(content))
        elif content[:2] == b"PK":
            frame = pd.read_excel(io.BytesIO(content), dtype=str, keep_default_na=False)
        else:
            text = content.decode("utf-8-sig")
            with warnings.catch_warnings():
                # A row with more cells than headers would shift or lose some.
                warnings.simplefilter("error", pd.errors.ParserWarning)
                frame = pd.read_csv(
                    io.StringIO(text),
                    dtype=str,
                    keep_default_na=False,
                    sep=_separator(text),
                    skip_blank_lines=False,
                    index_col=False,
                )
    except UnicodeDecodeError:
        raise InvalidRequestError(f"{name} is not UTF-8 text: save it as CSV UTF-8.") from None
    except (ValueError, KeyError, OSError, BadZipFile, pd.errors.ParserWarning) as error:
        raise InvalidRequestError(
            f"{name} can't be read as a table ({' '.join(str(error).split())}): save it as CSV, XLSX or Parquet."
        ) from None
    frame = frame.reset_index(drop=True)
    return name, frame.apply(lambda column: column.astype("str").fillna("").str.strip())


def _separator(text: str) -> str:
    """Tell the separator by the header line."""
    header = text.partition("\n")[0]
    return max(",;\t|", key=header.count)


def _named(frame: pd.DataFrame, columns: Mapping[str, str] | None, name: str, by: str) -> pd.DataFrame:
    """Bring headers to our names: as told, else by their spelling."""
    ours_all = {*COLUMNS, by}
    told = {theirs: ours for ours, theirs in (columns or {}).items() if ours in ours_all}
    told |= {theirs: ours for theirs, ours in (columns or {}).items() if ours in ours_all and theirs not in ours_all}
    absent = [theirs for theirs in told if theirs not in frame.columns]
    if absent:
        raise InvalidRequestError(
            f"{name} has no header {absent[0]!r}; its headers are {', '.join(map(repr, frame.columns))}."
        )
    spelt = {
        header: plain
        for header in frame.columns
        if (plain := str(header).strip().lower().replace(" ", "_")) in ours_all and plain not in told.values()
    }
    renamed = frame.rename(columns={**spelt, **told})
    twice = renamed.columns[renamed.columns.duplicated()]
    if len(twice):
        raise InvalidRequestError(f"{name} has more than one column {twice[0]!r}: tell which with columns=.")
    return renamed


def _identified(
    frame: pd.DataFrame, by: str, stock: pd.DataFrame | None, lines: pd.Index[Any], name: str
) -> pd.DataFrame:
    """Look up the SKU that each row means in its warehouse."""
    if stock is None:
        raise InvalidRequestError(f"by={by!r} needs stock=, from load_actual_stock, to look the SKUs up in.")
    stock = check(stock, schemas.ActualStock, "stock", [*KEYS, by])
    known = stock.loc[stock[by].notna(), [*KEYS, by]].drop_duplicates()
    several = known[known.duplicated(["warehouse_code", by], keep=False)]
    named = frame.drop(columns="product_sku", errors="ignore")
    keys = named[["warehouse_code", by]]
    unclear = keys.apply(tuple, axis=1).isin(list(several[["warehouse_code", by]].itertuples(index=False, name=None)))
    _refuse(unclear, lines, name, f"a {by} that stands for several SKUs of its warehouse")
    found = keys.merge(known, on=["warehouse_code", by], how="left").set_index(named.index)["product_sku"]
    _refuse(found.isna(), lines, name, f"a {by} that its warehouse does not have")
    return named.assign(product_sku=found)


def _refuse(bad: pd.Series[Any], lines: pd.Index[Any], name: str, what: str) -> None:
    if bad.any():
        where = ", ".join(str(line) for line in lines[bad.to_numpy()][:5])
        more = f" and {int(bad.sum()) - 5} more" if bad.sum() > 5 else ""
        raise InvalidRequestError(
            f"{name} has {what} in line{'s' if bad.sum() > 1 else ''} {where}{more}: nothing was read."
        )


def _instants(values: pd.Series[Any], lines: pd.Index[Any], name: str) -> pd.Series[Any]:
    parsed = pd.to_datetime(values, utc=True, format="ISO8601", errors="coerce")
    _refuse(parsed.isna() & (values != ""), lines, name, "a counted_at that is no date like 2026-01-31T08:00Z")
    return parsed.astype("datetime64[us, UTC]")
