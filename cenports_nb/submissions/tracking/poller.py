"""The one poller of a client: every open transaction is polled on its own schedule, however many callers watch.

A transaction is polled 2 s after it was sent, then at growing intervals of at most 30 s; all polls together use at most
three quarters of the rate limit. The poller has no thread: waiting or watching code calls `poll`, which is cheap while
nothing is due.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from cenports_nb.errors import (
    ApiError,
    AuthenticationError,
    CenportsError,
    InvalidRequestError,
    RateLimitedError,
    UnexpectedAnswerError,
)
from cenports_nb.submissions.journal.row_updates import RowChange
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.ports import Gateway
from cenports_nb.submissions.rules.models import Batch, parse_time
from cenports_nb.submissions.rules.moments import at_least_elapsed
from cenports_nb.submissions.rules.states import SETTLED_BATCH_STATES
from cenports_nb.submissions.rules.transactions import judge_transaction

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

FIRST_POLL_SECONDS, MAX_POLL_SECONDS, POLL_BACKOFF = 2.0, 30.0, 1.5
RATE_LIMIT_SHARE = 0.75
"""The share of the rate limit for all polls together: a notebook sends other requests too."""

UNKNOWN_MESSAGE = "Cenports does not know this transaction any more: verify it to find out what became of the row."


@dataclass
class _Schedule:
    """When a transaction is polled next, on the client's monotonic clock."""

    due: float
    pause: float


class Poller:
    """Polls the open transactions of one client; thread-safe.

    Attributes:
        failed: Why the last poll failed, if it did.
    """

    def __init__(self, client: Client, journal: Journal, gateway: Gateway) -> None:
        self._client = client
        self._journal = journal
        self._gateway = gateway
        self._schedules: dict[tuple[str, int], _Schedule] = {}
        self._polling = threading.Lock()
        self.failed: CenportsError | None = None

    def poll(self, submission_ids: Iterable[str], *, now: bool = False) -> tuple[set[str], float]:
        """Poll the transactions that are due; return the polled submissions, and the seconds until the next poll.

        Args:
            submission_ids: Their submissions.
            now: Poll all of them, due or not.

        Raises:
            CenportsError: A poll failed; the others were polled all the same, except after 401 and 429.
        """
        with self._polling:
            open_batches = [
                batch
                for submission_id in submission_ids
                for batch in self._journal.batches(submission_id)
                if batch.state == "accepted" and batch.handle
            ]
            updated: set[str] = set()
            failed: CenportsError | None = None
            spacing = len(open_batches) * 60 / (RATE_LIMIT_SHARE * self._client.settings.rate_limit)
            for batch in open_batches:
                schedule = self._get_schedule(batch)
                if not now and self._client.clock.monotonic() < schedule.due:
                    continue
                schedule.pause = min(schedule.pause * POLL_BACKOFF, MAX_POLL_SECONDS)
                try:
                    poll_transaction(self._gateway, self._journal, batch)
                    self.failed = None
                except CenportsError as error:
                    failed = self.failed = failed or error
                    if isinstance(error, AuthenticationError | RateLimitedError):
                        raise
                finally:
                    schedule.due = self._client.clock.monotonic() + max(schedule.pause, spacing)
                updated.add(batch.submission_id)
            if failed:
                raise failed
            dues = [self._get_schedule(batch).due for batch in open_batches]
            return updated, max(0.0, min(dues, default=0.0) - self._client.clock.monotonic())

    def seconds_until_poll(self, submission_id: str) -> dict[int, float]:
        """Return the seconds until each batch is polled next; never waits for a running poll."""
        now = self._client.clock.monotonic()
        return {
            batch: max(0.0, schedule.due - now)
            for (owner, batch), schedule in self._schedules.copy().items()
            if owner == submission_id
        }

    def _get_schedule(self, batch: Batch) -> _Schedule:
        key = (batch.submission_id, batch.batch)
        if key not in self._schedules:
            sent = parse_time(batch.sent_at)
            age = (self._client.clock.now() - sent).total_seconds() if sent else FIRST_POLL_SECONDS
            due = self._client.clock.monotonic() + max(0.0, min(FIRST_POLL_SECONDS, FIRST_POLL_SECONDS - age))
            self._schedules[key] = _Schedule(due, FIRST_POLL_SECONDS)
        return self._schedules[key]


def poll_transaction(gateway: Gateway, journal: Journal, batch: Batch) -> None:
    """Poll the transaction of a batch and record what is new.

    Raises:
        CenportsError: There was no usable answer; nothing changed.
    """
    try:
        transaction = gateway.read_transaction(batch.handle or "")
    except (ApiError, InvalidRequestError) as error:
        is_unknown = isinstance(error, InvalidRequestError) or error.status in (400, 404, 410)
        if is_unknown and _give_up(gateway, journal, batch):
            return
        raise
    if str(transaction.handle).strip().casefold() != (batch.handle or "").casefold():
        raise UnexpectedAnswerError(
            f"GET /transaction was asked for {batch.handle} and answered with {transaction.handle}: nothing of that was "
            "believed; it is asked again."
        )
    at = gateway.now()
    status = transaction.status.strip().upper() or "UNKNOWN"
    judgement = judge_transaction(
        status,
        transaction.completed_at,
        transaction.errors,
        journal.rows(batch.submission_id, batch.batch, ("pending",)),
        batch.rows,
        is_settled=_is_settled(gateway, batch),
    )
    journal.record_poll(
        batch,
        judgement.end,
        [RowChange(event.item, event.event, {"message": event.message}, batch.batch) for event in judgement.events],
        at,
        status=status,
        completed_at=transaction.completed_at,
        last_polled_at=at.wall.isoformat(),
        errors=None if transaction.errors is None else msgspec.json.encode(transaction.errors).decode(),
    )
    if judgement.end in SETTLED_BATCH_STATES:
        gateway.write_ended(batch)


def _give_up(gateway: Gateway, journal: Journal, batch: Batch) -> bool:
    """Leave a transaction that Cenports doesn't know to verification, once it must have taken effect."""
    if not _is_settled(gateway, batch):
        return False
    at = gateway.now()
    changes = [
        RowChange(row.item, "fail", {"message": UNKNOWN_MESSAGE}, batch.batch)
        for row in journal.rows(batch.submission_id, batch.batch, ("pending",))
    ]
    journal.record_poll(batch, "ended", changes, at, status="UNKNOWN", last_polled_at=at.wall.isoformat())
    gateway.write_ended(batch)
    return True


def _is_settled(gateway: Gateway, batch: Batch) -> bool:
    """Return whether a transaction must have ended by now."""
    return batch.sent is not None and at_least_elapsed(batch.sent, gateway.now()) >= gateway.settle
