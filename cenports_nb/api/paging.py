"""Windows and pages -> every record, or a verdict on what is missing.

A window is a question: days, a channel, order numbers. Where the answer has page words, its pages are
followed. Where it has none, it is whole only if nothing suggests that it was cut; else the window is
split and asked again: by days, then by channel and acknowledgement. A window that can't be split any
further is reported as missing: an answer that may have been cut never passes as whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from cenports_nb.api.pages import open_page
from cenports_nb.errors import ApiError, InvalidRequestError, TransportError, UnexpectedAnswerError

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

DAY = timedelta(days=1)
READINGS = 3  # times a set that moves while it is paged is read again
MOST_PAGES = 10_000
NUMBERS_SIZE = 255  # "orders | string(255)"


@dataclass(frozen=True)
class Window:
    """One question to an end point; `start` is taken as included, `end` as included or not."""

    start: date | None = None
    end: date | None = None
    channel_id: str | None = None
    order_nos: tuple[str, ...] = ()
    acknowledged: bool | None = None

    def halves(self) -> tuple[Window, ...]:
        """Split the question; halves share their edge day, because an end may not be included."""
        if len(self.order_nos) > 1:
            middle = len(self.order_nos) // 2
            return (
                replace(self, order_nos=self.order_nos[:middle]),
                replace(self, order_nos=self.order_nos[middle:]),
            )
        if self.start is None or self.end is None or self.end - self.start <= DAY:
            return ()
        edge = self.start + (self.end - self.start) // 2
        return replace(self, end=edge), replace(self, start=edge)


@dataclass(frozen=True)
class Missing:
    """A window that could not be read whole, and why."""

    window: Window
    reason: str


@dataclass(frozen=True)
class Read:
    """What was read: every record in the order it came, and what is known to be missing.

    Attributes:
        records: JSON of each record, unread.
        asked: The window that each record answers.
        missing: Windows that are not whole.
        oldest: When the oldest answer used was fetched, UTC; None if there was none.
        requests: Answers fetched.
        cached: Answers taken from the cache.
    """

    records: tuple[msgspec.Raw, ...] = ()
    asked: tuple[Window, ...] = ()
    missing: tuple[Missing, ...] = ()
    oldest: datetime | None = None
    requests: int = 0
    cached: int = 0


@dataclass(frozen=True)
class Source:
    """How one end point is asked.

    Attributes:
        path: The end point.
        limit: The most records that one answer may have.
        parameters: A window as this end point names it.
        known_caps: Lengths at which answers are known to be cut silently.
        keep: Whether the window's answers may be kept in the cache.
        identity: What makes two copies of a record the same record.
        channels: Where a window may be split by channel and acknowledgement, the channels to split by.
    """

    path: str
    limit: int
    parameters: Callable[[Window], dict[str, Any]]
    known_caps: tuple[int, ...]
    keep: Callable[[Window], bool] = lambda _: True
    identity: Callable[[msgspec.Raw], object] = bytes
    channels: Callable[[], Sequence[str]] | None = None


def read(
    client: Client,
    source: Source,
    windows: Sequence[Window],
    *,
    refresh: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Read:
    """Read every record of these windows.

    Args:
        client: The account.
        source: The end point.
        windows: What to ask for.
        refresh: Ask Cenports even if the cache has it.
        progress: Called with 1 after each answer.

    Raises:
        CenportsError: The first answer already failed in a way that a smaller window can't help.
    """
    reader = _Reader(client, source, refresh=refresh, progress=progress or (lambda _: None))
    records: list[msgspec.Raw] = []
    asked: list[Window] = []
    missing: list[Missing] = []
    for window in windows:
        for part, found, reason in reader.window(window):
            records += found
            asked += [part] * len(found)
            if reason:
                missing.append(Missing(part, reason))
    return Read(tuple(records), tuple(asked), tuple(missing), reader.oldest, reader.requests, reader.cached)


Part = tuple[Window, list[msgspec.Raw], str]
"""A window, what it answers, and why that is not whole, if it is not."""


@dataclass(frozen=True)
class _Found:
    """The answer to one window, all pages of it; `whole` is None if no page word says so or otherwise."""

    records: list[msgspec.Raw]
    whole: bool | None
    reason: str = ""


@dataclass
class _Reader:
    """One reading of one end point, and what it has learnt and used so far."""

    client: Client
    source: Source
    refresh: bool
    progress: Callable[[int], None]
    requests: int = 0
    cached: int = 0
    oldest: datetime | None = None
    longest: int = 0  # answer without page words
    end_included: bool = False  # proven by rows in a window of one day

    def window(self, window: Window) -> Iterator[Part]:
        """Read one window, split as often as needed; each part comes with a reason if it is not whole."""
        try:
            found = self._ask(window)
        except (TransportError, ApiError) as error:
            # The first answer decides whether anything works; later ones leave a hole that can be named.
            if self.requests == 0 or (isinstance(error, ApiError) and error.status in (400, 401, 403)):
                raise
            yield window, [], str(error)
            return
        if found.reason or self._looks_whole(found, window):
            yield window, found.records, found.reason
        elif halves := window.halves():
            for half in halves:
                yield from self.window(half)
        elif day := self._single_day(window):
            yield from self.window(day)
        else:
            yield from self._finest(window, found)

    def _looks_whole(self, found: _Found, window: Window) -> bool:
        """Tell whether an answer can't have been cut.

        Without page words it may be, at the limit, at a known cap, or at one that nobody knows: then it is as
        long as the longest answer of this end point. Below the lowest known cap nothing is ever cut.
        """
        if found.whole is not None:
            return found.whole
        rows, caps = len(found.records), self.source.known_caps
        if rows >= self.source.limit or rows in caps:
            return False
        return window.start is None or rows < max(self.longest, min(caps, default=0))

    def _single_day(self, window: Window) -> Window | None:
        """Turn `[d, d + 1]` into `[d, d]` where a row in a window of one day proves that ends are included."""
        if window.start is None or window.end is None or window.start == window.end or window.order_nos:
            return None
        days = [replace(window, end=window.start), replace(window, start=window.end)]
        try:
            self.end_included = self.end_included or any(self._ask(day).records for day in days)
        except (TransportError, ApiError, InvalidRequestError):
            return None
        return days[0] if self.end_included else None

    def _finest(self, window: Window, found: _Found) -> Iterator[Part]:
        """Split by channel, then by acknowledgement; every row of the cut answer must be in a part."""
        parts: list[Part] = []
        if self.source.channels is not None:
            if window.channel_id is None:
                smaller = [replace(window, channel_id=channel) for channel in self.source.channels()]
            elif window.acknowledged is None:
                smaller = [replace(window, acknowledged=answer) for answer in (False, True)]
            else:
                smaller = []
            parts = [part for less in smaller for part in self.window(less)]
        known = {self.source.identity(record) for _, records, _ in parts for record in records}
        strays = [record for record in found.records if self.source.identity(record) not in known]
        yield from parts
        if strays or not parts:
            rows = f"{len(found.records)} records, where an answer may be cut at that number"
            yield window, strays, f"{rows}, and the window can't be split further"

    def _ask(self, window: Window) -> _Found:
        """Ask one window with all its pages; a set that moves meanwhile is read again."""
        reason = ""
        for reading in range(READINGS):
            records, ended, total = self._follow(window, refresh=self.refresh or reading > 0)
            distinct = len({self.source.identity(record) for record in records})
            if total is None and not ended:
                self.longest = max(self.longest, len(records))
                return _Found(records, None)
            if total is None or distinct == total:
                return _Found(records, whole=True)
            if not ended and distinct < total:
                return _Found(records, whole=False)  # the total tells of more, and nothing tells how to get it
            reason = f"the pages hold {distinct} records where the answer promises {total}, {READINGS} times over"
        return _Found(records, whole=False, reason=reason)

    def _follow(self, window: Window, *, refresh: bool) -> tuple[list[msgspec.Raw], bool, int | None]:
        """Read an answer and the pages that it points to: records, whether the end is told, the total."""
        source = self.source
        parameters = source.parameters(window)
        records: list[msgspec.Raw] = []
        url: str | None = None
        number = 1
        seen: set[str] = set()
        while True:
            asked = parameters if number == 1 else {**parameters, "page": number}
            answer = self.client.get(source.path, asked, url=url, refresh=refresh, keep=source.keep(window))
            self.requests += not answer.cached
            self.cached += answer.cached
            self.oldest = min(filter(None, (self.oldest, answer.at)))
            self.progress(1)
            page, found = open_page(source.path, answer.body)
            records += found
            if page.next is None and (page.last is None or number >= page.last):
                return records, page.tells_end, page.whole
            if not found:
                raise UnexpectedAnswerError(
                    f"Page {number} of GET {source.path} is empty and points to a further one: "
                    "ask Cenports' integration team."
                )
            number += 1
            url = page.next or f"{self.client.settings.base_url}{source.path}?{urlencode({'page': number})}"
            if url in seen or number > MOST_PAGES:
                raise UnexpectedAnswerError(
                    f"The pages of GET {source.path} lead in a circle at page {number}: ask Cenports' integration team."
                )
            seen.add(url)


def chunks_of(order_nos: Sequence[str], size: int = NUMBERS_SIZE) -> Iterator[tuple[str, ...]]:
    """Cut order numbers so that each chunk, joined by commas, fits the API's text of 255."""
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
