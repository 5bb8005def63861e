"""Counts -> update frames of type TRUE_UP, with only the rows that change something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import msgspec
import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import is_blank, take_text
from cenports_nb.frames.choices import check_choice
from cenports_nb.frames.line_status import select_open_lines
from cenports_nb.frames.provenance import provenance
from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys, sum_by_code
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.frame_kinds import refuse_swapped, refuse_swapped_stock
from cenports_nb.frames.schema.keys import LINE_STOCK_KEYS, STOCK_KEYS
from cenports_nb.frames.schema.validation import index_unique_rows, validate_columns
from cenports_nb.frames.sku_settlements import read_settlements
from cenports_nb.rendering.text import format_count
from cenports_nb.stock.plans.metadata import Coverage, UnsettledSkus, describe_sources, write_metadata
from cenports_nb.stock.plans.sku_suggestions import find_resembled
from cenports_nb.stock.plans.unknown_skus import (
    check_settlements,
    find_abandoned,
    find_uncounted,
    find_unsettled,
    settle_unknown_skus,
)
from cenports_nb.stock.plans.update_frame import (
    MAX_UNITS,
    STOCK_COLUMNS,
    build_update_frame,
    check_stock,
    look_up_quantities,
    refuse_other_accounts,
)

MAX_CLOCK_DIFFERENCE = timedelta(seconds=5)
"""Maximum difference between the times that the cache and the load give to the same answer."""


def build_true_up(
    counts: pd.DataFrame,
    actual: pd.DataFrame,
    *,
    at_count: pd.DataFrame | None = None,
    basis: Literal["on_hand", "net_of_open"] = "on_hand",
    open_items: pd.DataFrame | None = None,
    missing: Literal["ignore", "zero"] = "ignore",
    unknown: Mapping[str, str] | None = None,
    reason: str | None = None,
    reference: str | None = None,
    allow_partial: bool = False,
) -> pd.DataFrame:
    """Plan TRUE_UP updates that set actual stock to the counted quantities.

    | counted | the file has | arguments | quantity |
    |---|---|---|---|
    | now | stock on hand | | counted |
    | now | stock on hand less open orders | `basis="net_of_open"`, `open_items` | counted + open |
    | earlier | stock on hand | `at_count` | actual + (counted - at_count) |
    | earlier | stock on hand less open orders | both | actual + (counted + open - at_count) |

    change = quantity - actual. `submit_updates` reads the stock again: rows whose stock changed since `actual` was
    loaded are refused as stale, or become new stock + change with `on_stale="rebase"`.

    Args:
        counts: `warehouse_code product_sku quantity`, from `read_counts`; optionally `counted_at`.
        actual: Actual stock now, from `load_actual_stock`.
        at_count: Actual stock at the time of the count.
        basis: `"net_of_open"` for a file in which open orders are already deducted.
        open_items: Line items, required for `"net_of_open"`: those that were open at the time of the count, loaded after
            the stock of that time (`load_open_items(client, refresh=True)`).
        missing: `"zero"` also sets to 0 what a counted warehouse has and the count lacks, except SKUs that an unknown
            SKU of the count resembles, and those that came after `at_count`. While the count of a warehouse has unknown
            SKUs that nobody settled, a guard holds these rows.
        unknown: What unknown SKUs of the count are: `{"NEW-1": "new", "ab100": "AB-100"}`. The count of such a SKU is
            used for the named one in every warehouse that lacks the first and has the second. `submit_updates` remembers
            it for the account, and the next plan applies it.
        reason: The reason, for the journal.
        reference: Your document number, for the journal.
        allow_partial: Plan even if `actual` is partial or has rejects.

    Returns:
        The columns of `schemas.StockUpdates`, only rows that change something, in the order of `counts`, followed by
        those of `missing="zero"`. A SKU that the warehouse lacks is kept, with `known_sku` False and, as `suggestion`,
        the one SKU of the warehouse that differs only in spelling. `counted_at` if the counts have it. Metadata in
        `attrs` tell the guards what the plan was made from.

    Raises:
        InvalidRequestError: Columns are missing, keys repeat, or quantities aren't whole numbers of 0 or more; frames
            belong to several accounts; `at_count` lacks a counted SKU or is newer than `actual`; open lines are older
            than their stock, partial or without a warehouse; `unknown` settles a SKU that is known or whose target was
            counted too; or `actual` is partial, in which a missing row would look like an unknown SKU.

    Example:
        >>> counts = pd.DataFrame({"warehouse_code": ["NW-EAST"], "product_sku": ["0003"], "quantity": [15]})
        >>> updates = cn.build_true_up(counts, cn.load_actual_stock(client))
        >>> updates[["product_sku", "quantity", "current_quantity", "change"]]
          product_sku  quantity  current_quantity  change
        0        0003        15                13       2
    """
    check_choice("basis", basis, ("on_hand", "net_of_open"))
    check_choice("missing", missing, ("ignore", "zero"))
    if basis == "net_of_open" and open_items is None:
        raise InvalidRequestError('basis="net_of_open" adds open demand back: pass open_items=, the open line items.')
    lines = None
    if open_items is not None and basis == "net_of_open":
        lines = select_open_lines(open_items, [name for name in ("order_no",) if name in open_items.columns])
    refuse_swapped(counts=counts, actual=actual, at_count=at_count, open_items=open_items)
    refuse_swapped_stock("counts", counts, actual)
    settled = check_settlements(unknown)
    joined = _join_stock(counts, actual, at_count, lines, settled, allow_partial=allow_partial)
    if "type" in counts.columns and (counts["type"] == "DIFFERENTIAL").any():
        raise InvalidRequestError(
            "counts has changes, as its type says: pass counted stock, or use build_differential."
        )
    refuse_other_accounts(actual, open_items=open_items)
    if lines is not None and open_items is not None:
        _refuse_older_lines(open_items, actual, at_count)
        _refuse_partial_lines(open_items, allow_partial=allow_partial)
        _refuse_lines_without_warehouse(lines, joined, missing)
    timed = validate_columns(counts, schemas.StockUpdates, "counts", ["counted_at"])
    counted, now = joined.counted, joined.now
    is_zeroed = _find_zeroed(joined) if missing == "zero" else np.zeros(len(now), dtype=bool)
    rows, target, current, known = _decide_targets(joined, lines, is_zeroed)

    changed = np.flatnonzero(~known | (target != current))
    plan = build_update_frame(
        {name: take_text(rows[changed], counted[name], now[name]) for name in STOCK_KEYS},
        "TRUE_UP",
        target[changed],
        current=current[changed],
        known=known[changed],
        actual=now,
        reason=reason,
        reference=reference,
    )
    if "counted_at" in timed.columns:
        count_rows = np.where(rows < len(counted), rows, -1)[changed]
        plan["counted_at"] = timed["counted_at"].reset_index(drop=True).reindex(count_rows).array
    metadata = msgspec.structs.replace(
        describe_sources(actual, at_count, None if lines is None else open_items),
        basis=basis,
        missing=missing,
        warehouses=_measure_coverage(counted, now, joined.is_counted),
        open_quantities={} if lines is None else _sum_open_quantities(lines, plan),
        settled=settled,
        remembered=joined.remembered,
        unsettled=_list_unsettled(counts, joined, is_zeroed),
    )
    return write_metadata(plan, metadata)


@dataclass(frozen=True)
class _JoinedStock:
    """Counts and stock, joined by key codes.

    Attributes:
        counted: The counts.
        now: The current stock.
        then: The stock at the count; None if it was not given.
        count_codes: The key code of each count.
        now_codes: The key code of each row of the current stock.
        line_codes: The key code of each open line.
        now_rows: The row of each code in the current stock, -1 for none.
        then_rows: The row of each code in the stock at the count; None if that was not given.
        is_counted: Whether each row of the current stock was counted.
        is_unsettled: Whether each count is of an unknown SKU that nobody settled.
        remembered: Settlements of earlier counts that were applied.
    """

    counted: pd.DataFrame
    now: pd.DataFrame
    then: pd.DataFrame | None
    count_codes: IntArray
    now_codes: IntArray
    line_codes: IntArray
    now_rows: IntArray
    then_rows: IntArray | None
    is_counted: Mask
    is_unsettled: Mask
    remembered: dict[str, str]


def _join_stock(
    counts: pd.DataFrame,
    actual: pd.DataFrame,
    at_count: pd.DataFrame | None,
    lines: pd.DataFrame | None,
    settled: dict[str, str],
    *,
    allow_partial: bool,
) -> _JoinedStock:
    """Validate the frames, settle unknown SKUs, and join them; a key that repeats is refused."""
    counted = validate_columns(counts, schemas.ActualStock, "counts", STOCK_COLUMNS, least={"quantity": 0})
    now = check_stock(actual, "actual", allow_partial=allow_partial)
    then = None if at_count is None else check_stock(at_count, "at_count", allow_partial=allow_partial)
    refuse_other_accounts(actual, at_count=at_count)
    _refuse_swapped(actual, at_count)
    settlement = settle_unknown_skus(counted, now, settled, read_settlements(actual))
    counted = settlement.counted
    keys = [[frame[name] for name in STOCK_KEYS] for frame in (counted, now, then) if frame is not None]
    encoded = encode_keys(*keys, *([] if lines is None else [[lines[name] for name in LINE_STOCK_KEYS]]))
    codes, size = encoded.rows, encoded.size
    count_rows = index_unique_rows(counts, codes[0], size, STOCK_KEYS, "counts")
    now_rows = index_unique_rows(actual, codes[1], size, STOCK_KEYS, "actual")
    then_rows = None if at_count is None else index_unique_rows(at_count, codes[2], size, STOCK_KEYS, "at_count")
    too_many = np.flatnonzero(counted["quantity"].to_numpy() > MAX_UNITS)
    if len(too_many):
        _refuse(too_many, counted, now, f"a quantity above {MAX_UNITS:,}", "fix the count")
    is_counted = count_rows[codes[1]] >= 0
    is_unsettled = (now_rows[codes[0]] < 0) & ~settlement.is_new
    return _JoinedStock(
        counted,
        now,
        then,
        codes[0],
        codes[1],
        codes[-1],
        now_rows,
        then_rows,
        is_counted,
        is_unsettled,
        settlement.remembered,
    )


def _find_zeroed(joined: _JoinedStock) -> Mask:
    """Find what a complete count lacks: rows of the current stock that were not counted under any name."""
    counted, now = joined.counted, joined.now
    absent: Mask = now["warehouse_code"].isin(counted["warehouse_code"].unique()).to_numpy() & ~joined.is_counted
    absent &= ~find_resembled(counted, joined.is_unsettled, now)
    if joined.then_rows is not None:
        absent &= joined.then_rows[joined.now_codes] >= 0  # stock that came after the count can't be in it
    return absent


def _list_unsettled(counts: pd.DataFrame, joined: _JoinedStock, is_zeroed: Mask) -> dict[str, UnsettledSkus]:
    """List unsettled SKUs by warehouse if rows wait for them: those set to 0 now, and those held before."""
    counted, is_known = joined.counted, joined.now_rows[joined.count_codes] >= 0
    is_uncounted = find_uncounted(counts, counted["quantity"].to_numpy()) & is_known
    if not is_uncounted.any():
        return find_unsettled(counted, joined.is_unsettled, joined.now, joined.is_counted, is_zeroed)
    is_waiting = np.isin(joined.now_codes, joined.count_codes[is_uncounted])
    was_unknown = ~is_known | (counted["product_sku"].to_numpy() != counts["product_sku"].to_numpy())
    unsettled = find_unsettled(
        counted, joined.is_unsettled, joined.now, joined.is_counted & ~is_waiting, is_zeroed | is_waiting
    )
    return unsettled | find_abandoned(counted[is_uncounted], counted[was_unknown])


def _decide_targets(
    joined: _JoinedStock, lines: pd.DataFrame | None, is_zeroed: Mask
) -> tuple[IntArray, IntArray, IntArray, Mask]:
    """Decide which stock each row of the plan leads to.

    Returns:
        Row (of the counts, or past them of the current stock), target, current stock, and whether that is known.
    """
    counted, now, codes = joined.counted, joined.now, joined.count_codes
    target, rows = counted["quantity"].to_numpy(), np.arange(len(counted))
    uncounted = np.flatnonzero(is_zeroed)
    if len(uncounted):
        codes = np.concatenate([codes, joined.now_codes[uncounted]])
        target = np.concatenate([target, np.zeros(len(uncounted), dtype=np.int64)])
        rows = np.concatenate([rows, len(counted) + uncounted])
    if lines is not None:
        target = target + sum_by_code(joined.line_codes, lines["quantity"].to_numpy(), len(joined.now_rows))[codes]
    current, known = look_up_quantities(now, joined.now_rows[codes])
    if joined.then_rows is not None and joined.then is not None:
        earlier, was_known = look_up_quantities(joined.then, joined.then_rows[codes])
        lost = known & ~was_known
        if lost.any():
            what = "no stock in at_count, so that the sales since are unknown"
            _refuse(rows[lost], counted, now, what, "load at_count with the same warehouses, or drop these rows")
        target = target + np.where(known, current - earlier, 0)
    below = np.flatnonzero(target < 0)
    if len(below):
        code, sku = (take_text(rows[below[:1]], counted[name], now[name])[0] for name in STOCK_KEYS)
        raise InvalidRequestError(
            f"{format_count(len(below), 'row')} would go below 0, the first {sku} in {code} to {target[below[0]]}: more was sold since "
            "the count than was counted; count them again."
        )
    return rows, target, current, known


def _measure_coverage(counted: pd.DataFrame, now: pd.DataFrame, is_counted: Mask) -> dict[str, Coverage]:
    """Count the stocked SKUs of each counted warehouse, and those that were counted."""
    stocked = now["quantity"] > 0
    codes = now["warehouse_code"].where(stocked)
    all_stocked, all_counted = codes.value_counts(), codes[is_counted].value_counts()
    return {
        code: Coverage(int(all_stocked.get(code, 0)), int(all_counted.get(code, 0)))
        for code in sorted(counted["warehouse_code"].unique())
    }


def _refuse_swapped(actual: pd.DataFrame, at_count: pd.DataFrame | None) -> None:
    """Refuse a stock at the count that is newer than the current stock: sales in between would count twice."""
    origins = [None if frame is None else provenance(frame) for frame in (at_count, actual)]
    then, now = (origin.as_of if origin else None for origin in origins)
    if then and now and then - now > MAX_CLOCK_DIFFERENCE:
        raise InvalidRequestError(
            f"at_count was read after actual ({then:%Y-%m-%d %H:%M}Z and {now:%Y-%m-%d %H:%M}Z): were they swapped? Load "
            "actual again with refresh=True."
        )


def _refuse_older_lines(open_items: pd.DataFrame, actual: pd.DataFrame, at_count: pd.DataFrame | None) -> None:
    """Refuse open lines that are older than their stock: orders shipped in between would be added back."""
    name, stock = ("actual", actual) if at_count is None else ("at_count", at_count)
    lines, read = (None if origin is None else origin.as_of for origin in (provenance(open_items), provenance(stock)))
    if lines and read and lines < read:
        raise InvalidRequestError(
            f"open_items is older than {name} ({lines:%Y-%m-%d %H:%M:%S}Z and {read:%Y-%m-%d %H:%M:%S}Z): what shipped in "
            "between would be added back. Load the open lines after the stock: load_open_items(client, refresh=True)."
        )


def _refuse_partial_lines(open_items: pd.DataFrame, *, allow_partial: bool) -> None:
    """Refuse open lines that are known to be incomplete: the missing demand would reduce the stock."""
    origin = provenance(open_items)
    if origin and not origin.complete and not allow_partial:
        raise InvalidRequestError(
            "open_items is partial, and open lines that are missing would count as no demand: load it again, or pass "
            "allow_partial=True."
        )


def _refuse_lines_without_warehouse(lines: pd.DataFrame, joined: _JoinedStock, missing: str) -> None:
    """Refuse open lines of counted SKUs without a warehouse: the row of their demand is unknown."""
    unnamed = is_blank(lines["ship_from_warehouse_code"]) & (lines["quantity"] != 0)
    if missing != "zero":
        unnamed &= lines["product_sku"].isin(joined.counted["product_sku"])
    if unnamed.any():
        first = lines[unnamed].iloc[0]
        order = f" of order {first['order_no']}" if "order_no" in lines.columns else ""
        raise InvalidRequestError(
            f"{lines['quantity'][unnamed].sum():,} open units of counted SKUs name no warehouse, the first "
            f"{first['product_sku']}{order}: fill in ship_from_warehouse_code of open_items (load_open_items takes it from "
            "the order), or leave these SKUs out of the count."
        )


def _sum_open_quantities(lines: pd.DataFrame, plan: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Sum the open units of each row of the plan that has any, by warehouse and SKU."""
    codes = encode_keys([plan[name] for name in STOCK_KEYS], [lines[name] for name in LINE_STOCK_KEYS])
    units = sum_by_code(codes.rows[1], lines["quantity"].to_numpy(), codes.size)[codes.rows[0]]
    found: dict[str, dict[str, int]] = {}
    for row in np.flatnonzero(units):
        found.setdefault(str(plan["warehouse_code"].iloc[row]), {})[str(plan["product_sku"].iloc[row])] = int(
            units[row]
        )
    return found


def _refuse(rows: IntArray, counted: pd.DataFrame, now: pd.DataFrame, what: str, advice: str) -> None:
    """Raise an error about some rows of the plan that names the first key."""
    code, sku = (take_text(rows[:1], counted[name], now[name])[0] for name in STOCK_KEYS)
    subject = f"{len(rows):,} rows have" if len(rows) > 1 else "A row has"
    raise InvalidRequestError(f"{subject} {what}, the first {sku} in {code}: {advice}.")
