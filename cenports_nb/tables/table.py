"""A table of text: the cells of a person's file, with the line of each row; every format is read into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as arrow
import pyarrow.compute as pc

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.row_keys import IntArray, Mask
from cenports_nb.frames.text_columns import from_arrow
from cenports_nb.rendering.text import pluralize

CellFlag = Literal["date", "error", "formula", "number", "unshown", "overflow"]
"""What is special about a cell of a workbook: a date; an error such as #N/A; a formula whose result was not saved; a
number without a format of its own; a number whose format can't be written out; a number that Excel can't hold."""
Flags = Mapping[CellFlag, Mapping[int, Mask]]

REFUSED_FLAGS: Mapping[CellFlag, tuple[str, str]] = {
    "error": ("an error such as #N/A instead of a value", "correct the formula, or enter the value"),
    "formula": ("a formula without a saved result", "open the file in Excel, calculate, and save it"),
    "overflow": ("a number too large for Excel", "enter the value again"),
}
"""What no column that is read may have: what is wrong, and what to do."""


@dataclass(frozen=True)
class Table:
    """A file's cells as text.

    Attributes:
        name: What the file is called in errors.
        headers: As they stand there.
        columns: Text, blanks around it included; null for nothing.
        lines: The line of each row in the file.
        line: What a line is called: line, or row.
        separator: What separates the cells of a text file; None elsewhere.
        sheet: The sheet of a workbook.
        shown: Column to the text that a workbook shows for its numbers, such as 0012 for 12.
        flags: What is special about cells, by column.
        exact: Column to the cells whose blanks belong to the value.
        hidden_rows: Which rows a workbook hides.
        hidden_columns: Which columns a workbook hides.
        encodings: Those that a text file may have, if that is still open and each byte is a character so far.
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
    encodings: tuple[str, ...] = ()

    def read_text(self, place: int) -> pd.Series[Any]:
        """Read a column without blanks around its values and without nulls."""
        return from_arrow(self._trim(place, self.columns[place]))

    def read_identifiers(self, place: int) -> pd.Series[Any]:
        """Read a column as a person sees it: 0012 where a workbook shows the number 12 so."""
        return from_arrow(self._trim(place, self.shown.get(place, self.columns[place])))

    def find_flagged(self, flag: CellFlag, place: int) -> Mask:
        """Find the cells of a column that have a flag."""
        found = self.flags.get(flag, {}).get(place)
        return np.zeros(len(self.lines), dtype=bool) if found is None else found

    def find_empty_rows(self) -> Mask:
        """Find the rows that have nothing in them."""
        empty = np.ones(len(self.lines), dtype=bool)
        for place in range(len(self.columns)):
            empty &= (self.read_text(place) == "").to_numpy()
            for flag in REFUSED_FLAGS:
                empty &= ~self.find_flagged(flag, place)
            if not empty.any():
                break
        return empty

    def select_rows(self, rows: Mask) -> Table:
        """Select some of the rows."""
        if rows.all():
            return self
        wanted = arrow.array(rows)
        return replace(
            self,
            columns=tuple(column.filter(wanted) for column in self.columns),
            shown={place: column.filter(wanted) for place, column in self.shown.items()},
            lines=self.lines[rows],
            flags={flag: {place: mask[rows] for place, mask in found.items()} for flag, found in self.flags.items()},
            exact={place: mask[rows] for place, mask in self.exact.items()},
            hidden_rows=None if self.hidden_rows is None else self.hidden_rows[rows],
        )

    def refuse(self, bad: Mask, what: str, advice: str = "") -> None:
        """Refuse the file because of some of its rows.

        Raises:
            InvalidRequestError: Any row is bad; it names the first lines.
        """
        where = self.lines[bad]
        if len(where):
            more = f" and {len(where) - 5:,} more" if len(where) > 5 else ""
            found = f"{pluralize(self.line, len(where))} {', '.join(map(str, where[:5]))}{more}"
            raise InvalidRequestError(f"{self.title} has {what} in {found}: {advice or 'fix it'}. Nothing was read.")

    def refuse_flagged(self, places: Mapping[str, int]) -> None:
        """Refuse errors, formulas without a result and numbers too large in any column that is read.

        Args:
            places: Our name of each column to its place.
        """
        for name, place in places.items():
            for flag, (what, advice) in REFUSED_FLAGS.items():
                self.refuse(self.find_flagged(flag, place), f"{what} as {name}", advice)

    @property
    def title(self) -> str:
        """Name the file, and the sheet where it has one."""
        return self.name if self.sheet is None else f"{self.name}, sheet {self.sheet!r},"

    def _trim(self, place: int, column: arrow.ChunkedArray) -> arrow.ChunkedArray:
        filled = column.fill_null("")
        exact = self.exact.get(place)
        trimmed = pc.utf8_trim_whitespace(filled)
        return trimmed if exact is None else pc.if_else(arrow.array(exact), filled, trimmed)


def pack_rows(rows: Sequence[int], length: int) -> Mask:
    """Make a mask of row numbers."""
    mask = np.zeros(length, dtype=bool)
    mask[list(rows)] = True
    return mask
