"""Restatement: how the sales of the same days changed between two readings."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.analysis.changes import list_changes
from cenports_nb.analysis.money import ExactSums, add_exactly, combine_sums, sum_exactly
from cenports_nb.analysis.scan import Scan, is_scan, list_scan_months, read_whole, run_by_month
from cenports_nb.errors import AnalysisWarning
from cenports_nb.frames.account_column import ACCOUNT, add_account_key, require_accounts
from cenports_nb.frames.choices import parse_words
from cenports_nb.frames.line_status import has_status
from cenports_nb.frames.row_keys import Mask, sum_by_code
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import LINE_ITEM_KEYS, ORDER_KEYS
from cenports_nb.frames.schema.validation import validate_columns

NEEDED_COLUMNS = [*LINE_ITEM_KEYS, "product_sku", "quantity", "price", "status"]
CHANGE_KINDS = (
    "order added",
    "order gone",
    "line added",
    "line gone",
    "cancelled",
    "no longer cancelled",
    "SKU changed",
    "quantity changed",
    "price changed",
)
"""What can happen to a line, in the order of the steps."""


@dataclass(frozen=True)
class Restatement:
    """The steps from the earlier total to the current one.

    Attributes:
        steps: One row per kind of change, between the totals: `kind`, `lines` (`Int64`, null for totals), `units`
            (`int64`), `line_value` (`float64`). The first row is the earlier total, the last the current one, and the
            rows between them add up to the difference.
        lines: One row per change: the line's key, `product_sku`, `kind`, `quantity_before`, `quantity_after`,
            `price_before`, `price_after`, `units` and `line_value` (what it adds). The largest amounts first.
    """

    steps: pd.DataFrame
    lines: pd.DataFrame


def restatement(
    before: pd.DataFrame | Scan,
    after: pd.DataFrame | Scan,
    *,
    exclude: Collection[str] = (),
    executor: Executor | None = None,
) -> Restatement:
    """Explain how units and value of the same days changed between two readings.

    line_value = Σ price × quantity of the lines whose status is not excluded, as in `summarize_sales`; a line without a
    price has the value 0. A line whose quantity and price both changed makes two steps: (quantity after - quantity
    before) × price before, and (price after - price before) × quantity after. So the steps add up to the difference,
    exactly to the cent.

    Args:
        before: Line items as they were loaded earlier, such as `archive.load_line_items(…, as_of="2026-10-01")`; two
            scans of an archive are compared month by month, with the same result to the cent.
        after: Line items of the same days, loaded later.
        exclude: Line statuses, in any case, that don't count.
        executor: Compares the months of scans.

    Raises:
        InvalidRequestError: A column is missing or can't be read, or a key repeats.

    Example:
        >>> line = {"channel_id": "EU", "line_item": 1, "product_sku": "A", "price": 9.99, "status": "shipped"}
        >>> before = pd.DataFrame([{**line, "order_no": "1", "quantity": 2}])
        >>> after = pd.DataFrame([{**line, "order_no": "1", "quantity": 3}, {**line, "order_no": "2", "quantity": 1}])
        >>> cn.restatement(before, after).steps
                       kind  lines  units  line_value
        0           earlier   <NA>      2       19.98
        1       order added      1      1        9.99
        2  quantity changed      1      1        9.99
        3               now   <NA>      4       39.96
    """
    exclude = parse_words("exclude", exclude)
    if is_scan(before) and is_scan(after):
        work = partial(_compare_month, before.select(NEEDED_COLUMNS), after.select(NEEDED_COLUMNS), exclude)
        parts = run_by_month(work, list_scan_months(before, after), executor)
    else:
        parts = [_compare(read_whole("before", before), read_whole("after", after), exclude)]
    # A line that is in another month now, and as it was, is no change: keys are matched over all months.
    earlier, later, orders_before, orders_after = (
        pd.concat([getattr(part, name) for part in parts], ignore_index=True)
        for name in ("before", "after", "orders_before", "orders_after")
    )
    touched = _find_touched(earlier, later)
    keys = list(touched.columns)
    joined = (
        touched.merge(_add_counts(earlier, exclude), on=keys, how="left")
        .merge(_add_counts(later, exclude), on=keys, how="left", suffixes=("_before", "_after"))
        .assign(
            order_before=lambda frame: _has_order(frame, orders_before),
            order_after=lambda frame: _has_order(frame, orders_after),
        )
    )
    found = _list_kinds(joined)
    return Restatement(_build_steps(found, parts), _build_lines(found))


@dataclass(frozen=True)
class _Total:
    """Units and value of the lines that count, exact."""

    units: int
    value: ExactSums


@dataclass(frozen=True)
class _Part:
    """What differs in a part of the lines.

    Attributes:
        before: Lines that are not there later, or not as they are.
        after: Lines that were not there, or not as they are.
        orders_before: The orders of these lines that had any line before.
        orders_after: Those that have any line now.
        total_before: Of all lines.
        total_after: Of all lines.
    """

    before: pd.DataFrame
    after: pd.DataFrame
    orders_before: pd.DataFrame
    orders_after: pd.DataFrame
    total_before: _Total
    total_after: _Total


def _compare_month(before: Scan, after: Scan, exclude: Collection[str], month: str) -> _Part:
    return _compare(before.read(month), after.read(month), exclude)


def _compare(before: pd.DataFrame, after: pd.DataFrame, exclude: Collection[str]) -> _Part:
    """Find what differs between two frames, with the orders around it."""
    account = [ACCOUNT] if require_accounts({"before": before, "after": after}) else []
    earlier, later = (
        validate_columns(frame, schemas.LineItems, what, [*account, *NEEDED_COLUMNS])
        for frame, what in ((before, "before"), (after, "after"))
    )
    touched = _find_touched(earlier, later)
    keys = add_account_key(touched, ORDER_KEYS)
    orders = touched[keys].drop_duplicates()
    orders_before, orders_after = (frame[keys].drop_duplicates().merge(orders, on=keys) for frame in (earlier, later))
    return _Part(
        earlier.merge(touched, on=list(touched.columns)),
        later.merge(touched, on=list(touched.columns)),
        orders_before,
        orders_after,
        _add_up(earlier, exclude),
        _add_up(later, exclude),
    )


def _find_touched(earlier: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """Find the keys of lines that differ."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnalysisWarning)  # frames without their origin are compared on purpose
        keys = add_account_key(earlier, LINE_ITEM_KEYS)
        return list_changes(earlier, later, keys)[keys].drop_duplicates()


