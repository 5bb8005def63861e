"""Which order lines are open: the words that end a line, as Cenports writes them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

CLOSED_WORDS = frozenset({"shipped", "cancelled", "canceled", "completed", "delivered", "returned", "refunded"})
"""Line statuses, in any case, after which a line reserves no stock; every other word is open."""

CANCELLED_WORDS = frozenset({"cancelled", "canceled"})
"""Line statuses, in any case, of what was ordered and is wanted no more."""


def is_open(status: pd.Series[Any], closed: Collection[str] = CLOSED_WORDS) -> pd.Series[Any]:
    """Tell which lines still reserve stock; a status that is unknown or missing does."""
    return ~has_status(status, closed)


def has_status(status: pd.Series[Any], words: Collection[str]) -> pd.Series[Any]:
    """Tell which statuses are one of these words, in any case."""
    return status.fillna("").str.strip().str.lower().isin([word.lower() for word in words])
