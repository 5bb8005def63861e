"""What Cenports says about a transaction, and what that means for the rows of its batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from cenports_nb.submissions.rules.models import Row

OPEN_STATUSES = frozenset({
    "QUEUED", "PROCESSING", "PENDING", "ACCEPTED", "RECEIVED", "SUBMITTED", "RUNNING", "STARTED", "IN_PROGRESS", "WAITING",
})  # fmt: skip
"""Statuses of an unfinished transaction. The reference has the first two."""

FINAL_WORD_STEMS = (
    "COMPLET", "FAIL", "CANCEL", "ERROR", "REJECT", "ABORT", "DONE", "SUCC", "FINISH", "PARTIAL", "EXPIR", "TIMEOUT",
    "TIMED_OUT", "REFUS", "INVALID",
)  # fmt: skip
"""Word stems that an unfinished transaction would not have."""

BatchEnd = Literal["completed", "failed", "ended"]
"""How a batch ends: `ended` with an unknown status, which proves nothing."""

FAILED_MESSAGE = "The transaction failed, and this row is not named: verify it against the stock."
UNNAMED_MESSAGE = "The transaction completed with errors that name no row of it: verify it against the stock."
ENDED_MESSAGE = "The transaction ended with a status that is not documented: verify it against the stock."


class RowEvent(NamedTuple):
    """What happened to one row: an event of `states.ROW_TRANSITIONS`."""

    item: int
    event: str
    message: str | None


@dataclass(frozen=True)
class Judgement:
    """What one answer says about a batch.

    Attributes:
        end: How it has ended; None if it has not.
        events: What happened to each of its rows; empty if it has not ended.
    """

    end: BatchEnd | None
    events: tuple[RowEvent, ...] = ()


def judge_transaction(
    status: str, completed_at: str | None, errors: Any, rows: Sequence[Row], sent: int, *, is_settled: bool
) -> Judgement:
    """Decide what an answer says about the pending rows.

    `sent` is the number of rows that were sent; `is_settled` is whether it must have ended by now, by every clock.
    """
    end = _find_end(status, completed_at, errors, is_settled=is_settled)
    if end is None:
        return Judgement(None)
    named, unnamed = group_errors_by_row(errors, sent)
    if end == "ended":
        message = " ".join([f"{ENDED_MESSAGE[:-1]} ({status}).", *named.values(), *unnamed])
        return Judgement(end, tuple(RowEvent(row.item, "fail", message) for row in rows))
    rest = "fail", " ".join([UNNAMED_MESSAGE if end == "completed" else FAILED_MESSAGE, *unnamed])
    others = ("complete", None) if end == "completed" and not unnamed else rest
    events = (("name", named[row.row]) if row.row in named else others for row in rows)
    return Judgement(end, tuple(RowEvent(row.item, *event) for row, event in zip(rows, events, strict=True)))


def _find_end(status: str, completed_at: str | None, errors: Any, *, is_settled: bool) -> BatchEnd | None:
    """Return how a transaction has ended; None if it has not."""
    if status == "COMPLETED":
        return "completed"
    if status == "FAILED":
        return "failed"
    word = status.replace(" ", "_").replace("-", "_")
    if word in OPEN_STATUSES:
        return None
    looks_final = completed_at is not None or bool(errors) or any(stem in word for stem in FINAL_WORD_STEMS)
    return "ended" if looks_final or is_settled else None


def group_errors_by_row(errors: Any, rows: int) -> tuple[dict[int, str], list[str]]:
    """Group the errors of a transaction by row, in every known format.

    Formats are lists of `{index, message}`, of `[index, message]` or of text, an object of index to message(s), or one
    text. If an index names a row that was not sent, rows are not counted from 0, and no index says which row it means.

    Returns:
        The errors of each row, and those that name none.
    """
    named: dict[int, str] = {}
    unnamed: list[str] = []
    is_misnumbered = False
    for index, message in _list_errors(errors):
        text = " ".join(map(str, message)) if isinstance(message, list) else str(message)
        position = _parse_index(index)
        if position is not None and 0 <= position < rows:
            named[position] = f"{named[position]} {text}" if position in named else text
        else:
            is_misnumbered = is_misnumbered or position is not None
            unnamed.append(text if position is None and index is None else f"{index}: {text}")
    if is_misnumbered:
        return {}, [*(f"{position}: {text}" for position, text in named.items()), *unnamed]
    return named, unnamed


def _list_errors(errors: Any) -> list[tuple[Any, Any]]:
    """List errors of any format as index and message; the index is None if there is none.

    Without both, such as in `""` and `[null]`, there is no error.
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
    else:
        found = [(None, errors)]
    return [(index, message) for index, message in found if index is not None or not _is_blank(message)]


def _is_blank(message: Any) -> bool:
    """Return whether a message says nothing."""
    return message is None or message == [] or (isinstance(message, str) and not message.strip())


def _parse_index(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        return int(str(value))
    except ValueError:
        return None
