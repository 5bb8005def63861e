"""Actual stock as it was last read, read again when it is too old."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.errors import InvalidRequestError, RejectedRowsWarning, UnknownFieldsWarning
from cenports_nb.frames.loaders.stock import load_actual_stock

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

MAX_STOCK_AGE = timedelta(minutes=3)
"""After this the stock is read again; with a wait for the rate limit, what a batch is compared with is five minutes old at most."""


class StockCache:
    """The stock as it was last read, by warehouse and SKU; read again when it is too old."""

    def __init__(self, client: Client, warehouse_codes: Sequence[str] = ()) -> None:
        self._client = client
        self._warehouse_codes = list(warehouse_codes)
        self._frame: pd.DataFrame | None = None
        self._by_warehouse: dict[str, dict[str, int]] = {}
        self.at = client.clock.now()

    @classmethod
    def from_frame(
        cls, client: Client, frame: pd.DataFrame, at: datetime, warehouse_codes: Sequence[str]
    ) -> StockCache:
        """Begin with stock that was just read."""
        cache = cls(client, warehouse_codes)
        cache._frame, cache.at = frame, at
        return cache

    def refresh(self) -> bool:
        """Read the stock again if it is too old; tell whether it was."""
        if self._frame is not None and self._client.clock.now() - self.at < MAX_STOCK_AGE:
            return False
        self.at = self._client.clock.now()  # a moment too early is on the safe side
        self._frame = read_stock(self._client, self._warehouse_codes)
        self._by_warehouse = {}
        return True

    def quantity(self, warehouse_code: str | None, product_sku: str | None) -> int | None:
        """Tell how many units there are; None where the warehouse does not have the SKU."""
        code = warehouse_code or ""
        if code not in self._by_warehouse:
            self.refresh()
            frame = self._frame
            rows = frame[(frame["warehouse_code"] == code).to_numpy()] if frame is not None else pd.DataFrame()
            self._by_warehouse[code] = (
                dict(zip(rows["product_sku"].tolist(), rows["quantity"].tolist(), strict=True)) if len(rows) else {}
            )
        return self._by_warehouse[code].get(product_sku or "")


def read_stock(client: Client, warehouse_codes: Sequence[str]) -> pd.DataFrame:
    """Read the stock of some warehouses past the cache; a record that can't be read is a SKU without a stock."""
    with warnings.catch_warnings():
        # Told when the update was planned; as errors they would stop a submission halfway.
        warnings.simplefilter("ignore", RejectedRowsWarning)
        warnings.simplefilter("ignore", UnknownFieldsWarning)
        try:
            return load_actual_stock(client, warehouse_codes=sorted(warehouse_codes) or None, refresh=True)
        except InvalidRequestError:
            if not warehouse_codes:
                raise
            return load_actual_stock(client, refresh=True)  # one of the warehouses is none that Cenports knows
