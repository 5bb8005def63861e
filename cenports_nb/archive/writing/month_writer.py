"""Write readings to the tables of one account: only changes, a month at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from cenports_nb.archive.storage.delta_tables import DeltaTables
from cenports_nb.archive.storage.update_log import (
    BEGIN,
    CHECKPOINT,
    UPDATE,
    AccountState,
    Reading,
    UpdateLog,
    UpdateRecord,
)
from cenports_nb.archive.tables import (
    ORDERS,
    OUTCOMES,
    REJECTS,
    SHIPMENT_ITEMS,
    SHIPMENTS,
    TABLES,
    ArchiveTable,
    to_frame,
    to_table,
)
from cenports_nb.archive.writing.comparison import Change, compare, drop_shared_shipments
from cenports_nb.archive.writing.schedule import format_month, number_month, to_month
from cenports_nb.archive.writing.sources import TABLE_SOURCES, SourceReading
from cenports_nb.frames.arrow_columns import repeat_text
from cenports_nb.frames.schema.keys import ORDER_KEYS


@dataclass
class MonthWriter:
    """The account's part of each table in this update.

    Attributes:
        state: What is archived, including what this update has written.
        begins: The month of the account's oldest order, if this update looked for it.
        vanished: Channel and number of orders that are no longer in a month that was read again.
    """

    tables: DeltaTables
    log: UpdateLog
    account: str
    update_id: str
    state: AccountState
    now: Callable[[], datetime]
    begins: str = ""
    changes: dict[tuple[str, str], Change] = field(default_factory=dict)
    vanished: set[tuple[str, str]] = field(default_factory=set)
    _pending: list[Reading] = field(default_factory=list)
    _is_begun: bool = False
    _is_written: bool = False

    def read(self, table: ArchiveTable, month: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read the current rows of a month."""
        return to_frame(self.tables.read(table, None, {self.account: [month]}, columns), table, columns)

    def write_month(self, source: str, month: str, reading: SourceReading, at: datetime) -> None:
        """Replace a month by its latest reading, if they differ."""
        frames = dict(reading.frames)
        if source == SHIPMENTS.name:
            frames = self._settle_shared(month, frames)
        for name, frame in frames.items():
            self._replace(TABLES[name], month, frame)
        self._write_rejects(month, reading.rejects)
        rows = {name: len(frame) for name, frame in frames.items()}
        self.note(Reading(source, month, at, rows, reading.has_open_lines))

    def drop_orders(self, month: str, keys: pd.DataFrame) -> None:
        """Remove orders from a month that a newer reading has in another month."""
        for name in ("orders", "line_items"):
            frame = self.read(TABLES[name], month)
            gone = pd.MultiIndex.from_frame(frame[list(keys.columns)]).isin(pd.MultiIndex.from_frame(keys))
            self._replace(TABLES[name], month, frame[~gone])
        reading = self.state.readings["orders", month]
        rows = {name: len(self.read(TABLES[name], month, ["order_no"])) for name in reading.rows}
        self.note(Reading("orders", month, reading.at, rows, reading.has_open_lines))

    def add_stock(self, name: str, reading: SourceReading, at: datetime) -> None:
        """Add a reading of stock to the month in which it was read."""
        table, month, frame = TABLES[name], to_month(at), reading.frames[name]
        frame = frame.assign(read_at=pd.Series(pd.Timestamp(at), index=frame.index, dtype="datetime64[us, UTC]"))
        if len(frame):
            self._begin()
            self.tables.append(table, to_table(frame, table, self.account, month))
            self.tables.compact(table, self.account)
        self.changes[name, month] = Change(len(frame), 0, 0)
        self._write_rejects(month, reading.rejects)

    def write_outcomes(self, months: dict[str, pd.DataFrame]) -> None:
        """Replace the outcomes of the journal's submissions; those that the journal no longer has stay."""
        forgotten = self.state.forgotten_before
        for month, frame in months.items():
            if month >= forgotten:
                before = self.read(OUTCOMES, month)
                others = before[~before["submission_id"].isin(frame["submission_id"])]
                self._replace(OUTCOMES, month, pd.concat([others, frame], ignore_index=True) if len(others) else frame)

    def note(self, reading: Reading) -> None:
        """Remember a reading for the next row of the table `updates`."""
        self._pending.append(reading)
        self.state.readings[reading.source, reading.month] = reading

    def checkpoint(self) -> None:
        """Record a point from which an update that is killed later can continue."""
        if self._is_written:
            self._append(CHECKPOINT)

    def finish(self) -> datetime:
        """Make the whole update visible at once."""
        return self._append(UPDATE)

    def restore(self) -> None:
        """Undo what a killed update wrote after its last checkpoint."""
        if not self.state.is_unfinished:
            return
        for name, table in TABLES.items():
            base, newest = self.state.versions.get(name, -1), self.tables.version(name)
            if newest == base:
                continue
            was, now = (self.tables.list_files(name, version, self.account) for version in (base, newest))
            for month in sorted({*was, *now}):
                if was.get(month) == now.get(month) or not self.state.is_remembered(month):
                    continue
                data = self.tables.read(table, base, {self.account: [month]})
                self._begin()
                self.tables.replace_month(table, self.account, month, data)

    def _begin(self) -> None:
        """Record that this account is about to be written, before its first write."""
        if not self._is_begun:
            self.log.append(UpdateRecord(self.account, self.update_id, self.log.next_instant(self.now()), BEGIN, {}))
        self._is_begun = self._is_written = True

    def _append(self, kind: str) -> datetime:
        versions = self.tables.versions()  # before the instant: a row that names a write lies after its `begin`
        at = self.log.next_instant(self.now())
        record = UpdateRecord(self.account, self.update_id, at, kind, versions, self._pending, begins=self.begins)
        self.log.append(record)
        self._pending, self._is_written = [], False
        return at

    def _replace(self, table: ArchiveTable, month: str, frame: pd.DataFrame) -> None:
        data = to_table(frame.reset_index(drop=True), table, self.account, month)
        if self._is_new(table, month):
            change = Change(len(frame), 0, 0)
        else:
            before = self.read(table, month)
            change = compare(before, to_frame(data, table), table.key)
            if table is ORDERS and change.removed:
                self.vanished |= list_order_keys(before) - list_order_keys(frame)
        if change:
            self._begin()
            self.tables.replace_month(table, self.account, month, data)
            if table is not REJECTS:
                earlier = self.changes.get((table.name, month), Change(0, 0, 0))  # of a month that was read twice
                self.changes[table.name, month] = earlier + change

    def _is_new(self, table: ArchiveTable, month: str) -> bool:
        """Return whether a month certainly has no rows yet."""
        source = TABLE_SOURCES.get(table.name)
        return source is not None and (source, month) not in self.state.readings

    def _write_rejects(self, month: str, rejects: dict[str, pd.DataFrame]) -> None:
        """Replace the rejects of these tables in a month."""
        before = self.read(REJECTS, month)
        others = before[~before["table"].isin(list(rejects))]
        new = [frame.assign(table=repeat_text(name, len(frame))) for name, frame in rejects.items() if len(frame)]
        if new or len(others) < len(before):
            names = list(REJECTS.dtypes)
            parts = [frame[names] for frame in (others, *new) if len(frame)]
            self._replace(REJECTS, month, pd.concat(parts, ignore_index=True) if parts else before[:0])

    def _settle_shared(self, month: str, frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """Assign each shipment to one of the adjacent months that have it."""
        settled = dict(frames)
        for table in (SHIPMENTS, SHIPMENT_ITEMS):
            for step in (-1, +1):
                beside = format_month(number_month(month) + step)
                reading = self.state.readings.get(("shipments", beside))
                if reading is None or not reading.rows.get(table.name) or settled[table.name].empty:
                    continue
                neighbor = self.read(table, beside)
                settled[table.name], left = drop_shared_shipments(settled[table.name], neighbor)
                if len(left) < len(neighbor):
                    self._replace(table, beside, left)
                    self.note(Reading("shipments", beside, reading.at, {**reading.rows, table.name: len(left)}))
        return settled


def list_order_keys(orders: pd.DataFrame) -> set[tuple[str, str]]:
    """List the channel and number of each order."""
    return set(orders[ORDER_KEYS].itertuples(index=False, name=None))
