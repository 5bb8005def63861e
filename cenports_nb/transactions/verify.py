"""Settle by evidence what Cenports does not confirm: read the stock and compare."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cenports_nb.frames.stock_loaders import load_actual_stock
from cenports_nb.transactions.journal import Batch, Journal, Row

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

UNSETTLED = ("unconfirmed", "in_doubt")
BETWEEN_READINGS = timedelta(minutes=1)


def verify(client: Client, journal: Journal, submission_id: str) -> None:
    """Read the stock once, and settle each unsettled row that the reading proves; never sleeps."""
    batches = {batch.batch: batch for batch in journal.batches(submission_id)}
    rows = [row for row in journal.rows(submission_id) if row.outcome in UNSETTLED]
    if not rows:
        return
    codes = sorted({row.warehouse_code for row in rows})
    stock = load_actual_stock(client, warehouse_codes=codes, refresh=True)
    at = client.clock.now()
    keys = zip(stock["warehouse_code"], stock["product_sku"], strict=True)
    now = dict(zip(keys, (int(quantity) for quantity in stock["quantity"]), strict=True))
    wait = timedelta(minutes=client.dialect.settle_minutes)
    judged = [judge(row, batches[row.batch], now.get((row.warehouse_code, row.product_sku)), at, wait) for row in rows]
    journal.set_rows(judged)
    open_still = {row.batch for row in judged if row.outcome in UNSETTLED}
    for number in {row.batch for row in rows} - open_still:
        client.write_ended(f"{submission_id}/{number}")  # nothing of it may land any more


def judge(row: Row, batch: Batch, stock_now: int | None, at: datetime, wait: timedelta) -> Row:
    """Decide one row by what the stock is now.

    A TRUE_UP whose stock stands at its quantity, or a DIFFERENTIAL whose stock moved by exactly its
    quantity, is applied. Absence proves nothing while the change may still land: `not_applied` takes an
    ended transaction or a settled time, and two equal readings a minute apart.
    """
    if stock_now is None:
        return replace(row, message=f"The warehouse does not have {row.product_sku!r}, so stock can't tell.")
    if stock_now == _target(row):
        return replace(row, outcome="applied", message=None, read_back=stock_now, read_back_at=at.isoformat())
    sent = datetime.fromisoformat(batch.sent_at) if batch.sent_at else datetime.min.replace(tzinfo=UTC)
    landed = batch.state in ("completed", "failed") or at - sent >= wait
    if row.read_back == stock_now and row.read_back_at is not None and stock_now == row.before_quantity:
        first = datetime.fromisoformat(row.read_back_at)
        if landed and at - first >= BETWEEN_READINGS:
            text = f"Stock still is {stock_now}, as before it was sent, at {first:%H:%M} and {at:%H:%M} UTC."
            return replace(row, outcome="not_applied", message=text)
    else:
        first = at
    again = max(first + BETWEEN_READINGS, at if landed else sent + wait)
    text = f"Stock is {stock_now}, not {_target(row)}: verify() again after {again:%H:%M:%S} UTC."
    return replace(row, message=text, read_back=stock_now, read_back_at=first.isoformat())


def _target(row: Row) -> int | None:
    """Tell where the stock stands if the row was applied and nothing else happened."""
    if row.type == "TRUE_UP":
        return row.quantity
    return None if row.before_quantity is None else row.before_quantity + row.quantity
