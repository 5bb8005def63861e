"""Text files -> a table: separators, quotes, and the line of each row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as arrow
import pyarrow.compute as pc

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import ARROW_TEXT
from cenports_nb.frames.export.files import FORMULA_STARTS
from cenports_nb.frames.row_keys import Mask
from cenports_nb.tables.headers import MAX_HEAD_ROWS, Score, check_header_row, join_lines
from cenports_nb.tables.table import Table

SEPARATORS = ",;\t|"
HEAD_CHARACTERS = 65_536
NEWLINE = re.compile(r"\r\n|\n|\r")
FORMULA_OF_TEXT = r'(?s)^="(.*)"$'
"""The form in which Excel reads a cell of a text file as text."""
ERROR_TEXT = (
    r"^#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|FIELD!|GETTING_DATA"
    r"|NV|BEZUG!|WERT!|ZAHL!|VALEUR!|NOM\?|NOMBRE!|¡REF!|¡VALOR!|¿NOMBRE\?|¡NUM!|¡DIV/0!)$"
)
"""Error values that a spreadsheet writes to text files, in English, German, French and Spanish."""


@dataclass(frozen=True)
class _Rows:
    """The rows of a text file.

    Attributes:
        cells: One list per row.
        lines: The first line of each row, from 1.
    """

    cells: list[list[str]]
    lines: list[int]


def read_delimited(text: str, name: str, score: Score) -> Table:
    """Read a text file separated by commas, semicolons, tabs or bars.

    A quoted cell may contain line breaks, unless its lines look like rows that a stray quote swallowed. In a file
    separated by tabs, a line with unpaired quotes is read without quoting: there a quote is an inch mark.

    Raises:
        InvalidRequestError: It is empty, its headers are not in its first line, or a line can't be read.
    """
    declared = re.match(r"sep=([,;\t|])(?:\r\n|\n|\r)", text)  # Excel writes and reads this line
    skipped = declared.end() if declared else 0
    separator, headers = _find_headers(text[skipped:], declared.group(1) if declared else SEPARATORS, name, score)
    rows = _read_rows(text[skipped:], separator, len(headers), name, 1 if declared else 0)
    body = [position for position, cells in enumerate(rows.cells) if any(map(str.strip, cells))][1:]
    padding = [""] * len(headers)
    filled = [[*rows.cells[position], *padding][: len(headers)] for position in body]
    columns, exact, errors = [], {}, {}
    for position, cells in enumerate(zip(*filled, strict=True) if filled else [()] * len(headers)):
        column, escaped = _unescape(arrow.array(cells, ARROW_TEXT))
        columns.append(arrow.chunked_array([column]))
        is_error = np.asarray(pc.match_substring_regex(column, ERROR_TEXT).to_numpy(zero_copy_only=False), dtype=bool)
        if is_error.any():
            errors[position] = is_error
        if escaped.any():
            exact[position] = escaped
    lines = np.array([rows.lines[position] for position in body], np.int64)
    first = next((position for position, header in enumerate(headers) if header), 0)
    unlabeled = [position for position, header in enumerate(headers) if not header and position > first]
    numbered = (
        sum(any(cells[position].strip().isdecimal() for position in unlabeled) for cells in filled) if unlabeled else 0
    )
    return Table(
        name, headers, tuple(columns), lines,
        separator=separator, exact=exact, flags={"error": errors}, unlabeled_rows=numbered,
    )  # fmt: skip


def _find_headers(text: str, separators: str, name: str, score: Score) -> tuple[str, tuple[str, ...]]:
    """Find the separator, and the headers in the first line that isn't empty."""
    best: tuple[int, int, str, list[list[str]], list[int]] | None = None
    for separator in separators:
        reader = csv.reader(io.StringIO(text[:HEAD_CHARACTERS], newline=""), delimiter=separator)
        records, lines, last = [], [], 0
        try:
            for cells in islice(reader, MAX_HEAD_ROWS):
                if any(map(str.strip, cells)):
                    records.append(cells)
                    lines.append(last + 1)
                last = reader.line_num
        except csv.Error:
            pass
        if records:
            rank = max(map(score, records)), len(records[0])
            if best is None or rank > best[:2]:
                best = (*rank, separator, records, lines)
    if best is None:
        raise InvalidRequestError(f"{name} is empty: there is no table in it.")
    _, _, separator, records, lines = best
    check_header_row(records, lines, score, name, "line")
    return separator, tuple(join_lines(cell) for cell in records[0])


