"""Sending: the batches of a submission onto the wire, one after the other, each with its state in the journal.

Nothing here raises once the first byte has left: what went wrong is an outcome of rows.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from tqdm.auto import tqdm

from cenports_nb.errors import (
    ApiError,
    AuthenticationError,
    BusinessError,
    CenportsError,
    CenportsWarning,
    InvalidRequestError,
    JournalError,
    RateLimitedError,
    TransportError,
)
from cenports_nb.submissions.journal.models import Batch, Head, Row
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.journal.write_kinds import get_write_kind
from cenports_nb.submissions.tracking.transaction_status import read_transaction

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

MAX_UNREACHED_BATCHES = 3
"""So many batches in a row that did not reach Cenports: it can't be reached, and the rest waits for resume()."""

LastLook = Callable[[Batch, Sequence[Row]], tuple[list[Row], list[Row]]]
"""The last look before a batch leaves: rows to send, with their newest numbers, and rows to withhold, with why."""

SendResult = Literal["continue", "stop", "unreached", "too_large"]
"""What sending one batch means for the next."""


def send_all(
    client: Client,
    journal: Journal,
    head: Head,
    *,
    only: Sequence[int] | None = None,
    also: Sequence[int] = (),
    last_look: LastLook | None = None,
    progress: bool | None = None,
) -> None:
    """Send every batch that was not sent, until Cenports refuses more; the caller holds the right to send.

    Args:
        client: A client that is not read-only.
        journal: Where the submission is.
        head: The submission.
        only: Only these batches.
        also: Batches in doubt that may be sent again.
        last_look: The last look at each batch.
        progress: Show a bar of batches; by default only when it takes more than two seconds.

    Raises:
        JournalError: The journal can't be written, and nothing was sent yet; later it is a warning.
        KeyboardInterrupt: A person stopped it; what was on its way is in doubt, the rest not sent.
    """
    queue = list_unsent(journal, head, only, also)
    bar = tqdm(total=len(queue), desc="batches", disable=progress is False, delay=0 if progress else 2, leave=False)
    any_sent, unreached = False, 0
    result: SendResult
    try:
        with bar:
            while queue:
                batch = queue.pop(0)
                rows = _claim_batch(client, journal, head, batch, last_look)
                if rows:
                    any_sent = True  # from here on it may have been sent
                    result = _send(client, journal, head, batch, rows)
                else:
                    result = "continue" if rows is not None else "stop"
                unreached = unreached + 1 if result == "unreached" else 0
                if result == "stop" or unreached == MAX_UNREACHED_BATCHES:
                    _explain_unsent(client, journal, head)
                    return
                if result == "too_large":
                    found = {batch.batch: batch for batch in journal.batches(head.submission_id)}
                    queue[:0] = [found[batch.batch], found[max(found)]]
                bar.update(result != "too_large")
    except JournalError as error:
        if not any_sent:
            raise
        text = (
            f"Sending of {head.submission_id} stopped: {error} What was sent is in doubt or pending, the rest not sent."
        )
        warnings.warn(text, CenportsWarning, stacklevel=3)
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(
            f"Submission {head.submission_id} was interrupted and nothing of it is lost: "
            f'open_submission(client, "{head.submission_id}").resume() goes on with it.'
        )
        raise


def list_unsent(
    journal: Journal, head: Head, only: Sequence[int] | None = None, also: Sequence[int] = ()
) -> list[Batch]:
    """List the batches that may be sent."""
    return [
        batch
        for batch in journal.batches(head.submission_id)
        if (batch.state in ("planned", "not_sent") and (only is None or batch.batch in only)) or batch.batch in also
    ]


def classify_error(error: CenportsError) -> tuple[str, bool]:
    """Tell what an error means for the batch it answered, and whether sending must stop.

    A refusal changed nothing. What certainly never reached Cenports was not sent. Everything else may or
    may not have been applied, so it is in doubt.
    """
    if not error.reached and not isinstance(error, TransportError):
        return "not_sent", True  # there is no token to send it with
    if isinstance(error, BusinessError) and error.status == 200:
        return "in_doubt", False
    if isinstance(error, InvalidRequestError | BusinessError):
        return "rejected", False
    if isinstance(error, AuthenticationError | RateLimitedError):
        return "not_sent", True
    if isinstance(error, TransportError):
        return ("in_doubt" if error.reached else "not_sent"), False
    if isinstance(error, ApiError):
        return ("rejected" if error.status < 500 else "in_doubt"), False
    return "in_doubt", False


