"""The canary: a few rows that go first, are waited for and read back, before the rest may follow."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cenports_nb.errors import CenportsError, CenportsWarning
from cenports_nb.submissions.journal.models import Head, Row
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.sending.sender import Prepare, send_all, unsent
from cenports_nb.submissions.sending.staleness import Shelf

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.submissions.submission import Submission

PATIENCE = timedelta(minutes=20)


def size_of(head: Head) -> int:
    """Tell how many batches at the front are the canary."""
    return int(head.told("canary") or 0)


def send(
    client: Client,
    journal: Journal,
    submission: Submission,
    *,
    also: Sequence[int] = (),
    prepare: Prepare | None,
    progress: bool | None,
) -> None:
    """Send what is unsent of a submission, its canary first; the caller holds the right to send.

    Args:
        client: A client that is not read-only.
        journal: Where the submission is.
        submission: What is sent.
        also: Batches in doubt that may be sent again.
        prepare: The last look at each batch.
        progress: Show a bar.

    Warns:
        CenportsWarning: The canary was not confirmed, and the rest is not sent.
    """
    head = journal.head(submission.submission_id)
    size = size_of(head)
    if size:
        send_all(client, journal, head, only=range(size), prepare=prepare, progress=progress)
        why = _confirm(client, journal, submission, size)
        if why is not None:
            _stop(client, journal, head, why)
            warnings.warn(
                f"The canary of {head.submission_id} was not confirmed, as {why}. The rest is not sent.",
                CenportsWarning,
                stacklevel=4,
            )
            return
    send_all(client, journal, head, also=also, prepare=prepare, progress=progress)


def _confirm(client: Client, journal: Journal, submission: Submission, size: int) -> str | None:
    """Wait for the canary and read it back; None if stock says what was sent, else what it says."""
    submission.wait_for(range(size), PATIENCE)
    rows = [row for batch in range(size) for row in journal.rows(submission.submission_id, batch)]
    bad = [row for row in rows if row.outcome != "applied"]
    unread = [row for row in rows if row.read_back is None or row.read_back != row.target]
    if not bad and unread:
        try:
            bad = _read_back(client, journal, unread)
        except CenportsError as error:
            return f"the stock could not be read back ({error})"
    return None if not bad else _told(bad, len(rows))


def _read_back(client: Client, journal: Journal, rows: list[Row]) -> list[Row]:
    """Write the stock as it is now beside the rows; return those where it is not as it was sent."""
    shelf = Shelf(client, sorted({row.warehouse_code or "" for row in rows}))
    read = [
        replace(row, read_back=shelf.quantity(row.warehouse_code, row.product_sku), read_back_at=shelf.at.isoformat())
        for row in rows
    ]
    judged = [
        row
        if row.read_back == row.target
        else replace(
            row,
            message=f"Cenports says it is done, but stock is {row.read_back}, not {row.target}: it may have been sold "
            "meanwhile, or TRUE_UP may set another stock than the actual one.",
        )
        for row in read
    ]
    journal.set_rows(judged, client.clock.now(), ("applied",))
    return [row for row in judged if row.read_back != row.target]


def _stop(client: Client, journal: Journal, head: Head, why: str) -> None:
    """Tell every row that waits for the canary that it does not follow."""
    text = f"Not sent: the canary was not confirmed, as {why}."
    rows = [
        replace(row, message=text)
        for batch in unsent(journal, head)
        for row in journal.rows(head.submission_id, batch.batch, ("not_sent",))
    ]
    journal.set_rows(rows, client.clock.now(), ("not_sent",))


def _told(bad: list[Row], of: int) -> str:
    first = bad[0]
    return (
        f"{len(bad)} of its {of} rows did not come through, the first {first.product_sku} in {first.warehouse_code}: "
        f"{first.outcome}; {first.message}"
    )
