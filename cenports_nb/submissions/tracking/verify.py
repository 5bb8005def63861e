"""Settle by evidence what Cenports does not confirm: read the stock and compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cenports_nb.submissions.journal.models import UNSETTLED, Batch, Head, Row
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.sending.sender import write_id
from cenports_nb.submissions.sending.staleness import Shelf
from cenports_nb.submissions.sending.write_kinds import kind_of
from cenports_nb.submissions.tracking.settling import BETWEEN_READINGS, has_landed, look_again
from cenports_nb.submissions.tracking.snapshot import time_of

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


def verify(client: Client, journal: Journal, head: Head) -> None:
    """Look once, and settle each unsettled row that this proves; never sleeps."""
    rows = journal.rows(head.submission_id, outcomes=UNSETTLED)
    if not rows:
        return
    batches = {batch.batch: batch for batch in journal.batches(head.submission_id)}
    rows = [row for row in rows if batches[row.batch].state != "sending" or _is_old(client, batches[row.batch])]
    judged = (kind_of(head).judge or _by_stock)(client, rows, batches)
    journal.set_rows(judged, client.clock.now(), UNSETTLED)
    open_still = {row.batch for row in judged if row.outcome in UNSETTLED}
    for number in {row.batch for row in rows} - open_still:
        client.write_ended(write_id(batches[number]))  # nothing of it may land any more


def _by_stock(client: Client, rows: Sequence[Row], batches: Mapping[int, Batch]) -> list[Row]:
    shelf = Shelf(client, sorted({row.warehouse_code or "" for row in rows}))
    shelf.refresh()
    at, wait = client.clock.now(), timedelta(minutes=client.dialect.settle_minutes)
    return [
        judge(row, batches[row.batch], shelf.quantity(row.warehouse_code, row.product_sku), at, wait) for row in rows
    ]


def judge(row: Row, batch: Batch, stock_now: int | None, at: datetime, wait: timedelta) -> Row:
    """Decide one row by what the stock is now.

    A TRUE_UP whose stock stands at its quantity, or a DIFFERENTIAL whose stock moved by exactly its
    quantity, is applied. Absence proves nothing while the change may still land: `not_applied` takes an
    ended transaction or a settled time, and two equal readings a minute apart.
    """
    if stock_now is None:
        return replace(
            row, message=f"The warehouse does not have {row.product_sku!r}, so stock can't tell: resolve() it."
        )
    if stock_now == row.target:
        return replace(row, outcome="applied", message=None, read_back=stock_now, read_back_at=at.isoformat())
    landed = has_landed(batch, at, wait)
    first = time_of(row.read_back_at) if row.read_back == stock_now else None
    if first is not None and stock_now == row.before_quantity and landed and at - first >= BETWEEN_READINGS:
        text = f"Stock still is {stock_now}, as before it was sent, at {first:%H:%M} and {at:%H:%M} UTC."
        return replace(row, outcome="not_applied", message=text, read_back=stock_now, read_back_at=at.isoformat())
    first = first or at
    if landed and stock_now != row.before_quantity:
        text = (
            f"Stock is {stock_now}, neither {row.target} as wanted nor {_before(row)} as before, so it can't tell: look at "
            "the shelf, then resolve() it."
        )
    else:
        text = f"Stock is {stock_now}, not {row.target}: verify() again after {look_again(batch, first, at, wait):%H:%M:%S} UTC."
    return replace(row, message=text, read_back=stock_now, read_back_at=first.isoformat())


def _before(row: Row) -> str:
    return "unknown" if row.before_quantity is None else str(row.before_quantity)


def _is_old(client: Client, batch: Batch) -> bool:
    """Tell a batch whose sender is no more from one that is on its way: no call takes so long."""
    sent = time_of(batch.sent_at)
    return sent is None or client.clock.now() - sent > timedelta(minutes=client.dialect.settle_minutes)
