"""Settle rows on a person's word, with the person's name and reason in the journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.choices import check_choice
from cenports_nb.rendering.surface import name_parameter
from cenports_nb.submissions.evidence.verify import end_settled_batches
from cenports_nb.submissions.journal.row_updates import RowChange
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.journal.write_kinds import get_write_kind
from cenports_nb.submissions.ports import Gateway
from cenports_nb.submissions.rules.models import Head, Row, get_user_name
from cenports_nb.submissions.rules.states import RESOLVABLE_OUTCOMES, RESOLVED_OUTCOMES


def resolve(gateway: Gateway, journal: Journal, head: Head, rows: Any, outcome: str, note: str) -> None:
    """Close rows on a person's word.

    `rows` is a part of its outcomes, or SKUs (order numbers) as text, one or several.

    Raises:
        InvalidRequestError: Another outcome, no note, or rows that are settled or not in the submission.
    """
    check_choice("outcome", outcome, RESOLVED_OUTCOMES)
    if not isinstance(note, str) or not note.strip():
        raise InvalidRequestError(f"{name_parameter('note')} is empty: say how you know, and who looked.")
    _refuse_other_submissions(rows, head.submission_id)
    chosen = _find_rows(journal.rows(head.submission_id), rows, get_write_kind(head).key_columns)
    _refuse_settled([row for row in chosen if row.outcome not in RESOLVABLE_OUTCOMES])
    message = f"{get_user_name()} says: {note.strip()}"
    changes = [RowChange(row.item, f"resolve_{outcome}", {"message": message}) for row in chosen]
    journal.change_rows(head.submission_id, changes, gateway.now(), get_user_name())
    end_settled_batches(gateway, journal, head, {row.batch for row in chosen})


def _refuse_other_submissions(rows: Any, submission_id: str) -> None:
    """Refuse outcomes of another submission: a batch and a row number mean other rows there."""
    if isinstance(rows, pd.DataFrame) and "submission_id" in rows.columns:
        others = rows.loc[(rows["submission_id"] != submission_id).fillna(value=True).to_numpy(bool), "submission_id"]
        if len(others):
            raise InvalidRequestError(
                f"rows has outcomes of submission {others.iloc[0]}, not only of {submission_id}; nothing was resolved."
            )


def _refuse_settled(settled: Sequence[Row]) -> None:
    if not settled:
        return
    first = settled[0]
    if first.outcome == "sending":
        raise InvalidRequestError(
            f"{_describe_row(first)} is being sent at this moment: wait until it was, then resolve it."
        )
    raise InvalidRequestError(
        f"{len(settled)} of the rows are settled by evidence, the first {_describe_row(first)}: {first.outcome}. "
        "Leave them out; what is wrong now is a new correction."
    )


def _find_rows(known: Sequence[Row], rows: Any, key: Sequence[str]) -> list[Row]:
    """Find the rows that the argument names."""
    if isinstance(rows, pd.DataFrame):
        own = [name for name in key if name in rows.columns]  # a batch that was halved has other rows since
        names = ["batch", "row", *own] if {"batch", "row"} <= set(rows.columns) else list(key)
        lacking = [name for name in names if name not in rows.columns]
        if lacking:
            raise InvalidRequestError(f"rows lacks {', '.join(lacking)}: pass a part of .outcomes.")
        wanted = list(rows[names].itertuples(index=False, name=None))
    elif isinstance(rows, Iterable):
        names = [key[-1]]
        wanted = [(name,) for name in ([rows] if isinstance(rows, str) else rows)]
    else:
        raise InvalidRequestError(f"rows={rows!r} names no rows: pass a part of .outcomes.")
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
