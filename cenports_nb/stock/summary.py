"""Totals of a stock comparison, in which each warehouse and SKU counts once however many channels sell it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.account_column import per_account
from cenports_nb.frames.arrow_columns import repeat_text
from cenports_nb.frames.choices import check_choice, suggest_choice
from cenports_nb.frames.row_keys import encode_keys
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.stock.diff import Scope


class _DiffColumns(pa.DataFrameModel):
    """The columns of a comparison that are needed."""

    warehouse_code: Series[str]
    product_sku: Series[str]
    product_name: Series[str] = pa.Field(nullable=True)
    actual: Series[pd.Int64Dtype] = pa.Field(nullable=True)
    available: Series[pd.Int64Dtype] = pa.Field(nullable=True)
    open_quantity: Series[pd.Int64Dtype] = pa.Field(nullable=True)
    unexplained: Series[pd.Int64Dtype] = pa.Field(nullable=True)


@per_account("diff")
def summarize_stock(
    diff: pd.DataFrame, *, by: Sequence[str] | str = ("warehouse_code",), available_scope: Scope = "account"
) -> pd.DataFrame:
    """Sum a stock comparison, with each warehouse and SKU counted once over all channels.

    The rows of a warehouse and SKU are first merged. `actual` is the same in every channel. `available` is the lowest
    of all channels or, if each channel has its own, actual - the sum over channels of (actual - available). reserved =
    actual - available. `open_quantity` is the account's, or the sum of the channels'. unexplained = reserved -
    open_quantity. short = max(0, -available, open_quantity - actual). Then these rows are summed; unknown values add
    nothing.

    Args:
        diff: From `diff_stock`, or some of its rows.
        by: `warehouse_code`, `product_sku`, both (one row each, with `product_name`), or `()` for a single row.
        available_scope: As passed to `diff_stock`.

    Returns:
        `by`, then `skus` (pairs of warehouse and SKU), `actual`, `available`, `reserved`, `short` (units),
        `oversold` (SKUs that are short), `inconsistent` (SKUs with more available than actual in some channel, or a
        negative actual), `one_sided` (SKUs that only one side has); with open demand in `diff` also `open_quantity`,
        `unexplained` (units) and `unexplained_skus` (SKUs with unexplained units in some channel). All `int64`, ordered
        by `by`. Accounts are summed one by one, with `account` in front.

    Raises:
        InvalidRequestError: A column is missing or can't be read, or `by` names another column.

    Example:
        >>> stock = pd.DataFrame({"warehouse_code": ["W"], "product_sku": ["A"], "quantity": [10]})
        >>> for_sale = pd.concat([stock.assign(channel_id=name, quantity=7) for name in ("EU", "NA")])
        >>> cn.summarize_stock(cn.diff_stock(stock, for_sale))[["warehouse_code", "skus", "actual", "reserved"]]
          warehouse_code  skus  actual  reserved
        0              W     1      10         3
    """
    names = [by] if isinstance(by, str) else list(by)
    if not set(names) <= set(STOCK_KEYS) or len(set(names)) < len(names):
        raise InvalidRequestError(
            f"by={by!r} may name {' and '.join(STOCK_KEYS)}, each once; to see one channel, choose its rows first{suggest_choice(names, STOCK_KEYS) or '.'}"
        )
    check_choice("available_scope", available_scope, ("account", "channel"))
    optional = ("product_name", "open_quantity", "unexplained")
    rows = validate_columns(diff, _DiffColumns, "diff", optional=optional)
    each = _merge_channels(rows, by_account=available_scope == "account")
    numbers = [name for name in TOTAL_COLUMNS if name in each]
    if not names:
        return each[numbers].sum().to_frame().T
    if len(names) == len(STOCK_KEYS):
        return each.sort_values(names, ignore_index=True)[[*names, "product_name", *numbers]]
    return each.groupby(names)[numbers].sum().reset_index()


def _merge_channels(rows: pd.DataFrame, *, by_account: bool) -> pd.DataFrame:
    """Merge each warehouse and SKU into one row of numbers that can be summed."""
    codes = encode_keys([rows[name] for name in STOCK_KEYS], room=1).rows[0]
    groups = rows.groupby(codes)
    merged = groups[[name for name in [*STOCK_KEYS, "product_name"] if name in rows]].first()
    if "product_name" not in rows:
        merged["product_name"] = repeat_text(None, len(merged)).array
    actual, available = groups["actual"].max(), groups["available"].min()
    both = actual.notna() & available.notna()
    if not by_account:
        reserved = (rows["actual"] - rows["available"]).groupby(codes).sum()
        available = available.mask(both, actual - reserved)
    is_inconsistent = (rows["available"] > rows["actual"]) | (rows["actual"] < 0)
    columns = {
        "skus": merged[STOCK_KEYS[0]].notna(),
        "actual": actual,
        "available": available,
        "reserved": actual - available,
        "short": (-available).fillna(0).clip(lower=0),
        "inconsistent": is_inconsistent.fillna(value=False).groupby(codes).any(),
        "one_sided": ~both,
    }
    if "open_quantity" in rows:
        demand = groups["open_quantity"].max() if by_account else groups["open_quantity"].sum()
        demand = demand.fillna(0)
        columns["short"] = columns["short"].clip(lower=(demand - actual).fillna(0))
        columns["open_quantity"] = demand
        columns["unexplained"] = columns["reserved"] - demand
        if "unexplained" in rows:
            columns["unexplained_skus"] = (rows["unexplained"] != 0).fillna(value=False).groupby(codes).any()
    columns["oversold"] = columns["short"] > 0
    return merged.assign(**{name: values.fillna(0).astype("int64") for name, values in columns.items()})


TOTAL_COLUMNS = (
    "skus", "actual", "available", "reserved", "short", "oversold", "inconsistent", "one_sided", "open_quantity",
    "unexplained", "unexplained_skus",
)  # fmt: skip
