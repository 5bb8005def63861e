"""Rows of a plan that a person excludes, with their reasons."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import repeat_text
from cenports_nb.frames.row_keys import encode_keys, index_rows
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.schemas import StockUpdates
from cenports_nb.frames.schema.validation import validate_columns

COLUMNS = [*STOCK_KEYS, "reason"]


def explain_exclusions(rows: pd.DataFrame, left_out: pd.DataFrame | None, who: str) -> pd.Series[Any]:
    """Return for each row who excludes it and why; null if it is sent.

    Args:
        rows: A validated plan.
        left_out: `warehouse_code product_sku reason`; None if no row is left out.
        who: The person.

    Raises:
        InvalidRequestError: It can't be read, names a row twice or one that the plan lacks, or has no reason.
    """
    if left_out is None or not len(left_out):
        return repeat_text(None, len(rows))
    given = validate_columns(left_out, StockUpdates, "left_out", COLUMNS, unique=STOCK_KEYS).reset_index(drop=True)
    without_reason = given["reason"].isna() | (given["reason"].str.strip() == "")
    if without_reason.any():
        first = given[without_reason].iloc[0]
        raise InvalidRequestError(
            f"left_out gives no reason for {first['product_sku']} in {first['warehouse_code']}: say why it is not sent."
        )
    keys = encode_keys(*([frame[name] for name in STOCK_KEYS] for frame in (rows, given)))
    row_codes, given_codes = keys.rows
    unknown = index_rows(row_codes, keys.size)[given_codes] < 0
    if unknown.any():
        first = given[unknown].iloc[0]
        raise InvalidRequestError(
            f"left_out names {first['product_sku']} in {first['warehouse_code']}, which is not in the update frame: take "
            "its keys from there."
        )
    positions = index_rows(given_codes, keys.size)[row_codes]
    reasons = ["" if row < 0 else given["reason"].iloc[row].strip() for row in positions.tolist()]
    return pd.Series([f"left out by {who}: {reason}" if reason else None for reason in reasons], dtype="str")
