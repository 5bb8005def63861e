"""Windows from the cache: all pages of one, if they are young enough, or none.

Other threads decode pages, a few megabytes at a time, while the next ones are read.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from cenports_nb.api.retrieval.decoded_page import DECODE_THREADS, DecodedPage
from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec
from cenports_nb.api.retrieval.pagination import follow_pages
from cenports_nb.api.retrieval.results import PageSet, RequestCounter, WindowResult
from cenports_nb.api.retrieval.windows import Window
from cenports_nb.errors import UnexpectedAnswerError

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.api.http.record_page import RecordPage
    from cenports_nb.api.http.session import ApiRequest, PageResponse

CHUNK_BYTES = 8 * 2**20
"""Bytes decoded at once: fewer need more calls, more need more memory."""
MAX_QUEUED_CHUNKS = 2
"""Chunks that wait to be decoded, so that not all pages of a large window are in memory."""


def read_cached_windows(
    client: Client,
    spec: EndpointSpec,
    counter: RequestCounter,
    windows: Iterable[Window],
    *,
    any_age: bool = False,
) -> dict[Window, WindowResult]:
    """Read windows from the cache; leave out those that are missing or too old.

    Args:
        client: The account.
        spec: The end point.
        counter: Counts the pages used.
        windows: The windows.
        any_age: Accept pages of any age.
    """
    cached: list[_CachedWindow] = []
    with ThreadPoolExecutor(DECODE_THREADS, thread_name_prefix="cenports-decode") as pool:
        queue = _DecodeQueue(pool, spec)
        for window in windows:
            one = _CachedWindow(client, spec, window, math.inf if any_age else spec.max_age(window))
            try:
                one.chunks = queue.decode(window, one.pages())
            except (_NotCachedError, UnexpectedAnswerError):
                continue
            cached.append(one)
    results: dict[Window, WindowResult] = {}
    for one in cached:
        result = one.judge()
        if result is not None:
            results[one.window] = result
            for response in one.responses:
                counter.count(response)
    return results


class _CachedWindow:
    """The cached pages of one window."""

    def __init__(self, client: Client, spec: EndpointSpec, window: Window, max_age: float) -> None:
        self.window = window
        self.responses: list[PageResponse] = []
        self.chunks: dict[int, Future[DecodedPage]] = {}
        self._client = client
        self._spec = spec
        self._max_age = max_age
        self._pages = PageSet()

    def pages(self) -> Iterator[tuple[int, RecordPage]]:
        """Follow the pages, and record what each says about others."""
        if self._max_age <= 0:
            raise _NotCachedError
        for number, page in follow_pages(self._spec, self.window, self._find):
            self._pages.infos[number] = page.info
            yield number, page

    def judge(self) -> WindowResult | None:
        """Return the window, if it is complete and young enough."""
        self._pages.decoded = {number: chunk.result() for number, chunk in self.chunks.items()}
        at = self._pages.at = min(response.at for response in self.responses)
        result = self._pages.judge(self._spec, is_fresh=False)
        age = (self._client.clock.now() - at).total_seconds()
        is_old = self._max_age != math.inf and age > self._spec.unsettled_age
        return None if result.reason or (is_old and not result.contents.is_settled) else result

    def _find(self, request: ApiRequest) -> RecordPage:
        response = self._client.session.find_page(request, self._max_age)
        if response is None:
            raise _NotCachedError
        self.responses.append(response.without_records())  # its decoded records are in the chunks
        return response.page


class _DecodeQueue:
    """Decodes pages on other threads, a limited number at a time to save memory."""

    def __init__(self, pool: ThreadPoolExecutor, spec: EndpointSpec) -> None:
        self._pool = pool
        self._spec = spec
        self._queued: deque[Future[DecodedPage]] = deque()

    def decode(self, window: Window, pages: Iterator[tuple[int, RecordPage]]) -> dict[int, Future[DecodedPage]]:
        """Decode pages in chunks, keyed by the number of their first page."""
        chunks: dict[int, Future[DecodedPage]] = {}
        first, chunk, size = 1, list[bytes | memoryview](), 0
        for number, page in pages:
            if size >= CHUNK_BYTES:
                chunks[first] = self._submit(window, chunk)
                first, chunk, size = number, [], 0
            chunk.append(page.records)
            size += len(page.records)
        chunks[first] = self._submit(window, chunk)
        return chunks

    def _submit(self, window: Window, chunk: list[bytes | memoryview]) -> Future[DecodedPage]:
        while len(self._queued) >= MAX_QUEUED_CHUNKS:
            self._queued.popleft().exception()
        self._queued.append(self._pool.submit(self._spec.decode, window.channel_id, chunk))
        return self._queued[-1]


class _NotCachedError(Exception):
    """A page is not in the cache, or too old."""