def _claim_batch(
    client: Client, journal: Journal, head: Head, batch: Batch, last_look: LastLook | None
) -> Sequence[Row] | None:
    """Take the last look at a batch and write down that it leaves; return the rows that do, None if none can be looked at."""
    rows = journal.rows(batch.submission_id, batch.batch, (batch.unsent_outcome,))
    withheld: list[Row] = []
    if last_look is not None:
        try:
            rows, withheld = last_look(batch, rows)
        except CenportsError as error:
            text = f"Not sent, as it could not be looked at again just before: {error}"
            journal.withhold(batch, [replace(row, message=text) for row in rows], client.clock.now())
            return None
    if not rows:
        journal.withhold(batch, withheld, client.clock.now())
        return ()
    client.write_started(batch.write_id)
    claimed = journal.claim(batch, rows, withheld, client.clock.now(), get_write_kind(head).doubt_message)
    return rows if claimed else ()  # another process was quicker


def _send(client: Client, journal: Journal, head: Head, batch: Batch, rows: Sequence[Row]) -> SendResult:
    """Send a claimed batch; whatever stops this, the batch is not left as if it were on its way."""
    try:
        return _request(client, journal, head, batch, rows)
    except BaseException:
        with contextlib.suppress(JournalError):
            journal.close_crashed(head.submission_id, client.clock.now())
        raise


def _request(client: Client, journal: Journal, head: Head, batch: Batch, rows: Sequence[Row]) -> SendResult:
    """Send a claimed batch and write down what became of it."""
    kind = get_write_kind(head)
    sent_at = client.clock.now()
    try:
        answer = client.send(kind.method, kind.path, kind.build_body(head, batch, rows))
        at = client.clock.now()
        if kind.is_synchronous:
            journal.end(batch, at, "applied", None, "in_doubt", state="completed", completed_at=at.isoformat())
            client.write_ended(batch.write_id)
            return "continue"
        transaction = read_transaction(answer.body, kind.call)
        journal.end(
            batch, at, "pending", None, "in_doubt", state="accepted", handle=str(transaction.handle),
            status=transaction.status.strip().upper() or None, submitted_at=transaction.submitted_at or sent_at.isoformat(),
        )  # fmt: skip
    except JournalError:
        raise
    except CenportsError as error:
        return _record_failure(client, journal, head, batch, len(rows), error)
    return "continue"


def _record_failure(
    client: Client, journal: Journal, head: Head, batch: Batch, rows: int, error: CenportsError
) -> SendResult:
    """Write down what an error means for the rows of the batch that it answered."""
    kind, at = get_write_kind(head), client.clock.now()
    state, stop = classify_error(error)
    if batch.state == "again":
        state = "in_doubt"  # what it was before: the refusal of the repeat says nothing of the first time
    texts = error.errors if isinstance(error, InvalidRequestError | BusinessError) else [str(error)]
    message = f"{kind.doubt_message} ({error})" if state == "in_doubt" else str(error)
    changes: dict[str, Any] = {"state": state, "errors": msgspec.json.encode(texts).decode()}
    if state != "not_sent":
        changes["submitted_at"] = at.isoformat()
    journal.end(batch, at, state, message, "in_doubt", **changes)
    if state != "in_doubt":
        client.write_ended(batch.write_id)
    if state == "rejected" and rows > 1 and _is_too_large(error, kind.items_field):
        journal.halve(batch, at)
        return "too_large"
    if stop:
        return "stop"
    return "continue" if error.reached else "unreached"


def _is_too_large(error: CenportsError, items: str) -> bool:
    """Tell a refusal of the number of rows from one of the rows themselves."""
    if isinstance(error, InvalidRequestError):
        texts = error.errors.get(items, ())
        return any(re.search(r"\d|many|more than|max", text, re.IGNORECASE) for text in texts)
    return isinstance(error, ApiError) and error.status == 413


def _explain_unsent(client: Client, journal: Journal, head: Head) -> None:
    """Write beside the rows that were not sent why they were not."""
    text = "Not sent: sending stopped at an earlier batch; resume() goes on with it."
    rows = [
        replace(row, message=text)
        for batch in list_unsent(journal, head)
        if batch.state == "planned"
        for row in journal.rows(head.submission_id, batch.batch, ("not_sent",))
    ]
    journal.set_rows(rows, client.clock.now(), ("not_sent",))
