"""Periods of a time chart: which days are drawn, cut into days, weeks or months, and which days were before."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
"""Not the words of the machine's locale: a report reads the same wherever it was made."""


@dataclass(frozen=True)
class DayRange:
    """Days, both ends included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.end - self.start).days + 1

    def contains(self, other: DayRange) -> bool:
        """Tell whether the other days are all among these."""
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
    """Which days a frame has.

    Attributes:
        days: Those of which it surely has every order; without an origin those between its first order and its last.
        limits: Those that it was loaded for; None if it does not know.
        read: The day on which it was read, as far as it knows.
    """

    days: DayRange
    limits: DayRange | None
    read: date | None


def find_loaded_days(frame: pd.DataFrame, days: pd.Series[Any], zone: str) -> LoadedDays | None:
    """Tell which days a frame has; None for an empty one that does not know.

    What a frame knows of its reading is its oldest answer, which may come from the cache; orders of later days show
    that later days were read. Of a frame that lost rows since, nobody can say which days they were of.
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
    # From the cache the frame may be younger than it knows, and its first day later than this.
    return DayRange(max(first, dated.start) if dated and origin.cached else first, latest)


def parse_days(limits: DayRange | None, start: Day | None, end: Day | None, zone: str) -> DayRange | None:
    """Read the days that were asked for; None if none were.

    Raises:
        InvalidRequestError: A lone start or end, or days that were not loaded.
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
    """Choose the days that are drawn where none were asked for.

    All whole days that were loaded, or, to have as many before them, the later half: from a Monday where columns are
    weeks, from a first where they are months, else of whole weeks, so that Mondays stand beside Mondays.
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
    half -= half % 7
    return DayRange(last - (half - 1) * ONE_DAY, last) if half else whole


def split_periods(span: DayRange, by: Period) -> list[DayRange]:
    """Cut days into days, ISO weeks or months; the first and last may be parts."""
    return list(_iterate_periods(span, by))


def find_earlier_period(span: DayRange, by: Period) -> tuple[DayRange, list[DayRange | None]]:
    """Find the same period before, and for each piece of a period the days that stand beside it.

    By month, and of whole months, it is as many months before; by week as many weeks; else the same number of days
    directly before. A part of a week or month stands beside the same part. A day that the month before does not have
    (the 31st) has none beside it.
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
    """Give the whole day, week or month that a piece is or is a part of."""
    if by == "week":
        monday = part.start - part.start.weekday() * ONE_DAY
        return DayRange(monday, monday + 6 * ONE_DAY)
    return part if by == "day" else DayRange(_first_of_month(part.start, 0), _first_of_month(part.start, 1) - ONE_DAY)


def _iterate_periods(span: DayRange, by: Period) -> Iterator[DayRange]:
    at = span.start
    while at <= span.end:
        end = min(complete_period(DayRange(at, at), by).end, span.end)
        yield DayRange(at, end)
        at = end + ONE_DAY


def _shift_months(part: DayRange, months: int, *, whole: bool) -> DayRange | None:
    shifted = DayRange(_subtract_months(part.start, months), _subtract_months(part.end, months, to_end=whole))
    return shifted if whole or shifted.start.day == part.start.day else None


def _subtract_months(day: date, months: int, *, to_end: bool = False) -> date:
    """Go back some months, to the same day or the last one that there is; from the last to the last, if wanted."""
    first = _first_of_month(day, -months)
    last = _first_of_month(first, 1) - ONE_DAY
    if to_end and (day + ONE_DAY).day == 1:
        return last
    return first.replace(day=min(day.day, last.day))


def _first_of_month(day: date, further: int) -> date:
    """Give the first day of the month some months further."""
    year, month = divmod(day.year * 12 + day.month - 1 + further, 12)
    return date(year, month + 1, 1)


def _count_months(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


def _parse_param(text: Any, zone: str) -> date | None:
    """Read a day from a frame's origin, which may have been asked for as an instant."""
    if not text:
        return None
    if re.fullmatch(r"\d{4}-\d\d-\d\d", str(text)):
        return date.fromisoformat(str(text))
    moment = pd.Timestamp(str(text))
    return (moment.tz_convert(zone) if moment.tzinfo else moment).date()
