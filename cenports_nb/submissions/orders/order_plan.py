"""Orders as people have them -> what POST /orders will be sent; everything that is wrong is said at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from cenports_nb.api.request_schema import find_objections
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.dates import parse_time_zone
from cenports_nb.submissions.orders.parse import Faults, ReadOrder, read_orders
from cenports_nb.submissions.orders.request_body import body_of, column_of

AMOUNTS = ("sub_total", "ship_cost", "discount", "grand_total")


@dataclass(frozen=True)
class PlannedOrder:
    """One order, checked, as POST /orders takes it."""

    order_no: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class OrderPlan:
    """Orders of one channel, in frame order."""

    channel_id: str
    orders: tuple[PlannedOrder, ...]
    batch_size: int

    @property
    def batches(self) -> tuple[tuple[PlannedOrder, ...], ...]:
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

    Amounts are exact to the cent: a line's `sub_total` is quantity × price, an order's the sum of its lines, and
    `grand_total` is that plus `ship_cost`, less `discount` (which the call has no field for) if the frame has one.
    Columns that the call has no field for are left out; one that is nearly a name of ours is refused.

    Args:
        orders: One row an order; without `line_items` one row a line, the order's columns repeated or empty.
        line_items: One row a line, matched by `order_no`.
        channel_id: The channel they are for; a frame with that column must agree.
        batch_size: Orders of one request at most.
        time_zone: Where the day of an instant is taken.
        sizes: `Dialect.sizes`.

    Raises:
        InvalidRequestError: `.errors` has everything that is wrong, by places such as `order A1, line 2: price`.
    """
    if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1:
        raise InvalidRequestError(f"batch_size={batch_size!r} must be a whole number of 1 or more.")
    if not isinstance(channel_id, str) or not channel_id.strip():
        raise InvalidRequestError(f"channel_id={channel_id!r} must be the text of one channel, such as 'AMAZON'.")
    zone = parse_time_zone(time_zone)
    faults = Faults()
    found = read_orders(orders, line_items, channel_id, zone, faults)
    for order in found:
        _check_lines(order, faults)
        _check_sums(order, faults)
    _check_customer_numbers(found, faults)
    planned = tuple(
        PlannedOrder(order.cells.get("order_no", ""), body_of(order.cells, [line.cells for line in order.lines]))
        for order in found
    )
    _check_fields(found, planned, channel_id, sizes or {}, faults)
    faults.stop()
    return OrderPlan(channel_id, planned, batch_size)


def _check_lines(order: ReadOrder, faults: Faults) -> None:
    if not order.lines:
        faults.add(order.name, "has no line items")
    numbered = sum(line.numbered for line in order.lines)
    if 0 < numbered < len(order.lines):
        faults.add(f"{order.name}: line_item", "is given on some of its lines only: number all of them or none")
    numbers = [line.cells["line_item"] for line in order.lines if "line_item" in line.cells]
    for number in dict.fromkeys(numbers):
        if numbers.count(number) > 1:
            faults.add(f"{order.name}, line {number}: line_item", "is given to more than one line")


def _check_customer_numbers(found: Sequence[ReadOrder], faults: Faults) -> None:
    """Refuse a customer's order number that repeats: "it must be unique channel-wide"."""
    names: dict[str, str] = {}
    for order in found:
        number = order.cells.get("customer_order_no")
        if number is not None and names.setdefault(number, order.name) != order.name:
            faults.add(f"{order.name}: customer_order_no", f"is that of {names[number]} too")


def _check_sums(order: ReadOrder, faults: Faults) -> None:
    """Fill in and compare sums, to the cent; what could not be read leaves nothing to compare with."""
    total = Decimal(0)
    whole = bool(order.lines)
    for line in order.lines:
        place = f"{order.name}, line {line.label}: sub_total"
        if "quantity" not in line.cells or "price" not in line.cells:
            whole = False
        else:
            product = line.cells["quantity"] * line.cells["price"]
            total += product
            if place not in faults.errors and line.cells.setdefault("sub_total", product) != product:
                faults.add(place, f"must be quantity × price, {_money(product)}")
    if not whole or any(f"{order.name}: {name}" in faults.errors for name in AMOUNTS):
        return
    given = order.cells
    if given.get("sub_total", total) != total:
        faults.add(f"{order.name}: sub_total", f"must be the sum of its lines, {_money(total)}")
    discount = given.get("discount", Decimal(0))
    grand = total + given.get("ship_cost", Decimal(0)) - discount
    if given.get("grand_total", grand) != grand:
        terms = "the sum of its lines + ship_cost" + (" - discount" if discount else "")
        faults.add(f"{order.name}: grand_total", f"must be {terms}, {_money(grand)}")


def _money(amount: Decimal) -> str:
    exponent = amount.normalize().as_tuple().exponent
    return f"{amount:f}" if isinstance(exponent, int) and exponent < -2 else f"{amount:.2f}"


def _check_fields(
    found: Sequence[ReadOrder],
    planned: Sequence[PlannedOrder],
    channel_id: str,
    sizes: Mapping[str, str],
    faults: Faults,
) -> None:
    """Check every field against the reference's table, without quoting any; what was objected to is not missing."""
    told = set(faults.errors)
    body = {"partnerId": "-", "channelId": channel_id, "orders": [order.body for order in planned]}
    for objection in find_objections("POST /orders", body, sizes):
        if len(objection.path) < 3 or not isinstance(objection.path[1], int):
            if planned:
                faults.add(objection.place, objection.reason)
            continue
        order = found[objection.path[1]]
        at, name = column_of(objection.path[2:])
        line = None if at is None else order.lines[at]
        place = f"{order.name}: {name}" if line is None else f"{order.name}, line {line.label}: {name}"
        derived = line is not None and name == "sub_total" and not {"quantity", "price"} <= line.cells.keys()
        if place not in told and name != "lineItems" and not derived:
            faults.add(place, objection.reason)
