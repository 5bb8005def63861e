"""Actual stock as it was last read, read again when it is too old."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.ports import Gateway, StockLevels
from cenports_nb.submissions.rules.moments import Moment, at_most_elapsed

MAX_STOCK_AGE = timedelta(minutes=3)
"""After this the stock is read again, so that a batch leaves well before what it is compared with is too old."""


@dataclass(frozen=True)
class StockReading:
    """Stock that was read.

    Attributes:
        levels: What was read.
        began: Before it was.
        position: Of the journal, before it was: what is written after it may have happened after the reading.
    """

    levels: StockLevels
    began: Moment
    position: int


class StockCache:
    """The stock of some warehouses as it was last read.

    Args:
        gateway: Where it is read.
        journal: Whose position is taken.
        warehouse_codes: Of these warehouses.
        known: What was just read.
    """

    def __init__(
        self, gateway: Gateway, journal: Journal, warehouse_codes: Iterable[str], known: StockReading | None = None
    ) -> None:
        self._gateway = gateway
        self._journal = journal
        self._warehouse_codes = sorted(set(warehouse_codes))
        self._known = known

    def read(self) -> StockReading:
        """Return the stock; it is read again if it is too old."""
        if self._known is None or at_most_elapsed(self._known.began, self._gateway.now()) >= MAX_STOCK_AGE:
            began, position = self._gateway.now(), self._journal.position()
            self._known = StockReading(self._gateway.read_stock(self._warehouse_codes), began, position)
        return self._known
