"""The journal: every submission of this machine, with each batch and row, in one SQLite file.

A whole submission is written in one transaction before its first byte is sent. Just before a batch is sent
its rows become `in_doubt`, right after the answer they become what the answer says: a process killed in
between leaves the truth behind. Every write of a state says which states it may replace, so that of two
processes that write at once none undoes what the other learnt.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from cenports_nb.errors import JournalError
from cenports_nb.submissions.journal import migrations
from cenports_nb.submissions.journal.filesystem import find_network_filesystem
from cenports_nb.submissions.journal.models import Batch, Event, Head, Row

FILE_NAME = "journal.sqlite"
IN_MEMORY = Path(":memory:")
"""The home of a dry run: what is planned is nowhere on disk."""
CHUNK_ROWS = 20_000
LOCK_TIMEOUT_SECONDS = 30.0
"""For whoever holds the file at the same moment."""
MAX_CHECKED_BYTES = 32 * 2**20
"""A journal of this size is looked through before a write in a tenth of a second."""


class Journal:
    """An open journal; every error of the file is a JournalError.

    Args:
        folder: Its home; `IN_MEMORY` for none.
        network: The file system of another machine that the folder is on; found out by default.
    """

    def __init__(self, folder: Path, *, network: str | None = None) -> None:
        self.path = folder if folder == IN_MEMORY else folder / FILE_NAME
        self._lock = threading.RLock()
        self._file: os.stat_result | None = None
        self._closed = False
        with self._name_file_in_errors():
            if folder != IN_MEMORY:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                if not self.path.exists():
                    os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
                self._file = self.path.stat()
            self._connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, timeout=LOCK_TIMEOUT_SECONDS
            )
            try:
                self._open(network or (find_network_filesystem(folder) if folder != IN_MEMORY else None))
            except BaseException:
                self._connection.close()
                raise

    def _open(self, network: str | None) -> None:
        """Bring the file to the newest format, or refuse it."""
        self._make_durable(network)
        with self._transaction() as connection:
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
        """Let what is written survive a power cut, on the file system that it is on."""
        # The write-ahead log needs memory shared by all who open the file: on one machine only.
        self._set_journal_mode("DELETE" if network else "WAL")
        self._connection.execute(f"PRAGMA synchronous={'EXTRA' if network else 'FULL'}")
        self._connection.execute("PRAGMA foreign_keys=ON")

    def _set_journal_mode(self, mode: str) -> None:
        """Switch how the file is written, and wait for others: SQLite's own time-out does not cover this."""
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
        """Make sure that a write can be written down; nothing is sent otherwise.

        Raises:
            JournalError: The file is gone, was exchanged, is damaged or can't be written.
        """
        if self._file is None:
            return
        with self._name_file_in_errors():
            now = self.path.stat()
            if (now.st_ino, now.st_dev) != (self._file.st_ino, self._file.st_dev):
                raise JournalError(
                    f"{self.path} was exchanged or deleted while it was open: connect again. Nothing was sent.",
                    sent=False,
                )
            if now.st_size <= MAX_CHECKED_BYTES:
                # Looked through afresh: the open connection has pages of its own and would not notice.
                with closing(sqlite3.connect(self.path, timeout=LOCK_TIMEOUT_SECONDS)) as other:
                    found = other.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found != "ok":
                    raise JournalError(
                        f"The journal {self.path} is damaged ({' '.join(found.split())}): move it away, and keep it, as "
                        "it says what was sent. Nothing was sent.",
                        sent=False,
                    )

    def add(self, head: Head, batches: Sequence[Batch], rows: Iterable[Row]) -> None:
        """Write a whole submission, or nothing; rows are taken as they come."""
        with self._name_file_in_errors(), self._transaction() as connection:
            for table, kind, values in (("submission", Head, [head]), ("batch", Batch, batches), ("row", Row, rows)):
                names = [field.name for field in fields(kind)]
                remaining = iter(values)
                while part := list(islice(remaining, CHUNK_ROWS)):
                    marks = ", ".join("?" * len(names))
                    columns = ", ".join(f'"{name}"' for name in names)
                    connection.executemany(
                        f"INSERT INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608 - our own names
                        [tuple(vars(value).values()) for value in part],
                    )
            # Not by a trigger, which would cost a million rows a third more; what is not sent has no history yet.
            connection.execute(
                "INSERT INTO event SELECT submission_id, ?, item, batch, row, outcome, message, NULL FROM row "
                "WHERE submission_id = ? AND outcome <> 'not_sent' ORDER BY item",
                (head.created_at, head.submission_id),
            )

    def claim(self, batch: Batch, rows: Sequence[Row], withheld: Sequence[Row], at: datetime, doubt: str) -> bool:
        """Write down that a batch is about to leave; only one of several who try may send it.

        Args:
            batch: One that was not sent.
            rows: What is sent of it, with its newest numbers; in doubt if the process dies from here on.
            withheld: What is not, each with its message.
            at: When.
            doubt: The message of the rows that leave.
        """
        place = (batch.submission_id, batch.batch)
        with self._name_file_in_errors(), self._transaction() as connection:
            claimed = connection.execute(
                "UPDATE batch SET state = 'sending', sent_at = ?, rows = ?, errors = NULL, changed_at = ? "
                "WHERE submission_id = ? AND batch = ? AND state IN ('planned', 'not_sent', 'again')",
                (at.isoformat(), len(rows), at.isoformat(), *place),
            ).rowcount
            if not claimed:
                return False
            claimed_items = {row.item for row in (*rows, *withheld)}
            found = connection.execute(
                "SELECT item, outcome FROM row WHERE submission_id = ? AND batch = ? ORDER BY row", place
            ).fetchall()
            expected = batch.unsent_outcome
            if {item for item, outcome in found if outcome == expected} != claimed_items:
                self._end_transaction("ROLLBACK")  # somebody closed some of them meanwhile
                return False
            others = [item for item, outcome in found if outcome != expected]
            connection.executemany(
                "UPDATE row SET row = ? WHERE submission_id = ? AND item = ?",
                [(len(claimed_items) + i, batch.submission_id, item) for i, item in enumerate(others)],
            )
            connection.executemany(
                "UPDATE row SET row = ?, quantity = ?, current_quantity = ?, before_quantity = ?, before_at = ?, "
                "outcome = ?, message = ?, changed_at = ?, changed_by = NULL WHERE submission_id = ? AND item = ?",
                [
                    (i, row.quantity, row.current_quantity, row.before_quantity, row.before_at,
                     *(("in_doubt", doubt) if i < len(rows) else (expected, row.message)),
                     at.isoformat(), row.submission_id, row.item)
                    for i, row in enumerate((*rows, *withheld))
                ],
            )  # fmt: skip
        return True

    def close_crashed(self, submission_id: str, at: datetime) -> None:
        """Call in doubt what was being sent by a process that is no more; the caller holds the right to send."""
        with self._name_file_in_errors(), self._transaction() as connection:
            connection.execute(
                "UPDATE batch SET state = 'in_doubt', changed_at = ? WHERE submission_id = ? AND state = 'sending'",
                (at.isoformat(), submission_id),
            )

    def withhold(self, batch: Batch, rows: Sequence[Row], at: datetime) -> None:
        """Write down why nothing of a batch is sent."""
        with self._name_file_in_errors(), self._transaction() as connection:
            _set_rows(connection, rows, at, (batch.unsent_outcome,), None)
            connection.execute(
                "UPDATE batch SET state = ?, changed_at = ? WHERE submission_id = ? AND batch = ? "
                "AND state IN ('planned', 'again')",
                (batch.unsent_outcome, at.isoformat(), batch.submission_id, batch.batch),
            )

    def set_details(self, submission_id: str, details: str | None) -> None:
        """Change what only its kind understands of a submission."""
        with self._name_file_in_errors(), self._transaction() as connection:
            connection.execute("UPDATE submission SET details = ? WHERE submission_id = ?", (details, submission_id))

    def set_batch(self, batch: Batch, at: datetime, **changes: Any) -> None:
        """Change a batch."""
        with self._name_file_in_errors(), self._transaction() as connection:
            _set_batch(connection, batch, at, changes)

    def end(self, batch: Batch, at: datetime, outcome: str, message: str | None, old: str, **changes: Any) -> None:
        """Change a batch and give all rows that were sent in it one outcome, if they still have the old one."""
        with self._name_file_in_errors(), self._transaction() as connection:
            _set_batch(connection, batch, at, changes)
            connection.execute(
                "UPDATE row SET outcome = ?, message = ?, changed_at = ?, changed_by = NULL, "
                "payload = CASE WHEN ? = 'applied' THEN NULL ELSE payload END "
                "WHERE submission_id = ? AND batch = ? AND outcome = ?",
                (outcome, message, at.isoformat(), outcome, batch.submission_id, batch.batch, old),
            )

    def settle(self, batch: Batch, at: datetime, rows: Sequence[Row], **changes: Any) -> None:
        """Change a batch and the outcome of those of its rows that are pending."""
        with self._name_file_in_errors(), self._transaction() as connection:
            _set_batch(connection, batch, at, changes)
            _set_rows(connection, rows, at, ("pending",), None)

    def set_rows(self, rows: Sequence[Row], at: datetime, old: Sequence[str], made_by: str | None = None) -> None:
        """Change the outcome of rows that still have an old one, all in one transaction."""
        with self._name_file_in_errors(), self._transaction() as connection:
            _set_rows(connection, rows, at, old, made_by)

    def halve(self, batch: Batch, at: datetime) -> None:
        """Make two planned batches of one that was refused as too large; the second half becomes the last batch."""
        rows = self.rows(batch.submission_id, batch.batch)
        half = (len(rows) + 1) // 2
        with self._name_file_in_errors(), self._transaction():
            self.rebatch(rows[half:], batch.place, at)
            self.end(batch, at, "not_sent", None, "rejected", state="planned", sent_at=None, errors=None, rows=half)

    def rebatch(
        self, rows: Sequence[Row], place: str, at: datetime, state: str = "planned", sent_at: str | None = None
    ) -> int:
        """Move rows of one place into a new batch that is yet to be sent, and return its number.

        Args:
            rows: Of one submission.
            place: Of the new batch.
            at: When.
            state: "planned", or "again" for rows that stay in doubt until they are sent once more.
            sent_at: When rows in doubt were sent.
        """
        submission_id = rows[0].submission_id
        with self._name_file_in_errors(), self._transaction() as connection:
            last = connection.execute(
                "SELECT max(batch) FROM batch WHERE submission_id = ?", (submission_id,)
            ).fetchone()[0]
            connection.execute(
                "INSERT INTO batch (submission_id, batch, place, rows, state, sent_at, changed_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (submission_id, last + 1, place, len(rows), state, sent_at, at.isoformat()),
            )
            connection.executemany(
                "UPDATE row SET batch = ?, row = ?, read_back = NULL, read_back_at = NULL, changed_at = ?, "
                "changed_by = NULL, outcome = CASE WHEN ? = 'again' THEN outcome ELSE 'not_sent' END, "
                "message = CASE WHEN ? = 'again' THEN message END WHERE submission_id = ? AND item = ?",
                [(last + 1, i, at.isoformat(), state, state, submission_id, row.item) for i, row in enumerate(rows)],
            )
        return int(last) + 1

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

    def batches(self, submission_id: str) -> list[Batch]:
        """List the batches of a submission."""
        return self._select(Batch, "batch", "WHERE submission_id = ? ORDER BY batch", submission_id)

    def rows(self, submission_id: str, batch: int | None = None, outcomes: Sequence[str] = ()) -> list[Row]:
        """List the rows of a submission, or of one batch, or those with certain outcomes."""
        where = "WHERE submission_id = ?"
        values: list[Any] = [submission_id]
        if batch is not None:
            where, values = f"{where} AND batch = ?", [*values, batch]
        if outcomes:
            where, values = f"{where} AND outcome IN ({', '.join('?' * len(outcomes))})", [*values, *outcomes]
        return self._select(Row, "row", f"{where} ORDER BY {'item' if batch is None else 'row'}", *values)

    def events(self, submission_id: str) -> list[Event]:
        """List every change of the rows of a submission, oldest first."""
        return self._select(Event, "event", "WHERE submission_id = ? ORDER BY rowid", submission_id)

    def select(self, query: str, values: Sequence[Any] = ()) -> Iterator[list[tuple[Any, ...]]]:
        """Ask for tuples, some thousands at a time."""
        with self._name_file_in_errors():
            with self._lock:
                cursor = self._connection.execute(query, values)
            while True:
                with self._lock:
                    part = cursor.fetchmany(CHUNK_ROWS)
                if not part:
                    return
                yield part

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._closed = True
            self._connection.close()

    def _select(self, kind: type[Any], table: str, where: str, *values: Any) -> list[Any]:
        names = ", ".join(f'"{field.name}"' for field in fields(kind))
        query = f"SELECT {names} FROM {table} {where}"  # noqa: S608 - our own names
        return [kind(*found) for part in self.select(query, values) for found in part]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; one inside another is a part of it."""
        with self._lock:
            connection = self._connection
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                self._end_transaction("ROLLBACK")
                raise
            self._end_transaction("COMMIT")

    def _end_transaction(self, word: str) -> None:
        """End a transaction that may have ended by itself."""
        if self._connection.in_transaction:
            self._connection.execute(word)

    @contextmanager
    def _name_file_in_errors(self) -> Iterator[None]:
        """Name the file in every error of it."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if self._closed:
                raise JournalError(
                    "The client of this submission is closed: connect again, and open_submission() goes on with it."
                ) from None
            raise JournalError(
                f"The journal {self.path} can't be used ({error}): make its folder writable and its disk roomy, or move "
                "a damaged file away and keep it."
            ) from None


