"""Guards: what looks wrong in an update frame before it is sent, each by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from cenports_nb.frames import schemas
from cenports_nb.frames.checks import check
from cenports_nb.stock.demand import KEYS


def check_updates(
    updates: pd.DataFrame, actual: pd.DataFrame, *, available: Any = None, history: Any = None, thresholds: Any = None
) -> pd.DataFrame:
    """List what the guards object to in an update frame.

    Args:
        updates: From `build_true_up`.
        actual: Actual stock now.
        available: Available stock now.
        history: Earlier rows of the account.
        thresholds: Other thresholds.

    Returns:
        `warehouse_code product_sku guard message`, one row an objection; empty if there is none.
    """
    updates = check(updates, schemas.StockUpdates, "updates", [*KEYS, "quantity"])
    actual = check(actual, schemas.ActualStock, "actual", [*KEYS, "quantity"])
    found = [guard(updates, actual).assign(guard=name) for name, guard in GUARDS.items()]
    return pd.concat(found, ignore_index=True)[[*KEYS, "guard", "message"]].astype("str")


def _unknown_sku(updates: pd.DataFrame, actual: pd.DataFrame) -> pd.DataFrame:
    """Object to a SKU that its warehouse does not have; say which one it resembles."""
    known = updates[KEYS].merge(actual[KEYS], on=KEYS, how="left", indicator=True)["_merge"] == "both"
    bad = updates[~known.to_numpy()]
    skus = actual["product_sku"].drop_duplicates()
    alike = dict(zip(_plain(skus), skus, strict=True))
    hints = [alike.get(sku) for sku in _plain(bad["product_sku"])]
    messages = [
        f"SKU {row.product_sku!r} is not in warehouse {row.warehouse_code!r}"
        + (f"; did you mean {hint!r}?" if hint and hint != row.product_sku else "")
        for row, hint in zip(bad.itertuples(), hints, strict=True)
    ]
    return bad[KEYS].assign(message=messages)


Guard = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]

GUARDS: dict[str, Guard] = {"unknown_sku": _unknown_sku}


STOPS_ALL = frozenset({"max_total_drop", "partial_count", "basis", "repeated", "other_account", "max_rows"})


def _plain(skus: pd.Series[Any]) -> pd.Series[Any]:
    """Spell SKUs without what people and Excel lose: case, blanks, leading zeros."""
    return skus.str.strip().str.lower().str.replace(" ", "").str.lstrip("0")
