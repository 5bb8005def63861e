"""Follow transactions: what Cenports says of a batch, and what that means for its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from cenports_nb.api.records import Transaction
from cenports_nb.errors import (
    AuthenticationError,
    CenportsError,
    RateLimitedError,
    UnexpectedAnswerError,
)
from cenports_nb.transactions.journal import Batch, Journal, Row

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

FINAL = {"COMPLETED": "completed", "FAILED": "failed"}
"""Cenports' last words and the state they end in; every other word, known or not, means: still under way."""

FIRST_POLL_S, LONGEST_POLL_S, GROWTH = 2.0, 30.0, 1.5


@dataclass(frozen=True)
class BatchView:
    """One batch as people see it."""

    batch: int
    warehouse_code: str
    rows: int
    status: str
    handle: str | None
    submitted_at: datetime | None
    completed_at: datetime | None
    outcomes: Mapping[str, int]
    messages: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Snapshot:
    """One submission at one moment; the tracker and every text view draw from it.

    Attributes:
        at: When it was taken, UTC.
        settled: Whether no row is pending any more.
    """

    submission_id: str
    at: datetime
    batches: tuple[BatchView, ...]
    settled: bool

    def count(self, outcome: str) -> int:
        """Rows with this outcome."""
        return sum(batch.outcomes.get(outcome, 0) for batch in self.batches)


Listener = Callable[[Snapshot], None]


def read_transaction(body: bytes, what: str) -> Transaction:
    """Read a transaction, bare or in an envelope's `data`.

    Raises:
        UnexpectedAnswerError: It has no handle.
    """
    try:
        found: Any = msgspec.json.decode(body)
        if isinstance(found, dict) and "handle" not in found and isinstance(found.get("data"), dict):
            found = found["data"]
        heard = msgspec.convert(found, Transaction, strict=False)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UnexpectedAnswerError(
            f"{what} was answered without a transaction ({error}): ask Cenports' integration team."
        ) from None
    if not str(heard.handle).strip():
        raise UnexpectedAnswerError(f"{what} was answered with an empty handle: ask Cenports' integration team.")
    heard.submitted_at, heard.completed_at = _iso(heard.submitted_at), _iso(heard.completed_at)
    return heard


def poll(client: Client, journal: Journal, submission_id: str) -> None:
    """Ask once for every open transaction of a submission, and write down what is new.

    Raises:
        CenportsError: An answer could not be had; the others were asked for all the same.
    """
    failed: CenportsError | None = None
    for batch in journal.batches(submission_id):
        if batch.state == "accepted" and batch.handle:
            try:
                answer = client.get("/transaction", {"handle": batch.handle})
                heard = read_transaction(answer.body, "GET /transaction")
            except (AuthenticationError, RateLimitedError):
                raise
            except CenportsError as error:
                failed = failed or error
            else:
                settle(client, journal, batch, heard, answer.at)
    if failed:
        raise failed


def settle(client: Client, journal: Journal, batch: Batch, heard: Transaction, at: datetime) -> None:
    """Write down one answer: the batch's status and, at its end, the outcome of each row."""
    status = heard.status.strip().upper() or "UNKNOWN"
    state = FINAL.get(status, "accepted")
    rows = journal.rows(batch.submission_id, batch.batch)
    journal.set_batch(
        batch.submission_id,
        batch.batch,
        outcomes=outcomes_of(state, heard.errors, rows),
        state=state,
        status=status,
        completed_at=heard.completed_at,
        last_polled_at=at.isoformat(),
        errors=None if heard.errors is None else msgspec.json.encode(heard.errors).decode(),
    )
    if state != "accepted":
        client.write_ended(f"{batch.submission_id}/{batch.batch}")


def outcomes_of(state: str, errors: Any, rows: Sequence[Row]) -> list[Row]:
    """Decide what the end of a transaction says of each row; one not named in a failure is unconfirmed."""
    if state not in ("completed", "failed"):
        return []
    by_row, of_all = errors_by_row(errors, len(rows))
    if state == "completed":
        return [
            replace(row, outcome="rejected", message=by_row[row.row])
            if row.row in by_row
            else replace(row, outcome="applied", message=None)
            for row in rows
        ]
    rest = " ".join(["The transaction failed, and this row is not named: verify() reads the stock.", *of_all])
    return [
        replace(row, outcome="rejected", message=by_row[row.row])
        if row.row in by_row
        else replace(row, outcome="unconfirmed", message=rest)
        for row in rows
    ]


def errors_by_row(errors: Any, rows: int) -> tuple[dict[int, str], list[str]]:
    """Sort the errors of a failed transaction by row, in every shape that is known.

    Lists of `{index, message}`, of `[index, message]` or of text, an object of index to message(s), one
    text. What names no row, or one that does not exist, is told of all.
    """
    found: list[tuple[Any, Any]] = []
    if isinstance(errors, Mapping):
        found = [(errors.get("index"), errors["message"])] if "message" in errors else list(errors.items())
    elif isinstance(errors, list):
        for item in errors:
            if isinstance(item, Mapping) and "message" in item:
                found.append((item.get("index"), item["message"]))
            elif isinstance(item, Mapping):
                found += item.items()
            elif isinstance(item, list) and len(item) == 2 and not isinstance(item[0], list | dict):
                found.append((item[0], item[1]))
            else:
                found.append((None, item))
    elif errors is not None:
        found = [(None, errors)]
    by_row: dict[int, str] = {}
    of_all: list[str] = []
    for index, message in found:
        text = " ".join(map(str, message)) if isinstance(message, list) else str(message)
        place = _index(index)
        if place is not None and 0 <= place < rows:
            by_row[place] = f"{by_row[place]} {text}" if place in by_row else text
        else:
            of_all.append(text if place is None and index is None else f"{index}: {text}")
    return by_row, of_all


def _index(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        return int(str(value))
    except ValueError:
        return None


def snapshot(journal: Journal, submission_id: str, at: datetime) -> Snapshot:
    """Take a picture of a submission from the journal."""
    by_batch: dict[int, list[Row]] = {}
    for row in journal.rows(submission_id):
        by_batch.setdefault(row.batch, []).append(row)
    views = tuple(_view(batch, by_batch.get(batch.batch, [])) for batch in journal.batches(submission_id))
    return Snapshot(submission_id, at, views, not any(view.outcomes.get("pending") for view in views))


def _view(batch: Batch, rows: Sequence[Row]) -> BatchView:
    outcomes: dict[str, int] = {}
    for row in rows:
        outcomes[row.outcome] = outcomes.get(row.outcome, 0) + 1
    messages = tuple((row.product_sku, row.message) for row in rows if row.message and row.outcome != "applied")
    return BatchView(
        batch.batch,
        batch.warehouse_code,
        len(rows),
        batch.status or batch.state.upper(),
        batch.handle,
        _time(batch.submitted_at),
        _time(batch.completed_at),
        outcomes,
        messages,
    )


def _iso(value: Any) -> str | None:
    """Keep a time of Cenports as ISO 8601 in UTC; one that can't be read (PHP's year 0) says nothing."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)).isoformat()


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
