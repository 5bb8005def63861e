"""Counts -> update frames: only rows that change something, nothing sent yet."""

from __future__ import annotations

from typing import Any, Literal, NoReturn

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames import schemas
from cenports_nb.frames.checks import check, refuse_repeated
from cenports_nb.frames.keys import Mask, Numbered, Numbers, find, number_keys, repeated
from cenports_nb.frames.provenance import provenance
from cenports_nb.frames.texts import constant, pick
from cenports_nb.stock.demand import KEYS, LINE_KEYS, demand_of, open_lines

COUNTED = [*KEYS, "quantity"]
UPDATE_COLUMNS = [*KEYS, "type", "quantity", "current_quantity", "change", "known_sku", "reason", "reference"]


def build_true_up(
    counts: pd.DataFrame,
    actual: pd.DataFrame,
    *,
    at_count: pd.DataFrame | None = None,
    basis: Literal["on_hand", "net_of_open"] = "on_hand",
    open_items: pd.DataFrame | None = None,
    missing: Literal["ignore", "zero"] = "ignore",
    reason: str | None = None,
    reference: str | None = None,
    allow_partial: bool = False,
) -> pd.DataFrame:
    """Plan TRUE_UP updates that bring actual stock to what was counted.

    quantity = counted, or with `at_count` stock now + (counted - stock at the count), so that sales since
    the count are kept; with `basis="net_of_open"` open demand is added to what was counted.

    Args:
        counts: `warehouse_code product_sku quantity`, from `read_counts`.
        actual: Actual stock now, from `load_actual_stock`.
        at_count: Actual stock read when it was counted.
        basis: `"net_of_open"` for a file that is already reduced by open orders.
        open_items: Line items, needed for `"net_of_open"`.
        missing: `"zero"` also sets to 0 what a counted warehouse has and the count lacks.
        reason: Why, for the journal.
        reference: Your document number, for the journal.
        allow_partial: Plan even though `actual` is partial or has rejects.

    Returns:
        The columns of `schemas.StockUpdates`, only rows that change something, in the order of `counts`;
        a SKU that the warehouse does not have is kept, with `known_sku` False.

    Raises:
        InvalidRequestError: Columns missing, keys repeated, quantities no whole numbers of 0 or more, or a
            partial `actual`, in which a missing row would look like an unknown SKU.
    """
    if basis not in ("on_hand", "net_of_open") or missing not in ("ignore", "zero"):
        raise InvalidRequestError(
            f"basis={basis!r} must be 'on_hand' or 'net_of_open', and missing={missing!r} 'ignore' or 'zero'."
        )
    if basis == "net_of_open" and open_items is None:
        raise InvalidRequestError('basis="net_of_open" adds open demand back: pass open_items=, the open line items.')
    counted = check(counts, schemas.ActualStock, "counts", COUNTED, least={"quantity": 0})
    now = _stock(actual, "actual", allow_partial=allow_partial)
    then = None if at_count is None else _stock(at_count, "at_count", allow_partial=allow_partial)
    lines = open_lines(open_items) if open_items is not None and basis == "net_of_open" else None

    numbered = _number(counted, now, then, lines)
    number, in_now = numbered.rows[0], numbered.rows[1]
    at_counted, at_now = find(number, numbered.size), find(in_now, numbered.size)
    refuse_repeated(counts, repeated(number, at_counted), KEYS, "counts")
    refuse_repeated(actual, repeated(in_now, at_now), KEYS, "actual")
    target, rows = counted["quantity"].to_numpy(), np.arange(len(counted))
    if missing == "zero":
        uncounted = np.flatnonzero(_counted_too(counted, now) & (at_counted[in_now] < 0))
        number = np.concatenate([number, in_now[uncounted]])
        target = np.concatenate([target, np.zeros(len(uncounted), dtype=np.int64)])
        rows = np.concatenate([rows, len(counted) + uncounted])
    if lines is not None:
        target = target + demand_of(numbered.rows[-1], lines["quantity"].to_numpy(), numbered.size)[number]
    current, known = _found(now, at_now[number])
    if at_count is not None and then is not None:
        at_then = find(numbered.rows[2], numbered.size)
        refuse_repeated(at_count, repeated(numbered.rows[2], at_then), KEYS, "at_count")
        was, was_known = _found(then, at_then[number])
        target = target + np.where(known & was_known, current - was, 0)
    plan = pd.DataFrame({"row": rows, "quantity": target, "current": current, "known": known})
    below = plan[plan["quantity"] < 0]
    if len(below):
        _refuse_below_zero(below, counted, now)
    plan["change"] = plan["quantity"] - plan["current"]
    plan = plan[~plan["known"] | (plan["change"] != 0)]
    names = {name: pick(plan["row"].to_numpy(), counted[name], now[name]) for name in KEYS}
    return _typed(names, plan, reason, reference)


