"""The rows of an update frame as they will go out: compared with the stock as it is now, before guards look at them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from cenports_nb.errors import StaleStockError
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.stock.plans.fingerprint import compute_fingerprint
from cenports_nb.stock.plans.metadata import mark_as_part

OnStale = Literal["raise", "rebase", "drop", "force"]
ON_STALE_MODES = ("raise", "rebase", "drop", "force")


def compare_with_stock(rows: pd.DataFrame, actual: pd.DataFrame, on_stale: str) -> pd.DataFrame:
    """Compare each row with the stock as it is now, and do what was asked with TRUE_UPs whose stock changed.

    Args:
        rows: `warehouse_code product_sku type quantity current_quantity excluded`; `excluded` says why a person left a row
            out.
        actual: Actual stock as it is now.
        on_stale: One of `ON_STALE_MODES`.

    Returns:
        The rows with `before_quantity`, `outcome` (not_sent, held or dropped), `message`, and `is_stale`: nothing could
        be done with it, or nothing was asked for. What is rebased has its new numbers.
    """
    stock = rows[STOCK_KEYS].merge(actual[[*STOCK_KEYS, "quantity"]], on=STOCK_KEYS, how="left")
    now = stock["quantity"].astype("Int64")
    planned = rows["current_quantity"].astype("Int64")
    is_excluded = rows["excluded"].notna()
    same = ((planned == now) | (planned.isna() & now.isna())).fillna(value=False).astype(bool)
    moved = ~same & (rows["type"] == "TRUE_UP") & ~is_excluded & (on_stale != "force")
    quantity = rows["quantity"]
    message = rows["excluded"].astype("str")
    outcome = pd.Series(np.where(is_excluded, "held", "not_sent"), index=rows.index).astype("str")
    if on_stale == "rebase" and moved.any():
        rebased = now + quantity - planned
        can = moved & (rebased >= 0).fillna(value=False).astype(bool)
        quantity = quantity.mask(can, rebased.fillna(0).astype("int64"))
        planned = planned.mask(can, now)
        moved = moved & ~can
    elif on_stale == "drop" and moved.any():
        text = "Stock moved from " + _format(planned) + " to " + _format(now) + " since it was planned; plan it again."
        outcome = outcome.mask(moved, "dropped")
        message = message.mask(moved, text).astype("str")
        moved = moved & False
    return rows.assign(
        quantity=quantity,
        current_quantity=planned,
        before_quantity=now,
        outcome=outcome,
        message=message,
        is_stale=moved,
    )


def select_final_rows(updates: pd.DataFrame, rows: pd.DataFrame, excluded: pd.Series[Any]) -> pd.DataFrame:
    """Take what will go out of an update frame, with the numbers that will; it knows what it is a part of.

    Args:
        updates: As a person gave it.
        rows: The same rows, compared with the stock.
        excluded: Why a person left a row out; null where none was.
    """
    leaves = (rows["outcome"] == "not_sent").to_numpy()
    is_changed = (rows["quantity"].to_numpy() != updates["quantity"].to_numpy()).any()
    if leaves.all() and not is_changed:
        return updates
    final = updates.copy()
    final["quantity"] = rows["quantity"].to_numpy()
    final["current_quantity"] = rows["current_quantity"].array
    return mark_as_part(final[leaves & excluded.isna().to_numpy()], compute_fingerprint(updates))


def refuse_stale(rows: pd.DataFrame) -> None:
    """Refuse rows whose stock changed, where nothing could be done with them.

    Raises:
        StaleStockError: `.stale` says which.
    """
    moved = rows[rows["is_stale"] & (rows["outcome"] == "not_sent")]
    if not len(moved):
        return
    stale = moved[[*STOCK_KEYS, "current_quantity", "before_quantity", "quantity"]]
    stale = stale.rename(columns={"before_quantity": "stock_now"}).reset_index(drop=True)
    first = stale.iloc[0]
    raise StaleStockError(
        f"The stock of {len(stale)} rows moved since the update frame was built, the first {first['product_sku']} in "
        f"{first['warehouse_code']} from {first['current_quantity']} to {first['stock_now']}. Nothing was sent; build "
        'the frame again, or choose on_stale="rebase", "drop" or "force".',
        stale=stale,
    )


def add_reserved(rows: pd.DataFrame, actual: pd.DataFrame, available: pd.DataFrame | None) -> pd.DataFrame:
    """Write beside each row what open orders have reserved of its SKU, where available stock says so."""
    if available is None:
        return rows.assign(reserved=None)
    lowest = available.groupby(STOCK_KEYS)["quantity"].min().rename("lowest").reset_index()
    joined = rows[STOCK_KEYS].merge(actual[[*STOCK_KEYS, "quantity"]], on=STOCK_KEYS, how="left")
    joined = joined.merge(lowest, on=STOCK_KEYS, how="left")
    reserved = (joined["quantity"].astype("Int64") - joined["lowest"].astype("Int64")).clip(lower=0)
    return rows.assign(reserved=reserved.array)


def _format(values: pd.Series[Any]) -> pd.Series[Any]:
    return values.astype("str").fillna("unknown").replace("<NA>", "unknown")
