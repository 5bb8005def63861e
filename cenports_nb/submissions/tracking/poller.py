"""The one poller of a client: every open transaction asked in its turn, whoever and however many watch.

A transaction is asked 2 s after it was sent, then ever later, every 30 s at most; where many are open, all
together take no more than three quarters of the rate limit. It has no thread of its own: whoever waits or
watches calls `poll`, and between two times that is a look at the clock.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cenports_nb.errors import (
    ApiError,
    AuthenticationError,
    CenportsError,
    InvalidRequestError,
    RateLimitedError,
)
from cenports_nb.submissions.journal.models import Batch
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.sending.sender import write_id
from cenports_nb.submissions.tracking.snapshot import time_of
from cenports_nb.submissions.tracking.transaction_status import read_transaction, settle

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

FIRST_S, LONGEST_S, GROWTH = 2.0, 30.0, 1.5
SHARE = 0.75
"""Of the rate limit, for all polls together: a notebook has other questions too."""

UNKNOWN = "Cenports does not know this transaction any more: verify() finds out what became of the row."


@dataclass
class _Turn:
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
        self._turns: dict[tuple[str, int], _Turn] = {}
        self._asking = threading.Lock()
        self.failed: CenportsError | None = None

    def poll(self, submission_ids: Iterable[str], *, now: bool = False) -> tuple[set[str], float]:
        """Ask for the transactions whose turn it is; return whose news came, and the seconds until the next turn.

        Args:
            submission_ids: Whose transactions.
            now: Ask whatever their turn.

        Raises:
            CenportsError: An answer could not be had; the others were asked for all the same, but after 401 and 429.
        """
        with self._asking:
            open_batches = [
                batch
                for submission_id in submission_ids
                for batch in self._journal.batches(submission_id)
                if batch.state == "accepted" and batch.handle
            ]
            news: set[str] = set()
            failed: CenportsError | None = None
            spacing = len(open_batches) * 60 / (SHARE * self._client.settings.rate_limit)
            for batch in open_batches:
                turn = self._turn(batch)
                if not now and self._client.clock.monotonic() < turn.due:
                    continue
                turn.pause = min(turn.pause * GROWTH, LONGEST_S)
                try:
                    self._ask(batch)
                    self.failed = None
                except CenportsError as error:
                    failed = self.failed = failed or error
                    if isinstance(error, AuthenticationError | RateLimitedError):
                        raise
                finally:
                    turn.due = self._client.clock.monotonic() + max(turn.pause, spacing)
                news.add(batch.submission_id)
            if failed:
                raise failed
            return news, self._next(open_batches)

    def turns(self, submission_id: str) -> dict[int, float]:
        """Tell the seconds until each batch is asked for next; never waits for an answer that is on its way."""
        now = self._client.clock.monotonic()
        return {
            batch: max(0.0, turn.due - now)
            for (owner, batch), turn in self._turns.copy().items()
            if owner == submission_id
        }

    def _turn(self, batch: Batch) -> _Turn:
        key = (batch.submission_id, batch.batch)
        if key not in self._turns:
            sent = time_of(batch.sent_at)
            age = (self._client.clock.now() - sent).total_seconds() if sent else FIRST_S
            due = self._client.clock.monotonic() + max(0.0, min(FIRST_S, FIRST_S - age))
            self._turns[key] = _Turn(due, FIRST_S)
        return self._turns[key]

    def _next(self, open_batches: Iterable[Batch]) -> float:
        now = self._client.clock.monotonic()
        dues = [self._turn(batch).due - now for batch in open_batches]
        return max(0.0, min(dues, default=0.0))

    def _ask(self, batch: Batch) -> None:
        """Ask for one transaction and write down what is new."""
        try:
            answer = self._client.get("/transaction", {"handle": batch.handle})
            heard = read_transaction(answer.body, "GET /transaction")
        except ApiError as error:
            if error.status in (400, 404, 410) and self._given_up(batch):
                return
            raise
        except InvalidRequestError:
            if self._given_up(batch):
                return
            raise
        if settle(self._journal, batch, heard, answer.at):
            self._client.write_ended(write_id(batch))

    def _given_up(self, batch: Batch) -> bool:
        """Leave a transaction that Cenports says it does not have to the evidence, once it must have landed."""
        at, sent = self._client.clock.now(), time_of(batch.sent_at)
        if sent is not None and at - sent < timedelta(minutes=self._client.dialect.settle_minutes):
            return False
        self._journal.end(
            batch,
            at,
            "unconfirmed",
            UNKNOWN,
            "pending",
            state="failed",
            status="UNKNOWN",
            last_polled_at=at.isoformat(),
        )
        self._client.write_ended(write_id(batch))
        return True