def _add_counts(lines: pd.DataFrame, exclude: Collection[str]) -> pd.DataFrame:
    """Add whether a line counts; a line without a price has the value 0."""
    counts = ~has_status(lines["status"], exclude)
    lines = lines.assign(counts=counts.to_numpy().astype("float64"), price=lines["price"].fillna(0.0))
    return lines.drop(columns="status")


def _has_order(frame: pd.DataFrame, orders: pd.DataFrame) -> Mask:
    """Mark the rows whose order is one of these."""
    known: Mask = pd.MultiIndex.from_frame(frame[list(orders.columns)]).isin(pd.MultiIndex.from_frame(orders))
    return known


def _list_kinds(joined: pd.DataFrame) -> pd.DataFrame:
    """List the changes, one per row: an amount, the units to multiply it by, and the units that it adds."""
    was, now = joined["counts_before"].fillna(0.0) > 0, joined["counts_after"].fillna(0.0) > 0
    existed, exists = joined["counts_before"].notna(), joined["counts_after"].notna()
    enters, leaves, remains = now & ~was, was & ~now, was & now
    same = joined["product_sku_before"] == joined["product_sku_after"]
    kinds = [
        (enters & ~existed & ~joined["order_before"], "order added", "after", +1),
        (enters & ~existed & joined["order_before"], "line added", "after", +1),
        (enters & existed, "no longer cancelled", "after", +1),
        (leaves & ~exists & ~joined["order_after"], "order gone", "before", -1),
        (leaves & ~exists & joined["order_after"], "line gone", "before", -1),
        (leaves & exists, "cancelled", "before", -1),
        (remains & ~same, "SKU changed", "before", -1),
        (remains & ~same, "SKU changed", "after", +1),
    ]
    parts = [
        _build_rows(
            joined[rows], kind, side, joined.loc[rows, f"price_{side}"], sign * joined.loc[rows, f"quantity_{side}"]
        )
        for rows, kind, side, sign in kinds
    ]
    both = joined[remains & same]
    quantity_change = both["quantity_after"] - both["quantity_before"]
    parts += [
        _build_rows(both, "quantity changed", "after", both["price_before"], quantity_change)[
            (quantity_change != 0).to_numpy()
        ]
    ]
    price_changed = (both["price_after"] != both["price_before"]).to_numpy()
    rise = _build_rows(
        both, "price changed", "after", both["price_after"], both["quantity_after"], less=both["price_before"]
    )
    return pd.concat([*parts, rise[price_changed]], ignore_index=True)


