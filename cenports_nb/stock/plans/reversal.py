"""Reversal of a submission: the opposite change of each applied row, so that later sales are kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import take_text
from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys, index_rows, sum_by_code
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.validation import index_unique_rows, validate_columns
from cenports_nb.rendering.text import list_names
from cenports_nb.stock.plans.metadata import PlanMetadata, write_metadata
from cenports_nb.stock.plans.update_frame import build_update_frame


def build_reversal(
    submission: Any, rows: pd.DataFrame | None = None, *, reason: str | None = None, reference: str | None = None
) -> pd.DataFrame:
    """Plan DIFFERENTIAL updates that undo exactly what a submission applied.

    For an applied TRUE_UP, quantity = before - sent, where before is the stock just before it was sent; for an applied
    DIFFERENTIAL it is the opposite of what was sent. Rows with any other outcome changed nothing, or may still do so.

    Args:
        submission: A settled submission of stock, from `submit_updates` or `open_submission`.
        rows: The rows to undo: any frame with `warehouse_code` and `product_sku`, such as a filter of
            `submission.outcomes`; by default all applied rows.
        reason: The reason, for the journal; by default "reversal of" and the submission's id.
        reference: Your document number, for the journal; by default the same text, so that a guard notices a reversal
            that is submitted twice.

    Returns:
        The columns of `schemas.StockUpdates`, without rows that changed nothing. `current_quantity` is null, because
        the stock has changed since and a DIFFERENTIAL doesn't need it.

    Raises:
        InvalidRequestError: It isn't a submission of stock; it lacks a requested row or didn't apply it (the message
            names its outcome); or the stock before a TRUE_UP is unknown.

    Example:
        >>> changes = pd.DataFrame({"warehouse_code": ["NW-EAST"], "product_sku": ["0003"], "quantity": [-2]})
        >>> submission = cn.submit_updates(client, cn.build_differential(changes)).wait()
        >>> cn.build_reversal(submission)[["product_sku", "type", "quantity"]]
          product_sku          type  quantity
        0        0003  DIFFERENTIAL         2
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

    # A submission has each key once, but may have sent it again.
    encoded = encode_keys([keys[column].iloc[undone] for column in STOCK_KEYS])
    codes = encoded.rows[0]
    total = sum_by_code(codes, back, encoded.size)[codes]
    once = (index_rows(codes, encoded.size)[codes] == np.arange(len(undone))) & (total != 0)
    selected, quantity = undone[once], total[once]
    plan = build_update_frame(
        {column: take_text(selected, keys[column]) for column in STOCK_KEYS},
        "DIFFERENTIAL",
        quantity,
        current=np.zeros(len(selected), dtype=np.int64),
        known=np.zeros(len(selected), dtype=bool),
        actual=None,
        reason=name if reason is None else reason,
        reference=name if reference is None else reference,
    )
    # The submission identifies the document of its reversal.
    return write_metadata(plan, PlanMetadata(reversal_of=str(submission.submission_id)))


def _select_rows(rows: pd.DataFrame, keys: pd.DataFrame, outcomes: pd.Series[Any], applied: Mask) -> Mask:
    """Mark the rows of a submission to undo; refuse keys that it lacks or that were not applied."""
    asked = validate_columns(rows, schemas.ActualStock, "rows", STOCK_KEYS)
    encoded = encode_keys(*([frame[name] for name in STOCK_KEYS] for frame in (asked, keys)))
    (asked_codes, codes), size = encoded.rows, encoded.size
    asked_rows = index_unique_rows(rows, asked_codes, size, STOCK_KEYS, "rows")
    sent_rows = index_rows(codes, size)
    absent = sent_rows[asked_codes] < 0
    if absent.any():
        raise InvalidRequestError(
            f"The submission has no row for {_format_keys(asked, np.flatnonzero(absent))}: fix rows=."
        )
    applied_rows = index_rows(np.where(applied, codes, -1), size)
    not_applied = np.flatnonzero(applied_rows[asked_codes] < 0)
    if len(not_applied):
        first = str(outcomes.iloc[sent_rows[asked_codes[not_applied[0]]]])
        raise InvalidRequestError(
            f"{_format_keys(asked, not_applied)}: only what was applied can be reversed, and the outcome of the first is "
            f"{first}. Settle it (wait, verify or resolve), or leave it out of rows=."
        )
    selected: Mask = asked_rows[codes] >= 0
    return selected


def _format_keys(keys: pd.DataFrame, rows: IntArray) -> str:
    """List the first keys, for a message."""
    return list_names([f"{sku} in {code}" for code, sku in keys[STOCK_KEYS].iloc[rows].itertuples(index=False)])
