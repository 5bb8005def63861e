"""Count files of any format -> a table of text, with the line that each row stands in."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as arrow
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as arrow_parquet

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.row_keys import IntArray
from cenports_nb.frames.text_columns import ARROW_TEXT
from cenports_nb.stock.counts.table import ADVICE, HEAD_LINES, Score, Table, no_table, one_line, refuse_below

SEPARATORS = ",;\t|"
HEAD_CHARACTERS = 65_536
NEWLINE = re.compile(r"\r\n|\n|\r")


def read_table(source: str | Path | IO[bytes] | IO[str], score: Score) -> Table:
    """Read any of the formats; the format is detected from the content, so that a buffer needs no name.

    Raises:
        InvalidRequestError: There is no such file, it is no table, or its headers are not where they should be.
    """
    name = Path(str(source)).name if isinstance(source, str | Path) else str(getattr(source, "name", "the buffer"))
    name = Path(name).name
    try:
        raw = Path(source).read_bytes() if isinstance(source, str | Path) else source.read()
    except FileNotFoundError:
        raise InvalidRequestError(f"There is no file {str(source)!r}: check the path.") from None
    except OSError as error:
        raise InvalidRequestError(f"{name} can't be read: {error.strerror}.") from None
    if isinstance(raw, str):
        return _read_text(raw.removeprefix("\ufeff"), name, score)
    if raw[:4] == b"PAR1":
        return _read_parquet(raw, name)
    if raw[:2] == b"PK":
        from cenports_nb.stock.counts.excel import read_sheet  # noqa: PLC0415 - openpyxl is slow to import

        return read_sheet(raw, name, score)
    if raw[:4] == b"\xd0\xcf\x11\xe0":
        raise InvalidRequestError(
            f"{name} can't be read as a table (an old .xls, or a workbook with a password): save it as .xlsx."
        )
    text, remark = _decoded(raw, name)
    return replace(_read_text(text, name, score), remark=remark)


def _decoded(content: bytes, name: str) -> tuple[str, str]:
    """Decode text: strict UTF-8, else UTF-16 by its mark, else what Windows writes in western Europe."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif content[:3] == b"\xef\xbb\xbf":
        encodings = ["utf-8-sig"]
    else:
        encodings = ["utf-8", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text, " It is not UTF-8 and was read as Windows' cp1252." if encoding == "cp1252" else ""
    raise InvalidRequestError(f"{name} is not UTF-8 text, nor any other that can be told: save it as CSV UTF-8.")


def _read_text(text: str, name: str, score: Score) -> Table:
    separator, headers, begin, line = _head(text, name, score)
    body = text[begin:]
    read = _fast(body, separator, len(headers), line) or _careful(body, separator, len(headers), line, name)
    return Table(name, headers, *read, separator=separator)


def _head(text: str, name: str, score: Score) -> tuple[str, tuple[str, ...], int, int]:
    """Find separator and headers, where the rows begin, and in which line."""
    declared = re.match(r"sep=([,;\t|])(?:\r\n|\n|\r)", text)  # what Excel itself writes and obeys
    separators = declared.group(1) if declared else SEPARATORS
    best: tuple[int, int, int, str, list[str], int] | None = None
    first_score = 0
    for separator in separators:
        reader = csv.reader(io.StringIO(text[:HEAD_CHARACTERS], newline=""), delimiter=separator)
        records, last = [], 0
        try:
            for cells in islice(reader, HEAD_LINES):
                records.append((last + 1, reader.line_num, cells))
                last = reader.line_num
        except csv.Error:
            pass
        filled = [record for record in records if any(map(str.strip, record[2])) and not (declared and record[0] == 1)]
        for place, (begin, end, cells) in enumerate(filled):
            found = score(cells)
            first_score = max(first_score, found) if place == 0 else first_score
            if place == 0 or found > 1:
                rank = (found, -begin, len(cells), separator, cells, end)
                best = rank if best is None or rank[:3] > best[:3] else best
    if best is None:
        raise InvalidRequestError(f"{name} can't be read as a table (it is empty): {ADVICE}.")
    _, begin, _, separator, cells, end = best
    refuse_below(-begin if best[0] > first_score else 0, name, "line")
    newline = next(islice(NEWLINE.finditer(text), end - 1, end), None)
    return separator, tuple(one_line(cell) for cell in cells), newline.end() if newline else len(text), end + 1


def _fast(body: str, separator: str, width: int, line: int) -> tuple[tuple[arrow.ChunkedArray, ...], IntArray] | None:
    """Read rows all at once; None where a row is not as wide as the headers, or takes more than one line."""
    text = body.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        return (arrow.chunked_array([], ARROW_TEXT),) * width, np.zeros(0, dtype=np.int64)
    blank: list[int] = []

    def judge(row: arrow_csv.InvalidRow) -> str:
        if row.text.strip() or row.number is None:
            return "error"
        blank.append(row.number)
        return "skip"

    names = [str(place) for place in range(width)]
    content = arrow.py_buffer(text.encode())
    try:
        table = arrow_csv.read_csv(
            arrow.BufferReader(content),
            read_options=arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(content) + 1),
            parse_options=arrow_csv.ParseOptions(
                delimiter=separator, newlines_in_values='"' in text, ignore_empty_lines=False, invalid_row_handler=judge
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, ARROW_TEXT), strings_can_be_null=False
            ),
        )
    except arrow.ArrowInvalid:
        return None
    there = text.count("\n") + (not text.endswith("\n"))
    if table.num_rows + len(blank) != there:
        return None
    lines = np.delete(np.arange(line, line + there), np.array(blank, dtype=np.int64) - 1)
    return tuple(table.columns), lines


def _careful(
    body: str, separator: str, width: int, line: int, name: str
) -> tuple[tuple[arrow.ChunkedArray, ...], IntArray]:
    """Read record by record: short rows are filled up, long ones are refused by their line."""
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True)
    rows, lines, last = [], [], 0
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                if len(cells) > width:
                    what = f"line {line + last} has {len(cells)} cells, the headers are {width}"
                    raise InvalidRequestError(f"{name} can't be read as a table ({what}): mend the line.")
                rows.append([*cells, *[""] * (width - len(cells))])
                lines.append(line + last)
            last = reader.line_num
    except csv.Error as error:
        raise InvalidRequestError(f"{name} can't be read as a table ({error}, line {line + last}): {ADVICE}.") from None
    columns = zip(*rows, strict=True) if rows else [()] * width
    return tuple(arrow.chunked_array([arrow.array(list(column), ARROW_TEXT)]) for column in columns), np.array(
        lines, np.int64
    )


def _read_parquet(content: bytes, name: str) -> Table:
    try:
        table = arrow_parquet.read_table(arrow.BufferReader(content))
        columns = tuple(_written(column) for column in table.columns)
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise no_table(name, error) from None
    return Table(name, tuple(table.column_names), columns, np.arange(1, table.num_rows + 1), line="row")


def _written(column: arrow.ChunkedArray) -> arrow.ChunkedArray:
    """Write values as text: 12.0 as 12, an instant with its zone."""
    if arrow.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if arrow.types.is_null(column.type):
        return arrow.chunked_array([arrow.nulls(len(column), ARROW_TEXT)])
    if arrow.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    try:
        texts = column.cast(ARROW_TEXT)
    except arrow.ArrowNotImplementedError:  # a list or the like, which no count needs
        return arrow.chunked_array([arrow.nulls(len(column), ARROW_TEXT)])
    texts.validate(full=True)  # bytes that are no text would fail later, in the midst
    return texts
