"""The journal: every submission of this machine, with each batch and row, in one SQLite file.

A whole submission is written in one transaction before its first byte is sent. Just before a batch is sent
its rows become `in_doubt`, right after the answer they become what the answer says: a process killed in
between leaves the truth behind.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from cenports_nb.errors import JournalError

VERSION = 1
FILE_NAME = "journal.sqlite"

SCHEMA = """
CREATE TABLE submission (
    submission_id TEXT PRIMARY KEY, kind TEXT NOT NULL, environment TEXT NOT NULL, account TEXT NOT NULL,
    partner_id TEXT NOT NULL, created_at TEXT NOT NULL, reason TEXT, reference TEXT);
CREATE TABLE batch (
    submission_id TEXT NOT NULL REFERENCES submission, batch INTEGER NOT NULL, warehouse_code TEXT NOT NULL,
    state TEXT NOT NULL, handle TEXT, status TEXT, sent_at TEXT, submitted_at TEXT, completed_at TEXT,
    last_polled_at TEXT, errors TEXT, PRIMARY KEY (submission_id, batch));
CREATE TABLE row (
    submission_id TEXT NOT NULL, batch INTEGER NOT NULL, row INTEGER NOT NULL, warehouse_code TEXT NOT NULL,
    product_sku TEXT NOT NULL, type TEXT NOT NULL, quantity INTEGER NOT NULL, current_quantity INTEGER,
    before_quantity INTEGER, outcome TEXT NOT NULL, message TEXT, read_back INTEGER, read_back_at TEXT,
    PRIMARY KEY (submission_id, batch, row), FOREIGN KEY (submission_id, batch) REFERENCES batch);
