"""Orders of a person -> the requests of POST /orders; everything that is wrong is reported at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from cenports_nb.api.request_schema import find_objections
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.dates import parse_time_zone
from cenports_nb.submissions.orders.order_columns import build_order_body, find_column
from cenports_nb.submissions.orders.parse import ErrorCollector, ParsedOrder, parse_orders
from cenports_nb.submissions.plan import check_whole_number

US_NAMES = ("US", "USA", "U.S.", "U.S.A.", "UNITED STATES", "UNITED STATES OF AMERICA", "PR", "PUERTO RICO")
AMOUNTS = ("sub_total", "ship_cost", "discount", "grand_total")


@dataclass(frozen=True)
class OrderPlan:
    """Validated orders of one channel, in frame order, each as POST /orders takes it."""

    channel_id: str
    orders: tuple[Mapping[str, Any], ...]
    batch_size: int

    @property
    def order_numbers(self) -> list[str]:
        """The number of each order."""
        return [order["orderNo"] for order in self.orders]

    @property
    def batches(self) -> tuple[tuple[Mapping[str, Any], ...], ...]:
        """The orders of each request."""
        starts = range(0, len(self.orders), self.batch_size)
        return tuple(self.orders[start : start + self.batch_size] for start in starts)


def plan_orders(
    orders: pd.DataFrame,
    line_items: pd.DataFrame | None,
    *,
    channel_id: str,
    batch_size: int = 100,
    time_zone: str = "UTC",
    sizes: Mapping[str, str] | None = None,
) -> OrderPlan:
    """Plan what will be sent, without sending anything.

    Without `line_items`, `orders` has one row per line, the order's columns repeated or empty.

    Amounts are exact to the cent: a line's `sub_total` is quantity × price, an order's is the sum of its lines, and
    `grand_total` is that plus `ship_cost`, less `discount` (which the call lacks) if the frame has one. Columns that
    the call lacks are ignored; a misspelt column is refused.

    Raises:
        InvalidRequestError: `.errors` has everything that is wrong, by location such as `order A1, line 2: price`.
    """
    check_whole_number("batch_size", batch_size, 1)
    if not isinstance(channel_id, str) or not channel_id.strip():
        raise InvalidRequestError(f"channel_id={channel_id!r} must be the text of one channel, such as 'AMAZON'.")
    errors = ErrorCollector()
    parsed = parse_orders(orders, line_items, channel_id, parse_time_zone(time_zone), errors)
    for order in parsed:
        _check_lines(order, errors)
        _check_sums(order, errors)
        _check_postal_code(order, errors)
    _check_customer_numbers(parsed, errors)
    planned = tuple(build_order_body(order.cells, [line.cells for line in order.lines]) for order in parsed)
    _check_fields(parsed, planned, channel_id, sizes or {}, errors)
    errors.raise_if_any()
    return OrderPlan(channel_id, planned, batch_size)


def _check_lines(order: ParsedOrder, errors: ErrorCollector) -> None:
    if not order.lines:
        errors.add(order.name, "has no line items")
    numbered = sum(line.is_numbered for line in order.lines)
    if 0 < numbered < len(order.lines):
        errors.add(f"{order.name}: line_item", "is given on some of its lines only: number all of them or none")
    numbers = [line.cells["line_item"] for line in order.lines if "line_item" in line.cells]
    for number in dict.fromkeys(numbers):
        if numbers.count(number) > 1:
            errors.add(f"{order.name}, line {number}: line_item", "is given to more than one line")


def _check_postal_code(order: ParsedOrder, errors: ErrorCollector) -> None:
    """Refuse a US postal code that lost its leading zeros, such as 2139 for 02139."""
    country, code = (str(order.cells.get(f"ship_to_{name}", "")) for name in ("country", "postal_code"))
    if country.upper() in US_NAMES and re.fullmatch(r"\d{3,4}(-?\d{4})?", code):
        errors.add(f"{order.name}: ship_to_postal_code", "has too few digits for the US: zeros in front are lost")


def _check_customer_numbers(parsed: Sequence[ParsedOrder], errors: ErrorCollector) -> None:
    """Refuse a customer order number that repeats: "it must be unique channel-wide"."""
    names: dict[str, str] = {}
    for order in parsed:
        number = order.cells.get("customer_order_no")
        if number is not None and names.setdefault(number, order.name) != order.name:
            errors.add(f"{order.name}: customer_order_no", f"is that of {names[number]} too")


def _check_sums(order: ParsedOrder, errors: ErrorCollector) -> None:
    """Fill in and compare sums, to the cent; unreadable amounts are not compared."""
    total = Decimal(0)
    is_complete = bool(order.lines)
    for line in order.lines:
        location = f"{order.name}, line {line.label}: sub_total"
        if "quantity" not in line.cells or "price" not in line.cells:
            is_complete = False
        else:
            product = line.cells["quantity"] * line.cells["price"]
            total += product
            if location not in errors.errors and line.cells.setdefault("sub_total", product) != product:
                errors.add(location, f"must be quantity × price, {_format_money(product)}")
    if not is_complete or any(f"{order.name}: {name}" in errors.errors for name in AMOUNTS):
        return
    cells = order.cells
    if cells.get("sub_total", total) != total:
        errors.add(f"{order.name}: sub_total", f"must be the sum of its lines, {_format_money(total)}")
    discount = cells.get("discount", Decimal(0))
    grand = total + cells.get("ship_cost", Decimal(0)) - discount
    if cells.get("grand_total", grand) != grand:
        terms = "the sum of its lines + ship_cost" + (" - discount" if discount else "")
        errors.add(f"{order.name}: grand_total", f"must be {terms}, {_format_money(grand)}")


def _format_money(amount: Decimal) -> str:
    exponent = amount.normalize().as_tuple().exponent
    return f"{amount:f}" if isinstance(exponent, int) and exponent < -2 else f"{amount:.2f}"


def _check_fields(
    parsed: Sequence[ParsedOrder],
    planned: Sequence[Mapping[str, Any]],
    channel_id: str,
    sizes: Mapping[str, str],
    errors: ErrorCollector,
) -> None:
    """Check every field against the reference's table, without quoting values; a field with an error isn't missing too."""
    known = set(errors.errors)
    body = {"partnerId": "-", "channelId": channel_id, "orders": list(planned)}
    for objection in find_objections("POST /orders", body, sizes):
        if len(objection.path) < 3 or not isinstance(objection.path[1], int):
            if planned:
                errors.add(objection.location, objection.reason)
            continue
        order = parsed[objection.path[1]]
        position, name = find_column(objection.path[2:])
        line = None if position is None else order.lines[position]
        location = f"{order.name}: {name}" if line is None else f"{order.name}, line {line.label}: {name}"
        derived = line is not None and name == "sub_total" and not {"quantity", "price"} <= line.cells.keys()
        if location not in known and name != "lineItems" and not derived:
            errors.add(location, objection.reason)
