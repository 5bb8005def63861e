"""Split a window as often as its responses seem to be cut.

`CapDetector` decides whether a response was cut, `Density` into how many pieces to split, `RangeEnd` whether the last
day of a range is included; `WindowSplitter` reads a window with their help.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from cenports_nb.api.retrieval.decoded_page import NO_RECORDS, DecodedPage, count_records
from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec
from cenports_nb.api.retrieval.observed_limits import ObservedLimits, get_observed_limits
from cenports_nb.api.retrieval.results import Part, WindowResult
from cenports_nb.api.retrieval.window_source import WindowSource
from cenports_nb.api.retrieval.windows import FIRST_DAY, LAST_DAY, ONE_DAY, Window
from cenports_nb.errors import ApiError, InvalidRequestError, TransportError

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

MEMORY_DAYS = 7
"""Days for which the density of earlier windows counts."""
MAX_SPAN_DAYS = 400
"""In longer windows the average number of records per day says little."""
ONE_MONTH = timedelta(days=31)


class WindowSplitter:
    """Reads a window, and splits it as often as its responses seem to be cut."""

    def __init__(self, client: Client, spec: EndpointSpec, source: WindowSource) -> None:
        self._spec = spec
        self._source = source
        limits = get_observed_limits(client)
        self._caps = CapDetector(client, spec, limits)
        self._density = Density(spec.limit)
        self._range_end = RangeEnd(client, source, limits)

    def read(self, window: Window, *, refresh: bool, is_piece: bool = False) -> Iterator[Part]:
        """Read one window, split as often as needed; incomplete parts say so.

        For a piece of a window that was answered, all days of that response are wanted.
        """
        if self._density.exceeds(window):
            yield from self._cut(window, NO_RECORDS, refresh=refresh, is_piece=is_piece)
            return
        result = self._source.read(window, refresh=refresh)
        if isinstance(result, str):
            yield Part(window, NO_RECORDS, result)
            return
        contents = result.contents
        if result.reason:
            yield Part(window, contents, result.reason, at=result.at)
            return
        is_whole, is_suspect = self._caps.judge(result, window)
        if is_whole:
            if window.days and not window.order_nos and result.is_whole is None:
                shared_days = self._range_end.shared_days(window)
                self._density.learn_whole(window, count_records(contents), shared_days)
            yield Part(window, contents, is_suspect=is_suspect, at=result.at)
        elif _is_elsewhere(window, contents):  # smaller windows would only return the same
            reason = (
                f"its {count_records(contents)} records lie in other months: Cenports seems not to read the days asked "
                "for"
            )
            yield Part(window, contents, reason, at=result.at)
        else:
            self._density.learn_cut(window, contents)
            # Decide now what depends on a fresh response: an older part may lack what it has.
            by_length = result.is_whole is None
            yield from self._cut(window, contents, refresh=refresh or result.is_fresh, by_length=by_length)

    def settle_suspects(self, parts: Sequence[Part], *, refresh: bool, is_piece: bool = False) -> list[Part]:
        """Decide about responses that may be cut at their length: a longer one shows that they are not.

        The others are split, to see whether there is more.
        """
        settled: list[Part] = []
        for part in parts:
            if not (part.is_suspect and self._caps.is_longest(part.contents)):
                settled.append(part)
                continue
            if is_piece:  # even a piece is as long: it is a cap
                self._density.max_records = min(self._density.max_records, count_records(part.contents))
                self._density.learn_cut(part.window, part.contents)
            smaller = list(self._cut(part.window, part.contents, refresh=refresh, probe=is_piece))
            settled += self.settle_suspects(smaller, refresh=refresh, is_piece=True)
        return settled

    def _cut(
        self,
        window: Window,
        contents: DecodedPage,
        *,
        refresh: bool,
        is_piece: bool = True,
        probe: bool = True,
        by_length: bool = True,
    ) -> Iterator[Part]:
        """Read a window in pieces; every record of its own response must be in one of them.

        Args:
            window: The window.
            contents: Its own response.
            refresh: Request from Cenports even if the cache has an answer.
            is_piece: The window is a piece of one that was answered.
            probe: Whether the end of a range may be probed.
            by_length: Whether only the response's length makes it suspect, and not what it says itself.
        """
        if probe and window.days > 1 and not self._range_end.is_known:
            self._range_end.probe(window, contents, refresh=refresh)
        window = self._range_end.include_last_day(window) if is_piece else window
        shared_days = 0 if window.end_included or self._range_end.is_known else 1
        end_included = window.end_included or self._range_end.is_included
        pieces = window.cut(self._density.pieces(window, shared_days), end_included=end_included)
        pieces = pieces or tuple(self._cut_finer(window, contents, refresh=refresh))
        parts = [part for piece in pieces for part in self.read(piece, refresh=refresh, is_piece=is_piece)]
        known = {identity for part in parts for identity in part.contents.identities}
        strays = sum(identity not in known for identity in contents.identities)
        if not pieces and not (by_length and self._is_exceeded(window, contents, refresh=refresh)):
            yield Part(window, contents, f"{self._caps.explain(contents)}, and the window can't be split further")
        elif not pieces:
            yield Part(window, contents)
        elif strays and window.acknowledged is None and not any(part.reason for part in parts):
            yield Part(window, contents, f"{strays} of its records are in none of the smaller windows")
        yield from parts  # last, because they are newer

    def _is_exceeded(self, window: Window, contents: DecodedPage, *, refresh: bool) -> bool:
        """Look for a longer answer, of any day: it shows that this one was not cut at its length."""
        if not self._caps.may_be_exceeded(contents) or self._source.gave_up:
            return False
        channel_id = window.channel_id if self._spec.needs_channel else None
        widest = Window(FIRST_DAY, LAST_DAY, channel_id=channel_id)
        with contextlib.suppress(TransportError, ApiError, InvalidRequestError):
            self._caps.judge(self._source.read_directly(widest, refresh=refresh), widest)
        return not self._caps.is_longest(contents)

    def _cut_finer(self, window: Window, contents: DecodedPage, *, refresh: bool) -> Iterator[Window]:
        """Split what can't be split by days: to the day itself, by channel, by acknowledgment, any day by days."""
        spec = self._spec
        if self._source.gave_up:
            return
        if window.start != window.end and not window.order_nos and self._range_end.prove(window, refresh=refresh):
            # `[d, d + 1]` holds two days if ends are included.
            yield from replace(window, end_included=True).cut(2, end_included=True)
        elif spec.channels is not None and window.channel_id is None:
            # Old channels may not be listed any more.
            for channel in dict.fromkeys([*spec.channels(), *contents.channels]):
                yield replace(window, channel_id=channel)
        elif spec.channels is not None and window.acknowledged is None:
            for answer in (False, True):
                yield replace(window, acknowledged=answer)
        elif window.start is None and not window.order_nos and (days := contents.days):
            edges = [
                FIRST_DAY,
                max(min(days), FIRST_DAY + ONE_DAY),
                min(max(days) + 2 * ONE_DAY, LAST_DAY - ONE_DAY),
                LAST_DAY,
            ]
            for start, end in itertools.pairwise(edges):
                yield replace(window, start=start, end=end)


