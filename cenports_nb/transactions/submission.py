"""A submission: what was written in one go, followed to its end."""

from __future__ import annotations

import html
import math
import threading
import warnings
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from tqdm.auto import tqdm

from cenports_nb.errors import ApiError, InvalidRequestError, PendingWarning, TransportError
from cenports_nb.settings import home_folder
from cenports_nb.transactions import follow
from cenports_nb.transactions.journal import Head, Journal, frame_of
from cenports_nb.transactions.verify import verify

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

INSTANT = "datetime64[us, UTC]"
TRANSACTIONS = {
    "submission_id": "str",
    "batch": "int64",
    "warehouse_code": "str",
    "rows": "int64",
    "handle": "str",
    "status": "str",
    "submitted_at": INSTANT,
    "completed_at": INSTANT,
    "last_polled_at": INSTANT,
    "errors": "str",
}
ROWS = {
    "submission_id": "str",
    "batch": "int64",
    "row": "int64",
    "warehouse_code": "str",
    "product_sku": "str",
    "type": "str",
    "quantity": "int64",
    "outcome": "str",
    "message": "str",
    "read_back": "Int64",
    "read_back_at": INSTANT,
}
OUTCOME_ORDER = [
    "submission_id", "batch", "row", "warehouse_code", "product_sku", "type", "quantity", "handle", "status",
    "outcome", "message", "submitted_at", "completed_at", "read_back", "read_back_at",
]  # fmt: skip


class Submission:
    """One submission in the journal; everything it tells is read from there.

    Attributes:
        submission_id: What `open_submission` takes after a restart.
        client: The account it belongs to.
    """

    def __init__(self, client: Client, journal: Journal, submission_id: str) -> None:
        self.client = client
        self.submission_id = submission_id
        self._journal = journal
        self._lock = threading.Lock()
        self._listeners: list[follow.Listener] = []
        self._delay = follow.FIRST_POLL_S
        self._due = client.clock.monotonic() + self._delay

    @property
    def outcomes(self) -> pd.DataFrame:
        """What became of each row: `schemas.Outcomes`, one row for each row submitted."""
        rows = frame_of(self._journal.rows(self.submission_id), ROWS)
        batches = self.transactions[["batch", "handle", "status", "submitted_at", "completed_at"]]
        return rows.merge(batches, on="batch", how="left")[OUTCOME_ORDER]

    @property
    def transactions(self) -> pd.DataFrame:
        """One row a batch: its handle, Cenports' last word on it, times in UTC, errors as JSON text."""
        batches = self._journal.batches(self.submission_id)
        sizes: dict[int, int] = {}
        for row in self._journal.rows(self.submission_id):
            sizes[row.batch] = sizes.get(row.batch, 0) + 1
        columns = {name: dtype for name, dtype in TRANSACTIONS.items() if name != "rows"}
        frame = frame_of(batches, columns)
        frame["status"] = frame["status"].fillna(pd.Series([b.state.upper() for b in batches], dtype="str"))
        frame["rows"] = pd.Series([sizes.get(b.batch, 0) for b in batches], dtype="int64")
        return frame[list(TRANSACTIONS)]

    @property
    def settled(self) -> bool:
        """Whether no row is pending any more."""
        return self.snapshot().settled

    def snapshot(self) -> follow.Snapshot:
        """Take a picture of the submission as it is in the journal now."""
        return follow.snapshot(self._journal, self.submission_id, self.client.clock.now())

    def watch(self, listener: follow.Listener) -> None:
        """Call a function with a snapshot after each poll, and at the end of a wait."""
        self._listeners.append(listener)

    def poll(self) -> float:
        """Ask for open transactions if it is time to, however many watch; return seconds until the next time.

        Polls come 2 s apart at first and 30 s at most, each within the rate limit.
        """
        with self._lock:
            now = self.client.clock.monotonic()
            if now >= self._due:
                follow.poll(self.client, self._journal, self.submission_id)
                self._later()
                self._tell()
            return max(0.0, self._due - self.client.clock.monotonic())

    def wait(self, timeout: str | float | timedelta = "20min", progress: bool | None = None) -> Submission:
        """Poll until no row is pending, or until the time is up; an interrupt loses nothing.

        Args:
            timeout: Such as `"20min"`, seconds or a timedelta.
            progress: Show a bar; by default only where no tracker watches, after two seconds.

        Warns:
            PendingWarning: The time is up and rows are still pending.
        """
        until = self.client.clock.monotonic() + _seconds(timeout)
        hidden = progress is False or (progress is None and bool(self._listeners))
        with tqdm(
            desc="transactions", total=len(self.snapshot().batches), disable=hidden, delay=0 if progress else 2,
            leave=False,
        ) as bar:  # fmt: skip
            while not (seen := self.snapshot()).settled:
                bar.update(sum("pending" not in batch.outcomes for batch in seen.batches) - bar.n)
                left = until - self.client.clock.monotonic()
                if left <= 0:
                    warnings.warn(
                        f"Submission {self.submission_id} still has {seen.count('pending')} rows pending: nothing is "
                        "lost, wait() again or open_submission() it later.",
                        PendingWarning,
                        stacklevel=2,
                    )
                    break
                self._poll_patiently(left)
        self._tell()
        return self

    def _poll_patiently(self, left: float) -> None:
        """Poll if it is time to, and sleep until the next time; a failure that may pass is not the end."""
        try:
            pause = self.poll()
        except (TransportError, ApiError) as error:
            if isinstance(error, ApiError) and error.status < 500 and error.status != 429:
                raise
            pause = self._later()
        if not self.settled:
            self.client.clock.sleep(max(0.0, min(pause, left)))

    def _later(self) -> float:
        """Choose the next time to poll, each later than the last; return the seconds until then."""
        self._delay = min(self._delay * follow.GROWTH, follow.LONGEST_POLL_S)
        self._due = self.client.clock.monotonic() + self._delay
        return self._delay

    def verify(self) -> Submission:
        """Read the stock to settle rows that Cenports does not confirm; never sleeps.

        A row that the stock can't settle yet stays as it is, with what was read and when to look again.
        """
        verify(self.client, self._journal, self.submission_id)
        self._tell()
        return self

    def _tell(self) -> None:
        seen = self.snapshot()
        for listener in list(self._listeners):
            listener(seen)

    def __repr__(self) -> str:
        seen = self.snapshot()
        counts = self.outcomes["outcome"].value_counts(sort=False)
        told = ", ".join(f"{number:,} {outcome}" for outcome, number in counts.items()) or "nothing to send"
        return f"<Submission {self.submission_id}, {len(seen.batches)} batches: {told}>"

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"


