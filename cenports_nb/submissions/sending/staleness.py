"""Compare before set: what the stock is just before it is changed, and what to do with rows that it moved under.

Best effort, and said so: up to 15 minutes lie between the last look and the change, and Cenports offers no
comparison of its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from cenports_nb.errors import InvalidRequestError, RejectedRowsWarning, StaleStockError, UnknownFieldsWarning
from cenports_nb.frames.loaders.stock import load_actual_stock
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.submissions.journal.models import Batch, Head, Row

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

OnStale = Literal["raise", "rebase", "drop", "force"]
MODES = ("raise", "rebase", "drop", "force")

FRESH = timedelta(minutes=3)
"""Then the stock is read again; with a wait for the rate limit, what a batch is compared with is five minutes old at most."""


class Shelf:
    """The stock as it was last read, by warehouse and SKU; read again when it is too old."""

    def __init__(self, client: Client, codes: Sequence[str] = ()) -> None:
        self._client = client
        self._codes = list(codes)
        self._frame: pd.DataFrame | None = None
        self._by_warehouse: dict[str, dict[str, int]] = {}
        self.at = client.clock.now()

    @classmethod
    def of(cls, client: Client, frame: pd.DataFrame, at: datetime, codes: Sequence[str]) -> Shelf:
        """Begin with a stock that was just read."""
        shelf = cls(client, codes)
        shelf._frame, shelf.at = frame, at
        return shelf

    def refresh(self) -> bool:
        """Read the stock again if it is too old; tell whether it was."""
        if self._frame is not None and self._client.clock.now() - self.at < FRESH:
            return False
        self.at = self._client.clock.now()  # a moment too early is on the safe side
        self._frame = read_stock(self._client, self._codes)
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


def read_stock(client: Client, codes: Sequence[str]) -> pd.DataFrame:
    """Read the stock of some warehouses past the cache; a record that can't be read is a SKU without a stock."""
    with warnings.catch_warnings():
        # Told when the update was planned; as errors they would stop a submission halfway.
        warnings.simplefilter("ignore", RejectedRowsWarning)
        warnings.simplefilter("ignore", UnknownFieldsWarning)
        try:
            return load_actual_stock(client, warehouse_codes=sorted(codes) or None, refresh=True)
        except InvalidRequestError:
            if not codes:
                raise
            return load_actual_stock(client, refresh=True)  # one of the warehouses is none that Cenports knows


def last_look(head: Head, shelf: Shelf, *, again: bool = False) -> Any:
    """Make the last look at each batch of a submission.

    Args:
        head: Its `on_stale` says what is done with rows whose stock moved.
        shelf: The stock as it was last read.
        again: The rows were planned some time ago: they are compared even if the stock was read just now.
    """
    known = None if again else shelf.at

    def look(_: Batch, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
        shelf.refresh()
        if shelf.at == known:
            return list(rows), []  # they were compared with this very stock
        looked = [
            compare(row, shelf.quantity(row.warehouse_code, row.product_sku), head.on_stale, shelf.at) for row in rows
        ]
        return [row for row in looked if row.message is None], [row for row in looked if row.message is not None]

    return look


def compare(row: Row, now: int | None, on_stale: str, at: datetime) -> Row:
    """Write the newest stock into a row; one that must not be sent says why in its message."""
    fresh = replace(row, before_quantity=now, before_at=at.isoformat(), message=None)
    if row.type == "DIFFERENTIAL":
        if now is not None and row.quantity is not None and now + row.quantity < 0:
            return replace(fresh, message=f"Not sent: stock is {now} now, and {row.quantity:+} would go below 0.")
        return fresh
    if on_stale == "force" or now == row.current_quantity:
        return fresh
    if on_stale == "rebase" and None not in (now, row.current_quantity, row.quantity):
        wanted = now + row.quantity - row.current_quantity  # type: ignore[operator]
        if wanted >= 0:
            return replace(fresh, quantity=wanted, current_quantity=now)
    return replace(
        fresh,
        message=f"Not sent: stock moved from {_told(row.current_quantity)} to {_told(now)} since it was planned, "
        f"so {row.quantity} may be wrong; plan it again.",
    )


def fresh_frame(updates: pd.DataFrame, now: pd.Series[Any], on_stale: str) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Compare each TRUE_UP with the stock as it is now, and do what was asked with those that moved.

    Raises:
        StaleStockError: Rows moved and `on_stale` is "raise", or "rebase" would set a row below 0.
    """
    same = (updates["current_quantity"] == now) | (updates["current_quantity"].isna() & now.isna())
    moved = ~same.fillna(value=False).astype(bool) & (updates["type"] == "TRUE_UP")
    if not moved.any() or on_stale == "force":
        return updates, now
    if on_stale == "drop":
        return updates[~moved].reset_index(drop=True), now[~moved].reset_index(drop=True)
    stale = updates.loc[moved, [*STOCK_KEYS, "current_quantity", "quantity"]].assign(stock_now=now[moved])
    stale = stale[[*STOCK_KEYS, "current_quantity", "stock_now", "quantity"]].reset_index(drop=True)
    wanted = now + updates["quantity"] - updates["current_quantity"]
    lost = moved & (wanted.isna() | (wanted < 0)).fillna(value=True).astype(bool)
    if on_stale == "raise" or lost.any():
        first = stale.iloc[0]
        raise StaleStockError(
            f"The stock of {len(stale)} rows moved since the update frame was built, the first {first['product_sku']} in "
            f"{first['warehouse_code']} from {first['current_quantity']} to {first['stock_now']}. Nothing was sent; build "
            'the frame again, or choose on_stale="rebase", "drop" or "force".',
            stale=stale,
        )
    updates = updates.copy()
    updates.loc[moved, "quantity"] = wanted[moved].astype("int64")
    updates.loc[moved, "current_quantity"] = now[moved]
    return updates, now


def _told(quantity: int | None) -> str:
    return "unknown" if quantity is None else str(quantity)
