"""Settle by evidence what Cenports does not confirm: read stock, orders or shipments and compare.

Absence proves something only when nothing of a batch can land any more, and only by two readings that agree: a change
may land long after it was sent, and one reading may be too early.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cenports_nb.frames.loaders.stock import load_channel_ids
from cenports_nb.submissions.evidence.order_lookup import (
    OrderKey,
    find_acknowledgements,
    find_orders,
    find_shipped_orders,
    group_by_channel,
)
from cenports_nb.submissions.evidence.stock_cache import StockCache
from cenports_nb.submissions.journal.models import UNSETTLED_OUTCOMES, Batch, Head, Row, parse_time
from cenports_nb.submissions.journal.store import Journal

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

MIN_READING_INTERVAL = timedelta(minutes=1)
"""Between two readings that are to agree."""

ENDED_STATES = ("completed", "failed")
FOUND, NOT_FOUND = 1, 0
"""What stands as `read_back` of a row whose order was looked for."""

Judge = Callable[["Client", Sequence[Row], Mapping[int, Batch]], list[Row]]
"""Reads what Cenports has now and decides rows that it does not confirm; what it can't decide stays, with why."""


def verify(client: Client, journal: Journal, head: Head) -> None:
    """Look once, and settle each unsettled row that this proves; never sleeps."""
    rows = journal.rows(head.submission_id, outcomes=UNSETTLED_OUTCOMES)
    if not rows:
        return
    batches = {batch.batch: batch for batch in journal.batches(head.submission_id)}
    rows = [row for row in rows if batches[row.batch].state != "sending" or _is_abandoned(client, batches[row.batch])]
    judged = JUDGES.get(head.kind, _judge_stock)(client, rows, batches)
    journal.set_rows(judged, client.clock.now(), UNSETTLED_OUTCOMES)
    unsettled = {row.batch for row in judged if row.outcome in UNSETTLED_OUTCOMES}
    for number in {row.batch for row in rows} - unsettled:
        client.write_ended(batches[number].write_id)  # nothing of it may land any more


def judge_by_stock(row: Row, batch: Batch, stock_now: int | None, at: datetime, wait: timedelta) -> Row:
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
    landed = _has_landed(batch, at, wait)
    first = parse_time(row.read_back_at) if row.read_back == stock_now else None
    if first is not None and stock_now == row.before_quantity and landed and at - first >= MIN_READING_INTERVAL:
        text = f"Stock still is {stock_now}, as before it was sent, at {first:%H:%M} and {at:%H:%M} UTC."
        return replace(row, outcome="not_applied", message=text, read_back=stock_now, read_back_at=at.isoformat())
    first = first or at
    if landed and stock_now != row.before_quantity:
        before = "unknown" if row.before_quantity is None else row.before_quantity
        text = (
            f"Stock is {stock_now}, neither {row.target} as wanted nor {before} as before, so it can't tell: look at "
            "the shelf, then resolve() it."
        )
    else:
        text = (
            f"Stock is {stock_now}, not {row.target}: verify() again after "
            f"{_next_reading(batch, first, at, wait):%H:%M:%S} UTC."
        )
    return replace(row, message=text, read_back=stock_now, read_back_at=first.isoformat())


def judge_by_acknowledgement(row: Row, acknowledged: bool | None, at: datetime) -> Row:
    """Decide the acknowledgement of an order, which is done at once: what is not acknowledged now was not.

    Args:
        row: As it is in the journal.
        acknowledged: Whether the order is acknowledged; None where it is not there.
        at: Now.
    """
    if acknowledged:
        return _applied(row, at)
    read = replace(row, read_back=NOT_FOUND, read_back_at=at.isoformat())
    if acknowledged is None:
        text = f"Channel {row.channel_id} has no order {row.order_no}: check number and channel."
        return replace(read, outcome="rejected", message=text)
    text = f"Order {row.order_no} is not acknowledged: resume() or retry() sends it again."
    return replace(read, outcome="not_applied" if row.outcome == "in_doubt" else row.outcome, message=text)


def _judge_stock(client: Client, rows: Sequence[Row], batches: Mapping[int, Batch]) -> list[Row]:
    stock = StockCache(client, sorted({row.warehouse_code or "" for row in rows}))
    stock.refresh()
    at, wait = client.clock.now(), timedelta(minutes=client.dialect.settle_minutes)
    return [
        judge_by_stock(row, batches[row.batch], stock.quantity(row.warehouse_code, row.product_sku), at, wait)
        for row in rows
    ]


