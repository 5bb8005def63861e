"""Taking a submission back: the opposite change of each row that was applied, so that sales since are kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys, find_duplicates, index_rows
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.validation import refuse_duplicates, validate_columns
from cenports_nb.frames.text_columns import take_text
from cenports_nb.stock.plans.update_frame import build_update_frame

MAX_NAMED_ROWS = 5


def build_reversal(
    submission: Any, rows: pd.DataFrame | None = None, *, reason: str | None = None, reference: str | None = None
) -> pd.DataFrame:
    """Plan DIFFERENTIAL updates that undo what a submission applied, and nothing else.

    quantity = before - sent for an applied TRUE_UP, where before is the stock just before it was sent; the
    opposite of what was sent for an applied DIFFERENTIAL. Rows of any other outcome changed nothing, or may yet.

    Args:
        submission: A submission of stock, settled: from `submit_updates` or `open_submission`.
        rows: Which rows to undo: any frame with `warehouse_code` and `product_sku`, such as a filter of
            `submission.outcomes`; all that were applied by default.
        reason: Why, for the journal; "reversal of" and the submission's id by default.
        reference: Your document number, for the journal; the same by default, so that a reversal that is
            submitted twice is seen.

    Returns:
        The columns of `schemas.StockUpdates`; rows that moved nothing are left out. `current_quantity` is null:
        the stock since then is nobody's guess, and a change needs none.

    Raises:
        InvalidRequestError: It is no submission of stock; a row that was asked for is not in it, or was not
            applied (its outcome is named); the stock before a TRUE_UP is unknown.
    """
    changes = getattr(submission, "changes", None)
    needed = [*STOCK_KEYS, "type", "quantity", "before_quantity", "outcome"]
    if not isinstance(changes, pd.DataFrame) or not set(needed) <= set(changes.columns):
        raise InvalidRequestError("Only a submission of stock can be reversed: pass one from submit_updates.")
    name = f"reversal of {submission.submission_id}"
    changes = changes[needed].reset_index(drop=True)
    keys = changes[STOCK_KEYS].astype("str")
    applied = (changes["outcome"] == "applied").fillna(value=False).to_numpy(dtype=bool)
    if rows is not None:
        applied = applied & _select_rows(rows, keys, changes["outcome"], applied)
    undone = np.flatnonzero(applied)
    true_up = (changes["type"] == "TRUE_UP").to_numpy(dtype=bool)[undone]
    before = changes["before_quantity"].astype("Int64").iloc[undone]
    unknown = before.isna().to_numpy() & true_up
    if unknown.any():
        raise InvalidRequestError(
            f"The stock before {_format_keys(keys, undone[unknown])} is unknown, so what was changed is too: count them, and "
            "leave them out with rows=."
        )
    sent = changes["quantity"].to_numpy(dtype="int64")[undone]
    back = np.where(true_up, before.to_numpy(dtype="int64", na_value=0) - sent, -sent)

    # A key stands once in what a person submits, but may have been sent again.
    numbers = encode_keys([keys[column].iloc[undone] for column in STOCK_KEYS])
    total = np.zeros(numbers.size, dtype=np.int64)
    np.add.at(total, numbers.rows[0], back)
    last = index_rows(numbers.rows[0], numbers.size)[numbers.rows[0]]
    once = (last == np.arange(len(undone))) & (total[numbers.rows[0]] != 0)
    kept, quantity = undone[once], total[numbers.rows[0]][once]
    return build_update_frame(
        {column: take_text(kept, keys[column]) for column in STOCK_KEYS},
        "DIFFERENTIAL",
        quantity,
        current=np.zeros(len(kept), dtype=np.int64),
        known=np.zeros(len(kept), dtype=bool),
        actual=None,
        reason=name if reason is None else reason,
        reference=name if reference is None else reference,
    )


def _select_rows(rows: pd.DataFrame, keys: pd.DataFrame, outcomes: pd.Series[Any], applied: Mask) -> Mask:
    """Tell which rows of a submission are asked for; refuse what is not in it or was not applied."""
    asked = validate_columns(rows, schemas.ActualStock, "rows", STOCK_KEYS)
    numbered = encode_keys([asked[name] for name in STOCK_KEYS], [keys[name] for name in STOCK_KEYS])
    wanted, of_rows = numbered.rows
    refuse_duplicates(rows, find_duplicates(wanted, index_rows(wanted, numbered.size)), STOCK_KEYS, "rows")
    absent = index_rows(of_rows, numbered.size)[wanted] < 0
    if absent.any():
        raise InvalidRequestError(
            f"The submission has no row for {_format_keys(asked, np.flatnonzero(absent))}: mend rows=."
        )
    last_applied = index_rows(np.where(applied, of_rows, -1), numbered.size)
    not_applied = np.flatnonzero(last_applied[wanted] < 0)
    if len(not_applied):
        first = str(outcomes.iloc[index_rows(of_rows, numbered.size)[wanted[not_applied[0]]]])
        raise InvalidRequestError(
            f"{_format_keys(asked, not_applied)}: only what was applied can be reversed, and the outcome of the first is "
            f"{first}. Settle it (wait, verify or resolve), or leave it out of rows=."
        )
    chosen: Mask = index_rows(wanted, numbered.size)[of_rows] >= 0
    return chosen


def _format_keys(keys: pd.DataFrame, rows: IntArray) -> str:
    """Name the first keys."""
    shown = [f"{keys['product_sku'].iloc[row]} in {keys['warehouse_code'].iloc[row]}" for row in rows[:MAX_NAMED_ROWS]]
    more = f" and {len(rows) - MAX_NAMED_ROWS:,} more" if len(rows) > MAX_NAMED_ROWS else ""
    return ", ".join(shown) + more
