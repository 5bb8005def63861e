"""The journal's file: opened, checked, migrated, and used one unit of work at a time."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from cenports_nb.errors import JournalError
from cenports_nb.submissions.journal import migrations
from cenports_nb.submissions.journal.connection import ThreadRunner, UnitRunner, transaction

T = TypeVar("T")

FILE_NAME = "journal.sqlite"
IN_MEMORY = Path(":memory:")
"""The home of a dry run, whose journal is never on disk."""
CHUNK_ROWS = 20_000
LOCK_TIMEOUT_SECONDS = 30.0
"""Maximum wait for another process that holds the file."""
MAX_CHECKED_BYTES = 32 * 2**20
"""Maximum size that is checked completely before a write, in 0.1 s."""

NETWORK_FILESYSTEMS = frozenset({
    "nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "smbfs2", "afpfs", "webdav", "davfs", "davfs2",
    "fuse.davfs2", "fuse.sshfs", "sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.glusterfs", "glusterfs",
    "ceph", "fuse.ceph", "lustre", "gpfs", "beegfs", "afs", "ncpfs", "9p",
})  # fmt: skip
"""Names of file systems whose files another machine may open too."""


class JournalFile:
    """An open file of the journal; every error of the file is a JournalError."""

    def __init__(self, folder: Path, *, network: str | None = None, runner: UnitRunner | None = None) -> None:
        self.path = folder if folder == IN_MEMORY else folder / FILE_NAME
        self._runner = runner or ThreadRunner()
        self._file: os.stat_result | None = None
        self._closed = False
        try:
            with self._name_file_in_errors():
                self._runner.run(lambda: self._open(folder, network))
        except BaseException:
            self._runner.close()
            raise

    def _open(self, folder: Path, network: str | None) -> None:
        """Open the file and migrate it to the current format, or refuse it."""
        if folder != IN_MEMORY:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self.path.exists():
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            self._file = self.path.stat()
        self._connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, timeout=LOCK_TIMEOUT_SECONDS
        )
        try:
            self._make_durable(network or (find_network_filesystem(folder) if folder != IN_MEMORY else None))
            self._bring_up_to_date()
        except BaseException:
            self._connection.close()
            raise

    def _bring_up_to_date(self) -> None:
        with transaction(self._connection) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > migrations.FORMAT_VERSION:
                raise JournalError(
                    f"{self.path} was written by a newer version of cenports-nb (format {version}): "
                    "update the package; nothing was sent.",
                    sent=False,
                )
            if version == 0:
                migrations.create_tables(connection)
            elif version < migrations.FORMAT_VERSION:
                migrations.migrate(connection, version)

    def _make_durable(self, network: str | None) -> None:
        """Make writes survive a power failure, on the folder's file system."""
        # The write-ahead log needs shared memory, which works on one machine only.
        self._set_journal_mode("DELETE" if network else "WAL")
        self._connection.execute(f"PRAGMA synchronous={'EXTRA' if network else 'FULL'}")
        self._connection.execute("PRAGMA foreign_keys=ON")

    def _set_journal_mode(self, mode: str) -> None:
        """Switch the journal mode, waiting for other processes: SQLite's own time-out does not cover this."""
        deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
        while True:
            try:
                self._connection.execute(f"PRAGMA journal_mode={mode}")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
            else:
                return

    def check(self) -> None:
        """Check that a write can be recorded; otherwise nothing is sent.

        Raises:
            JournalError: The file is gone, was replaced, is damaged or can't be written.
        """
        if self._file is not None:
            with self._name_file_in_errors():
                self._check_file(self._file)

    def _check_file(self, opened: os.stat_result) -> None:
        now = self.path.stat()
        if (now.st_ino, now.st_dev) != (opened.st_ino, opened.st_dev):
            raise JournalError(
                f"{self.path} was exchanged or deleted while it was open: connect again. Nothing was sent.", sent=False
            )
        if now.st_size <= MAX_CHECKED_BYTES:
            # Checked through a new connection: the open one has cached pages and would miss damage.
            with closing(sqlite3.connect(self.path, timeout=LOCK_TIMEOUT_SECONDS)) as other:
                found = other.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise JournalError(
                    f"The journal {self.path} is damaged ({' '.join(found.split())}): move it away, and keep it, as "
                    "it says what was sent. Nothing was sent.",
                    sent=False,
                )

    def select(self, query: str, values: Sequence[Any] = ()) -> Iterator[list[tuple[Any, ...]]]:
        """Select tuples, some thousands at a time."""
        with self._name_file_in_errors():
            cursor = self._runner.run(lambda: self._connection.execute(query, values))
            while part := self._runner.run(lambda: cursor.fetchmany(CHUNK_ROWS)):
                yield part

    def select_all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Select all tuples at once."""
        return [row for part in self.select(query, values) for row in part]

    def close(self) -> None:
        """Close the file."""
        if not self._closed:
            self._closed = True
            self._runner.run(self._connection.close)
            self._runner.close()

    def read_unit(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Read in a unit of work."""
        with self._name_file_in_errors():
            return self._runner.run(lambda: work(self._connection))

    def write_unit(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Write in a unit of work, completely or not at all."""

        def unit() -> T:
            with transaction(self._connection) as connection:
                return work(connection)

        with self._name_file_in_errors():
            return self._runner.run(unit)

    @contextmanager
    def _name_file_in_errors(self) -> Iterator[None]:
        """Name the file in every error about it."""
        if self._closed:
            raise JournalError(
                "The client of this submission is closed: connect again, and open_submission() goes on with it."
            )
        try:
            yield
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:  # the last one of damaged text
            raise JournalError(
                f"The journal {self.path} can't be used ({error}): make its folder writable and its disk roomy, or move "
                "a damaged file away and keep it."
            ) from None


def find_network_filesystem(folder: Path, partitions: Iterable[Any] | None = None) -> str | None:
    """Name the network file system of a folder; None for a local disk, or if it is unknown.

    Mounted file systems are described as by psutil, and are those of this machine by default.
    """
    import psutil  # noqa: PLC0415 - only a journal that is opened needs it

    try:
        mounted = psutil.disk_partitions(all=True) if partitions is None else partitions
    except OSError:
        mounted = []
    resolved = folder.resolve()
    if str(resolved).startswith(("\\\\", "//")):
        return "a network share"
    holding = [one for one in mounted if resolved.is_relative_to(one.mountpoint)]
    if not holding:
        return None
    # Of two file systems mounted at one path, the later one is visible.
    nearest = max(enumerate(holding), key=lambda pair: (len(Path(pair[1].mountpoint).parts), pair[0]))[1]
    if "remote" in nearest.opts.split(","):
        return nearest.fstype or "a network drive"
    return nearest.fstype if nearest.fstype.lower() in NETWORK_FILESYSTEMS else None
