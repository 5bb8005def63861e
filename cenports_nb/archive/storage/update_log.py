"""The table `updates`: the version of each table after an update. It is written last and read first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as arrow
import pyarrow.dataset as datasets
from pyarrow import compute

from cenports_nb.archive.storage.delta_tables import MAX_FILES, DeltaTables
from cenports_nb.archive.storage.errors import clear_errors, import_deltalake
from cenports_nb.archive.tables import INSTANT
from cenports_nb.frames.account_column import ACCOUNT
from cenports_nb.frames.arrow_columns import ARROW_TEXT

if TYPE_CHECKING:
    from deltalake import DeltaTable

UPDATES, SUMMARY = "updates", "updates_summary"
SUMMARY_ROWS, SUMMARY_FACTOR = 2000, 4
"""A summary is written when it leaves out so many rows, and so many times its own."""
SUMMARY_HOURS = 24
BEGIN, CHECKPOINT, UPDATE, FORGET = "begin", "checkpoint", "update", "forget"
TICK = timedelta(microseconds=1)


class Reading(msgspec.Struct, frozen=True):
    """One reading of one month.

    Attributes:
        at: When its oldest answer was fetched.
    """

    source: str
    month: str
    at: datetime
    rows: dict[str, int]
    has_open_lines: bool = False


class UpdateRecord(msgspec.Struct, frozen=True):
    """One row of the table.

    Attributes:
        at: When it was written; later than every earlier row.
        kind: `begin` before the first write of an update, `checkpoint` during it, `update` at its end, or `forget`.
        versions: The version of each table for this account from then on; empty before its first write.
        readings: The readings since the previous row.
        begins: The month of the account's oldest order, if it was looked for.
    """

    account: str
    update_id: str
    at: datetime
    kind: str
    versions: dict[str, int]
    readings: list[Reading] = []
    forgotten_before: str = ""
    begins: str = ""


@dataclass(frozen=True)
class AccountState:
    """What an archive has of one account after some update.

    Attributes:
        at: When that update ended; None before the first one.
        forgotten: When something was forgotten, and the month before which.
        begins: The month of the account's oldest order; empty if it was not looked for.
        is_unfinished: Whether an update is running, or was killed, after its first write.
    """

    account: str
    at: datetime | None = None
    versions: dict[str, int] = field(default_factory=dict)
    readings: dict[tuple[str, str], Reading] = field(default_factory=dict)
    forgotten: tuple[tuple[datetime, str], ...] = ()
    begins: str = ""
    is_unfinished: bool = False

    @property
    def forgotten_before(self) -> str:
        """The month before which everything was ever forgotten; empty if nothing was."""
        return max((before for _, before in self.forgotten), default="")

    def find_forgotten(self, source: str, month: str) -> datetime | None:
        """Return when the reading of a month was forgotten; None if it was not."""
        reading = self.readings.get((source, month))
        times = [at for at, before in self.forgotten if month < before and (reading is None or reading.at < at)]
        return times[0] if times else None

    def is_remembered(self, month: str) -> bool:
        """Return whether a month was never forgotten, or was read again since."""
        return month >= self.forgotten_before or any(
            month in self.list_months(source) for source in ("orders", "shipments")
        )

    def list_months(self, source: str) -> list[str]:
        """List the archived months, oldest first."""
        return sorted(
            month for name, month in self.readings if name == source and not self.find_forgotten(source, month)
        )


class UpdateLog:
    """Reads and writes the table `updates`."""

    def __init__(self, tables: DeltaTables) -> None:
        self._tables = tables

    def read(self, account: str | None = None, as_of: datetime | None = None) -> list[UpdateRecord]:
        """Read the rows of one account, or of all, oldest first.

        Older ones are summarized, where that makes no difference for the instant that they are combined for.
        """
        own = None if account is None else datasets.field(ACCOUNT) == account
        summary = self._read(SUMMARY)
        until = compute.max(summary["at"]).as_py()
        if until is not None and (as_of is None or as_of >= until):
            newer = self._read(UPDATES, None, datasets.field("at") >= until)
            if compute.any(compute.equal(newer["at"], until)).as_py():  # else it is the summary of another log
                newer = newer.filter(compute.field("at") > until)
                rows = arrow.concat_tables([summary, newer])
                return _decode_rows(rows if account is None else rows.filter(compute.field(ACCOUNT) == account))
        return _decode_rows(self._read(UPDATES, None, own))

    def next_instant(self, now: datetime) -> datetime:
        """Return the instant of the next row: now, but never before the last one, whatever the clock says."""
        last = compute.max(self._read(UPDATES, ["at"])["at"]).as_py()
        return now if last is None else max(now, last + TICK)

    def append(self, *records: UpdateRecord) -> None:
        """Append rows, which take effect at once and together."""
        rows = arrow.Table.from_pylist([_encode(record) for record in records], schema=_SCHEMA)

        def add(found: DeltaTable, properties: Any) -> None:
            import_deltalake().write_deltalake(found, rows, mode="append", commit_properties=properties)

        self.create()
        self._tables.commit(UPDATES, add)
        table = self._tables.open(UPDATES)
        if table is not None and len(table.file_uris()) > MAX_FILES:
            self._tables.commit(UPDATES, lambda found, own: found.optimize.compact(commit_properties=own))
            self._summarize()

    def create(self) -> None:
        """Create the table, if it is missing."""
        self._tables.create(UPDATES, _SCHEMA, "at")

    def _summarize(self) -> None:
        """Replace the summary, if many rows came since; its old files stay a day, for who reads them now."""
        records = self.read()
        summarized = summarize(records)
        if len(records) - len(summarized) < max(SUMMARY_ROWS, SUMMARY_FACTOR * len(summarized)):
            return
        rows = arrow.Table.from_pylist([_encode(record) for record in summarized], schema=_SCHEMA)

        def replace_all(found: DeltaTable, properties: Any) -> None:
            import_deltalake().write_deltalake(found, rows, mode="overwrite", commit_properties=properties)

        self._tables.create(SUMMARY, _SCHEMA, "at")
        self._tables.commit(SUMMARY, replace_all)
        self._tables.delete_old_files(SUMMARY, SUMMARY_HOURS)

    def _read(
        self, table: str, columns: list[str] | None = None, chosen: datasets.Expression | None = None
    ) -> arrow.Table:
        found = self._tables.open(table)
        if found is None:
            return _SCHEMA.empty_table()
        with clear_errors(self._tables.location):
            return found.to_pyarrow_dataset().to_table(columns=columns, filter=chosen)


def fold(
    records: Iterable[UpdateRecord], account: str, *, as_of: datetime | None = None, with_checkpoints: bool = False
) -> AccountState:
    """Combine rows into what an archive has of an account.

    With `as_of`, only updates before this instant count; with checkpoints, also what an unfinished update has done,
    to continue it.
    """
    own = [record for record in records if record.account == account]
    forgotten = tuple((record.at, record.forgotten_before) for record in own if record.kind == FORGET)
    own = [record for record in own if as_of is None or record.at <= as_of]
    is_unfinished = bool(own) and own[-1].kind in (BEGIN, CHECKPOINT)
    ends = [position for position, record in enumerate(own) if with_checkpoints or record.kind in (UPDATE, FORGET)]
    if not ends:
        return AccountState(account, forgotten=forgotten, is_unfinished=is_unfinished)
    counted = own[: ends[-1] + 1]
    readings: dict[tuple[str, str], Reading] = {}
    unfinished: list[Reading] = []
    for record in counted:
        if record.kind in (BEGIN, CHECKPOINT):
            unfinished += record.readings
            continue
        if record.kind == UPDATE:  # it continued from the checkpoints before it; forgetting undoes them
            readings |= {(reading.source, reading.month): reading for reading in (*unfinished, *record.readings)}
        unfinished = []
    readings |= {(reading.source, reading.month): reading for reading in unfinished}
    versions = next((record.versions for record in reversed(counted) if record.versions), {})
    begins = next((record.begins for record in reversed(counted) if record.begins), "")
    return AccountState(account, counted[-1].at, dict(versions), readings, forgotten, begins, is_unfinished)


def summarize(records: Sequence[UpdateRecord]) -> list[UpdateRecord]:
    """Leave out the rows that don't matter any more for what an archive has now, and add their readings to later ones.

    What is left combines, with newer rows, to the same as all of them; only for instants before the last row it doesn't.
    """
    by_account: dict[str, list[UpdateRecord]] = {}
    for record in records:
        by_account.setdefault(record.account, []).append(record)
    kept: list[UpdateRecord] = []
    for account, own in by_account.items():
        ends = (position for position, record in enumerate(own) if record.kind == UPDATE and record.versions)
        last = max(ends, default=-1)
        kept += [record for record in own[: max(last, 0)] if record.kind == FORGET]
        if last >= 0:
            state = fold(own[: last + 1], account)
            readings = [*state.readings.values()]
            kept.append(msgspec.structs.replace(own[last], readings=readings, begins=state.begins))
        kept += own[last + 1 :]
    return sorted(kept, key=lambda record: record.at)


def fold_all(records: Sequence[UpdateRecord], *, as_of: datetime | None = None) -> list[AccountState]:
    """Combine rows into what an archive has of each account, ordered by name.

    Every account that is not in the middle of an update has the versions of the last row of any account: an update
    records that it begins before it writes, so nothing of these accounts was written since their own last row. One version
    of each table thus answers for all of them, however many there are.
    """
    by_account: dict[str, list[UpdateRecord]] = {}
    latest: dict[str, int] = {}
    for record in records:
        by_account.setdefault(record.account, []).append(record)
        if record.versions and (as_of is None or record.at <= as_of):
            latest = record.versions
    states = [fold(by_account[name], name, as_of=as_of) for name in sorted(by_account)]
    return [state if state.is_unfinished or state.at is None else replace(state, versions=latest) for state in states]


_SCHEMA = arrow.schema(
    [
        (ACCOUNT, ARROW_TEXT),
        ("update_id", ARROW_TEXT),
        ("at", INSTANT),
        ("kind", ARROW_TEXT),
        ("versions", ARROW_TEXT),
        ("readings", ARROW_TEXT),
        ("forgotten_before", ARROW_TEXT),
        ("begins", ARROW_TEXT),
    ]
)


_VERSIONS = msgspec.json.Decoder(dict[str, int])
_READINGS = msgspec.json.Decoder(list[Reading])


def _encode(record: UpdateRecord) -> dict[str, Any]:
    row = {name: getattr(record, name) for name in record.__struct_fields__}
    return {**row, **{name: msgspec.json.encode(row[name]).decode() for name in ("versions", "readings")}}


def _decode_rows(rows: arrow.Table) -> list[UpdateRecord]:
    return [
        UpdateRecord(
            **{**row, "versions": _VERSIONS.decode(row["versions"]), "readings": _READINGS.decode(row["readings"])}
        )
        for row in rows.sort_by("at").to_pylist()
    ]
