"""`verify()`: read from Cenports to settle what Cenports does not confirm."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from cenports_nb.submissions.journal.queries import find_other_changes
from cenports_nb.submissions.journal.row_updates import RowChange
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.ports import Gateway
from cenports_nb.submissions.rules.models import Batch, Head, Row
from cenports_nb.submissions.rules.moments import Moment
from cenports_nb.submissions.rules.states import OPEN_OUTCOMES, UNSETTLED_OUTCOMES
from cenports_nb.submissions.rules.verification import (
    Finding,
    Reading,
    judge_by_acknowledgement,
    judge_by_presence,
    judge_by_stock,
)

Judge = Callable[[Gateway, Journal, Head, Sequence[Row], Mapping[int, Batch]], list[Finding]]
"""Reads from Cenports and returns what that proves about each row."""


def verify(gateway: Gateway, journal: Journal, head: Head) -> None:
    """Read once, and settle each unsettled row that this proves; never sleeps."""
    rows = journal.rows(head.submission_id, outcomes=UNSETTLED_OUTCOMES)
    if not rows:
        return
    batches = {batch.batch: batch for batch in journal.batches(head.submission_id)}
    findings = JUDGES[head.kind](gateway, journal, head, rows, batches)
    _stamp_again(gateway, journal, {row.batch for row in rows}, batches)
    record_findings(gateway, journal, head, findings)


def _stamp_again(gateway: Gateway, journal: Journal, numbers: set[int], batches: Mapping[int, Batch]) -> None:
    """Restart the settling time on every clock, if only a wall clock says how long ago a batch was sent."""
    reading = Reading(gateway.now(), gateway.settle)
    for number in numbers:
        if reading.lacks_clock(batches[number]):
            journal.stamp(batches[number], reading.at)


def record_findings(gateway: Gateway, journal: Journal, head: Head, findings: Sequence[Finding]) -> None:
    """Record what readings say about rows; a row that changed meanwhile is left as it is."""
    changes = [
        RowChange(
            finding.item,
            finding.event,
            {"message": finding.message, "read_back": finding.read_back, "read_back_at": finding.read_back_at},
            finding.batch,
        )
        for finding in findings
    ]
    looked_at = {row.batch for row in journal.rows(head.submission_id, outcomes=UNSETTLED_OUTCOMES)}
    journal.change_rows(head.submission_id, changes, gateway.now())
    end_settled_batches(gateway, journal, head, looked_at)


def end_settled_batches(gateway: Gateway, journal: Journal, head: Head, numbers: Collection[int]) -> None:
    """Let the cache store answers again, if nothing of these batches can take effect any more."""
    still_open = {row.batch for row in journal.rows(head.submission_id, outcomes=OPEN_OUTCOMES)}
    for batch in journal.batches(head.submission_id):
        if batch.batch in numbers and batch.batch not in still_open:
            gateway.write_ended(batch)


def _judge_stock(
    gateway: Gateway, journal: Journal, head: Head, rows: Sequence[Row], batches: Mapping[int, Batch]
) -> list[Finding]:
    began = gateway.now()
    levels = gateway.read_stock({row.warehouse_code or "" for row in rows})
    reading = _build_reading(gateway, began)
    # Listed after reading, to include changes that another process sent meanwhile.
    others = find_other_changes(journal, head, rows, gateway.now(), gateway.settle)
    return [
        judge_by_stock(
            row, batches[row.batch], levels.get(row.stock_key), reading,
            others.get(row.item),
        )
        for row in rows
    ]  # fmt: skip


def _judge_created(
    gateway: Gateway, _: Journal, __: Head, rows: Sequence[Row], batches: Mapping[int, Batch]
) -> list[Finding]:
    """Judge orders to be created: an existing one was created, because it did not exist before.

    A new order can't be read for a while, so absence proves nothing until the settling time is over and two readings a
    minute apart agree.
    """
    began = gateway.now()
    there = gateway.find_orders([row.order_key for row in rows])
    reading = _build_reading(gateway, began)
    return [
        judge_by_presence(
            row, batches[row.batch], row.order_key in there, reading, f"Order {row.order_no} is not there"
        )
        for row in rows
    ]


def judge_acknowledgements(
    gateway: Gateway, _: Journal, __: Head, rows: Sequence[Row], batches: Mapping[int, Batch]
) -> list[Finding]:
    """Judge acknowledgments of orders."""
    began = gateway.now()
    acknowledged = gateway.find_acknowledgements([row.order_key for row in rows])
    reading = _build_reading(gateway, began)
    return [judge_by_acknowledgement(row, batches[row.batch], acknowledged.get(row.order_key), reading) for row in rows]


def _judge_shipments(
    gateway: Gateway, _: Journal, __: Head, rows: Sequence[Row], batches: Mapping[int, Batch]
) -> list[Finding]:
    """Judge acknowledgments of shipments: they took effect if none of the order's shipments is left."""
    began = gateway.now()
    done = gateway.find_acknowledged_shipments([row.order_key for row in rows])
    reading = _build_reading(gateway, began)
    return [
        judge_by_presence(
            row, batches[row.batch], row.order_key in done, reading,
            f"Shipments of order {row.order_no} are not acknowledged",
        )
        for row in rows
    ]  # fmt: skip


def _build_reading(gateway: Gateway, began: Moment) -> Reading:
    """Build the reading from its time; the answer may have the first known time at Cenports."""
    return Reading(began.add_server_time(gateway.now()), gateway.settle)


JUDGES: Mapping[str, Judge] = {
    "stock": _judge_stock,
    "orders": _judge_created,
    "acknowledgement": judge_acknowledgements,
    "hand_over": judge_acknowledgements,
    "shipments": _judge_shipments,
}
"""How each kind of write is verified."""
