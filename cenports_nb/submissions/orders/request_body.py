"""An order as POST /orders takes it: which column fills which field, and the way back for what is objected to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

ORDER_FIELDS: Mapping[str, tuple[str, ...]] = {
    "order_no": ("orderNo",),
    "customer_order_no": ("customerOrderNo",),
    "order_date": ("orderDate",),
    "customer_name": ("customerName",),
    "contact_name": ("contactName",),
    "contact_email": ("contactEmail",),
    "contact_phone": ("contactPhone",),
    "ship_to_address1": ("shipTo", "address1"),
    "ship_to_address2": ("shipTo", "address2"),
    "ship_to_city": ("shipTo", "city"),
    "ship_to_state": ("shipTo", "state"),
    "ship_to_country": ("shipTo", "country"),
    "ship_to_postal_code": ("shipTo", "postalCode"),
    "carrier_code": ("shippingInfo", "carrierCode"),
    "service_level": ("shippingInfo", "serviceLevel"),
    "estimated_ship_date": ("shippingInfo", "estimatedShipDate"),
    "sub_total": ("subTotal",),
    "ship_cost": ("shippingCost",),
    "grand_total": ("grandTotal",),
}
LINE_FIELDS: Mapping[str, str] = {
    "product_sku": "sku",
    "quantity": "quantity",
    "line_item": "lineNumber",
    "price": "consumerPrice",
    "sub_total": "subTotal",
}

NEEDED_OF_ORDERS = (
    "order_no", "order_date", "customer_name", "ship_to_address1", "ship_to_city", "ship_to_state", "ship_to_country",
    "ship_to_postal_code", "carrier_code", "service_level", "grand_total",
)  # fmt: skip
NEEDED_OF_LINES = ("order_no", "product_sku", "quantity", "price")

_COLUMN_OF = {path: name for name, path in ORDER_FIELDS.items()}
_LINE_COLUMN_OF = {field: name for name, field in LINE_FIELDS.items()}


def body_of(order: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Write an order and its lines, read and checked, as the JSON object of POST /orders; what is absent is left out."""
    body: dict[str, Any] = {"shipTo": {}, "shippingInfo": {}}
    for name, path in ORDER_FIELDS.items():
        if (value := order.get(name)) is not None:
            inner = body if len(path) == 1 else body[path[0]]
            inner[path[-1]] = _sent(value)
    body["lineItems"] = [
        {field: _sent(line[name]) for name, field in LINE_FIELDS.items() if line.get(name) is not None}
        for line in lines
    ]
    return body


def column_of(path: Sequence[str | int]) -> tuple[int | None, str]:
    """Tell which line, by its place, and which column a path within an order means."""
    if len(path) == 3 and path[0] == "lineItems" and isinstance(path[1], int):
        return path[1], _LINE_COLUMN_OF[str(path[2])]
    return None, _COLUMN_OF.get(tuple(map(str, path)), ".".join(map(str, path)))


def _sent(value: Any) -> Any:
    """JSON has floats; an amount of at most 15 digits is the same written as one."""
    return float(value) if isinstance(value, Decimal) else value
