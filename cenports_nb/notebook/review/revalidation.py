"""Objections and stock changes between planning and sending: deselected rows, and messages for the person."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.notebook.review.decision import Decision, deselect
from cenports_nb.notebook.review.review_table import ReviewTable, add_objections, find_rows
from cenports_nb.rendering.text import format_count
from cenports_nb.submissions.final_rows import describe_moves
from cenports_nb.submissions.objections import is_blocking

NOTHING_SENT = "Nothing was sent."


@dataclass(frozen=True)
class Revalidation:
    """A review table with what is new, the decision without the rows concerned, and the messages."""

    table: ReviewTable
    decision: Decision
    messages: list[str]


def apply_objections(table: ReviewTable, decision: Decision, objections: pd.DataFrame) -> Revalidation:
    """Add objections that nobody accepted: to rows beside their rows, general ones above the table.

    Args:
        table: The table as it was shown.
        decision: The current decision.
        objections: From `GuardRailError.objections`.
    """
    updated_table = add_objections(table, objections)
    general_objections, row_objections = objections[is_blocking(objections)], objections[~is_blocking(objections)]
    messages = []
    if len(row_objections):
        mask = find_rows(updated_table, row_objections)
        decision = deselect(decision, mask, "a guard objects")
        messages.append(
            f"Guards now object to {format_count(int(mask.sum()), 'ticked row')} that they did not object to before. These rows are unticked, "
            "with the reason beside each. Look at them, then run the dry run again."
        )
    if len(general_objections):
        new = " (new since you began)" if len(updated_table.general_objections) > len(table.general_objections) else ""
        names = ", ".join(general_objections["guard"].unique())
        messages.append(
            f"{names} above the table{new}: fix the plan, or accept it by its name, then run the dry run again."
        )
    return Revalidation(updated_table, decision, [*messages, NOTHING_SENT])


def apply_stale_stock(table: ReviewTable, decision: Decision, stale: pd.DataFrame) -> Revalidation:
    """Mark rows whose stock or open demand changed since planning, and deselect them.

    Args:
        table: The table as it was shown.
        decision: The current decision.
        stale: From `StaleStockError.stale`.
    """
    messages = [f"{move} since this was planned" for move in describe_moves(stale)]
    updated_table = add_objections(table, stale[STOCK_KEYS].assign(guard="stale", message=messages))
    return Revalidation(
        updated_table,
        deselect(decision, find_rows(updated_table, stale), "stock moved while it was reviewed"),
        [
            f"The {'stock or open demand' if 'open_now' in stale else 'stock'} of {format_count(len(stale), 'ticked row')} changed since planning; these rows are unticked. Plan them again "
            f"from fresh stock, and go on with the rest. {NOTHING_SENT}"
        ],
    )
