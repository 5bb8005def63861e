"""Guards of single rows: each objection names a SKU and says what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.frames.arrow_columns import decode_categories, join_text, take_text
from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys, index_first_rows
from cenports_nb.rendering.surface import choose_wording, name_argument
from cenports_nb.rendering.text import escape_unprintable, format_count
from cenports_nb.stock.guards.context import GuardContext, Objections
from cenports_nb.stock.guards.row_limits import drops_too_far, falls_below_reserved
from cenports_nb.stock.guards.thresholds import format_percent
from cenports_nb.stock.plans.metadata import UnsettledSkus
from cenports_nb.stock.plans.sku_suggestions import suggest_skus
from cenports_nb.stock.plans.unknown_skus import UNCOUNTED_WORDS, find_abandoned, find_unsettled


def max_drop(context: GuardContext) -> Objections | None:
    """Object to a SKU that loses more than a share of its stock."""
    limits = context.thresholds
    lost = context.now - context.target
    rows = np.flatnonzero(
        context.known & drops_too_far(context.now, context.target, limits.max_drop, limits.max_drop_from)
    )
    if not len(rows):
        return None
    now, target = context.now[rows], context.target[rows]
    share = np.ceil(lost[rows] * 100 / np.maximum(now, 1)).astype(np.int64)
    limit = f"%, which is more than {format_percent(limits.max_drop)}: count it again, or accept max_drop"
    return context.object_to_rows(
        rows, join_text(*_name_skus(context, rows), " would fall from ", now, " to ", target, ", by ", share, limit)
    )


def unknown_sku(context: GuardContext) -> Objections | None:
    """Object to a SKU that its warehouse does not have; it may resemble one that it has."""
    rows = np.flatnonzero(~context.known)
    if not len(rows):
        return None
    suggested = suggest_skus(context.updates, ~context.known, context.actual).iloc[rows].reset_index(drop=True)
    sku, code = context.take_text("product_sku", rows), context.take_text("warehouse_code", rows)
    shown = sku if sku.str.isascii().all() else sku.map(escape_unprintable).astype("str")
    here = _find_first_rows(code, context.actual["warehouse_code"]) >= 0
    elsewhere = take_text(_find_first_rows(sku, context.actual["product_sku"]), context.actual["warehouse_code"])
    cases = [suggested.notna().to_numpy(), ~here, elsewhere.notna().to_numpy()]
    hint_codes = np.select(cases, [1, 2, 3], default=0).astype(np.int8)
    before = decode_categories(hint_codes, ["", "; did you mean '", "", ", but in '"])
    hint = suggested.where(hint_codes != 3, elsewhere)
    after = decode_categories(
        hint_codes,
        [
            ": correct it, or leave it out",
            "'?",
            f", which the stock does not have: translate your codes with {name_argument('warehouse_map')}",
            "': correct the warehouse, or leave it out",
        ],
    )
    return context.object_to_rows(
        rows, join_text("SKU '", shown, "' is not in warehouse '", code, "'", before, hint, after)
    )


def zero_beside_unknown(context: GuardContext) -> Objections | None:
    """Object to setting an uncounted SKU to 0 while it may be an unknown SKU of the same count."""
    unsettled = _list_unsettled(context)
    codes = context.updates["warehouse_code"]
    positions = np.full(len(codes), -1, dtype=np.int64)
    for position, (code, skus) in enumerate(unsettled.items()):
        positions[(codes == code).to_numpy() & context.updates["product_sku"].isin(skus.zeroed).to_numpy()] = position
    rows = np.flatnonzero((positions >= 0) & context.is_true_up & context.known)
    if not len(rows):
        return None
    ends = decode_categories(positions[rows], [_describe_unsettled(skus) for skus in unsettled.values()])
    return context.object_to_rows(
        rows, join_text(*_name_skus(context, rows), UNCOUNTED_WORDS, context.target[rows], ends)
    )


def _list_unsettled(context: GuardContext) -> dict[str, UnsettledSkus]:
    """List unsettled SKUs by warehouse, from the metadata or else from the rows."""
    metadata = context.metadata
    if metadata is not None and metadata.missing is not None:
        return metadata.unsettled
    updates = context.updates
    is_uncounted = context.is_uncounted & context.is_true_up & context.known
    is_unknown = context.is_true_up & ~context.known
    return find_unsettled(updates, is_unknown, updates, ~is_uncounted, is_uncounted) | find_abandoned(
        updates[is_uncounted], updates[is_unknown]
    )


def _describe_unsettled(skus: UnsettledSkus) -> str:
    if not skus.number:
        return (
            ", and the unknown SKUs that it waited for are gone, any of which may be it: plan the whole count again and "
            f"say what each is with {name_argument('unknown')}, write what you counted as its quantity, or accept zero_beside_unknown"
        )
    named = ", ".join(f"{sku!r} (closest: {closest!r})" for sku, closest in skus.closest.items())
    more = f" and {skus.number - len(skus.closest):,} more" if skus.number > len(skus.closest) else ""
    sku, closest = next(iter(skus.closest.items()))
    typed = escape_unprintable(sku)
    example = choose_wording(
        python=f"unknown={{{sku!r}: {closest!r}}} or {{{sku!r}: 'new'}} (in a terminal --unknown \"{typed}=new\")",
        terminal=f"{name_argument('unknown', {typed: closest})} or {name_argument('unknown', {typed: 'new'})}",
    )
    return (
        f", but the count has {format_count(skus.number, 'SKU')} that the warehouse lacks, any of which may be it: "
        f"{named}{more}. Say what each is, as in {example}, or accept zero_beside_unknown"
    )


def discontinued(context: GuardContext) -> Objections | None:
    """Object to more stock of a discontinued SKU."""
    if "is_discontinued" not in context.actual or not len(context.actual):
        return None
    is_discontinued = np.append(context.actual["is_discontinued"].to_numpy(dtype=bool), False)[context.stock_rows]
    rows = np.flatnonzero(is_discontinued & (context.target > context.now))
    if not len(rows):
        return None
    end = ": count it again, or accept discontinued if it came back"
    numbers = " is discontinued and would rise from ", context.now[rows], " to ", context.target[rows], end
    return context.object_to_rows(rows, join_text(*_name_skus(context, rows), *numbers))


def below_reserved(context: GuardContext) -> Objections | None:
    """Object if stock falls below the units that open orders reserve, or below 0; raising it toward that is fine."""
    reserved = np.where(context.has_available, np.maximum(context.now - context.available, 0), 0)
    rows = np.flatnonzero(context.known & falls_below_reserved(context.now, context.target, reserved))
    if not len(rows):
        return None
    numbers = " would fall from ", context.now[rows], " to ", context.target[rows], ", below the ", reserved[rows]
    net = name_argument("basis", "net_of_open")
    end = f" units that open orders have reserved: {net} if the file is less of them, else count it again"
    return context.object_to_rows(rows, join_text(*_name_skus(context, rows), *numbers, end))


def old_count(context: GuardContext) -> Objections | None:
    """Object to a count that is older than the stock that it is compared with."""
    if "counted_at" not in context.updates:
        return None
    stock_read = context.metadata.compared_as_of if context.metadata else None
    if stock_read is None and context.origin and not (context.metadata and context.metadata.at_count):
        stock_read = context.origin.as_of
    if stock_read is None:
        return None
    counted = context.updates["counted_at"]
    age = pd.Timestamp(stock_read) - counted
    old: Mask = (age > pd.Timedelta(context.thresholds.old_count)).to_numpy() & context.is_true_up
    rows = np.flatnonzero(old)
    if not len(rows):
        return None
    minutes = (age.iloc[rows].dt.total_seconds() // 60).to_numpy(dtype="int64")
    end = (
        f" min before the stock was read ({pd.Timestamp(stock_read):%Y-%m-%d %H:%M}Z), which is more than "
        f"{context.thresholds.old_count}, so sales in between would be undone: pass the stock of then as {name_argument('at_count')}"
    )
    return context.object_to_rows(rows, join_text(*_name_skus(context, rows), " was counted ", minutes, end))


def _find_first_rows(values: pd.Series[Any], table: pd.Series[Any]) -> IntArray:
    """Return the first row of `table` with each value, -1 for none."""
    encoded = encode_keys([values], [table])
    return index_first_rows(encoded.rows[1], encoded.size)[encoded.rows[0]]


def _name_skus(context: GuardContext, rows: IntArray) -> tuple[str | pd.Series[Any], ...]:
    """Build the start of a message: the SKU and warehouse of each row."""
    return (
        "SKU '",
        context.take_text("product_sku", rows),
        "' in warehouse '",
        context.take_text("warehouse_code", rows),
        "'",
    )
