"""What came up between the plan and its sending: rows whose ticks are taken back, and what a person is told."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.notebook.review.decision import Decision, untick
from cenports_nb.notebook.review.review_table import Sheet, rows_of, with_objections
from cenports_nb.notebook.review.text import many
from cenports_nb.submissions.objections import is_blocking

NOTHING_SENT = "Nothing was sent."


@dataclass(frozen=True)
class Setback:
    """A sheet with what is new beside its rows, the decision without these, and the sentences that say so."""

    sheet: Sheet
    decision: Decision
    said: list[str]


def objected(sheet: Sheet, decision: Decision, objections: pd.DataFrame) -> Setback:
    """Guards object to what nobody accepted: new ones beside their rows, those of all above the table.

    Args:
        sheet: As it was shown.
        decision: As it stands.
        objections: As from `GuardRailError.objections`.
    """
    renewed = with_objections(sheet, objections)
    of_all, of_rows = objections[is_blocking(objections)], objections[~is_blocking(objections)]
    said = []
    if len(of_rows):
        mask = rows_of(renewed, of_rows)
        decision = untick(decision, mask, "a guard objects")
        said.append(
            f"Guards object to {many(int(mask.sum()), 'ticked row')} that they had nothing against before: unticked now, "
            "with the reason beside each. Look at them, then dry-run it again."
        )
    if len(of_all):
        new = " (new since you began)" if len(renewed.of_all) > len(sheet.of_all) else ""
        names = ", ".join(of_all["guard"].unique())
        said.append(f"{names} above the table{new}: mend the plan, or accept it by its name, then dry-run it again.")
    return Setback(renewed, decision, [*said, NOTHING_SENT])


def moved(sheet: Sheet, decision: Decision, stale: pd.DataFrame) -> Setback:
    """The stock of rows moved since they were planned.

    Args:
        sheet: As it was shown.
        decision: As it stands.
        stale: As from `StaleStockError.stale`.
    """
    messages = [
        f"stock moved from {before} to {now} since this was planned"
        for before, now in zip(stale["current_quantity"], stale["stock_now"], strict=True)
    ]
    renewed = with_objections(sheet, stale[STOCK_KEYS].assign(guard="stale", message=messages))
    return Setback(
        renewed,
        untick(decision, rows_of(renewed, stale), "stock moved while it was reviewed"),
        [
            f"The stock of {many(len(stale), 'ticked row')} moved since this was planned: unticked now. Plan these again "
            f"from fresh stock, and go on with the rest. {NOTHING_SENT}"
        ],
    )
