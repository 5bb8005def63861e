"""Workbooks -> a table of text: which sheet is read, and where its table begins and ends."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
import pyarrow as arrow
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import ARROW_TEXT
from cenports_nb.rendering.surface import name_argument
from cenports_nb.tables.file_kinds import AS_TEXT, refuse_damaged, refuse_kind
from cenports_nb.tables.headers import MAX_HEAD_ROWS, Score, check_header_row, join_lines
from cenports_nb.tables.sheet_cells import Cell, Cells, SheetReader, WorkbookReader
from cenports_nb.tables.table import CellFlag, Table, pack_rows

STYLES_ADVICE = f"open it in Excel or LibreOffice and save it there, or {AS_TEXT}"


@dataclass(frozen=True)
class _Candidate:
    """What is known of a sheet when one is chosen.

    Attributes:
        score: How many of the wanted columns its best row seems to name.
        has_rows: Whether there are rows below that one.
        is_empty: Whether the sheet has no cells.
    """

    sheet: SheetReader
    score: int
    has_rows: bool
    is_empty: bool


def read_workbook(content: bytes, name: str, score: Score, sheet: str | None) -> Table:
    """Read the named sheet, or the only visible one with the wanted headers and rows below them.

    Numbers lose their `.0`; `shown` has the text of those with a number format; dates are ISO days, or instants without
    a zone; a formula is read as its saved value.

    Raises:
        InvalidRequestError: It is damaged, several sheets fit, or the headers are further down.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and extensions that are not read
        sheets = _open(content, name)
        try:
            chosen = _choose(sheets, name, score, sheet)
            return _read(chosen, name, score, is_named=len(sheets) > 1)
        except InvalidRequestError:
            raise
        except Exception:  # noqa: BLE001 - openpyxl and what it is made of raise anything on a damaged part
            raise refuse_damaged(name) from None


def _open(content: bytes, name: str) -> list[SheetReader]:
    try:
        reader = WorkbookReader(io.BytesIO(content), read_only=True, data_only=True)
        reader.read()
        book = reader.wb
        sheets = [sheet for sheet in book.worksheets if isinstance(sheet, ReadOnlyWorksheet)]
        states: list[Any] = [sheet.sheet_state for sheet in sheets]
    except TypeError:  # an invalid style, such as an empty fill
        raise refuse_kind(name, "is a workbook whose styles no other program understands", STYLES_ADVICE) from None
    except Exception:  # noqa: BLE001 - openpyxl raises anything on a damaged part
        raise refuse_damaged(name) from None
    if not sheets:
        raise InvalidRequestError(f"{name} has no sheet with cells: put the table into one. Nothing was read.")
    return [
        SheetReader(sheet, str(sheet.title), is_hidden=state != "visible")
        for sheet, state in zip(sheets, states, strict=True)
    ]


def _choose(sheets: Sequence[SheetReader], name: str, score: Score, wanted: str | None) -> SheetReader:
    """Choose the sheet; which of several tables to read is a question."""
    names = ", ".join(repr(sheet.name) for sheet in sheets[:12])
    if wanted is not None:
        named = [sheet for sheet in sheets if sheet.name == wanted]
        named = named or [sheet for sheet in sheets if sheet.name.strip().casefold() == wanted.strip().casefold()]
        if not named:
            raise InvalidRequestError(f"{name} has no sheet {wanted!r}; its sheets are {names}.")
        return named[0]
    candidates = [_look(sheet, score) for sheet in sheets]
    visible = [each for each in candidates if not each.sheet.is_hidden]
    headed = [each for each in visible if each.score > 1]
    filled = [each for each in headed if each.has_rows]
    if len(filled) > 1:
        which = ", ".join(repr(each.sheet.name) for each in filled)
        raise InvalidRequestError(
            f"{name} has such a table on more than one sheet ({which}): choose one with {name_argument('sheet', filled[0].sheet.name)}. "
            "Nothing was read."
        )
    if filled:
        return filled[0].sheet
    hidden = [each for each in candidates if each.sheet.is_hidden and each.score > 1 and each.has_rows]
    if hidden:
        found = hidden[0].sheet.name
        raise InvalidRequestError(
            f"{name} has such a table only on a hidden sheet: read it with {name_argument('sheet', found)}, or show it in Excel. "
            "Nothing was read."
        )
    if headed:
        return headed[0].sheet
    for each in visible:
        if not each.is_empty:
            return each.sheet
    raise InvalidRequestError(f"{name} is empty: no visible sheet has anything in it (its sheets are {names}).")


