"""Windows from the cache: every page of one, young enough, or nothing of it.

Pages are opened a few megabytes at a time and beside each other, while the next ones are read.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from cenports_nb.api.retrieval.decoded_page import Contents
from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec, Pages, RequestCounter, WindowResult
from cenports_nb.api.retrieval.pagination import walk
from cenports_nb.api.retrieval.windows import Window
from cenports_nb.errors import UnexpectedAnswerError

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.api.http.session import ApiRequest, ApiResponse

CHUNK = 4 * 2**20
"""Bytes that are opened at once: fewer cost more calls, more cost memory."""
WORKERS = 2
MOST_WAITING = 4
"""Chunks that wait to be opened, so that the pages of a large window are not all in memory."""


def recall(
    client: Client, source: EndpointSpec, spent: RequestCounter, windows: Iterable[Window], *, any_age: bool = False
) -> dict[Window, WindowResult]:
    """Read what the cache has of these windows; one that it lacks, or has too old, is left out.

    Args:
        client: The account.
        source: The end point.
        spent: Counts the answers used.
        windows: What is asked.
        any_age: Take answers of any age.
    """
    kept: list[_Kept] = []
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="cenports-open") as pool:
        opener = _Opener(pool, source)
        for window in windows:
            one = _Kept(client, source, window, math.inf if any_age else source.max_age(window))
            try:
                one.chunks = opener.open(window, one.pages())
            except (_NotKeptError, UnexpectedAnswerError):
                continue
            kept.append(one)
    found: dict[Window, WindowResult] = {}
    for one in kept:
        judged = one.judge()
        if judged is not None:
            found[one.window] = judged
            for answer in one.answers:
                spent.count(answer)
    return found


def size_of(pages: Iterable[bytes]) -> int:
    """Count the bytes of pages."""
    return sum(map(len, pages))


class _Kept:
    """What the cache has of one window."""

    def __init__(self, client: Client, source: EndpointSpec, window: Window, age: float) -> None:
        self.window = window
        self.answers: list[ApiResponse] = []
        self.chunks: dict[int, Future[Contents]] = {}
        self._client = client
        self._source = source
        self._age = age
        self._pages = Pages()

    def pages(self) -> Iterator[tuple[int, bytes]]:
        """Walk through the pages, and note their words."""
        if self._age <= 0:
            raise _NotKeptError
        for number, page, listed in walk(self._client, self._source, self.window, self._look):
            self._pages.words[number] = page
            yield number, listed

    def judge(self) -> WindowResult | None:
        """Tell what was found, if it is whole and young enough."""
        self._pages.opened = {number: chunk.result() for number, chunk in self.chunks.items()}
        at = self._pages.at = min(answer.at for answer in self.answers)
        found = self._pages.judge(self._source, fresh=False)
        old = self._age != math.inf and (self._client.clock.now() - at).total_seconds() > self._source.unsettled_age
        return None if found.reason or (old and not found.contents.settled) else found

    def _look(self, question: ApiRequest) -> ApiResponse:
        answer = self._client.session.find(question, self._age)
        if answer is None:
            raise _NotKeptError
        self.answers.append(replace(answer, body=b""))  # what is read of it lives in the pages
        return answer


class _Opener:
    """Opens pages on other threads, so many at a time that memory stays small."""

    def __init__(self, pool: ThreadPoolExecutor, source: EndpointSpec) -> None:
        self._pool = pool
        self._source = source
        self._waiting: deque[Future[Contents]] = deque()

    def open(self, window: Window, pages: Iterator[tuple[int, bytes]]) -> dict[int, Future[Contents]]:
        """Open pages in chunks; each is named by the number of its first page."""
        chunks: dict[int, Future[Contents]] = {}
        first, chunk = 1, list[bytes]()
        for number, listed in pages:
            if size_of(chunk) >= CHUNK:
                chunks[first] = self._submit(window, chunk)
                first, chunk = number, []
            chunk.append(listed)
        chunks[first] = self._submit(window, chunk)
        return chunks

    def _submit(self, window: Window, chunk: list[bytes]) -> Future[Contents]:
        while len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft().exception()
        self._waiting.append(self._pool.submit(self._source.open, window.channel_id, chunk))
        return self._waiting[-1]


class _NotKeptError(Exception):
    """A page is not in the cache, or too old."""
