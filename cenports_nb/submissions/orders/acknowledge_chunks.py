"""Acknowledge orders in chunks, and check again what was refused or not answered.

An acknowledgment may be repeated: sending it twice has the effect of sending it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.api.retrieval.windows import chunk_order_numbers
from cenports_nb.errors import CenportsError, JournalError
from cenports_nb.submissions.context import create_head, get_context
from cenports_nb.submissions.evidence.order_lookup import group_by_channel
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
