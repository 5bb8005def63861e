"""The sender: carries out the decision about each batch, and records what happened.

    reserve a slot ─▶ look ─▶ decide ─▶ journal ─▶ request ─▶ journal

All sending goes through it: first sending, canary, `resume()`, `retry()` and the repeat after a refusal differ in which rows
they select, how they look and which policy they have. Once the first byte has been sent nothing raises: failures are
outcomes of rows.
"""

from __future__ import annotations

import contextlib
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec
from tqdm.auto import tqdm

from cenports_nb.api.http.adapter import NotDepartedError
from cenports_nb.errors import (
    AuthenticationError,
    BusinessError,
    CenportsError,
    CenportsWarning,
    InvalidRequestError,
    JournalError,
    RateLimitedError,
)
from cenports_nb.rendering.surface import name_method
from cenports_nb.stock.guards.thresholds import DEFAULTS, Thresholds
from cenports_nb.submissions.journal.locks import SubmissionLocks
from cenports_nb.submissions.journal.row_updates import RowChange
from cenports_nb.submissions.journal.store import Journal, RowsChangedError, list_sent_values
from cenports_nb.submissions.journal.write_kinds import WriteKind, get_write_kind
from cenports_nb.submissions.ports import Gateway
from cenports_nb.submissions.rules.answers import judge_error
from cenports_nb.submissions.rules.decide import MAX_EVIDENCE_AGE, MAX_LOOKS, Decision, Policy, decide
from cenports_nb.submissions.rules.models import Batch, Head, Row
from cenports_nb.submissions.rules.moments import Moment, at_most_elapsed
from cenports_nb.submissions.rules.states import OPEN_OUTCOMES, SENDABLE_OUTCOMES
from cenports_nb.submissions.sending.look import Look

MAX_UNREACHED_BATCHES = 3
"""After this many batches in a row that did not reach Cenports, the rest waits for resume()."""

MAX_PAUSE_SECONDS = 75.0
"""Maximum total pause after 429 of a batch: one window of the rate limit and a margin."""

MANY_PARCELS = 25
"""From this many on, sending takes more than two seconds, so a progress bar appears with the first one."""

UNSENDABLE_STATES = ("held", "dropped", "dry_run")
"""Batches whose rows are never sent from here, whatever outcome a person gave them."""

LIMITS = ("max_drop", "max_drop_from")
"""The thresholds of guards that check again just before a row is sent."""

SendResult = Literal["done", "again", "stop", "unreached", "split"]
"""What an attempt to send a batch means for the next step."""

TOO_OLD_MESSAGE = (
    "Not sent: what was seen just before was more than five minutes old each time; resume it to try again."
)
STOPPED_MESSAGE = "Not sent: sending stopped at an earlier batch; resume it to go on."


@dataclass(frozen=True)
class Parcel:
    """Rows to be sent together, if possible."""

    batch: Batch
    items: frozenset[int]


def list_parcels(
    journal: Journal, head: Head, choose: Callable[[Row], bool], outcomes: Sequence[str] = ("not_sent",)
) -> list[Parcel]:
    """List what may be sent of a submission, batch by batch; rows in doubt get batches of their own."""
    found: dict[tuple[int, int], set[int]] = {}
    for row in journal.rows(head.submission_id, outcomes=outcomes):
        if choose(row):
            found.setdefault((row.batch, row.exposed), set()).add(row.item)
    batches = {batch.batch: batch for batch in journal.batches(head.submission_id)} if found else {}
    return [
        Parcel(batches[number], frozenset(items))
        for (number, _), items in sorted(found.items())
        if batches[number].state not in UNSENDABLE_STATES
    ]


def close_crashed(gateway: Gateway, journal: Journal, submission_id: str) -> None:
    """Mark as in doubt what a dead process was sending; the caller knows that nobody is sending it."""
    if journal.has_sending(submission_id):
        with contextlib.suppress(CenportsError):  # then the next verify() counts from when it knows the time
            gateway.learn_time()
        journal.close_crashed(submission_id, gateway.now())


def close_if_crashed(gateway: Gateway, journal: Journal, locks: SubmissionLocks, submission_id: str) -> None:
    """Mark as in doubt what a process was sending, if that process is dead."""
    if locks.is_sending(submission_id) or not journal.has_sending(submission_id):
        return
    with contextlib.suppress(CenportsError):
        gateway.learn_time()
    # Checked under the lock: another process may have begun to send it.
    with locks.hold_if_free(submission_id) as is_free:
        if is_free:
            journal.close_crashed(submission_id, gateway.now())


def list_limits(thresholds: Thresholds) -> dict[str, Any]:
    """Return the thresholds that a submission stores: those that are not the default."""
    return {name: getattr(thresholds, name) for name in LIMITS if getattr(thresholds, name) != getattr(DEFAULTS, name)}


