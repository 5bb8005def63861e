"""Actual stock as last read, and open demand if a plan added it back; both are read again when they are too old."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from cenports_nb.stock.plans.metadata import OpenLinesQuery
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.ports import Gateway, StockLevels
from cenports_nb.submissions.rules.moments import Moment, at_most_elapsed

MAX_STOCK_AGE = timedelta(minutes=3)
"""After this time the stock is read again, so that it is fresh enough when a batch is sent."""


@dataclass(frozen=True)
class StockReading:
    """Stock that was read.

    Attributes:
        levels: The stock.
        began: The time before reading.
        position: The journal's position before reading: later entries may have happened after it.
        open_quantities: Open units by warehouse and SKU, if any, read just before; None if they were not read.
    """

    levels: StockLevels
    began: Moment
    position: int
    open_quantities: Mapping[tuple[str, str], int] | None = None


class StockCache:
    """The stock of some warehouses as it was last read.

    Args:
        gateway: Where it is read.
        journal: For its position.
        warehouse_codes: The warehouses.
        known: A reading that was just made.
        open_lines: The open lines to read too; None for none.
    """

    def __init__(
        self,
        gateway: Gateway,
        journal: Journal,
        warehouse_codes: Iterable[str],
        known: StockReading | None = None,
        open_lines: OpenLinesQuery | None = None,
    ) -> None:
        self._gateway = gateway
        self._journal = journal
        self._warehouse_codes = sorted(set(warehouse_codes))
        self._known = known
        self._open_lines = open_lines

    def read(self) -> StockReading:
        """Return the stock, read again if it is too old."""
        if self._known is None or at_most_elapsed(self._known.began, self._gateway.now()) >= MAX_STOCK_AGE:
            open_quantities = read_open_quantities(self._gateway, self._open_lines)
            began, position = self._gateway.now(), self._journal.position()
            levels = self._gateway.read_stock(self._warehouse_codes)
            self._known = StockReading(levels, began, position, open_quantities)
        return self._known


def read_open_quantities(gateway: Gateway, query: OpenLinesQuery | None) -> Mapping[tuple[str, str], int] | None:
    """Read open demand; stock must be read after it.

    Half a year of open lines may take minutes, and stock must be fresh when a request is sent. An order that ships
    between the two readings changes only one of them, so its row counts as changed in any case.
    """
    return None if query is None else gateway.read_open_quantities(query)
