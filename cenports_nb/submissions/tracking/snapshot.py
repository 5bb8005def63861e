"""A submission at one moment, for people: counted in the journal, however many rows there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.rules.models import Batch, parse_time

MAX_MESSAGES = 6
"""Maximum messages of a batch in a view; the outcomes have all of them."""

OVERDUE = timedelta(minutes=15)
"""Cenports says: "may take up to 15 minutes to be finalized"."""


@dataclass(frozen=True)
class BatchView:
    """One batch, for people.

    Attributes:
        place: Its warehouse or channel.
        rows: The number of rows that are in it now.
        messages: The first messages of rows that are not applied, those rejected by Cenports first: row and message.
        message_count: The number of rows with a message.
        overdue: Cenports has not finished it within its own limit.
        next_poll: Seconds until the next poll; None if there is none, or if it was never polled.
        settled_by: What settled its rows although Cenports did not confirm them: "verify", "resolve" or both.
        withheld: Whether its rows were held or dropped, so that it is no request.
    """

    batch: int
    place: str
    rows: int
    status: str
    handle: str | None
    submitted_at: datetime | None
    completed_at: datetime | None
    outcomes: Mapping[str, int]
    messages: tuple[tuple[str, str], ...]
    message_count: int = 0
    overdue: bool = False
    next_poll: float | None = None
    settled_by: str = ""
    withheld: bool = False


@dataclass(frozen=True)
class RowView:
    """One row, for people.

    Attributes:
        name: Its SKU or order number.
        before: The stock before it was sent, or when it was planned; None if unknown.
        after: The stock once it is applied.
    """

    name: str
    before: int | None
    after: int | None
    outcome: str
    message: str | None


@dataclass(frozen=True)
class Snapshot:
    """One submission at one moment; the tracker and every text view show it.

    Attributes:
        at: When it was taken, UTC.
        settled: Whether no row is pending any more.
    """

    submission_id: str
    at: datetime
    batches: tuple[BatchView, ...]
    settled: bool

    def count(self, outcome: str) -> int:
        """Return the number of rows with this outcome."""
        return sum(batch.outcomes.get(outcome, 0) for batch in self.batches)

    @property
    def outcomes(self) -> dict[str, int]:
        """The number of rows by outcome, those of the first batch first."""
        found: dict[str, int] = {}
        for batch in self.batches:
            for outcome, number in batch.outcomes.items():
                found[outcome] = found.get(outcome, 0) + number
        return found


STATE_LABELS = {"planned": "not_sent", "ended": "unconfirmed"}
"""Labels of states that only the sender uses."""

WITHHELD_STATES = ("held", "dropped")
"""States of rows that were never sent: no request of theirs exists."""

Listener = Callable[[Snapshot], None]

COUNTS_SQL = """
SELECT batch, CASE outcome WHEN 'sending' THEN 'pending' ELSE outcome END AS shown, count(*) FROM row
WHERE submission_id = ? GROUP BY batch, shown ORDER BY batch, min(row)
"""
MESSAGES_SQL = """
SELECT batch, name, message, message_count FROM (
    SELECT batch, row, coalesce(product_sku, order_no) AS name, message,
        row_number() OVER (PARTITION BY batch ORDER BY outcome <> 'rejected', row) AS place, count(*) OVER (PARTITION BY batch) AS message_count
    FROM row WHERE submission_id = ? AND message IS NOT NULL AND outcome NOT IN ('applied', 'pending', 'sending'))
WHERE place <= ? ORDER BY batch, place
"""
SETTLED_SQL = """
SELECT batch, max(changed_by IS NULL), max(changed_by IS NOT NULL) FROM row JOIN batch USING (submission_id, batch)
WHERE submission_id = ? AND outcome IN ('applied', 'not_applied') AND state <> 'completed' GROUP BY batch
"""
ROWS_SQL = """
SELECT coalesce(product_sku, order_no), coalesce(before_quantity, current_quantity),
    CASE WHEN type = 'DIFFERENTIAL' THEN coalesce(before_quantity, current_quantity) + quantity
         WHEN type IS NOT NULL THEN quantity END,
    CASE outcome WHEN 'sending' THEN 'pending' ELSE outcome END, message
FROM row WHERE submission_id = ? AND batch = ? ORDER BY outcome IN ('applied', 'pending', 'sending'), outcome <> 'rejected', row LIMIT ?
"""


def read_rows(journal: Journal, submission_id: str, batch: int, limit: int) -> tuple[RowView, ...]:
    """Read the rows of a batch: first those that need attention, then in the order of sending."""
    return tuple(RowView(str(name), *rest) for name, *rest in journal.select_all(ROWS_SQL, submission_id, batch, limit))


def take_snapshot(
    journal: Journal, submission_id: str, at: datetime, seconds_until_poll: Mapping[int, float] = MappingProxyType({})
) -> Snapshot:
    """Take a snapshot of a submission from the journal."""
    outcomes: dict[int, dict[str, int]] = {}
    for batch, outcome, number in journal.select_all(COUNTS_SQL, submission_id):
        outcomes.setdefault(batch, {})[outcome] = number
    messages: dict[int, list[tuple[str, str]]] = {}
    message_count: dict[int, int] = {}
    for batch, name, message, number in journal.select_all(MESSAGES_SQL, submission_id, MAX_MESSAGES):
        messages.setdefault(batch, []).append((str(name), message))
        message_count[batch] = number
    settled_by = {
        batch: " and ".join(name for name, has_settled in (("verify", by_stock), ("resolve", by_person)) if has_settled)
        for batch, by_stock, by_person in journal.select_all(SETTLED_SQL, submission_id)
    }
    views = tuple(
        BatchView(
            batch.batch,
            batch.place,
            sum(outcomes.get(batch.batch, {}).values()),
            batch.status or STATE_LABELS.get(batch.state, batch.state).upper(),
            batch.handle,
            parse_time(batch.submitted_at),
            parse_time(batch.completed_at),
            outcomes.get(batch.batch, {}),
            tuple(messages.get(batch.batch, ())),
            message_count.get(batch.batch, 0),
            is_overdue(batch, at),
            seconds_until_poll.get(batch.batch) if batch.state == "accepted" else None,
            settled_by.get(batch.batch, ""),
            batch.state in WITHHELD_STATES,
        )
        for batch in journal.batches(submission_id)
    )
    return Snapshot(submission_id, at, views, not any(view.outcomes.get("pending") for view in views))


def is_overdue(batch: Batch, at: datetime) -> bool:
    """Return whether Cenports has not finished a transaction within its own limit."""
    sent = parse_time(batch.sent_at)
    return batch.state == "accepted" and sent is not None and at - sent > OVERDUE
