"""`acknowledge_orders` and `acknowledge_shipments`: tell Cenports that orders and shipments are known."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.errors import GuardRailError, InvalidRequestError
from cenports_nb.frames.loaders.query import parse_names
from cenports_nb.frames.loaders.stock import load_channel_ids
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.submissions.context import desk_of
from cenports_nb.submissions.journal.frames import frame_of
from cenports_nb.submissions.journal.heads import new_head
from cenports_nb.submissions.journal.locks import sending
from cenports_nb.submissions.journal.models import Batch, Row
from cenports_nb.submissions.orders.acknowledge_chunks import OUTCOMES, acknowledge, outcomes_of, plan_chunks
from cenports_nb.submissions.orders.lookup import Key, acknowledged_orders, can_be_listed, channels_of, shipments_of
from cenports_nb.submissions.sending.sender import send_all
from cenports_nb.submissions.submission import Submission

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

KEYS = ["channel_id", "order_no"]
ALREADY = "It was acknowledged before; nothing was sent for it."
OBJECTIONS = dict.fromkeys(("channel_id", "order_no", "guard", "message"), "str")


def acknowledge_orders(client: Client, orders: pd.DataFrame, *, progress: bool | None = None) -> pd.DataFrame:
    """Acknowledge orders with PATCH /orders/acknowledge: exactly those of the frame.

    It is done when it returns. Orders that are acknowledged already are looked up first and not sent again. A chunk
    of numbers that is refused is read again, and what is not acknowledged in it is sent one by one; where an answer
    was lost, the orders are read again too. Each 255 characters of numbers of a channel cost two requests.

    Args:
        client: A client that is not read-only.
        orders: Any frame with `order_no` and `channel_id`; doubled rows count once.
        progress: Show a bar of chunks; by default only when it takes more than two seconds.

    Returns:
        `channel_id order_no outcome message`, one row an order in the frame's order. `outcome` is `acknowledged`,
        `already`, `refused` or `unknown`: it was not sent, or no answer was seen and none could be had.

    Raises:
        ReadOnlyError: The client is read-only; nothing was sent.
        InvalidRequestError: A row that can't be sent; nothing was sent.
        JournalError: The journal can't be written; nothing was sent.
    """
    client.check_writable("acknowledge_orders")
    keys = _keys(orders)
    desk = desk_of(client)
    desk.journal.check()
    already = acknowledged_orders(client, keys)
    to_send = [key for key in keys if key not in already]
    values = [(*key, "already", ALREADY) for key in keys if key in already]
    found = frame_of(values, OUTCOMES)
    if to_send:
        head = new_head(client, "acknowledgement")
        with sending(client.home, head.submission_id):
            desk.journal.add(head, *plan_chunks(head.submission_id, to_send))
            acknowledge(client, desk.journal, head, progress)
        found = pd.concat([found, outcomes_of(desk.journal.rows(head.submission_id))], ignore_index=True)
    place = {key: i for i, key in enumerate(keys)}
    order = [place[key] for key in zip(found["channel_id"], found["order_no"], strict=True)]
    return found.assign(_place=order).sort_values("_place", ignore_index=True).drop(columns="_place")


def acknowledge_shipments(
    client: Client, shipments: pd.DataFrame, *, batch_size: int = 100, progress: bool | None = None
) -> Submission:
    """Acknowledge shipments with PATCH /shipments/acknowledge, an order number each.

    The call has no channel, and order numbers are unique only within one: a number of two channels would acknowledge
    the shipments of both. So the orders of these numbers are looked up first, a request for each 255 characters; those
    that no channel knows are looked for among the shipments of every channel.

    Args:
        client: A client that is not read-only.
        shipments: Any frame with `order_no`, and `channel_id` if it has one; several rows of an order count once.
        batch_size: Orders of one request at most.
        progress: Show a bar of batches; by default only when it takes more than two seconds.

    Raises:
        ReadOnlyError: The client is read-only.
        InvalidRequestError: A row that can't be sent.
        GuardRailError: `ambiguous_order_no`: `.objections` names the orders and their channels.
        JournalError: The journal can't be written.
        All of them: nothing was sent.
    """
    client.check_writable("acknowledge_shipments")
    if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1:
        raise InvalidRequestError(f"batch_size={batch_size!r} must be a whole number of 1 or more.")
    told = _channels_by_number(shipments)
    desk = desk_of(client)
    desk.journal.check()
    channel_of = _one_channel_each(client, told)
    head = new_head(client, "shipments")
    numbers = list(channel_of)
    batches, rows = [], []
    for number, start in enumerate(range(0, len(numbers), batch_size)):
        part = numbers[start : start + batch_size]
        batches.append(Batch(head.submission_id, number, "", len(part)))
        rows += [
            Row(head.submission_id, start + i, number, i, channel_id=channel_of[name], order_no=name)
            for i, name in enumerate(part)
        ]
    with contextlib.ExitStack() as locks:
        locks.enter_context(sending(client.home, head.submission_id))
        desk.journal.add(head, batches, rows)
        send_all(client, desk.journal, head, progress=progress)
    return Submission(client, head.submission_id)


def _keys(orders: pd.DataFrame) -> list[Key]:
    """Read which orders are meant, each once."""
    read = validate_columns(orders, schemas.Orders, "orders", KEYS)
    keys = list(dict.fromkeys(zip(read["channel_id"], read["order_no"], strict=True)))
    bad = [number for _, number in keys if not can_be_listed(number)]
    if bad:
        raise InvalidRequestError(
            f"orders has {len(bad):,} numbers with a comma, blanks at their ends or more than 255 characters, the first "
            f"{bad[0][:40]!r}: in a list they would mean other orders. Nothing was sent; leave them out.",
            sent=False,
        )
    return keys


def _channels_by_number(shipments: pd.DataFrame) -> dict[str, set[str]]:
    """Read which orders' shipments are meant, and the channels that the frame says they are of."""
    read = validate_columns(
        shipments, schemas.Shipments, "shipments", ["order_no", "channel_id"], optional=["channel_id"]
    )
    found: dict[str, set[str]] = {number: set() for number in read["order_no"]}
    if "channel_id" in read.columns:
        for number, channel in zip(read["order_no"], read["channel_id"], strict=True):
            if isinstance(channel, str):
                found[number].add(channel)
    if found:
        parse_names(list(found), "order_nos")
    return found


def _one_channel_each(client: Client, told: dict[str, set[str]]) -> dict[str, str | None]:
    """Tell the channel of each order number; None where no channel knows it.

    Raises:
        GuardRailError: A number that means orders of two channels.
    """
    there = channels_of(client, list(told))
    lost = [number for number, channels in there.items() if not channels]
    for channel, number in shipments_of(client, load_channel_ids(client), lost) if lost else ():
        there[number].add(channel)
    for number, channels in told.items():
        there[number] |= channels
    values = [
        (channel, number, "ambiguous_order_no", f"Order {number} is in the channels {', '.join(sorted(channels))}, and the call would acknowledge the shipments of all")
        for number, channels in there.items()
        if len(channels) > 1
        for channel in sorted(channels)
    ]  # fmt: skip
    if values:
        raise GuardRailError(
            f"{len({value[1] for value in values})} order numbers are of more than one channel, the first: {values[0][3]}. "
            "Nothing was sent; leave them out (the error's .objections has all), and acknowledge them at Cenports.",
            objections=frame_of(values, OBJECTIONS),
        )
    return {number: next(iter(channels), None) for number, channels in there.items()}
