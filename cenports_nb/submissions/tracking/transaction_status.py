"""What Cenports says of a transaction, and what that means for the rows of its batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from cenports_nb.api.models import Transaction
from cenports_nb.errors import UnexpectedAnswerError
from cenports_nb.submissions.journal.models import Batch, Row
from cenports_nb.submissions.journal.store import Journal

FINAL_STATES = {"COMPLETED": "completed", "FAILED": "failed"}
"""Cenports' last words and the state they end in; every other word, known or not, means: still under way."""


def read_transaction(body: bytes, what: str) -> Transaction:
    """Read a transaction, bare or in an envelope's `data`.

    Raises:
        UnexpectedAnswerError: It has no handle.
    """
    try:
        found: Any = msgspec.json.decode(body)
        if isinstance(found, dict) and "handle" not in found and isinstance(found.get("data"), dict):
            found = found["data"]
        transaction = msgspec.convert(found, Transaction, strict=False)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UnexpectedAnswerError(
            f"{what} was answered without a transaction ({error}): ask Cenports' integration team."
        ) from None
    if not str(transaction.handle).strip():
        raise UnexpectedAnswerError(f"{what} was answered with an empty handle: ask Cenports' integration team.")
    transaction.submitted_at, transaction.completed_at = (
        _format_utc(transaction.submitted_at),
        _format_utc(transaction.completed_at),
    )
    return transaction


def record_transaction(journal: Journal, batch: Batch, transaction: Transaction, at: datetime) -> bool:
    """Write down one answer: the batch's status and, at its end, the outcome of each row; tell if it has ended."""
    status = transaction.status.strip().upper() or "UNKNOWN"
    state = FINAL_STATES.get(status, "accepted")
    rows = journal.rows(batch.submission_id, batch.batch, ("pending",))
    journal.settle(
        batch,
        at,
        decide_outcomes(state, transaction.errors, rows, batch.rows),
        state=state,
        status=status,
        completed_at=transaction.completed_at,
        last_polled_at=at.isoformat(),
        errors=None if transaction.errors is None else msgspec.json.encode(transaction.errors).decode(),
    )
    return state != "accepted"


def decide_outcomes(state: str, errors: Any, rows: Sequence[Row], sent: int) -> list[Row]:
    """Decide what the end of a transaction says of each row; one not named in a failure is unconfirmed.

    Args:
        state: completed or failed; nothing is decided before.
        errors: What Cenports objects to, in any shape.
        rows: The rows that wait for it.
        sent: How many rows were sent.
    """
    if state not in ("completed", "failed"):
        return []
    named, unnamed = group_errors_by_row(errors, sent)
    if state == "completed":
        return [
            replace(row, outcome="rejected", message=named[row.row])
            if row.row in named
            else replace(row, outcome="applied", message=None)
            for row in rows
        ]
    rest = " ".join(
        ["The transaction failed, and this row is not named: verify() looks at what is there now.", *unnamed]
    )
    return [
        replace(row, outcome="rejected", message=named[row.row])
        if row.row in named
        else replace(row, outcome="unconfirmed", message=rest)
        for row in rows
    ]


def group_errors_by_row(errors: Any, rows: int) -> tuple[dict[int, str], list[str]]:
    """Sort the errors of a failed transaction by row, in every shape that is known.

    Lists of `{index, message}`, of `[index, message]` or of text, an object of index to message(s), one
    text. What names no row, or one that does not exist, applies to all.
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
    named: dict[int, str] = {}
    unnamed: list[str] = []
    for index, message in found:
        text = " ".join(map(str, message)) if isinstance(message, list) else str(message)
        place = _parse_index(index)
        if place is not None and 0 <= place < rows:
            named[place] = f"{named[place]} {text}" if place in named else text
        else:
            unnamed.append(text if place is None and index is None else f"{index}: {text}")
    return named, unnamed


def _parse_index(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        return int(str(value))
    except ValueError:
        return None


def _format_utc(value: Any) -> str | None:
    """Keep a time of Cenports as ISO 8601 in UTC; one that can't be read (PHP's year 0) says nothing."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)).isoformat()
