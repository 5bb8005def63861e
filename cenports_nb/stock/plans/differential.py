"""Changes -> update frames of type DIFFERENTIAL, whatever the current stock is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import take_text
from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.frame_kinds import refuse_swapped, refuse_swapped_stock
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.validation import index_unique_rows, refuse_duplicates, validate_columns
from cenports_nb.rendering.text import list_names
from cenports_nb.stock.plans.metadata import describe_sources, write_metadata
from cenports_nb.stock.plans.update_frame import (
    MAX_UNITS,
    STOCK_COLUMNS,
    build_update_frame,
    check_stock,
    look_up_quantities,
)


def build_differential(
    changes: pd.DataFrame,
    actual: pd.DataFrame | None = None,
    *,
    reason: str | None = None,
    reference: str | None = None,
    allow_partial: bool = False,
) -> pd.DataFrame:
    """Plan DIFFERENTIAL updates, which change the stock, so that sales in between are kept.

    Without `actual` nothing is looked up: `current_quantity` is null and `known_sku` True for every row. Guards don't
    rely on `known_sku`: `check_updates`, and so every submission, looks each SKU up in the stock that it is given.

    Args:
        changes: `warehouse_code product_sku quantity`, signed whole units; the last one may also be named `change`.
        actual: Actual stock now, from `load_actual_stock`, to find unknown SKUs, and changes that would lead below 0,
            before Cenports does.
        reason: The reason, for the journal.
        reference: Your document number, for the journal.
        allow_partial: Plan even if `actual` is partial or has rejects.

    Returns:
        The columns of `schemas.StockUpdates`, in the order of `changes`, without rows of 0; `quantity` and `change` are
        both the signed change.

    Raises:
        InvalidRequestError: A column is missing or can't be read, a key repeats, `quantity` and `change` contradict
            each other, `actual` is partial, or stock would go below 0.

    Example:
        >>> changes = pd.DataFrame({"warehouse_code": ["NW-EAST"], "product_sku": ["0003"], "quantity": [-2]})
        >>> updates = cn.build_differential(changes, cn.load_actual_stock(client))
        >>> updates[["product_sku", "type", "quantity", "current_quantity"]]
          product_sku          type  quantity  current_quantity
        0        0003  DIFFERENTIAL        -2                13
    """
    refuse_swapped(changes=changes, actual=actual)
    refuse_swapped_stock("changes", changes, actual)
    read = _read_changes(changes)
    refuse_duplicates(changes, read.duplicated(STOCK_KEYS, keep=False).to_numpy(), STOCK_KEYS, "changes")
    read = read[read["quantity"] != 0]
    quantity = read["quantity"].to_numpy()
    _refuse(read, np.abs(quantity) > MAX_UNITS, f"would move by more than {MAX_UNITS:,}", "fix them")
    now = None if actual is None else check_stock(actual, "actual", allow_partial=allow_partial)
    current, known = np.zeros(len(read), dtype=np.int64), np.zeros(len(read), dtype=bool)
    if actual is not None and now is not None:
        encoded = encode_keys(*([frame[name] for name in STOCK_KEYS] for frame in (read, now)))
        stock_rows = index_unique_rows(actual, encoded.rows[1], encoded.size, STOCK_KEYS, "actual")
        current, known = look_up_quantities(now, stock_rows[encoded.rows[0]])
        below = known & (quantity < 0) & (current + quantity < 0)
        _refuse(read, below, "would go below 0", "they remove more than there is; fix them", current)
    keys = {name: take_text(np.arange(len(read)), read[name]) for name in STOCK_KEYS}
    plan = build_update_frame(
        keys, "DIFFERENTIAL", quantity, current=current, known=known, actual=now, reason=reason, reference=reference
    )
    return write_metadata(plan, describe_sources(actual))


def _read_changes(changes: pd.DataFrame) -> pd.DataFrame:
    """Validate the changes, whether their column is `quantity` or `change`."""
    if isinstance(changes, pd.DataFrame) and {"change", "quantity"} <= {*changes.columns}:
        both = validate_columns(changes, schemas.StockUpdates, "changes", ["quantity", "change"])
        if not (both["quantity"] == both["change"]).fillna(value=False).all():
            raise InvalidRequestError(
                "changes has a quantity and a change that differ, as a frame of counts or of TRUE_UP updates has: "
                "keep the one that is the signed change."
            )
    elif isinstance(changes, pd.DataFrame):
        changes = changes.rename(columns={"change": "quantity"})
    return validate_columns(changes, schemas.ActualStock, "changes", STOCK_COLUMNS)


def _refuse(read: pd.DataFrame, bad: Mask, what: str, advice: str, current: IntArray | None = None) -> None:
    if not bad.any():
        return
    named = [
        f"{read['product_sku'].iloc[row]} in {read['warehouse_code'].iloc[row]} ({read['quantity'].iloc[row]:+d}"
        + (f" of {current[row]})" if current is not None else ")")
        for row in np.flatnonzero(bad)
    ]
    raise InvalidRequestError(f"Rows of changes {what}: {list_names(named)}: {advice}.")