def _look(sheet: SheetReader, score: Score) -> _Candidate:
    """Examine the first rows of a sheet."""
    rows = sheet.iterate_rows()
    head = [row for row in islice(rows, MAX_HEAD_ROWS) if _has_text(row[1])]
    if not head:
        return _Candidate(sheet, 0, has_rows=False, is_empty=True)
    scores = [score(_list_texts(cells)) for _, cells, _ in head]
    best = max(range(len(head)), key=lambda position: (scores[position], -position))
    below = chain(head[best + 1 :], rows)
    headed = frozenset(_list_headed(head[best][1]))
    has_rows = any(_has_text(cells, headed) for _, cells, _ in below)
    return _Candidate(sheet, scores[best], has_rows=has_rows, is_empty=False)


def _read(sheet: SheetReader, name: str, score: Score, *, is_named: bool) -> Table:
    """Read the columns of a sheet that have a header, whatever is beside or far below them."""
    hidden_columns: set[int] = set()
    rows = (row for row in sheet.iterate_rows(hidden_columns) if _has_text(row[1]))
    head = list(islice(rows, MAX_HEAD_ROWS))
    if not head:
        raise InvalidRequestError(f"{name}, sheet {sheet.name!r}, is empty: there is no table in it.")
    texts = [_list_texts(cells) for _, cells, _ in head]
    title = f"{name}, sheet {sheet.name!r}," if is_named else name
    check_header_row(texts, [number for number, _, _ in head], score, title, "row")
    headed = _list_headed(head[0][1])
    headers = tuple(join_lines(head[0][1][position].text) for position in headed)
    builder = _TableBuilder(headed)
    for number, cells, is_hidden in chain(head[1:], rows):
        builder.add(number, cells, is_hidden=is_hidden)
    hidden = frozenset(column for column, position in enumerate(headed) if position in hidden_columns)
    return builder.build(name, headers, sheet.name if is_named else None, hidden)


class _TableBuilder:
    """Collects rows into columns."""

    def __init__(self, positions: Sequence[int]) -> None:
        self._places = dict(enumerate(positions))
        self._headed = frozenset(positions)
        width = len(positions)
        self._lines: list[int] = []
        self._texts: list[list[str]] = [[] for _ in range(width)]
        self._shown: list[dict[int, str]] = [{} for _ in range(width)]
        self._flags: dict[CellFlag, dict[int, list[int]]] = {}
        self._exact: dict[int, list[int]] = {}
        self._hidden: list[int] = []
        self._first = min(positions, default=0)
        self._unlabeled = 0

    def add(self, number: int, cells: Cells, *, is_hidden: bool) -> None:
        """Add a row, if a column with a header has a value."""
        if not _has_text(cells, self._headed):
            return
        row = len(self._lines)
        self._lines.append(number)
        if is_hidden:
            self._hidden.append(row)
        outside = (position for position in cells if position > self._first and position not in self._headed)
        self._unlabeled += any(cells[position].text.strip().isdecimal() for position in outside)
        for position, texts in enumerate(self._texts):
            cell = cells.get(self._places[position])
            texts.append("" if cell is None else cell.text)
            if cell is not None:
                self._note(row, position, cell)

    def build(self, name: str, headers: tuple[str, ...], sheet: str | None, hidden_columns: frozenset[int]) -> Table:
        """Build the table from the added rows."""
        length = len(self._lines)
        columns = tuple(arrow.chunked_array([arrow.array(texts, ARROW_TEXT)]) for texts in self._texts)
        shown: dict[int, arrow.ChunkedArray] = {}
        for position, found in enumerate(self._shown):
            if found:
                texts = list(self._texts[position])
                for row, text in found.items():
                    texts[row] = text
                shown[position] = arrow.chunked_array([arrow.array(texts, ARROW_TEXT)])
        return Table(
            name,
            headers,
            columns,
            np.array(self._lines, np.int64),
            line="row",
            sheet=sheet,
            shown=shown,
            flags={
                flag: {position: pack_rows(rows, length) for position, rows in positions.items()}
                for flag, positions in self._flags.items()
            },
            exact={position: pack_rows(rows, length) for position, rows in self._exact.items()},
            hidden_rows=pack_rows(self._hidden, length),
            hidden_columns=hidden_columns,
            unlabeled_rows=self._unlabeled,
        )

    def _note(self, row: int, position: int, cell: Cell) -> None:
        if cell.flag is not None:
            self._flags.setdefault(cell.flag, {}).setdefault(position, []).append(row)
        if cell.shown is not None and cell.shown != cell.text:
            self._shown[position][row] = cell.shown
        if cell.is_exact:
            self._exact.setdefault(position, []).append(row)


def _has_text(cells: Cells, positions: frozenset[int] | None = None) -> bool:
    """Return whether a row has a value, within some columns."""
    return any(
        (cell.text.strip() != "" or cell.flag is not None) and (positions is None or position in positions)
        for position, cell in cells.items()
    )


def _list_headed(cells: Cells) -> list[int]:
    """List the columns that have a header."""
    return sorted(position for position, cell in cells.items() if cell.text.strip())


def _list_texts(cells: Cells) -> list[str]:
    return [cell.text for _, cell in sorted(cells.items())]