def _set_batch(connection: sqlite3.Connection, batch: Batch, at: datetime, changes: dict[str, Any]) -> None:
    changes = {**changes, "changed_at": at.isoformat()}
    assignments = ", ".join(f"{name} = ?" for name in changes)
    connection.execute(
        f"UPDATE batch SET {assignments} WHERE submission_id = ? AND batch = ?",  # noqa: S608 - our own names
        (*changes.values(), batch.submission_id, batch.batch),
    )


def _set_rows(
    connection: sqlite3.Connection, rows: Sequence[Row], at: datetime, old: Sequence[str], made_by: str | None
) -> None:
    """Change what became of rows, where it still is what it was taken for."""
    connection.executemany(
        "UPDATE row SET outcome = ?, message = ?, read_back = ?, read_back_at = ?, changed_at = ?, changed_by = ?, "  # noqa: S608 - marks only
        "payload = CASE WHEN ? = 'applied' THEN NULL ELSE payload END "
        f"WHERE submission_id = ? AND item = ? AND batch = ? AND outcome IN ({', '.join('?' * len(old))})",
        [
            (row.outcome, row.message, row.read_back, row.read_back_at, at.isoformat(), made_by, row.outcome,
             row.submission_id, row.item, row.batch, *old)
            for row in rows
        ],
    )  # fmt: skip
