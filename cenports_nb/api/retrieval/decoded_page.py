"""What answers hold: their records, in whatever form a source keeps them, as far as paging must know them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Protocol

import msgspec

from cenports_nb.api.retrieval.page_info import split

MIDNIGHT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d(:(00|15|30|45)(:00(\.0+)?)?)?(Z|[+-]\d\d(:?\d\d)?)?)?")


class Contents(Protocol):
    """The records of one answer or of several, in the order in which they came."""

    @property
    def sizes(self) -> Sequence[int]:
        """How many records each page holds, those that can't be read included."""

    @property
    def identities(self) -> Sequence[object]:
        """What makes two copies of a record the same record, for each record."""

    @property
    def rows(self) -> int:
        """What the total of an answer may count instead of records."""

    @property
    def days(self) -> Sequence[date]:
        """The day of each record that has one, as a hint for how to cut a window."""

    @property
    def within_days(self) -> bool:
        """Whether any record is of another moment than a midnight, of whatever zone."""

    @property
    def channels(self) -> Collection[str]:
        """The channels of the records."""

    @property
    def settled(self) -> bool:
        """Whether nothing will change any more in any of the records."""


def count(contents: Contents) -> int:
    """Count the records."""
    return sum(contents.sizes)


class Several:
    """Contents put together."""

    def __init__(self, parts: Sequence[Contents]) -> None:
        self.parts = tuple(part for whole in parts for part in split_contents(whole))

    @property
    def sizes(self) -> Sequence[int]:
        return [size for part in self.parts for size in part.sizes]

    @property
    def identities(self) -> Sequence[object]:
        return [identity for part in self.parts for identity in part.identities]

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    @property
    def days(self) -> Sequence[date]:
        return [day for part in self.parts for day in part.days]

    @property
    def within_days(self) -> bool:
        return any(part.within_days for part in self.parts)

    @property
    def channels(self) -> Collection[str]:
        return dict.fromkeys(channel for part in self.parts for channel in part.channels)

    @property
    def settled(self) -> bool:
        return all(part.settled for part in self.parts)


def split_contents(contents: Contents) -> tuple[Contents, ...]:
    """Take contents that were put together apart again."""
    return contents.parts if isinstance(contents, Several) else (contents,)


NOTHING = Several(())


class Records:
    """Contents kept as the JSON of each record: for answers that are small, or whose records are not documented.

    Attributes:
        raw: JSON of each record, unread.
    """

    def __init__(self, pages: Sequence[bytes]) -> None:
        records = [split(page) for page in pages]
        self.raw = [record for page in records for record in page]
        self.sizes: Sequence[int] = [len(page) for page in records]

    @property
    def identities(self) -> Sequence[object]:
        return [bytes(record) for record in self.raw]

    @property
    def rows(self) -> int:
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
    def within_days(self) -> bool:
        return any(MIDNIGHT.fullmatch(self.moment(record)) is None for record in self.raw)

    @property
    def channels(self) -> Collection[str]:
        return ()

    @property
    def settled(self) -> bool:
        return True

    def moment(self, record: msgspec.Raw) -> str:
        """The moment of a record, as sent; nothing where it has none."""
        return ""


Open = Callable[[str | None, Sequence[bytes]], Contents]
"""How a source reads pages: the channel that was asked for, and of each page a JSON list of records."""
