"""The journal: every submission of this machine, with each batch and row, in one SQLite file.

A whole submission is written in one unit of work before its first byte is sent. Just before a batch is sent its rows become
`sending`, and right after the answer they become what the answer says, so the journal is right even if the process is killed
in between. Every change of a state names the state that it replaces, so that two processes that write at once don't undo
each other's changes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from msgspec.structs import astuple, replace

from cenports_nb.errors import JournalError
from cenports_nb.rendering.surface import name_submission_list
from cenports_nb.submissions.journal.file import CHUNK_ROWS, JournalFile
from cenports_nb.submissions.journal.row_updates import (
    RowChange,
    change_batch,
    change_rows,
    change_rows_of_batch,
    insert_batch,
)
from cenports_nb.submissions.rules.decide import Decision
from cenports_nb.submissions.rules.models import Batch, Head, Row
from cenports_nb.submissions.rules.moments import Moment

HANDLE_SQL = """
SELECT batch.submission_id, batch.batch FROM batch JOIN submission USING (submission_id)
WHERE handle IS NOT NULL AND lower(handle) = lower(?) AND account = (SELECT account FROM submission WHERE submission_id = ?)
"""


class RowsChangedError(Exception):
    """Rows changed since it was decided what to do with them; nothing was written."""


class Journal(JournalFile):
    """The recorded submissions, and all ways to change them."""

    def add(self, head: Head, batches: Sequence[Batch], rows: Iterable[Row]) -> None:
        """Record a whole submission, or nothing; rows are consumed one by one."""

        def work(connection: sqlite3.Connection) -> None:
            for table, kind, values in (("submission", Head, [head]), ("batch", Batch, batches), ("row", Row, rows)):
                names = kind.__struct_fields__
                remaining = iter(values)
                while part := list(islice(remaining, CHUNK_ROWS)):
                    marks = ", ".join("?" * len(names))
                    columns = ", ".join(f'"{name}"' for name in names)
                    connection.executemany(
                        f"INSERT INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608 - our own names
                        [astuple(value) for value in part],
                    )
            # Not by a trigger, which would make a million rows a third slower; unsent rows have no history yet.
            connection.execute(
                "INSERT INTO event SELECT submission_id, ?, item, batch, row, outcome, message, NULL FROM row "
                "WHERE submission_id = ? AND outcome <> 'not_sent' ORDER BY item",
                (head.created_at, head.submission_id),
            )

        self.write_unit(work)

    def claim(self, batch: Batch, rows: Sequence[Row], decision: Decision, at: Moment) -> Batch | None:
        """Record what was decided about a batch's rows, and that some of them are about to be sent.

        Rows that are sent become `sending`. If they or their batch were sent before, they are sent in a new batch, because
        a batch has one transaction.

        Returns:
            The batch to send; None if nothing is sent.

        Raises:
            RowsChangedError: A row changed since it was read; nothing was written.
        """
        when = at.wall.isoformat()
        read = {row.item: row for row in rows}

        def work(connection: sqlite3.Connection) -> Batch | None:
            query = "SELECT item, outcome FROM row WHERE submission_id = ? AND batch = ?"
            outcomes = dict(connection.execute(query, (batch.submission_id, batch.batch)))
            if any(outcomes.get(row.item) != row.outcome for row in rows):
                raise RowsChangedError
            unsent = (("confirm", decision.confirm), ("drop", decision.drop), (None, decision.withhold))
            changes = [
                RowChange(row.item, event, _list_changes(read[row.item], row))
                for event, decided in unsent
                for row in decided
            ]
            change_rows(connection, batch.submission_id, changes, when)
            if not decision.send:
                change_batch(connection, batch, "withhold", "not_sent", when)
                return None
            claimed = _claim_batch(connection, batch, len(decision.send), at)
            if claimed.batch == batch.batch:
                _place_last(connection, batch, [row.item for row in decision.send])
            changes = [
                RowChange(row.item, "claim", _list_changes(read[row.item], row, batch=claimed.batch, row=position))
                for position, row in enumerate(decision.send)
            ]
            change_rows(connection, batch.submission_id, changes, when)
            return claimed

        return self.write_unit(work)

    def record_answer(self, batch: Batch, event: str, message: str | None, at: Moment, **values: Any) -> None:
        """Record what the answer to a batch says about all its rows: acknowledge, refuse, return or lose."""
        new = {"acknowledge": "completed", "refuse": "rejected", "return": "not_sent"}
        when = at.wall.isoformat()

        def work(connection: sqlite3.Connection) -> None:
            change_batch(connection, batch, event, new.get(event, "in_doubt"), when, **values)
            change_rows_of_batch(connection, batch, event, when, message=message)

        self.write_unit(work)

    def record_acceptance(self, batch: Batch, handle: str, message: str, at: Moment, **values: Any) -> bool:
        """Record the transaction of a batch, unless another batch has it: then it is unknown whose it is.

        The message is for the rows of both batches, if the handle is not new; the values are columns of the batch.

        Returns:
            Whether the handle is new.
        """
        when = at.wall.isoformat()

        def work(connection: sqlite3.Connection) -> bool:
            others = connection.execute(HANDLE_SQL, (handle, batch.submission_id)).fetchall()
            for submission_id, number in others:
                other = replace(batch, submission_id=submission_id, batch=number)
                if change_batch(connection, other, "end", "ended", when):
                    change_rows_of_batch(connection, other, "fail", when, message=message)
            if others:
                change_batch(connection, batch, "lose", "in_doubt", when)
                change_rows_of_batch(connection, batch, "lose", when, message=message)
                return False
            change_batch(connection, batch, "accept", "accepted", when, handle=handle, **values)
            change_rows_of_batch(connection, batch, "accept", when, message=None)
            return True

        return self.write_unit(work)

    def record_poll(
        self, batch: Batch, end: str | None, changes: Sequence[RowChange], at: Moment, **values: Any
    ) -> None:
        """Record Cenports' answer about a transaction: how it ended, if it has, and the outcomes of its rows."""
        when = at.wall.isoformat()

        def work(connection: sqlite3.Connection) -> None:
            if end is None:
                names = ", ".join(f"{name} = ?" for name in values)
                connection.execute(
                    f"UPDATE batch SET {names}, changed_at = ? "  # noqa: S608 - our own names
                    "WHERE submission_id = ? AND batch = ? AND state = 'accepted'",
                    (*values.values(), when, batch.submission_id, batch.batch),
                )
            elif change_batch(connection, batch, "end", end, when, **values):
                change_rows(connection, batch.submission_id, changes, when)

        self.write_unit(work)

    def close_crashed(self, submission_id: str, at: Moment) -> None:
        """Mark as in doubt what a dead process was sending; the caller holds the right to send.

        Its request was sent before now, so now counts as the time of sending.
        """
        when = at.wall.isoformat()

        def work(connection: sqlite3.Connection) -> None:
            found = connection.execute(
                "SELECT batch FROM batch WHERE submission_id = ? AND state = 'sending'", (submission_id,)
            ).fetchall()
            for (number,) in found:
                batch = Batch(submission_id, number, "", 0)
                change_batch(connection, batch, "crash", "in_doubt", when, **list_sent_values(at))
                change_rows_of_batch(connection, batch, "crash", when)

        self.write_unit(work)

    def has_sending(self, submission_id: str) -> bool:
        """Return whether a batch of a submission is being sent, or was when its process ended."""
        query = "SELECT 1 FROM batch WHERE submission_id = ? AND state = 'sending' LIMIT 1"
        return bool(self.select_all(query, submission_id))

    def stamp(self, batch: Batch, at: Moment) -> None:
        """Record that a batch's request was sent before this moment."""
        values = list_sent_values(at)
        self.write_unit(
            lambda connection: connection.execute(
                f"UPDATE batch SET {', '.join(f'{name} = ?' for name in values)} "  # noqa: S608 - our own names
                "WHERE submission_id = ? AND batch = ?",
                (*values.values(), batch.submission_id, batch.batch),
            )
        )

    def split(self, batch: Batch, at: Moment) -> list[Batch]:
        """Split a batch that was refused as too large into two, with the rows of its request."""
        when = at.wall.isoformat()

        def work(connection: sqlite3.Connection) -> list[Batch]:
            query = "SELECT item FROM row WHERE submission_id = ? AND batch = ? AND outcome = 'sending' ORDER BY row"
            items = [item for (item,) in connection.execute(query, (batch.submission_id, batch.batch))]
            half = (len(items) + 1) // 2
            change_batch(connection, batch, "split", "planned", when, rows=half, sent_at=None, errors=None)
            number = _find_last_batch(connection, batch.submission_id) + 1
            second = Batch(batch.submission_id, number, batch.place, len(items) - half)
            insert_batch(connection, second, when)
            moved = {"batch": number, "message": None}
            changes = [RowChange(item, "return", {"message": None}) for item in items[:half]]
            changes += [RowChange(item, "return", {**moved, "row": i}) for i, item in enumerate(items[half:])]
            change_rows(connection, batch.submission_id, changes, when)
            return [replace(batch, state="planned", rows=half, sent_at=None), second]

        return self.write_unit(work)

    def change_rows(
        self, submission_id: str, changes: Sequence[RowChange], at: Moment, made_by: str | None = None
    ) -> int:
        """Change rows in one unit of work; return how many rows were in a fitting state."""
        when = at.wall.isoformat()
        return self.write_unit(lambda connection: change_rows(connection, submission_id, changes, when, made_by))

    def hold(self, submission_id: str, message: str, at: Moment) -> None:
        """Close the unsent rows of a submission for good."""
        when = at.wall.isoformat()

        def work(connection: sqlite3.Connection) -> None:
            for batch in _select(connection, Batch, "batch", "WHERE submission_id = ?", submission_id):
                change_batch(connection, batch, "hold", "held", when)
                change_rows_of_batch(connection, batch, "hold", when, message=message)

        self.write_unit(work)

    def set_details(self, submission_id: str, details: str | None) -> None:
        """Replace the details of a submission, which only its kind understands."""
        self.write_unit(
            lambda connection: connection.execute(
                "UPDATE submission SET details = ? WHERE submission_id = ?", (details, submission_id)
            )
        )

    def position(self) -> int:
        """Return the number of the last recorded change; later ones have higher numbers."""
        query = "SELECT coalesce(max(rowid), 0) FROM event"
        return int(self.read_unit(lambda connection: connection.execute(query).fetchone()[0]))

    def head(self, submission_id: str) -> Head:
        """Return one submission.

        Raises:
            JournalError: It is not in this journal.
        """
        found: list[Head] = self._select(Head, "submission", "WHERE submission_id = ?", submission_id)
        if not found:
            raise JournalError(
                f"There is no submission {submission_id!r} in {self.path}: {name_submission_list()} shows those that are."
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

    def _select(self, kind: type[Any], table: str, where: str, *values: Any) -> list[Any]:
        return self.read_unit(lambda connection: _select(connection, kind, table, where, *values))


def list_sent_values(at: Moment) -> dict[str, Any]:
    """Return the columns of a batch that say when its request was sent."""
    return {
        "sent_at": at.wall.isoformat(),
        "sent_server_at": at.server.isoformat() if at.server else None,
        "sent_monotonic": at.monotonic,
        "sent_process": at.process,
    }


def _select(connection: sqlite3.Connection, kind: type[Any], table: str, where: str, *values: Any) -> list[Any]:
    query = f"SELECT {_COLUMNS[kind]} FROM {table} {where}"  # noqa: S608 - our own names
    return [kind(*found) for found in connection.execute(query, values)]


_COLUMNS = {kind: ", ".join(f'"{name}"' for name in kind.__struct_fields__) for kind in (Head, Batch, Row)}


def _claim_batch(connection: sqlite3.Connection, batch: Batch, rows: int, at: Moment) -> Batch:
    """Mark a batch as being sent: this one, or a new one if it was sent before."""
    sent = list_sent_values(at)
    when = at.wall.isoformat()
    if change_batch(connection, batch, "claim", "sending", when, rows=rows, errors=None, **sent):
        return replace(batch, state="sending", rows=rows, errors=None, **sent)
    number = _find_last_batch(connection, batch.submission_id) + 1
    claimed = Batch(batch.submission_id, number, batch.place, rows)
    insert_batch(connection, claimed, when)
    change_batch(connection, claimed, "claim", "sending", when, **sent)
    return replace(claimed, state="sending", **sent)


def _place_last(connection: sqlite3.Connection, batch: Batch, sent: Sequence[int]) -> None:
    """Number the rows of a batch that are not sent after the others, because errors name rows by their position."""
    query, leaving = "SELECT item FROM row WHERE submission_id = ? AND batch = ? ORDER BY row", set(sent)
    items = connection.execute(query, (batch.submission_id, batch.batch)).fetchall()
    others = [item for (item,) in items if item not in leaving]
    connection.executemany(
        "UPDATE row SET row = ? WHERE submission_id = ? AND item = ?",
        [(len(sent) + i, batch.submission_id, item) for i, item in enumerate(others)],
    )


def _find_last_batch(connection: sqlite3.Connection, submission_id: str) -> int:
    (found,) = connection.execute("SELECT max(batch) FROM batch WHERE submission_id = ?", (submission_id,)).fetchone()
    return int(found)


def _list_changes(read: Row, decided: Row, **places: int) -> dict[str, Any]:
    """List the columns that a decision changes, which are few: most rows are sent as they were planned."""
    names = (
        "quantity", "current_quantity", "open_quantity", "before_quantity", "before_at", "before_position", "message",
        "read_back", "read_back_at",
    )  # fmt: skip
    changes = {name: new for name in names if (new := getattr(decided, name)) != getattr(read, name)}
    return changes | {name: place for name, place in places.items() if place != getattr(read, name)}
