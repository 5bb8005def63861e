"""Days and time zones as people write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.rendering.surface import name_argument, name_parameter

Day = str | date | datetime | pd.Timestamp


def parse_day(value: Day, name: str, zone: ZoneInfo) -> date:
    """Parse a day: `YYYY-MM-DD`, a date, or its first instant, in the zone or, as in orders, in UTC.

    Raises:
        InvalidRequestError: It isn't a day, or has a time of day, which would be lost; nothing was sent.
    """
    if isinstance(value, str):
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        raise InvalidRequestError(
            f"{name_argument(name, value)} isn't a day: write it as YYYY-MM-DD, such as 2026-01-31."
        )
    if isinstance(value, datetime) and not pd.isna(value):
        local = value.astimezone(zone) if value.tzinfo else value
        for moment in (local, value.astimezone(UTC)) if value.tzinfo else (local,):
            if moment.time() == time() and not getattr(moment, "nanosecond", 0):
                return moment.date()
        raise InvalidRequestError(
            f"{name_argument(name, str(value))} has a time of day, and whole days are meant: pass '{local:%Y-%m-%d}'."
        )
    if isinstance(value, date) and not pd.isna(value):
        return value
    raise InvalidRequestError(f"{name_argument(name, value)} isn't a day: pass 'YYYY-MM-DD', a date or a Timestamp.")


def parse_range(
    start: Day | None, end: Day | None, last: str | None, zone: ZoneInfo, today: date
) -> tuple[date, date] | None:
    """Parse a range of days, both included; None if none was given.

    Raises:
        InvalidRequestError: Only one of start and end, start after end, or `last` beside them.
    """
    if last is not None:
        if start is not None or end is not None:
            both = f"{name_parameter('start')} and {name_parameter('end')}"
            raise InvalidRequestError(f"Pass either {name_argument('last')} or {both}, not both.")
        found = re.fullmatch(r"([1-9]\d{0,4})D", str(last))
        if not found:
            raise InvalidRequestError(
                f"{name_argument('last', last)} isn't a period. Use {name_argument('last', '30D')}."
            )
        return today - pd.Timedelta(days=int(found[1]) - 1), today
    if start is None and end is None:
        return None
    if start is None or end is None:
        lacking, given = ("start", "end") if start is None else ("end", "start")
        raise InvalidRequestError(
            f"{name_parameter(given)} is given without {name_parameter(lacking)}: pass both days, or {name_argument('last', '30D')}."
        )
    first, final = parse_day(start, "start", zone), parse_day(end, "end", zone)
    if first > final:
        raise InvalidRequestError(
            f"{name_parameter('start')} {first} is after {name_parameter('end')} {final}: swap them."
        )
    return first, final


def local_days(instants: pd.Series[Any], zone: str) -> pd.Series[Any]:
    """Return the day of each instant in a zone; exactly midnight UTC is a plain day and never shifts."""
    utc = instants.dt.tz_localize(None)
    days: pd.Series[Any] = utc.dt.normalize()
    if zone == "UTC":
        return days
    local: pd.Series[Any] = instants.dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    return local.where(~is_plain_day(instants), days)


def is_plain_day(instants: pd.Series[Any]) -> pd.Series[Any]:
    """Return which instants are exactly midnight UTC: days, written as instants."""
    utc = instants.dt.tz_localize(None)
    plain: pd.Series[Any] = utc == utc.dt.normalize()
    return plain


def parse_time_zone(name: str) -> ZoneInfo:
    """Parse the name of a time zone.

    Raises:
        InvalidRequestError: There is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        raise InvalidRequestError(f"There is no time zone {name!r}: use a name such as 'Europe/Berlin'.") from None


def local_times(instants: pd.Series[Any], zone: ZoneInfo) -> pd.Series[Any]:
    """Return the local time of each instant in the zone; an order's plain day, midnight UTC, never shifts."""
    utc = instants.dt.tz_convert("UTC").dt.tz_localize(None)
    local = instants.dt.tz_convert(zone).dt.tz_localize(None)
    shown: pd.Series[Any] = local.where(utc != utc.dt.normalize(), utc) if instants.name == "order_date" else local
    return shown


def format_iso(instants: pd.Series[Any], zone: ZoneInfo) -> pd.Series[Any]:
    """Format instants in ISO 8601, to the microsecond, with the zone's offset; nulls stay null."""
    utc = instants.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")
    local = local_times(instants, zone).astype("datetime64[us]")
    seconds = ((local - utc) // pd.Timedelta(seconds=1)).fillna(0).astype("int64")
    offsets = {each: _format_offset(int(each)) for each in seconds.unique()}
    texts = pd.Series(np.datetime_as_string(local.to_numpy()), index=instants.index, dtype="str")
    written: pd.Series[Any] = (texts + seconds.map(offsets).astype("str")).where(instants.notna())
    return written


def _format_offset(seconds: int) -> str:
    """Format an offset such as `+01:00`; zones of the nineteenth century have seconds too."""
    minutes, rest = divmod(abs(seconds), 60)
    text = f"{'-' if seconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
    return f"{text}:{rest:02}" if rest else text
