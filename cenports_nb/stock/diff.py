"""Actual against available stock: what is reserved, what explains it, what is oversold."""

from __future__ import annotations

import warnings

import pandas as pd

from cenports_nb.errors import StockWarning
from cenports_nb.stock.demand import KEYS, open_quantity, require, require_unique


def diff_stock(
    actual: pd.DataFrame, available: pd.DataFrame, *, open_items: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Compare actual stock with available stock, row by warehouse and SKU, for each channel.

    Args:
        actual: `warehouse_code product_sku quantity`, from `load_actual_stock`.
        available: The same with `channel_id`, from `load_available_stock`.
        open_items: Line items; those not yet shipped or cancelled explain what is reserved. They must be
            those of the whole account, over all the time in which lines may still be open.

    Returns:
        The keys, `product_name`, `actual`, `available`, `reserved` (= actual - available), `side`
        (both, actual_only, available_only), `oversold` (available below 0, or open demand above actual),
        `inconsistent` (available above actual, or a negative actual); with `open_items` also
        `open_quantity` and `unexplained` (= reserved - open_quantity). Counts are units, `Int64`.

    Raises:
        InvalidRequestError: A column is missing or a key repeats.
    """
    by_channel = "channel_id" in available.columns
    keys = ["channel_id", *KEYS] if by_channel else KEYS
    require(actual, [*KEYS, "quantity"], "actual")
    require(available, [*KEYS, "quantity"], "available")
    require_unique(actual, KEYS, "actual")
    require_unique(available, keys, "available")
    left = _side(actual, KEYS, "actual")
    right = _side(available, keys, "available")
    if by_channel and len(available):
        # What is on the shelf is on sale in every channel, so each channel is compared with all of it.
        left = right[["channel_id"]].drop_duplicates().merge(left, how="cross")
    elif by_channel:
        left.insert(0, "channel_id", pd.Series([None] * len(left), dtype="str", index=left.index))
    joined = left.merge(right, on=keys, how="outer", suffixes=("", "_right"), indicator="side")
    joined["side"] = joined["side"].astype("str").replace({"left_only": "actual_only", "right_only": "available_only"})
    joined["product_name"] = joined["product_name"].fillna(joined.pop("product_name_right"))
    joined["reserved"] = joined["actual"] - joined["available"]
    joined["oversold"] = (joined["available"] < 0).fillna(value=False).astype(bool)
    above = (joined["available"] > joined["actual"]).fillna(value=False)
    joined["inconsistent"] = (above | (joined["actual"] < 0).fillna(value=False)).astype(bool)
    columns = [*keys, "product_name", "actual", "available", "reserved", "side", "oversold", "inconsistent"]
    if open_items is not None:
        joined = _explained(joined, open_items)
        columns += ["open_quantity", "unexplained"]
    return joined.sort_values(keys, ignore_index=True)[columns]


def _side(frame: pd.DataFrame, keys: list[str], name: str) -> pd.DataFrame:
    side = frame[keys].copy()
    names = frame["product_name"] if "product_name" in frame.columns else pd.Series(pd.NA, index=frame.index)
    side["product_name"] = names.astype("str") if len(names) else pd.Series([], dtype="str")
    side[name] = frame["quantity"].astype("Int64")
    return side


def _explained(joined: pd.DataFrame, open_items: pd.DataFrame) -> pd.DataFrame:
    """Add open demand; demand for what neither side has can't be shown in a row, so it is said."""
    demand = open_quantity(open_items)
    joined = joined.merge(demand, on=KEYS, how="left")
    stray = demand.merge(joined[KEYS].drop_duplicates(), on=KEYS, how="left", indicator=True)
    stray = stray[stray["_merge"] == "left_only"]
    if len(stray):
        first = stray.iloc[0]
        warnings.warn(
            f"{stray['open_quantity'].sum():,} open units of {len(stray)} SKUs are in no stock frame, the first "
            f"{first['product_sku']} in warehouse {first['warehouse_code']}: they are not part of this comparison.",
            StockWarning,
            stacklevel=3,
        )
    joined["open_quantity"] = joined["open_quantity"].astype("Int64").fillna(0)
    joined["unexplained"] = joined["reserved"] - joined["open_quantity"]
    joined["oversold"] |= (joined["open_quantity"] > joined["actual"]).fillna(value=False).astype(bool)
    return joined
