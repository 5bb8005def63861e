"""The final rows of an update frame: compared with the current stock, before the guards check them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError, StaleStockError
from cenports_nb.frames.arrow_columns import build_text, repeat_text
from cenports_nb.frames.row_keys import list_keys
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.schemas import StockUpdates
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.rendering.surface import name_argument
from cenports_nb.rendering.text import format_count
from cenports_nb.stock.guards.row_limits import fell_equally
from cenports_nb.stock.plans.metadata import PlanMetadata, mark_as_part
from cenports_nb.stock.plans.update_frame import compute_fingerprint
from cenports_nb.submissions.rules.decide import describe_move

OnStale = Literal["raise", "rebase", "drop", "force"]
ON_STALE_MODES = ("raise", "rebase", "drop", "force")


def explain_exclusions(rows: pd.DataFrame, left_out: pd.DataFrame | None, who: str) -> pd.Series[Any]:
    """Return for each row of a plan why a person leaves it out; null if it is sent.

    Raises:
        InvalidRequestError: It can't be read, names a row twice or one that the plan lacks, or has no reason.
    """
    if left_out is None or not len(left_out):
        return repeat_text(None, len(rows))
    columns = [*STOCK_KEYS, "reason"]
    given = validate_columns(left_out, StockUpdates, "left_out", columns, unique=STOCK_KEYS).reset_index(drop=True)
    keys = list_keys(given, STOCK_KEYS)
    reasons = dict(zip(keys, given["reason"].fillna("").str.strip(), strict=True))
    for (code, sku), reason in reasons.items():
        if not reason:
            raise InvalidRequestError(f"left_out gives no reason for {sku} in {code}: say why it is not sent.")
    planned = list_keys(rows, STOCK_KEYS)
    known = set(planned)
    for code, sku in keys:
        if (code, sku) not in known:
            raise InvalidRequestError(
                f"left_out names {sku} in {code}, which is not in the update frame: take its keys from there."
            )
    return build_text([f"left out by {who}: {reasons[key]}" if key in reasons else None for key in planned])


def add_open_quantities(
    rows: pd.DataFrame, metadata: PlanMetadata | None, now: Mapping[tuple[str, str], int] | None
) -> pd.DataFrame:
    """Add to each TRUE_UP what its plan added back and what is open now; null if that is not compared."""
    planned = {} if metadata is None else metadata.open_quantities
    before = after = pd.Series(pd.NA, index=rows.index, dtype="Int64")
    if now is not None:
        keys = list_keys(rows, STOCK_KEYS)
        is_compared = rows["type"] == "TRUE_UP"
        before = before.mask(is_compared, [planned.get(code, {}).get(sku, 0) for code, sku in keys])
        after = after.mask(is_compared, [now.get(key, 0) for key in keys])
    return rows.assign(open_quantity=before, open_now=after)


def compare_with_stock(rows: pd.DataFrame, actual: pd.DataFrame, on_stale: str) -> pd.DataFrame:
    """Compare each row with the current stock, and apply `on_stale` to TRUE_UPs whose stock or open demand changed.

    Args:
        rows: `warehouse_code product_sku type quantity current_quantity excluded open_quantity open_now`; `excluded` is the
            reason why a person left a row out.
        actual: The current actual stock.
        on_stale: One of `ON_STALE_MODES`.

    Returns:
        The rows with `before_quantity`, `outcome` (not_sent, held or dropped), `message`, and `is_stale`: it changed, and
        nothing could or should be done about it. Rebased rows have their new numbers.
    """
    stock = rows[STOCK_KEYS].merge(actual[[*STOCK_KEYS, "quantity"]], on=STOCK_KEYS, how="left")
    now = stock["quantity"].astype("Int64")
    planned = rows["current_quantity"].astype("Int64")
    is_excluded = rows["excluded"].notna()
    open_planned, open_now = rows["open_quantity"], rows["open_now"]
    same = ((planned == now) | (planned.isna() & now.isna())).fillna(value=False).astype(bool)
    same &= (open_planned == open_now).fillna(value=True).astype(bool)
    moved = ~same & (rows["type"] == "TRUE_UP") & ~is_excluded & (on_stale != "force")
    quantity = rows["quantity"]
    message = rows["excluded"].astype("str")
    outcome = pd.Series(np.where(is_excluded, "held", "not_sent"), index=rows.index).astype("str")
    if on_stale == "rebase" and moved.any():
        rebased = now + quantity - planned
        can = moved & (rebased >= 0).fillna(value=False).astype(bool)
        can &= fell_equally(now - planned, open_now - open_planned).fillna(value=True).astype(bool)
        quantity = quantity.mask(can, rebased.fillna(0).astype("int64"))
        planned, open_planned = planned.mask(can, now), open_planned.mask(can, open_now)
        moved = moved & ~can
    elif on_stale == "drop" and moved.any():
        texts = [
            f"{text.capitalize()} since it was planned; plan it again."
            for text in describe_moves(_select_stale(rows.assign(before_quantity=now), moved))
        ]
        outcome = outcome.mask(moved, "dropped")
        message = message.mask(moved, pd.Series(texts, index=rows.index[moved], dtype="str"))
        moved = moved & False
    return rows.assign(
        quantity=quantity,
        current_quantity=planned,
        open_quantity=open_planned,
        before_quantity=now,
        outcome=outcome,
        message=message,
        is_stale=moved,
    )


def select_final_rows(updates: pd.DataFrame, rows: pd.DataFrame, excluded: pd.Series[Any]) -> pd.DataFrame:
    """Select the rows to send from an update frame, with their final numbers; its metadata names the whole plan."""
    leaves = (rows["outcome"] == "not_sent").to_numpy()
    is_changed = (rows["quantity"].to_numpy() != updates["quantity"].to_numpy()).any()
    if leaves.all() and not is_changed:
        return updates
    final = updates.copy()
    final["quantity"] = rows["quantity"].to_numpy()
    final["current_quantity"] = rows["current_quantity"].array
    return mark_as_part(final[leaves & excluded.isna().to_numpy()], compute_fingerprint(updates))


def refuse_stale(rows: pd.DataFrame) -> None:
    """Refuse rows whose stock changed and that can't be sent.

    Raises:
        StaleStockError: `.stale` has these rows.
    """
    stale = _select_stale(rows, rows["is_stale"] & (rows["outcome"] == "not_sent"))
    if not len(stale):
        return
    first = stale.iloc[0]
    subject, move = "stock", f"from {first['current_quantity']} to {first['stock_now']}"
    if "open_now" in stale:
        subject, move = "stock or open demand", f"({describe_moves(stale.head(1))[0]})"
    raise StaleStockError(
        f"The {subject} of {format_count(len(stale), 'row')} moved since the update frame was built, the first {first['product_sku']} in "
        f"{first['warehouse_code']} {move}. Nothing was sent; build "
        f"the frame again, or choose {name_argument('on_stale', 'rebase')}, drop or force.",
        stale=stale,
    )


def _select_stale(rows: pd.DataFrame, is_stale: pd.Series[bool]) -> pd.DataFrame:
    """Select rows for `StaleStockError.stale`, with open demand if it is compared at all."""
    demand = ["open_quantity", "open_now"] if rows["open_now"].notna().any() else []
    stale = rows.loc[is_stale, [*STOCK_KEYS, "current_quantity", "before_quantity", "quantity", *demand]]
    return stale.rename(columns={"before_quantity": "stock_now"}).reset_index(drop=True)


def describe_moves(stale: pd.DataFrame) -> list[str]:
    """Describe for each row of `StaleStockError.stale` what changed, with the old and the new value."""
    names = ["current_quantity", "stock_now", "open_quantity", "open_now"]
    values = stale.reindex(columns=names).astype(object)
    return [describe_move(*row) for row in values.where(values.notna(), None).itertuples(index=False, name=None)]


def add_reserved(rows: pd.DataFrame, actual: pd.DataFrame, available: pd.DataFrame | None) -> pd.DataFrame:
    """Add to each row what open orders have reserved of its SKU, if available stock shows it."""
    if available is None:
        return rows.assign(reserved=None)
    lowest = available.groupby(STOCK_KEYS)["quantity"].min().rename("lowest").reset_index()
    joined = rows[STOCK_KEYS].merge(actual[[*STOCK_KEYS, "quantity"]], on=STOCK_KEYS, how="left")
    joined = joined.merge(lowest, on=STOCK_KEYS, how="left")
    reserved = (joined["quantity"].astype("Int64") - joined["lowest"].astype("Int64")).clip(lower=0)
    return rows.assign(reserved=reserved.array)
