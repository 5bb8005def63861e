"""Suggestions for unknown SKUs: the SKU of the warehouse that differs only in what spreadsheets lose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from cenports_nb.frames.row_keys import Mask, encode_keys, index_rows
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.text_columns import from_arrow, repeat_text, take_text, to_arrow


def suggest_skus(updates: pd.DataFrame, unknown: Mask, actual: pd.DataFrame) -> pd.Series[Any]:
    """Suggest for each unknown SKU the one SKU of its warehouse that differs only in case, blanks or leading zeros.

    Args:
        updates: `warehouse_code product_sku`.
        unknown: Which rows name a SKU that their warehouse does not have.
        actual: Stock, `warehouse_code product_sku`, each once.

    Returns:
        A `str` column, null for known SKUs, and where no SKU or several are alike.
    """
    unknown_rows = np.flatnonzero(unknown)
    if not len(unknown_rows) or not len(actual):
        return repeat_text(None, len(updates))
    wanted = [updates[name].iloc[unknown_rows].reset_index(drop=True) for name in STOCK_KEYS]
    stocked = [actual[name].reset_index(drop=True) for name in STOCK_KEYS]
    encoded = encode_keys([wanted[0], normalize_skus(wanted[1])], [stocked[0], normalize_skus(stocked[1])])
    wanted_codes, stock_codes = encoded.rows
    is_single = np.bincount(stock_codes, minlength=encoded.size) == 1
    rows = np.full(len(updates), -1, dtype=np.int64)
    rows[unknown_rows] = np.where(is_single[wanted_codes], index_rows(stock_codes, encoded.size)[wanted_codes], -1)
    return take_text(rows, stocked[1])


def find_resembled(updates: pd.DataFrame, unknown: Mask, actual: pd.DataFrame) -> Mask:
    """Mark the rows of the stock that an unknown SKU resembles, also where it resembles several."""
    if not unknown.any():
        return np.zeros(len(actual), dtype=bool)
    frames = (updates[unknown], actual)
    encoded = encode_keys(*([frame["warehouse_code"], normalize_skus(frame["product_sku"])] for frame in frames))
    return index_rows(encoded.rows[0], encoded.size)[encoded.rows[1]] >= 0


def normalize_skus(skus: pd.Series[Any]) -> pd.Series[Any]:
    """Remove from SKUs what spreadsheets change: case, blanks, leading zeros, and the `.0` of a number."""
    text = pc.utf8_lower(to_arrow(skus))
    text = pc.replace_substring_regex(text, r"[\s\x{a0}]+", "")
    text = pc.replace_substring_regex(text, r"^(\d+)\.0$", r"\1")
    return from_arrow(pc.utf8_ltrim(text, characters="0"))
