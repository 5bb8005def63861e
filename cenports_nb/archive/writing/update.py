"""One update of one account: read what may have changed, write the changes, and make all of them visible at once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as arrow

from cenports_nb.api.retrieval.decoded_page import trim_heap
from cenports_nb.archive.storage.update_log import TICK
from cenports_nb.archive.tables import ORDERS
from cenports_nb.archive.writing.comparison import find_shared_keys
from cenports_nb.archive.writing.month_writer import MonthWriter, list_order_keys
from cenports_nb.archive.writing.schedule import (
    choose_first_month,
    find_first_month,
    list_due_months,
    list_months,
    to_month,
)
from cenports_nb.archive.writing.sources import (
    SOURCES,
    STOCK_LOADERS,
    TABLE_SOURCES,
    IncompleteReadingError,
    find_order_months,
    has_orders_before,
    read_outcomes,
    read_stock,
)
from cenports_nb.errors import IncompleteWarning, RejectedRowsWarning
from cenports_nb.frames.schema.keys import ORDER_KEYS
from cenports_nb.frames.user_warnings import warn_user
from cenports_nb.rendering.text import format_count
from cenports_nb.submissions.journal.frames import build_frame

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

MAX_MOVED_READINGS = 3
"""How often the months of orders that keep moving are read again."""

RESULT_DTYPES = {
    **dict.fromkeys(("account", "table", "month"), "str"),
    **dict.fromkeys(("rows", "added", "changed", "removed"), "int64"),
    "complete": "bool",
    "as_of": "datetime64[us, UTC]",
}


@dataclass(frozen=True)
class MissingReading:
    """A month, or a kind of stock, that could not be read completely."""

    tables: tuple[str, ...]
    month: str
    reason: str


def new_update_id() -> str:
    """Return a new id for an update."""
    return uuid.uuid4().hex[:12]


def update_account(
    client: Client, writer: MonthWriter, personal: str, start: str | None, progress: bool | None
) -> pd.DataFrame:
    """Update the archive of one account.

    It begins with the month `start`; None for what is archived already, or for everything.

    Returns:
        What changed: `account table month rows added changed removed complete as_of`.

    Raises:
        AuthenticationError, TransportError: Cenports can't be reached; what was finished before stays.
    """
    run = _UpdateRun(client, writer, personal, progress)
    writer.restore()
    now = _never_back(client.clock.now(), writer)
    months = _choose_months(run, start, now)
    due = {source: set(list_due_months(writer.state, source, months, now)) for source in SOURCES}
    for month in months:
        for source in SOURCES:
            if month in due[source]:
                _read_month(run, source, month)
        writer.checkpoint()
        _return_memory()
    _follow_vanished_orders(run, months)
    if writer.state.is_unfinished or any(name == ORDERS.name for name, _ in writer.changes):
        _settle_moved_orders(run)
    for name in STOCK_LOADERS:
        _read_stock(run, name)
    writer.write_outcomes(read_outcomes(client))
    at = writer.finish()
    _warn(run)
    return _list_changes(run, at)


@dataclass
class _UpdateRun:
    """A running update, what it could not read completely, and how many records could not become rows."""

    client: Client
    writer: MonthWriter
    personal: str
    progress: bool | None
    missing: list[MissingReading] = field(default_factory=list)
    rejects: int = 0


def _choose_months(run: _UpdateRun, start: str | None, now: datetime) -> list[str]:
    def find_first() -> str:
        run.writer.begins = find_first_month(lambda day: has_orders_before(run.client, day), now)
        return run.writer.begins

    return list_months(choose_first_month(run.writer.state, start, find_first), to_month(now))


def _read_month(run: _UpdateRun, source: str, month: str) -> None:
    """Read a month and write it, unless it is incomplete."""
    try:
        reading = SOURCES[source](run.client, month, run.personal, run.progress)
    except IncompleteReadingError as error:
        tables = tuple(name for name, of_source in TABLE_SOURCES.items() if of_source == source)
        run.missing.append(MissingReading(tables, month, str(error)))
        return
    at = _never_back(reading.at or run.client.clock.now(), run.writer)
    run.writer.write_month(source, month, reading, at)
    run.rejects += sum(len(frame) for frame in reading.rejects.values())


def _read_stock(run: _UpdateRun, name: str) -> None:
    try:
        reading = read_stock(run.client, name, run.personal)
    except IncompleteReadingError as error:
        run.missing.append(MissingReading((name,), to_month(run.client.clock.now()), str(error)))
        return
    run.writer.add_stock(name, reading, _never_back(reading.at or run.client.clock.now(), run.writer))
    run.rejects += sum(len(frame) for frame in reading.rejects.values())


def _follow_vanished_orders(run: _UpdateRun, months: Sequence[str]) -> None:
    """Read the months to which orders moved, even if these are not due: an order that exists is always archived."""
    try:
        found = find_order_months(run.client, run.writer.vanished)
    except IncompleteReadingError as error:
        run.missing.append(MissingReading((ORDERS.name,), to_month(run.client.clock.now()), str(error)))
        return
    for month in sorted(found.keys() & set(months)):
        if not found[month] <= list_order_keys(run.writer.read(ORDERS, month, ORDER_KEYS)):
            _read_month(run, ORDERS.name, month)


def _settle_moved_orders(run: _UpdateRun) -> None:
    """Assign each order to one month: an order that a newer reading has elsewhere has moved.

    The month that it left is read again; if that doesn't settle it, the latest reading wins.
    """
    writer = run.writer

    def read_keys(month: str) -> pd.DataFrame:
        _return_memory()
        return writer.read(ORDERS, month, ORDER_KEYS)

    for attempt in range(MAX_MOVED_READINGS):
        months = writer.state.list_months("orders")
        rows = sum(writer.state.readings["orders", month].rows.get(ORDERS.name, 0) for month in months)
        is_moved = False
        for copies in find_shared_keys(months, read_keys, rows):
            times = copies["month"].map(lambda month: writer.state.readings["orders", month].at)
            newest = times.groupby([copies[name] for name in ORDER_KEYS]).transform("max")
            for month, keys in copies[times < newest].groupby("month"):
                is_moved = True
                if attempt < MAX_MOVED_READINGS - 1:
                    _read_month(run, ORDERS.name, str(month))
                else:
                    writer.drop_orders(str(month), keys[ORDER_KEYS])
        if not is_moved:
            return


def _return_memory() -> None:
    """Return what both allocators keep after each month, so that the peak doesn't grow with the number of months."""
    arrow.default_memory_pool().release_unused()
    trim_heap()


