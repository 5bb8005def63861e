"""One window and all its pages, asked of Cenports.

Pages of one reading are of one age: all kept or all fresh, because a page of yesterday beside one of today
may lack the order that moved from one to the other. A set that moves while it is paged is read again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from cenports_nb.api.concurrency import MAX_THREADS, run_concurrently
from cenports_nb.api.retrieval.cached_windows import WORKERS, recall
from cenports_nb.api.retrieval.decoded_page import Contents
from cenports_nb.api.retrieval.endpoint_spec import READINGS, EndpointSpec, Pages, RequestCounter, WindowResult
from cenports_nb.api.retrieval.memory import trim_heap
from cenports_nb.api.retrieval.page_info import Page, is_empty, open_page
from cenports_nb.api.retrieval.pagination import address_of, check_number, numbered, page_of, question_of, walk
from cenports_nb.api.retrieval.windows import Window
from cenports_nb.errors import ApiError, CenportsError, OfflineMissError, TransportError

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.api.http.session import ApiRequest, ApiResponse


class WindowReader:
    """Reads windows of one source."""

    def __init__(self, client: Client, source: EndpointSpec, spent: RequestCounter) -> None:
        self._client = client
        self._source = source
        self._spent = spent
        self._gate = threading.BoundedSemaphore(MAX_THREADS)
        # Pages are opened by few threads: each takes a few times its size, and what they leave in memory lies together.
        self._desk = ThreadPoolExecutor(WORKERS, thread_name_prefix="cenports-open")
        self.stopped = threading.Event()  # nobody waits any more: what has not been sent stays unsent
        self.on_pages: Callable[[], None] = lambda: None  # called once an answer tells how much there is

    def stop(self) -> None:
        """Send nothing more: nobody waits for it."""
        self.stopped.set()
        self._desk.shutdown(wait=False)

    def read(self, window: Window, *, refresh: bool) -> WindowResult:
        """Read one window with all its pages.

        Raises:
            CenportsError: The first page could not be read.
            OfflineMissError: The client is offline and a page is not in the cache.
        """
        offline = self._client.settings.offline
        if offline or not refresh:
            kept = recall(self._client, self._source, self._spent, [window], any_age=offline)
            if window in kept:
                return kept[window]
        if offline:
            raise OfflineMissError(
                f"GET {self._source.path} for {describe_window(window)} is not in the cache, and this client is offline: "
                "ask for what was loaded before, or connect without offline=True."
            )
        return self.fetch(window)

    def fetch(self, window: Window) -> WindowResult:
        """Ask Cenports for one window with all its pages, whatever the cache has.

        Raises:
            CenportsError: The first page could not be read.
        """
        before: set[object] | None = None
        for _ in range(READINGS):
            pages = self._fetched(window)
            pages.opened = {1: self._source.join([pages.opened[number] for number in sorted(pages.opened)])}
            trim_heap()
            found = pages.judge(self._source, fresh=True)
            if pages.reason:
                return found
            if found.reason:  # the set moved between two pages
                continue
            if len(pages.words) == 1 or window.acknowledged is None:
                return found
            # Acknowledging takes an order out of the set, and one that arrives hides that from the total. What
            # slipped between two pages was there in an earlier look.
            keys = set(found.contents.identities)
            if before is not None and before <= keys:
                return found
            before = keys
            found = WindowResult(found.contents, False, True, f"its pages differ, {READINGS} times over", found.at)
        return found

    def _fetched(self, window: Window) -> Pages:
        """Ask for a window: the first page, then the others, several at once if their number is known."""
        found = Pages()

        def get(question: ApiRequest) -> ApiResponse:
            with self._gate:
                answer = self._ask(window, question)
            self._count(answer, found)
            return answer

        first, listed = page_of(self._client, self._source, window, get)
        if first.tells_end or first.whole is not None:
            self.on_pages()
        describe_window = (
            first.next is None or numbered(first.next) is not None
        )  # a link may be none that others follow from
        if (first.last or 1) >= 3 and describe_window and not is_empty(listed):
            self._abreast(window, first, listed, found)
            return found
        try:
            for number, page, more in walk(self._client, self._source, window, get, (first, listed)):
                found.words[number] = page
                found.opened[number] = self._open(window, [more])
        except (TransportError, ApiError) as error:
            found.reason = _hole(error, len(found.words) + 1)
        return found

    def _abreast(self, window: Window, first: Page, listed: bytes, found: Pages) -> None:
        """Ask for all further pages at once; each is opened before the next one is asked for in its place."""
        client, source, last = self._client, self._source, first.last or 1
        check_number(source.path, last)
        link = numbered(first.next)
        found.words[1], found.opened[1] = first, self._open(window, [listed])

        def further(number: int) -> tuple[ApiResponse, Page, Contents]:
            url = link(number) if link else address_of(client, source, number)
            with self._gate:  # until it is opened, or answers would pile up in memory
                answer = self._ask(window, question_of(client, source, window, number, url))
                page, listed = open_page(source.path, answer.body)
                return replace(answer, body=b""), page, self._open(window, [listed])

        for number, came in run_concurrently(further, range(2, last + 1), MAX_THREADS):
            if isinstance(came, Exception):
                found.reason = _hole(came, number)
                return
            answer, found.words[number], found.opened[number] = came
            self._count(answer, found)

    def _open(self, window: Window, pages: Sequence[bytes]) -> Contents:
        opened = self._desk.submit(self._source.open, window.channel_id, pages).result()
        trim_heap()  # each page comes with a second of waiting, as Cenports allows one a second
        return opened

    def _ask(self, window: Window, question: ApiRequest) -> ApiResponse:
        if self.stopped.is_set():
            raise StoppedError
        return self._client.session.fetch(question, keep=self._source.max_age(window) > 0)

    def _count(self, answer: ApiResponse, found: Pages) -> None:
        self._spent.count(answer)
        found.at = answer.at if found.at is None else min(found.at, answer.at)


class StoppedError(Exception):
    """The reading is over."""


def describe_window(window: Window) -> str:
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
