"""Values -> typed columns; each column says which of its values can't be read."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

Column = tuple["pd.Series[Any]", dict[int, str]]
"""A column, and position -> reason for each value that could not be read."""


def text(values: Sequence[Any]) -> Column:
    """Text as sent; whole numbers as their digits; null stays null."""
    try:
        return pd.Series(values, dtype="str"), {}
    except UnicodeEncodeError:
        bad = {i: "is no text that UTF-8 can hold" for i, value in enumerate(values) if not _encodable(value)}
        return pd.Series([None if i in bad else value for i, value in enumerate(values)], dtype="str"), bad


def key(values: Sequence[Any]) -> Column:
    """Text that identifies a row, so never missing or empty."""
    column, bad = text(values)
    for i in np.flatnonzero((column.isna() | (column == "")).to_numpy()):
        bad.setdefault(int(i), "is missing")
    return column, bad


def instant(values: Sequence[str | None]) -> Column:
    """An instant with any offset, UTC where none is sent, to the microsecond."""
    column = _dates(values, utc=True)
    return column, _unread(column, values, "is no date")


def needed_instant(values: Sequence[str | None]) -> Column:
    """An instant that must be there."""
    column, bad = instant(values)
    for i in np.flatnonzero(column.isna().to_numpy()):
        bad.setdefault(int(i), "is missing")
    return column, bad


def day(values: Sequence[str | None]) -> Column:
    """A day; of an instant, its UTC day."""
    column = _dates(values, utc=True)
    days = column.dt.tz_localize(None).dt.normalize().astype("datetime64[us]")
    return days, _unread(column, values, "is no date")


def money(values: Sequence[float | None]) -> Column:
    """An amount as sent; null stays null, infinite and NaN can't be read."""
    array = np.array([math.nan if value is None else value for value in values], dtype="float64")
    bad: dict[int, str] = {}
    for i in np.flatnonzero(~np.isfinite(array)):
        if values[i] is not None:
            bad[int(i)] = "is no amount"
    return pd.Series(array), bad


def count(values: Sequence[int]) -> Column:
    """Whole units, never null."""
    return pd.Series(values, dtype="int64"), {}


def count_or_null(values: Sequence[int | None]) -> Column:
    """Whole units, or null."""
    return pd.Series(list(values), dtype="Int64"), {}


def flag(values: Sequence[bool | None]) -> Column:
    """Yes or no; no where nothing is said."""
    return pd.Series([bool(value) for value in values], dtype="bool"), {}


def flag_or_null(values: Sequence[bool | None]) -> Column:
    """Yes, no or null."""
    return pd.Series(list(values), dtype="boolean"), {}


Build = Callable[[Sequence[Any]], Column]


def _dates(values: Sequence[str | None], *, utc: bool) -> pd.Series[Any]:
    parsed = pd.to_datetime(pd.Series(list(values), dtype="str"), utc=utc, format="ISO8601", errors="coerce")
    return parsed.astype("datetime64[us, UTC]")


def _unread(column: pd.Series[Any], values: Sequence[str | None], reason: str) -> dict[int, str]:
    return {
        int(i): f"{reason}: {values[i]!r}"
        for i in np.flatnonzero(column.isna().to_numpy())
        if values[i] not in (None, "")
    }


def _encodable(value: Any) -> bool:
    try:
        str(value).encode()
    except UnicodeEncodeError:
        return False
    return True
