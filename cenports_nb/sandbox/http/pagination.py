"""Pagination: the rows of one page, and metadata about the other pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from cenports_nb.sandbox.http.endpoint_request import EndpointRequest
from cenports_nb.sandbox.http.responses import ENVELOPE
from cenports_nb.sandbox.records import Json

T = TypeVar("T")

PAGED = frozenset({"laravel", "links", "numbers", "next", "total_pages", "x_total_pages", "link"})
"""Forms of paging that allow a request for the next page; the others at most say that there is one."""


@dataclass(frozen=True)
class Paginator:
    """One page of `total` rows, in the dialect of a request."""

    request: EndpointRequest
    total: int
    size: int

    @property
    def number(self) -> int:
        """The number of the page; 1 if the dialect has no way to ask for another."""
        return self.request.page if self.request.dialect.pages in PAGED else 1

    @property
    def last(self) -> int:
        """The number of the last page; an empty answer has one page."""
        return max(1, -(-self.total // self.size))

    @property
    def start(self) -> int:
        """The position of the first row."""
        return (self.number - 1) * self.size

    @property
    def stop(self) -> int:
        """The position after the last row."""
        return self.start + self.size

    def slice(self, rows: Sequence[T]) -> Sequence[T]:
        """Return the rows of this page."""
        return rows[self.start : self.stop]

    def metadata(self) -> Json:
        """Paging fields beside the rows, in the dialect's form."""
        write = METADATA.get(self.request.dialect.pages)
        return ENVELOPE if write is None else write(self)

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Paging headers, in the dialect's form."""
        write = HEADERS.get(self.request.dialect.pages)
        return () if write is None else tuple(write(self).items())

    @property
    def has_more(self) -> bool:
        """Whether there is a next page."""
        return self.number < self.last

    @property
    def next(self) -> str | None:
        """The URL of the next page."""
        return self.link(self.number + 1) if self.has_more else None

    @property
    def previous(self) -> str | None:
        """The URL of the previous page."""
        return self.link(self.number - 1) if self.number > 1 else None

    def link(self, number: int) -> str:
        """Return the URL of a page."""
        return f"{self.request.url}?page={number}"


def _write_laravel(page: Paginator) -> Json:
    return {
        **ENVELOPE,
        "current_page": page.number,
        "last_page": page.last,
        "per_page": page.size,
        "total": page.total,
        "next_page_url": page.next,
        "prev_page_url": page.previous,
        "path": page.request.url,
    }


def _write_links(page: Paginator) -> Json:
    links = {"first": page.link(1), "last": page.link(page.last), "prev": page.previous, "next": page.next}
    meta = {"current_page": page.number, "last_page": page.last, "per_page": page.size, "total": page.total}
    return {"links": links, "meta": meta}


def _write_link_header(page: Paginator) -> dict[str, str]:
    relations = {"first": page.link(1), "prev": page.previous, "next": page.next}
    return {"Link": ", ".join(f'<{url}>; rel="{name}"' for name, url in relations.items() if url)}


METADATA: Final[dict[str, Callable[[Paginator], Json]]] = {
    "laravel": _write_laravel,
    "links": _write_links,
    "numbers": lambda page: {"current_page": page.number, "last_page": page.last, "total": page.total},
    "next": lambda page: {"next_page_url": page.next, "prev_page_url": page.previous, "current_page": page.number},
    "total": lambda page: {"total": page.total},
    "total_pages": lambda page: {"page": page.number, "total_pages": page.last},
    "has_more": lambda page: {"has_more": page.has_more},
    "page_info": lambda page: {"pageInfo": {"hasNextPage": page.has_more, "endCursor": f"row-{page.stop}"}},
    "next_cursor": lambda page: {"meta": {"next_cursor": f"row-{page.stop}" if page.has_more else None}},
    "per_page": lambda page: {"per_page": page.size},
    "count": lambda page: {"count": page.total},
}
"""Paging fields beside the rows, by the dialect's word."""
HEADERS: Final[dict[str, Callable[[Paginator], dict[str, str]]]] = {
    "x_total_count": lambda page: {"X-Total-Count": str(page.total)},
    "x_total_pages": lambda page: {"X-Total-Pages": str(page.last), "X-Page": str(page.number)},
    "link": _write_link_header,
}
"""Paging headers, by the dialect's word."""


def slice_stock(warehouses: Sequence[Json], start: int, stop: int) -> list[Json]:
    """Return the stock rows between two positions, each in its warehouse, as if they were one list."""
    sliced: list[Json] = []
    first = 0
    for warehouse in warehouses:
        rows: list[Any] = warehouse["warehouseInventory"]
        part = rows[max(0, start - first) : max(0, stop - first)]
        # A warehouse without rows is on the first page.
        if part or (not rows and start == 0):
            sliced.append({**warehouse, "warehouseInventory": part})
        first += len(rows)
    return sliced
