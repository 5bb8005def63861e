"""A submission: rows that were written together, followed to their end."""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from tqdm.auto import tqdm

from cenports_nb.errors import (
    AuthenticationError,
    CenportsError,
    ConfigurationError,
    InvalidRequestError,
    JournalError,
    PendingWarning,
)
from cenports_nb.rendering.note import render_note
from cenports_nb.rendering.surface import name_argument, name_method
from cenports_nb.rendering.text import format_count
from cenports_nb.submissions.context import SubmissionContext, build_dry_run_context, get_context
from cenports_nb.submissions.evidence.manual_resolution import resolve
from cenports_nb.submissions.evidence.verify import verify
from cenports_nb.submissions.journal import frames
from cenports_nb.submissions.journal.file import IN_MEMORY
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.rules.models import Head
from cenports_nb.submissions.sending import resend
from cenports_nb.submissions.sending.sender import close_if_crashed
from cenports_nb.submissions.tracking.snapshot import Listener, RowView, Snapshot, is_overdue, read_rows, take_snapshot
from cenports_nb.submissions.tracking.summary import format_summary, render_summary

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

PERMANENT_ERRORS = (AuthenticationError, ConfigurationError, JournalError)
"""Failures of a poll that waiting does not fix."""
RETRY_SECONDS = 5.0
"""Pause after a poll that failed."""
MIN_PAUSE_SECONDS = 0.05
OVERDUE_MESSAGE = "Overdue: Cenports gives itself 15 minutes and has not finished. Nothing is lost; ask again later."


