"""The canary: a few rows that go first, are waited for and read back, before the rest may follow."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cenports_nb.errors import CenportsError, CenportsWarning
from cenports_nb.submissions.evidence.stock_cache import StockCache
from cenports_nb.submissions.journal.models import Head, Row
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.sending.sender import LastLook, list_unsent, send_all

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

CANARY_TIMEOUT = timedelta(minutes=20)

Wait = Callable[[Collection[int], timedelta], None]
"""Polls until no row of these batches is pending, or until the time is up."""


def send_with_canary(
    client: Client,
    journal: Journal,
    head: Head,
    wait: Wait,
    *,
    also: Sequence[int] = (),
    last_look: LastLook | None,
    progress: bool | None,
) -> None:
    """Send what is unsent of a submission, its canary first; the caller holds the right to send.

    Args:
        client: A client that is not read-only.
        journal: Where the submission is.
        head: The submission.
        wait: Waits for the canary.
        also: Batches in doubt that may be sent again.
        last_look: The last look at each batch.
        progress: Show a bar.

    Warns:
        CenportsWarning: The canary was not confirmed, and the rest is not sent.
    """
    size = int(head.get_detail("canary") or 0)
    if size:
        send_all(client, journal, head, only=range(size), last_look=last_look, progress=progress)
        wait(range(size), CANARY_TIMEOUT)
        failure = _check_canary(client, journal, head, size)
        if failure is not None:
            _withhold_rest(client, journal, head, failure)
            warnings.warn(
                f"The canary of {head.submission_id} was not confirmed, as {failure}. The rest is not sent.",
                CenportsWarning,
                stacklevel=4,
            )
            return
    send_all(client, journal, head, also=also, last_look=last_look, progress=progress)


def _check_canary(client: Client, journal: Journal, head: Head, size: int) -> str | None:
    """Read the canary back; None if stock says what was sent, else what it says."""
    rows = [row for batch in range(size) for row in journal.rows(head.submission_id, batch)]
    failed = [row for row in rows if row.outcome != "applied"]
    unread = [row for row in rows if row.read_back is None or row.read_back != row.target]
    if not failed and unread:
        try:
            failed = _read_back(client, journal, unread)
        except CenportsError as error:
            return f"the stock could not be read back ({error})"
    if not failed:
        return None
    first = failed[0]
    return (
        f"{len(failed)} of its {len(rows)} rows did not come through, the first {first.product_sku} in "
        f"{first.warehouse_code}: {first.outcome}; {first.message}"
    )


def _read_back(client: Client, journal: Journal, rows: list[Row]) -> list[Row]:
    """Write the stock as it is now beside the rows; return those where it is not as it was sent."""
    stock = StockCache(client, sorted({row.warehouse_code or "" for row in rows}))
    read = [
        replace(row, read_back=stock.quantity(row.warehouse_code, row.product_sku), read_back_at=stock.at.isoformat())
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


def _withhold_rest(client: Client, journal: Journal, head: Head, failure: str) -> None:
    """Write beside every row that waits for the canary that it does not follow."""
    text = f"Not sent: the canary was not confirmed, as {failure}."
    rows = [
        replace(row, message=text)
        for batch in list_unsent(journal, head)
        for row in journal.rows(head.submission_id, batch.batch, ("not_sent",))
    ]
    journal.set_rows(rows, client.clock.now(), ("not_sent",))
