"""Compare before set: read stock just before it is changed, and handle rows whose stock changed since planning.

Best effort, and said so: up to 15 minutes lie between the last look and the change, and Cenports offers no
comparison of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

import pandas as pd

from cenports_nb.errors import StaleStockError
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.submissions.evidence.stock_cache import StockCache
from cenports_nb.submissions.journal.models import Batch, Head, Row
from cenports_nb.submissions.sending.sender import LastLook

OnStale = Literal["raise", "rebase", "drop", "force"]
ON_STALE_MODES = ("raise", "rebase", "drop", "force")


def build_stock_check(head: Head, stock: StockCache, *, recheck: bool = False) -> LastLook:
    """Make the last look at each batch of a submission.

    Args:
        head: Its `on_stale` says what is done with rows whose stock moved.
        stock: The stock as it was last read.
        recheck: The rows were planned some time ago: they are compared even if the stock was read just now.
    """
    known = None if recheck else stock.at

    def compare(_: Batch, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
        stock.refresh()
        if stock.at == known:
            return list(rows), []  # they were compared with this very stock
        compared = [
            compare_with_stock(row, stock.quantity(row.warehouse_code, row.product_sku), head.on_stale, stock.at)
            for row in rows
        ]
        return [row for row in compared if row.message is None], [row for row in compared if row.message is not None]

    return compare


def compare_with_stock(row: Row, now: int | None, on_stale: str, at: datetime) -> Row:
    """Write the newest stock into a row; one that must not be sent says why in its message."""
    fresh = replace(row, before_quantity=now, before_at=at.isoformat(), message=None)
    if row.type == "DIFFERENTIAL":
        if now is not None and row.quantity is not None and now + row.quantity < 0:
            return replace(fresh, message=f"Not sent: stock is {now} now, and {row.quantity:+} would go below 0.")
        return fresh
    if on_stale == "force" or now == row.current_quantity:
        return fresh
    if on_stale == "rebase" and None not in (now, row.current_quantity, row.quantity):
        rebased = now + row.quantity - row.current_quantity  # type: ignore[operator]
        if rebased >= 0:
            return replace(fresh, quantity=rebased, current_quantity=now)
    return replace(
        fresh,
        message=f"Not sent: stock moved from {_format_quantity(row.current_quantity)} to {_format_quantity(now)} since it was planned, "
        f"so {row.quantity} may be wrong; plan it again.",
    )


def apply_on_stale(updates: pd.DataFrame, now: pd.Series[Any], on_stale: str) -> tuple[pd.DataFrame, pd.Series[Any]]:
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
    rebased = now + updates["quantity"] - updates["current_quantity"]
    unrebasable = moved & (rebased.isna() | (rebased < 0)).fillna(value=True).astype(bool)
    if on_stale == "raise" or unrebasable.any():
        first = stale.iloc[0]
        raise StaleStockError(
            f"The stock of {len(stale)} rows moved since the update frame was built, the first {first['product_sku']} in "
            f"{first['warehouse_code']} from {first['current_quantity']} to {first['stock_now']}. Nothing was sent; build "
            'the frame again, or choose on_stale="rebase", "drop" or "force".',
            stale=stale,
        )
    updates = updates.copy()
    updates.loc[moved, "quantity"] = rebased[moved].astype("int64")
    updates.loc[moved, "current_quantity"] = now[moved]
    return updates, now


def _format_quantity(quantity: int | None) -> str:
    return "unknown" if quantity is None else str(quantity)
