"""Open demand: line items that are neither shipped nor cancelled yet."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cenports_nb.frames.line_status import is_open
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import LINE_STOCK_KEYS
from cenports_nb.frames.schema.validation import validate_columns


def select_open_lines(line_items: pd.DataFrame, extra_columns: Sequence[str] = ()) -> pd.DataFrame:
    """Select the lines that are neither shipped nor cancelled.

    Args:
        line_items: `ship_from_warehouse_code product_sku quantity status`.
        extra_columns: Other columns that are needed.

    Raises:
        InvalidRequestError: A column is missing or can't be read.
    """
    needed = [*LINE_STOCK_KEYS, "quantity", "status", *extra_columns]
    lines = validate_columns(line_items, schemas.LineItems, "open_items", needed)
    return lines[is_open(lines["status"]).to_numpy()]