def _judge_created(client: Client, rows: Sequence[Row], batches: Mapping[int, Batch]) -> list[Row]:
    """Decide orders that were to be created: one that is there is applied, as it was not there before.

    An order just created can't be read for a while, so absence proves nothing until the time is settled and two
    readings a minute apart agree.
    """
    there = find_orders(client, (row.order_key for row in rows))
    return _judge_found(client, rows, batches, client.clock.now(), there, "Order {} is not there")


def _judge_acknowledged(client: Client, rows: Sequence[Row], _: Mapping[int, Batch]) -> list[Row]:
    acknowledged = find_acknowledgements(client, (row.order_key for row in rows))
    at = client.clock.now()
    return [judge_by_acknowledgement(row, acknowledged.get(row.order_key), at) for row in rows]


def _judge_shipments(client: Client, rows: Sequence[Row], batches: Mapping[int, Batch]) -> list[Row]:
    """Decide acknowledgements of shipments: applied where none of the order's shipments is left to acknowledge."""
    at = client.clock.now()
    done: set[OrderKey] = set()
    for channel, numbers in group_by_channel(row.order_key for row in rows).items():
        channels = [channel] if channel else load_channel_ids(client)  # of an order that no channel knows
        open_numbers = {number for _, number in find_shipped_orders(client, channels, numbers, acknowledged=False)}
        for _, number in find_shipped_orders(client, channels, numbers, acknowledged=True):
            if number not in open_numbers:
                done.add((channel, number))
    return _judge_found(client, rows, batches, at, done, "Shipments of order {} are not acknowledged")


JUDGES: Mapping[str, Judge] = {
    "orders": _judge_created,
    "acknowledgement": _judge_acknowledged,
    "hand_over": _judge_acknowledged,
    "shipments": _judge_shipments,
}
"""How each kind of write is verified; by the stock where there is none."""


def _applied(row: Row, at: datetime) -> Row:
    return replace(row, outcome="applied", message=None, read_back=FOUND, read_back_at=at.isoformat())


def _judge_found(
    client: Client, rows: Sequence[Row], batches: Mapping[int, Batch], at: datetime, done: set[OrderKey], finding: str
) -> list[Row]:
    """Decide rows by which of them Cenports has: `finding` says of an order number that it has not."""
    wait = timedelta(minutes=client.dialect.settle_minutes)
    return [
        _applied(row, at)
        if row.order_key in done
        else _judge_absent(row, batches[row.batch], at, wait, finding.format(row.order_no))
        for row in rows
    ]


def _judge_absent(row: Row, batch: Batch, at: datetime, wait: timedelta, finding: str) -> Row:
    """Decide a row whose change was looked for and not found."""
    first = (parse_time(row.read_back_at) if row.read_back == NOT_FOUND else None) or at
    read = replace(row, read_back=NOT_FOUND, read_back_at=first.isoformat())
    if _has_landed(batch, at, wait) and at - first >= MIN_READING_INTERVAL:
        text = f"{finding}, at {first:%H:%M} and {at:%H:%M} UTC."
        return replace(read, outcome="not_applied", message=text, read_back_at=at.isoformat())
    next_reading = _next_reading(batch, first, at, wait)
    return replace(read, message=f"{finding} yet: verify() again after {next_reading:%H:%M:%S} UTC.")


def _has_landed(batch: Batch, at: datetime, wait: timedelta) -> bool:
    """Tell whether nothing of a batch can land any more: its transaction has ended, or its time is up."""
    return batch.state in ENDED_STATES or at - _sent_at(batch) >= wait


def _next_reading(batch: Batch, first: datetime, at: datetime, wait: timedelta) -> datetime:
    """Tell when a second reading may settle what the first one could not."""
    return max(first + MIN_READING_INTERVAL, at if _has_landed(batch, at, wait) else _sent_at(batch) + wait)


def _sent_at(batch: Batch) -> datetime:
    return parse_time(batch.sent_at) or datetime.min.replace(tzinfo=UTC)


def _is_abandoned(client: Client, batch: Batch) -> bool:
    """Tell a batch whose sender is no more from one that is on its way: no call takes so long."""
    return client.clock.now() - _sent_at(batch) > timedelta(minutes=client.dialect.settle_minutes)
