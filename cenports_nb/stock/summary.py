"""Totals of a stock comparison, in which each warehouse and SKU counts once however many channels sell it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.row_keys import IntArray, encode_keys, index_first_rows, index_rows
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.frames.text_columns import repeat_text, take_text
from cenports_nb.stock.diff import Scope

MIN_INT64, MAX_INT64 = np.iinfo(np.int64).min, np.iinfo(np.int64).max


class _DiffColumns(pa.DataFrameModel):
    """What is needed of a comparison."""

    warehouse_code: Series[str]
    product_sku: Series[str]
    product_name: Series[str] = pa.Field(nullable=True)
    actual: Series[pd.Int64Dtype] = pa.Field(nullable=True)
    available: Series[pd.Int64Dtype] = pa.Field(nullable=True)
    open_quantity: Series[pd.Int64Dtype] = pa.Field(nullable=True)
    unexplained: Series[pd.Int64Dtype] = pa.Field(nullable=True)


def summarize_stock(
    diff: pd.DataFrame, *, by: Sequence[str] | str = ("warehouse_code",), available_scope: Scope = "account"
) -> pd.DataFrame:
    """Total a stock comparison, each warehouse and SKU counted once over all channels.

    A warehouse and SKU is first brought to one row. `actual` is the same in every channel. `available`, where
    it is the account's, is the smallest that a channel shows; where it is each channel's own, it is actual -
    the sum over channels of (actual - available). reserved = actual - available. `open_quantity` is the
    account's, or the sum of the channels'. unexplained = reserved - open_quantity. short = max(0, -available,
    open_quantity - actual). Then these rows are added up; what is unknown on a side adds nothing.

    Args:
        diff: From `diff_stock`, or some of its rows.
        by: `warehouse_code`, `product_sku`, both (a row each, with `product_name`), or `()` for one row in all.
        available_scope: As it was passed to `diff_stock`.

    Returns:
        `by`, then `skus` (pairs of warehouse and SKU), `actual`, `available`, `reserved`, `short` (units),
        `oversold` (SKUs that are short), `inconsistent` (SKUs with more available than actual in some channel,
        or a negative actual), `one_sided` (SKUs that only one side has); with open demand in `diff` also
        `open_quantity`, `unexplained` (units) and `unexplained_skus` (SKUs with a rest in some channel). All
        `int64`, ordered by `by`.

    Raises:
        InvalidRequestError: A column is missing or can't be read, or `by` names something else.

    Examples:
        >>> import pandas as pd
        >>> from cenports_nb import diff_stock
        >>> stock = pd.DataFrame({"warehouse_code": ["W"], "product_sku": ["A"], "quantity": [10]})
        >>> for_sale = pd.concat([stock.assign(channel_id=name, quantity=7) for name in ("EU", "NA")])
        >>> summarize_stock(diff_stock(stock, for_sale))[["warehouse_code", "skus", "actual", "reserved"]]
          warehouse_code  skus  actual  reserved
        0              W     1      10         3
    """
    names = [by] if isinstance(by, str) else list(by)
    if not set(names) <= set(STOCK_KEYS) or len(set(names)) < len(names):
        raise InvalidRequestError(
            f"by={by!r} may name {' and '.join(STOCK_KEYS)}, each once; to see one channel, choose its rows first."
        )
    if available_scope not in ("account", "channel"):
        raise InvalidRequestError(f'available_scope={available_scope!r} must be "account" or "channel".')
    optional = ("product_name", "open_quantity", "unexplained")
    rows = validate_columns(diff, _DiffColumns, "diff", optional=optional)
    each = _merge_channels(rows, of_account=available_scope == "account")
    group, size = np.zeros(len(each), dtype=np.int64), 1
    if names:
        numbered = encode_keys([each[name] for name in names])
        group, size = numbered.rows[0], numbered.size
    last = index_rows(group, size)
    kept = np.flatnonzero(last >= 0) if names else np.zeros(1, dtype=np.int64)
    totals: dict[str, Any] = {name: take_text(last[kept], each[name]) for name in names}
    if len(names) == len(STOCK_KEYS):
        totals["product_name"] = take_text(last[kept], each["product_name"])
    for name in each.columns[len(STOCK_KEYS) + 1 :]:
        units = np.zeros(size, dtype=np.int64)
        np.add.at(units, group, each[name].to_numpy())
        totals[name] = units[kept]
    return pd.DataFrame(totals, copy=False)


def _merge_channels(rows: pd.DataFrame, *, of_account: bool) -> pd.DataFrame:
    """Bring each warehouse and SKU to one row of numbers that can be added up."""
    numbered = encode_keys([rows[name] for name in STOCK_KEYS], room=1)
    number, size = numbered.rows[0], numbered.size
    actual, has_actual = _find_extremes(rows["actual"], number, size, greatest=True)
    available, has_available = _find_extremes(rows["available"], number, size, greatest=False)
    both = has_actual & has_available
    if not of_account:
        taken = _sum_units(rows["actual"] - rows["available"], number, size)
        available = np.where(both, actual - taken, available)
    columns: dict[str, Any] = {
        "skus": np.ones(size, dtype=np.int64),
        "actual": actual,
        "available": available,
        "reserved": np.where(both, actual - available, 0),
        "short": np.maximum(-available, 0),
    }
    odd = (rows["available"] > rows["actual"]).fillna(value=False) | (rows["actual"] < 0).fillna(value=False)
    columns["inconsistent"] = _mark_any(odd, number, size)
    columns["one_sided"] = (~both).astype(np.int64)
    if "open_quantity" in rows:
        wanted = (
            _find_extremes(rows["open_quantity"], number, size, greatest=True)[0]
            if of_account
            else _sum_units(rows["open_quantity"], number, size)
        )
        columns["short"] = np.where(has_actual, np.maximum(columns["short"], wanted - actual), columns["short"])
        columns["open_quantity"] = wanted
        columns["unexplained"] = np.where(both, columns["reserved"] - wanted, 0)
        if "unexplained" in rows:
            columns["unexplained_skus"] = _mark_any((rows["unexplained"] != 0).fillna(value=False), number, size)
    columns["oversold"] = (columns["short"] > 0).astype(np.int64)
    first = index_first_rows(number, size)
    kept = np.flatnonzero(first >= 0)
    keys = {name: take_text(first[kept], rows[name]) for name in STOCK_KEYS}
    keys["product_name"] = _take_names(rows, number, size, kept)
    return pd.DataFrame(
        {**keys, **{name: columns[name][kept] for name in TOTAL_COLUMNS if name in columns}}, copy=False
    )


TOTAL_COLUMNS = (
    "skus", "actual", "available", "reserved", "short", "oversold", "inconsistent", "one_sided", "open_quantity",
    "unexplained", "unexplained_skus",
)  # fmt: skip


def _take_names(rows: pd.DataFrame, number: IntArray, size: int, kept: IntArray) -> pd.Series[Any]:
    """Take the first name that any channel has for a SKU."""
    if "product_name" not in rows:
        return repeat_text(None, len(kept))
    named = np.flatnonzero(rows["product_name"].notna().to_numpy())
    found = index_first_rows(number[named], size)[kept]
    return take_text(np.where(found < 0, -1, np.append(named, -1)[found]), rows["product_name"])


def _find_extremes(values: pd.Series[Any], number: IntArray, size: int, *, greatest: bool) -> tuple[IntArray, Any]:
    """Find the greatest or least known value of each number, 0 where none is known, and tell where one is."""
    known = values.notna().to_numpy()
    found = np.full(size, MIN_INT64 if greatest else MAX_INT64, dtype=np.int64)
    (np.maximum if greatest else np.minimum).at(found, number[known], values[known].to_numpy(dtype="int64"))
    is_known = np.zeros(size, dtype=bool)
    is_known[number[known]] = True
    return np.where(is_known, found, 0), is_known


def _sum_units(values: pd.Series[Any], number: IntArray, size: int) -> IntArray:
    units = np.zeros(size, dtype=np.int64)
    np.add.at(units, number, values.to_numpy(dtype="int64", na_value=0))
    return units


def _mark_any(rows: pd.Series[Any], number: IntArray, size: int) -> IntArray:
    """Mark with 1 each number that has such a row."""
    found = np.zeros(size, dtype=np.int64)
    found[number[rows.to_numpy(dtype=bool)]] = 1
    return found
