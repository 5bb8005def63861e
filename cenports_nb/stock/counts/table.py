"""A table of text: the cells of a count file, with the line of each row; what every format is read as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as arrow
import pyarrow.compute as pc

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.row_keys import IntArray, Mask
from cenports_nb.frames.text_columns import from_arrow
from cenports_nb.rendering.text import pluralize, truncate

Score = Callable[[Sequence[str]], int]
"""How many of the wanted columns a line seems to head."""

HEAD_LINES = 30
"""How far down the headers are looked for, to say where they are."""
ADVICE = "save it as CSV, XLSX or Parquet"


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
        remark: What should be known of how it was read, if the headers are not found.
        dates: Column to the cells that a workbook holds as dates.
        errors: Column to the cells that hold an error of a formula.
        unread: Column to the cells that hold a formula and no value.
    """

    name: str
    headers: tuple[str, ...]
    columns: tuple[arrow.ChunkedArray, ...]
    lines: IntArray
    line: str = "line"
    separator: str | None = None
    remark: str = ""
    dates: dict[int, Mask] = field(default_factory=dict)
    errors: dict[int, Mask] = field(default_factory=dict)
    unread: dict[int, Mask] = field(default_factory=dict)

    def text(self, place: int) -> pd.Series[Any]:
        """Give a column without blanks around its values and without nulls."""
        return from_arrow(pc.utf8_trim_whitespace(self.columns[place].fill_null("")))

    def blank(self) -> Mask:
        """Tell which rows have nothing in them."""
        empty = np.ones(len(self.lines), dtype=bool)
        for place in range(len(self.columns)):
            empty &= (self.text(place) == "").to_numpy()
            if not empty.any():
                break
        for unread in self.unread.values():
            empty &= ~unread
        return empty

    def only(self, kept: Mask) -> Table:
        """Keep some of the rows."""
        marks = [{place: mask[kept] for place, mask in marked.items()} for marked in self._marks]
        columns = tuple(column.filter(arrow.array(kept)) for column in self.columns)
        dates, errors, unread = marks
        return replace(self, columns=columns, lines=self.lines[kept], dates=dates, errors=errors, unread=unread)

    @property
    def _marks(self) -> tuple[dict[int, Mask], ...]:
        return self.dates, self.errors, self.unread

    def refuse(self, bad: Mask, what: str, advice: str = "") -> None:
        """Refuse the file because of some of its rows.

        Raises:
            InvalidRequestError: Any row is bad; it names the first lines.
        """
        where = self.lines[bad]
        if len(where):
            more = f" and {len(where) - 5:,} more" if len(where) > 5 else ""
            said = f"{pluralize(self.line, len(where))} {', '.join(map(str, where[:5]))}{more}"
            raise InvalidRequestError(f"{self.name} has {what} in {said}: {advice or 'mend it'}. Nothing was read.")


def one_line(header: str) -> str:
    """Write a header without line breaks and blanks too many."""
    return " ".join(header.split())


def no_table(name: str, error: Exception) -> InvalidRequestError:
    """Say that a file is damaged, with a little of what a library says of it."""
    reason = truncate(one_line(str(error)) or type(error).__name__, 80)
    return InvalidRequestError(f"{name} can't be read as a table ({reason}): {ADVICE}.")


def refuse_below(line: int, name: str, word: str) -> None:
    """Refuse a file whose headers are not in its first line with anything in it; 0 says they are."""
    if line:
        raise InvalidRequestError(
            f"{name} has its headers in {word} {line}, below a title or something else: delete what is above them."
        )
