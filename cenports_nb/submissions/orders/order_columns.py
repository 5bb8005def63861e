"""The columns of orders and line items: how a cell is read, and which field of POST /orders it fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cenports_nb.submissions.orders.order_cells import CellReader, read_amount, read_day, read_text, read_whole


@dataclass(frozen=True)
class Column:
    """A column of orders or of line items.

    Attributes:
        read: Reads a cell.
        path: The field of the order, or of the line, that it fills; empty if the call has no such field.
        is_required: Whether an order needs it.
    """

    read: CellReader
    path: tuple[str, ...]
    is_required: bool = False


ORDER_COLUMNS: Mapping[str, Column] = {
    "order_no": Column(read_text, ("orderNo",), is_required=True),
    "customer_order_no": Column(read_text, ("customerOrderNo",)),
    "order_date": Column(read_day, ("orderDate",), is_required=True),
    "customer_name": Column(read_text, ("customerName",), is_required=True),
    "contact_name": Column(read_text, ("contactName",)),
    "contact_email": Column(read_text, ("contactEmail",)),
    "contact_phone": Column(read_text, ("contactPhone",)),
    "ship_to_address1": Column(read_text, ("shipTo", "address1"), is_required=True),
    "ship_to_address2": Column(read_text, ("shipTo", "address2")),
    "ship_to_city": Column(read_text, ("shipTo", "city"), is_required=True),
    "ship_to_state": Column(read_text, ("shipTo", "state"), is_required=True),
    "ship_to_country": Column(read_text, ("shipTo", "country"), is_required=True),
    "ship_to_postal_code": Column(read_text, ("shipTo", "postalCode"), is_required=True),
    "carrier_code": Column(read_text, ("shippingInfo", "carrierCode"), is_required=True),
    "service_level": Column(read_text, ("shippingInfo", "serviceLevel"), is_required=True),
    "estimated_ship_date": Column(read_day, ("shippingInfo", "estimatedShipDate")),
    "sub_total": Column(read_amount, ("subTotal",)),
    "discount": Column(read_amount, ()),
    "ship_cost": Column(read_amount, ("shippingCost",)),
    "grand_total": Column(read_amount, ("grandTotal",), is_required=True),
}
LINE_COLUMNS: Mapping[str, Column] = {
    "line_item": Column(read_whole, ("lineNumber",)),
    "product_sku": Column(read_text, ("sku",), is_required=True),
    "quantity": Column(read_whole, ("quantity",), is_required=True),
    "price": Column(read_amount, ("consumerPrice",), is_required=True),
    "sub_total": Column(read_amount, ("subTotal",)),
}
"""Besides `order_no`, which names the line's order."""

LINE_SUB_TOTAL = "line_sub_total"
"""The line's own sub-total in a table of one row per line, where `sub_total` is the order's."""

_ORDER_COLUMN_NAMES = {column.path: name for name, column in ORDER_COLUMNS.items() if column.path}
_LINE_COLUMN_NAMES = {column.path: name for name, column in LINE_COLUMNS.items()}


def build_order_body(order: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Build the JSON object of POST /orders for a validated order; absent values are left out."""
    body: dict[str, Any] = {"shipTo": {}, "shippingInfo": {}}
    for name, column in ORDER_COLUMNS.items():
        if name in order and column.path:
            parent = body if len(column.path) == 1 else body[column.path[0]]
            parent[column.path[-1]] = _to_json(order[name])
    body["lineItems"] = [
        {column.path[0]: _to_json(line[name]) for name, column in LINE_COLUMNS.items() if name in line}
        for line in lines
    ]
    return body


def find_column(path: Sequence[str | int]) -> tuple[int | None, str]:
    """Return the position of the line, and the column, that a path within an order refers to."""
    names = tuple(map(str, path))
    if len(path) == 3 and path[0] == "lineItems" and isinstance(path[1], int):
        return path[1], _LINE_COLUMN_NAMES[names[2:]]
    return None, _ORDER_COLUMN_NAMES.get(names, ".".join(names))


def _to_json(value: Any) -> Any:
    """Convert to JSON types; an amount of at most 15 digits is exact as a float."""
    return float(value) if isinstance(value, Decimal) else value
