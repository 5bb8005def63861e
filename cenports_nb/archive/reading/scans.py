"""A scan: frames of an archive month by month, for a history larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from cenports_nb import __version__
from cenports_nb.archive.storage.delta_tables import DeltaTables
from cenports_nb.archive.tables import REJECTS, TABLES, ArchiveTable, empty_frame, to_frame
from cenports_nb.frames.account_column import ACCOUNT, add_account
from cenports_nb.frames.arrow_columns import ARROW_TEXT, from_arrow
from cenports_nb.frames.dates import local_days
from cenports_nb.frames.provenance import ACCOUNTS_PARAM, Provenance, Reject, attach, build_account_key
from cenports_nb.frames.schema.keys import ORDER_KEYS


@dataclass(frozen=True)
class AccountSlice:
    """The part of one account that a scan reads.

    Attributes:
        as_of: When the oldest of them was read.
    """

    account: str
    environment: str
    partner_id: str
    version: int
    rejects_version: int
    months: tuple[str, ...]
    as_of: datetime | None


@dataclass(frozen=True)
class Scan:
    """Part of one table of an archive, read month by month; it can be sent to another process.

    `dd.from_map(scan.read, scan.months)` makes it a Dask DataFrame.

    Attributes:
        folder: The archive's folder, or its address in a bucket.
        table: The table's name.
        accounts: The part of each account.
        days: First and last day, in the time zone; None for every row.
        time_zone: The zone of days.
        channels: Only these channels; None for all.
        columns: Only these columns; None for all.
        complete: Whether every requested day is archived.
        with_rejects: Whether frames have their rejects.
        is_sorted: Whether rows are in the order of the loaders, which costs about a third of reading.
    """

    folder: Path | str
    table: str
    accounts: tuple[AccountSlice, ...]
    days: tuple[date, date] | None
    time_zone: str
    channels: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    complete: bool = True
    with_rejects: bool = True
    is_sorted: bool = True

    @property
    def months(self) -> list[str]:
        """The UTC months of the scan, oldest first; no order is in two of them."""
        return sorted({month for each in self.accounts for month in each.months})

    def read(self, month: str) -> pd.DataFrame:
        """Read one month as a frame, as `load_*` would return it."""
        return self.describe(self._read([month]), [month])

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """Read month by month."""
        return (self.read(month) for month in self.months)

    def select(self, columns: Sequence[str]) -> Scan:
        """Return a scan that reads only these of its columns, in any order of rows, and no rejects."""
        chosen = tuple(name for name in columns if self.columns is None or name in self.columns)
        return replace(self, columns=chosen, with_rejects=False, is_sorted=False)

    def load(self) -> pd.DataFrame:
        """Read the whole scan as one frame."""
        return self.describe(self._read(self.months), self.months)

    def describe(self, frame: pd.DataFrame, months: Sequence[str]) -> pd.DataFrame:
        """Attach a frame's provenance, and the rejects of its months."""
        rejects = self._read_rejects(months) if self.with_rejects else ()
        days = {"start": str(self.days[0]), "end": str(self.days[1])} if self.days else {}
        channels = {} if self.channels is None else {"channel_id": list(self.channels)}
        keys = {each.account: build_account_key(each.environment, each.partner_id) for each in self.accounts}
        accounts = {ACCOUNTS_PARAM: keys} if len(keys) > 1 else {}
        origin = Provenance(
            source=f"archive {self.folder}",
            params={**days, **channels, **accounts, "time_zone": self.time_zone},
            environment=", ".join(sorted({each.environment for each in self.accounts})),
            partner_id=", ".join(dict.fromkeys(each.partner_id for each in self.accounts)),
            as_of=min((each.as_of for each in self.accounts if each.as_of), default=None),
            requests=0,
            cached=0,
            complete=self.complete,
            rows=len(frame),
            rejected=len(rejects),
            outside=0,
            package_version=__version__,
        )
        return attach(frame, origin, rejects)

    @property
    def _definition(self) -> ArchiveTable:
        return TABLES[self.table]

    def _read(self, months: Sequence[str]) -> pd.DataFrame:
        """Read some months of all accounts, ordered by account; accounts of one version are read together."""
        versions = {each.account: each.version for each in self.accounts}
        parts = [self._read_version(version, own) for version, own in self._group_months(versions, months)]
        parts = parts or [add_account(empty_frame(self._definition), "")]
        frame = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
        names = list(versions)
        if len(parts) > 1 or names != sorted(names):
            frame = frame.iloc[pd.Index(names).get_indexer(pd.Index(frame[ACCOUNT])).argsort(kind="stable")]
        return self._choose(frame.reset_index(drop=True))

    def _group_months(
        self, versions: Mapping[str, int], months: Sequence[str]
    ) -> list[tuple[int, dict[str, Sequence[str]]]]:
        """Group accounts by the version that they are read in, each with its part of some months."""
        asked = set(months)
        groups: dict[int, dict[str, Sequence[str]]] = {}
        for each in self.accounts:
            own = [month for month in each.months if month in asked]
            groups.setdefault(versions[each.account], {})[each.account] = own
        return list(groups.items())

    def _read_version(self, version: int, months: Mapping[str, Sequence[str]]) -> pd.DataFrame:
        table = self._definition
        needed = None
        if self.columns is not None:
            filtered = [*ORDER_KEYS[:1]] * (self.channels is not None) + [table.instant] * (self.days is not None)
            needed = list(dict.fromkeys([*self.columns, *(table.order if self.is_sorted else filtered)]))
            needed = [name for name in needed if name != ACCOUNT]
        data = DeltaTables(self.folder).read(table, version, months, needed, is_sorted=self.is_sorted)
        frame = to_frame(data, table, needed)
        frame.insert(0, ACCOUNT, from_arrow(data.column(ACCOUNT).cast(ARROW_TEXT)))
        if self.channels is not None:
            frame = frame[frame["channel_id"].isin(self.channels)]
        if self.days is not None and table.instant in ("order_date", "read_at"):
            first, last = (pd.Timestamp(day) for day in self.days)
            days = local_days(frame[table.instant], self.time_zone) if len(frame) else frame[table.instant]
            if table.readings and len(frame):  # an instant of our own is never a plain day
                days = frame[table.instant].dt.tz_convert(ZoneInfo(self.time_zone)).dt.tz_localize(None).dt.normalize()
            frame = frame[(days >= first) & (days <= last)] if len(frame) else frame
        return frame

    def _choose(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame if self.columns is None else frame[[ACCOUNT, *(name for name in self.columns if name != ACCOUNT)]]

    def _read_rejects(self, months: Sequence[str]) -> tuple[Reject, ...]:
        found: list[Any] = []
        versions = {each.account: each.rejects_version for each in self.accounts}
        for version, own in self._group_months(versions, months):
            frame = to_frame(DeltaTables(self.folder).read(REJECTS, version, own), REJECTS)
            found += (
                frame[frame["table"] == self.table]
                .astype("object")
                .where(lambda part: part.notna(), "")
                .to_dict("records")
            )
        return tuple(
            Reject(int(row["record_index"]), row["key"], row["column"], row["reason"], row["record"]) for row in found
        )
