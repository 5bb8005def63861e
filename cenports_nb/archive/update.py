"""One update of one account: ask what may have changed, write what did, and make all of it visible at once."""

from __future__ import annotations

import uuid
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.archive.comparison import Change, find_shared_keys
from cenports_nb.archive.month_writer import MonthWriter
from cenports_nb.archive.schedule import choose_first_month, find_first_month, list_due_months, list_months, to_month
from cenports_nb.archive.sources import (
    SOURCES,
    STOCK_LOADERS,
    TABLE_SOURCES,
    IncompleteReadingError,
    has_orders_before,
    read_outcomes,
    read_stock,
)
from cenports_nb.archive.tables import ORDERS
from cenports_nb.archive.updates import TICK
from cenports_nb.errors import IncompleteWarning, RejectedRowsWarning
from cenports_nb.frames.schema.keys import ORDER_KEYS
from cenports_nb.rendering.text import format_count

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

MAX_MOVED_READINGS = 3
"""How often the months of orders that keep moving are read again."""


@dataclass(frozen=True)
class UpdateOptions:
    """What the caller of an update asked.

    Attributes:
        personal: How personal data is stored.
        start: The oldest month; None for what is archived already, or all.
        progress: Show bars.
    """

    personal: str
    start: str | None = None
    progress: bool | None = None


@dataclass(frozen=True)
class MissingReading:
    """A month, or a kind of stock, that could not be read whole."""

    tables: tuple[str, ...]
    month: str
    reason: str


def new_update_id() -> str:
    """Name an update."""
    return uuid.uuid4().hex[:12]


def update_account(client: Client, writer: MonthWriter, options: UpdateOptions) -> pd.DataFrame:
    """Bring the archive of one account up to date.

    Args:
        client: The account.
        writer: Its part of the archive.
        options: What was asked.

    Returns:
        What changed: `account table month rows added changed removed complete as_of`.

    Raises:
        AuthenticationError, TransportError: Cenports can't be asked; what was finished before stays.
    """
    writer.restore()
    months = _choose_months(client, writer, options)
    missing: list[MissingReading] = []
    read = {
        source: set(list_due_months(writer.state, source, months, client.clock.now())) for source in SOURCES
    }
    rejects = 0
    for month in months:
        for source in SOURCES:
            if month in read[source]:
                rejects += _read_month(client, writer, source, month, options, missing)
        writer.checkpoint(client.clock.now())
    if any(name == ORDERS.name for name, _ in writer.changes) or writer.state.at is None:
        _settle_moved_orders(client, writer, options, missing)
    for name in STOCK_LOADERS:
        rejects += _read_stock(client, writer, name, options, missing)
    writer.write_outcomes(read_outcomes(client))
    at = writer.finish(client.clock.now())
    _warn(writer.account, missing, rejects)
    return _build_result(writer, missing, at)


def _choose_months(client: Client, writer: MonthWriter, options: UpdateOptions) -> list[str]:
    now = client.clock.now()

    def find_first() -> str:
        writer.begins = find_first_month(lambda day: has_orders_before(client, day), now)
        return writer.begins

    return list_months(choose_first_month(writer.state, options.start, find_first), to_month(now))


def _read_month(
    client: Client,
    writer: MonthWriter,
    source: str,
    month: str,
    options: UpdateOptions,
    missing: list[MissingReading],
) -> int:
    """Read a month and write it, unless it is not complete; returns the number of rejects."""
    try:
        reading = SOURCES[source](client, month, options.personal, options.progress)
    except IncompleteReadingError as error:
        tables = tuple(name for name, of_source in TABLE_SOURCES.items() if of_source == source)
        missing.append(MissingReading(tables, month, str(error)))
        return 0
    at = _never_back(reading.at or client.clock.now(), writer)
    writer.write_month(source, month, reading, at)
    return sum(len(frame) for frame in reading.rejects.values())


