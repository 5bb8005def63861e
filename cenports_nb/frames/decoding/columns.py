"""Values -> typed columns, with the reason for each value that can't be read."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cenports_nb.frames.arrow_columns import ARROW_TEXT, from_arrow, to_arrow

Column = tuple["pd.Series[Any]", dict[int, str]]
"""A column, and position -> reason for each value that can't be read."""


def text(values: Sequence[Any]) -> Column:
    """Text as sent; whole numbers as their digits; null stays null."""
    try:
        return from_arrow(pa.array(values, ARROW_TEXT)), {}
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):  # with numbers, or half a surrogate pair
        pass
    try:
        return pd.Series(values, dtype="str"), {}
    except UnicodeEncodeError:
        bad = {i: "isn't text that UTF-8 can hold" for i, value in enumerate(values) if not _encodable(value)}
        return pd.Series([None if i in bad else value for i, value in enumerate(values)], dtype="str"), bad


def key(values: Sequence[Any]) -> Column:
    """Text that identifies a row, so never missing or empty."""
    column, bad = text(values)
    for i in np.flatnonzero((column.isna() | (column == "")).to_numpy()):
        bad.setdefault(int(i), "is missing")
    return column, bad


def instant(values: Sequence[str | None]) -> Column:
    """An instant with any offset, or UTC without one, to the microsecond."""
    column = _parse_instants(values)
    return column, _explain_unread(column, values, "isn't a date")


def needed_instant(values: Sequence[str | None]) -> Column:
    """An instant, never null."""
    column, bad = instant(values)
    for i in _nulls(column):
        bad.setdefault(i, "is missing")
    return column, bad


def day(values: Sequence[str | None]) -> Column:
    """A day; the UTC day of an instant."""
    column = _parse_instants(values)
    days = column.dt.tz_localize(None).dt.normalize().astype("datetime64[us]")
    return days, _explain_unread(column, values, "isn't a date")


def money(values: Sequence[float | None]) -> Column:
    """An amount as sent; null stays null, infinite values and NaN can't be read."""
    array = np.array([math.nan if value is None else value for value in values], dtype="float64")
    bad: dict[int, str] = {}
    for i in map(int, np.flatnonzero(~np.isfinite(array))):
        if values[i] is not None:
            bad[i] = "isn't an amount"
    return pd.Series(array), bad


def count(values: Sequence[int]) -> Column:
    """Whole units, never null; more than 64 bits can't be read."""
    try:
        return pd.Series(np.array(values, dtype="int64")), {}
    except OverflowError:
        bad = _find_too_large(values)
    return pd.Series([0 if i in bad else value for i, value in enumerate(values)], dtype="int64"), bad


def count_or_null(values: Sequence[int | None]) -> Column:
    """Whole units, or null; more than 64 bits can't be read."""
    try:
        array = pa.array(values, pa.int64())
    except (pa.ArrowInvalid, OverflowError):
        bad = _find_too_large(values)
    else:
        known = array.fill_null(0).to_numpy(zero_copy_only=False).copy()
        return pd.Series(pd.arrays.IntegerArray(known, np.asarray(array.is_null()))), {}
    return pd.Series([None if i in bad else value for i, value in enumerate(values)], dtype="Int64"), bad


def flag(values: Sequence[bool | None]) -> Column:
    """True or false; null becomes false."""
    return pd.Series(np.array(values, dtype="bool")), {}


def flag_or_null(values: Sequence[Any]) -> Column:
    """True, false or null, as JSON, a number or text; anything else can't be read."""
    read = [None if value is None else BOOLEAN_WORDS.get(str(value).strip().lower()) for value in values]
    bad = {i: f"isn't yes or no: {value!r}" for i, value in enumerate(values) if value is not None and read[i] is None}
    return pd.Series(read, dtype="boolean"), bad


BOOLEAN_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1
FIRST_INSTANT, LAST_INSTANT = (
    pd.Timestamp(text, tz="UTC").as_unit("us") for text in ("0001-01-01", "9999-12-31 23:59:59.999999")
)
"""The range of the calendar, which an offset may exceed."""

ColumnBuilder = Callable[[Sequence[Any]], Column]


def _parse_instants(values: Sequence[str | None]) -> pd.Series[Any]:
    """Parse dates of four, two and two digits; pandas alone would accept "now" and "2020"."""
    coded = to_arrow(text(values)[0]).combine_chunks().dictionary_encode()
    texts = from_arrow(coded.dictionary)  # the distinct texts: most dates repeat
    dated = texts.where(texts.str.match(r"\d{4}-\d{2}-\d{2}").fillna(value=False).astype(bool))
    # A date with nanoseconds would make pandas read all of them so, and limit them to the years 1677 to 2262.
    cut = dated.str.replace(r"^(\S{10}[T ][\d:]{4,8}\.\d{6})\d+", r"\1", regex=True)
    parsed = pd.to_datetime(cut, utc=True, format="ISO8601", errors="coerce").astype("datetime64[us, UTC]")
    parsed = parsed.where((parsed >= FIRST_INSTANT) & (parsed <= LAST_INSTANT))
    return parsed.reindex(coded.indices.fill_null(-1).to_numpy()).reset_index(drop=True)


def _explain_unread(column: pd.Series[Any], values: Sequence[str | None], reason: str) -> dict[int, str]:
    nulls = column.isna().to_numpy()
    if nulls.all() and not any(values):
        return {}
    return {i: f"{reason}: {values[i]!r}" for i in np.flatnonzero(nulls).tolist() if values[i] not in (None, "")}


def _nulls(column: pd.Series[Any]) -> list[int]:
    return [int(i) for i in np.flatnonzero(column.isna().to_numpy())]


def _find_too_large(values: Sequence[int | None]) -> dict[int, str]:
    return {
        i: "has more than 64 bits"
        for i, value in enumerate(values)
        if value is not None and not MIN_INT64 <= value <= MAX_INT64
    }


def _encodable(value: Any) -> bool:
    try:
        str(value).encode()
    except UnicodeEncodeError:
        return False
    return True
