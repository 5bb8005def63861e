"""Columns of a grid: what each shows and how it is drawn; a frame as the bytes that its page reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import msgspec
import pandas as pd

from cenports_nb.errors import InvalidRequestError

ColumnKind = Literal["text", "number", "money", "change", "instant", "flag", "bar", "live"]

COLUMN_KINDS = {
    "text": "letters, to the left; searched",
    "number": "whole numbers, thousands apart, to the right",
    "money": "an amount, to the cent",
    "change": "a number with its sign",
    "instant": "a time in the zone of the grid, to the minute; text stays as it is, such as a plain day",
    "flag": "yes or no, a sign beside the word",
    "bar": "a change with its sign, and drawn to the left or right of a line in the middle",
    "live": "text that the page itself keeps; it has no column in the frame",
}
"""How values are drawn, sorted and searched."""

INSTANT_FORMAT = "%Y-%m-%d %H:%M"


@dataclass(frozen=True)
class Column:
    """One column of a grid.

    Attributes:
        name: Of the frame.
        title: Its header.
        kind: One of `COLUMN_KINDS`.
        choice: Whether the rows can be filtered by its values, from a list.
        letters: How wide it is; by default as wide as what is in it, within reason.
        hint: What is said of it when a person points at its header.
        hidden: Whether it is there only to filter, to search and to read in an opened row.
    """

    name: str
    title: str
    kind: ColumnKind = "text"
    choice: bool = False
    letters: int | None = None
    hint: str = ""
    hidden: bool = False


def describe_columns(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Write columns as the page reads them."""
    return [asdict(column) for column in columns]


def encode_frame(frame: pd.DataFrame, columns: Sequence[Column], time_zone: str = "UTC") -> bytes:
    """Write the columns of a frame as JSON, column by column; what is null stays null.

    Args:
        frame: Any; its index is not sent.
        columns: Which of its columns, and as what.
        time_zone: The zone in which instants are written.

    Raises:
        InvalidRequestError: A column that the frame does not have.
    """
    lacking = [column.name for column in columns if column.kind != "live" and column.name not in frame.columns]
    if lacking:
        raise InvalidRequestError(
            f"A grid of {', '.join(lacking)} needs a frame with that: it has {', '.join(map(str, frame.columns))}."
        )
    return msgspec.json.encode(
        {
            column.name: list_values(frame[column.name], column.kind, time_zone)
            for column in columns
            if column.kind != "live"
        }
    )


def list_values(values: pd.Series[Any], kind: ColumnKind, time_zone: str = "UTC") -> list[Any]:
    """Write a column as plain values: text, numbers, yes or no, None."""
    if kind == "instant" and isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert(time_zone).dt.strftime(INSTANT_FORMAT)
    elif kind in ("text", "instant") and not isinstance(values.dtype, pd.StringDtype):
        values = values.astype("str")
    plain = values.astype(object)
    return plain.where(values.notna(), None).tolist()