class CapDetector:
    """Remembers the longest response of an end point: it shows that a shorter one was not cut.

    A response may be cut at the limit, at a round number, or at an unknown one; then no response is longer.
    """

    def __init__(self, client: Client, spec: EndpointSpec, limits: ObservedLimits) -> None:
        self._spec = spec
        self._limits = limits
        self._whole_lengths = frozenset(client.dialect.whole_lengths)
        self._caps = frozenset(spec.known_caps) - self._whole_lengths
        longest = self._limits.longest(spec.path)
        self._longest = (longest, longest)  # records, and distinct ones: it is unknown which of the two a cap counts

    def judge(self, result: WindowResult, window: Window) -> tuple[bool, bool]:
        """Return whether a window is complete, and whether that still depends on the length of other responses."""
        if result.is_whole is not None:
            return result.is_whole, False
        lengths = _lengths(result.contents)
        self._longest = max(self._longest[0], lengths[0]), max(self._longest[1], lengths[1])
        if result.is_fresh and self._spec.known_caps:
            self._limits.note_answer(self._spec.path, lengths[1])
        if lengths[0] >= self._spec.limit:
            return False, False
        is_round = any(length in self._caps for length in lengths)
        if window.start is None and window.acknowledged is None:
            is_complete = 0 < len(window.order_nos) <= lengths[1] < self._spec.any_cap_from
            return is_complete or not (is_round and self.is_longest(result.contents)), False
        # No response is longer than an unknown cap; short responses are not cut at odd numbers.
        is_suspect = is_round or (
            bool(self._caps) and min(lengths) >= self._spec.any_cap_from and self._whole_lengths.isdisjoint(lengths)
        )
        return True, is_suspect and self.is_longest(result.contents)

    def is_longest(self, contents: DecodedPage) -> bool:
        """Return whether no response was longer."""
        return any(length >= most for length, most in zip(_lengths(contents), self._longest, strict=True))

    def may_be_exceeded(self, contents: DecodedPage) -> bool:
        """Return whether a longer response could show that this one was not cut: it is below the limit."""
        return 0 < _lengths(contents)[0] < self._spec.limit

    def explain(self, contents: DecodedPage) -> str:
        """Explain what makes a response suspect, and how to settle it."""
        return explain_length(count_records(contents), "records", is_limit=not self.may_be_exceeded(contents))


def explain_length(rows: int, what: str, *, is_limit: bool = False) -> str:
    """Say that an answer may be cut at its length; below the limit a person may know better."""
    text = f"{rows} {what}, where an answer may be cut at that number"
    return (
        text
        if is_limit
        else f"{text} (if there are really {rows}, put whole_lengths = [{rows}] in the dialect of your profile)"
    )


