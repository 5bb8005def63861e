"""How one end point is asked, and what one window of it answered."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cenports_nb.api.retrieval.decoded_page import Contents, Open, Records, Several
from cenports_nb.api.retrieval.page_info import Page
from cenports_nb.api.retrieval.windows import Window

if TYPE_CHECKING:
    from cenports_nb.api.http.session import ApiResponse

READINGS = 3
"""Times a set that moves while it is paged is read."""


@dataclass(frozen=True)
class EndpointSpec:
    """How one end point is asked.

    Attributes:
        path: The end point.
        limit: The most records that one answer may have.
        parameters: A window as this end point names it.
        known_caps: Lengths at which answers are known to be cut silently.
        open: Reads the records of pages.
        join: Puts the contents of pages together that came one by one.
        max_age: How old the kept answers to a window may be; 0 where they must not be kept.
        unsettled_age: How old they may be where something in them may still change.
        counts_rows: Whether the total of an answer may count rows of records.
        channels: Where a window may be split by channel and acknowledgement, the channels to split by.
    """

    path: str
    limit: int
    parameters: Callable[[Window], dict[str, Any]]
    known_caps: tuple[int, ...]
    open: Open = lambda _, pages: Records(pages)
    join: Callable[[Sequence[Contents]], Contents] = Several
    max_age: Callable[[Window], float] = lambda _: math.inf
    unsettled_age: float = math.inf
    counts_rows: bool = False
    channels: Callable[[], Sequence[str]] | None = None


@dataclass
class RequestCounter:
    """What a reading has used: answers fetched and kept, the oldest of them, UTC."""

    requests: int = 0
    cached: int = 0
    oldest: datetime | None = None
    step: Callable[[int], None] = lambda _: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, answer: ApiResponse) -> None:
        """Count one answer, of any thread."""
        with self.lock:
            self.requests += not answer.cached
            self.cached += answer.cached
            self.oldest = answer.at if self.oldest is None else min(self.oldest, answer.at)
            self.step(1)


@dataclass(frozen=True)
class WindowResult:
    """What one window answers, all pages of it.

    Attributes:
        contents: Its records.
        whole: None if no page word tells.
        fresh: Whether it was fetched just now.
        reason: Why it is not whole, where it can't be.
        at: When the oldest of its answers was fetched, UTC.
    """

    contents: Contents
    whole: bool | None
    fresh: bool
    reason: str = ""
    at: datetime | None = None


@dataclass
class Pages:
    """The pages of one reading, and what they tell of the whole.

    Attributes:
        words: What each page says of further ones, by its number.
        opened: Contents by the number of one of their pages.
        reason: Why a page is missing.
        at: When the oldest of them was fetched, UTC.
    """

    words: dict[int, Page] = field(default_factory=dict)
    opened: dict[int, Contents] = field(default_factory=dict)
    reason: str = ""
    at: datetime | None = None

    @property
    def contents(self) -> Contents:
        """All records."""
        return Several([self.opened[number] for number in sorted(self.opened)])

    @property
    def totals(self) -> set[int]:
        """How many records there are in all, as each page tells it."""
        return {page.whole for page in self.words.values() if page.whole is not None}

    @property
    def tells_end(self) -> bool:
        """Whether the last page tells that it is the last."""
        return self.words[max(self.words)].tells_end

    def judge(self, source: EndpointSpec, *, fresh: bool) -> WindowResult:
        """Tell whether these pages are the whole of a set that stood still."""
        contents, totals = self.contents, self.totals
        if self.reason:
            return WindowResult(contents, False, fresh, self.reason, self.at)
        if not totals:
            return WindowResult(contents, True if self.tells_end else None, fresh, at=self.at)
        found = distinct(contents)
        if totals == {found} or (source.counts_rows and totals == {contents.rows}):
            return WindowResult(contents, True, fresh, at=self.at)
        if not self.tells_end and found < max(totals):
            return WindowResult(
                contents, False, fresh, at=self.at
            )  # the total tells of more, and nothing how to get it
        promised = " or ".join(map(str, sorted(totals)))
        reason = f"the pages hold {found} records where the answer promises {promised}, {READINGS} times over"
        return WindowResult(contents, False, fresh, reason, self.at)


def distinct(contents: Contents) -> int:
    """Count records, one that came again on a later page once: that is how a shift shows."""
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
