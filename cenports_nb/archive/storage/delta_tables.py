"""Delta tables: a month is replaced as a whole, and every version can still be read."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as arrow
import pyarrow.dataset as datasets

from cenports_nb.archive.storage.errors import clear_errors, import_deltalake
from cenports_nb.archive.storage.lease import FENCE, Lease
from cenports_nb.archive.storage.location import find_location, private_umask
from cenports_nb.archive.tables import MONTH, TABLES, ArchiveTable
from cenports_nb.frames.account_column import ACCOUNT

if TYPE_CHECKING:
    from deltalake import DeltaTable

NO_VERSION = -1
MAX_FILES = 48
"""Maximum files of a partition before they are compacted into one."""
COMMIT_ATTEMPTS = 8
COMMIT_ID = "commitId"
CONFIGURATION = {"delta.enableExpiredLogCleanup": "false", "delta.logRetentionDuration": "interval 36500 days"}
"""The log is never cleaned up, so every version stays readable."""

Commit = Callable[["DeltaTable", Any], object]


class DeltaTables:
    """The Delta tables of an archive.

    Attributes:
        lease: The right to change an archive in a bucket; None in a folder, or for reading.
    """

    def __init__(self, folder: Path | str, lease: Lease | None = None, *, is_writer: bool = False) -> None:
        """Prepare to open tables.

        With `is_writer` nobody else may write, so that the latest version of a table is opened only once.
        """
        self.location = find_location(folder)
        self.lease = lease
        self._latest: dict[str, DeltaTable | None] | None = {} if is_writer else None

    def open(self, table: str, version: int | None = None) -> DeltaTable | None:
        """Open a table at a version, or at its latest; None if there is none."""
        if version == NO_VERSION:
            return None
        if version is None and self._latest is not None and table in self._latest:
            return self._latest[table]
        deltalake, found = import_deltalake(), None
        with clear_errors(self.location):
            try:
                found = self._open(table, version)
            except deltalake.exceptions.TableNotFoundError:
                if version is not None:
                    raise  # else perhaps created by an update that was killed before its first commit
        if version is None and self._latest is not None:
            self._latest[table] = found
        return found

    def version(self, table: str) -> int:
        """Return the latest version of a table; -1 if there is none."""
        found = self.open(table)
        return NO_VERSION if found is None else int(found.version())

    def versions(self) -> dict[str, int]:
        """Return the latest version of each existing table."""
        found = {name: self.version(name) for name in TABLES}
        return {name: version for name, version in found.items() if version != NO_VERSION}

    def replace_month(self, table: ArchiveTable, account: str, month: str, data: arrow.Table) -> None:
        """Replace one month of an account, completely or not at all."""
        predicate = f"{ACCOUNT} = '{_quote(account)}' AND {MONTH} = '{_quote(month)}'"
        self._write(table, data, mode="overwrite", predicate=predicate)

    def append(self, table: ArchiveTable, data: arrow.Table) -> None:
        """Append a reading."""
        self._write(table, data, mode="append")

    def compact(self, table: ArchiveTable, account: str) -> None:
        """Merge the many small files of a month into one."""
        files = self.list_files(table.name, None, account)
        for month in [month for month, names in files.items() if len(names) > MAX_FILES]:
            partition = [(ACCOUNT, "=", account), (MONTH, "=", month)]

            def merge(found: DeltaTable, properties: Any, partition: Any = partition) -> object:
                return found.optimize.compact(partition_filters=partition, commit_properties=properties)

            self.commit(table.name, merge)

    def delete_months(self, table: str, before: str) -> None:
        """Remove the months before one from the latest version; their files stay until they are deleted."""
        predicate = f"{MONTH} < '{_quote(before)}'"
        if any(month < before for _, month in self.measure(table)):
            self.commit(table, lambda found, properties: found.delete(predicate, commit_properties=properties))

    def delete_old_files(self, name: str, hours: int) -> None:
        """Delete the files that no version of the last hours has."""

        def vacuum(found: DeltaTable, properties: Any) -> object:
            return found.vacuum(hours, dry_run=False, enforce_retention_duration=False, commit_properties=properties)

        self.commit(name, vacuum)

    def create(self, name: str, schema: arrow.Schema, instant: str, partition: Sequence[str] = ()) -> None:
        """Create a table, if it is missing, whose log has no values but the minimum and maximum of one instant."""
        if self.open(name) is not None:
            return
        with clear_errors(self.location, writing=True), private_umask():
            import_deltalake().DeltaTable.create(
                self.location.join(name),
                schema=schema,
                mode="ignore",
                partition_by=list(partition),
                configuration={**CONFIGURATION, "delta.dataSkippingStatsColumns": instant},
                storage_options=self.location.options,
            )
        self._forget_latest(name)

    def commit(self, name: str, change: Commit) -> None:
        """Change the latest version of a table; again if another process commits first.

        Raises:
            ArchiveError: It can't be written, or another process has taken over the lease.
        """
        deltalake = import_deltalake()
        commit_id = uuid.uuid4().hex
        properties = deltalake.CommitProperties(custom_metadata={COMMIT_ID: commit_id}, max_commit_retries=0)
        with clear_errors(self.location, writing=True), private_umask():
            for attempt in range(COMMIT_ATTEMPTS):
                found = self.open(name) or self._open(name)
                self._forget_latest(name)
                if self.lease is not None:
                    self.lease.check(found)
                before = int(found.version())
                try:
                    change(found, properties)
                except deltalake.exceptions.CommitFailedError:
                    if self._is_committed(name, before, commit_id):
                        return
                    if attempt == COMMIT_ATTEMPTS - 1:
                        raise
                else:
                    if self._latest is not None and found.version() > before:
                        self._latest[name] = found
                    return

    def fence(self, name: str) -> None:
        """Let no earlier holder of the lease commit to a table from now on."""
        lease = self.lease
        if lease is None or self.open(name) is None:
            return
        transaction = import_deltalake().Transaction(FENCE, lease.number)

        def mark(found: DeltaTable, properties: Any) -> None:
            properties.app_transactions = [transaction]
            found.create_write_transaction([], "append", found.schema(), commit_properties=properties)

        self.commit(name, mark)

    def measure(self, table: str, version: int | None = None) -> dict[tuple[str, str], tuple[int, int]]:
        """Return the rows and bytes of each account and month of a version; of the latest by default."""
        measured: dict[tuple[str, str], tuple[int, int]] = {}
        for account, month, number, size_bytes in self._list_files(table, version, "num_records", "size_bytes"):
            rows, size = measured.get((account, month), (0, 0))
            measured[account, month] = rows + (number or 0), size + size_bytes
        return measured

    def list_files(self, table: str, version: int | None, account: str) -> dict[str, frozenset[str]]:
        """List the files of each month of an account."""
        files: dict[str, set[str]] = {}
        for name, month, path in self._list_files(table, version, "path"):
            if name == account:
                files.setdefault(month, set()).add(path)
        return {month: frozenset(names) for month, names in files.items()}

    def _list_files(self, table: str, version: int | None, *facts: str) -> list[tuple[Any, ...]]:
        """List account, month and what else the log says of each file of a version."""
        found = self.open(table, version)
        if found is None:
            return []
        with clear_errors(self.location):
            files = arrow.table(found.get_add_actions(flatten=True))
        names = f"partition.{ACCOUNT}", f"partition.{MONTH}", *facts
        return list(zip(*(files[name].to_pylist() for name in names), strict=True))

    def read(
        self,
        table: ArchiveTable,
        version: int | None,
        months: Mapping[str, Sequence[str]],
        columns: Sequence[str] | None = None,
        *,
        is_sorted: bool = True,
    ) -> arrow.Table:
        """Read some months of some accounts in a version, sorted by account and as the table's frames are.

        The version is from the updates; None is the latest, which an update may not have finished yet. Besides the
        columns, the account and those that rows are sorted by are read.
        """
        dataset, order = self.dataset(table, version, months), table.order if is_sorted else []
        if dataset is None:
            return table.arrow_schema.empty_table()
        wanted = dataset.schema.names if columns is None else list(dict.fromkeys([ACCOUNT, *columns, *order]))
        wanted = [name for name in wanted if name in dataset.schema.names]
        with clear_errors(self.location):
            data = dataset.to_table(columns=wanted)
        return data.sort_by([(name, "ascending") for name in (ACCOUNT, *order)]) if order and data.num_rows else data

    def dataset(
        self, table: ArchiveTable, version: int | None, months: Mapping[str, Sequence[str]]
    ) -> datasets.Dataset | None:
        """Open some months of some accounts in a version, the table once; None if it did not exist."""
        found = self.open(table.name, version)
        if found is None:
            return None
        every = sorted({month for own in months.values() for month in own})
        with clear_errors(self.location):
            files = [(ACCOUNT, "in", list(months) or [""]), (MONTH, "in", every or [""])]
            whole = found.to_pyarrow_dataset(file_pruning_predicate=files)
        wanted = {(account, month) for account, own in months.items() for month in own}
        chosen = [part for part in whole.get_fragments() if _read_partition(part) in wanted]
        return datasets.FileSystemDataset(chosen, whole.schema, whole.format, whole.filesystem)

    def _write(self, table: ArchiveTable, data: arrow.Table, **options: Any) -> None:
        deltalake = import_deltalake()

        def write(found: DeltaTable, properties: Any) -> None:
            deltalake.write_deltalake(
                found, data, schema_mode="merge", commit_properties=properties,
                writer_properties=deltalake.WriterProperties(compression="ZSTD"), **options,
            )  # fmt: skip

        self.create_table(table)
        self.commit(table.name, write)

    def create_table(self, table: ArchiveTable) -> None:
        """Create a table of the archive, if it is missing."""
        self.create(table.name, table.arrow_schema, table.instant, [ACCOUNT, MONTH])

    def _open(self, name: str, version: int | None = None) -> DeltaTable:
        found: DeltaTable = import_deltalake().DeltaTable(
            self.location.join(name), version=version, storage_options=self.location.options
        )
        return found

    def _forget_latest(self, name: str) -> None:
        if self._latest is not None:
            self._latest.pop(name, None)

    def _is_committed(self, name: str, before: int, commit_id: str) -> bool:
        """Return whether a commit that was refused succeeded before: its answer was lost, and it was sent again."""
        found = self._open(name)
        newer = int(found.version()) - before
        return newer > 0 and any(entry.get(COMMIT_ID) == commit_id for entry in found.history(newer))


def _read_partition(part: datasets.Fragment) -> tuple[str, str]:
    """Read the account and month of a file."""
    keys = datasets.get_partition_keys(part.partition_expression)
    return keys[ACCOUNT], keys[MONTH]


def _quote(text: str) -> str:
    return text.replace("'", "''")
