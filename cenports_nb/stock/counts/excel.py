"""Workbooks -> a table of text: zeros, dates and formulas as Excel means them."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any
from zipfile import BadZipFile, ZipFile
from zlib import error as zlib_error

import numpy as np
import pyarrow as arrow
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.row_keys import Mask
from cenports_nb.frames.text_columns import ARROW_TEXT
from cenports_nb.stock.counts.table import ADVICE, HEAD_LINES, Score, Table, no_table, one_line, refuse_below

ZEROS = re.compile(r"0{2,}")
"""A number format that pads with zeros: 00000 shows 12 as 00012."""
DAMAGED = (
    *(BadZipFile, InvalidFileException, zlib_error, EOFError, OSError, SyntaxError),
    *(LookupError, ValueError, TypeError, AttributeError, RuntimeError),
)
"""What openpyxl and the standard library raise on a workbook that is none, is damaged or has a password."""
EXACT = 10**15
"""Excel keeps 15 digits."""


@dataclass
class _Cells:
    """What is noticed while the cells of a sheet are read."""

    rows: list[list[str]] = field(default_factory=list)
    dates: list[tuple[int, int]] = field(default_factory=list)
    errors: list[tuple[int, int]] = field(default_factory=list)
    unread: list[tuple[int, int]] = field(default_factory=list)


def read_sheet(content: bytes, name: str, score: Score) -> Table:
    """Read the sheet of a workbook that holds counts: the first visible one, or the only one with the headers.

    Numbers lose their `.0`; those whose format is all zeros get their zeros; dates are ISO days, or instants
    without a zone; of a formula the value that Excel saved is read.

    Raises:
        InvalidRequestError: It is no workbook; several sheets have the headers; they are below something else.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that are not read here
            values = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            title = _chosen(values, name, score)
            formulas = load_workbook(io.BytesIO(content), read_only=True) if _has_formulas(content) else None
            cells = _read(values[title], formulas[title] if formulas else None)
    except InvalidRequestError:
        raise
    except DAMAGED as error:
        raise no_table(name, error) from None
    return _table(cells, name, score)


def _chosen(book: Any, name: str, score: Score) -> str:
    """Choose the sheet; which of several tables is meant is not guessed."""
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not sheets:
        raise InvalidRequestError(f"{name} can't be read as a table (it has no visible sheet): {ADVICE}.")
    headed = [sheet.title for sheet in sheets if _best(sheet, score) > 1]
    if len(headed) > 1:
        raise InvalidRequestError(
            f"{name} has counts on more than one sheet ({', '.join(map(repr, headed))}): save each as a file of its own."
        )
    return str(headed[0] if headed else sheets[0].title)


def _best(sheet: Any, score: Score) -> int:
    sheet.reset_dimensions()  # what a file says of its own size may be wrong
    rows = islice(sheet.iter_rows(values_only=True), HEAD_LINES)
    return max((score([value for value in row if isinstance(value, str)]) for row in rows), default=0)


def _has_formulas(content: bytes) -> bool:
    with ZipFile(io.BytesIO(content)) as parts:
        sheets = [part for part in parts.namelist() if part.startswith("xl/worksheets/")]
        return any(re.search(rb"<f[ >/]", parts.read(part)) for part in sheets)


def _read(sheet: Any, formulas: Any) -> _Cells:
    found = _Cells()
    for number, (row, formula_row) in enumerate(_side_by_side(sheet, formulas)):
        texts = []
        for place, cell in enumerate(row):
            value = cell.value
            texts.append(_text(cell))
            if isinstance(value, date | time | timedelta):
                found.dates.append((number, place))
            elif cell.data_type == "e":
                found.errors.append((number, place))
            elif value is None and place < len(formula_row) and formula_row[place].data_type == "f":
                found.unread.append((number, place))
        found.rows.append(texts)
    return found


def _side_by_side(sheet: Any, formulas: Any) -> Iterator[tuple[Any, Any]]:
    sheet.reset_dimensions()
    if formulas is None:
        return ((row, ()) for row in sheet.iter_rows())
    formulas.reset_dimensions()
    return zip(sheet.iter_rows(), formulas.iter_rows(), strict=False)


def _text(cell: Any) -> str:
    """Write a cell as a person sees it, as far as that says what it is."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        if value != int(value):
            return repr(value)
        if abs(value) >= EXACT:
            return f"{value:.5E}"
        padded = ZEROS.fullmatch(cell.number_format or "")
        return f"{int(value):0{len(padded.group())}d}" if padded else str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    return str(value)


def _table(cells: _Cells, name: str, score: Score) -> Table:
    filled = [place for place, row in enumerate(cells.rows) if any(row)]
    if not filled:
        raise InvalidRequestError(f"{name} can't be read as a table (it is empty): {ADVICE}.")
    first = filled[0]
    head = max(
        (place for place in filled if place < HEAD_LINES), key=lambda p: (score(cells.rows[p]), -p), default=first
    )
    refuse_below(head + 1 if score(cells.rows[head]) > max(1, score(cells.rows[first])) else 0, name, "row")
    rows = cells.rows[first + 1 :]
    width = max((place + 1 for row in cells.rows for place, text in enumerate(row) if text), default=0)
    headers = tuple(map(one_line, [*cells.rows[first], *[""] * width][:width]))
    columns = tuple(
        arrow.chunked_array([arrow.array([row[place] if place < len(row) else "" for row in rows], ARROW_TEXT)])
        for place in range(width)
    )
    marks = [_marks(found, first + 1, len(rows)) for found in (cells.dates, cells.errors, cells.unread)]
    lines = np.arange(first + 2, first + 2 + len(rows))
    dates, errors, unread = marks
    return Table(name, headers, columns, lines, line="row", dates=dates, errors=errors, unread=unread)


def _marks(found: list[tuple[int, int]], begin: int, rows: int) -> dict[int, Mask]:
    """Turn cells into masks, column by column."""
    masks: dict[int, Mask] = {}
    for number, place in found:
        if number >= begin:
            masks.setdefault(place, np.zeros(rows, dtype=bool))[number - begin] = True
    return masks
