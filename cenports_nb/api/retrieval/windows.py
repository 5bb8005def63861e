"""Windows: the requests that together cover a query, and how one is split into smaller ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)
MAX_NUMBERS_LENGTH = 255  # "orders | string(255)"
MONTHLY_FROM_DAYS = 62
"""From this length on, a period is requested by calendar month, so that tomorrow's load finds most of it in the cache."""
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2100, 1, 1)
"""The range of "any day", if a query without days must be split by days."""


@dataclass(frozen=True)
class Window:
    """One request to an end point: days, channel, order numbers.

    Attributes:
        start: The first day, assumed to be included.
        end: The last day sent. It is wanted only if `end_included`, because it may not be included.
        end_included: The end is known to be included, so no extra day is sent.
        channel_id: One sales channel, or None for all.
        order_nos: These order numbers, or any.
        acknowledged: Only records that are, or are not, acknowledged.
        until: The last day of the query; later days are only a safety margin.
    """

    start: date | None = None
    end: date | None = None
    end_included: bool = False
    channel_id: str | None = None
    order_nos: tuple[str, ...] = ()
    acknowledged: bool | None = None
    until: date | None = None

    @property
    def days(self) -> int:
        """The number of wanted days; 0 without dates."""
        return 0 if self.start is None or self.end is None else (self.end - self.start).days + self.end_included

    @property
    def last(self) -> date | None:
        """The last wanted day."""
        return self.end if self.end is None or self.end_included or self.end == self.start else self.end - ONE_DAY

    def cut(self, pieces: int, *, end_included: bool) -> tuple[Window, ...]:
        """Split into at most so many windows, which share edge days unless the end is known to be included."""
        if len(self.order_nos) > 1:
            size = -(-len(self.order_nos) // max(2, pieces))
            starts = range(0, len(self.order_nos), size)
            return tuple(replace(self, order_nos=self.order_nos[at : at + size]) for at in starts)
        pieces = min(pieces, self.days)
        if self.start is None or pieces < 2:
            return ()
        edges = [self.start + self.days * i // pieces * ONE_DAY for i in range(pieces + 1)]
        return tuple(
            replace(self, start=first, end=after - ONE_DAY if end_included else after, end_included=end_included)
            for first, after in itertools.pairwise(edges)
        )

    def describe(self) -> str:
        """Describe the window for people."""
        parts = [f"{self.start} to {self.end}"] if self.start else []
        parts += [f"channel {self.channel_id}"] if self.channel_id else []
        parts += [f"{len(self.order_nos)} order numbers"] if self.order_nos else []
        if self.acknowledged is not None:
            parts.append("acknowledged" if self.acknowledged else "not acknowledged")
        return ", ".join(parts) or "everything"


def cover_days(start: date, end: date) -> list[tuple[date, date]]:
    """Cover the server's days from the day before `start` to the day after `end`, in any zone and with any range end.

    Raises:
        OverflowError: The days reach the end of the calendar.
    """
    first, after = start - ONE_DAY, end + 2 * ONE_DAY
    if (end - start).days + 1 < MONTHLY_FROM_DAYS:
        return [(first, after)]
    edges = [start.replace(day=1)]
    while edges[-1] <= end:
        edges.append((edges[-1] + 31 * ONE_DAY).replace(day=1))
    # A day of the safety margin doesn't get a window of its own.
    edges[0], edges[-1] = min(edges[0], first), max(edges[-1], after)
    return list(itertools.pairwise(edges))


def chunk_order_numbers(order_nos: Sequence[str], size: int = MAX_NUMBERS_LENGTH) -> Iterator[tuple[str, ...]]:
    """Split order numbers into chunks that fit the API's text of 255 characters, joined by commas."""
    chunk: list[str] = []
    length = 0
    for number in order_nos:
        if chunk and length + 1 + len(number) > size:
            yield tuple(chunk)
            chunk, length = [], 0
        length += len(number) + (1 if chunk else 0)
        chunk.append(number)
    if chunk:
        yield tuple(chunk)
