"""What a retrieval returns: pages of a window, windows, and what is missing."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, cast

import msgspec

from cenports_nb.api.http.paging_words import PageInfo
from cenports_nb.api.retrieval.decoded_page import DecodedPage, JoinedPages, RawRecords, split_pages
from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec
from cenports_nb.api.retrieval.windows import Window

if TYPE_CHECKING:
    from cenports_nb.api.http.session import PageResponse

MAX_READINGS = 3
"""How often a set that changes while it is paged is read."""


@dataclass(frozen=True)
class MissingWindow:
    """A window that could not be read completely, and why."""

    window: Window
    reason: str


@dataclass(frozen=True)
class Part:
    """A window and its records.

    Attributes:
        window: The window.
        contents: The records.
        reason: Why records are missing; empty if none are.
        is_suspect: Whether it is complete unless this end point cuts its responses at this length.
        at: When the oldest of its pages was fetched, UTC.
    """

    window: Window
    contents: DecodedPage
    reason: str = ""
    is_suspect: bool = False
    at: datetime | None = None


@dataclass(frozen=True)
class Retrieval:
    """Every record in the order received, and what is known to be missing.

    Attributes:
        parts: Windows with their records.
        missing: Incomplete windows.
        oldest: When the oldest page used was fetched, UTC; None if there was none.
        requests: Pages fetched.
        cached: Pages taken from the cache.
    """

    parts: tuple[Part, ...] = ()
    missing: tuple[MissingWindow, ...] = ()
    oldest: datetime | None = None
    requests: int = 0
    cached: int = 0

    def raw_records(self) -> list[msgspec.Raw]:
        """Return the JSON of each record, if pages are stored as `RawRecords`."""
        pages = (cast("RawRecords", page) for part in self.parts for page in split_pages(part.contents))
        return [record for page in pages for record in page.raw]

    @classmethod
    def join(cls, retrievals: Sequence[Retrieval]) -> Retrieval:
        """Join several retrievals into one."""
        return cls(
            tuple(part for each in retrievals for part in each.parts),
            tuple(window for each in retrievals for window in each.missing),
            min((each.oldest for each in retrievals if each.oldest), default=None),
            sum(each.requests for each in retrievals),
            sum(each.cached for each in retrievals),
        )


@dataclass
class RequestCounter:
    """Counts the responses of a retrieval; `oldest` is when the oldest of them was fetched, UTC."""

    requests: int = 0
    cached: int = 0
    oldest: datetime | None = None
    step: Callable[[int], None] = lambda _: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def responses(self) -> int:
        """The number of responses used."""
        return self.requests + self.cached

    def count(self, response: PageResponse) -> None:
        """Count one response; thread-safe."""
        with self.lock:
            self.requests += not response.cached
            self.cached += response.cached
            self.oldest = response.at if self.oldest is None else min(self.oldest, response.at)
            self.step(1)


@dataclass(frozen=True)
class WindowResult:
    """All pages of one window.

    Attributes:
        contents: Its records.
        is_whole: Whether these are all records; None if no paging field says so.
        is_fresh: Whether it was just fetched.
        reason: Why it can't be complete.
        at: When the oldest of its pages was fetched, UTC.
    """

    contents: DecodedPage
    is_whole: bool | None
    is_fresh: bool
    reason: str = ""
    at: datetime | None = None


@dataclass
class PageSet:
    """The pages of one reading of a window, and what they say about the whole.

    Attributes:
        infos: The paging fields of each page, by its number.
        decoded: Decoded pages, by the number of the first page in each.
        reason: Why a page is missing.
        at: When the oldest of them was fetched, UTC.
    """

    infos: dict[int, PageInfo] = field(default_factory=dict)
    decoded: dict[int, DecodedPage] = field(default_factory=dict)
    reason: str = ""
    at: datetime | None = None

    def judge(self, spec: EndpointSpec, *, is_fresh: bool) -> WindowResult:
        """Decide whether these pages are all of a set that didn't change meanwhile."""
        contents = JoinedPages([self.decoded[number] for number in sorted(self.decoded)])

        def result(is_whole: bool | None, reason: str = "") -> WindowResult:
            return WindowResult(contents, is_whole, is_fresh, reason, self.at)

        if self.reason:
            return result(False, self.reason)
        totals = {info.total for info in self.infos.values() if info.total is not None}
        last, found = self.infos[max(self.infos)], count_distinct(contents)
        tells_end = last.tells_end
        if last.is_cut(found, contents.row_count):
            return result(False)
        if not totals:
            is_first_again = len(self.infos) > 1 and found == len(set(contents.identities[: contents.sizes[0]]))
            return result(False if is_first_again else True if tells_end else None)
        if totals == {found} or (spec.counts_rows and totals == {contents.row_count}):
            return result(True)
        if not tells_end and found < max(totals):
            return result(False)  # the total says that there is more, but not how to get it
        promised = " or ".join(map(str, sorted(totals)))
        return result(
            False, f"the pages hold {found} records where the answer promises {promised}, {MAX_READINGS} times over"
        )


def count_distinct(contents: DecodedPage) -> int:
    """Count distinct records; a record that repeats on a later page shows that the set shifted."""
    identities = contents.identities
    seen = set(identities)
    if len(seen) == len(identities):
        return len(seen)
    seen.clear()
    number, each = 0, iter(identities)
    for size in contents.sizes:
        page = list(itertools.islice(each, size))
        number += sum(identity not in seen for identity in page)
        seen.update(page)
    return number