def _read_stock(
    client: Client, writer: MonthWriter, name: str, options: UpdateOptions, missing: list[MissingReading]
) -> int:
    try:
        reading = read_stock(client, name, options.personal)
    except IncompleteReadingError as error:
        missing.append(MissingReading((name,), to_month(client.clock.now()), str(error)))
        return 0
    writer.add_stock(name, reading, _never_back(reading.at or client.clock.now(), writer))
    return sum(len(frame) for frame in reading.rejects.values())


def _settle_moved_orders(
    client: Client, writer: MonthWriter, options: UpdateOptions, missing: list[MissingReading]
) -> None:
    """Leave each order to one month: one that a newer reading has elsewhere has moved.

    The month that it left is read again; where that doesn't settle it, the newest reading wins.
    """
    for attempt in range(MAX_MOVED_READINGS):
        months = writer.state.list_months("orders")
        rows = sum(writer.state.readings["orders", month].rows.get(ORDERS.name, 0) for month in months)
        is_moved = False
        for copies in find_shared_keys(months, lambda month: writer.read(ORDERS, month, ORDER_KEYS), rows):
            times = copies["month"].map(lambda month: writer.state.readings["orders", month].at)
            newest = times.groupby([copies[name] for name in ORDER_KEYS]).transform("max")
            stale = copies[times < newest]
            for month, keys in stale.groupby("month"):
                is_moved = True
                if attempt < MAX_MOVED_READINGS - 1:
                    _read_month(client, writer, ORDERS.name, str(month), options, missing)
                else:
                    writer.drop_orders(str(month), keys[ORDER_KEYS])
        if not is_moved:
            return


def _never_back(at: datetime, writer: MonthWriter) -> datetime:
    """Tell an instant that lies after every reading before, whatever the clock says."""
    times = [writer.state.at, *(reading.at for reading in writer.state.readings.values())]
    return max([at, *(before + TICK for before in times if before is not None)])


def _warn(account: str, missing: list[MissingReading], rejects: int) -> None:
    if missing:
        first = missing[0]
        warnings.warn(
            f"{account}: {format_count(len(missing), 'reading')} not complete, so what was archived before stays; the "
            f"first, {first.tables[0]} of {first.month}: {first.reason}",
            IncompleteWarning,
            stacklevel=4,
        )
    if rejects:
        warnings.warn(
            f"{account}: {format_count(rejects, 'record')} can't be read; they are archived as rejects. See "
            "cenports_nb.rejected(frame) of a frame of these months.",
            RejectedRowsWarning,
            stacklevel=4,
        )


def _build_result(writer: MonthWriter, missing: list[MissingReading], at: datetime) -> pd.DataFrame:
    """List what changed, and what could not be read."""
    rows = []
    for (table, month), change in writer.changes.items():
        reading = writer.state.readings.get((TABLE_SOURCES.get(table, ""), month))
        count = reading.rows.get(table, 0) if reading else change.added
        rows.append((table, month, count, change, True, reading.at if reading else at))
    for each in missing:
        for table in each.tables:
            reading = writer.state.readings.get((TABLE_SOURCES.get(table, ""), each.month))
            count = reading.rows.get(table, 0) if reading else 0
            rows.append((table, each.month, count, Change(0, 0, 0), False, reading.at if reading else None))
    counts = ("added", "changed", "removed")
    return pd.DataFrame(
        {
            "account": pd.Series([writer.account] * len(rows), dtype="str"),
            "table": pd.Series([row[0] for row in rows], dtype="str"),
            "month": pd.Series([row[1] for row in rows], dtype="str"),
            "rows": pd.Series([row[2] for row in rows], dtype="int64"),
            **{name: pd.Series([getattr(row[3], name) for row in rows], dtype="int64") for name in counts},
            "complete": pd.Series([row[4] for row in rows], dtype="bool"),
            "as_of": pd.Series([row[5] for row in rows], dtype="datetime64[us, UTC]"),
        }
    )
