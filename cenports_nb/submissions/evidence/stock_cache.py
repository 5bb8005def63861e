"""Actual stock as it was last read, read again when it is too old."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from cenports_nb.submissions.ports import Gateway, StockLevels
from cenports_nb.submissions.rules.moments import Moment, at_most_elapsed

MAX_STOCK_AGE = timedelta(minutes=3)
"""After this the stock is read again, so that a batch leaves well before what it is compared with is too old."""


class StockCache:
    """The stock of some warehouses as it was last read.

    Args:
        gateway: Where it is read.
        warehouse_codes: Of these warehouses.
        levels: What was just read.
        began: Before that was read.
    """

    def __init__(
        self,
        gateway: Gateway,
        warehouse_codes: Iterable[str],
        levels: StockLevels | None = None,
        began: Moment | None = None,
    ) -> None:
        self._gateway = gateway
        self._warehouse_codes = sorted(set(warehouse_codes))
        self._known = (levels, began) if levels is not None and began is not None else None

    def read(self) -> tuple[StockLevels, Moment]:
        """Return the stock and the moment before it was read; it is read again if it is too old."""
        if self._known is None or at_most_elapsed(self._known[1], self._gateway.now()) >= MAX_STOCK_AGE:
            began = self._gateway.now()
            self._known = self._gateway.read_stock(self._warehouse_codes), began
        return self._known
