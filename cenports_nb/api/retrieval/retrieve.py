"""Windows -> every record, or a verdict on what is missing.

Where an answer has page words, its pages are followed. Where it has none, it is whole only if nothing
suggests that it was cut; else the window is cut and asked again: by days, then by channel and
acknowledgement. What can't be cut any further is reported as missing: an answer that may have been cut
never passes as whole.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from cenports_nb.api.concurrency import run_concurrently
from cenports_nb.api.retrieval.cached_windows import recall
from cenports_nb.api.retrieval.decoded_page import NOTHING, Contents, count
from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec, RequestCounter, WindowResult
from cenports_nb.api.retrieval.window_reader import StoppedError, WindowReader, describe_window, is_final
from cenports_nb.api.retrieval.windows import FIRST_DAY, LAST_DAY, ONE_DAY, Window, best_cut
from cenports_nb.errors import ApiError, CenportsError, InvalidRequestError, RateLimitedError, TransportError

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

MONTH = timedelta(days=31)
MOST_ANSWERS = 20_000  # of one load
MEMORY = 7  # days that what was seen before counts for
SPAN = 400  # days, beyond which the records of a day say little
ABREAST = 8  # windows read at once; together they have no more requests under way than one
PATIENCE = 2  # windows in a row that get no answer; then the others are not asked


@dataclass(frozen=True)
class MissingWindow:
    """A window that could not be read whole, and why."""

    window: Window
    reason: str


@dataclass(frozen=True)
class Part:
    """A window and what it answers.

    Attributes:
        window: What was asked.
        contents: What came.
        reason: Why that is not whole, if it is not.
        suspect: Whole, unless this is the length at which this end point cuts its answers.
        at: When the oldest of its answers was fetched, UTC.
    """

    window: Window
    contents: Contents
    reason: str = ""
    suspect: bool = False
    at: datetime | None = None


@dataclass(frozen=True)
class Retrieval:
    """What was read: every record in the order it came, and what is known to be missing.

    Attributes:
        parts: Windows and what they answered.
        missing: Windows that are not whole.
        oldest: When the oldest answer used was fetched, UTC; None if there was none.
        requests: Answers fetched.
        cached: Answers taken from the cache.
    """

    parts: tuple[Part, ...] = ()
    missing: tuple[MissingWindow, ...] = ()
    oldest: datetime | None = None
    requests: int = 0
    cached: int = 0


def retrieve(
    client: Client,
    source: EndpointSpec,
    windows: Sequence[Window],
    *,
    refresh: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Retrieval:
    """Read every record of these windows.

    Args:
        client: The account.
        source: The end point.
        windows: What to ask for.
        refresh: Ask Cenports even if the cache has it.
        progress: Called with 1 after each answer.

    Raises:
        CenportsError: The first answer already failed, or in a way that a smaller window can't help.
    """
    spent = RequestCounter(step=progress or (lambda _: None))
    reader = _Reader(client, source, spent, refresh=refresh)
    parts: list[Part] = []
    try:
        reader.recall(windows, refresh=refresh)
        for place, window in enumerate(windows):
            reader.waiting = windows[place + 1 :]
            parts += reader.window(window, refresh=refresh)
        parts = reader.settled(parts, refresh=refresh)
    finally:
        reader.stop()
    return Retrieval(
        tuple(parts),
        tuple(MissingWindow(part.window, part.reason) for part in parts if part.reason),
        spent.oldest,
        spent.requests,
        spent.cached,
    )


class _Reader:
    """One reading of one end point, and what it has learnt so far."""

    def __init__(self, client: Client, source: EndpointSpec, spent: RequestCounter, *, refresh: bool) -> None:
        self._client = client
        self._source = source
        self._spent = spent
        self._follower = WindowReader(client, source, spent)
        self._follower.on_pages = partial(self.look_ahead, refresh=refresh)
        self._longest = (0, 0)  # answer without page words: records, and distinct ones
        self._per_day = 0.0  # records, in the window read last
        self._cut_at = source.limit  # records, the most that an answer seems to hold
        self._excludes_end = client.dialect.end_included is False
        self.waiting: Sequence[Window] = ()  # the windows whose turn comes later
        self._ahead: dict[Window, Future[WindowResult]] = {}  # those of them that are read already
        self._recalled: dict[Window, WindowResult] = {}  # windows that the cache has
        self._silent = 0  # windows in a row without an answer
        self._end = ""  # why nothing more is asked

    def window(self, window: Window, *, refresh: bool, inner: bool = False) -> Iterator[Part]:
        """Read one window, cut as often as needed; each part says if it is not whole.

        An `inner` one is a piece of a window that was answered: all days of that answer are wanted.
        """
        if 1 < window.days <= SPAN and self._per_day * window.days > 1.1 * self._cut_at:
            # Surely too much for one answer: cut before asking.
            yield from self._cut(window, NOTHING, refresh=refresh, inner=inner)
            return
        found = self._ask(window, refresh=refresh)
        if isinstance(found, str):
            yield Part(window, NOTHING, found)
            return
        if found.reason:
            yield Part(window, found.contents, found.reason, at=found.at)
            return
        whole, suspect = self._judge(found, window)
        if whole:
            if window.days and not window.order_nos and found.whole is None:
                self._learn_density(window, count(found.contents))
            yield Part(window, found.contents, suspect=suspect, at=found.at)
            return
        if self._is_elsewhere(window, found.contents):
            text = (
                f"its {count(found.contents)} records lie in other months: Cenports seems not to read the days asked "
                "for"
            )
            yield Part(window, found.contents, text, at=found.at)
            return
        # What hangs on an answer of now is asked now: an older part may lack what the answer has.
        refresh = refresh or found.fresh
        self._per_day = max(self._per_day, self._density(window, found.contents))
        yield from self._cut(window, found.contents, refresh=refresh)

    def recall(self, windows: Sequence[Window], *, refresh: bool) -> None:
        """Read all windows from the cache that it has, side by side: a new day asks for one or two only."""
        if not refresh or self._client.settings.offline:
            self._recalled = recall(
                self._client, self._source, self._spent, windows, any_age=self._client.settings.offline
            )

    def look_ahead(self, *, refresh: bool) -> None:
        """Where pages tell how much there is, read all windows side by side: none teaches how to cut the next."""
        waiting = [window for window in self.waiting if window not in self._recalled]
        if self._ahead or len(waiting) < 2:
            return
        self._ahead = {window: Future() for window in waiting}
        threading.Thread(target=self._read_ahead, args=(refresh,), name="cenports-ahead", daemon=True).start()

    def _read_ahead(self, refresh: bool) -> None:
        retrieve = partial(self._follower.read, refresh=refresh)
        try:
            for window, found in run_concurrently(retrieve, list(self._ahead), ABREAST):
                if isinstance(found, Exception):
                    self._ahead[window].set_exception(found)
                else:
                    self._ahead[window].set_result(found)
                if isinstance(found, StoppedError | RateLimitedError) or (
                    isinstance(found, CenportsError) and is_final(found)
                ):
                    break  # the others would only hear the same
        finally:
            for future in self._ahead.values():
                future.cancel()  # whoever waits for one that never came reads it himself

    def stop(self) -> None:
        """Send nothing more: the reading is over, or was interrupted."""
        self._follower.stop()

    def settled(self, parts: Sequence[Part], *, refresh: bool, again: bool = False) -> list[Part]:
        """Decide about answers that may be cut at their length: a longer one shows that they are not.

        The others are cut, to see whether more comes.
        """
        done: list[Part] = []
        for part in parts:
            if part.suspect and self._is_longest(part.contents):
                if again:  # even a part is no shorter: it is a cap
                    self._cut_at = min(self._cut_at, count(part.contents))
                    self._per_day = max(self._per_day, self._density(part.window, part.contents))
                smaller = list(self._cut(part.window, part.contents, refresh=refresh, probe=again))
                done += self.settled(smaller, refresh=refresh, again=True)
            else:
                done.append(part)
        return done

    def _judge(self, found: WindowResult, window: Window) -> tuple[bool, bool]:
        """Tell whether an answer is whole, and whether that still hangs on how long others are.

        Without page words it may have been cut at the limit, at a known cap, or at one that nobody knows:
        then none is longer. Below the lowest known cap nothing is ever cut.
        """
        if found.whole is not None:
            return found.whole, False
        lengths = self._lengths(found.contents)
        self._longest = max(self._longest[0], lengths[0]), max(self._longest[1], lengths[1])
        if lengths[0] >= self._source.limit:
            return False, False
        caps = self._source.known_caps
        by_days = window.start is not None or window.acknowledged is not None
        if not by_days or not caps or min(lengths) < min(caps):
            return not any(length in caps for length in lengths), False
        return True, self._is_longest(found.contents)

    def _is_longest(self, contents: Contents) -> bool:
        return any(length >= most for length, most in zip(self._lengths(contents), self._longest, strict=True))

    def _lengths(self, contents: Contents) -> tuple[int, int]:
        """Count records and distinct ones: nobody knows which of the two a cap counts."""
        return count(contents), len(set(contents.identities))

    def _cut(
        self, window: Window, contents: Contents, *, refresh: bool, inner: bool = True, probe: bool = True
    ) -> Iterator[Part]:
        """Read a window in pieces; every record of its own answer must be in one of them."""
        if probe and window.days > 1 and not self._end_is_known:
            self._probe(window, contents, refresh=refresh)
        window = self._with_end(window) if inner else window
        pieces = self._pieces(window)
        smaller = window.cut(pieces, tight=window.tight or self._client.end_included)
        smaller = smaller or tuple(self._finer(window, contents, refresh=refresh))
        parts = [part for piece in smaller for part in self.window(piece, refresh=refresh, inner=inner)]
        known = {identity for part in parts for identity in part.contents.identities}
        strays = sum(identity not in known for identity in contents.identities)
        if not smaller:
            rows = f"{count(contents)} records, where an answer may be cut at that number"
            yield Part(window, contents, f"{rows}, and the window can't be split further")
        elif strays and window.acknowledged is None and not any(part.reason for part in parts):
            yield Part(window, contents, f"{strays} of its records are in none of the smaller windows")
        yield from parts  # last, as the newer answers

    def _with_end(self, window: Window) -> Window:
        """Where ends are included, an answer to `[a, b]` holds day b too, and so must its pieces."""
        return replace(window, tight=True) if window.days and self._client.end_included else window

    def _pieces(self, window: Window) -> int:
        """Choose into how many pieces a window is cut."""
        if window.days < 2 or window.order_nos:
            return 2
        shared = 0 if window.tight or self._end_is_known else 1
        return max(2, best_cut(window.days, self._per_day, self._cut_at, shared))

    def _finer(self, window: Window, contents: Contents, *, refresh: bool) -> Iterator[Window]:
        """Cut what can't be cut by days: to the day itself, by channel, by acknowledgement, any day by days."""
        source = self._source
        if self._end:
            return
        if window.start != window.end and not window.order_nos and self._proves_end(window, refresh=refresh):
            # `[d, d + 1]` holds two days where ends are included.
            yield from replace(window, tight=True).cut(2, tight=True)
        elif source.channels is not None and window.channel_id is None:
            # Old channels may not be listed any more.
            for channel in dict.fromkeys([*source.channels(), *contents.channels]):
                yield replace(window, channel_id=channel)
        elif source.channels is not None and window.acknowledged is None:
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

    @property
    def _end_is_known(self) -> bool:
        return self._client.end_included or self._excludes_end

    def _probe(self, window: Window, contents: Contents, *, refresh: bool) -> None:
        """Ask for one day that has records: an answer with any shows that ends are included."""
        days = [day for day in contents.days if window.start and window.last and window.start <= day <= window.last]
        if days:
            busy = days[len(days) // 2]
            self._client.end_included = self._holds(window, busy, refresh=refresh)
            # Without, it may be that another date is meant; for this reading it is settled.
            self._excludes_end = not self._client.end_included

    def _proves_end(self, window: Window, *, refresh: bool) -> bool:
        """Tell whether ends are included, from a full window of one day and, maybe, the next."""
        if not self._end_is_known and window.start is not None and window.end is not None:
            days = (window.start, window.end)
            self._client.end_included = any(self._holds(window, day, refresh=refresh) for day in days)
            self._excludes_end = not self._client.end_included
        return self._client.end_included

    def _holds(self, window: Window, day: date, *, refresh: bool) -> bool:
        """Tell whether `[day, day]` holds more than what happened at a midnight, of whatever zone.

        "Between" two plain days reaches to the first moment of the second one, and no further.
        """
        try:
            found = self._follower.read(replace(window, start=day, end=day, tight=True), refresh=refresh)
        except (TransportError, ApiError, InvalidRequestError):
            return False
        return found.contents.within_days

    def _is_elsewhere(self, window: Window, contents: Contents) -> bool:
        """Tell an answer that no reading of its days explains: smaller windows would only bring it again."""
        if window.start is None or window.end is None:
            return False
        days = contents.days
        return bool(days) and (max(days) < window.start - MONTH or min(days) > window.end + MONTH)

    def _learn_density(self, window: Window, rows: int) -> None:
        """Let a whole answer count for as many days as it has; a week of what was seen before is remembered."""
        shared = 0.0 if window.tight or self._excludes_end else 1.0 if self._client.end_included else 0.5
        days = window.days + shared
        known = MEMORY if self._per_day else 0
        self._per_day = (self._per_day * known + rows) / (known + days)

    def _density(self, window: Window, contents: Contents) -> float:
        """Guess the records of a day from an answer that was cut: where it is sorted, from the days it got to."""
        if window.start is None or window.end is None:
            return 0.0
        days, number = list(contents.days), count(contents)
        if window.days <= SPAN and len(days) == number > 0 and days in (sorted(days), sorted(days, reverse=True)):
            reached = days[-1]
            whole = sum(day != reached for day in days)
            span = abs((reached - (window.start if days[0] <= reached else window.end)).days)
            return whole / span if whole and span else len(days)
        return 2 * number / max(1, window.days)

    def _ask(self, window: Window, *, refresh: bool) -> WindowResult | str:
        """Ask one window; a failure that a smaller window can't help is raised, another one is the reason given."""
        if self._spent.requests + self._spent.cached >= MOST_ANSWERS:
            self._end = f"not asked, because {MOST_ANSWERS:,} answers did not settle the rest"
        if self._end:
            return self._end
        try:
            kept = None if refresh else self._recalled.get(window)
            found = kept or self._from_ahead(window) or self._follower.read(window, refresh=refresh)
        except (TransportError, ApiError) as error:
            # The first answer decides whether anything works; later ones leave a hole that can be named.
            if self._spent.requests + self._spent.cached == 0 or is_final(error):
                raise
            self._silent += 1
            if isinstance(error, RateLimitedError) or self._silent == PATIENCE:
                self._end = f"not asked, because {describe_window(window)} got no answer: {error}"
            return str(error)
        self._silent = 0
        return found

    def _from_ahead(self, window: Window) -> WindowResult | None:
        """Take a window that was read before its turn."""
        try:
            return self._ahead[window].result() if window in self._ahead else None
        except CancelledError:
            return None
