"""A table of text: the cells of a file, with the line of each row; every format is read into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as arrow
import pyarrow.compute as pc

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import from_arrow
from cenports_nb.frames.row_keys import IntArray, Mask
from cenports_nb.rendering.text import add_article, list_names, pluralize

CellFlag = Literal["date", "error", "formula", "number", "unshown", "overflow"]
"""What is special about a cell of a workbook: a date; an error such as #N/A; a formula without a saved result; a number
without its own format; a number whose shown text is not known; a number that Excel can't hold."""
Flags = Mapping[CellFlag, Mapping[int, Mask]]

REFUSED_FLAGS: Mapping[CellFlag, tuple[str, str]] = {
    "error": ("an error such as #N/A instead of a value", "correct the formula, or enter the value"),
    "formula": ("a formula without a saved result", "open the file in Excel, calculate, and save it"),
    "overflow": ("a number too large for Excel", "enter the value again"),
}
"""Flags that no column may have: what is wrong, and what to do."""

SHORTENED = r"\d([.,]\d+)?E\+\d\d$"
"""How Excel writes a long number to a text file, without its last digits."""
AS_TEXT = "give the column the format Text or 0 in Excel, enter it again, and save"
"""What to do about a column of identifiers that a spreadsheet has changed."""


@dataclass(frozen=True)
class Table:
    """A file's cells as text.

    Attributes:
        name: The file's name in errors.
        headers: The headers of the file.
        columns: Text, with blanks around it; null for empty cells.
        lines: The line of each row in the file.
        line: What a line is called: line, or row.
        separator: The separator of a text file; None otherwise.
        sheet: The sheet of a workbook.
        shown: Column to the text that a workbook shows for its numbers, such as 0012 for 12.
        flags: What is special about cells, by column.
        exact: Column to the cells whose blanks belong to the value.
        hidden_rows: Which rows a workbook hides.
        hidden_columns: Which columns a workbook hides.
        numeric_columns: Which columns of a Parquet file hold numbers.
        unlabeled_rows: How many rows have a whole number in a column without a header, right of the first one with a header.
        encodings: The candidates of a text file whose encoding is still open; each byte is one character until then.
    """

    name: str
    headers: tuple[str, ...]
    columns: tuple[arrow.ChunkedArray, ...]
    lines: IntArray
    line: str = "line"
    separator: str | None = None
    sheet: str | None = None
    shown: Mapping[int, arrow.ChunkedArray] = field(default_factory=dict)
    flags: Flags = field(default_factory=dict)
    exact: Mapping[int, Mask] = field(default_factory=dict)
    hidden_rows: Mask | None = None
    hidden_columns: frozenset[int] = frozenset()
    numeric_columns: frozenset[int] = frozenset()
    unlabeled_rows: int = 0
    encodings: tuple[str, ...] = ()

    def read_text(self, position: int) -> pd.Series[Any]:
        """Return a column without blanks around its values, nulls as empty text."""
        return from_arrow(self._trim(position, self.columns[position]))

    def read_identifiers(self, position: int, name: str) -> pd.Series[Any]:
        """Return a column of SKUs, order numbers or the like as the workbook shows it, such as 0012 for the number 12.

        Raises:
            InvalidRequestError: Dates, numbers whose shown text is not known, or shortened numbers; named as `name`.
        """
        identifiers, one = (
            from_arrow(self._trim(position, self.shown.get(position, self.columns[position]))),
            add_article(name),
        )
        self.refuse(self.find_flagged("date", position), f"{one} that Excel made a date", AS_TEXT)
        unshown = f"{one} that is a number in a format that hides its digits, or has more than 15 of them"
        self.refuse(self.find_flagged("unshown", position), unshown, AS_TEXT)
        if self.separator is not None:  # workbooks and Parquet files hold all digits, whatever they show
            shortened = identifiers.str.match(SHORTENED).to_numpy(dtype=bool)
            self.refuse(shortened, f"{one} that Excel shortened, such as 7.12345E+11, so that digits are lost", AS_TEXT)
        return identifiers

    def find_flagged(self, flag: CellFlag, position: int) -> Mask:
        """Return a mask of a column's cells with a flag."""
        found = self.flags.get(flag, {}).get(position)
        return np.zeros(len(self.lines), dtype=bool) if found is None else found

    def find_empty_rows(self) -> Mask:
        """Return a mask of the rows without any value."""
        empty = np.ones(len(self.lines), dtype=bool)
        for position in range(len(self.columns)):
            empty &= (self.read_text(position) == "").to_numpy()
            for flag in REFUSED_FLAGS:
                empty &= ~self.find_flagged(flag, position)
            if not empty.any():
                break
        return empty

    def select_rows(self, rows: Mask) -> Table:
        """Return some of the rows."""
        if rows.all():
            return self
        wanted = arrow.array(rows)
        return replace(
            self,
            columns=tuple(column.filter(wanted) for column in self.columns),
            shown={position: column.filter(wanted) for position, column in self.shown.items()},
            lines=self.lines[rows],
            flags={
                flag: {position: mask[rows] for position, mask in found.items()} for flag, found in self.flags.items()
            },
            exact={position: mask[rows] for position, mask in self.exact.items()},
            hidden_rows=None if self.hidden_rows is None else self.hidden_rows[rows],
        )

    def refuse(self, bad: Mask, what: str, advice: str = "") -> None:
        """Refuse the file because of bad rows.

        Raises:
            InvalidRequestError: Any row is bad; the message names the first lines.
        """
        where = self.lines[bad]
        if len(where):
            found = f"{pluralize(self.line, len(where))} {list_names([str(line) for line in where])}"
            raise InvalidRequestError(f"{self.title} has {what} in {found}: {advice or 'fix it'}. Nothing was read.")

    def refuse_flagged(self, positions: Mapping[str, int]) -> None:
        """Refuse errors, formulas without a result and too large numbers in the columns that are read.

        Args:
            positions: Our name of each column to its position.
        """
        for name, position in positions.items():
            for flag, (what, advice) in REFUSED_FLAGS.items():
                self.refuse(self.find_flagged(flag, position), f"{what} as {name}", advice)

    @property
    def title(self) -> str:
        """The name of the file, with the sheet if it has one."""
        return self.name if self.sheet is None else f"{self.name}, sheet {self.sheet!r},"

    def _trim(self, position: int, column: arrow.ChunkedArray) -> arrow.ChunkedArray:
        filled = column.fill_null("")
        exact = self.exact.get(position)
        trimmed = pc.utf8_trim_whitespace(filled)
        return trimmed if exact is None else pc.if_else(arrow.array(exact), filled, trimmed)


def pack_rows(rows: Sequence[int], length: int) -> Mask:
    """Build a mask from row numbers."""
    mask = np.zeros(length, dtype=bool)
    mask[list(rows)] = True
    return mask
