"""Write frames to an Excel workbook: text cells, real dates, and text for what Excel can't hold."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import xlsxwriter
from pandas.api import types
from xlsxwriter.exceptions import FileCreateError

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.dates import format_iso, local_times
from cenports_nb.frames.export.headers import (
    GENERAL,
    MONEY_COLUMNS,
    MONEY_FORMAT,
    UNITS_FORMAT,
    choose_number_format,
    is_summable,
    title_format,
    write_title,
)
from cenports_nb.frames.provenance import ACCOUNTS_PARAM, Provenance, provenance
from cenports_nb.rendering.text import format_count

MAX_ROWS, MAX_COLUMNS, MAX_CELL_CHARACTERS = 1_048_575, 16_384, 32_767
MAX_SHEET_NAME_LENGTH = 31
TRUNCATED = -2  # XlsxWriter's return code for a text that it truncated
FIRST_INEXACT_INTEGER = 10**15  # Excel keeps 15 digits of a number
FIRST_DATE, LAST_DATE = pd.Timestamp("1900-03-01"), pd.Timestamp("9999-12-31 23:59:59.999999")
"""The range of Excel's dates; Excel takes 1900 for a leap year, so dates before March 1900 are ambiguous."""
EPOCH = np.datetime64("1899-12-30", "us")
SECONDS_FORMAT, MILLISECONDS_FORMAT, DAY_FORMAT = "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd hh:mm:ss.000", "yyyy-mm-dd"
WIDTH_SAMPLE_ROWS, MAX_WIDTH_CHARACTERS = 200, 60  # columns fit their first rows, up to a limit

LEFT = {"align": "left", "indent": 1}

ABOUT_SHEET = "About"
"""The last sheet: what each of the others is, and the totals."""
ABOUT_HEADINGS = ("Sheet", "Content", "Account", "Source", "As of", "Complete", "Time zone")
TOTALS_HEADINGS = ("Sheet", "Column", "Total")
HEADERS_NOTE = "Point at a header to see the name of its column, which programs read."

# Cells are written by type; these options guard against a later change.
WORKBOOK_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}

Cell = str | bool | int | float | None


@dataclass(frozen=True)
class ExcelColumn:
    """A column for Excel: cells, their number format, and a note on the header."""

    name: str
    cells: list[Cell]
    number_format: str = GENERAL
    note: str = ""

    @property
    def has_numbers(self) -> bool:
        """Whether the column has numbers that are no dates; they are aligned to the right."""
        is_date = self.number_format in (SECONDS_FORMAT, MILLISECONDS_FORMAT, DAY_FORMAT)
        return not is_date and any(type(cell) in (int, float) for cell in self.cells[:WIDTH_SAMPLE_ROWS])


def write_workbook(frames: Mapping[str, pd.DataFrame], path: Path, zones: Mapping[str, ZoneInfo]) -> None:
    """Write each frame to its own sheet, with instants in its zone.

    Raises:
        InvalidRequestError: More rows, columns or characters than a sheet or a cell can hold.
        OSError: The file can't be written.
    """
    for name, frame in frames.items():
        _check_size(name, frame)
    shown = {name: frame for name, frame in frames.items() if len(frame)} or dict(list(frames.items())[:1])
    *sheets, about = sheet_names([*shown, ABOUT_SHEET])
    try:
        with xlsxwriter.Workbook(path, WORKBOOK_OPTIONS) as book:
            book.set_properties(
                {"comments": "\n".join(_describe_origin(name, frame) for name, frame in frames.items())}
            )
            for sheet, (name, frame) in zip(sheets, shown.items(), strict=True):
                columns = [_to_excel_column(frame.iloc[:, position], zones[name]) for position in range(frame.shape[1])]
                _write_sheet(book, book.add_worksheet(sheet), columns, name)
            _write_about(book, book.add_worksheet(about), frames, shown, zones)
    except FileCreateError as error:
        raise OSError(str(error)) from None