def read_policy(head: Head) -> Policy:
    """Read the options of a submission from its head, which has them for every time that it is sent."""
    limits = {name: getattr(DEFAULTS, name) for name in LIMITS} | (head.get_detail("limits") or {})
    is_repeatable = get_write_kind(head).is_repeatable
    return Policy(head.on_stale, is_repeatable, compares_stock=head.kind == "stock", **limits)


class Sender:
    """Sends rows of one submission, each batch after a last look; the caller holds the right to send."""

    def __init__(self, gateway: Gateway, journal: Journal, head: Head, look: Look) -> None:
        self.gateway = gateway
        self.journal = journal
        self.head = head
        self._look = look
        self._policy = read_policy(head)
        self._kind: WriteKind = get_write_kind(head)
        self._any_sent = False

    def send(self, parcels: Iterable[Parcel], progress: bool | None = None) -> None:
        """Send parcels one by one, until Cenports accepts no more.

        Raises:
            JournalError: The journal can't be written, and nothing was sent yet; later it is a warning.
            KeyboardInterrupt: A person stopped it; rows being sent are in doubt, the rest is not sent.
        """
        queue = deque(parcels)
        delay = 0 if progress or len(queue) >= MANY_PARCELS else 2
        bar = tqdm(total=len(queue), desc="batches", disable=progress is False, delay=delay, leave=False)
        try:
            with bar:
                self._send_queue(queue, bar)
        except JournalError as error:
            if not self._any_sent:
                raise
            text = (
                f"Sending of {self.head.submission_id} stopped: {error} What was sent is in doubt or pending, the rest "
                "not sent."
            )
            warnings.warn(text, CenportsWarning, stacklevel=4)
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(
                f"Submission {self.head.submission_id} was interrupted and nothing of it is lost: "
                f"{name_method('resume', self.head.submission_id)} goes on with it."
            )
            raise

    def _send_queue(self, queue: deque[Parcel], bar: Any) -> None:
        unreached = 0
        while queue:
            parcel = queue.popleft()
            result, halves = self._send_parcel(parcel)
            unreached = unreached + 1 if result == "unreached" else 0
            if result == "stop" or unreached == MAX_UNREACHED_BATCHES:
                self._explain(queue, STOPPED_MESSAGE)
                return
            queue.extendleft(reversed(halves))
            bar.update(result != "split")

    def _send_parcel(self, parcel: Parcel) -> tuple[SendResult, list[Parcel]]:
        """Look at a parcel and send what may be sent; after a refusal before any processing, once more."""
        attempts = _Attempts()
        while attempts.may_look():
            try:
                slot = self.gateway.reserve()
                rows = self._read_rows(parcel)
                evidence = self._look(rows) if rows else None
            except JournalError:
                raise
            except CenportsError as error:
                return self._leave_unsent(parcel, error), []
            if evidence is None:
                return "done", []
            decision = decide(rows, evidence, self._policy)
            try:
                claimed = self._claim(parcel.batch, rows, decision)
            except RowsChangedError:
                continue
            if claimed is None:
                self._end_if_settled(parcel.batch)
                return "done", []
            parcel = replace(parcel, batch=claimed)
            result = self._send_claimed(claimed, decision.send, slot, evidence.began, attempts)
            if result == "split":
                return result, self._split(claimed)
            if result != "again":
                return result, []
        self._explain([parcel], TOO_OLD_MESSAGE)
        return "done", []

    def _claim(self, batch: Batch, rows: Sequence[Row], decision: Decision) -> Batch | None:
        """Record the decision; return the batch to send."""
        if decision.send:
            self.gateway.write_started(batch)
        claimed = self.journal.claim(batch, rows, decision, self.gateway.now())
        if claimed is None:
            return None
        if claimed.batch != batch.batch:
            self.gateway.write_started(claimed)
        self._any_sent = True  # from here on it may have been sent
        return claimed

    def _send_claimed(
        self, batch: Batch, rows: Sequence[Row], slot: float, began: Moment, attempts: _Attempts
    ) -> SendResult:
        """Send a claimed batch; whatever interrupts this, it is not left in the state of being sent."""
        try:
            return self._exchange(batch, rows, slot, began, attempts)
        except BaseException:
            with contextlib.suppress(JournalError):
                self.journal.close_crashed(self.head.submission_id, self.gateway.now())
            raise

    def _exchange(
        self, batch: Batch, rows: Sequence[Row], slot: float, began: Moment, attempts: _Attempts
    ) -> SendResult:
        """Send a claimed batch and record the result."""

        def may_depart() -> bool:
            return at_most_elapsed(began, self.gateway.now()) <= MAX_EVIDENCE_AGE

        try:
            transaction = self.gateway.send(self.head, batch, rows, slot, may_depart)
        except NotDepartedError:
            self.journal.record_answer(batch, "return", None, self.gateway.now())
            return "again"
        except JournalError:
            raise
        except CenportsError as error:
            return self._record_failure(batch, len(rows), error, attempts)
        at = self.gateway.now()
        if transaction is None:
            self.journal.record_answer(batch, "acknowledge", None, at, completed_at=at.wall.isoformat())
            self.gateway.write_ended(batch)
            return "done"
        self.journal.record_acceptance(
            batch,
            str(transaction.handle).strip(),
            f"Cenports named one transaction for two batches ({transaction.handle}), so it says nothing of either: "
            "verify it against the stock.",
            at,
            status=transaction.status.strip().upper() or None,
            submitted_at=transaction.submitted_at or at.wall.isoformat(),
            **list_sent_values(at),
        )
        return "done"

    def _record_failure(self, batch: Batch, rows: int, error: CenportsError, attempts: _Attempts) -> SendResult:
        """Record what an error means for the rows of its batch."""
        verdict, at = judge_error(error, self._kind.items_field), self.gateway.now()
        if verdict.too_large and rows > 1:
            return "split"
        texts = error.errors if isinstance(error, InvalidRequestError | BusinessError) else [str(error)]
        message = f"{self._kind.doubt_message} ({error})" if verdict.event == "lose" else str(error)
        values = {"errors": msgspec.json.encode(texts).decode()}
        if verdict.event == "lose":
            values |= list_sent_values(at)  # it was sent before now
        if verdict.event != "return":
            values["submitted_at"] = at.wall.isoformat()
        self.journal.record_answer(batch, verdict.event, message, at, **values)
        if verdict.event != "lose":
            self._end_if_settled(batch)
        if verdict.event == "return" and attempts.may_repeat(error, self.gateway):
            return "again"
        if verdict.stops:
            return "stop"
        return "done" if error.reached else "unreached"

    def _split(self, batch: Batch) -> list[Parcel]:
        """Halve a batch that was refused as too large."""
        halves = self.journal.split(batch, self.gateway.now())
        self._end_if_settled(batch)
        return [Parcel(half, frozenset(row.item for row in self._read_batch(half))) for half in halves]

    def _leave_unsent(self, parcel: Parcel, error: CenportsError) -> SendResult:
        """Record why the last look at rows failed."""
        verdict = judge_error(error, self._kind.items_field)
        text = f"Not sent, as it could not be looked at again just before: {error}" if error.reached else str(error)
        self._explain([parcel], text)
        return "unreached" if not error.reached and not verdict.stops else "stop"

    def _explain(self, parcels: Iterable[Parcel], text: str) -> None:
        """Record for unsent rows why they were not sent."""
        changes = [
            RowChange(row.item, None, {"message": text})
            for parcel in parcels
            for row in self._read_rows(parcel)
            if row.outcome == "not_sent"
        ]
        self.journal.change_rows(self.head.submission_id, changes, self.gateway.now())

    def _read_rows(self, parcel: Parcel) -> list[Row]:
        """Read the rows of a parcel that may still be sent: a person may have closed some since."""
        return [row for row in self._read_batch(parcel.batch) if row.item in parcel.items]

    def _read_batch(self, batch: Batch) -> list[Row]:
        return self.journal.rows(batch.submission_id, batch.batch, SENDABLE_OUTCOMES)

    def _end_if_settled(self, batch: Batch) -> None:
        """Let the cache store answers again, unless part of a batch may still take effect."""
        if not self.journal.rows(batch.submission_id, batch.batch, OPEN_OUTCOMES):
            self.gateway.write_ended(batch)


class _Attempts:
    """The attempts after refusals of one parcel."""

    def __init__(self) -> None:
        self._looks = 0
        self._refusals = 0
        self._paused_seconds = 0.0
        self._token_renewed = False

    def may_look(self) -> bool:
        """Return whether the parcel may be looked at once more; a repeat after a refusal has its own look."""
        self._looks += 1
        return self._looks <= MAX_LOOKS + self._refusals + self._token_renewed

    def may_repeat(self, error: CenportsError, gateway: Gateway) -> bool:
        """Return whether a refusal may be followed by another attempt; waits as long as it requires."""
        if isinstance(error, RateLimitedError):
            self._refusals += 1
            pause = max(error.retry_after or 0.0, 0.5 * 2 ** (self._refusals - 1))
            self._paused_seconds += pause
            if self._paused_seconds > MAX_PAUSE_SECONDS:
                return False
            gateway.pause(pause)
            return True
        if isinstance(error, AuthenticationError) and error.reached and not self._token_renewed:
            self._token_renewed = True  # a new one is fetched with the next slot
            return True
        return False