"""


@dataclass(frozen=True)
class Head:
    """What a submission is, who made it and why; times are UTC in ISO 8601."""

    submission_id: str
    kind: str
    environment: str
    account: str
    partner_id: str
    created_at: str
    reason: str | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Batch:
    """One write: `state` is ours, `status` is Cenports' word for its transaction.

    Attributes:
        state: planned, sending, accepted, rejected, not_sent, in_doubt, completed, failed.
        errors: What Cenports objects to, JSON.
    """

    submission_id: str
    batch: int
    warehouse_code: str
    state: str = "planned"
    handle: str | None = None
    status: str | None = None
    sent_at: str | None = None
    submitted_at: str | None = None
    completed_at: str | None = None
    last_polled_at: str | None = None
    errors: str | None = None


@dataclass(frozen=True)
class Row:
    """One change of one SKU, and what became of it."""

    submission_id: str
    batch: int
    row: int
    warehouse_code: str
    product_sku: str
    type: str
    quantity: int
    current_quantity: int | None
    before_quantity: int | None
    outcome: str = "not_sent"
    message: str | None = None
    read_back: int | None = None
    read_back_at: str | None = None


class Journal:
    """An open journal; every error of the file is a JournalError."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._lock = threading.RLock()
        with self._named():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self.path.exists():
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")  # an answer once written survives a power cut
            self._connection.execute("PRAGMA foreign_keys=ON")
            with self._transaction() as connection:
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if version > VERSION:
                    raise JournalError(
                        f"{self.path} was written by a newer version of cenports-nb (format {version}): "
                        "update the package; nothing was sent."
                    )
                if version == 0:
                    for statement in filter(str.strip, SCHEMA.split(";")):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version={VERSION}")

    def add(self, head: Head, batches: Sequence[Batch], rows: Sequence[Row]) -> None:
        """Write a whole submission, or nothing."""
        with self._named(), self._transaction() as connection:
            for table, values in (("submission", [head]), ("batch", batches), ("row", rows)):
                if values:
                    marks = ", ".join("?" * len(fields(values[0])))
                    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", map(astuple, values))  # noqa: S608

    def set_batch(
        self, submission_id: str, batch: int, *, outcomes: Sequence[Row] | None = None, **changes: Any
    ) -> None:
        """Change a batch and, in the same transaction, the outcome of its rows."""
        assignments = ", ".join(f"{name} = ?" for name in changes)
        with self._named(), self._transaction() as connection:
            if changes:
                connection.execute(
                    f"UPDATE batch SET {assignments} WHERE submission_id = ? AND batch = ?",  # noqa: S608 - our names
                    (*changes.values(), submission_id, batch),
                )
            _set_rows(connection, outcomes or ())

    def halve(self, submission_id: str, batch: int) -> tuple[Batch, Batch]:
        """Make two planned batches of one that was refused as too large; the second half becomes the last batch."""
        place = (submission_id, batch)
        with self._named(), self._transaction() as connection:
            rows = connection.execute(
                "SELECT count(*) FROM row WHERE submission_id = ? AND batch = ?", place
            ).fetchone()[0]
            last = connection.execute(
                "SELECT max(batch) FROM batch WHERE submission_id = ?", (submission_id,)
            ).fetchone()[0]
            half, new = (rows + 1) // 2, last + 1
            connection.execute(
                "INSERT INTO batch (submission_id, batch, warehouse_code, state) "
                "SELECT submission_id, ?, warehouse_code, 'planned' FROM batch WHERE submission_id = ? AND batch = ?",
                (new, *place),
            )
            connection.execute(
                "UPDATE row SET batch = ?, row = row - ? WHERE submission_id = ? AND batch = ? AND row >= ?",
                (new, half, *place, half),
            )
            connection.execute(
                "UPDATE batch SET state = 'planned', sent_at = NULL WHERE submission_id = ? AND batch = ?", place
            )
            connection.execute(
                "UPDATE row SET outcome = 'not_sent', message = NULL WHERE submission_id = ? AND batch IN (?, ?)",
                (submission_id, batch, new),
            )
        found = {item.batch: item for item in self.batches(submission_id)}
        return found[batch], found[new]

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Change the outcome of rows, all or none."""
        with self._named(), self._transaction() as connection:
            _set_rows(connection, rows)

    def head(self, submission_id: str) -> Head:
        """Return one submission.

        Raises:
            JournalError: It is not in this journal.
        """
        found: list[Head] = self._select(Head, "submission", "WHERE submission_id = ?", submission_id)
        if not found:
            raise JournalError(
                f"There is no submission {submission_id!r} in {self.path}: list_submissions() shows those that are."
            )
        return found[0]

    def heads(self) -> list[Head]:
        """List the submissions, oldest first."""
        return self._select(Head, "submission", "ORDER BY created_at, rowid")

    def batches(self, submission_id: str) -> list[Batch]:
        """List the batches of a submission."""
        return self._select(Batch, "batch", "WHERE submission_id = ? ORDER BY batch", submission_id)

    def rows(self, submission_id: str, batch: int | None = None) -> list[Row]:
        """List the rows of a submission, or of one batch."""
        if batch is None:
            return self._select(Row, "row", "WHERE submission_id = ? ORDER BY batch, row", submission_id)
        return self._select(Row, "row", "WHERE submission_id = ? AND batch = ? ORDER BY row", submission_id, batch)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _select(self, kind: type[Any], table: str, where: str, *values: Any) -> list[Any]:
        names = ", ".join(f'"{field.name}"' for field in fields(kind))
        with self._named(), self._lock:
            found = self._connection.execute(f"SELECT {names} FROM {table} {where}", values).fetchall()  # noqa: S608
        return [kind(*values) for values in found]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Name the file in every error of it."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise JournalError(
                f"The journal {self.path} can't be used ({error}): make its folder writable, or move a damaged file away."
            ) from None


def frame_of(items: Sequence[Any], columns: dict[str, str]) -> pd.DataFrame:
    """Make a typed frame of journal entries; an empty one has the same dtypes."""
    built: dict[str, Any] = {}
    for name, dtype in columns.items():
        values = [getattr(item, name) for item in items]
        if "UTC" in dtype:
            texts = pd.Series(values, dtype="str")
            built[name] = pd.to_datetime(texts, utc=True, format="ISO8601").astype("datetime64[us, UTC]")
        else:
            built[name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(built)


def _set_rows(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    connection.executemany(
        "UPDATE row SET outcome = ?, message = ?, read_back = ?, read_back_at = ? "
        "WHERE submission_id = ? AND batch = ? AND row = ?",
        [
            (row.outcome, row.message, row.read_back, row.read_back_at, row.submission_id, row.batch, row.row)
            for row in rows
        ],
    )
