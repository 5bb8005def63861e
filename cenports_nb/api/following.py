"""One window and all its pages: from the cache if every page is there, else from Cenports.

Pages of one reading are of one age: all kept or all fresh, because a page of yesterday beside one of today
may lack the order that moved from one to the other. A set that moves while it is paged is read again.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from cenports_nb.api.abreast import THREADS, side_by_side
from cenports_nb.api.pages import Page, open_page
from cenports_nb.api.windows import Window
from cenports_nb.errors import ApiError, CenportsError, OfflineMissError, TransportError, UnexpectedAnswerError

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.api.wire import Answer, Question

READINGS = 3  # times a set that moves while it is paged is read
MOST_PAGES = 10_000


@dataclass(frozen=True)
class Source:
    """How one end point is asked.

    Attributes:
        path: The end point.
        limit: The most records that one answer may have.
        parameters: A window as this end point names it.
        known_caps: Lengths at which answers are known to be cut silently.
        max_age: How old the kept answers to a window may be; 0 where they must not be kept.
        settles: Tells records that nothing will change any more; others may only be `unsettled_age` old.
        unsettled_age: See `settles`.
        identity: What makes two copies of a record the same record.
        rows: The rows that a record holds, where the total of an answer may count those.
        day: The day of a record, as a hint for how to cut a window.
        channels: Where a window may be split by channel and acknowledgement, the channels to split by.
        channel: The channel of a record.
    """

    path: str
    limit: int
    parameters: Callable[[Window], dict[str, Any]]
    known_caps: tuple[int, ...]
    max_age: Callable[[Window], float] = lambda _: math.inf
    settles: Callable[[Sequence[msgspec.Raw]], bool] = lambda _: True
    unsettled_age: float = math.inf
    identity: Callable[[msgspec.Raw], object] = bytes
    rows: Callable[[msgspec.Raw], int] | None = None
    day: Callable[[msgspec.Raw], str] | None = None
    channels: Callable[[], Sequence[str]] | None = None
    channel: Callable[[msgspec.Raw], str | None] = lambda _: None


@dataclass
class Spent:
    """What a reading has used: answers fetched and kept, the oldest of them, UTC."""

    requests: int = 0
    cached: int = 0
    oldest: datetime | None = None
    step: Callable[[int], None] = lambda _: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, answer: Answer) -> None:
        """Count one answer, of any thread."""
        with self.lock:
            self.requests += not answer.cached
            self.cached += answer.cached
            self.oldest = answer.at if self.oldest is None else min(self.oldest, answer.at)
            self.step(1)


@dataclass(frozen=True)
class Found:
    """What one window answers, all pages of it.

    Attributes:
        records: JSON of each record.
        whole: None if no page word tells.
        fresh: Whether it was fetched just now.
        reason: Why it is not whole, where it can't be.
    """

    records: list[msgspec.Raw]
    whole: bool | None
    fresh: bool
    reason: str = ""


@dataclass
class _Pages:
    """The pages of one reading, in order, and what they tell of the whole."""

    pages: dict[int, tuple[Page, list[msgspec.Raw]]] = field(default_factory=dict)
    reason: str = ""

    @property
    def records(self) -> list[msgspec.Raw]:
        return [record for number in sorted(self.pages) for record in self.pages[number][1]]

    @property
    def totals(self) -> set[int]:
        return {page.whole for page, _ in self.pages.values() if page.whole is not None}

    @property
    def tells_end(self) -> bool:
        return self.pages[max(self.pages)][0].tells_end

    def distinct(self, identity: Callable[[msgspec.Raw], object]) -> int:
        """Count records, one that came again on a later page once: that is how a shift shows."""
        seen: set[object] = set()
        count = 0
        for number in sorted(self.pages):
            found = [identity(record) for record in self.pages[number][1]]
            count += sum(item not in seen for item in found)
            seen.update(found)
        return count


class Follower:
    """Reads windows of one source."""

    def __init__(self, client: Client, source: Source, spent: Spent) -> None:
        self._client = client
        self._source = source
        self._spent = spent
        self._gate = threading.BoundedSemaphore(THREADS)
        self.stopped = threading.Event()  # nobody waits any more: what has not been sent stays unsent
        self.on_pages: Callable[[], None] = lambda: None  # called once an answer tells how much there is

    def read(self, window: Window, *, refresh: bool) -> Found:
        """Read one window with all its pages.

        Raises:
            CenportsError: The first page could not be read.
            OfflineMissError: The client is offline and a page is not in the cache.
        """
        offline = self._client.settings.offline
        kept = None if refresh and not offline else self._kept(window, math.inf if offline else None)
        if kept is not None:
            return self._verdict(kept, fresh=False)
        if offline:
            raise OfflineMissError(
                f"GET {self._source.path} for {told(window)} is not in the cache, and this client is offline: "
                "ask for what was loaded before, or connect without offline=True."
            )
        before: set[object] | None = None
        for _ in range(READINGS):
            pages = self._fetched(window)
            found = self._verdict(pages, fresh=True)
            if pages.reason:
                return found
            if found.reason:  # the set moved between two pages
                continue
            if len(pages.pages) == 1 or window.acknowledged is None:
                return found
            # Acknowledging takes an order out of the set, and one that arrives hides that from the total. What
            # slipped between two pages was there in an earlier look.
            keys = {self._source.identity(record) for record in found.records}
            if before is not None and before <= keys:
                return found
            before = keys
            found = Found(found.records, False, fresh=True, reason=f"its pages differ, {READINGS} times over")
        return found

    def _verdict(self, pages: _Pages, *, fresh: bool) -> Found:
        """Tell whether pages are the whole of a set that stood still."""
        records, totals = pages.records, pages.totals
        if pages.reason:
            return Found(records, False, fresh, pages.reason)
        if not totals:
            return Found(records, True if pages.tells_end else None, fresh)
        distinct = pages.distinct(self._source.identity)
        rows = self._source.rows
        if totals == {distinct} or (rows is not None and totals == {sum(map(rows, records))}):
            return Found(records, True, fresh)
        if not pages.tells_end and distinct < max(totals):
            return Found(records, False, fresh)  # the total tells of more, and nothing tells how to get it
        promised = " or ".join(map(str, sorted(totals)))
        return Found(
            records, False, fresh, f"the pages hold {distinct} records where the answer promises {promised}, "
            f"{READINGS} times over",
        )  # fmt: skip

    def _kept(self, window: Window, age: float | None) -> _Pages | None:
        """Read a window from the cache: every page of it, young enough, or nothing."""
        age = self._source.max_age(window) if age is None else age
        if age <= 0:
            return None
        oldest: list[datetime] = []
        answers: list[Answer] = []

        def look(question: Question) -> Answer:
            answer = self._client.wire.find(question, age)
            if answer is None:
                raise _NotKeptError
            oldest.append(answer.at)
            answers.append(answer)
            return answer

        try:
            pages = self._one_by_one(window, look)
        except (_NotKeptError, UnexpectedAnswerError):
            return None
        if self._verdict(pages, fresh=False).reason:
            return None
        now = self._client.clock.now()
        stale = (now - min(oldest)).total_seconds() > self._source.unsettled_age
        if stale and age != math.inf and not self._source.settles(pages.records):
            return None
        for answer in answers:
            self._spent.count(answer)
        return pages

    def _fetched(self, window: Window) -> _Pages:
        """Ask Cenports for a window: the first page, then the others, several at once if their number is known."""
        keep = self._source.max_age(window) > 0

        def ask(question: Question) -> Answer:
            with self._gate:
                if self.stopped.is_set():
                    raise StoppedError
                return self._client.wire.fetch(question, keep=keep)

        def count(question: Question) -> Answer:
            answer = ask(question)
            self._spent.count(answer)
            return answer

        first, records = self._page(window, 1, None, count)
        if first.tells_end or first.whole is not None:
            self.on_pages()
        link = _numbered(first.next)
        last = first.last or 1
        if last < 3 or not records or (first.next is not None and link is None):
            return self._one_by_one(window, count, (first, records))
        _check_number(self._source.path, last)
        found = _Pages({1: (first, records)})

        def further(number: int) -> tuple[Answer, Page, list[msgspec.Raw]]:
            url = link(number) if link else self._url(number)
            answer = ask(self._question(window, number, url))
            return answer, *open_page(self._source.path, answer.body)

        for number, page in side_by_side(further, range(2, last + 1), THREADS):
            if isinstance(page, Exception):
                found.reason = _hole(page, number)
                return found
            self._spent.count(page[0])
            found.pages[number] = page[1], page[2]
        return found

    def _one_by_one(
        self,
        window: Window,
        get: Callable[[Question], Answer],
        first: tuple[Page, list[msgspec.Raw]] | None = None,
    ) -> _Pages:
        """Follow pages as each one points to the next."""
        path = self._source.path
        page, records = first or self._page(window, 1, None, get)
        found = _Pages({1: (page, records)})
        link = _numbered(page.next)
        number = 1
        seen: set[str] = set()
        while page.next is not None or (page.last is not None and number < page.last):
            if not records:
                raise UnexpectedAnswerError(
                    f"Page {number} of GET {path} is empty and points to a further one: ask Cenports' integration team."
                )
            number += 1
            url = link(number) if link else page.next or self._url(number)
            if url in seen:
                raise UnexpectedAnswerError(
                    f"The pages of GET {path} lead in a circle at page {number}: ask Cenports' integration team."
                )
            _check_number(path, number)
            seen.add(url)
            try:
                page, records = self._page(window, number, url, get)
            except (TransportError, ApiError) as error:
                found.reason = _hole(error, number)
                return found
            found.pages[number] = page, records
            link = link if page.next is None else _numbered(page.next, number + 1)
        return found

    def _page(
        self, window: Window, number: int, url: str | None, get: Callable[[Question], Answer]
    ) -> tuple[Page, list[msgspec.Raw]]:
        return open_page(self._source.path, get(self._question(window, number, url)).body)

    def _question(self, window: Window, number: int, url: str | None) -> Question:
        """Ask for a page: all that was asked before, with its number; the server may have forgotten the rest."""
        parameters = self._source.parameters(window)
        asked = parameters if number == 1 else {**parameters, "page": number}
        return self._client.question(self._source.path, asked, url)

    def _url(self, number: int) -> str:
        return f"{self._client.settings.base_url}{self._source.path}?{urlencode({'page': number})}"


class StoppedError(Exception):
    """The reading is over."""


class _NotKeptError(Exception):
    """A page is not in the cache, or too old."""


def _numbered(url: str | None, number: int = 2) -> Callable[[int], str] | None:
    """Turn the address of one page into the addresses of any, if its number is in it."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    query = parse_qsl(parts.query, keep_blank_values=True)
    if ("page", str(number)) not in query:
        return None

    def of(number: int) -> str:
        return parts._replace(query=urlencode([(k, str(number) if k == "page" else v) for k, v in query])).geturl()

    return of


def told(window: Window) -> str:
    """Name a window for a person."""
    parts = [f"{window.start} to {window.end}"] if window.start else []
    parts += [f"channel {window.channel_id}"] if window.channel_id else []
    parts += [f"{len(window.order_nos)} order numbers"] if window.order_nos else []
    if window.acknowledged is not None:
        parts.append("acknowledged" if window.acknowledged else "not acknowledged")
    return ", ".join(parts) or "everything"


def _hole(error: Exception, number: int) -> str:
    """Say why a page is missing; what is no failure of the wire is raised."""
    if not isinstance(error, TransportError | ApiError) or is_final(error):
        raise error
    return f"page {number}: {error}"


def is_final(error: CenportsError) -> bool:
    """Tell an error that no smaller or later question can help."""
    return isinstance(error, ApiError) and error.status in (400, 401, 403)


def _check_number(path: str, number: int) -> None:
    if number > MOST_PAGES:
        raise UnexpectedAnswerError(
            f"GET {path} tells of more than {MOST_PAGES:,} pages: ask for fewer days, or Cenports' integration team."
        )
