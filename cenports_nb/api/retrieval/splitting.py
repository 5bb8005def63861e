"""Split a window: how many records a day has, and whether the last day of a range is included."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from cenports_nb.api.retrieval.decoded_page import DecodedPage, count_records
from cenports_nb.api.retrieval.windows import Window, choose_pieces
from cenports_nb.errors import ApiError, InvalidRequestError, TransportError

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.api.retrieval.window_source import WindowSource

MEMORY_DAYS = 7
"""Days that the density of earlier windows counts for."""
MAX_SPAN_DAYS = 400
"""In longer windows the records of a day say little."""


class Density:
    """Learns how many records a day has, so that each piece of a window fits one response.

    Attributes:
        per_day: Records a day, in the window read last.
        max_records: The most records that a response seems to hold.
    """

    def __init__(self, limit: int) -> None:
        self.per_day = 0.0
        self.max_records = limit

    def exceeds(self, window: Window) -> bool:
        """Whether a window surely holds too much for one response."""
        return 1 < window.days <= MAX_SPAN_DAYS and self.per_day * window.days > 1.1 * self.max_records

    def learn_whole(self, window: Window, records: int, shared_days: float) -> None:
        """Learn from a whole response; `shared_days` are those that the neighboring window holds too."""
        days = window.days + shared_days
        known = MEMORY_DAYS if self.per_day else 0
        self.per_day = (self.per_day * known + records) / (known + days)

    def learn_cut(self, window: Window, contents: DecodedPage) -> None:
        """Learn from a response that was cut: where it is sorted, from the days that it reached."""
        if window.start is None or window.end is None:
            return
        days, number = list(contents.days), count_records(contents)
        per_day = 2 * number / max(1, window.days)
        if window.days <= MAX_SPAN_DAYS and len(days) == number > 0 and days in (sorted(days), sorted(days)[::-1]):
            reached = days[-1]
            before = sum(day != reached for day in days)
            span = abs((reached - (window.start if days[0] <= reached else window.end)).days)
            per_day = before / span if before and span else len(days)
        self.per_day = max(self.per_day, per_day)

    def pieces(self, window: Window, shared_days: int) -> int:
        """Choose into how many pieces a window is cut."""
        if window.days < 2 or window.order_nos:
            return 2
        return max(2, choose_pieces(window.days, self.per_day, self.max_records, shared_days))


class RangeEnd:
    """Learns whether Cenports includes the last day of a range; the client remembers that it does."""

    def __init__(self, client: Client, source: WindowSource) -> None:
        self._client = client
        self._source = source
        self._is_excluded = client.dialect.end_included is False

    @property
    def is_included(self) -> bool:
        """Whether ends are known to be included."""
        return self._client.end_included

    @property
    def is_known(self) -> bool:
        """Whether either is known."""
        return self._client.end_included or self._is_excluded

    def shared_days(self, window: Window) -> float:
        """How many days a window may share with the next one."""
        return 0.0 if window.end_included or self._is_excluded else 1.0 if self.is_included else 0.5

    def include_last_day(self, window: Window) -> Window:
        """Where ends are included, a response to `[a, b]` holds day b too, and so must its pieces."""
        return replace(window, end_included=True) if window.days and self.is_included else window

    def probe(self, window: Window, contents: DecodedPage, *, refresh: bool) -> None:
        """Ask for one day that has records: a response with any shows that ends are included."""
        days = [day for day in contents.days if window.start and window.last and window.start <= day <= window.last]
        if days:
            self._learn(window, (days[len(days) // 2],), refresh=refresh)

    def prove(self, window: Window, *, refresh: bool) -> bool:
        """Return whether ends are included, from a full window of one day and, maybe, the next."""
        if not self.is_known and window.start is not None and window.end is not None:
            self._learn(window, (window.start, window.end), refresh=refresh)
        return self.is_included

    def _learn(self, window: Window, days: tuple[date, ...], *, refresh: bool) -> None:
        self._client.end_included = any(self._has_records(window, day, refresh=refresh) for day in days)
        # Without records it may be that another date is meant; for this retrieval it is settled.
        self._is_excluded = not self._client.end_included

    def _has_records(self, window: Window, day: date, *, refresh: bool) -> bool:
        """Whether `[day, day]` holds more than what happened at a midnight, of whatever zone.

        "Between" two plain days reaches to the first moment of the second one, and no further.
        """
        try:
            one_day = replace(window, start=day, end=day, end_included=True)
            return self._source.read_directly(one_day, refresh=refresh).contents.has_times
        except (TransportError, ApiError, InvalidRequestError):
            return False