class Submission:
    """One submission in the journal; everything it shows is read from there.

    Attributes:
        submission_id: The id for `open_submission` after a restart.
        client: The account.

    Example:
        >>> changes = pd.DataFrame({"warehouse_code": ["NW-EAST"], "product_sku": ["0003"], "quantity": [-1]})
        >>> submission = cn.submit_updates(client, cn.build_differential(changes))
        >>> submission.wait().transactions[["warehouse_code", "rows", "status"]]
          warehouse_code  rows     status
        0        NW-EAST     1  COMPLETED
    """

    def __init__(self, client: Client, submission_id: str, journal: Journal | None = None) -> None:
        self.client = client
        self.submission_id = submission_id
        # A dry run has its own journal and is polled alone.
        self._own_context = None if journal is None else build_dry_run_context(client, journal)
        self._context.open.add(self)
        self._listeners: list[Listener] = []

    @property
    def _context(self) -> SubmissionContext:
        """What it shares with the client's other submissions; a forked child opens its own."""
        return self._own_context or get_context(self.client)

    @property
    def _journal(self) -> Journal:
        return self._context.journal

    def close_crashed(self) -> None:
        """Mark as in doubt what a dead process was sending."""
        context = self._context
        if not self.dry_run:
            close_if_crashed(context.gateway, context.journal, context.locks, self.submission_id)

    @property
    def head(self) -> Head:
        """What it is, who made it, when and why."""
        return self._journal.head(self.submission_id)

    @property
    def outcomes(self) -> pd.DataFrame:
        """The outcome of each submitted row, in order, with the columns of `schemas.Outcomes`."""
        outcomes = frames.read_outcomes(self._journal, self.head, self._name_sending())
        overdue = [
            batch.batch
            for batch in self._journal.batches(self.submission_id)
            if is_overdue(batch, self.client.clock.now())
        ]
        late = outcomes["batch"].isin(overdue) & (outcomes["outcome"] == "pending")
        return outcomes.assign(message=outcomes["message"].mask(late, OVERDUE_MESSAGE)) if late.any() else outcomes

    @property
    def transactions(self) -> pd.DataFrame:
        """One row per batch: its handle, Cenports' latest status, times in UTC, errors as JSON text."""
        return frames.read_transactions(self._journal, self.head)

    @property
    def changes(self) -> pd.DataFrame:
        """How each row changes its SKU: the stock when planned, the stock just before sending, and the target."""
        return frames.read_changes(self._journal, self.head, self._name_sending())

    def _name_sending(self) -> str:
        """Return the outcome shown for rows that are being sent."""
        alive = not self.dry_run and self._context.locks.is_sending(self.submission_id)
        return "pending" if alive else "in_doubt"

    @property
    def history(self) -> pd.DataFrame:
        """Every change of every row, oldest first: who, what, when, old and new stock, why, and the message."""
        return frames.read_history(self._journal, self.head)

    @property
    def held(self) -> pd.DataFrame:
        """The rows that a guard or a person held, as an update frame to check and submit."""
        return frames.read_held(self._journal, self.head)

    @property
    def held_file(self) -> Path | None:
        """The .csv file with these rows."""
        path = self.head.get_detail("held_file")
        return Path(path) if path else None

    @property
    def dry_run(self) -> bool:
        """Whether this is a dry run, of which nothing is sent."""
        return self._journal.path == IN_MEMORY

    @property
    def settled(self) -> bool:
        """Whether no row is pending any more."""
        return self.snapshot().settled

    def snapshot(self) -> Snapshot:
        """Return the current state of the submission in the journal."""
        next_polls = self._context.poller.seconds_until_poll(self.submission_id)
        return take_snapshot(self._journal, self.submission_id, self.client.clock.now(), next_polls)

    def read_rows(self, batch: int, limit: int) -> tuple[RowView, ...]:
        """Read some rows of a batch, those that need attention first; `outcomes` has all of them."""
        return read_rows(self._journal, self.submission_id, batch, limit)

    def watch(self, listener: Listener) -> None:
        """Call a function with a snapshot after each poll, and at the end of a wait."""
        self._listeners.append(listener)

    def unwatch(self, listener: Listener) -> None:
        """Stop calling a function."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def poll(self, *, now: bool = False) -> float:
        """Poll the open transactions that are due, of all submissions; return the seconds until the next poll.

        Args:
            now: Poll all of them, due or not.
        """
        polled_together = list(self._context.open)
        updated, pause = self._context.poller.poll({each.submission_id for each in polled_together}, now=now)
        for each in polled_together:
            if each.submission_id in updated:
                each.notify()
        return pause

    def wait(self, timeout: str | float | timedelta = "20min", progress: bool | None = None) -> Submission:
        """Poll until no row is pending, or until the time is up; an interrupt loses nothing.

        Args:
            timeout: A duration such as `"20min"`, seconds or a timedelta.
            progress: Show a progress bar; by default only if no tracker watches, after two seconds.

        Warns:
            PendingWarning: The time is up and rows are still pending.
        """
        batches = self._journal.batches(self.submission_id)
        hidden = progress is False or (progress is None and bool(self._listeners))
        with tqdm(
            desc="transactions", total=len(batches), disable=hidden, delay=0 if progress else 2, leave=False
        ) as bar:
            self._wait({batch.batch for batch in batches}, _parse_timeout(timeout), bar)
        self.notify()
        pending_rows = self.snapshot().count("pending")
        if pending_rows:
            failed = self._context.poller.failed
            why = f" The last poll failed: {failed}" if failed else ""
            warnings.warn(
                f"Submission {self.submission_id} still has {format_count(pending_rows, 'row')} pending: nothing is lost. Wait "
                f"again later with {name_method('wait', self.submission_id)}.{why}",
                PendingWarning,
                stacklevel=2,
            )
        return self

    def wait_for(self, batches: Collection[int], timeout: timedelta) -> None:
        """Poll until no row of these batches is pending, or until the time is up."""
        self._wait(set(batches), timeout.total_seconds(), None)

    def _wait(self, batches: set[int], seconds: float, bar: Any) -> None:
        """Poll and sleep; a temporary failure doesn't end the wait."""
        clock = self.client.clock
        until = clock.monotonic() + seconds
        while True:
            watched = [view for view in self.snapshot().batches if view.batch in batches]
            pending = [view for view in watched if view.outcomes.get("pending")]
            if bar is not None:
                bar.update(len(watched) - len(pending) - bar.n)
            remaining = until - clock.monotonic()
            if not pending or remaining <= 0:
                return
            pause = RETRY_SECONDS
            try:
                pause = self.poll()
            except PERMANENT_ERRORS:
                raise
            except CenportsError:
                pass  # the poller recorded it, and the next poll may succeed
            if any(view.outcomes.get("pending") for view in self.snapshot().batches if view.batch in batches):
                clock.sleep(max(MIN_PAUSE_SECONDS, min(pause, until - clock.monotonic())))

    def resume(self, progress: bool | None = None) -> Submission:
        """Continue after a crash or an interrupt: send what was not sent, and what is in doubt if repeating it is safe.

        Stock is read first. A TRUE_UP in doubt whose stock equals its target is `applied`; one whose stock is as before it
        was sent, and that no later submission changed, is sent again. A DIFFERENTIAL in doubt is not: `verify()` decides it.

        Raises:
            ReadOnlyError: The client is read-only.
            JournalError: Another process is sending it.
        """
        context, head = self._check_resendable("resume")
        resend.resume(context.gateway, context.journal, context.locks, head, self.wait_for, progress)
        self.notify()
        return self

    def retry(self, progress: bool | None = None) -> Submission:
        """Send rows again that are `rejected` or `not_applied`, if stock and later submissions allow it.

        Raises:
            ReadOnlyError: The client is read-only.
            JournalError: Another process is sending it.
        """
        context, head = self._check_resendable("retry")
        resend.retry(context.gateway, context.journal, context.locks, head, self.wait_for, progress)
        self.notify()
        return self

    def _check_resendable(self, what: str) -> tuple[SubmissionContext, Head]:
        context, head = self._context, self.head
        resend.check_resendable(context.journal, head, what)
        self.client.check_writable(f"{what} of {self.submission_id}")
        return context, head

    def verify(self) -> Submission:
        """Read from Cenports to settle rows that it does not confirm; never sleeps.

        A row that can't be settled yet stays as it is, with what was read and when to try again.
        """
        self.close_crashed()
        verify(self._context.gateway, self._journal, self.head)
        self.notify()
        return self

    def resolve(self, rows: pd.DataFrame | str | Collection[str], outcome: str, note: str) -> Submission:
        """Close rows that no evidence can settle, on a person's word; the journal keeps it with your name.

        Args:
            rows: A part of `.outcomes`, or SKUs (order numbers), one or several.
            outcome: `"applied"`, `"not_applied"` or `"rejected"`.
            note: How you know.

        Raises:
            InvalidRequestError: Rows that are settled or not in the submission, no note, or another outcome.
        """
        self.close_crashed()
        resolve(self._context.gateway, self._journal, self.head, rows, outcome, note)
        self.notify()
        return self

    def notify(self) -> None:
        """Call every listener with a snapshot."""
        if self._listeners:
            current = self.snapshot()
            for listener in list(self._listeners):
                listener(current)

    def __repr__(self) -> str:
        try:
            return format_summary(self.snapshot(), dry_run=self.dry_run)
        except JournalError as error:
            return f"<Submission {self.submission_id}: {error}>"  # showing a submission raises no error

    def _repr_html_(self) -> str:
        try:
            return render_summary(self.snapshot(), self.head, dry_run=self.dry_run)
        except JournalError as error:
            return render_note(f"Submission {self.submission_id}", {"journal": str(error)})


def _parse_timeout(timeout: str | float | timedelta) -> float:
    try:
        seconds = float(timeout) if isinstance(timeout, int | float) else pd.Timedelta(timeout).total_seconds()
    except (TypeError, ValueError):
        seconds = math.nan
    if math.isnan(seconds):
        raise InvalidRequestError(
            f"{name_argument('timeout', timeout)} isn't a duration: write it as '20min' or in seconds."
        )
    return seconds
