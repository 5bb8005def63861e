"""Acknowledge orders chunk by chunk, and read again what was refused or not answered.

An acknowledgement may be sent again: it does the same once and twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.api.retrieval.windows import chunk_order_numbers
from cenports_nb.errors import CenportsError
from cenports_nb.submissions.evidence.order_lookup import OrderKey, find_acknowledgements, group_by_channel
from cenports_nb.submissions.evidence.verify import judge_by_acknowledgement
from cenports_nb.submissions.journal.frames import build_frame
from cenports_nb.submissions.journal.locks import hold_sending_lock
from cenports_nb.submissions.journal.models import Batch, Head, Row
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.plan import build_order_batches
from cenports_nb.submissions.sending.sender import send_all

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

RECHECKED_OUTCOMES = ("rejected", "in_doubt")
"""Outcomes after which orders are read again."""

ACKNOWLEDGEMENT_OUTCOMES = {
    "applied": "acknowledged",
    "rejected": "refused",
    "not_applied": "refused",
    "in_doubt": "unknown",
    "not_sent": "unknown",
}
"""Outcome of a row in the journal -> outcome of its acknowledgement."""

ACKNOWLEDGEMENT_DTYPES = {"channel_id": "str", "order_no": "str", "outcome": "str", "message": "str"}


def plan_chunks(submission_id: str, keys: Iterable[OrderKey]) -> tuple[list[Batch], list[Row]]:
    """Cut orders into batches of one channel each, whose numbers fit the call's text of 255 characters."""
    return build_order_batches(
        submission_id,
        (
            (channel, [(channel, number, None) for number in chunk])
            for channel, numbers in group_by_channel(keys).items()
            for chunk in chunk_order_numbers(numbers)
        ),
    )


def acknowledge_now(
    client: Client, journal: Journal, keys: Sequence[OrderKey], progress: bool | None = None
) -> pd.DataFrame:
    """Acknowledge orders in a submission of their own: `channel_id order_no outcome message`."""
    head = Head.create(client, "acknowledgement")
    with hold_sending_lock(client.home, head.submission_id):
        journal.add(head, *plan_chunks(head.submission_id, keys))
        send_acknowledgements(client, journal, head, progress)
    return read_acknowledgements(journal, head)


def send_acknowledgements(client: Client, journal: Journal, head: Head, progress: bool | None = None) -> None:
    """Send what was not sent, and look into what was refused or not answered; the caller holds the right to send.

    The API refuses a whole chunk for one bad number. Its orders are read again, and those that are there and still
    not acknowledged are sent one by one.

    Raises:
        JournalError: The journal can't be written, and nothing was sent yet.
    """
    send_all(client, journal, head, progress=progress)
    unsettled = _settle_by_reading(client, journal, head)
    batches = {batch.batch: batch for batch in journal.batches(head.submission_id)}
    repeated = [row for row in unsettled if row.outcome == "in_doubt" or batches[row.batch].rows > 1]
    if repeated:
        at = client.clock.now()
        numbers = [journal.rebatch([row], row.channel_id or "", at) for row in repeated]
        send_all(client, journal, head, only=numbers, progress=progress)
        _settle_by_reading(client, journal, head)


def read_acknowledgements(journal: Journal, head: Head) -> pd.DataFrame:
    """Say of each order what became of its acknowledgement: `channel_id order_no outcome message`."""
    return build_frame(
        [
            (row.channel_id, row.order_no, ACKNOWLEDGEMENT_OUTCOMES[row.outcome], row.message)
            for row in journal.rows(head.submission_id)
        ],
        ACKNOWLEDGEMENT_DTYPES,
    )


def _settle_by_reading(client: Client, journal: Journal, head: Head) -> list[Row]:
    """Read orders again that were refused or not answered, and settle those that this settles.

    Returns:
        The others, which are there and not acknowledged.
    """
    rows = journal.rows(head.submission_id, outcomes=RECHECKED_OUTCOMES)
    if not rows:
        return []
    try:
        acknowledged = find_acknowledgements(client, (row.order_key for row in rows))
    except CenportsError as error:
        text = f"It was sent, and could not be read again ({error}): acknowledge it again."
        doubtful = [replace(row, message=text) for row in rows if row.outcome == "in_doubt"]
        journal.set_rows(doubtful, client.clock.now(), RECHECKED_OUTCOMES)
        return []
    at = client.clock.now()
    answers = [(row, acknowledged.get(row.order_key)) for row in rows]
    settled = [judge_by_acknowledgement(row, answer, at) for row, answer in answers if answer is not False]
    journal.set_rows(settled, at, RECHECKED_OUTCOMES)
    batches = {batch.batch: batch for batch in journal.batches(head.submission_id)}
    for number in {row.batch for row in rows if row.outcome == "in_doubt"}:
        client.write_ended(batches[number].write_id)  # it is done at once, so that nothing of it lands later
    return [row for row, answer in answers if answer is False]
