"""Rows of a plan that a person leaves out: which, and why."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.row_keys import encode_keys, index_rows
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.schemas import StockUpdates
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.frames.text_columns import repeat_text
from cenports_nb.stock.plans.fingerprint import compute_fingerprint
from cenports_nb.stock.plans.metadata import mark_as_part

COLUMNS = [*STOCK_KEYS, "reason"]


def left_out_of(rows: pd.DataFrame, left_out: pd.DataFrame | None, who: str) -> pd.Series[Any]:
    """Say of each row who leaves it out and why; null where it is sent.

    Args:
        rows: A plan, checked.
        left_out: `warehouse_code product_sku reason`; None if nothing is left out.
        who: Who does.

    Raises:
        InvalidRequestError: It can't be read, names a row twice or one that the plan does not have, or gives no reason.
    """
    if left_out is None or not len(left_out):
        return repeat_text(None, len(rows))
    given = validate_columns(left_out, StockUpdates, "left_out", COLUMNS, unique=STOCK_KEYS).reset_index(drop=True)
    silent = given["reason"].isna() | (given["reason"].str.strip() == "")
    if silent.any():
        first = given[silent].iloc[0]
        raise InvalidRequestError(
            f"left_out gives no reason for {first['product_sku']} in {first['warehouse_code']}: say why it is not sent."
        )
    numbered = encode_keys(*([frame[name] for name in STOCK_KEYS] for frame in (rows, given)))
    mine, theirs = numbered.rows
    strange = index_rows(mine, numbered.size)[theirs] < 0
    if strange.any():
        first = given[strange].iloc[0]
        raise InvalidRequestError(
            f"left_out names {first['product_sku']} in {first['warehouse_code']}, which is not in the update frame: take "
            "its keys from there."
        )
    place = index_rows(theirs, numbered.size)[mine]
    reasons = ["" if row < 0 else given["reason"].iloc[row].strip() for row in place.tolist()]
    return pd.Series([f"left out by {who}: {reason}" if reason else None for reason in reasons], dtype="str")


def rest_of(updates: pd.DataFrame, left: pd.Series[Any]) -> pd.DataFrame:
    """Take the rows that are sent; they know what they are a part of, so that the whole is not sent a second time."""
    if left.isna().all():
        return updates
    return mark_as_part(updates[left.isna().to_numpy()], compute_fingerprint(updates))
