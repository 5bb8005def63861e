"""Suggestions for unknown SKUs: the SKU of the warehouse that differs only in spelling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.frames.arrow_columns import repeat_text, take_text
from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.stock.plans.sku_damage import RowKeys, find_damage
from cenports_nb.stock.plans.sku_folding import fold_loosely, fold_skus

NO_KEYS: RowKeys = ([], [])


def suggest_skus(updates: pd.DataFrame, unknown: Mask, actual: pd.DataFrame) -> pd.Series[Any]:
    """Suggest for each unknown SKU the one SKU of its warehouse that differs only in spelling.

    Case, dashes, blanks and lost zeros count as smaller differences than accents, and those as smaller ones than a
    SKU that became a date or a number. The SKU with the smallest difference is suggested, if there is only one.

    Args:
        updates: `warehouse_code product_sku`.
        unknown: Which rows name a SKU that their warehouse lacks.
        actual: Stock, `warehouse_code product_sku`, each key once.

    Returns:
        A `str` column, null for known SKUs and for those that resemble no SKU or several.
    """
    unknown_rows = np.flatnonzero(unknown)
    if not len(unknown_rows) or not len(actual):
        return repeat_text(None, len(updates))
    matches = _match_skus(updates, unknown_rows, actual)
    rows = np.full(len(updates), -1, dtype=np.int64)
    rows[unknown_rows] = matches.stock_rows
    return take_text(rows, actual["product_sku"])


def find_resembled(updates: pd.DataFrame, unknown: Mask, actual: pd.DataFrame) -> Mask:
    """Mark the rows of the stock that an unknown SKU resembles, even if it resembles several."""
    unknown_rows = np.flatnonzero(unknown)
    if not len(unknown_rows) or not len(actual):
        return np.zeros(len(actual), dtype=bool)
    return _match_skus(updates, unknown_rows, actual).is_resembled


@dataclass(frozen=True)
class _Matches:
    """The rows of the stock that unknown SKUs resemble.

    Attributes:
        stock_rows: The one row that each unknown SKU resembles most, -1 for none or several.
        is_resembled: Whether any unknown SKU resembles each row of the stock.
    """

    stock_rows: IntArray
    is_resembled: Mask


@dataclass(frozen=True)
class _Keys:
    """Keys of SKUs: a SKU may have several; two SKUs of a warehouse that share one resemble each other."""

    rows: IntArray
    warehouses: pd.Series[Any]
    keys: pd.Series[Any]

    @classmethod
    def build(cls, warehouses: pd.Series[Any], folded: pd.Series[Any], more: RowKeys) -> _Keys:
        """Join the folded SKUs, one per row, with further keys of some rows."""
        rows = np.concatenate([np.arange(len(folded)), np.array(more[0], dtype=np.int64)])
        keys = folded if not more[0] else pd.concat([folded, pd.Series(more[1], dtype="str")], ignore_index=True)
        return cls(rows, take_text(rows, warehouses), keys)


def _match_skus(updates: pd.DataFrame, unknown_rows: IntArray, actual: pd.DataFrame) -> _Matches:
    counted = [updates[name].iloc[unknown_rows].reset_index(drop=True) for name in STOCK_KEYS]
    stock_rows = np.flatnonzero(actual["warehouse_code"].isin(counted[0].unique()).to_numpy())
    stocked = [take_text(stock_rows, actual[name].reset_index(drop=True)) for name in STOCK_KEYS]
    found = np.full(len(unknown_rows), -1, dtype=np.int64)
    is_resembled = np.zeros(len(actual), dtype=bool)
    if not len(stock_rows):
        return _Matches(found, is_resembled)
    folded = fold_skus(counted[1]), fold_skus(stocked[1])
    loose = fold_loosely(counted[1]), fold_loosely(stocked[1])
    is_open = np.ones(len(unknown_rows), dtype=bool)
    for level, keys in enumerate((folded, loose, folded)):
        more = find_damage(counted[1], stocked[1], folded, loose[1], is_open) if level == 2 else (NO_KEYS, NO_KEYS)
        sides = [_Keys.build(*side) for side in zip((counted[0], stocked[0]), keys, more, strict=True)]
        first, last, is_hit = _join(sides[0], sides[1], len(unknown_rows), len(stock_rows))
        is_single = is_open & (first == last)
        found[is_single] = stock_rows[first[is_single]]
        is_open &= last < 0
        is_resembled[stock_rows[is_hit]] = True
    return _Matches(found, is_resembled)


def _join(counted: _Keys, stocked: _Keys, counted_rows: int, stock_rows: int) -> tuple[IntArray, IntArray, Mask]:
    """Join keys: return the first and the last stock row of each counted SKU, and which stock rows have one."""
    encoded = encode_keys([counted.warehouses, counted.keys], [stocked.warehouses, stocked.keys])
    codes, stock_codes = encoded.rows
    first, last = np.full(encoded.size, stock_rows), np.full(encoded.size, -1)
    np.minimum.at(first, stock_codes, stocked.rows)
    np.maximum.at(last, stock_codes, stocked.rows)
    lowest, highest = np.full(counted_rows, stock_rows), np.full(counted_rows, -1)
    np.minimum.at(lowest, counted.rows, first[codes])
    np.maximum.at(highest, counted.rows, last[codes])
    is_wanted = np.zeros(encoded.size, dtype=bool)
    is_wanted[codes] = True
    is_hit = np.zeros(stock_rows, dtype=bool)
    is_hit[stocked.rows[is_wanted[stock_codes]]] = True
    return lowest, highest, is_hit
