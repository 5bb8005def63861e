"""Which order lines are open, by their status."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd

from cenports_nb.frames.account_column import add_account_key
from cenports_nb.frames.arrow_columns import fill_blanks
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import LINE_STOCK_KEYS
from cenports_nb.frames.schema.validation import validate_columns

CLOSED_WORDS = frozenset({"shipped", "cancelled", "canceled", "completed", "delivered", "returned", "refunded"})
"""Line statuses, in any case, after which a line reserves no stock; every other status is open."""

CANCELLED_WORDS = frozenset({"cancelled", "canceled"})
"""Line statuses, in any case, of lines that were cancelled."""


def is_open(status: pd.Series[Any], closed: Collection[str] = CLOSED_WORDS) -> pd.Series[Any]:
    """Return which lines still reserve stock, including those with an unknown or missing status."""
    return ~has_status(status, closed)


def has_status(status: pd.Series[Any], words: Collection[str]) -> pd.Series[Any]:
    """Return which statuses are one of these words, in any case."""
    return status.fillna("").str.strip().str.lower().isin([word.lower() for word in words])


def select_open_lines(line_items: pd.DataFrame, extra_columns: Sequence[str] = ()) -> pd.DataFrame:
    """Select the lines that are neither shipped nor cancelled.

    Args:
        line_items: `ship_from_warehouse_code product_sku quantity status`.
        extra_columns: Further columns that are needed.

    Raises:
        InvalidRequestError: A column is missing or can't be read.
    """
    needed = [*LINE_STOCK_KEYS, "quantity", "status", *extra_columns]
    lines = validate_columns(line_items, schemas.LineItems, "open_items", needed)
    return lines[is_open(lines["status"]).to_numpy()]


def fill_line_warehouses(line_items: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    """Give each line without a warehouse that of its order, as `load_open_items` does.

    Args:
        line_items: From `load_line_items`.
        orders: The orders of these lines; a line without its order stays as it is.
    """
    keys, column = add_account_key(line_items, ["channel_id", "order_no"]), "ship_from_warehouse_code"
    known = orders.drop_duplicates(keys, keep="last")[[*keys, column]]
    of_order = line_items[keys].merge(known, on=keys, how="left")[column].set_axis(line_items.index)
    return line_items.assign(**{column: fill_blanks(line_items[column], of_order)})