class Density:
    """Learns how many records a day has, so that each piece of a window fits one response.

    Attributes:
        per_day: Records per day in the window read last.
        max_records: The maximum number of records that a response seems to hold.
    """

    def __init__(self, limit: int) -> None:
        self.per_day = 0.0
        self.max_records = limit

    def exceeds(self, window: Window) -> bool:
        """Return whether a window certainly holds too much for one response."""
        return 1 < window.days <= MAX_SPAN_DAYS and self.per_day * window.days > 1.1 * self.max_records

    def learn_whole(self, window: Window, records: int, shared_days: float) -> None:
        """Learn from a complete response; `shared_days` also belong to the neighboring window."""
        days = window.days + shared_days
        known = MEMORY_DAYS if self.per_day else 0
        self.per_day = (self.per_day * known + records) / (known + days)

    def learn_cut(self, window: Window, contents: DecodedPage) -> None:
        """Learn from a response that was cut: if it is sorted, from the days that it reached."""
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
        """Choose into how many pieces to split a window."""
        if window.days < 2 or window.order_nos:
            return 2
        return max(2, choose_pieces(window.days, self.per_day, self.max_records, shared_days))


def choose_pieces(days: int, per_day: float, max_records: int, shared: int = 0) -> int:
    """Choose into how many pieces of whole days to split a window, so that the fewest requests are needed.

    A piece that turns out to be full costs its own request and those of its parts, so pieces are as long as the
    scatter around the rows of a day allows (assumed to be 1.5 times that of chance alone). Pieces that share a day
    with the next one have that day's rows too.
    """
    best, least = 1, math.inf
    for length in range(1, days + 1):
        rows = per_day * (length + shared)
        if rows - 3 * math.sqrt(rows) > max_records:
            break
        chance_full = 0.5 * math.erfc((max_records - 0.5 - rows) / (1.5 * math.sqrt(2 * rows))) if rows else 0.0
        cost = (1 + 2 * chance_full) / length
        if cost <= least:
            best, least = length, cost
    return -(-days // best)


class RangeEnd:
    """Learns whether Cenports includes the last day of a range."""

    def __init__(self, client: Client, source: WindowSource, limits: ObservedLimits) -> None:
        self._source = source
        self._limits = limits
        self._is_excluded = client.dialect.end_included is False

    @property
    def is_included(self) -> bool:
        """Whether ends are known to be included."""
        return self._limits.end_included

    @property
    def is_known(self) -> bool:
        """Whether it is known if ends are included."""
        return self.is_included or self._is_excluded

    def shared_days(self, window: Window) -> float:
        """Return how many days a window may share with the next one."""
        return 0.0 if window.end_included or self._is_excluded else 1.0 if self.is_included else 0.5

    def include_last_day(self, window: Window) -> Window:
        """Include the last day: if ends are included, a response to `[a, b]` has day b, and so must its pieces."""
        return replace(window, end_included=True) if window.days and self.is_included else window

    def probe(self, window: Window, contents: DecodedPage, *, refresh: bool) -> None:
        """Request one day that has records: any record shows that ends are included."""
        days = [day for day in contents.days if window.start and window.last and window.start <= day <= window.last]
        if days:
            self._learn(window, (days[len(days) // 2],), refresh=refresh)

    def prove(self, window: Window, *, refresh: bool) -> bool:
        """Return whether ends are included, from a full window of one day and perhaps the next."""
        if not self.is_known and window.start is not None and window.end is not None:
            self._learn(window, (window.start, window.end), refresh=refresh)
        return self.is_included

    def _learn(self, window: Window, days: tuple[date, ...], *, refresh: bool) -> None:
        if any(self._has_records(window, day, refresh=refresh) for day in days):
            self._limits.note_end_included()
        else:
            self._is_excluded = True  # another date may be meant; for this retrieval that settles it

    def _has_records(self, window: Window, day: date, *, refresh: bool) -> bool:
        """Return whether `[day, day]` has more than records of a midnight, in any zone.

        Between two plain days may mean up to the first moment of the second one.
        """
        try:
            one_day = replace(window, start=day, end=day, end_included=True)
            return self._source.read_directly(one_day, refresh=refresh).contents.has_times
        except (TransportError, ApiError, InvalidRequestError):
            return False


def _lengths(contents: DecodedPage) -> tuple[int, int]:
    return count_records(contents), len(set(contents.identities))


def _is_elsewhere(window: Window, contents: DecodedPage) -> bool:
    """Return whether records are in months that no reading of the window's days explains."""
    if window.start is None or window.end is None:
        return False
    days = contents.days
    return bool(days) and (max(days) < window.start - ONE_MONTH or min(days) > window.end + ONE_MONTH)
