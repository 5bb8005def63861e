"""`create_orders`: planned, looked for, written down, sent once."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pandas as pd

from cenports_nb.errors import GuardRailError, InvalidRequestError
from cenports_nb.submissions.context import desk_of
from cenports_nb.submissions.journal.frames import frame_of
from cenports_nb.submissions.journal.heads import new_head
from cenports_nb.submissions.journal.locks import planning, sending
from cenports_nb.submissions.journal.models import Batch, Row
from cenports_nb.submissions.journal.queries import live_orders
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.orders.lookup import existing_orders
from cenports_nb.submissions.orders.order_file import read_order_file
from cenports_nb.submissions.orders.order_plan import OrderPlan, plan_orders
from cenports_nb.submissions.orders.recheck import created_by, had_by
from cenports_nb.submissions.sending.sender import send_all
from cenports_nb.submissions.submission import Submission

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

OBJECTIONS = dict.fromkeys(("channel_id", "order_no", "guard", "message"), "str")


def create_orders(
    client: Client,
    orders: pd.DataFrame | str | Path,
    line_items: pd.DataFrame | None = None,
    *,
    channel_id: str,
    batch_size: int = 100,
    progress: bool | None = None,
) -> Submission:
    """Create orders of one channel with POST /orders.

    Everything is checked before anything is sent: every size and type of the reference, sums to the cent, and that
    no order is there already, in the channel or in the journal (an order just created can't be read for up to 15
    minutes). An order whose answer was lost is `in_doubt` and never sent again by itself: `verify()` looks for it.

    Args:
        client: A client that is not read-only.
        orders: One row an order: `order_no order_date customer_name ship_to_address1 ship_to_city ship_to_state
            ship_to_country ship_to_postal_code carrier_code service_level grand_total`, and perhaps `customer_order_no
            contact_name contact_email contact_phone ship_to_address2 estimated_ship_date sub_total ship_cost discount`.
            Or the path of a .csv or .xlsx file with one row a line item, the order's columns on each row or on its
            first; or such a frame. A line's own `sub_total` is called `line_sub_total` there.
        line_items: `order_no product_sku quantity price`, and perhaps `line_item sub_total`.
        channel_id: The channel they are for.
        batch_size: Orders of one request at most.
        progress: Show a bar of batches; by default only when it takes more than two seconds.

    Raises:
        ReadOnlyError: The client is read-only.
        InvalidRequestError: `.errors` has everything that is wrong, by places such as `order A1, line 2: price`.
        GuardRailError: `repeated` or `exists`: orders that are there, or may be; `.objections` names them.
        JournalError: The journal can't be written.
        All of them: nothing was sent.
    """
    client.check_writable("create_orders")
    plan = _planned(client, orders, line_items, channel_id, batch_size)
    desk = desk_of(client)
    desk.journal.check()
    head = new_head(client, "orders")
    _refuse_repeated(client, desk.journal, plan)
    _refuse_existing(client, plan)
    with contextlib.ExitStack() as locks:
        with planning(client.home, client.settings.account):
            # Asking took its time; what another process planned meanwhile is in the journal by now.
            _refuse_repeated(client, desk.journal, plan)
            locks.enter_context(sending(client.home, head.submission_id))
            desk.journal.add(head, *_entries(head.submission_id, plan))
        send_all(client, desk.journal, head, progress=progress)
    return Submission(client, head.submission_id)


def _planned(
    client: Client, orders: pd.DataFrame | str | Path, line_items: pd.DataFrame | None, channel_id: str, batch_size: int
) -> OrderPlan:
    if isinstance(orders, str | Path) and line_items is not None:
        raise InvalidRequestError("A file of orders has its line items in it: leave line_items out.")
    table = read_order_file(orders) if isinstance(orders, str | Path) else orders
    return plan_orders(
        table, line_items, channel_id=channel_id, batch_size=batch_size, time_zone=client.settings.time_zone,
        sizes=client.dialect.sizes,
    )  # fmt: skip


def _refuse_repeated(client: Client, journal: Journal, plan: OrderPlan) -> None:
    """Refuse orders that the journal knows: they are there, or may be, or are about to be."""
    numbers = [order.order_no for order in plan.orders]
    live = live_orders(journal, client.home, client.settings.account, plan.channel_id, numbers)
    _refuse(plan, "repeated", {number: created_by(name) for number, name in live.items()})


def _refuse_existing(client: Client, plan: OrderPlan) -> None:
    """Refuse orders that the channel has."""
    there = existing_orders(client, ((plan.channel_id, order.order_no) for order in plan.orders))
    _refuse(plan, "exists", {number: had_by(plan.channel_id) for _, number in there})


def _refuse(plan: OrderPlan, guard: str, reasons: Mapping[str, str]) -> None:
    """Refuse all orders if some would be created twice.

    Raises:
        GuardRailError: `.objections` names them.
    """
    values = [
        (plan.channel_id, order.order_no, guard, f"Order {order.order_no}: {reasons[order.order_no]}")
        for order in plan.orders
        if order.order_no in reasons
    ]
    if values:
        raise GuardRailError(
            f"{len(values):,} of these orders would be created twice, the first: {values[0][3]}. Nothing was sent; leave "
            "them out (the error's .objections has all).",
            objections=frame_of(values, OBJECTIONS),
        )


def _entries(submission_id: str, plan: OrderPlan) -> tuple[list[Batch], list[Row]]:
    batches = [Batch(submission_id, number, plan.channel_id, len(part)) for number, part in enumerate(plan.batches)]
    rows = [
        Row(
            submission_id, number * plan.batch_size + i, number, i, channel_id=plan.channel_id, order_no=order.order_no,
            payload=msgspec.json.encode(order.body).decode(),
        )
        for number, part in enumerate(plan.batches)
        for i, order in enumerate(part)
    ]  # fmt: skip
    return batches, rows