def open_submission(client: Client, submission_id: str) -> Submission:
    """Open a submission of the journal again, after a restart or in another notebook.

    Raises:
        JournalError: It is not in this machine's journal.
        InvalidRequestError: It belongs to another account.
    """
    journal = journal_of(client)
    head = journal.head(submission_id)
    if head.account != client.settings.account:
        raise InvalidRequestError(
            f"Submission {submission_id} belongs to partner {head.partner_id} in {head.environment}: connect to that account."
        )
    return Submission(client, journal, submission_id)


def list_submissions(*, environment: str | None = None, home: Path | None = None) -> pd.DataFrame:
    """List the journal: every submission of this machine, oldest first.

    A sandbox's journal goes with its client and is not in here.

    Args:
        environment: Only this one.
        home: Another folder than `CENPORTS_HOME`.

    Returns:
        `submission_id kind environment partner_id created_at rows open applied rejected in_doubt reason reference`.
    """
    folder = home or home_folder()
    journal = Journal(folder)
    try:
        heads = [head for head in journal.heads() if environment in (None, head.environment)]
        counts = [_counts(journal, head) for head in heads]
    finally:
        journal.close()
    texts = frame_of(
        heads,
        dict.fromkeys(("submission_id", "kind", "environment", "partner_id"), "str")
        | {"created_at": INSTANT, "reason": "str", "reference": "str"},
    )
    numbers = pd.DataFrame(counts, columns=["rows", "open", "applied", "rejected", "in_doubt"], dtype="int64")
    joined = pd.concat([texts, numbers], axis=1)
    return joined[
        [
            "submission_id",
            "kind",
            "environment",
            "partner_id",
            "created_at",
            *numbers.columns,
            "reason",
            "reference",
        ]
    ]


def journal_of(client: Client) -> Journal:
    """Open the journal of a client's home; it is closed with the client."""
    journal = Journal(client.home)
    client.resources.callback(journal.close)
    return journal


def _counts(journal: Journal, head: Head) -> tuple[int, int, int, int, int]:
    outcomes = [row.outcome for row in journal.rows(head.submission_id)]
    return (
        len(outcomes),
        outcomes.count("pending") + outcomes.count("unconfirmed"),
        outcomes.count("applied"),
        outcomes.count("rejected"),
        outcomes.count("in_doubt"),
    )


def _seconds(timeout: str | float | timedelta) -> float:
    try:
        seconds = float(timeout) if isinstance(timeout, int | float) else pd.Timedelta(timeout).total_seconds()
    except (TypeError, ValueError):
        seconds = math.nan
    if math.isnan(seconds):
        raise InvalidRequestError(f"timeout={timeout!r} is no span of time: write it as '20min' or in seconds.")
    return seconds
