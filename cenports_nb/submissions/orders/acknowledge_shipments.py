"""`acknowledge_shipments`: confirm to Cenports that shipments were received."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.errors import GuardRailError
from cenports_nb.frames.loaders.query import parse_names
from cenports_nb.frames.loaders.stock import load_channel_ids
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.submissions.context import create_head, get_context, require_one_client
from cenports_nb.submissions.evidence.order_lookup import find_channels, find_shipped_orders
from cenports_nb.submissions.journal.frames import build_frame
from cenports_nb.submissions.objections import ORDER_OBJECTION_DTYPES
from cenports_nb.submissions.plan import build_order_batches, check_whole_number
from cenports_nb.submissions.sending.look import look_at_nothing
from cenports_nb.submissions.sending.sender import Sender, list_parcels
from cenports_nb.submissions.submission import Submission

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


def acknowledge_shipments(
    client: Client, shipments: pd.DataFrame, *, batch_size: int = 100, progress: bool | None = None
) -> Submission:
    """Acknowledge shipments with PATCH /shipments/acknowledge, by order number.

    The call has no channel, and order numbers are unique only within a channel: a number that two channels use would
    acknowledge the shipments of both. So the orders with these numbers are looked up first, with one request per 255
    characters; numbers without an order are looked up among the shipments of every channel.

    Args:
        client: A client that is not read-only.
        shipments: Any frame with `order_no`, and optionally `channel_id`; several rows of an order count once.
        batch_size: Maximum orders of one request.
        progress: Show a progress bar; by default only if it takes more than two seconds.

    Raises:
        ReadOnlyError: The client is read-only.
        InvalidRequestError: A row can't be sent.
        GuardRailError: `ambiguous_order_no`: `.objections` names the orders and their channels.
        JournalError: The journal can't be written.
        All of them: nothing was sent.

    Example:
        >>> shipments = cn.load_shipments(client, last="30D").head(2)
        >>> submission = cn.acknowledge_shipments(client, shipments)
        >>> submission.wait().outcomes["outcome"].tolist()
        ['applied', 'applied']
    """
    require_one_client(client, "acknowledge_shipments").check_writable("acknowledge_shipments")
    check_whole_number("batch_size", batch_size, 1)
    named_channels = _read_channels(shipments)
    context = get_context(client)
    journal = context.journal
    journal.check()
    channels = _find_one_channel_each(client, named_channels)
    numbers = list(channels)
    head = create_head(client, "shipments")
    parts = (
        ("", [(channels[number], number, None) for number in numbers[start : start + batch_size]])
        for start in range(0, len(numbers), batch_size)
    )
    with context.locks.hold_sending(head.submission_id):
        journal.add(head, *build_order_batches(head.submission_id, parts))
        sender = Sender(context.gateway, journal, head, look_at_nothing(context.gateway))
        sender.send(list_parcels(journal, head, lambda _: True), progress)
    return Submission(client, head.submission_id)


def _read_channels(shipments: pd.DataFrame) -> dict[str, set[str]]:
    """Return the order numbers of the frame, with the channels that the frame names."""
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


def _find_one_channel_each(client: Client, named_channels: dict[str, set[str]]) -> dict[str, str | None]:
    """Find the channel of each order number; None if no channel has it.

    Raises:
        GuardRailError: Two channels have a number.
    """
    there = find_channels(client, list(named_channels))
    unknown = [number for number, channels in there.items() if not channels]
    for channel, number in find_shipped_orders(client, load_channel_ids(client), unknown) if unknown else ():
        there[number].add(channel)
    for number, channels in named_channels.items():
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
            objections=build_frame(values, ORDER_OBJECTION_DTYPES),
        )
    return {number: next(iter(channels), None) for number, channels in there.items()}
