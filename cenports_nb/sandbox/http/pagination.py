"""Pagination: which rows of a response are sent, and the metadata about the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from cenports_nb.sandbox.http.endpoint_request import EndpointRequest
from cenports_nb.sandbox.http.responses import ENVELOPE
from cenports_nb.sandbox.records import Json

T = TypeVar("T")


@dataclass(frozen=True)
class Paginator:
    """One page of `total` rows, by the dialect of a request."""

    request: EndpointRequest
    total: int
    size: int

    @property
    def number(self) -> int:
        """The page that is answered; without links or numbers there is no way to ask for another."""
        return 1 if self.request.dialect.pages in {"total", "none"} else self.request.page

    @property
    def last(self) -> int:
        """The number of the last page; an empty answer has one page too."""
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
        """Take the rows of this page out of all rows."""
        return rows[self.start : self.stop]

    def metadata(self) -> Json:
        """What stands beside the rows, by the dialect."""
        number, last = self.number, self.last
        match self.request.dialect.pages:
            case "laravel":
                return {
                    **ENVELOPE,
                    "current_page": number,
                    "last_page": last,
                    "per_page": self.size,
                    "total": self.total,
                    "next_page_url": self._next,
                    "prev_page_url": self._previous,
                    "path": self.request.url,
                }
            case "links":
                links = {"first": self._link(1), "last": self._link(last), "prev": self._previous, "next": self._next}
                meta = {"current_page": number, "last_page": last, "per_page": self.size, "total": self.total}
                return {"links": links, "meta": meta}
            case "numbers":
                return {"current_page": number, "last_page": last, "total": self.total}
            case "next":
                return {"next_page_url": self._next, "prev_page_url": self._previous, "current_page": number}
            case "total":
                return {"total": self.total}
            case _:
                return ENVELOPE

    def _link(self, number: int) -> str:
        return f"{self.request.url}?page={number}"

    @property
    def _next(self) -> str | None:
        return self._link(self.number + 1) if self.number < self.last else None

    @property
    def _previous(self) -> str | None:
        return self._link(self.number - 1) if self.number > 1 else None


def slice_stock(warehouses: Sequence[Json], start: int, stop: int) -> list[Json]:
    """Take the stock rows from one position to another, each in its warehouse, as if they were one list."""
    sliced: list[Json] = []
    first = 0
    for warehouse in warehouses:
        rows: list[Any] = warehouse["warehouseInventory"]
        part = rows[max(0, start - first) : max(0, stop - first)]
        # A warehouse that has no rows at all is on the first page.
        if part or (not rows and start == 0):
            sliced.append({**warehouse, "warehouseInventory": part})
        first += len(rows)
    return sliced
