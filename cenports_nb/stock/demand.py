"""Open demand: what is ordered and neither shipped nor cancelled yet."""

from __future__ import annotations

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.lines import is_open

KEYS = ["warehouse_code", "product_sku"]


def open_quantity(line_items: pd.DataFrame) -> pd.DataFrame:
    """Sum the open units of line items by the warehouse that ships them and SKU.

    Returns:
        `warehouse_code product_sku open_quantity`, of the whole account.
    """
    require(line_items, ["ship_from_warehouse_code", "product_sku", "quantity", "status"], "open_items")
    lines = line_items[is_open(line_items["status"])]
    summed = lines.groupby(["ship_from_warehouse_code", "product_sku"], dropna=False)["quantity"].sum()
    return summed.reset_index().set_axis([*KEYS, "open_quantity"], axis="columns")


def require(frame: pd.DataFrame, columns: list[str], what: str) -> None:
    """Check that a frame has these columns.

    Raises:
        InvalidRequestError: One line that names what is missing and what is there.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InvalidRequestError(f"{what} must be a DataFrame, not {type(frame).__name__}.")
    lacking = [name for name in columns if name not in frame.columns]
    if lacking:
        raise InvalidRequestError(
            f"{what} lacks the column{'s' if len(lacking) > 1 else ''} {', '.join(lacking)}; "
            f"it has {', '.join(map(str, frame.columns))}."
        )


def require_unique(frame: pd.DataFrame, keys: list[str], what: str) -> None:
    """Check that no two rows have the same key.

    Raises:
        InvalidRequestError: The first rows that repeat one.
    """
    twice = frame.duplicated(keys, keep=False)
    if twice.any():
        rows = ", ".join(map(str, frame.index[twice][:5]))
        first = ", ".join(map(str, frame.loc[twice, keys].iloc[0]))
        raise InvalidRequestError(
            f"{what} has more than one row for {first} (rows {rows}): keep one of each {' + '.join(keys)}."
        )
