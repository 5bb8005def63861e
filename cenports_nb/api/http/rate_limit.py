"""The rate limit: maximum requests in any 60 seconds, shared by every process of this machine.

The times of the last minute's requests are in a small SQLite file of the user. A slot is taken in a transaction, so a
killed process leaves nothing locked; nothing is reserved for the future, so it wastes no slot either. The file is opened
for each request, so that no connection outlives a fork. If it can't be written, the limit is kept in memory, among the
clients of this process.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sqlite3
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

from cenports_nb.errors import CenportsWarning
from cenports_nb.private_files import create_private_file

WINDOW_SECONDS = 60.0
# Arrival times jitter: without a margin, a few of 180 back-to-back requests were refused.
SAFETY_FACTOR = 1.02
FILE_NAME = "pacing.sqlite"
BUSY_TIMEOUT_SECONDS = 5.0
SCHEMA_SQL = """
CREATE TABLE IF NOT EXISTS sent (account TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS sent_by_account ON sent (account, at);
CREATE TABLE IF NOT EXISTS hold (account TEXT PRIMARY KEY, until REAL NOT NULL);
"""
HOLD_SQL = "INSERT INTO hold VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET until = max(until, excluded.until)"
RENEW_SQL = """
UPDATE sent SET at = ? WHERE rowid = (SELECT rowid FROM sent WHERE account = ? AND at = ? AND at > ? AND at <= ? LIMIT 1)
"""

T = TypeVar("T")


# Linux: the monotonic clock stops while the machine is suspended, and this one doesn't.
_SUSPEND_AWARE_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class Clock(Protocol):
    """The source of time, so that a test need not wait."""

    def monotonic(self) -> float:
        """Return seconds since some fixed moment."""
        ...

    def now(self) -> datetime:
        """Return the time of day in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own time."""

    @functools.cached_property
    def timeline(self) -> str | None:
        """Name the start of `monotonic`, if it is the same for every process of this machine."""
        if _SUSPEND_AWARE_CLOCK is None:
            return None
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return None

    def monotonic(self) -> float:
        """Return seconds since some fixed moment, including suspended time if the system counts it."""
        return time.clock_gettime(_SUSPEND_AWARE_CLOCK) if _SUSPEND_AWARE_CLOCK is not None else time.monotonic()

    def now(self) -> datetime:
        """Return the time of day in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class RateLimiter:
    """A sliding window over the requests of one account: bursts are allowed, the limit is never exceeded."""

    def __init__(
        self, rate_limit: int, clock: Clock, *, account: str, folder: Path, on_wait: Callable[[float], None]
    ) -> None:
        """Share the limit with all limiters of the same account and folder; `on_wait` is called before each wait."""
        self._limit = rate_limit
        self._clock = clock
        self._on_wait = on_wait
        self._account = hashlib.blake2b(account.encode(), digest_size=16).hexdigest()
        self._path = folder / FILE_NAME
        self._memory: _Memory | None = None
        # One thread of a process waits for the next slot, the others for their turn.
        self._lock = threading.Lock()

    def acquire(self) -> float:
        """Wait until one more request is within the limit, and count it; return its slot, which is its time."""
        with self._lock:
            while True:
                wait, slot = self._acquire_if_free()
                if wait <= 0:
                    return slot
                self._on_wait(wait)
                self._clock.sleep(wait)

    def renew(self, slot: float) -> bool:
        """Let a slot count from now, because its request is sent only now; False if it has expired meanwhile."""
        now = self._clock.now().timestamp()
        values = (now, self._account, slot, now - WINDOW_SECONDS, now + 1)
        with self._lock:
            is_renewed = self._run(lambda connection: connection.execute(RENEW_SQL, values).rowcount > 0)
            if is_renewed:
                self._remember(now, slot)
        return is_renewed

    def pause(self, seconds: float) -> None:
        """Pause all processes for a while, because Cenports refused a request as one too many."""
        until = self._clock.now().timestamp() + seconds
        values = (self._account, until)
        with self._lock:
            self._run(lambda connection: connection.execute(HOLD_SQL, values))

    def _acquire_if_free(self) -> tuple[float, float]:
        """Take a slot and return 0 and its time, or return the seconds until one may be free."""
        wait, now = self._run(self._take_slot)
        if wait == 0:
            self._remember(now)
        return wait, now

    def _remember(self, at: float, replaced: float | None = None) -> None:
        """Remember when a request was sent, in case the file is lost."""
        sent = _SENT.setdefault((os.getpid(), self._path, self._account), deque())
        if replaced is not None and replaced in sent:
            sent.remove(replaced)
        sent.append(at)
        while sent[0] < at - WINDOW_SECONDS * SAFETY_FACTOR:
            sent.popleft()

    def _take_slot(self, connection: sqlite3.Connection) -> tuple[float, float]:
        now = self._clock.now().timestamp()  # after waiting for the lock
        span = WINDOW_SECONDS * SAFETY_FACTOR
        # Times in the future were written before the clock was set back.
        connection.execute(
            "DELETE FROM sent WHERE account = ? AND (at <= ? OR at > ?)", (self._account, now - span, now + 1)
        )
        connection.execute("DELETE FROM hold WHERE until <= ? OR until > ?", (now + 0.001, now + 2 * span))
        held = connection.execute("SELECT until FROM hold WHERE account = ?", (self._account,)).fetchone()
        if held:
            return float(held[0]) - now, now
        row = connection.execute(
            "SELECT at FROM sent WHERE account = ? ORDER BY at DESC LIMIT 1 OFFSET ?",
            (self._account, self._limit - 1),
        ).fetchone()
        if row:
            return max(0.001, float(row[0]) + span - now), now
        connection.execute("INSERT INTO sent VALUES (?, ?)", (self._account, now))
        return 0.0, now

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Use the shared file in a transaction; if that fails, the memory of this process."""
        self._memory = self._memory or _MEMORIES.get((os.getpid(), self._path))
        if self._memory is None:
            try:
                with contextlib.closing(self._open_file()) as connection:
                    return _run_transaction(connection, work)
            except (sqlite3.Error, OSError) as error:
                self._memory = self._move_to_memory(error)
        with self._memory.lock:
            return _run_transaction(self._memory.connection, work)

    def _move_to_memory(self, reason: Exception) -> _Memory:
        """Continue in memory with the known requests of the last minute."""
        sent, held = self._read_file()
        if isinstance(reason, sqlite3.DatabaseError) and not isinstance(reason, sqlite3.OperationalError):
            with contextlib.suppress(OSError):
                self._path.unlink()  # damaged; it held a minute of times
        memory, is_new = _get_memory(self._path)
        with memory.lock:
            own = _SENT.get((os.getpid(), self._path, self._account), ())
            memory.connection.execute("DELETE FROM sent WHERE account = ?", (self._account,))
            memory.connection.executemany("INSERT INTO sent VALUES (?, ?)", sent or [(self._account, at) for at in own])
            memory.connection.executemany(HOLD_SQL, held)
        if is_new:
            with contextlib.suppress(CenportsWarning):  # raised as an error, it would stop a submission halfway
                warnings.warn(
                    f"The rate limit can't be shared with other processes ({self._path}: {reason}): it holds in this one "
                    "only.",
                    CenportsWarning,
                    stacklevel=5,
                )
        return memory

    def _read_file(self) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
        """Read the file's entries about this account, if it can still be read."""
        try:
            with contextlib.closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)) as file:
                found = [
                    file.execute(f"SELECT * FROM {table} WHERE account = ?", (self._account,)).fetchall()  # noqa: S608
                    for table in ("sent", "hold")
                ]
        except (sqlite3.Error, OSError):
            return [], []
        return found[0], found[1]

    def _open_file(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        create_private_file(self._path)
        connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
        try:
            # A minute of times isn't worth a flush to disk; a killed process loses nothing.
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("BEGIN IMMEDIATE")
            for statement in SCHEMA_SQL.split(";"):
                connection.execute(statement)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _run_transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Work in a transaction, which may have begun already."""
    if not connection.in_transaction:
        connection.execute("BEGIN")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return result


class _Memory:
    """The times of all clients of one file in this process, if the file can't be used."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.connection.executescript(SCHEMA_SQL)


_SENT: dict[tuple[int, Path, str], deque[float]] = {}
"""What this process sent in the last minute, by file and account, in case the file is lost."""
_MEMORIES: dict[tuple[int, Path], _Memory] = {}
"""By process, because a forked child must not use its parent's, and by file."""


def _get_memory(path: Path) -> tuple[_Memory, bool]:
    """Return the memory that replaces a file, and whether it is new."""
    new = _Memory()
    memory = _MEMORIES.setdefault((os.getpid(), path), new)
    if memory is not new:
        new.connection.close()
    return memory, memory is new
