"""Sending: the batches of a submission onto the wire, one after the other, each with its truth written down.

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
from cenports_nb.submissions.journal.store import Journal, expected_of
from cenports_nb.submissions.sending.write_kinds import kind_of
from cenports_nb.submissions.tracking.transaction_status import read_transaction

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

UNREACHED = 3
"""So many batches in a row that did not reach Cenports: it can't be reached, and the rest waits for resume()."""

Prepare = Callable[[Batch, Sequence[Row]], tuple[list[Row], list[Row]]]
"""The last look before a batch leaves: rows to send, with their newest numbers, and rows to withhold, with why."""

Went = Literal["on", "stop", "unreached", "too_large"]


def send_all(
    client: Client,
    journal: Journal,
    head: Head,
    *,
    only: Sequence[int] | None = None,
    also: Sequence[int] = (),
    prepare: Prepare | None = None,
    progress: bool | None = None,
) -> None:
    """Send every batch that was not sent, until Cenports refuses to listen; the caller holds the right to send.

    Args:
        client: A client that is not read-only.
        journal: Where the submission is.
        head: The submission.
        only: Only these batches.
        also: Batches in doubt that may be sent again.
        prepare: The last look at each batch.
        progress: Show a bar of batches; by default only when it takes more than two seconds.

    Raises:
        JournalError: The journal can't be written, and nothing was sent yet; later it is a warning.
        KeyboardInterrupt: A person stopped it; what was on its way is in doubt, the rest not sent.
    """
    todo = unsent(journal, head, only, also)
    bar = tqdm(total=len(todo), desc="batches", disable=progress is False, delay=0 if progress else 2, leave=False)
    left, unreached = False, 0
    went: Went
    try:
        with bar:
            while todo:
                batch = todo.pop(0)
                rows = _claimed(client, journal, head, batch, prepare)
                if rows:
                    left = True  # from here on it may have been sent
                    went = _send(client, journal, head, batch, rows)
                else:
                    went = "on" if rows is not None else "stop"
                unreached = unreached + 1 if went == "unreached" else 0
                if went == "stop" or unreached == UNREACHED:
                    _tell_rest(client, journal, head)
                    return
                if went == "too_large":
                    found = {batch.batch: batch for batch in journal.batches(head.submission_id)}
                    todo[:0] = [found[batch.batch], found[max(found)]]
                bar.update(went != "too_large")
    except JournalError as error:
        if not left:
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


def unsent(journal: Journal, head: Head, only: Sequence[int] | None = None, also: Sequence[int] = ()) -> list[Batch]:
    """List the batches that may be sent."""
    return [
        batch
        for batch in journal.batches(head.submission_id)
        if (batch.state in ("planned", "not_sent") and (only is None or batch.batch in only)) or batch.batch in also
    ]


def verdict_of(error: CenportsError) -> tuple[str, bool]:
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


def write_id(batch: Batch) -> str:
    """Name a write to the cache, which keeps nothing while it is under way."""
    return f"{batch.submission_id}/{batch.batch}"


def _claimed(
    client: Client, journal: Journal, head: Head, batch: Batch, prepare: Prepare | None
) -> Sequence[Row] | None:
    """Look at a batch for the last time and write down that it leaves; the rows that do, None if none can be looked at."""
    rows = journal.rows(batch.submission_id, batch.batch, (expected_of(batch),))
    withheld: list[Row] = []
    if prepare is not None:
        try:
            rows, withheld = prepare(batch, rows)
        except CenportsError as error:
            text = f"Not sent, as it could not be looked at again just before: {error}"
            journal.withhold(batch, [replace(row, message=text) for row in rows], client.clock.now())
            return None
    if not rows:
        journal.withhold(batch, withheld, client.clock.now())
        return ()
    client.write_started(write_id(batch))
    claimed = journal.claim(batch, rows, withheld, client.clock.now(), kind_of(head).doubt)
    return rows if claimed else ()  # another process was quicker


def _send(client: Client, journal: Journal, head: Head, batch: Batch, rows: Sequence[Row]) -> Went:
    """Send a claimed batch; whatever stops this, the batch is not left as if it were on its way."""
    try:
        return _exchange(client, journal, head, batch, rows)
    except BaseException:
        with contextlib.suppress(JournalError):
            journal.close_crashed(head.submission_id, client.clock.now())
        raise


def _exchange(client: Client, journal: Journal, head: Head, batch: Batch, rows: Sequence[Row]) -> Went:
    """Send a claimed batch and write down what became of it."""
    kind = kind_of(head)
    sent_at = client.clock.now()
    try:
        answer = client.send(kind.method, kind.path, kind.body(head, batch, rows))
        at = client.clock.now()
        if kind.at_once:
            journal.end(batch, at, "applied", None, "in_doubt", state="completed", completed_at=at.isoformat())
            client.write_ended(write_id(batch))
            return "on"
        heard = read_transaction(answer.body, kind.call)
        journal.end(
            batch, at, "pending", None, "in_doubt", state="accepted", handle=str(heard.handle),
            status=heard.status.strip().upper() or None, submitted_at=heard.submitted_at or sent_at.isoformat(),
        )  # fmt: skip
    except JournalError:
        raise
    except CenportsError as error:
        return _failed(client, journal, head, batch, len(rows), error)
    return "on"


def _failed(client: Client, journal: Journal, head: Head, batch: Batch, rows: int, error: CenportsError) -> Went:
    """Write down what an error means for the rows of the batch that it answered."""
    kind, at = kind_of(head), client.clock.now()
    state, stop = verdict_of(error)
    if batch.state == "again":
        state = "in_doubt"  # what it was before: the refusal of the repeat says nothing of the first time
    texts = error.errors if isinstance(error, InvalidRequestError | BusinessError) else [str(error)]
    message = f"{kind.doubt} ({error})" if state == "in_doubt" else str(error)
    changes: dict[str, Any] = {"state": state, "errors": msgspec.json.encode(texts).decode()}
    if state != "not_sent":
        changes["submitted_at"] = at.isoformat()
    journal.end(batch, at, state, message, "in_doubt", **changes)
    if state != "in_doubt":
        client.write_ended(write_id(batch))
    if state == "rejected" and rows > 1 and _is_too_large(error, kind.items):
        journal.halve(batch, at)
        return "too_large"
    if stop:
        return "stop"
    return "on" if error.reached else "unreached"


def _is_too_large(error: CenportsError, items: str) -> bool:
    """Tell a refusal of the number of rows from one of the rows themselves."""
    if isinstance(error, InvalidRequestError):
        texts = error.errors.get(items, ())
        return any(re.search(r"\d|many|more than|max", text, re.IGNORECASE) for text in texts)
    return isinstance(error, ApiError) and error.status == 413


def _tell_rest(client: Client, journal: Journal, head: Head) -> None:
    """Tell the rows that were not tried why they were not."""
    text = "Not sent: sending stopped at an earlier batch; resume() goes on with it."
    rows = [
        replace(row, message=text)
        for batch in unsent(journal, head)
        if batch.state == "planned"
        for row in journal.rows(head.submission_id, batch.batch, ("not_sent",))
    ]
    journal.set_rows(rows, client.clock.now(), ("not_sent",))
