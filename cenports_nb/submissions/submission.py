"""A submission: what was written in one go, followed to its end."""

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
from cenports_nb.submissions.context import desk_of
from cenports_nb.submissions.journal import frames
from cenports_nb.submissions.journal.models import Head
from cenports_nb.submissions.journal.store import MEMORY, Journal
from cenports_nb.submissions.sending import resend
from cenports_nb.submissions.tracking.manual_resolution import resolve
from cenports_nb.submissions.tracking.poller import Poller
from cenports_nb.submissions.tracking.snapshot import Listener, RowView, Snapshot, is_overdue, rows_of, snapshot
from cenports_nb.submissions.tracking.summary import format_summary, render_summary
from cenports_nb.submissions.tracking.verify import verify

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


class Submission:
    """One submission in the journal; everything it tells is read from there.

    Attributes:
        submission_id: What `open_submission` takes after a restart.
        client: The account it belongs to.
    """

    def __init__(self, client: Client, submission_id: str, journal: Journal | None = None) -> None:
        desk = desk_of(client)
        self.client = client
        self.submission_id = submission_id
        self._journal = journal or desk.journal
        self._poller = desk.poller if journal is None else Poller(client, journal)
        self._open = desk.open
        self._open.add(self)
        self._listeners: list[Listener] = []

    @property
    def head(self) -> Head:
        """What it is, who made it, when and why."""
        return self._journal.head(self.submission_id)

    @property
    def outcomes(self) -> pd.DataFrame:
        """What became of each row: `schemas.Outcomes`, one row for each row submitted, in their order."""
        found = frames.outcomes(self._journal, self.head)
        overdue = [
            batch.batch
            for batch in self._journal.batches(self.submission_id)
            if is_overdue(batch, self.client.clock.now())
        ]
        late = found["batch"].isin(overdue) & (found["outcome"] == "pending")
        return found.assign(message=found["message"].mask(late, OVERDUE)) if late.any() else found

    @property
    def transactions(self) -> pd.DataFrame:
        """One row a batch: its handle, Cenports' last word on it, times in UTC, errors as JSON text."""
        return frames.transactions(self._journal, self.head)

    @property
    def changes(self) -> pd.DataFrame:
        """From what to what each row changes its SKU: planned on, read just before it was sent, and wanted."""
        return frames.changes(self._journal, self.head)

    @property
    def history(self) -> pd.DataFrame:
        """Every change of every row, oldest first: who changed what, when, from what to what, why, and what was said."""
        return frames.history(self._journal, self.head)

    @property
    def held(self) -> pd.DataFrame:
        """The rows that a guard or a person held back, as an update frame that can be submitted after a look."""
        return frames.held(self._journal, self.head)

    @property
    def held_file(self) -> Path | None:
        """The file that these rows were written into, .csv."""
        path = self.head.told("held_file")
        return Path(path) if path else None

    @property
    def dry(self) -> bool:
        """Whether this is a dry run, of which nothing is sent."""
        return self._journal.path == MEMORY

    @property
    def settled(self) -> bool:
        """Whether no row is pending any more."""
        return self.snapshot().settled

    def snapshot(self) -> Snapshot:
        """Take a picture of the submission as it is in the journal now."""
        turns = self._poller.turns(self.submission_id)
        return snapshot(self._journal, self.submission_id, self.client.clock.now(), turns)

    def look(self, batch: int, most: int) -> tuple[RowView, ...]:
        """Look at some rows of a batch, those that need somebody first; `outcomes` has all of them."""
        return rows_of(self._journal, self.submission_id, batch, most)

    def watch(self, listener: Listener) -> None:
        """Call a function with a snapshot after each poll, and at the end of a wait."""
        self._listeners.append(listener)

    def unwatch(self, listener: Listener) -> None:
        """Call it no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def poll(self, *, now: bool = False) -> float:
        """Ask for the open transactions whose turn it is, of all submissions; return seconds until the next turn.

        Args:
            now: Ask whatever their turn.
        """
        together = [one for one in list(self._open) if one._poller is self._poller]
        news, pause = self._poller.poll({one.submission_id for one in together}, now=now)
        for one in together:
            if one.submission_id in news:
                one._tell()
        return pause

    def wait(self, timeout: str | float | timedelta = "20min", progress: bool | None = None) -> Submission:
        """Poll until no row is pending, or until the time is up; an interrupt loses nothing.

        Args:
            timeout: Such as `"20min"`, seconds or a timedelta.
            progress: Show a bar; by default only where no tracker watches, after two seconds.

        Warns:
            PendingWarning: The time is up and rows are still pending.
        """
        batches = self._journal.batches(self.submission_id)
        hidden = progress is False or (progress is None and bool(self._listeners))
        with tqdm(
            desc="transactions", total=len(batches), disable=hidden, delay=0 if progress else 2, leave=False
        ) as bar:
            self._wait({batch.batch for batch in batches}, _seconds(timeout), bar)
        self._tell()
        left = self.snapshot().count("pending")
        if left:
            failed = self._poller.failed
            why = f" The last poll failed: {failed}" if failed else ""
            warnings.warn(
                f"Submission {self.submission_id} still has {left:,} rows pending: nothing is lost, wait() again or "
                f"open_submission() it later.{why}",
                PendingWarning,
                stacklevel=2,
            )
        return self

    def wait_for(self, batches: Collection[int], timeout: timedelta) -> None:
        """Poll until no row of these batches is pending, or until the time is up."""
        self._wait(set(batches), timeout.total_seconds(), None)

    def _wait(self, batches: set[int], seconds: float, bar: Any) -> None:
        """Poll and sleep; a failure that may pass is not the end."""
        clock = self.client.clock
        until = clock.monotonic() + seconds
        while True:
            seen = [view for view in self.snapshot().batches if view.batch in batches]
            pending = [view for view in seen if view.outcomes.get("pending")]
            if bar is not None:
                bar.update(len(seen) - len(pending) - bar.n)
            left = until - clock.monotonic()
            if not pending or left <= 0:
                return
            pause = RETRY_S
            try:
                pause = self.poll()
            except STAYING:
                raise
            except CenportsError:
                pass  # the poller knows it, and the next time may do better
            if any(view.outcomes.get("pending") for view in self.snapshot().batches if view.batch in batches):
                clock.sleep(max(MOMENT_S, min(pause, until - clock.monotonic())))

    def resume(self, progress: bool | None = None) -> Submission:
        """Go on after a crash or an interrupt: send what was not sent, and what is in doubt where a repeat is safe.

        Stock is read first. A TRUE_UP in doubt that stands at its target is `applied`; one that stands as before it
        was sent, and that no later submission changed, is sent again. A DIFFERENTIAL in doubt is not: `verify()`
        decides it.

        Raises:
            ReadOnlyError: The client is read-only.
            JournalError: Another process is sending it.
        """
        resend.resume(self.client, self._journal, self, progress)
        self._tell()
        return self

    def retry(self, progress: bool | None = None) -> Submission:
        """Send again rows that are `rejected` or `not_applied`, and only where stock and later submissions allow it.

        Raises:
            ReadOnlyError: The client is read-only.
            JournalError: Another process is sending it.
        """
        resend.retry(self.client, self._journal, self, progress)
        self._tell()
        return self

    def verify(self) -> Submission:
        """Look at what Cenports has now to settle rows that it does not confirm; never sleeps.

        A row that can't be settled yet stays as it is, with what was read and when to look again.
        """
        verify(self.client, self._journal, self.head)
        self._tell()
        return self

    def resolve(self, rows: pd.DataFrame | str | Collection[str], outcome: str, note: str) -> Submission:
        """Close rows that no evidence settles with a person's word; it is kept in the journal, with your name.

        Args:
            rows: A part of `.outcomes`, or SKUs (order numbers), one or several.
            outcome: `"applied"`, `"not_applied"` or `"rejected"`.
            note: How you know.

        Raises:
            InvalidRequestError: Rows that are settled already or not in here, no note, another outcome.
        """
        resolve(self.client, self._journal, self.head, rows, outcome, note)
        self._tell()
        return self

    def _tell(self) -> None:
        if self._listeners:
            seen = self.snapshot()
            for listener in list(self._listeners):
                listener(seen)

    def __repr__(self) -> str:
        try:
            return format_summary(self.snapshot(), dry=self.dry)
        except JournalError as error:
            return f"<Submission {self.submission_id}: {error}>"  # whoever looks at it gets no traceback

    def _repr_html_(self) -> str:
        try:
            return render_summary(self.snapshot(), self.head, dry=self.dry)
        except JournalError as error:
            return render_note(f"Submission {self.submission_id}", {"journal": str(error)})


STAYING = (AuthenticationError, ConfigurationError, JournalError)
"""Failures of a poll that no waiting mends."""
RETRY_S = 5.0
"""After a poll that failed."""
MOMENT_S = 0.05
OVERDUE = "Overdue: Cenports gives itself 15 minutes and has not finished. Nothing is lost; ask again later."


def _seconds(timeout: str | float | timedelta) -> float:
    try:
        seconds = float(timeout) if isinstance(timeout, int | float) else pd.Timedelta(timeout).total_seconds()
    except (TypeError, ValueError):
        seconds = math.nan
    if math.isnan(seconds):
        raise InvalidRequestError(f"timeout={timeout!r} is no span of time: write it as '20min' or in seconds.")
    return seconds
