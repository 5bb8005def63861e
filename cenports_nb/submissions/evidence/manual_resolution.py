"""Settle rows that no evidence settles by a person's word: in the journal, with who said it and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.submissions.journal.models import Head, Row, get_user_name
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.journal.write_kinds import get_write_kind

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

RESOLVED_OUTCOMES = ("applied", "not_applied", "rejected")
"""What a person can say of a row."""

RESOLVABLE_OUTCOMES = ("pending", "in_doubt", "unconfirmed", "held", "not_sent")
"""What a person can say something of; the other outcomes rest on evidence."""


def resolve(client: Client, journal: Journal, head: Head, rows: Any, outcome: str, note: str) -> None:
    """Close rows with a person's word.

    Args:
        client: Whose clock is read, and whose cache learns that a write has ended.
        journal: Where the submission is.
        head: The submission.
        rows: A part of its outcomes, or SKUs (order numbers) as text, one or several.
        outcome: "applied", "not_applied" or "rejected".
        note: Why, for whoever asks later.

    Raises:
        InvalidRequestError: An outcome that nobody can say, no note, or rows that are settled or not there.
    """
    if outcome not in RESOLVED_OUTCOMES:
        raise InvalidRequestError(f"outcome={outcome!r} must be one of {', '.join(map(repr, RESOLVED_OUTCOMES))}.")
    if not isinstance(note, str) or not note.strip():
        raise InvalidRequestError("resolve() needs a note: how do you know, and who looked?")
    chosen = _find_rows(journal.rows(head.submission_id), rows, get_write_kind(head).key_columns)
    settled = [row for row in chosen if row.outcome not in RESOLVABLE_OUTCOMES]
    if settled:
        raise InvalidRequestError(
            f"{len(settled)} of the rows are settled by evidence, the first {_describe_row(settled[0])}: {settled[0].outcome}. "
            "Leave them out; what is wrong now is a new correction."
        )
    message = f"{get_user_name()} says: {note.strip()}"
    closed = [replace(row, outcome=outcome, message=message) for row in chosen]
    journal.set_rows(closed, client.clock.now(), RESOLVABLE_OUTCOMES, get_user_name())
    unsettled = {row.batch for row in journal.rows(head.submission_id, outcomes=("pending", "in_doubt", "unconfirmed"))}
    for batch in journal.batches(head.submission_id):
        if batch.batch not in unsettled and any(row.batch == batch.batch for row in chosen):
            client.write_ended(batch.write_id)


def _find_rows(known: Sequence[Row], rows: Any, key: Sequence[str]) -> list[Row]:
    """Find the rows that are meant."""
    if isinstance(rows, pd.DataFrame):
        names = ["batch", "row"] if {"batch", "row"} <= set(rows.columns) else list(key)
        lacking = [name for name in names if name not in rows.columns]
        if lacking:
            raise InvalidRequestError(f"rows lacks {', '.join(lacking)}: pass a part of .outcomes.")
        wanted = list(rows[names].itertuples(index=False, name=None))
    else:
        names = [key[-1]]
        wanted = [(name,) for name in ([rows] if isinstance(rows, str) else rows)]
    by_name: dict[tuple[Any, ...], list[Row]] = {}
    for row in known:
        by_name.setdefault(tuple(getattr(row, name) for name in names), []).append(row)
    if not wanted:
        raise InvalidRequestError("rows is empty: nothing was resolved.")
    for name in wanted:
        found = len(by_name.get(name, ()))
        if found != 1:
            there = "is not in this submission" if not found else f"is in it {found} times: pass a part of .outcomes"
            raise InvalidRequestError(f"{', '.join(map(str, name))} {there}; nothing was resolved.")
    return [by_name[name][0] for name in wanted]


def _describe_row(row: Row) -> str:
    return f"{row.product_sku} in {row.warehouse_code}" if row.product_sku else str(row.order_no)