def _read_rows(text: str, separator: str, width: int, name: str, skipped_lines: int) -> _Rows:
    """Read all rows, including the headers."""
    rows, problem = _read_quoted(text, separator, width, skipped_lines)
    if problem is not None and separator == "\t":
        rows, problem = _read_lines(text, separator, width, skipped_lines)
    if problem is not None:
        raise InvalidRequestError(f"{name} {problem}. Nothing was read.")
    first = next((position for position, cells in enumerate(rows.cells) if any(map(str.strip, cells))), 0)
    for cells, line in zip(rows.cells[first:], rows.lines[first:], strict=True):
        if len(cells) > width and any(map(str.strip, cells[width:])):
            raise InvalidRequestError(
                f"{name} can't be read as a table: line {line} has {len(cells)} cells, the headers are {width}. Quote the cell "
                "that has the separator in it, or delete what is too much. Nothing was read."
            )
    _refuse_cut_line(text, rows, name)
    return rows


def _refuse_cut_line(text: str, rows: _Rows, name: str) -> None:
    """Refuse a last line that ends in the middle: shorter than all others, and without a line break.

    A quantity at its end may have lost digits.
    """
    if text[-1] in "\r\n":
        return
    lengths = [len(cells) for cells in rows.cells if any(map(str.strip, cells))]
    if len(lengths) > 2 and lengths[-1] < min(lengths[:-1]):
        raise InvalidRequestError(
            f"{name} seems to be cut short: its last line, {rows.lines[-1]}, has {lengths[-1]} cells and no line break. Copy or "
            "download it again, or complete the line. Nothing was read."
        )


def _read_quoted(text: str, separator: str, width: int, skipped_lines: int) -> tuple[_Rows, str | None]:
    """Read rows with quoted cells; also return what is wrong with the first line that can't be read."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows = _Rows([], [])
    last = 0
    physical: list[str] | None = None
    try:
        for cells in reader:
            rows.cells.append(cells)
            rows.lines.append(last + 1 + skipped_lines)
            if reader.line_num > last + 1 and rows.cells[0] is not cells:
                physical = NEWLINE.split(text) if physical is None else physical
                if _holds_rows(physical[last : reader.line_num], separator, width, len(cells)):
                    return rows, (
                        f"has a cell that begins in line {last + 1 + skipped_lines} and swallows the rows below it, because of a "
                        'quotation mark such as an inch mark: delete the mark, or write the cell as "12"" pan"'
                    )
            last = reader.line_num
    except csv.Error:
        return rows, (
            f"has a quotation mark that is not closed, or stands in the middle of a cell, in line {last + 1 + skipped_lines}: "
            'delete the mark, or write the cell as "12"" pan"'
        )
    return rows, None


def _holds_rows(lines: Sequence[str], separator: str, width: int, cells: int) -> bool:
    """Return whether lines that form one record look like rows: its cells contain as many separators as a row has."""
    swallowed = sum(line.count(separator) for line in lines) - (cells - 1)
    return swallowed >= max(1, min(width, cells) - 1)


def _read_lines(text: str, separator: str, width: int, skipped_lines: int) -> tuple[_Rows, str | None]:
    """Read one row per line; unpaired quotes are part of the text."""
    rows = _Rows([], [])
    for number, line in enumerate(NEWLINE.split(text), start=1 + skipped_lines):
        cells = line.split(separator)
        if '"' in line:
            try:
                cells = next(csv.reader([line], delimiter=separator, strict=True), [])
            except csv.Error:
                if len(cells) != width:
                    return rows, (
                        f"has a quotation mark that is not closed in line {number}, which has {len(cells)} cells and not {width}: "
                        "delete the mark, or the line break in the cell"
                    )
        rows.cells.append(cells)
        rows.lines.append(number)
    return rows, None


def _unescape(column: arrow.Array) -> tuple[arrow.Array, Mask]:
    """Undo the markers that make a spreadsheet read a cell as text; also return the cells whose blanks belong to them."""
    if pc.any(pc.starts_with(column, '="')).as_py():
        wrapped = pc.match_substring_regex(column, FORMULA_OF_TEXT)
        inner = pc.replace_substring(pc.replace_substring_regex(column, FORMULA_OF_TEXT, r"\1"), '""', '"')
        column = pc.if_else(wrapped, inner, column)
    if not pc.any(pc.starts_with(column, "'")).as_py():
        return column, np.zeros(len(column), dtype=bool)
    rest = pc.if_else(pc.starts_with(column, "'"), pc.utf8_slice_codeunits(column, 1), "")
    escaped = pc.not_equal(rest, pc.utf8_trim_whitespace(rest))  # blanks around a value, which `export` marks too
    for start in (*FORMULA_STARTS, "'"):
        escaped = pc.or_(escaped, pc.starts_with(rest, start))
    return pc.if_else(escaped, rest, column), np.asarray(escaped.to_numpy(zero_copy_only=False), dtype=bool)