def sheet_names(names: list[str]) -> list[str]:
    """Replace names that Excel refuses: characters, length, reserved or empty names, two that differ only in case."""
    cleaned: list[str] = []
    for name in names:
        # Excel counts UTF-16 units; characters that XML forbids can't be in a name either.
        plain = re.sub(r"[\[\]:*?/\\\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "_", name).strip().strip("'")
        plain = "sheet" if not plain else f"{plain}_" if plain.lower() == "history" else plain
        taken = {other.lower() for other in cleaned}
        found = _truncate_name(plain, "")
        number = 2
        while found.lower() in taken:
            found = _truncate_name(plain, f" ({number})")
            number += 1
        cleaned.append(found)
    return cleaned


def _truncate_name(name: str, end: str) -> str:
    while len(f"{name}{end}".encode("utf-16-le")) > 2 * MAX_SHEET_NAME_LENGTH:
        name = name[:-1]
    return f"{name}{end}".strip("'")


def _write_sheet(book: Any, sheet: Any, columns: list[ExcelColumn], name: str) -> None:
    _write_header(book, sheet, columns, name)
    text = book.add_format({"num_format": "@", "indent": 1})
    # The style of a typed apostrophe: blanks around the text belong to it, and `read_counts` keeps them.
    exact = book.add_format({"num_format": "@", "indent": 1, "quote_prefix": True})
    formats = [
        book.add_format({"num_format": column.number_format} | ({} if column.has_numbers else LEFT))
        for column in columns
    ]
    for row, cells in enumerate(zip(*(column.cells for column in columns), strict=True), start=1):
        for at, cell in enumerate(cells):
            if cell is None:
                continue
            if type(cell) is str:
                if sheet.write_string(row, at, cell, text if cell == cell.strip() else exact) == TRUNCATED:
                    raise _too_long_error(name, f"row {row} of column {columns[at].name[:60]!r}", cell)
            elif type(cell) is bool:
                sheet.write_boolean(row, at, cell)
            else:
                sheet.write_number(row, at, cell, formats[at])
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    _fit_to_paper(sheet)
    if columns:
        sheet.autofilter(0, 0, len(columns[0].cells), len(columns) - 1)
        sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{MAX_ROWS + 1}"})  # they are text on purpose


def _fit_to_paper(sheet: Any) -> None:
    """Print a sheet as wide as its paper."""
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _write_header(book: Any, sheet: Any, columns: list[ExcelColumn], name: str) -> None:
    for at, column in enumerate(columns):
        sheet.set_column(at, at, _choose_width(column))
        alignment = {"align": "right"} if column.has_numbers else LEFT
        head = book.add_format({"bold": True, "bottom": 1, "num_format": title_format(column.name)} | alignment)
        if sheet.write_string(0, at, column.name, head) == TRUNCATED:
            raise _too_long_error(name, "a column's name", column.name)
        if column.note:
            sheet.write_comment(0, at, column.note, {"x_scale": 1.2, "y_scale": 0.6})


def _write_about(
    book: Any,
    sheet: Any,
    frames: Mapping[str, pd.DataFrame],
    shown: Mapping[str, pd.DataFrame],
    zones: Mapping[str, ZoneInfo],
) -> None:
    """Write what each sheet is, last the empty frames, which have none, and below that the totals."""
    head = book.add_format({"bold": True, "bottom": 1, "num_format": "@"})
    text = book.add_format({"num_format": "@"})
    rows: list[tuple[str, ...]] = [ABOUT_HEADINGS]
    for name, frame in {**shown, **frames}.items():
        content = format_count(len(frame), "row") if name in shown else "empty, so it has no sheet"
        rows.append((name, content, *_describe_sheet_origin(frame, zones[name])))
    rows += [(), (HEADERS_NOTE,)]
    for row, cells in enumerate(rows):
        for at, cell in enumerate(cells):
            sheet.write_string(row, at, _escape_surrogates(cell)[:MAX_CELL_CHARACTERS], head if row == 0 else text)
    totals = [
        (name, str(label), _sum(column))
        for name, frame in shown.items()
        for label, column in frame.items()
        if frame.columns.is_unique and is_summable(column)
    ]
    for at, cell in enumerate(TOTALS_HEADINGS if totals else ()):
        sheet.write_string(len(rows) + 1, at, cell, head)
    for row, (name, label, total) in enumerate(totals, start=len(rows) + 2):
        number_format = MONEY_FORMAT if label in MONEY_COLUMNS else UNITS_FORMAT
        sheet.write_string(row, 0, _escape_surrogates(name), text)
        sheet.write_string(row, 1, write_title(label), text)
        sheet.write_number(row, 2, total, book.add_format({"num_format": number_format}))
    _fit_to_paper(sheet)
    for at in range(len(ABOUT_HEADINGS)):
        lengths = [len(cells[at]) for cells in rows[:-1] if len(cells) > at]
        sheet.set_column(at, at, min(max(lengths) + 2, MAX_WIDTH_CHARACTERS))
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{MAX_ROWS + 1}"})


def _sum(column: pd.Series[Any]) -> float:
    """Sum exactly, rounded once; infinite values have no total."""
    values = [float(value) for value in column.dropna()]
    return math.fsum(value for value in values if math.isfinite(value))


def _describe_sheet_origin(frame: pd.DataFrame, zone: ZoneInfo) -> tuple[str, str, str, str, str]:
    found = provenance(frame)
    if found is None:
        return "", "", "", "", zone.key
    as_of = f"{found.as_of.astimezone(zone):%Y-%m-%d %H:%M}" if found.as_of else "no answer used"
    complete = "yes" if found.complete else "NO: orders are missing" if "orders" in found.source else "NO"
    if found.rejected:
        complete += f", {format_count(found.rejected, 'record')} rejected"
    return _describe_account(found), found.source, as_of, complete, zone.key


def _describe_account(found: Provenance) -> str:
    accounts = found.params.get(ACCOUNTS_PARAM)
    if accounts:
        return ", ".join(map(str, accounts))
    return f"{found.environment}, partner {found.partner_id}" if found.partner_id else found.environment


def _too_long_error(name: str, where: str, text: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{name!r} has {len(text):,} characters in {where}, and a cell of Excel holds {MAX_CELL_CHARACTERS:,}: "
        "write a .csv or .parquet file, or shorten the text."
    )


def _check_size(name: str, frame: pd.DataFrame) -> None:
    for count, most, what in ((len(frame), MAX_ROWS, "rows"), (frame.shape[1], MAX_COLUMNS, "columns")):
        if count > most:
            raise InvalidRequestError(
                f"{name!r} has {count:,} {what}, and a sheet of Excel holds {most:,}: "
                "write a .csv or .parquet file, or fewer of them."
            )


def _describe_origin(name: str, frame: pd.DataFrame) -> str:
    """Describe the origin of a sheet for the workbook's properties."""
    found = provenance(frame)
    if found is None:
        return f"{name}: {format_count(len(frame), 'row')}"
    as_of = f"{found.as_of:%Y-%m-%d %H:%M:%S} UTC" if found.as_of else "no answer used"
    state = "complete" if found.complete else "INCOMPLETE"
    return (
        f"{name}: {format_count(len(frame), 'row')}, {found.source}, as of {as_of}, {state}, {found.rejected:,} rejected, "
        f"{found.environment}, partner {found.partner_id}"
    )


def _choose_width(column: ExcelColumn) -> float:
    """Fit the first rows; a date needs the width of its format."""
    fixed = (
        len(column.number_format) + 1
        if column.number_format in (SECONDS_FORMAT, MILLISECONDS_FORMAT, DAY_FORMAT)
        else 0
    )
    lengths = (
        len(cell) if isinstance(cell, str) else fixed or _count_characters(cell, column.number_format)
        for cell in column.cells[:WIDTH_SAMPLE_ROWS]
        if cell is not None
    )
    arrow = 4  # the filter's button covers the end of a header
    return min(
        max([len(write_title(column.name)) + arrow, *(length + 2 for length in lengths)], default=8),
        MAX_WIDTH_CHARACTERS,
    )


def _count_characters(number: float, number_format: str) -> int:
    """Return the length of a number as its format shows it."""
    if number_format == GENERAL or isinstance(number, bool):
        return len(f"{number}")
    return len(f"{number:,.0f}" if number_format == UNITS_FORMAT else f"{number:,.2f}")


def _to_excel_column(column: pd.Series[Any], zone: ZoneInfo) -> ExcelColumn:
    """Convert a column to cells."""
    name = _escape_surrogates(str(column.name))
    note = "" if write_title(name) == name else name
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        cells, shown = _to_serial_dates(local_times(column, zone), format_iso(column, zone))
        return ExcelColumn(name, cells, shown, f"{name}: times are in the zone {zone.key}.")
    if types.is_datetime64_dtype(column.dtype):
        cells, shown = _to_serial_dates(
            column, pd.Series(np.datetime_as_string(column.to_numpy().astype("datetime64[us]")))
        )
        return ExcelColumn(name, cells, shown, note)
    if isinstance(column.dtype, pd.StringDtype):
        cells = [None if null else cell for cell, null in zip(column, column.isna(), strict=True)]
        return ExcelColumn(name, cells, note=note)
    return ExcelColumn(name, [_to_cell(value) for value in column.astype(object)], choose_number_format(column), note)


def _to_serial_dates(local: pd.Series[Any], instead: pd.Series[Any]) -> tuple[list[Cell], str]:
    """Convert dates to Excel's numbers, days since the end of 1899; the others to text."""
    known = local.notna().to_numpy()
    moments = local.to_numpy().astype("datetime64[us]")
    serial = (moments - EPOCH).astype("int64") / 86_400_000_000
    held = known & (moments >= FIRST_DATE.to_datetime64()) & (moments <= LAST_DATE.to_datetime64())
    cells: list[Cell] = [
        float(number) if fits else str(text) if there else None
        for number, fits, text, there in zip(serial, held, instead, known, strict=True)
    ]
    in_us = moments[held].astype("int64")
    if not (in_us % 86_400_000_000).any():
        return cells, DAY_FORMAT if in_us.size else SECONDS_FORMAT
    return cells, MILLISECONDS_FORMAT if (in_us % 1_000_000).any() else SECONDS_FORMAT


def _to_cell(value: Any) -> Cell:
    """Convert a value to a cell; text if Excel has no other cell for it."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < FIRST_INEXACT_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return _escape_surrogates(str(value))


def _escape_surrogates(text: str) -> str:
    """Escape half a surrogate pair, which no file can hold."""
    return text.encode("utf-8", "backslashreplace").decode()
