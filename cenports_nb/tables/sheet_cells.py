"""The cells of one sheet, read sparsely: empty and distant cells cost nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.numbers import is_date_format, is_timedelta_format
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.utils.datetime import from_excel
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from cenports_nb.tables.number_formats import GENERAL, describe_additions, format_general, format_number
from cenports_nb.tables.table import CellFlag

FORMULA_TAG, VALUE_TAG, INLINE_TAG, SHARED_TAG, RUN_TAG, TEXT_TAG = (
    f"{{{SHEET_MAIN_NS}}}{tag}" for tag in ("f", "v", "is", "si", "r", "t")
)
ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
UNDERSCORE = 0x5F
LAST_CONTROL = 0x1F
TRUE = ("1", "true")
Cells = dict[int, "Cell"]


@dataclass(frozen=True)
class Cell:
    """A cell that isn't empty.

    Attributes:
        text: Its value.
        shown: The text that the workbook shows, if it differs; a rough one if the number's format is not known.
        flag: What is special about it.
        is_exact: Whether blanks around it belong to it.
    """

    text: str
    shown: str | None = None
    flag: CellFlag | None = None
    is_exact: bool = False


class _Parser(WorkSheetParser):
    """Reads numbers as they are stored, and distinguishes a formula without a saved result from an empty cell."""

    def parse_cell(self, element: Any) -> dict[str, Any]:
        if element.get("t") == "inlineStr":
            return self._parse_inline_text(element)
        cell: dict[str, Any] = super().parse_cell(element)
        is_formula = cell["value"] is None and element.find(FORMULA_TAG) is not None
        if is_formula and not (element.get("t") == "str" and element.find(VALUE_TAG) is not None):
            cell["data_type"] = "f"  # the other ones resulted in an empty text, as in =IF(A2="","",B2)
        return cell

    def _parse_inline_text(self, element: Any) -> dict[str, Any]:
        """Read a text stored in its cell, without openpyxl's objects for its fonts."""
        text = element.find(INLINE_TAG)
        value = "" if text is None else _join_runs(text)
        self.col_counter = coordinate_to_tuple(element.get("r"))[1] if element.get("r") else self.col_counter + 1
        style = int(element.get("s", 0))
        return {"column": self.col_counter, "value": value or None, "data_type": "s", "style_id": style}


class WorkbookReader(ExcelReader):
    """Reads a workbook and its shared texts as they are written: openpyxl loses some of their escapes."""

    def read_strings(self) -> None:
        """Read the shared texts of the workbook."""
        part: Any = self.package.find(SHARED_STRINGS)  # type: ignore[no-untyped-call]
        if part is None:
            return
        with self.archive.open(part.PartName.removeprefix("/")) as source:
            for _, element in iterparse(source):
                if element.tag == SHARED_TAG:
                    self.shared_strings.append(_join_runs(element))
                    element.clear()


