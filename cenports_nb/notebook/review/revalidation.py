"""Objections and stock changes between planning and sending: deselected rows, and the messages for the person."""

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
    """A review table with what is new beside its rows, the decision without these, and the sentences that say so."""

    table: ReviewTable
    decision: Decision
    messages: list[str]


def apply_objections(table: ReviewTable, decision: Decision, objections: pd.DataFrame) -> Revalidation:
    """Guards object to what nobody accepted: new ones beside their rows, those of all above the table.

    Args:
        table: As it was shown.
        decision: As it stands.
        objections: As from `GuardRailError.objections`.
    """
    updated_table = add_objections(table, objections)
    general_objections, row_objections = objections[is_blocking(objections)], objections[~is_blocking(objections)]
    messages = []
    if len(row_objections):
        mask = find_rows(updated_table, row_objections)
        decision = deselect(decision, mask, "a guard objects")
        messages.append(
            f"Guards object to {format_count(int(mask.sum()), 'ticked row')} that they had nothing against before: unticked now, "
            "with the reason beside each. Look at them, then dry-run it again."
        )
    if len(general_objections):
        new = " (new since you began)" if len(updated_table.general_objections) > len(table.general_objections) else ""
        names = ", ".join(general_objections["guard"].unique())
        messages.append(
            f"{names} above the table{new}: mend the plan, or accept it by its name, then dry-run it again."
        )
    return Revalidation(updated_table, decision, [*messages, NOTHING_SENT])


def apply_stale_stock(table: ReviewTable, decision: Decision, stale: pd.DataFrame) -> Revalidation:
    """The stock or open demand of rows moved since they were planned.

    Args:
        table: As it was shown.
        decision: As it stands.
        stale: As from `StaleStockError.stale`.
    """
    messages = [f"{move} since this was planned" for move in describe_moves(stale)]
    updated_table = add_objections(table, stale[STOCK_KEYS].assign(guard="stale", message=messages))
    return Revalidation(
        updated_table,
        deselect(decision, find_rows(updated_table, stale), "stock moved while it was reviewed"),
        [
            f"The {'stock or open demand' if 'open_now' in stale else 'stock'} of {format_count(len(stale), 'ticked row')} moved since this was planned: unticked now. Plan these again "
            f"from fresh stock, and go on with the rest. {NOTHING_SENT}"
        ],
    )
