"""The pick list of a hand-over: one row per line to pick, by warehouse, under the warehouse's headers."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.dates import local_days
from cenports_nb.frames.line_status import is_open
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import ORDER_KEYS
from cenports_nb.rendering.surface import name_parameter
from cenports_nb.submissions.evidence.order_lookup import is_listable

Layout = Mapping[str, str] | Sequence[str]

WAREHOUSE_COLUMN = "ship_from_warehouse_code"
DEFAULT_LAYOUT = (
    "order_no", "channel_id", "order_date", WAREHOUSE_COLUMN, "line_item", "product_sku", "product_name", "quantity",
    "ship_to_name", "ship_to_address1", "ship_to_address2", "ship_to_city", "ship_to_state", "ship_to_postal_code",
    "ship_to_country", "customer_name", "contact_name", "contact_phone", "customer_order_no", "carrier_code",
    "service_level", "retailer_msg",
)  # fmt: skip
REQUIRED_COLUMNS = ("order_no", "product_sku", "quantity")
"""Columns without which an order can't be picked or identified."""

NO_LINES = "It has no lines."
UNREADABLE = "Some of its lines can't be read. The rejected records of a load of line items say why."
CLOSED = "All its lines are shipped or cancelled."
UNLISTABLE = "Its number has a comma, blanks at its ends or more than 255 characters: it can't be acknowledged by it."


@dataclass(frozen=True)
class PickList:
    """Orders to hand over.

    Attributes:
        rows: One row per line to pick, with every column of orders and line items.
        orders: `channel_id order_no` of the orders in `rows`, in their order there, each once.
        left_out: `channel_id order_no reason` of the others.
    """

    rows: pd.DataFrame
    orders: pd.DataFrame
    left_out: pd.DataFrame


def parse_layout(layout: Layout | None) -> dict[str, str]:
    """Parse a layout into headers of the file -> our columns.

    Raises:
        InvalidRequestError: An unknown column, a header that repeats, or a missing required column.
    """
    if layout is None:
        return {name: name for name in DEFAULT_LAYOUT}
    if isinstance(layout, str) or not isinstance(layout, Mapping | Sequence):
        raise InvalidRequestError("layout must be a list of columns, or a mapping of your headers to our columns.")
    named = name_parameter("layout")
    pairs = list(layout.items()) if isinstance(layout, Mapping) else [(name, name) for name in layout]
    known = [*schemas.Orders.to_schema().columns, *schemas.LineItems.to_schema().columns]
    for header, name in pairs:
        if not isinstance(name, str) or name not in known:
            near = difflib.get_close_matches(str(name), known, 1, 0.6)
            hint = f"{near[0]} is meant" if near else f"such are {', '.join(DEFAULT_LAYOUT[:8])}"
            raise InvalidRequestError(
                f"{named} asks for {name!r}, which isn't a column of orders or line items: {hint}. Nothing was done."
            )
        if not isinstance(header, str) or not header.strip():
            raise InvalidRequestError(f"{named} has the header {header!r}: pass text. Nothing was done.")
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InvalidRequestError(f"{named} has a column more than once: each needs a header of its own.")
    lacking = [name for name in REQUIRED_COLUMNS if name not in found.values()]
    if lacking:
        raise InvalidRequestError(
            f"{named} lacks {', '.join(lacking)}, without which no order can be picked: add it. Nothing was done."
        )
    return found


def build_pick_list(orders: pd.DataFrame, line_items: pd.DataFrame, time_zone: str) -> PickList:
    """Join orders and their open lines, one row per line, by warehouse, day, order and line.

    An order is handed over completely or not at all: an order without lines, with a line that can't be read, or with
    nothing left to pick is left out. Lines that are shipped or cancelled are omitted.
    """
    to_pick = line_items[is_open(line_items["status"])]
    counts = pd.DataFrame(
        {"read": line_items.groupby(ORDER_KEYS).size(), "open": to_pick.groupby(ORDER_KEYS).size()}, dtype="Int64"
    )
    counted = orders[[*ORDER_KEYS, "line_count"]].join(counts, on=ORDER_KEYS).fillna({"read": 0, "open": 0})
    reason = pd.Series(pd.NA, index=orders.index, dtype="str")
    reason = reason.mask(counted["open"] == 0, CLOSED)
    reason = reason.mask(counted["read"] != counted["line_count"], UNREADABLE)
    reason = reason.mask(counted["line_count"] == 0, NO_LINES)
    # In a list, such a number would acknowledge other orders.
    reason = reason.mask(~orders["order_no"].map(is_listable).astype(bool), UNLISTABLE)
    whole = orders[reason.isna()]
    of_line = [name for name in to_pick.columns if name not in whole.columns]
    joined = whole.merge(
        to_pick[[*ORDER_KEYS, *of_line, WAREHOUSE_COLUMN, "status"]],
        on=ORDER_KEYS,
        how="inner",
        suffixes=("_of_order", ""),
    )
    joined[WAREHOUSE_COLUMN] = joined[WAREHOUSE_COLUMN].fillna(joined[f"{WAREHOUSE_COLUMN}_of_order"])
    joined["order_date"] = local_days(joined["order_date"], time_zone)
    rows = joined.sort_values(
        [WAREHOUSE_COLUMN, "order_date", *ORDER_KEYS[::-1], "line_item"], kind="stable", ignore_index=True
    )
    left_out = orders.loc[reason.notna(), ORDER_KEYS].assign(reason=reason[reason.notna()]).reset_index(drop=True)
    return PickList(rows, rows[ORDER_KEYS].drop_duplicates(ignore_index=True), left_out)


def apply_layout(rows: pd.DataFrame, layout: Mapping[str, str]) -> pd.DataFrame:
    """Select and rename columns by a layout."""
    table = rows[list(layout.values())]
    table.columns = pd.Index(list(layout), dtype=object)
    table.attrs = {}
    return table