def _typed(
    names: dict[str, pd.Series[Any]], plan: pd.DataFrame, reason: str | None, reference: str | None
) -> pd.DataFrame:
    """Write a plan as an update frame; what an unknown SKU has now, and how it changes, is null."""
    unknown = ~plan["known"].to_numpy()
    change = plan["change"].mask(unknown, 0).to_numpy()
    columns: dict[str, Any] = {
        **names,
        "type": constant("TRUE_UP", len(plan)),
        "quantity": plan["quantity"].to_numpy(),
        "current_quantity": pd.arrays.IntegerArray(plan["current"].to_numpy(), unknown),
        "change": pd.arrays.IntegerArray(change, unknown),
        "known_sku": ~unknown,
        "reason": constant(reason, len(plan)),
        "reference": constant(reference, len(plan)),
    }
    return pd.DataFrame(columns, columns=UPDATE_COLUMNS, copy=False)


def _stock(stock: pd.DataFrame, what: str, *, allow_partial: bool) -> pd.DataFrame:
    """Check stock that counts are compared with; a partial one would make known SKUs look unknown."""
    read = check(stock, schemas.ActualStock, what, COUNTED)
    origin = provenance(stock)
    if origin and not allow_partial and (not origin.complete or origin.rejected):
        raise InvalidRequestError(
            f"{what} is partial or has {origin.rejected} rejected rows, and a missing row would look like an unknown "
            "SKU: load it again, or pass allow_partial=True."
        )
    return read


def _number(
    counted: pd.DataFrame, now: pd.DataFrame, then: pd.DataFrame | None, lines: pd.DataFrame | None
) -> Numbered:
    """Number the keys of all frames there are, line items last."""
    frames = [[frame[name] for name in KEYS] for frame in (counted, now, then) if frame is not None]
    return number_keys(*frames, *([] if lines is None else [[lines[name] for name in LINE_KEYS]]))


def _found(stock: pd.DataFrame, rows: Numbers) -> tuple[Numbers, Mask]:
    """Look up quantities by row, 0 where there is none, and tell where there is one."""
    known = rows >= 0
    quantities = np.append(stock["quantity"].to_numpy(), 0)  # row -1 is the one appended
    return quantities[rows], known


def _counted_too(counted: pd.DataFrame, now: pd.DataFrame) -> Mask:
    """Tell which rows of the stock are in a warehouse that was counted."""
    mask: Mask = now["warehouse_code"].isin(counted["warehouse_code"].unique()).to_numpy()
    return mask


def _refuse_below_zero(below: pd.DataFrame, counted: pd.DataFrame, now: pd.DataFrame) -> NoReturn:
    code, sku = (pick(below["row"].to_numpy()[:1], counted[name], now[name])[0] for name in KEYS)
    raise InvalidRequestError(
        f"{len(below)} rows would go below 0, the first {sku} in {code} to {below['quantity'].iloc[0]}: more was sold "
        "since the count than was counted; count them again."
    )
