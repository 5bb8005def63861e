"""A submission at one moment, as people see it: counted in the journal, however many rows there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from cenports_nb.submissions.journal.models import Batch
from cenports_nb.submissions.journal.store import Journal

MOST_MESSAGES = 6
"""Messages of a batch that a view may show; all of them are in the outcomes."""

OVERDUE = timedelta(minutes=15)
"""Cenports says: "may take up to 15 minutes to be finalized"."""


@dataclass(frozen=True)
class BatchView:
    """One batch as people see it.

    Attributes:
        place: Its warehouse or channel.
        rows: The rows that are in it now.
        messages: The first of those that are not applied, what Cenports rejects before the rest: what names the row,
            and what is said of it.
        told: How many rows have a message.
        overdue: Cenports has not ended it in the time it gives itself.
        next_poll: Seconds until it is asked for; None where there is nothing to ask, or nobody asked yet.
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
    told: int = 0
    overdue: bool = False
    next_poll: float | None = None


@dataclass(frozen=True)
class RowView:
    """One row as people see it.

    Attributes:
        name: Its SKU or order number.
        before: The stock it was sent at, or planned on; None where there is none.
        after: Where the stock stands once it is applied.
    """

    name: str
    before: int | None
    after: int | None
    outcome: str
    message: str | None


@dataclass(frozen=True)
class Snapshot:
    """One submission at one moment; the tracker and every text view draw from it.

    Attributes:
        at: When it was taken, UTC.
        settled: Whether no row is pending any more.
    """

    submission_id: str
    at: datetime
    batches: tuple[BatchView, ...]
    settled: bool

    def count(self, outcome: str) -> int:
        """Rows with this outcome."""
        return sum(batch.outcomes.get(outcome, 0) for batch in self.batches)

    @property
    def outcomes(self) -> dict[str, int]:
        """Rows by outcome, those of the first batch first."""
        found: dict[str, int] = {}
        for batch in self.batches:
            for outcome, number in batch.outcomes.items():
                found[outcome] = found.get(outcome, 0) + number
        return found


OURS = {"planned": "not_sent", "again": "in_doubt"}
"""States that are words of the sender only."""

Listener = Callable[[Snapshot], None]

COUNTS = (
    "SELECT batch, outcome, count(*) FROM row WHERE submission_id = ? GROUP BY batch, outcome ORDER BY batch, min(row)"
)
MESSAGES = """
SELECT batch, name, message, told FROM (
    SELECT batch, row, coalesce(product_sku, order_no) AS name, message,
        row_number() OVER (PARTITION BY batch ORDER BY outcome <> 'rejected', row) AS place, count(*) OVER (PARTITION BY batch) AS told
    FROM row WHERE submission_id = ? AND message IS NOT NULL AND outcome NOT IN ('applied', 'pending'))
WHERE place <= ? ORDER BY batch, place
"""
ROWS = """
SELECT coalesce(product_sku, order_no), coalesce(before_quantity, current_quantity),
    CASE WHEN type = 'DIFFERENTIAL' THEN coalesce(before_quantity, current_quantity) + quantity
         WHEN type IS NOT NULL THEN quantity END,
    outcome, message
FROM row WHERE submission_id = ? AND batch = ? ORDER BY outcome IN ('applied', 'pending'), outcome <> 'rejected', row LIMIT ?
"""


def rows_of(journal: Journal, submission_id: str, batch: int, most: int) -> tuple[RowView, ...]:
    """Look at the rows of a batch: first those that need somebody, then in the order in which they were sent."""
    return tuple(RowView(str(name), *rest) for name, *rest in _all(journal, ROWS, submission_id, batch, most))


def snapshot(
    journal: Journal, submission_id: str, at: datetime, turns: Mapping[int, float] = MappingProxyType({})
) -> Snapshot:
    """Take a picture of a submission from the journal.

    Args:
        journal: Where it is.
        submission_id: Which.
        at: Now.
        turns: Seconds until a batch is asked for next, by its number.
    """
    outcomes: dict[int, dict[str, int]] = {}
    for batch, outcome, number in _all(journal, COUNTS, submission_id):
        outcomes.setdefault(batch, {})[outcome] = number
    messages: dict[int, list[tuple[str, str]]] = {}
    told: dict[int, int] = {}
    for batch, name, message, number in _all(journal, MESSAGES, submission_id, MOST_MESSAGES):
        messages.setdefault(batch, []).append((str(name), message))
        told[batch] = number
    views = tuple(
        _view(
            batch,
            outcomes.get(batch.batch, {}),
            tuple(messages.get(batch.batch, ())),
            told.get(batch.batch, 0),
            at,
            turns.get(batch.batch),
        )
        for batch in journal.batches(submission_id)
    )
    return Snapshot(submission_id, at, views, not any(view.outcomes.get("pending") for view in views))


def is_overdue(batch: Batch, at: datetime) -> bool:
    """Tell whether Cenports has not ended a transaction in the time it gives itself."""
    sent = time_of(batch.sent_at)
    return batch.state == "accepted" and sent is not None and at - sent > OVERDUE


def time_of(text: str | None) -> datetime | None:
    """Read a time of the journal."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _view(
    batch: Batch,
    outcomes: Mapping[str, int],
    messages: tuple[tuple[str, str], ...],
    told: int,
    at: datetime,
    turn: float | None,
) -> BatchView:
    return BatchView(
        batch.batch,
        batch.place,
        sum(outcomes.values()),
        batch.status or OURS.get(batch.state, batch.state).upper(),
        batch.handle,
        time_of(batch.submitted_at),
        time_of(batch.completed_at),
        outcomes,
        messages,
        told,
        is_overdue(batch, at),
        turn if batch.state == "accepted" else None,
    )


def _all(journal: Journal, query: str, *values: object) -> list[tuple[Any, ...]]:
    return [row for part in journal.select(query, values) for row in part]
