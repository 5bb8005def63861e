"""Decoded pages, as far as retrieval must know them, however an end point stores its records."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Protocol

import msgspec

from cenports_nb.api.http.record_page import split_records

MIDNIGHT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d(:(00|15|30|45)(:00(\.0+)?)?)?(Z|[+-]\d\d(:?\d\d)?)?)?")

DECODE_THREADS = 2
"""Each needs a few times a page's size, and fragments memory."""
_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


class DecodedPage(Protocol):
    """The records of one page or several, in the order received."""

    @property
    def sizes(self) -> Sequence[int]:
        """The number of records of each page, including those that can't be read."""

    @property
    def identities(self) -> Sequence[object]:
        """For each record, what identifies copies of it."""

    @property
    def row_count(self) -> int:
        """What the total of a response may count instead of records."""

    @property
    def days(self) -> Sequence[date]:
        """The day of each record that has one, as a hint for cutting a window."""

    @property
    def has_times(self) -> bool:
        """Whether any record has a time other than a midnight of some zone."""

    @property
    def channels(self) -> Collection[str]:
        """The channels of the records."""

    @property
    def is_settled(self) -> bool:
        """Whether none of the records will change any more."""


def count_records(page: DecodedPage) -> int:
    """Count the records."""
    return sum(page.sizes)


class JoinedPages:
    """Decoded pages, joined."""

    def __init__(self, parts: Sequence[DecodedPage]) -> None:
        self.parts = tuple(part for whole in parts for part in split_pages(whole))

    @property
    def sizes(self) -> Sequence[int]:
        return [size for part in self.parts for size in part.sizes]

    @property
    def identities(self) -> Sequence[object]:
        return [identity for part in self.parts for identity in part.identities]

    @property
    def row_count(self) -> int:
        return sum(part.row_count for part in self.parts)

    @property
    def days(self) -> Sequence[date]:
        return [day for part in self.parts for day in part.days]

    @property
    def has_times(self) -> bool:
        return any(part.has_times for part in self.parts)

    @property
    def channels(self) -> Collection[str]:
        return dict.fromkeys(channel for part in self.parts for channel in part.channels)

    @property
    def is_settled(self) -> bool:
        return all(part.is_settled for part in self.parts)


def split_pages(page: DecodedPage) -> tuple[DecodedPage, ...]:
    """Return the pages that were joined."""
    return page.parts if isinstance(page, JoinedPages) else (page,)


NO_RECORDS = JoinedPages(())


class RawRecords:
    """Pages stored as the JSON of each record, for small responses and undocumented records.

    Attributes:
        raw: Unparsed JSON of each record.
    """

    def __init__(self, pages: Sequence[bytes | memoryview]) -> None:
        records = [split_records(page) for page in pages]
        self.raw = [record for page in records for record in page]
        self.sizes: Sequence[int] = [len(page) for page in records]

    @property
    def identities(self) -> Sequence[object]:
        return [bytes(record) for record in self.raw]

    @property
    def row_count(self) -> int:
        return len(self.raw)

    @property
    def days(self) -> Sequence[date]:
        found: list[date] = []
        for record in self.raw:
            try:
                found.append(date.fromisoformat(self.moment(record)[:10]))
            except ValueError:
                continue
        return found

    @property
    def has_times(self) -> bool:
        return any(MIDNIGHT.fullmatch(self.moment(record)) is None for record in self.raw)

    @property
    def channels(self) -> Collection[str]:
        return ()

    @property
    def is_settled(self) -> bool:
        return True

    def moment(self, record: msgspec.Raw) -> str:
        """Return the moment of a record, as sent; empty if it has none."""
        return ""


Decode = Callable[[str | None, Sequence[bytes | memoryview]], DecodedPage]
"""Decodes pages: takes the requested channel, and the records of each page as a JSON list."""


def trim_heap() -> None:
    """Return freed heap to the operating system, if the C library can (glibc): decoding allocates many times its result."""
    if _TRIM is not None:
        _TRIM(0)