class SheetReader:
    """Reads the rows of a sheet that aren't empty.

    Attributes:
        name: The name of the sheet.
        is_hidden: Whether the workbook hides it.
    """

    def __init__(self, sheet: Any, name: str, *, is_hidden: bool) -> None:
        self.name = name
        self.is_hidden = is_hidden
        self._sheet = sheet
        self._styles: dict[int, Callable[[Any], Cell]] = {}

    def iterate_rows(self, hidden_columns: set[int] | None = None) -> Iterator[tuple[int, Cells, bool]]:
        """Yield the number of each row from 1, its cells by column from 0, and whether it is hidden.

        Args:
            hidden_columns: Receives the hidden columns, before the first row.
        """
        book = self._sheet.parent
        with self._sheet._get_source() as source:
            parser = _Parser(source, self._sheet._shared_strings, data_only=True, epoch=book.epoch)
            is_first = True
            for number, row in parser.parse():
                if is_first and hidden_columns is not None:
                    hidden_columns.update(_list_hidden_columns(parser.column_dimensions))
                is_first = False
                attributes = parser.row_dimensions.pop(str(number), {})
                cells = {
                    cell["column"] - 1: self._read(cell)
                    for cell in row
                    if cell["value"] is not None or cell["data_type"] == "f"
                }
                if cells:
                    yield number, cells, _is_hidden(attributes, "ht")

    def _read(self, cell: Mapping[str, Any]) -> Cell:
        value, kind = cell["value"], cell["data_type"]
        if kind == "f":
            return Cell("", flag="formula")
        if kind == "e":
            return Cell(str(value), flag="error")
        if kind == "b":
            return Cell(str(bool(value)).upper())
        if kind == "n":
            return self._choose_style(cell["style_id"])(value)
        if kind == "d":
            return Cell(_format_date(value), flag="date")
        text = unescape(str(value))
        return Cell(text, is_exact=text != text.strip() and self._is_marked_as_text(cell["style_id"]))

    def _choose_style(self, style: int) -> Callable[[Any], Cell]:
        """Return the reader for numbers of a style, built once."""
        found = self._styles.get(style)
        if found is None:
            number_format = ReadOnlyCell(self._sheet, 1, 1, 0, "n", style).number_format
            found = self._styles[style] = build_number_reader(number_format, self._sheet.parent.epoch)
        return found

    def _is_marked_as_text(self, style: int) -> bool:
        """Return whether an apostrophe was typed in front, which Excel keeps as a style."""
        return bool(ReadOnlyCell(self._sheet, 1, 1, "", "s", style).style_array.quotePrefix)


def build_number_reader(number_format: str, epoch: datetime) -> Callable[[Any], Cell]:
    """Build the reader for one number format."""
    if is_date_format(number_format):
        return lambda value: _read_date(value, epoch, is_duration=is_timedelta_format(number_format))
    if number_format in GENERAL:
        return _read_general
    return lambda value: _read_formatted(value, number_format)


def _join_runs(element: Any) -> str:
    """Join the texts of a cell, which may have several fonts, without pronunciation hints."""
    return "".join(run.findtext(TEXT_TAG) or "" for run in (element, *element.iterfind(RUN_TAG)))


def unescape(text: str) -> str:
    """Decode a workbook's escapes of control characters, such as `_x000D_`, and of an underscore before one.

    Excel escapes nothing else, so any other `_xHHHH_` is literal text.
    """
    if "_x" not in text:
        return text

    def replace(found: re.Match[str]) -> str:
        code = int(found.group(1), 16)
        return chr(code) if code <= LAST_CONTROL or code == UNDERSCORE else found.group()

    return ESCAPE.sub(replace, text)


def _read_general(value: float) -> Cell:
    if not math.isfinite(value):
        return Cell(str(value), flag="overflow")
    text = format_general(value)
    return Cell(f"{value:.5E}", flag="unshown") if text is None else Cell(text, flag="number")


def _read_formatted(value: float, number_format: str) -> Cell:
    plain = _read_general(value)
    if plain.flag != "number":
        return plain
    shown = format_number(value, number_format)
    if shown is not None:
        return Cell(plain.text, shown)
    additions = describe_additions(number_format, value)
    return Cell(plain.text, f"{plain.text} {additions}" if additions else None, flag="unshown")


def _read_date(value: float, epoch: datetime, *, is_duration: bool) -> Cell:
    plain = _read_general(value)
    if plain.flag == "overflow":
        return plain
    try:
        return Cell(_format_date(from_excel(value, epoch, timedelta=is_duration)), flag="date")
    except (OverflowError, ValueError):
        return Cell(plain.text, flag="unshown")  # Excel shows ##### here


def _format_date(value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    return str(value) if isinstance(value, timedelta) else value.isoformat()


def _list_hidden_columns(dimensions: Mapping[str, Mapping[str, str]]) -> set[int]:
    found: set[int] = set()
    for attributes in dimensions.values():
        if _is_hidden(attributes, "width"):
            found.update(range(int(attributes["min"]) - 1, int(attributes["max"])))
    return found


def _is_hidden(attributes: Mapping[str, str], size: str) -> bool:
    """Return whether a row or column is hidden, or too small to see."""
    if attributes.get("hidden") in TRUE:
        return True
    try:
        return float(attributes.get(size, 1)) == 0
    except ValueError:
        return False
