"""Coercion of a column that a person made: convert what is unambiguous, refuse the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from cenports_nb.frames.arrow_columns import to_arrow
from cenports_nb.frames.row_keys import Mask


@dataclass(frozen=True)
class Flaw:
    """Values of a column that can't be used, all for the same reason.

    Attributes:
        bad: Which rows.
        what: What is wrong with them, as after "has a quantity that …".
        advice: What to do.
        quoted: Quote the values.
    """

    bad: Mask
    what: str
    advice: str
    quoted: bool = True


Coerced = tuple["pd.Series[Any]", list[Flaw]]

MAX_EXACT_FLOAT = 2**53
"""Whole numbers up to this are exact in float64."""


def coerce_text(values: pd.Series[Any], *, nullable: bool) -> Coerced:
    """Text of any dtype; numbers are refused, because their leading zeros may be lost."""
    nulls = values.isna().to_numpy()
    if not isinstance(values.dtype, pd.StringDtype):
        wrong = np.zeros(len(values), dtype=bool) if _is_text(values) else ~_are_instances(values, str) & ~nulls
        if wrong.any():
            numbers = wrong & _are_instances(values, Number)
            advice = 'zeros in front may be lost; read it as text, with dtype="str", or a count file with read_counts'
            flaws = [Flaw(numbers, "is a number and must be text", advice)] if numbers.any() else []
            rest = wrong & ~numbers
            return values, flaws + ([Flaw(rest, "isn't text", "make it text")] if rest.any() else [])
    column = values if values.dtype == "str" else values.astype("object").astype("str")
    if not nullable and not nulls.any() and len(column) and not pc.min(pc.binary_length(to_arrow(column))).as_py():
        nulls = (column == "").to_numpy()
    return column, _find_missing(nulls, nullable=nullable)


def coerce_integers(values: pd.Series[Any], *, nullable: bool) -> Coerced:
    """Whole units: any integer, a float or plain digits without a fraction."""
    kind = values.dtype.kind
    if kind == "i" and isinstance(values.dtype, np.dtype) and not nullable:
        return values.astype("int64"), []
    nulls = values.isna().to_numpy()
    if kind == "b" and len(values):
        return values, [Flaw(~nulls, "is yes or no, not a count", "pass whole units")]
    if kind not in "iuf":
        values, unread = _parse_digits(values, nulls)
        if unread.any():
            return values, [Flaw(unread, "isn't a number", "pass whole units")]
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    flaws = _find_missing(nulls, nullable=nullable)
    most = 2.0**63 if kind in "iu" else float(MAX_EXACT_FLOAT)
    fraction = ~nulls & (np.floor(numbers) != numbers) if kind not in "iu" else np.zeros(len(values), dtype=bool)
    large = ~nulls & ~fraction & (np.abs(numbers) > most if kind not in "iu" else numbers >= most)
    flaws += [Flaw(fraction, "is not whole", "pass whole units")] if fraction.any() else []
    flaws += [Flaw(large, "is too large", "pass whole units")] if large.any() else []
    if flaws:
        return values, flaws
    if kind in "iu":
        exact = values.to_numpy(dtype="int64", na_value=0) if nulls.any() else values.to_numpy(dtype="int64")
    else:
        exact = np.where(nulls, 0, numbers).astype("int64")
    array = pd.arrays.IntegerArray(exact, nulls) if nullable else exact
    return pd.Series(array, index=values.index, name=values.name), []


def coerce_floats(values: pd.Series[Any], *, nullable: bool) -> Coerced:
    """An amount: any finite number."""
    nulls = values.isna().to_numpy()
    if values.dtype.kind not in "iuf":
        wrong = ~nulls & (~_are_instances(values, (Number, Decimal)) | _are_instances(values, (bool, np.bool_)))
        if wrong.any():
            return values, [Flaw(wrong, "isn't a number", "pass amounts as numbers")]
    column = pd.Series(values.to_numpy(dtype="float64", na_value=np.nan), index=values.index, name=values.name)
    infinite = np.isinf(column.to_numpy())
    flaws = [Flaw(infinite, "is infinite", "fix it")] if infinite.any() else []
    return column, flaws + _find_missing(nulls, nullable=nullable)


def coerce_booleans(values: pd.Series[Any], *, nullable: bool) -> Coerced:
    """True or false."""
    nulls = values.isna().to_numpy()
    if values.dtype.kind != "b":
        wrong = ~nulls & ~_are_instances(values, (bool, np.bool_))
        if wrong.any():
            return values, [Flaw(wrong, "is neither True nor False", "pass True or False")]
    if flaws := _find_missing(nulls, nullable=nullable):
        return values, flaws
    return values.astype("boolean" if nullable else "bool"), []


def coerce_instants(values: pd.Series[Any], *, nullable: bool) -> Coerced:
    """An instant with any zone and unit, or ISO text with its offset; without a zone it is ambiguous."""
    nulls = values.isna().to_numpy()
    column = values
    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        column = pd.Series(pd.NaT, index=values.index, name=values.name, dtype="datetime64[us, UTC]")
        if not nulls.all():
            advice = "say which, with .dt.tz_localize('UTC')"
            if values.dtype.kind == "M":
                return values, [Flaw(~nulls, "has no time zone", advice)]
            known = values[~nulls].astype("str")
            zoned = known.str.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*(Z|[+-]\d\d:?\d\d)").astype(bool)
            parsed = pd.to_datetime(known.where(zoned), utc=True, format="ISO8601", errors="coerce")
            bad = np.zeros(len(values), dtype=bool)
            bad[~nulls] = parsed.isna().to_numpy()
            if bad.any():
                return values, [Flaw(bad, "isn't an instant with a time zone", "pass such as 2026-01-31T08:00Z")]
            column[~nulls] = parsed.dt.as_unit("us")
    return column.astype("datetime64[us, UTC]"), _find_missing(nulls, nullable=nullable)


def coerce_days(values: pd.Series[Any], *, nullable: bool) -> Coerced:
    """A plain day: a date without a time zone."""
    nulls = values.isna().to_numpy()
    if values.dtype.kind != "M" or isinstance(values.dtype, pd.DatetimeTZDtype):
        if not nulls.all():
            return values, [Flaw(~nulls, "isn't a plain day", "pass it with pandas.to_datetime, without a time zone")]
        values = pd.Series(pd.NaT, index=values.index, name=values.name, dtype="datetime64[us]")
    return values.astype("datetime64[us]"), _find_missing(nulls, nullable=nullable)


COERCIONS: dict[str, Callable[..., Coerced]] = {
    "string[pyarrow]": coerce_text,
    "int64": coerce_integers,
    "Int64": coerce_integers,
    "float64": coerce_floats,
    "bool": coerce_booleans,
    "boolean": coerce_booleans,
    "datetime64[us, UTC]": coerce_instants,
    "datetime64[ns]": coerce_days,
}
"""Pandera's name of a dtype -> how it is coerced."""


def _find_missing(nulls: Mask, *, nullable: bool) -> list[Flaw]:
    if nullable or not nulls.any():
        return []
    return [Flaw(nulls, "is missing", "fill it in or drop the row", quoted=False)]


def _is_text(values: pd.Series[Any]) -> bool:
    """Return whether a column is all text, without testing each value in Python if possible."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return pd.api.types.infer_dtype(values.cat.categories) in ("string", "empty")
    return pd.api.types.infer_dtype(values, skipna=True) in ("string", "empty")


def _are_instances(values: pd.Series[Any], kinds: Any) -> Mask:
    """Return which values are of these Python types; only used after a failure."""
    return np.fromiter((isinstance(value, kinds) for value in values.astype("object")), dtype=bool, count=len(values))


def _parse_digits(values: pd.Series[Any], nulls: Mask) -> tuple[pd.Series[Any], Mask]:
    """Parse whole numbers given as text or objects: digits only."""
    texts = values.astype("object").astype("str")
    plain = texts.str.fullmatch(r"\s*[+-]?\d{1,15}(\.\d+)?\s*").fillna(value=False).to_numpy(dtype=bool)
    numbers = pd.to_numeric(texts.where(plain), errors="coerce").astype("float64")
    return numbers, ~plain & ~nulls
