"""The one poller of a client: every open transaction is polled on its own schedule, whoever and however many watch.

A transaction is asked 2 s after it was sent, then ever later, every 30 s at most; where many are open, all
together take no more than three quarters of the rate limit. It has no thread of its own: whoever waits or
watches calls `poll`, which is cheap while nothing is due.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cenports_nb.errors import ApiError, AuthenticationError, CenportsError, InvalidRequestError, RateLimitedError
from cenports_nb.submissions.journal.models import Batch, parse_time
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.tracking.transaction_status import read_transaction, record_transaction

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

FIRST_POLL_SECONDS, MAX_POLL_SECONDS, POLL_BACKOFF = 2.0, 30.0, 1.5
RATE_LIMIT_SHARE = 0.75
"""Of the rate limit, for all polls together: a notebook sends other requests too."""

UNKNOWN_MESSAGE = "Cenports does not know this transaction any more: verify() finds out what became of the row."


@dataclass
class _Schedule:
    """When a transaction is asked next, on the client's monotonic clock."""

    due: float
    pause: float


class Poller:
    """Asks for the open transactions of one client; threads may share it.

    Attributes:
        failed: Why the last poll failed, if it did.
    """

    def __init__(self, client: Client, journal: Journal) -> None:
        self._client = client
        self._journal = journal
        self._schedules: dict[tuple[str, int], _Schedule] = {}
        self._polling = threading.Lock()
        self.failed: CenportsError | None = None

    def poll(self, submission_ids: Iterable[str], *, now: bool = False) -> tuple[set[str], float]:
        """Poll the transactions that are due; return the submissions that were polled, and the seconds until the next poll.

        Args:
            submission_ids: Whose transactions.
            now: Poll all of them, due or not.

        Raises:
            CenportsError: An answer could not be had; the others were asked for all the same, but after 401 and 429.
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
                    self._poll_batch(batch)
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
            return updated, self._seconds_until_next(open_batches)

    def seconds_until_poll(self, submission_id: str) -> dict[int, float]:
        """Tell the seconds until each batch is asked for next; never waits for an answer that is on its way."""
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

    def _seconds_until_next(self, open_batches: Iterable[Batch]) -> float:
        now = self._client.clock.monotonic()
        dues = [self._get_schedule(batch).due - now for batch in open_batches]
        return max(0.0, min(dues, default=0.0))

    def _poll_batch(self, batch: Batch) -> None:
        """Ask for one transaction and write down what is new."""
        try:
            answer = self._client.get("/transaction", {"handle": batch.handle})
            transaction = read_transaction(answer.body, "GET /transaction")
        except ApiError as error:
            if error.status in (400, 404, 410) and self._give_up(batch):
                return
            raise
        except InvalidRequestError:
            if self._give_up(batch):
                return
            raise
        if record_transaction(self._journal, batch, transaction, answer.at):
            self._client.write_ended(batch.write_id)

    def _give_up(self, batch: Batch) -> bool:
        """Leave a transaction that Cenports says it does not have to the evidence, once it must have landed."""
        at, sent = self._client.clock.now(), parse_time(batch.sent_at)
        if sent is not None and at - sent < timedelta(minutes=self._client.dialect.settle_minutes):
            return False
        self._journal.end(
            batch,
            at,
            "unconfirmed",
            UNKNOWN_MESSAGE,
            "pending",
            state="failed",
            status="UNKNOWN",
            last_polled_at=at.isoformat(),
        )
        self._client.write_ended(batch.write_id)
        return True
