"""`acknowledge_orders`: confirm to Cenports that orders were received, in chunks of numbers.

An acknowledgment may be repeated: sending it twice has the effect of sending it once. So what was refused or not answered
is read again, and sent again if necessary.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cenports_nb.api.retrieval.windows import chunk_order_numbers
from cenports_nb.errors import CenportsError, InvalidRequestError, JournalError
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import ORDER_KEYS
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.submissions.context import create_head, get_context, require_one_client
from cenports_nb.submissions.evidence.order_lookup import find_orders, group_by_channel, is_listable
from cenports_nb.submissions.evidence.verify import judge_acknowledgements, record_findings
from cenports_nb.submissions.journal.frames import build_frame
from cenports_nb.submissions.journal.row_updates import RowChange
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.plan import build_order_batches
from cenports_nb.submissions.ports import Gateway, OrderKey
from cenports_nb.submissions.rules.models import Batch, Head, Row
from cenports_nb.submissions.rules.states import SENDABLE_OUTCOMES
from cenports_nb.submissions.sending.look import look_at_nothing
from cenports_nb.submissions.sending.sender import Parcel, Sender, list_parcels

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

ALREADY_MESSAGE = "It was acknowledged before; nothing was sent for it."

RECHECKED_OUTCOMES = ("rejected", "in_doubt")
"""Outcomes after which orders are read again."""

ACKNOWLEDGEMENT_OUTCOMES = {
    "applied": "acknowledged",
    "rejected": "refused",
    "not_applied": "refused",
    "in_doubt": "unknown",
    "sending": "unknown",
    "not_sent": "unknown",
}
"""Outcome of a row in the journal -> outcome of its acknowledgment."""

ACKNOWLEDGEMENT_DTYPES = {"channel_id": "str", "order_no": "str", "outcome": "str", "message": "str"}


def acknowledge_orders(client: Client, orders: pd.DataFrame, *, progress: bool | None = None) -> pd.DataFrame:
    """Acknowledge exactly the orders of a frame with PATCH /orders/acknowledge.

    The call is synchronous. Orders that are already acknowledged are found first and not sent. If Cenports refuses a
    chunk of numbers, its orders are read again, and those not acknowledged are sent one by one; if an answer is lost,
    the orders are read again too. Each 255 characters of a channel's numbers take two requests.

    Args:
        client: A client that is not read-only.
        orders: Any frame with `order_no` and `channel_id`; repeated rows count once.
        progress: Show a progress bar; by default only if it takes more than two seconds.

    Returns:
        `channel_id order_no outcome message`, one row per order in the frame's order. `outcome` is `acknowledged`,
        `already`, `refused` or `unknown`: it was not sent, or no answer could be obtained.

    Raises:
        ReadOnlyError: The client is read-only; nothing was sent.
        InvalidRequestError: A row can't be sent; nothing was sent.
        JournalError: The journal can't be written; nothing was sent.

    Example:
        >>> waiting = cn.load_orders(client, acknowledged=False).head(2)
        >>> cn.acknowledge_orders(client, waiting)["outcome"].tolist()
        ['acknowledged', 'acknowledged']
    """
    require_one_client(client, "acknowledge_orders").check_writable("acknowledge_orders")
    keys = _read_keys(orders)
    get_context(client).journal.check()
    acknowledged = find_orders(client, keys, acknowledged=True)
    found = build_frame(
        [(*key, "already", ALREADY_MESSAGE) for key in keys if key in acknowledged], ACKNOWLEDGEMENT_DTYPES
    )
    to_send = [key for key in keys if key not in acknowledged]
    if to_send:
        found = pd.concat([found, acknowledge_now(client, to_send, progress)])
    positions = {key: i for i, key in enumerate(keys)}
    order = [positions[key] for key in zip(found["channel_id"], found["order_no"], strict=True)]
    return found.iloc[np.argsort(order)].reset_index(drop=True)


def _read_keys(orders: pd.DataFrame) -> list[OrderKey]:
    """Return the orders of the frame, each once."""
    read = validate_columns(orders, schemas.Orders, "orders", ORDER_KEYS)
    keys = list(dict.fromkeys(zip(read["channel_id"], read["order_no"], strict=True)))
    bad = [number for _, number in keys if not is_listable(number)]
    if bad:
        raise InvalidRequestError(
            f"orders has {len(bad):,} numbers with a comma, blanks at their ends or more than 255 characters, the first "
            f"{bad[0][:40]!r}: in a list they would mean other orders. Nothing was sent; leave them out.",
            sent=False,
        )
    return keys


def plan_chunks(submission_id: str, keys: Iterable[OrderKey]) -> tuple[list[Batch], list[Row]]:
    """Split orders into batches of one channel each, whose numbers fit the call's text of 255 characters."""
    return build_order_batches(
        submission_id,
        (
            (channel, [(channel, number, None) for number in chunk])
            for channel, numbers in group_by_channel(keys).items()
            for chunk in chunk_order_numbers(numbers)
        ),
    )


