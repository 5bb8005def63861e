"""Columns of a grid, how they are drawn, and a frame encoded for its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import pandas as pd

from cenports_nb.errors import InvalidRequestError

ColumnKind = Literal["text", "number", "money", "change", "instant", "flag", "bar", "live"]

"""How values are drawn, sorted and searched.

`text` is left-aligned; `number` whole, with thousands separators, `money` to the cent and `change` with its sign, all
right-aligned; `instant` a time in the grid's zone, to the minute, or a text such as a plain day as it is; `flag` yes or
no, with a sign; `bar` a change drawn to the left or right of a center line; `live` a text that the page computes, which
is no column of the frame.
"""

INSTANT_FORMAT = "%Y-%m-%d %H:%M"


@dataclass(frozen=True)
class Column:
    """One column of a grid.

    Attributes:
        name: The frame's column.
        title: The header.
        kind: How its values are drawn.
        choice: Offer a list of its values as a filter.
        letters: The width in characters; by default that of the values, up to a limit.
        hint: The tooltip of the header.
        hidden: Not shown in the table, but in filters, search and details.
        hide_order: Where the page is too narrow, columns are hidden in this order; 0 for never.
    """

    name: str
    title: str
    kind: ColumnKind = "text"
    choice: bool = False
    letters: int | None = None
    hint: str = ""
    hidden: bool = False
    hide_order: int = 0


def encode_frame(frame: pd.DataFrame, columns: Sequence[Column], time_zone: str = "UTC") -> bytes:
    """Encode the columns of a frame as JSON, column by column; nulls stay null.

    Args:
        frame: Any frame; its index is not sent.
        columns: The columns to send, and how.
        time_zone: The zone of instants.

    Raises:
        InvalidRequestError: The frame lacks a column.
    """
    lacking = [column.name for column in columns if column.kind != "live" and column.name not in frame.columns]
    if lacking:
        raise InvalidRequestError(
            f"The grid needs the columns {', '.join(lacking)}, which the frame lacks: it has {', '.join(map(str, frame.columns))}."
        )
    return msgspec.json.encode(
        {
            column.name: list_values(frame[column.name], column.kind, time_zone)
            for column in columns
            if column.kind != "live"
        }
    )


def list_values(values: pd.Series[Any], kind: ColumnKind, time_zone: str = "UTC") -> list[Any]:
    """Convert a column to plain values: text, numbers, booleans, None."""
    if kind == "instant" and isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert(time_zone).dt.strftime(INSTANT_FORMAT)
    elif kind in ("text", "instant") and not isinstance(values.dtype, pd.StringDtype):
        values = values.astype("str")
    plain = values.astype(object)
    return plain.where(values.notna(), None).tolist()
