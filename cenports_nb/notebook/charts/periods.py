"""Periods of a time chart: the days drawn, split into days, weeks or months, and the days before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.dates import Day, parse_day, parse_time_zone
from cenports_nb.frames.provenance import Provenance, provenance

Period = Literal["day", "week", "month"]
ONE_DAY = timedelta(days=1)
MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""English names, not the locale's, so that a report reads the same on every machine."""


@dataclass(frozen=True)
class DayRange:
    """A range of days, both ends included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """The number of days."""
        return (self.end - self.start).days + 1

    def contains(self, other: DayRange) -> bool:
        """Return whether all of the other days are in this range."""
        return self.start <= other.start and other.end <= self.end

    def __str__(self) -> str:
        first, last = format_day(self.start), format_day(self.end)
        if self.start == self.end:
            return f"{first} {self.end.year}"
        return f"{first}{'' if self.start.year == self.end.year else f' {self.start.year}'} – {last} {self.end.year}"


def format_day(day: date) -> str:
    """Write a day without its year."""
    return f"{day.day} {MONTH_NAMES[day.month - 1]}"


@dataclass(frozen=True)
class LoadedDays:
    """The days that a frame covers.

    Attributes:
        days: The days of which it has every order; without provenance, from its first order to its last.
        limits: The days that it was loaded for; None if unknown.
        read: The day on which it was loaded; None if unknown.
    """

    days: DayRange
    limits: DayRange | None
    read: date | None


def find_loaded_days(frame: pd.DataFrame, days: pd.Series[Any], zone: str) -> LoadedDays | None:
    """Return the days that a frame covers; None for an empty frame without provenance.

    Provenance has the time of the oldest answer, which may come from the cache; orders of later days show that later
    days were loaded. A frame that lost rows since loading may lack any of its days.
    """
    origin = provenance(frame)
    read = pd.Timestamp(origin.as_of).tz_convert(zone).date() if origin and origin.as_of else None
    dated = None if days.empty else DayRange(days.min().date(), days.max().date())
    limits = None if origin is None or read is None else _find_limits(origin, read, dated, zone)
    found = limits if limits and origin and len(frame) >= origin.rows else dated
    return None if found is None else LoadedDays(found, limits, read)


def _find_limits(origin: Provenance, read: date, dated: DayRange | None, zone: str) -> DayRange | None:
    latest = max(read, dated.end) if dated else read
    first, last = (_parse_param(origin.params.get(name), zone) for name in ("start", "end"))
    if first and last:
        return DayRange(first, min(last, latest)) if first <= latest else None
    length = re.fullmatch(r"(\d+)D", str(origin.params.get("last")))
    if not length:
        return None
    first = latest - (int(length[1]) - 1) * ONE_DAY
    # From the cache, the frame may be newer than its provenance says, and begin later than this.
    return DayRange(max(first, dated.start) if dated and origin.cached else first, latest)


def parse_days(limits: DayRange | None, start: Day | None, end: Day | None, zone: str) -> DayRange | None:
    """Parse the days that were asked for; None if none were.

    Raises:
        InvalidRequestError: Only one of start and end, or days that were not loaded.
    """
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise InvalidRequestError("Pass both start= and end=, or neither.")
    first, last = parse_day(start, "start", parse_time_zone(zone)), parse_day(end, "end", parse_time_zone(zone))
    if first > last:
        raise InvalidRequestError(f"start {first} lies after end {last}: swap them.")
    if limits is not None and not limits.contains(DayRange(first, last)):
        raise InvalidRequestError(
            f"The frame was loaded for {limits.start} to {limits.end}, and {first} to {last} were asked for: load them, "
            "or choose start= and end= within."
        )
    return DayRange(first, last)


def choose_days(loaded: LoadedDays, by: Period | None, *, halved: bool) -> DayRange:
    """Choose the days to draw if none were asked for.

    These are all complete days that were loaded or, to compare them with the days before, the later half: from a
    Monday if columns are weeks, from the first of a month if they are months.
    """
    days = loaded.days
    last = days.end - ONE_DAY if loaded.read == days.end and days.days > 1 else days.end
    whole = DayRange(days.start, last)
    if not halved:
        return whole
    if by == "month":
        first = whole.start if whole.start.day == 1 else _first_of_month(whole.start, 1)
        months = _count_months(first, last) + 1
        return DayRange(_first_of_month(last, 1 - months // 2), last) if months >= 2 else whole
    if by == "week":
        first = whole.start + (-whole.start.weekday() % 7) * ONE_DAY
        monday = last - last.weekday() * ONE_DAY
        weeks = (monday - first).days // 7 + 1
        return DayRange(monday - (weeks // 2 - 1) * 7 * ONE_DAY, last) if weeks >= 2 else whole
    half = whole.days // 2
    return DayRange(last - (half - 1) * ONE_DAY, last) if half else whole


def split_periods(span: DayRange, by: Period) -> list[DayRange]:
    """Split days into days, ISO weeks or months; the first and last may be incomplete."""
    parts, start = [], span.start
    while start <= span.end:
        parts.append(DayRange(start, min(complete_period(DayRange(start, start), by).end, span.end)))
        start = parts[-1].end + ONE_DAY
    return parts


def find_earlier_period(span: DayRange, by: Period) -> tuple[DayRange, list[DayRange | None]]:
    """Return the period before, and for each part of the period the days that it is compared with.

    By month, or by day over whole months, that is the same number of months before; by week, the same number of
    weeks; else the same number of days. Part of a week or month is compared with the same part. A day that the month
    before does not have (the 31st) is compared with nothing.
    """
    whole_months = span.start.day == 1 and (span.end + ONE_DAY).day == 1
    if by == "month" or (by == "day" and whole_months):
        months = _count_months(span.start, span.end) + 1
        earlier = DayRange(_subtract_months(span.start, months), _subtract_months(span.end, months, to_end=True))
        return earlier, [_shift_months(part, months, whole=by == "month") for part in split_periods(span, by)]
    shift = span.days * ONE_DAY
    if by == "week":
        shift = 7 * len(split_periods(span, by)) * ONE_DAY
    return (
        DayRange(span.start - shift, span.end - shift),
        [DayRange(part.start - shift, part.end - shift) for part in split_periods(span, by)],
    )


def complete_period(part: DayRange, by: Period) -> DayRange:
    """Return the whole day, week or month that a part belongs to."""
    if by == "week":
        monday = part.start - part.start.weekday() * ONE_DAY
        return DayRange(monday, monday + 6 * ONE_DAY)
    return part if by == "day" else DayRange(_first_of_month(part.start, 0), _first_of_month(part.start, 1) - ONE_DAY)


def _shift_months(part: DayRange, months: int, *, whole: bool) -> DayRange | None:
    shifted = DayRange(_subtract_months(part.start, months), _subtract_months(part.end, months, to_end=whole))
    return shifted if whole or shifted.start.day == part.start.day else None


def _subtract_months(day: date, months: int, *, to_end: bool = False) -> date:
    """Go back by months to the same day, or to the month's last one; `to_end` maps a last day to a last day."""
    first = _first_of_month(day, -months)
    last = _first_of_month(first, 1) - ONE_DAY
    if to_end and (day + ONE_DAY).day == 1:
        return last
    return first.replace(day=min(day.day, last.day))


def _first_of_month(day: date, further: int) -> date:
    """Return the first day of the month so many months later."""
    year, month = divmod(day.year * 12 + day.month - 1 + further, 12)
    return date(year, month + 1, 1)


def _count_months(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


def _parse_param(text: Any, zone: str) -> date | None:
    """Parse a day of a frame's provenance, which may be given as an instant."""
    if not text:
        return None
    if re.fullmatch(r"\d{4}-\d\d-\d\d", str(text)):
        return date.fromisoformat(str(text))
    moment = pd.Timestamp(str(text))
    return (moment.tz_convert(zone) if moment.tzinfo else moment).date()
