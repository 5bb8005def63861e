"""Open demand: what is ordered and neither shipped nor cancelled yet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cenports_nb.frames.line_status import is_open
from cenports_nb.frames.row_keys import IntArray
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import LINE_STOCK_KEYS
from cenports_nb.frames.schema.validation import validate_columns


def open_lines(line_items: pd.DataFrame, further: Sequence[str] = ()) -> pd.DataFrame:
    """Choose the lines that are neither shipped nor cancelled.

    Args:
        line_items: `ship_from_warehouse_code product_sku quantity status`.
        further: Columns that are needed besides.

    Raises:
        InvalidRequestError: A column is missing or can't be read.
    """
    lines = validate_columns(
        line_items, schemas.LineItems, "open_items", [*LINE_STOCK_KEYS, "quantity", "status", *further]
    )
    return lines[is_open(lines["status"]).to_numpy()]


def sum_demand(numbers: IntArray, quantities: IntArray, size: int) -> IntArray:
    """Sum open units by the number of their key, for all numbers below `size`; lines without a key are left out."""
    units = np.zeros(size, dtype=np.int64)
    known = numbers >= 0
    np.add.at(units, numbers[known], quantities[known])
    return units
