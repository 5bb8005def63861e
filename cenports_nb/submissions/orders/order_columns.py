"""The columns of a person's orders: how a cell is read, and which field of POST /orders it fills.

A reader accepts whatever a frame, a CSV or a workbook holds, converts what is unambiguous, and raises ValueError with what
is wrong. Its messages never quote the value, which may be personal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from numbers import Number
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

UTC = ZoneInfo("UTC")
CellReader = Callable[[Any, ZoneInfo], Any]

FLOAT_NOISE = 1e-8
"""Maximum rounding error of a float: sums of floats have one, amounts that somebody typed do not."""
MAX_DIGITS = 15
"""Digits of an amount that JSON numbers keep exactly."""


def is_empty(value: Any) -> bool:
    """Return whether a cell is empty or has only blanks."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and bool(np.isnan(value)))


def read_text(value: Any, _: ZoneInfo) -> str:
    """Read a text, without blanks at its ends; a number is refused, because it may have lost leading zeros."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Number | np.number):
        raise ValueError("is a number and must be text: zeros in front may be lost; make the column text")
    raise ValueError("isn't text: make the column text")


def read_whole(value: Any, _: ZoneInfo) -> int:
    """Read a positive whole number."""
    number: Any = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, str) and re.fullmatch(r"\s*\+?\d{1,3}\.000\s*", number):
        raise ValueError("may be thousands or a number with decimals: write it without a point")
    if isinstance(number, str) and re.fullmatch(r"\s*\+?\d{1,15}(\.0*)?\s*", number):
        number = int(number.strip().partition(".")[0])
    if isinstance(number, float | Decimal) and math.isfinite(number) and number == int(number):
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError("isn't a whole number: pass whole units")
    if number < 1:
        raise ValueError("is below 1")
    return number


def read_amount(value: Any, _: ZoneInfo) -> Decimal:
    """Read an amount exactly; a float within rounding error of a whole cent is that cent."""
    number: Any = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, str):
        if not re.fullmatch(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*", number):
            raise ValueError("isn't an amount: write it as 1234.50, without a currency")
        found = Decimal(number.strip())
    elif isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        raise ValueError("isn't an amount: write it as 1234.50, without a currency")
    elif isinstance(number, float):
        cents = round(number, 2)
        found = Decimal(repr(cents)) if abs(number - cents) < FLOAT_NOISE else Decimal(f"{number:.{MAX_DIGITS}g}")
    else:
        found = Decimal(number)
    if not found.is_finite():
        raise ValueError("isn't an amount: write it as 1234.50, without a currency")
    if found < 0:
        raise ValueError("is negative")
    if len(found.normalize().as_tuple().digits) > MAX_DIGITS:
        raise ValueError(f"has more than {MAX_DIGITS} digits")
    return found


def read_day(value: Any, zone: ZoneInfo) -> str:
    """Read a day, or an instant's day in the zone, as YYYY-MM-DD; exactly midnight UTC is a day that never shifts."""
    found: Any = value
    if isinstance(found, str):
        found = found.strip()
        if not re.fullmatch(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?", found):
            raise ValueError("isn't a day: write it as YYYY-MM-DD")
        try:
            found = datetime.fromisoformat(found)
        except ValueError:
            raise ValueError("isn't a day: write it as YYYY-MM-DD") from None
    if isinstance(found, np.datetime64):
        found = pd.Timestamp(found)
    if isinstance(found, datetime):
        try:
            utc = found if found.tzinfo is None else found.astimezone(UTC)
            shifts = found.tzinfo is not None and utc.time() != time.min
            return (found.astimezone(zone) if shifts else utc).date().isoformat()
        except OverflowError:
            raise ValueError("lies at the end of the calendar") from None
    if isinstance(found, date):
        return found.isoformat()
    raise ValueError("isn't a day: write it as YYYY-MM-DD")


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
