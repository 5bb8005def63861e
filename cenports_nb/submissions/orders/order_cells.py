"""How one cell of a person's order is read: kindly where nothing can be misread, refused in words where it can.

Every reader takes whatever a frame, a CSV or a workbook holds and raises ValueError with what is wrong. The words
never quote the value, which may be a person's.
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
"""What a float may be off a whole cent: sums of floats are, amounts that somebody wrote are not."""
MAX_DIGITS = 15
"""Digits of an amount that JSON's numbers keep exactly."""


def is_empty(value: Any) -> bool:
    """Tell a cell with nothing in it; nothing but blanks is nothing."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and bool(np.isnan(value)))


def read_text(value: Any, _: ZoneInfo) -> str:
    """Read a text, without the blanks at its ends; a number may have lost zeros in front."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Number | np.number):
        raise ValueError("is a number and must be text: zeros in front may be lost; make the column text")
    raise ValueError("is no text: make the column text")


def read_whole(value: Any, _: ZoneInfo) -> int:
    """Read a whole number from 1."""
    number: Any = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, str) and re.fullmatch(r"\s*\+?\d{1,15}(\.0*)?\s*", number):
        number = int(number.strip().partition(".")[0])
    if isinstance(number, float | Decimal) and math.isfinite(number) and number == int(number):
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError("is no whole number: pass whole units")
    if number < 1:
        raise ValueError("is below 1")
    return number


def read_amount(value: Any, _: ZoneInfo) -> Decimal:
    """Read an amount exactly; a float that is a whole cent but for its own noise is that cent."""
    number: Any = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, str):
        if not re.fullmatch(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*", number):
            raise ValueError("is no amount: write it as 1234.50, without a currency")
        found = Decimal(number.strip())
    elif isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        raise ValueError("is no amount: write it as 1234.50, without a currency")
    elif isinstance(number, float):
        cents = round(number, 2)
        found = Decimal(repr(cents)) if abs(number - cents) < FLOAT_NOISE else Decimal(f"{number:.{MAX_DIGITS}g}")
    else:
        found = Decimal(number)
    if not found.is_finite():
        raise ValueError("is no amount: write it as 1234.50, without a currency")
    if found < 0:
        raise ValueError("is negative")
    if len(found.normalize().as_tuple().digits) > MAX_DIGITS:
        raise ValueError(f"has more than {MAX_DIGITS} digits")
    return found


def read_day(value: Any, zone: ZoneInfo) -> str:
    """Read a day, or the zone's day of an instant, as YYYY-MM-DD; exactly midnight UTC is a day that never shifts."""
    found: Any = value
    if isinstance(found, str):
        found = found.strip()
        if not re.fullmatch(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?", found):
            raise ValueError("is no day: write it as YYYY-MM-DD")
        try:
            found = datetime.fromisoformat(found)
        except ValueError:
            raise ValueError("is no day: write it as YYYY-MM-DD") from None
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
    raise ValueError("is no day: write it as YYYY-MM-DD")