def _build_rows(
    rows: pd.DataFrame, kind: str, side: str, price: pd.Series[Any], units: pd.Series[Any], *, less: Any = None
) -> pd.DataFrame:
    """Build rows of price × units; with `less`, of (price - less) × units, which adds no units."""
    old_and_new = [f"{name}_{when}" for name in ("quantity", "price") for when in ("before", "after")]
    return pd.DataFrame(
        {
            **{name: rows[name].to_numpy() for name in add_account_key(rows, LINE_ITEM_KEYS)},
            "product_sku": rows[f"product_sku_{side}"].to_numpy(),
            "kind": kind,
            **{name: rows[name].to_numpy() for name in old_and_new},
            "units": 0 if less is not None else units.to_numpy().astype("int64"),
            "_amount": price.to_numpy(),
            "_times": units.to_numpy().astype("int64"),
            "_less": 0.0 if less is None else less.to_numpy(),
        }
    )


def _sum_values(found: pd.DataFrame, group: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    """Sum entries by group, exactly."""
    amounts = np.concatenate([found["_amount"].to_numpy(np.float64), found["_less"].to_numpy(np.float64)])
    times = found["_times"].to_numpy(np.int64)
    return sum_exactly(amounts, np.concatenate([times, -times]), np.concatenate([group, group]), size)


def _build_steps(found: pd.DataFrame, parts: Sequence[_Part]) -> pd.DataFrame:
    group = found["kind"].map({kind: at for at, kind in enumerate(CHANGE_KINDS)}).to_numpy().astype(np.int64)
    units = sum_by_code(group, found["units"].to_numpy(np.int64), len(CHANGE_KINDS))
    keys = found.assign(_group=group)[[*add_account_key(found, LINE_ITEM_KEYS), "_group"]].drop_duplicates()
    lines = np.bincount(keys["_group"].to_numpy(np.int64), minlength=len(CHANGE_KINDS))
    values = _sum_values(found, group, len(CHANGE_KINDS))
    table = pd.DataFrame({"kind": [*CHANGE_KINDS], "lines": lines, "units": units, "line_value": values})
    ends = [
        _build_total("earlier", [part.total_before for part in parts]),
        _build_total("now", [part.total_after for part in parts]),
    ]
    steps = pd.concat([ends[0], table[lines > 0], ends[1]], ignore_index=True)
    return steps.astype({"kind": "str", "lines": "Int64", "units": "int64", "line_value": "float64"})


def _add_up(lines: pd.DataFrame, exclude: Collection[str]) -> _Total:
    counted = lines[~has_status(lines["status"], exclude).to_numpy()]
    quantity = counted["quantity"].to_numpy(np.int64)
    prices = counted["price"].fillna(0.0).to_numpy(np.float64)
    return _Total(int(quantity.sum()), add_exactly(prices, quantity, np.zeros(len(counted), dtype=np.int64), 1))


def _build_total(name: str, totals: Sequence[_Total]) -> pd.DataFrame:
    value = combine_sums([total.value for total in totals], np.zeros(len(totals), dtype=np.int64), 1).to_floats()
    units = sum(total.units for total in totals)
    return pd.DataFrame(
        {"kind": [name], "lines": pd.array([None], dtype="Int64"), "units": [units], "line_value": value}
    )


def _build_lines(found: pd.DataFrame) -> pd.DataFrame:
    value = _sum_values(found, np.arange(len(found)), len(found))
    order: Any = np.lexsort(
        [found[name].to_numpy(object) for name in add_account_key(found, LINE_ITEM_KEYS)[::-1]] + [-np.abs(value)]
    )
    whole = {"quantity_before": "Int64", "quantity_after": "Int64", "units": "int64", "line_item": "int64"}
    sorted_lines = found.assign(line_value=value).drop(columns=["_amount", "_times", "_less"]).iloc[order]
    texts = dict.fromkeys([*add_account_key(found, ORDER_KEYS), "product_sku", "kind"], "str")
    lines: pd.DataFrame = sorted_lines.reset_index(drop=True).astype({**whole, **texts})
    return lines
