"""Windows and pages -> every record, or a verdict on what is missing.

A window is a question: days, a channel, order numbers. Where the answer has page words, its pages are
followed. Where it has none, it is whole only if nothing suggests that it was cut; else the window is
halved and asked again. A window that can't be halved any further is reported as missing: an answer that
may have been cut never passes as whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from cenports_nb.errors import ApiError, TransportError, UnexpectedAnswerError

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
    """

    path: str
    limit: int
    parameters: Callable[[Window], dict[str, Any]]
    known_caps: tuple[int, ...]
    keep: Callable[[Window], bool] = lambda _: True


class Meta(msgspec.Struct):
    """Laravel's page words in a `meta` object."""

    current_page: int | None = None
    last_page: int | None = None
    total: int | None = None


class Links(msgspec.Struct):
    """Laravel's page words in a `links` object."""

    next: str | None = None


class Page(msgspec.Struct):
    """An envelope around a list, with or without page words."""

    data: msgspec.Raw = msgspec.Raw()
    next_page_url: str | msgspec.UnsetType | None = msgspec.UNSET
    current_page: int | None = None
    last_page: int | None = None
    total: int | None = None
    links: Links | msgspec.UnsetType | None = msgspec.UNSET
    meta: Meta | None = None

    @property
    def paged(self) -> bool:
        """Whether the answer has any word about pages."""
        words = (self.current_page, self.last_page, self.total, self.meta)
        return any(word is not None for word in words) or not (
            self.next_page_url is msgspec.UNSET and self.links is msgspec.UNSET
        )

    @property
    def next(self) -> str | None:
        """The address of the next page, if it is told."""
        if isinstance(self.next_page_url, str):
            return self.next_page_url
        return self.links.next if isinstance(self.links, Links) else None

    @property
    def place(self) -> Meta:
        """Current page, last page and total, wherever they stand."""
        meta = self.meta or Meta()
        return Meta(
            self.current_page or meta.current_page,
            self.last_page or meta.last_page,
            self.total if self.total is not None else meta.total,
        )


@dataclass
class _Ledger:
    """What a reading has used so far."""

    requests: int = 0
    cached: int = 0
    oldest: datetime | None = None
    progress: Callable[[int], None] = field(default=lambda _: None)


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
    ledger = _Ledger(progress=progress or (lambda _: None))
    records: list[msgspec.Raw] = []
    asked: list[Window] = []
    missing: list[Missing] = []
    for window in windows:
        for part, found, reason in _read_window(client, source, window, ledger, refresh=refresh):
            records += found
            asked += [part] * len(found)
            if reason:
                missing.append(Missing(part, reason))
    return Read(
        tuple(records), tuple(asked), tuple(missing), ledger.oldest, ledger.requests, ledger.cached
    )


def _read_window(
    client: Client, source: Source, window: Window, ledger: _Ledger, *, refresh: bool
) -> Iterator[tuple[Window, list[msgspec.Raw], str]]:
    """Read one window, halving it as often as needed; each part comes with a reason if it is not whole."""
    try:
        found, paged, reason = _ask(client, source, window, ledger, refresh=refresh)
    except (TransportError, ApiError) as error:
        # The first answer decides whether anything works; later ones leave a hole that can be named.
        if ledger.requests == 0 or isinstance(error, ApiError) and error.status in (400, 401, 403):
            raise
        yield window, [], str(error)
        return
    if reason or paged or _looks_whole(len(found), source):
        yield window, found, reason
        return
    halves = window.halves()
    if halves:
        for half in halves:
            yield from _read_window(client, source, half, ledger, refresh=refresh)
        return
    yield _single_day(client, source, window, found, ledger, refresh=refresh)


def _single_day(
    client: Client, source: Source, window: Window, found: list[msgspec.Raw], ledger: _Ledger, *, refresh: bool
) -> tuple[Window, list[msgspec.Raw], str]:
    """Try `[d, d]` where `[d, d + 1]` looks cut: rows in it prove that the end is included."""
    cut = f"{len(found)} records, where an answer may be cut at that number, and the window can't be split further"
    if window.start is None or window.end is None or window.start == window.end or window.order_nos:
        return window, found, cut
    day = replace(window, end=window.start)
    inner, paged, _ = _ask(client, source, day, ledger, refresh=refresh)
    if inner and (paged or _looks_whole(len(inner), source)):
        return day, inner, ""
    return window, [*found, *inner], cut


def _looks_whole(rows: int, source: Source) -> bool:
    """Tell whether an answer without page words can't have been cut."""
    return rows < source.limit and rows not in source.known_caps


def _ask(
    client: Client, source: Source, window: Window, ledger: _Ledger, *, refresh: bool
) -> tuple[list[msgspec.Raw], bool, str]:
    """Ask one window with all its pages: records, whether there were page words, what is wrong."""
    reason = ""
    for reading in range(READINGS):
        records, paged, total = _follow(client, source, window, ledger, refresh=refresh or reading > 0)
        distinct = len({bytes(record) for record in records})
        if not paged or total is None or distinct == total:
            return records, paged, ""
        reason = f"the pages hold {distinct} records where the answer promises {total}, {READINGS} times over"
    return records, True, reason


def _follow(
    client: Client, source: Source, window: Window, ledger: _Ledger, *, refresh: bool
) -> tuple[list[msgspec.Raw], bool, int | None]:
    """Read an answer and the pages that it points to."""
    parameters = source.parameters(window)
    records: list[msgspec.Raw] = []
    url: str | None = None
    number = 1
    seen: set[str] = set()
    while True:
        asked = parameters if number == 1 else {**parameters, "page": number}
        answer = client.get(source.path, asked, url=url, refresh=refresh, keep=source.keep(window))
        ledger.requests += not answer.cached
        ledger.cached += answer.cached
        ledger.oldest = min(filter(None, (ledger.oldest, answer.at)))
        ledger.progress(1)
        page, found = open_page(source.path, answer.body)
        records += found
        place = page.place
        if page.next is None and (place.last_page is None or number >= place.last_page):
            return records, page.paged, place.total
        if not found:
            raise UnexpectedAnswerError(
                f"Page {number} of GET {source.path} is empty and points to a further one: ask Cenports' integration team."
            )
        number += 1
        url = page.next or f"{client.settings.base_url}{source.path}?{urlencode({'page': number})}"
        if url in seen or number > MOST_PAGES:
            raise UnexpectedAnswerError(f"The pages of GET {source.path} lead in a circle at page {number}.")
        seen.add(url)


def open_page(path: str, body: bytes) -> tuple[Page, list[msgspec.Raw]]:
    """Take the records out of an envelope: a bare list or object, `data` with a list or an object.

    Raises:
        UnexpectedAnswerError: None of these.
    """
    try:
        if body.lstrip()[:1] == b"[":
            return Page(), msgspec.json.decode(body, type=list[msgspec.Raw])
        page = msgspec.json.decode(body, type=Page, strict=False)
        data = bytes(page.data).lstrip()
        if data[:1] == b"[":
            return page, msgspec.json.decode(data, type=list[msgspec.Raw])
        if data[:1] == b"{":
            return page, [msgspec.Raw(data)]
        if data == b"" and b'"data"' not in body and b'"orderNo"' in body:
            return Page(), [msgspec.Raw(body)]
        if data in (b"", b"null") and b'"data"' in body:
            return page, []
    except msgspec.ValidationError as error:
        raise UnexpectedAnswerError(f"GET {path} answered in an unknown shape: {error}.") from None
    start = body[:80].decode("utf-8", "replace")
    raise UnexpectedAnswerError(f"GET {path} answered in an unknown shape, beginning {start!r}.")


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


