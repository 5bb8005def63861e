"""Readers for the cells of a person's order: convert what is unambiguous, refuse the rest.

Every reader accepts whatever a frame, a CSV or a workbook holds, and raises ValueError with what is wrong. Its messages
never quote the value, which may be personal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from numbers import Number
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

UTC = ZoneInfo("UTC")
CellReader = Callable[[Any, ZoneInfo], Any]

FLOAT_NOISE = 1e-8
"""Maximum rounding error of a float: sums of floats have one, amounts that somebody typed do not."""
MAX_DIGITS = 15
"""Digits of an amount that JSON numbers keep exactly."""


def is_empty(value: Any) -> bool:
    """Return whether a cell is empty or has only blanks."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and bool(np.isnan(value)))


def read_text(value: Any, _: ZoneInfo) -> str:
    """Read a text, without blanks at its ends; a number is refused, because it may have lost leading zeros."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Number | np.number):
        raise ValueError("is a number and must be text: zeros in front may be lost; make the column text")
    raise ValueError("isn't text: make the column text")


def read_whole(value: Any, _: ZoneInfo) -> int:
    """Read a positive whole number."""
    number: Any = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, str) and re.fullmatch(r"\s*\+?\d{1,15}(\.0*)?\s*", number):
        number = int(number.strip().partition(".")[0])
    if isinstance(number, float | Decimal) and math.isfinite(number) and number == int(number):
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError("isn't a whole number: pass whole units")
    if number < 1:
        raise ValueError("is below 1")
    return number


def read_amount(value: Any, _: ZoneInfo) -> Decimal:
    """Read an amount exactly; a float within rounding error of a whole cent is that cent."""
    number: Any = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, str):
        if not re.fullmatch(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*", number):
            raise ValueError("isn't an amount: write it as 1234.50, without a currency")
        found = Decimal(number.strip())
    elif isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        raise ValueError("isn't an amount: write it as 1234.50, without a currency")
    elif isinstance(number, float):
        cents = round(number, 2)
        found = Decimal(repr(cents)) if abs(number - cents) < FLOAT_NOISE else Decimal(f"{number:.{MAX_DIGITS}g}")
    else:
        found = Decimal(number)
    if not found.is_finite():
        raise ValueError("isn't an amount: write it as 1234.50, without a currency")
    if found < 0:
        raise ValueError("is negative")
    if len(found.normalize().as_tuple().digits) > MAX_DIGITS:
        raise ValueError(f"has more than {MAX_DIGITS} digits")
    return found


def read_day(value: Any, zone: ZoneInfo) -> str:
    """Read a day, or an instant's day in the zone, as YYYY-MM-DD; exactly midnight UTC is a day that never shifts."""
    found: Any = value
    if isinstance(found, str):
        found = found.strip()
        if not re.fullmatch(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?", found):
            raise ValueError("isn't a day: write it as YYYY-MM-DD")
        try:
            found = datetime.fromisoformat(found)
        except ValueError:
            raise ValueError("isn't a day: write it as YYYY-MM-DD") from None
    if isinstance(found, np.datetime64):
        found = pd.Timestamp(found)
    if isinstance(found, datetime):
        try:
            utc = found if found.tzinfo is None else found.astimezone(UTC)
            shifts = found.tzinfo is not None and utc.time() != time.min
            return (found.astimezone(zone) if shifts else utc).date().isoformat()
        except OverflowError:
            raise ValueError("lies at the end of the calendar") from None
    if isinstance(found, date):
        return found.isoformat()
    raise ValueError("isn't a day: write it as YYYY-MM-DD")
