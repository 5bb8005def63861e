"""Actual and available stock compared: what is reserved, what explains it, what is oversold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError, StockWarning
from cenports_nb.frames.account_column import per_account
from cenports_nb.frames.arrow_columns import decode_categories, repeat_text, take_text
from cenports_nb.frames.choices import check_choice
from cenports_nb.frames.line_status import select_open_lines
from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys, index_rows, sum_by_code
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.frame_kinds import refuse_swapped
from cenports_nb.frames.schema.keys import CHANNEL_STOCK_KEYS, LINE_STOCK_KEYS, STOCK_KEYS
from cenports_nb.frames.schema.validation import index_unique_rows, validate_columns
from cenports_nb.frames.user_warnings import warn_user

Scope = Literal["account", "channel"]
SIDES = ("both", "actual_only", "available_only")


@per_account("actual", "available", "open_items")
def diff_stock(
    actual: pd.DataFrame,
    available: pd.DataFrame,
    *,
    open_items: pd.DataFrame | None = None,
    available_scope: Scope = "account",
) -> pd.DataFrame:
    """Compare actual stock with available stock, by warehouse and SKU, for each channel.

    reserved = actual - available; unexplained = reserved - open_quantity. Every channel can sell all of the actual
    stock, so each channel is compared with all of it; `summarize_stock` counts it once.

    Args:
        actual: `warehouse_code product_sku quantity`, from `load_actual_stock`.
        available: The same with `channel_id`, from `load_available_stock`.
        open_items: Line items; those not yet shipped or cancelled explain reserved units. They must cover the whole
            account and all the time in which lines may still be open.
        available_scope: Whose open orders reduce `available`, as in `Dialect.available_scope`: those of the whole
            account, or each channel's own, which are then compared with that channel's lines.

    Returns:
        The keys, `product_name`, `actual`, `available`, `reserved`, `side` (both, actual_only, available_only),
        `oversold` (available below 0, or open demand above actual), `inconsistent` (available above actual, or a
        negative actual); with `open_items` also `open_quantity` and `unexplained`. Quantities are units, `Int64`.
        Ordered by its keys. Accounts are compared one by one, with `account` in front.

    Raises:
        InvalidRequestError: A column is missing or can't be read, or a key repeats.

    Example:
        >>> diff = cn.diff_stock(cn.load_actual_stock(client), cn.load_available_stock(client))
        >>> diff[["channel_id", "product_sku", "actual", "available", "reserved"]].head(3)
          channel_id product_sku  actual  available  reserved
        0      NW-EU        0001      39         -1        40
        1      NW-EU        0002      17        -45        62
        2      NW-EU        0003      13          9         4
    """
    refuse_swapped(actual=actual, available=available, open_items=open_items)
    _check_scope(available_scope, available)
    by_channel = isinstance(available, pd.DataFrame) and "channel_id" in available.columns
    keys = CHANNEL_STOCK_KEYS if by_channel else STOCK_KEYS
    optional = ["product_name"]
    left = validate_columns(
        actual, schemas.ActualStock, "actual", [*STOCK_KEYS, "quantity", *optional], optional=optional
    )
    right = validate_columns(
        available, schemas.AvailableStock, "available", [*keys, "quantity", *optional], optional=optional
    )
    per_channel = available_scope == "channel"
    lines = None if open_items is None else select_open_lines(open_items, ["channel_id"] if per_channel else [])

    stock_keys = [[frame[name] for name in STOCK_KEYS] for frame in (left, right)]
    line_keys = [] if lines is None else [[lines[name] for name in LINE_STOCK_KEYS]]
    encoded = encode_keys(*stock_keys, *line_keys, room=1)
    left_codes, right_codes, size = encoded.rows[0], encoded.rows[1], encoded.size
    left_rows = index_unique_rows(actual, left_codes, size, STOCK_KEYS, "actual")

    # A matrix with a row per channel and a column per key.
    channels = _encode_channels(right, lines if per_channel else None) if by_channel else _single_channel(len(right))
    cells = right_codes + channels.right * size
    right_rows = index_unique_rows(available, cells, channels.number * size, keys, "available")
    is_filled = (right_rows >= 0).reshape(channels.number, size)
    is_filled[np.ix_(channels.compared, left_codes)] = True
    channel, key = np.nonzero(is_filled)
    from_left, from_right = left_rows[key], right_rows[key + channel * size]

    joined = _join_columns(left, right, from_left, from_right)
    if by_channel:
        first = index_rows(channels.right, channels.number)
        names = repeat_text(None, len(key)) if not len(right) else take_text(first[channel], right["channel_id"])
        joined = {"channel_id": names, **joined}
    if lines is not None:
        line_codes = encoded.rows[2]
        line_cells = np.where(line_codes < 0, -1, line_codes + (channels.lines * size if per_channel else 0))
        demand = sum_by_code(line_cells, lines["quantity"].to_numpy(), len(right_rows) if per_channel else size)
        is_compared = is_filled.ravel() if per_channel else is_filled.any(axis=0)
        _warn_unmatched_demand(lines, ~np.append(is_compared, False)[line_cells])
        _add_open_demand(joined, demand[key + channel * size] if per_channel else demand[key])
    return pd.DataFrame(joined, copy=False)


@dataclass(frozen=True)
class _ChannelCodes:
    """The number of channels, the channel code of each row and each line, and the codes to compare."""

    number: int
    right: IntArray
    lines: IntArray
    compared: IntArray


def _encode_channels(right: pd.DataFrame, lines: pd.DataFrame | None) -> _ChannelCodes:
    if not len(right):
        return _single_channel(0, 0 if lines is None else len(lines))
    encoded = encode_keys(*([frame["channel_id"]] for frame in (right, lines) if frame is not None))
    compared = np.flatnonzero(index_rows(encoded.rows[0], encoded.size) >= 0)
    return _ChannelCodes(encoded.size, encoded.rows[0], encoded.rows[-1], compared)


def _single_channel(rows: int, lines: int = 0) -> _ChannelCodes:
    return _ChannelCodes(1, *(np.zeros(length, dtype=np.int64) for length in (rows, lines, 1)))


def _join_columns(
    left: pd.DataFrame, right: pd.DataFrame, from_left: IntArray, from_right: IntArray
) -> dict[str, pd.Series[Any]]:
    """Build the columns that both sides fill, given the row of each side, -1 for none."""
    no_left, no_right = from_left < 0, from_right < 0
    either = np.where(no_left, len(left) + from_right, from_left)
    # Row -1 is the appended 0.
    actual, available = (
        np.append(frame["quantity"].to_numpy(), 0)[rows] for frame, rows in ((left, from_left), (right, from_right))
    )
    unknown = no_left | no_right
    side = np.where(no_left, 2, np.where(no_right, 1, 0)).astype(np.int8)
    columns: dict[str, Any] = {
        **{name: take_text(either, left[name], right[name]) for name in STOCK_KEYS},
        "product_name": _take_names(left, right, from_left, from_right),
        "actual": pd.arrays.IntegerArray(actual, no_left),
        "available": pd.arrays.IntegerArray(available, no_right),
        "reserved": pd.arrays.IntegerArray(np.where(unknown, 0, actual - available), unknown),
        "side": decode_categories(side, SIDES),
        "oversold": available < 0,  # an unknown quantity is 0 there
        "inconsistent": ~unknown & (available > actual) | (actual < 0),
    }
    return {name: pd.Series(values, copy=False) for name, values in columns.items()}


def _take_names(left: pd.DataFrame, right: pd.DataFrame, from_left: IntArray, from_right: IntArray) -> pd.Series[Any]:
    """Take product names from actual stock, or else from available stock."""
    names = [frame.get("product_name", repeat_text(None, len(frame))) for frame in (left, right)]
    is_named = np.append(names[0].notna().to_numpy(), False)[from_left]  # row -1 is the appended one
    return take_text(np.where(is_named, from_left, np.where(from_right < 0, -1, len(left) + from_right)), *names)


def _add_open_demand(joined: dict[str, Any], demand: IntArray) -> None:
    """Add open demand and what it leaves unexplained; open demand above actual stock is oversold."""
    joined["open_quantity"] = pd.Series(demand, dtype="Int64")
    joined["unexplained"] = joined["reserved"] - joined["open_quantity"]
    joined["oversold"] |= (joined["open_quantity"] > joined["actual"]).fillna(value=False).astype(bool)


def _warn_unmatched_demand(lines: pd.DataFrame, unmatched: Mask) -> None:
    """Warn of open demand that is in no row: neither side stocks its SKU, or its line names no warehouse."""
    if unmatched.any():
        left_out = lines[unmatched]
        skus = len(left_out[LINE_STOCK_KEYS].drop_duplicates())
        code, sku = left_out[LINE_STOCK_KEYS].iloc[0]
        where = "which names no warehouse" if pd.isna(code) or not code.strip() else f"in warehouse {code}"
        warn_user(
            f"{left_out['quantity'].sum():,} open units of {skus} SKUs are in no stock frame, the first "
            f"{sku} {where}: they are not part of this comparison.",
            StockWarning,
        )


def _check_scope(scope: str, available: pd.DataFrame) -> None:
    check_choice("available_scope", scope, ("account", "channel"))
    if scope == "channel" and isinstance(available, pd.DataFrame) and "channel_id" not in available.columns:
        raise InvalidRequestError('available_scope="channel" compares each channel: available lacks channel_id.')
