"""Fetch one window with all its pages.

The pages of one reading have the same age, all cached or all fresh: an old page beside a new one may lack an order that
moved from one to the other. A set that changes while it is paged is read again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from cenports_nb.api.concurrency import MAX_THREADS
from cenports_nb.api.retrieval.decoded_page import DECODE_THREADS, DecodedPage, trim_heap
from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec
from cenports_nb.api.retrieval.pagination import build_page_request, check_page_number, follow_pages, number_url
from cenports_nb.api.retrieval.results import MAX_READINGS, PageSet, RequestCounter, WindowResult
from cenports_nb.api.retrieval.windows import Window
from cenports_nb.errors import ApiError, CenportsError, TransportError

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.api.http.record_page import RecordPage
    from cenports_nb.api.http.session import ApiRequest, PageResponse


class WindowFetcher:
    """Fetches windows of one end point, past the cache.

    Attributes:
        on_page_count: Called when a response says how many pages there are.
    """

    def __init__(self, client: Client, spec: EndpointSpec, counter: RequestCounter) -> None:
        self._client = client
        self._spec = spec
        self._counter = counter
        self._slots = threading.BoundedSemaphore(MAX_THREADS)
        # Only a few threads decode pages, because each needs a few times a page's size and fragments memory.
        self._decoder = ThreadPoolExecutor(DECODE_THREADS, thread_name_prefix="cenports-decode")
        self._stopped = threading.Event()
        self.on_page_count: Callable[[], None] = lambda: None

    def stop(self) -> None:
        """Send no more requests."""
        self._stopped.set()
        self._decoder.shutdown(wait=False)

    def fetch(self, window: Window) -> WindowResult:
        """Fetch one window with all its pages.

        Raises:
            CenportsError: The first page could not be read.
        """
        earlier: set[object] | None = None
        for _ in range(MAX_READINGS):
            pages = self._fetch_pages(window)
            pages.decoded = {1: self._spec.join([pages.decoded[number] for number in sorted(pages.decoded)])}
            trim_heap()
            result = pages.judge(self._spec, is_fresh=True)
            if pages.reason:
                return result
            if result.reason:  # the set changed between two pages
                continue
            if len(pages.infos) == 1 or window.acknowledged is None:
                return result
            # Acknowledging removes an order from the set, and a new order hides that from the total. A record that slipped
            # between two pages was in an earlier reading.
            identities = set(result.contents.identities)
            if earlier is not None and earlier <= identities:
                return result
            earlier = identities
            reason = f"its pages differ, {MAX_READINGS} times over"
            result = WindowResult(result.contents, False, True, reason, result.at)
        return result

    def _fetch_pages(self, window: Window) -> PageSet:
        """Fetch the first page, then the others, concurrently if their number is known."""
        pages = PageSet()

        def fetch(request: ApiRequest) -> RecordPage:
            with self._slots:
                response = self._send(window, request)
            self._count(response, pages)
            return response.page

        first = fetch(build_page_request(self._spec, window))
        if first.info.tells_end or first.info.total is not None:
            self.on_page_count()
        # If the link to the next page has no number, the URLs of others can't be derived.
        is_numbered = first.info.next is None or number_url(first.info.next) is not None
        if (first.info.last or 1) >= 3 and is_numbered and not first.is_empty:
            self._fetch_concurrently(window, first, pages)
            return pages
        try:
            for number, page in follow_pages(self._spec, window, fetch, first):
                pages.infos[number] = page.info
                pages.decoded[number] = self._decode(window, page)
        except (TransportError, ApiError) as error:
            pages.reason = _explain_missing_page(error, len(pages.infos) + 1)
        return pages

    def _fetch_concurrently(self, window: Window, first: RecordPage, pages: PageSet) -> None:
        """Fetch all other pages concurrently; each is decoded before another one is fetched in its slot."""
        last = first.info.last or 1
        check_page_number(self._spec.path, last)
        numbered_url = number_url(first.info.next)
        pages.infos[1], pages.decoded[1] = first.info, self._decode(window, first)

        def fetch(number: int) -> tuple[PageResponse, DecodedPage]:
            url = numbered_url(number) if numbered_url else None
            with self._slots:  # until it is decoded, so that responses don't pile up in memory
                response = self._send(window, build_page_request(self._spec, window, number, url))
                return response.without_records(), self._decode(window, response.page)

        for number, result in self._client.runtime.run_concurrently(fetch, range(2, last + 1), MAX_THREADS):
            if isinstance(result, Exception):
                pages.reason = _explain_missing_page(result, number)
                return
            response, pages.decoded[number] = result
            pages.infos[number] = response.page.info
            self._count(response, pages)

    def _decode(self, window: Window, page: RecordPage) -> DecodedPage:
        decoded = self._decoder.submit(self._spec.decode, window.channel_id, [page.records]).result()
        trim_heap()  # cheap: the rate limit allows one page per second
        return decoded

    def _send(self, window: Window, request: ApiRequest) -> PageResponse:
        if self._stopped.is_set():
            raise StoppedError
        return self._client.session.fetch_page(request, keep=self._spec.max_age(window) > 0)

    def _count(self, response: PageResponse, pages: PageSet) -> None:
        self._counter.count(response)
        pages.at = response.at if pages.at is None else min(pages.at, response.at)


class StoppedError(Exception):
    """The retrieval is over."""


def is_final(error: CenportsError) -> bool:
    """Return whether no smaller or later request can succeed."""
    return isinstance(error, ApiError) and error.status in (400, 401, 403)


def _explain_missing_page(error: Exception, number: int) -> str:
    """Explain why a page is missing; an error that isn't about the connection is raised."""
    if not isinstance(error, TransportError | ApiError) or is_final(error):
        raise error
    return f"page {number}: {error}"