def _never_back(at: datetime, writer: MonthWriter) -> datetime:
    """Return an instant later than every earlier reading, whatever the clock says."""
    times = [writer.state.at, *(reading.at for reading in writer.state.readings.values())]
    return max([at, *(before + TICK for before in times if before is not None)])


def _warn(run: _UpdateRun) -> None:
    account = run.writer.account
    if run.missing:
        first = run.missing[0]
        warn_user(
            f"{account}: {format_count(len(run.missing), 'reading')} not complete: what was archived before stays; "
            f"the first, {first.tables[0]} of {first.month}: {first.reason}",
            IncompleteWarning,
        )
    if run.rejects:
        warn_user(
            f"{account}: {format_count(run.rejects, 'record')} can't be read; they are archived as rejects. See "
            "cenports_nb.rejected(frame) of a frame of these months.",
            RejectedRowsWarning,
        )


def _list_changes(run: _UpdateRun, at: datetime) -> pd.DataFrame:
    """List what changed, and what could not be read."""
    writer = run.writer
    rows: list[tuple[Any, ...]] = []
    for (table, month), change in writer.changes.items():
        reading = writer.state.readings.get((TABLE_SOURCES.get(table, ""), month))
        count = reading.rows.get(table, 0) if reading else change.added
        rows.append((writer.account, table, month, count, *astuple(change), True, reading.at if reading else at))
    for each in run.missing:
        for table in each.tables:
            reading = writer.state.readings.get((TABLE_SOURCES.get(table, ""), each.month))
            count, read_at = (reading.rows.get(table, 0), reading.at) if reading else (0, None)
            rows.append((writer.account, table, each.month, count, 0, 0, 0, False, read_at))
    return build_frame(rows, RESULT_DTYPES)
