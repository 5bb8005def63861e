"""Read an archive: which accounts, months and versions a query refers to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from cenports_nb.archive.reading.coverage import (
    MissingMonth,
    build_missing_frame,
    find_gaps,
    find_missing_months,
    list_span_months,
)
from cenports_nb.archive.reading.query import ArchiveQuery
from cenports_nb.archive.reading.scans import AccountSlice, Scan
from cenports_nb.archive.storage.delta_tables import NO_VERSION, DeltaTables
from cenports_nb.archive.storage.format import ArchivedAccount, ArchiveFormat, read_format
from cenports_nb.archive.storage.update_log import AccountState, UpdateLog, fold_all
from cenports_nb.archive.tables import READ_AT, REJECTS, TABLES
from cenports_nb.archive.writing.schedule import to_month
from cenports_nb.archive.writing.sources import TABLE_SOURCES
from cenports_nb.errors import ArchiveError, IncompleteError, IncompleteWarning, InvalidRequestError
from cenports_nb.frames.account_column import ACCOUNT
from cenports_nb.frames.user_warnings import warn_user
from cenports_nb.rendering.text import list_names
from cenports_nb.submissions.journal.frames import build_frame

CONTENTS_DTYPES = {
    "account": "str", "table": "str", "month": "str", "rows": "int64", "complete": "bool", "as_of": "datetime64[us, UTC]",
    "bytes": "int64",
}  # fmt: skip


class ArchiveReader:
    """Resolves queries by the table `updates`."""

    def __init__(self, folder: Path | str, time_zone: str) -> None:
        self.folder = folder
        self.time_zone = time_zone
        self.tables = DeltaTables(folder)
        self.log = UpdateLog(self.tables)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of days."""
        return ZoneInfo(self.time_zone)

    def read_format(self) -> ArchiveFormat:
        """Read the format of the archive.

        Raises:
            ArchiveError: It is gone, or damaged.
        """
        found = read_format(self.folder)
        if found is None:
            raise ArchiveError(f"{self.folder} is no longer an archive: open it again.")
        return found

    def read_states(self, as_of: datetime | None = None) -> list[AccountState]:
        """Return what is archived of each account, by name."""
        return fold_all(self.log.read(as_of=as_of), as_of=as_of)

    def choose_states(self, query: ArchiveQuery) -> list[AccountState]:
        """Return what is archived of the requested accounts.

        Raises:
            InvalidRequestError: There is no such account, or nothing was archived by then.
        """
        moment = query.parse_as_of(self.zone)
        states = [state for state in self.read_states(moment) if state.at is not None]
        if query.accounts is not None:
            known = {state.account: state for state in states}
            unknown = [name for name in query.accounts if name not in known]
            if unknown:
                raise InvalidRequestError(
                    f"{self.folder} has no account {unknown[0]!r}: it has {list_names([*known])}."
                )
            states = [known[name] for name in query.accounts]
        if not states:
            first = min((state.at for state in self.read_states() if state.at), default=None)
            if moment is not None and first is not None:
                raise InvalidRequestError(
                    f"Nothing was archived by {moment:%Y-%m-%d %H:%M} UTC; the last update was {first:%Y-%m-%d %H:%M} UTC."
                )
            raise InvalidRequestError(f"{self.folder} is empty: run archive.update(client) first.")
        return states

    def open_scan(self, table: str, query: ArchiveQuery) -> Scan:
        """Open a table whose months are replaced by their latest reading.

        Raises:
            IncompleteError: Days are not archived, or were forgotten.
        """
        source, states = TABLE_SOURCES[table], self.choose_states(query)
        days = query.parse_days(self.zone, _read_today(states, self.zone))
        missing: list[MissingMonth] = []
        slices, accounts = [], self.read_format().accounts
        for state in states:
            missing += find_missing_months(state, source, *days, self.zone) if days else find_gaps(state, source)
            asked = set(list_span_months(*days, self.zone) if days else state.list_months(source))
            months = [month for month in state.list_months(source) if month in asked]
            oldest = min((state.readings[source, month].at for month in months), default=None)
            slices.append(_slice(state, accounts, table, months, oldest))
        scan = self._build_scan(table, slices, days, query, complete=not missing)
        if missing:
            more = f", and {len(missing) - 1} more months" if len(missing) > 1 else ""
            text = f"{missing[0].month} of {missing[0].account} {missing[0].reason}{more}"
            if not query.allow_partial:
                raise IncompleteError(
                    f"{text}: run archive.update, ask for other days, or pass allow_partial=True.",
                    partial=scan.load(),
                    missing=build_missing_frame(table, missing),
                )
            warn_user(f"{text}: the frame lacks them.", IncompleteWarning)
        return scan

    def load_readings(self, table: str, query: ArchiveQuery) -> pd.DataFrame:
        """Load the readings of stock within some days; without days the last one.

        Raises:
            IncompleteError: The days begin before the first reading, or end after the last one.
        """
        states = self.choose_states(query)
        days = query.parse_days(self.zone, _read_today(states, self.zone))
        slices = self._slice_all(states, table)
        if days is None:
            chosen = [replace(each, months=each.months[-1:]) for each in slices]
        else:
            asked = set(list_span_months(*days, self.zone))
            chosen = [replace(each, months=tuple(month for month in each.months if month in asked)) for each in slices]
        scan = self._build_scan(table, chosen, days, query)
        if scan.columns is not None:
            scan = replace(scan, columns=tuple(dict.fromkeys((READ_AT, *scan.columns))))
        frame = scan.load()
        if days is None:
            newest = frame.groupby("account")[READ_AT].transform("max")
            return scan.describe(frame[frame[READ_AT] == newest].reset_index(drop=True), scan.months)
        self._check_readings(table, slices, days, frame)
        return frame

    def open_all(self, table: str, query: ArchiveQuery) -> Scan:
        """Open every month of a table."""
        return self._build_scan(table, self._slice_all(self.choose_states(query), table), None, query)

    def describe_contents(self) -> pd.DataFrame:
        """List the archived months: `account table month rows complete as_of bytes`."""
        rows: list[tuple[Any, ...]] = []
        states = self.read_states()
        measured = {name: self._measure(states, name) for name in TABLES}
        for state in states:
            for name in TABLES:
                source, sizes = TABLE_SOURCES.get(name, ""), measured[name].get(state.account, {})
                months = state.list_months(source) if source else _list_kept(state, sizes)
                missing = {gap.month for gap in find_gaps(state, source)} if source else set()
                for month in sorted({*months, *missing}):
                    reading = state.readings.get((source, month))
                    at = reading.at if reading else None if month in missing else state.at
                    count, size_bytes = sizes.get(month, (0, 0))
                    rows.append((state.account, name, month, count, month not in missing, at, size_bytes))
        return build_frame(rows, CONTENTS_DTYPES)

    def _check_readings(
        self, table: str, slices: Sequence[AccountSlice], days: tuple[date, date], frame: pd.DataFrame
    ) -> None:
        """Refuse days before the first reading of stock, and after the last one."""
        edges = tuple(
            replace(each, months=tuple(dict.fromkeys(each.months[::-1][:1] + each.months[:1]))) for each in slices
        )
        read = Scan(self.folder, table, edges, None, self.time_zone, columns=(READ_AT,)).load()
        times = read.groupby(ACCOUNT)[READ_AT].agg(["min", "max"])
        for each in slices:
            if each.account in times.index:
                first = times["min"][each.account].astimezone(self.zone).date()
                final = times["max"][each.account].astimezone(self.zone).date()
                if first <= days[0] and days[1] <= final:
                    continue
                text = f"stock of {each.account} was read from {first} to {final}"
            else:
                text = f"stock of {each.account} was never read"
            raise IncompleteError(
                f"{text}, not all of {days[0]} to {days[1]}: ask for other days.",
                partial=frame,
                missing=build_missing_frame(table, [MissingMonth(each.account, to_month(days[0]), "was not read")]),
            )

    def _build_scan(
        self,
        table: str,
        slices: Sequence[AccountSlice],
        days: tuple[date, date] | None,
        query: ArchiveQuery,
        *,
        complete: bool = True,
    ) -> Scan:
        return Scan(
            self.folder,
            table,
            tuple(slices),
            days,
            self.time_zone,
            query.channels,
            query.check_columns(table),
            complete,
        )

    def _slice_all(self, states: Sequence[AccountState], table: str) -> list[AccountSlice]:
        """Select every month of a table without readings of its own."""
        accounts, measured = self.read_format().accounts, self._measure(states, table)
        return [
            _slice(state, accounts, table, _list_kept(state, measured.get(state.account, {})), state.at)
            for state in states
        ]

    def _measure(self, states: Sequence[AccountState], table: str) -> dict[str, dict[str, tuple[int, int]]]:
        """Measure the months of each account in its version; each version is opened once."""
        measured: dict[str, dict[str, tuple[int, int]]] = {}
        versions = {state.account: state.versions.get(table, NO_VERSION) for state in states}
        for version in set(versions.values()):
            for (account, month), size in self.tables.measure(table, version).items():
                if versions.get(account) == version:
                    measured.setdefault(account, {})[month] = size
        return measured


def _list_kept(state: AccountState, months: Iterable[str]) -> list[str]:
    """List the months that are not forgotten, oldest first."""
    return sorted(month for month in months if month >= state.forgotten_before)


def _slice(
    state: AccountState,
    accounts: Mapping[str, ArchivedAccount],
    table: str,
    months: Sequence[str],
    as_of: datetime | None,
) -> AccountSlice:
    """Select months of one account."""
    known = accounts.get(state.account)
    return AccountSlice(
        state.account,
        known.environment if known else "",
        known.partner_id if known else "",
        state.versions.get(table, NO_VERSION),
        state.versions.get(REJECTS.name, NO_VERSION),
        tuple(months),
        as_of,
    )


def _read_today(states: Sequence[AccountState], zone: ZoneInfo) -> date:
    """Return the day of the last update, on which a period such as 30D ends."""
    return max(state.at for state in states if state.at).astimezone(zone).date()
