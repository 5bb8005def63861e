"""Acknowledging orders: chunk by chunk, a refused one looked into, and nothing said that is not known.

An acknowledgement may be sent again: it does the same once and twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.api.retrieval.windows import chunk_order_numbers
from cenports_nb.errors import CenportsError
from cenports_nb.submissions.journal.frames import frame_of
from cenports_nb.submissions.journal.models import Batch, Head, Row
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.orders.lookup import ABSENT, Key, by_channel, key_of, no_such_order, standing_of
from cenports_nb.submissions.sending.sender import send_all, write_id

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

LOOKED_INTO = ("rejected", "in_doubt")
"""Outcomes after which orders are read again."""

WORDS = {
    "applied": "acknowledged",
    "rejected": "refused",
    "not_applied": "refused",
    "in_doubt": "unknown",
    "not_sent": "unknown",
}
"""What the journal calls a row -> what is said of its acknowledgement."""

OUTCOMES = {"channel_id": "str", "order_no": "str", "outcome": "str", "message": "str"}


def plan_chunks(submission_id: str, keys: Iterable[Key]) -> tuple[list[Batch], list[Row]]:
    """Cut orders into batches of one channel each, whose numbers fit the call's text of 255 characters."""
    batches: list[Batch] = []
    rows: list[Row] = []
    for channel, numbers in by_channel(keys).items():
        for chunk in chunk_order_numbers(numbers):
            number, first = len(batches), len(rows)
            batches.append(Batch(submission_id, number, channel, len(chunk)))
            rows += [
                Row(submission_id, first + i, number, i, channel_id=channel, order_no=order_no)
                for i, order_no in enumerate(chunk)
            ]
    return batches, rows


def acknowledge(client: Client, journal: Journal, head: Head, progress: bool | None = None) -> None:
    """Send what was not sent, and look into what was refused or not answered; the caller holds the right to send.

    The API refuses a whole chunk for one bad number. Its orders are read again, and those that are there and still
    not acknowledged are sent one by one.

    Raises:
        JournalError: The journal can't be written, and nothing was sent yet.
    """
    send_all(client, journal, head, progress=progress)
    again = [row for row, alone in _look(client, journal, head) if row.outcome == "in_doubt" or not alone]
    if again:
        at = client.clock.now()
        numbers = [journal.rebatch([row], row.channel_id or "", at) for row in again]
        send_all(client, journal, head, only=numbers, progress=progress)
        _look(client, journal, head)


def outcomes_of(rows: Sequence[Row]) -> pd.DataFrame:
    """Say of each order what became of its acknowledgement: `channel_id order_no outcome message`."""
    return frame_of([(row.channel_id, row.order_no, WORDS[row.outcome], row.message) for row in rows], OUTCOMES)


def _look(client: Client, journal: Journal, head: Head) -> list[tuple[Row, bool]]:
    """Read orders again that were refused or not answered, and settle those that this settles.

    Returns:
        The others, which are there and not acknowledged, and whether each was sent alone.
    """
    rows = journal.rows(head.submission_id, outcomes=LOOKED_INTO)
    if not rows:
        return []
    batches = {batch.batch: batch for batch in journal.batches(head.submission_id)}
    try:
        standing = standing_of(client, map(key_of, rows))
    except CenportsError as error:
        text = f"It was sent, and could not be read again ({error}): acknowledge it again."
        doubtful = [replace(row, message=text) for row in rows if row.outcome == "in_doubt"]
        journal.set_rows(doubtful, client.clock.now(), LOOKED_INTO)
        return []
    at = client.clock.now()
    settled = [
        replace(row, outcome="applied", message=None, read_back=1, read_back_at=at.isoformat())
        if standing.get(key_of(row))
        else replace(row, outcome="rejected", message=no_such_order(row), read_back=ABSENT, read_back_at=at.isoformat())
        for row in rows
        if standing.get(key_of(row)) is not False
    ]
    journal.set_rows(settled, at, LOOKED_INTO)
    for number in {row.batch for row in rows if row.outcome == "in_doubt"}:
        client.write_ended(write_id(batches[number]))  # it is done at once, so that nothing of it lands later
    return [(row, batches[row.batch].rows == 1) for row in rows if standing.get(key_of(row)) is False]
