"""Delta tables on disk: a month is replaced as a whole, and every version can still be read."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as arrow
import pyarrow.dataset as datasets

from cenports_nb.archive.tables import MONTH, TABLES, ArchiveTable
from cenports_nb.errors import ArchiveError, ConfigurationError
from cenports_nb.frames.account_column import ACCOUNT

if TYPE_CHECKING:
    from deltalake import DeltaTable

NO_VERSION = -1
MAX_FILES = 48
"""Maximum files of a partition before they are compacted into one."""
COMMIT_ATTEMPTS = 8
DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
DISK_FULL_WORDS = ("No space left", "Disk quota exceeded", "File too large")


def import_deltalake() -> Any:
    """Import deltalake, which only the extra `archive` installs.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        import deltalake  # noqa: PLC0415 - an extra, loaded at first use
    except ImportError:
        raise ConfigurationError('The archive needs an extra: pip install "cenports-nb[archive]".') from None
    return deltalake


@contextlib.contextmanager
def private_umask() -> Iterator[None]:
    """Make every file that is created here readable by its owner only; deltalake has no option for that."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextlib.contextmanager
def clear_errors(folder: Path, *, writing: bool = False) -> Iterator[None]:
    """Convert the libraries' errors about files to one sentence.

    Args:
        folder: The archive.
        writing: Whether something is written; a failure then leaves the archive unchanged.

    Raises:
        ArchiveError: The disk is full, a file is missing or damaged, or it can't be written.
    """
    deltalake = import_deltalake()
    try:
        yield
    except (deltalake.exceptions.DeltaError, OSError, arrow.ArrowException) as error:
        text = " ".join(str(error).split())
        if getattr(error, "errno", None) in DISK_FULL or any(words in text for words in DISK_FULL_WORDS):
            raise ArchiveError(
                f"The disk of {folder} is full: the archive is as it was before. Make room and run the update again."
            ) from None
        if writing:
            raise ArchiveError(
                f"{folder} can't be written ({text[-160:]}): the archive is as it was before. Check its owner and mode."
            ) from None
        raise ArchiveError(
            f"{folder} is damaged or incomplete ({text[:160]}): restore it from a backup. Nothing was changed."
        ) from None


class DeltaTables:
    """The Delta tables under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, table: str) -> Path:
        """Return the folder of a table."""
        return self.folder / table

    def open(self, table: str, version: int | None = None) -> DeltaTable | None:
        """Open a table at a version, or at its latest; None if there is none."""
        deltalake = import_deltalake()
        if version == NO_VERSION or (version is None and not (self.path(table) / "_delta_log").is_dir()):
            return None
        with clear_errors(self.folder):
            if version is None and not deltalake.DeltaTable.is_deltatable(str(self.path(table))):
                return None  # created by an update that was killed before its first commit
            found: DeltaTable = deltalake.DeltaTable(str(self.path(table)), version=version)
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
            with clear_errors(self.folder, writing=True), private_umask():
                found = self.open(table.name)
                if found is not None:
                    found.optimize.compact(partition_filters=[(ACCOUNT, "=", account), (MONTH, "=", month)])

    def delete_months(self, table: str, before: str) -> None:
        """Remove the months before one from the latest version; their files stay until they are deleted."""
        with clear_errors(self.folder, writing=True), private_umask():
            found = self.open(table)
            if found is not None and any(month < before for _, month in self.measure(table)):
                found.delete(f"{MONTH} < '{_quote(before)}'")

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
        with clear_errors(self.folder):
            files = arrow.table(found.get_add_actions(flatten=True))
        names = f"partition.{ACCOUNT}", f"partition.{MONTH}", *facts
        return list(zip(*(files[name].to_pylist() for name in names), strict=True))

    def read(
        self,
        table: ArchiveTable,
        version: int | None,
        months: Mapping[str, Sequence[str]],
        columns: Sequence[str] | None = None,
    ) -> arrow.Table:
        """Read some months of some accounts in a version, sorted by account and as the table's frames are.

        Args:
            table: The table.
            version: From the updates; None for the latest, which an update may not have finished yet.
            months: By account, such as `2026-11`.
            columns: These, the account, and those that rows are sorted by; all by default.
        """
        dataset = self.dataset(table, version, months)
        if dataset is None:
            return table.arrow_schema.empty_table()
        wanted = dataset.schema.names if columns is None else list(dict.fromkeys([ACCOUNT, *columns, *table.order]))
        wanted = [name for name in wanted if name in dataset.schema.names]
        with clear_errors(self.folder):
            data = dataset.to_table(columns=wanted)
        order = [(name, "ascending") for name in (ACCOUNT, *table.order)]
        return data.sort_by(order) if data.num_rows else data

    def dataset(
        self, table: ArchiveTable, version: int | None, months: Mapping[str, Sequence[str]]
    ) -> datasets.Dataset | None:
        """Open some months of some accounts in a version, the table once; None if it did not exist."""
        found = self.open(table.name, version)
        if found is None:
            return None
        every = sorted({month for own in months.values() for month in own})
        with clear_errors(self.folder):
            files = [(ACCOUNT, "in", list(months) or [""]), (MONTH, "in", every or [""])]
            whole = found.to_pyarrow_dataset(file_pruning_predicate=files)
        wanted = {(account, month) for account, own in months.items() for month in own}
        chosen = [part for part in whole.get_fragments() if _read_partition(part) in wanted]
        return datasets.FileSystemDataset(chosen, whole.schema, whole.format, whole.filesystem)

    def _write(self, table: ArchiveTable, data: arrow.Table, **options: Any) -> None:
        deltalake = import_deltalake()
        path = str(self.path(table.name))

        def write() -> None:
            deltalake.write_deltalake(
                path, data, schema_mode="merge", partition_by=[ACCOUNT, MONTH],
                writer_properties=deltalake.WriterProperties(compression="ZSTD"), **options,
            )  # fmt: skip

        with clear_errors(self.folder, writing=True), private_umask():
            if not deltalake.DeltaTable.is_deltatable(path):
                _retry(lambda: _create(path, table), deltalake)
            _retry(write, deltalake)


def _create(path: str, table: ArchiveTable) -> None:
    """Create a table whose log is never cleaned up, and contains no values but instants."""
    import_deltalake().DeltaTable.create(
        path,
        schema=table.arrow_schema,
        mode="ignore",
        partition_by=[ACCOUNT, MONTH],
        configuration={
            "delta.enableExpiredLogCleanup": "false",
            "delta.logRetentionDuration": "interval 36500 days",
            "delta.dataSkippingStatsColumns": table.instant,
        },
    )


def _retry(write: Callable[[], None], deltalake: Any) -> None:
    """Repeat a commit if another process committed first."""
    for attempt in range(COMMIT_ATTEMPTS):
        try:
            return write()
        except deltalake.exceptions.CommitFailedError:
            if attempt == COMMIT_ATTEMPTS - 1:
                raise
    return None


def _read_partition(part: datasets.Fragment) -> tuple[str, str]:
    """Read the account and month of a file."""
    keys = datasets.get_partition_keys(part.partition_expression)
    return keys[ACCOUNT], keys[MONTH]


def _quote(text: str) -> str:
    return text.replace("'", "''")
