"""Counts -> update frames: only rows that change something, nothing sent yet."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.provenance import provenance
from cenports_nb.stock.demand import KEYS, open_quantity, require, require_unique

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
    _check_counts(counts)
    _check_actual(actual, "actual", allow_partial=allow_partial)
    plan = counts[[*KEYS, "quantity"]].copy()
    if missing == "zero":
        plan = pd.concat([plan, _uncounted(plan, actual)], ignore_index=True)
    plan["quantity"] = plan["quantity"].astype("Int64")
    if basis == "net_of_open":
        if open_items is None:
            raise InvalidRequestError(
                'basis="net_of_open" adds open demand back: pass open_items=, the open line items.'
            )
        demand = plan[KEYS].merge(open_quantity(open_items), on=KEYS, how="left")["open_quantity"]
        plan["quantity"] += demand.astype("Int64").fillna(0).to_numpy()
    plan = plan.merge(_quantities(actual, "current_quantity"), on=KEYS, how="left")
    if at_count is not None:
        _check_actual(at_count, "at_count", allow_partial=allow_partial)
        then = plan[KEYS].merge(_quantities(at_count, "then"), on=KEYS, how="left")["then"]
        plan["quantity"] += (plan["current_quantity"] - then).fillna(0)
        _refuse_below_zero(plan)
    plan["known_sku"] = plan["current_quantity"].notna()
    plan["change"] = plan["quantity"] - plan["current_quantity"]
    plan["type"] = "TRUE_UP"
    plan["reason"], plan["reference"] = reason, reference
    plan = plan[(plan["change"] != 0).fillna(value=True).astype(bool)].reset_index(drop=True)
    return _typed(plan)


def _typed(plan: pd.DataFrame) -> pd.DataFrame:
    texts = ("warehouse_code", "product_sku", "type", "reason", "reference")
    dtypes: dict[str, Any] = dict.fromkeys(texts, "str") | {
        "quantity": "int64",
        "current_quantity": "Int64",
        "change": "Int64",
        "known_sku": "bool",
    }
    return plan[UPDATE_COLUMNS].astype(dtypes)


def _check_counts(counts: pd.DataFrame) -> None:
    require(counts, [*KEYS, "quantity"], "counts")
    for name in KEYS:
        if counts[name].isna().any() or not pd.api.types.is_string_dtype(counts[name]):
            raise InvalidRequestError(
                f"{name} in counts must be text in every row, such as '0012': read the file with read_counts."
            )
    numbers = pd.to_numeric(counts["quantity"], errors="coerce").astype("Float64")
    for bad, what in (
        (numbers.isna(), "no number"),
        (numbers < 0, "negative"),
        (numbers % 1 != 0, "not whole"),
    ):
        if bad.fillna(value=False).any():
            rows = ", ".join(map(str, counts.index[bad.fillna(value=False)][:5]))
            raise InvalidRequestError(f"counts has a quantity that is {what} in rows {rows}: mend the count.")
    require_unique(counts, KEYS, "counts")


def _check_actual(actual: pd.DataFrame, what: str, *, allow_partial: bool) -> None:
    require(actual, [*KEYS, "quantity"], what)
    require_unique(actual, KEYS, what)
    origin = provenance(actual)
    if origin and not allow_partial and (not origin.complete or origin.rejected):
        raise InvalidRequestError(
            f"{what} is partial or has {origin.rejected} rejected rows, and a missing row would look like an unknown "
            "SKU: load it again, or pass allow_partial=True."
        )


def _uncounted(plan: pd.DataFrame, actual: pd.DataFrame) -> pd.DataFrame:
    """List what counted warehouses have and the count lacks, with 0."""
    stocked = actual.loc[actual["warehouse_code"].isin(plan["warehouse_code"]), KEYS]
    lacking = stocked.merge(plan[KEYS], on=KEYS, how="left", indicator=True)
    return lacking.loc[lacking["_merge"] == "left_only", KEYS].assign(quantity=0)


def _quantities(stock: pd.DataFrame, name: str) -> pd.DataFrame:
    return stock[KEYS].assign(**{name: stock["quantity"].astype("Int64")})


def _refuse_below_zero(plan: pd.DataFrame) -> None:
    below = (plan["quantity"] < 0).fillna(value=False)
    if below.any():
        row = plan[below].iloc[0]
        raise InvalidRequestError(
            f"{int(below.sum())} rows would go below 0, the first {row['product_sku']} in {row['warehouse_code']} to "
            f"{row['quantity']}: more was sold since the count than was counted; count them again."
        )
