"""The guards by name, and `check_updates`, which runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from cenports_nb.frames.arrow_columns import repeat_text
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.stock.guards.context import GuardContext, Objections, build_context
from cenports_nb.stock.guards.frame_guards import basis, max_rows, max_total_drop, other_account, partial_count
from cenports_nb.stock.guards.history_guards import in_flight, repeated
from cenports_nb.stock.guards.row_guards import (
    below_reserved,
    discontinued,
    max_drop,
    old_count,
    unknown_sku,
    zero_beside_unknown,
)
from cenports_nb.stock.guards.thresholds import Thresholds, read_thresholds

Guard = Callable[[GuardContext], Objections | None]

GUARDS: Mapping[str, Guard] = {
    "max_drop": max_drop,
    "max_total_drop": max_total_drop,
    "partial_count": partial_count,
    "unknown_sku": unknown_sku,
    "zero_beside_unknown": zero_beside_unknown,
    "discontinued": discontinued,
    "below_reserved": below_reserved,
    "old_count": old_count,
    "max_rows": max_rows,
    "basis": basis,
    "in_flight": in_flight,
    "repeated": repeated,
    "other_account": other_account,
}

STOPS_ALL = frozenset({"max_total_drop", "partial_count", "basis", "repeated", "other_account", "max_rows"})
"""Guards that object to the frame, not to a row: rows without an objection are no safer than the others."""


def check_updates(
    updates: pd.DataFrame,
    actual: pd.DataFrame,
    *,
    available: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
    thresholds: Mapping[str, Any] | Thresholds | None = None,
) -> pd.DataFrame:
    """List what the guards object to in an update frame.

    Reserved units are actual less the lowest available quantity of a SKU's channels. If available stock is reduced by
    the orders of the whole account (`Dialect.available_scope`), every channel has the same, and that is all that is
    reserved; if it is reduced by each channel's own orders, more is reserved, and `below_reserved` objects too rarely.

    Args:
        updates: From `build_true_up`, `build_differential` or `build_reversal`. `partial_count`,
            `zero_beside_unknown`, `old_count` and `other_account` need the metadata in its `attrs`; without it, a frame
            is judged by its rows.
        actual: Actual stock now, from `load_actual_stock`.
        available: Available stock now, for `below_reserved` and `basis`, which don't run without it.
        history: Earlier rows of this account, one per row: `submission_id created_at age_s fingerprint reference
            warehouse_code product_sku type quantity outcome`, with `created_at` in UTC and `age_s` in seconds; for
            `in_flight` and `repeated`, which don't run without it.
        thresholds: Thresholds that replace the defaults, by the names of `Thresholds`.

    Returns:
        `warehouse_code product_sku guard message`, one row per objection, in the order of `GUARDS` and of the frame;
        `product_sku` is null for an objection to a warehouse, both keys are null for one to the whole frame.

    Raises:
        InvalidRequestError: A column is missing or can't be read, a key repeats, or a threshold is invalid.

    Example:
        >>> actual = cn.load_actual_stock(client)
        >>> counts = pd.DataFrame({"warehouse_code": ["NW-EAST"], "product_sku": ["0001"], "quantity": [2]})
        >>> cn.check_updates(cn.build_true_up(counts, actual), actual)[["product_sku", "guard"]]
          product_sku     guard
        0        0001  max_drop
    """
    context = build_context(updates, actual, available, history, read_thresholds(thresholds))
    found = [(name, guard(context)) for name, guard in GUARDS.items()] if len(updates) else []
    frames = [_to_frame(name, objections) for name, objections in found if objections is not None]
    empty = pd.DataFrame({name: repeat_text(None, 0) for name in [*STOCK_KEYS, "guard", "message"]})
    return pd.concat(frames, ignore_index=True) if frames else empty


def _to_frame(name: str, objections: Objections) -> pd.DataFrame:
    columns = {**objections.keys, "guard": repeat_text(name, len(objections.messages)), "message": objections.messages}
    return pd.DataFrame(columns, copy=False)