def acknowledge_now(client: Client, keys: Sequence[OrderKey], progress: bool | None = None) -> pd.DataFrame:
    """Acknowledge orders in their own submission: `channel_id order_no outcome message`."""
    context = get_context(client)
    head = create_head(client, "acknowledgement")
    with context.locks.hold_sending(head.submission_id):
        context.journal.add(head, *plan_chunks(head.submission_id, keys))
        send_acknowledgements(context.gateway, context.journal, head, progress)
    return read_acknowledgements(context.journal, head)


def send_acknowledgements(gateway: Gateway, journal: Journal, head: Head, progress: bool | None = None) -> None:
    """Send unsent acknowledgments, and check those that were refused or not answered; the caller holds the right to send.

    The API refuses a whole chunk for one bad number. Its orders are read again, and those that exist and are still
    not acknowledged are sent one by one.

    Raises:
        JournalError: The journal can't be written, and nothing was sent yet.
    """
    sender = Sender(gateway, journal, head, look_at_nothing(gateway))
    sender.send(list_parcels(journal, head, lambda _: True), progress)
    unsettled = _settle_by_reading(gateway, journal, head)
    batches = {batch.batch: batch for batch in journal.batches(head.submission_id)}
    repeated = {row.item for row in unsettled if row.outcome == "in_doubt" or batches[row.batch].rows > 1}
    if repeated:
        requeued = [RowChange(row.item, "requeue", {}) for row in unsettled if row.outcome == "rejected"]
        journal.change_rows(head.submission_id, requeued, gateway.now())
        parcels = list_parcels(journal, head, lambda row: row.item in repeated, SENDABLE_OUTCOMES)
        one_by_one = [Parcel(parcel.batch, frozenset({item})) for parcel in parcels for item in sorted(parcel.items)]
        sender.send(one_by_one, progress)
        _settle_by_reading(gateway, journal, head)


def read_acknowledgements(journal: Journal, head: Head) -> pd.DataFrame:
    """Return the outcome of each order's acknowledgment: `channel_id order_no outcome message`."""
    return build_frame(
        [
            (row.channel_id, row.order_no, ACKNOWLEDGEMENT_OUTCOMES[row.outcome], row.message)
            for row in journal.rows(head.submission_id)
        ],
        ACKNOWLEDGEMENT_DTYPES,
    )


def _settle_by_reading(gateway: Gateway, journal: Journal, head: Head) -> list[Row]:
    """Read orders again that were refused or not answered, and settle those that this proves.

    Returns:
        The others, which exist and are not acknowledged.
    """
    rows = journal.rows(head.submission_id, outcomes=RECHECKED_OUTCOMES)
    if not rows:
        return []
    batches = {batch.batch: batch for batch in journal.batches(head.submission_id)}
    try:
        findings = judge_acknowledgements(gateway, journal, head, rows, batches)
    except JournalError:
        raise
    except CenportsError as error:
        text = f"It was sent, and could not be read again ({error}): acknowledge it again."
        changes = [RowChange(row.item, None, {"message": text}) for row in rows if row.outcome == "in_doubt"]
        journal.change_rows(head.submission_id, changes, gateway.now())
        return []
    record_findings(gateway, journal, head, findings)
    unsettled = {finding.item for finding in findings if finding.event is None}
    return [row for row in journal.rows(head.submission_id, outcomes=RECHECKED_OUTCOMES) if row.item in unsettled]
