"""The cache's file: one SQLite database per home, which may fail at any moment without failing a load.

It is the storage of requests-cache, whose own SQLite storage waits forever on a locked or read-only file and reads
without its lock; this one waits two seconds, warns once, and continues without the cache.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from requests_cache.backends.base import BaseStorage
from requests_cache.models.response import CachedResponse

from cenports_nb.errors import CenportsWarning
from cenports_nb.private_files import create_private_file

FILE_NAME = "cache.sqlite"
MAX_BYTES = 2**30
"""Above this size the oldest answers are deleted, down to 80 % of it."""
BUSY_TIMEOUT_SECONDS = 2.0
PAGE_BYTES = 2**15
"""Large, because answers are: they are written twice as fast as with SQLite's 4 KiB, and read in two thirds of the time."""
VERSION = 4
SCHEMA_SQL = """
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, account TEXT NOT NULL, at REAL NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS answer_age ON answer (at);
CREATE TABLE IF NOT EXISTS seen_generation (account TEXT PRIMARY KEY, generation TEXT NOT NULL);
"""
DROP_OLDER_SQL = """
DROP TABLE IF EXISTS answer;
DROP TABLE IF EXISTS generation;
DROP TABLE IF EXISTS open_write;
"""
DELETE_OLDEST_SQL = """
DELETE FROM answer WHERE key IN (
    SELECT key FROM (SELECT key, SUM(size) OVER (ORDER BY at DESC, key) AS newer FROM answer) WHERE newer > ?)
"""

T = TypeVar("T")


class CacheStore(BaseStorage[str, CachedResponse]):
    """Pages of records by key, with their account and time, and the last write generation seen."""

    def __init__(self, folder: Path, account: str, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.serializer = None  # bytes as received: no pickle, no headers
        self.path = folder / FILE_NAME
        self._account = account
        self._now = now
        self._lock = threading.RLock()
        self._unchecked_bytes = MAX_BYTES  # bytes written since the file's size was last checked
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = _open_or_replace(self.path)
        except (sqlite3.Error, OSError) as error:
            self._disable(error)

    @property
    def is_usable(self) -> bool:
        """Whether answers can be cached at all."""
        return self._connection is not None

    def run(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Use the file; if that fails, warn once and continue without it."""
        with self._lock:
            if self._connection is None:
                return otherwise
            try:
                return work(self._connection)
            except sqlite3.Error as error:
                self._disable(error)
                return otherwise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.close()
            self._connection = None

    def read_body(self, key: str) -> tuple[bytes, datetime] | None:
        """Return the body of an answer, and when it was fetched, UTC."""
        row = self.run(lambda file: file.execute("SELECT body, at FROM answer WHERE key = ?", (key,)).fetchone(), None)
        return None if row is None else (row[0], datetime.fromtimestamp(row[1], UTC))

    def read_newest_body(self, prefix: str) -> tuple[bytes, datetime] | None:
        """Return the body of the newest answer whose key has this prefix."""
        query = "SELECT body, at FROM answer WHERE key >= ? AND key < ? ORDER BY at DESC LIMIT 1"
        row = self.run(lambda file: file.execute(query, (prefix, f"{prefix}\x7f")).fetchone(), None)
        return None if row is None else (row[0], datetime.fromtimestamp(row[1], UTC))

    def __getitem__(self, key: str) -> CachedResponse:
        found = self.read_body(key)
        if found is None:
            raise KeyError(key)
        return CachedResponse(content=found[0], created_at=found[1], status_code=200)

    def __setitem__(self, key: str, response: CachedResponse) -> None:
        body = response.content or b""
        at = self._now().timestamp()
        row = (key, self._account, at, len(body), body)
        self.run(lambda file: file.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?)", row), None)
        self._unchecked_bytes += len(body)
        if self._unchecked_bytes > MAX_BYTES // 16:
            self._unchecked_bytes = 0
            self.run(_delete_oldest, None)

    def __delitem__(self, key: str) -> None:
        self.run(lambda file: file.execute("DELETE FROM answer WHERE key = ?", (key,)), None)

    def __iter__(self) -> Iterator[str]:
        rows: list[tuple[str]] = self.run(lambda file: file.execute("SELECT key FROM answer").fetchall(), [])
        return iter([row[0] for row in rows])

    def __len__(self) -> int:
        return int(self.run(lambda file: file.execute("SELECT count(*) FROM answer").fetchone()[0], 0))

    def _disable(self, error: Exception) -> None:
        """Continue without the file; a damaged one is moved away, so that the next client creates a new one."""
        self.close()
        if _is_damage(error):
            with contextlib.suppress(OSError):
                move_aside(self.path)
        warnings.warn(
            f"The cache {self.path} can't be used ({error}): going on without it; "
            "`cenports-nb cache clear` starts a new one.",
            CenportsWarning,
            stacklevel=2,
        )


def _open_or_replace(path: Path) -> sqlite3.Connection:
    """Open the file; replace one that is damaged or has another version."""
    try:
        return _open(path)
    except sqlite3.DatabaseError as error:
        if not _is_damage(error):
            raise
        move_aside(path)
        warnings.warn(
            f"The cache {path} was damaged ({error}): it is set aside as {path.name}.damaged, a new one is begun.",
            CenportsWarning,
            stacklevel=2,
        )
        return _open(path)


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    create_private_file(path)
    file = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        file.execute(f"PRAGMA page_size={PAGE_BYTES}")  # of a new file
        file.execute("PRAGMA journal_mode=WAL")
        file.execute("PRAGMA synchronous=NORMAL")
        if _read_version(file) != VERSION:
            _create_tables(file)
    except sqlite3.Error:
        file.close()
        raise
    return file


def _read_version(file: sqlite3.Connection) -> int:
    return int(file.execute("PRAGMA user_version").fetchone()[0])


def _create_tables(file: sqlite3.Connection) -> None:
    """Create the tables in one transaction, replacing those of an older version."""
    file.execute("BEGIN IMMEDIATE")
    version = _read_version(file)  # another process may have created them while this one waited for the lock
    if version > VERSION:
        raise sqlite3.DatabaseError(f"version {version} of its tables is not known")
    dropped = DROP_OLDER_SQL if 0 < version < VERSION else ""
    for statement in f"{dropped}{SCHEMA_SQL}PRAGMA user_version={VERSION}".split(";"):
        file.execute(statement)
    file.execute("COMMIT")


def _delete_oldest(file: sqlite3.Connection) -> None:
    """Delete the oldest answers if the file is too large."""
    if (file.execute("SELECT SUM(size) FROM answer").fetchone()[0] or 0) > MAX_BYTES:
        file.execute(DELETE_OLDEST_SQL, (MAX_BYTES * 4 // 5,))


def _is_damage(error: Exception) -> bool:
    """Return whether a file is damaged, rather than busy, full or protected."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)


def move_aside(path: Path) -> None:
    """Move a damaged database away; its companion files are useless without it."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.replace(path.with_name(path.name + ".damaged"))
