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

By = Literal["day", "week", "month"]
DAY = timedelta(days=1)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Not the words of the machine's locale: a report reads the same wherever it was made."""


@dataclass(frozen=True)
class Span:
    """Days, both ends included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.end - self.start).days + 1

    def covers(self, other: Span) -> bool:
        """Tell whether the other days are all among these."""
        return self.start <= other.start and other.end <= self.end

    def __str__(self) -> str:
        first, last = written(self.start), written(self.end)
        if self.start == self.end:
            return f"{first} {self.end.year}"
        return f"{first}{'' if self.start.year == self.end.year else f' {self.start.year}'} – {last} {self.end.year}"


def written(day: date) -> str:
    """Write a day without its year."""
    return f"{day.day} {MONTHS[day.month - 1]}"


@dataclass(frozen=True)
class Loaded:
    """Which days a frame has.

    Attributes:
        days: Those of which it surely has every order; without an origin those between its first order and its last.
        limits: Those that it was loaded for; None if it does not know.
        read: The day on which it was read, as far as it knows.
    """

    days: Span
    limits: Span | None
    read: date | None


def loaded_days(frame: pd.DataFrame, days: pd.Series[Any], zone: str) -> Loaded | None:
    """Tell which days a frame has; None for an empty one that does not know.

    What a frame knows of its reading is its oldest answer, which may come from the cache; orders of later days show
    that later days were read. Of a frame that lost rows since, nobody can say which days they were of.
    """
    origin = provenance(frame)
    read = pd.Timestamp(origin.as_of).tz_convert(zone).date() if origin and origin.as_of else None
    seen = None if days.empty else Span(days.min().date(), days.max().date())
    limits = None if origin is None or read is None else _limits(origin, read, seen, zone)
    found = limits if limits and origin and len(frame) >= origin.rows else seen
    return None if found is None else Loaded(found, limits, read)


def _limits(origin: Provenance, read: date, seen: Span | None, zone: str) -> Span | None:
    latest = max(read, seen.end) if seen else read
    first, last = (_day(origin.params.get(name), zone) for name in ("start", "end"))
    if first and last:
        return Span(first, min(last, latest)) if first <= latest else None
    length = re.fullmatch(r"(\d+)D", str(origin.params.get("last")))
    if not length:
        return None
    first = latest - (int(length[1]) - 1) * DAY
    # From the cache the frame may be younger than it knows, and its first day later than this.
    return Span(max(first, seen.start) if seen and origin.cached else first, latest)


def asked_days(limits: Span | None, start: Day | None, end: Day | None, zone: str) -> Span | None:
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
    if limits is not None and not limits.covers(Span(first, last)):
        raise InvalidRequestError(
            f"The frame was loaded for {limits.start} to {limits.end}, and {first} to {last} were asked for: load them, "
            "or choose start= and end= within."
        )
    return Span(first, last)


def chosen_days(loaded: Loaded, by: By | None, *, halved: bool) -> Span:
    """Choose the days that are drawn where none were asked for.

    All whole days that were loaded, or, to have as many before them, the later half: from a Monday where columns are
    weeks, from a first where they are months, else of whole weeks, so that Mondays stand beside Mondays.
    """
    days = loaded.days
    last = days.end - DAY if loaded.read == days.end and days.days > 1 else days.end
    whole = Span(days.start, last)
    if not halved:
        return whole
    if by == "month":
        first = whole.start if whole.start.day == 1 else _month(whole.start, 1)
        months = _months_between(first, last) + 1
        return Span(_month(last, 1 - months // 2), last) if months >= 2 else whole
    if by == "week":
        first = whole.start + (-whole.start.weekday() % 7) * DAY
        monday = last - last.weekday() * DAY
        weeks = (monday - first).days // 7 + 1
        return Span(monday - (weeks // 2 - 1) * 7 * DAY, last) if weeks >= 2 else whole
    half = whole.days // 2
    half -= half % 7
    return Span(last - (half - 1) * DAY, last) if half else whole


def cut(span: Span, by: By) -> list[Span]:
    """Cut days into days, ISO weeks or months; the first and last may be parts."""
    return list(_pieces(span, by))


def before(span: Span, by: By) -> tuple[Span, list[Span | None]]:
    """Find the same period before, and for each piece of a period the days that stand beside it.

    By month, and of whole months, it is as many months before; by week as many weeks; else the same number of days
    directly before. A part of a week or month stands beside the same part. A day that the month before does not have
    (the 31st) has none beside it.
    """
    whole_months = span.start.day == 1 and (span.end + DAY).day == 1
    if by == "month" or (by == "day" and whole_months):
        months = _months_between(span.start, span.end) + 1
        earlier = Span(_back(span.start, months), _back(span.end, months, to_end=True))
        return earlier, [_moved(piece, months, whole=by == "month") for piece in cut(span, by)]
    shift = span.days * DAY
    if by == "week":
        shift = 7 * len(cut(span, by)) * DAY
    return (
        Span(span.start - shift, span.end - shift),
        [Span(piece.start - shift, piece.end - shift) for piece in cut(span, by)],
    )


def whole_of(piece: Span, by: By) -> Span:
    """Give the whole day, week or month that a piece is or is a part of."""
    if by == "week":
        monday = piece.start - piece.start.weekday() * DAY
        return Span(monday, monday + 6 * DAY)
    return piece if by == "day" else Span(_month(piece.start, 0), _month(piece.start, 1) - DAY)


def _pieces(span: Span, by: By) -> Iterator[Span]:
    at = span.start
    while at <= span.end:
        end = min(whole_of(Span(at, at), by).end, span.end)
        yield Span(at, end)
        at = end + DAY


def _moved(piece: Span, months: int, *, whole: bool) -> Span | None:
    moved = Span(_back(piece.start, months), _back(piece.end, months, to_end=whole))
    return moved if whole or moved.start.day == piece.start.day else None


def _back(day: date, months: int, *, to_end: bool = False) -> date:
    """Go back some months, to the same day or the last one that there is; from the last to the last, if wanted."""
    first = _month(day, -months)
    last = _month(first, 1) - DAY
    if to_end and (day + DAY).day == 1:
        return last
    return first.replace(day=min(day.day, last.day))


def _month(day: date, further: int) -> date:
    """Give the first day of the month some months further."""
    year, month = divmod(day.year * 12 + day.month - 1 + further, 12)
    return date(year, month + 1, 1)


def _months_between(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


def _day(text: Any, zone: str) -> date | None:
    """Read a day from a frame's origin, which may have been asked for as an instant."""
    if not text:
        return None
    if re.fullmatch(r"\d{4}-\d\d-\d\d", str(text)):
        return date.fromisoformat(str(text))
    moment = pd.Timestamp(str(text))
    return (moment.tz_convert(zone) if moment.tzinfo else moment).date()
