"""Guards of warehouses and whole frames, for what no single row shows."""

from __future__ import annotations

import numpy as np

from cenports_nb.frames.row_keys import encode_keys, index_rows, sum_by_code
from cenports_nb.rendering.surface import choose_wording, name_argument
from cenports_nb.stock.guards.context import GuardContext, Objections, object_to_frame, object_to_warehouses
from cenports_nb.stock.guards.thresholds import format_percent


def max_total_drop(context: GuardContext) -> Objections | None:
    """Object to a warehouse that loses more than a share of its units, net over the frame."""
    encoded = encode_keys([context.updates["warehouse_code"]], [context.actual["warehouse_code"]])
    (update_codes, stock_codes), size = encoded.rows, encoded.size
    units = sum_by_code(stock_codes, np.maximum(context.actual["quantity"].to_numpy(), 0), size)
    change = sum_by_code(update_codes, np.where(context.known, context.target - context.now, 0), size)
    over = np.flatnonzero(-change > context.thresholds.max_total_drop * units)
    over = over[change[over] < 0]
    first = index_rows(update_codes, size)[over]
    codes = context.updates["warehouse_code"].iloc[first].tolist()
    messages = [
        f"Warehouse '{code}' would lose {-lost:,} of its {had:,} units, more than {format_percent(context.thresholds.max_total_drop)}: check "
        "that the file is whole and of this warehouse, or accept max_total_drop"
        for code, lost, had in zip(codes, change[over].tolist(), units[over].tolist(), strict=True)
    ]
    return object_to_warehouses(codes, messages)


def partial_count(context: GuardContext) -> Objections | None:
    """Object if too few of a warehouse's SKUs were counted to set the others to 0."""
    if context.metadata is None or context.metadata.missing != "zero":
        return None
    in_updates = set(context.updates["warehouse_code"].unique())
    partial = {
        code: coverage
        for code, coverage in context.metadata.warehouses.items()
        if code in in_updates and coverage.counted < context.thresholds.partial_count * coverage.stocked
    }
    messages = [
        f"Only {coverage.counted:,} of the {coverage.stocked:,} stocked SKUs of warehouse '{code}' were counted, fewer than "
        f"{format_percent(context.thresholds.partial_count)}, and {name_argument('missing', 'zero')} sets the others to 0: count the rest, or plan with "
        f"{name_argument('missing', 'ignore')}"
        for code, coverage in partial.items()
    ]
    return object_to_warehouses(list(partial), messages)


def max_rows(context: GuardContext) -> Objections | None:
    """Object to more rows than a correction has."""
    rows, most = len(context.updates), context.thresholds.max_rows
    if rows <= most:
        return None
    return object_to_frame(
        f"The frame has {rows:,} rows, more than {most:,}: check that the file is of this account, or accept max_rows"
    )


def basis(context: GuardContext) -> Objections | None:
    """Object if most counts of reserved SKUs equal available stock: open orders are already deducted in the file."""
    if context.metadata is not None and context.metadata.basis == "net_of_open":
        return None
    reserved = context.is_true_up & context.has_available & (context.available != context.now)
    reserved_rows, net_rows = int(reserved.sum()), int((reserved & (context.target == context.available)).sum())
    if net_rows < context.thresholds.basis_from or net_rows <= context.thresholds.basis * reserved_rows:
        return None
    return object_to_frame(
        f"{net_rows:,} of {reserved_rows:,} rows of SKUs with reserved units stand at available, not at actual stock: the file seems to "
        "be less of open orders already, and they would be taken off twice; plan with "
        f"{name_argument('basis', 'net_of_open')}{choose_wording(python=' and open_items=', terminal='')}"
    )


def other_account(context: GuardContext) -> Objections | None:
    """Object to a frame that was made from another account's stock."""
    note, origin = context.metadata, context.origin
    if note is None or origin is None or note.environment is None:
        return None
    made, here = (note.environment, note.partner_id), (origin.environment, origin.partner_id)
    if made == here:
        return None
    return object_to_frame(
        f"The frame was made from the stock of {made[0]}, partner '{made[1]}', and this is {here[0]}, partner '{here[1]}': "
        "make it again from this account's stock"
    )
