"""The journal's connection: units of work that no interrupt, other thread or fork can split.

Python raises KeyboardInterrupt only in the main thread, at any opcode. So a unit of work runs in the thread that owns the
connection; the caller waits until it is complete or rolled back, and is interrupted only then.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Protocol, TypeVar

from cenports_nb.errors import JournalError

T = TypeVar("T")


class UnitRunner(Protocol):
    """Runs units of work, one at a time."""

    def run(self, work: Callable[[], T]) -> T:
        """Run a unit of work, and return its result or raise its error."""

    def close(self) -> None:
        """Run no more units."""


class ThreadRunner:
    """Runs units of work in its own thread."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(
            1, thread_name_prefix="cenports-nb journal", initializer=self._remember_thread
        )
        self._thread: int | None = None
        self._process = os.getpid()
        self._is_closed = False
        self._exit_lock = threading.Lock()

    def _remember_thread(self) -> None:
        self._thread = threading.get_ident()

    def run(self, work: Callable[[], T]) -> T:
        """Run a unit of work to its end, even if the waiting caller is interrupted."""
        if self._process != os.getpid():
            raise JournalError(
                "This submission was opened by the process that this one was forked from, and its journal can't be used "
                "by two: open_submission() opens it here. Nothing was sent.",
                sent=False,
            )
        if self._thread == threading.get_ident():
            return work()  # the garbage collector may close a forgotten client from any thread
        try:
            future = self._executor.submit(work)
        except RuntimeError:
            if self._is_closed:
                raise
            with self._exit_lock:  # Python exits and has ended the thread: a client that nobody closed is closed now
                return work()
        try:
            return future.result()
        except BaseException:
            wait([future])
            raise

    def close(self) -> None:
        """End the thread; a forked child has none."""
        self._is_closed = True
        if self._process == os.getpid():
            self._executor.shutdown(wait=self._thread != threading.get_ident())


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit everything or nothing; a failed commit is rolled back and raised."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
