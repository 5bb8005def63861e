"""`create_orders`: plan orders, refuse duplicates, record them in the journal, send them once."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pandas as pd

from cenports_nb.errors import GuardRailError, InvalidRequestError
from cenports_nb.submissions.context import create_head, get_context, require_one_client
from cenports_nb.submissions.journal.frames import build_frame
from cenports_nb.submissions.journal.queries import find_live_orders
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.objections import ORDER_OBJECTION_DTYPES
from cenports_nb.submissions.orders.order_file import read_order_file
from cenports_nb.submissions.orders.order_plan import OrderPlan, plan_orders
from cenports_nb.submissions.plan import build_order_batches
from cenports_nb.submissions.sending.look import OrderLook
from cenports_nb.submissions.sending.sender import Sender, list_parcels
from cenports_nb.submissions.submission import Submission
from cenports_nb.tables.hidden_rows import HiddenRows

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


def create_orders(
    client: Client,
    orders: pd.DataFrame | str | Path,
    line_items: pd.DataFrame | None = None,
    *,
    channel_id: str,
    batch_size: int = 100,
    sheet: str | None = None,
    encoding: str | None = None,
    hidden_rows: HiddenRows | None = None,
    progress: bool | None = None,
) -> Submission:
    """Create orders of one channel with POST /orders.

    Everything is checked before anything is sent: every size and type of the reference, sums to the cent, and that no
    order exists already, in the channel or in the journal (a new order can't be read for up to 15 minutes). An order
    whose answer was lost is `in_doubt` and never repeated automatically: `verify()` looks for it.

    Args:
        client: A client that is not read-only.
        orders: One row per order: `order_no order_date customer_name ship_to_address1 ship_to_city ship_to_state
            ship_to_country ship_to_postal_code carrier_code service_level grand_total`, optionally `customer_order_no
            contact_name contact_email contact_phone ship_to_address2 estimated_ship_date sub_total ship_cost discount`.
            Or a .csv, .tsv, .xlsx or .parquet file with one row per line item, and the order's columns on each row or
            on its first; or such a frame, in which a line's own `sub_total` is named `line_sub_total`.
        line_items: `order_no product_sku quantity price`, optionally `line_item sub_total`.
        channel_id: The channel of the orders.
        batch_size: Maximum orders of one request.
        sheet: The sheet of a workbook, if several have such a table.
        encoding: The encoding of a text file that is not UTF-8, such as `"cp1252"`.
        hidden_rows: `"include"` or `"exclude"` rows that a workbook hides; by default `hidden_rows` of the profile, else
            such rows are a question.
        progress: Show a progress bar; by default only if it takes more than two seconds.

    Raises:
        ReadOnlyError: The client is read-only.
        InvalidRequestError: `.errors` has everything that is wrong, by location such as `order A1, line 2: price`.
        GuardRailError: `repeated` or `exists`: orders that exist, or may exist; `.objections` names them.
        JournalError: The journal can't be written.
        All of them: nothing was sent.

    Example:
        >>> orders = cn.load_orders(client, last="30D", channel_id="NW-NA").head(1)
        >>> line_items = cn.load_line_items(client, order_nos=orders["order_no"].tolist())
        >>> orders, line_items = orders.assign(order_no="WEB-1"), line_items.assign(order_no="WEB-1")
        >>> submission = cn.create_orders(client, orders, line_items, channel_id="NW-NA")
        >>> submission.wait().outcomes[["order_no", "outcome"]]
          order_no  outcome
        0    WEB-1  applied
    """
    require_one_client(client, "create_orders").check_writable("create_orders")
    if isinstance(orders, str | Path):
        if line_items is not None:
            raise InvalidRequestError("A file of orders has its line items in it: leave line_items out.")
        orders = read_order_file(
            orders, sheet=sheet, encoding=encoding, hidden_rows=hidden_rows, profile=client.settings.profile
        )
    elif sheet is not None or encoding is not None or hidden_rows is not None:
        raise InvalidRequestError("sheet=, encoding= and hidden_rows= say how a file is read: pass its path as orders.")
    plan = plan_orders(
        orders, line_items, channel_id=channel_id, batch_size=batch_size, time_zone=client.settings.time_zone,
        sizes=client.dialect.sizes,
    )  # fmt: skip
    context = get_context(client)
    journal = context.journal
    journal.check()
    _refuse_repeated(journal, client.settings.account, plan)
    checked = context.gateway.now()
    _refuse(plan, "exists", context.gateway.explain_existing_orders(channel_id, plan.order_numbers))
    head = create_head(client, "orders")
    parts = (
        (channel_id, [(channel_id, order["orderNo"], msgspec.json.encode(order).decode()) for order in batch])
        for batch in plan.batches
    )
    with contextlib.ExitStack() as locks:
        with context.locks.hold_planning(client.settings.account):
            # The lookup took time; by now the journal has what another process planned meanwhile.
            _refuse_repeated(journal, client.settings.account, plan)
            locks.enter_context(context.locks.hold_sending(head.submission_id))
            journal.add(head, *build_order_batches(head.submission_id, parts))
        look = OrderLook(context.gateway, journal, head, checked)
        Sender(context.gateway, journal, head, look).send(list_parcels(journal, head, lambda _: True), progress)
    return Submission(client, head.submission_id)


def _refuse_repeated(journal: Journal, account: str, plan: OrderPlan) -> None:
    """Refuse orders in the journal that exist, may exist, or may still be sent."""
    _refuse(plan, "repeated", find_live_orders(journal, account, plan.channel_id, plan.order_numbers))


def _refuse(plan: OrderPlan, guard: str, reasons: Mapping[str, str]) -> None:
    """Refuse all orders if some would be created twice.

    Raises:
        GuardRailError: `.objections` names them.
    """
    values = [
        (plan.channel_id, number, guard, f"Order {number}: {reasons[number]}")
        for number in plan.order_numbers
        if number in reasons
    ]
    if values:
        raise GuardRailError(
            f"{len(values):,} of these orders would be created twice, the first: {values[0][3]}. Nothing was sent; leave "
            "them out (the error's .objections has all).",
            objections=build_frame(values, ORDER_OBJECTION_DTYPES),
        )
