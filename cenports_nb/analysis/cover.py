"""Stock cover: how many days the stock lasts at the recent rate of sales."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.errors import AnalysisWarning, InvalidRequestError
from cenports_nb.frames.account_column import per_account
from cenports_nb.frames.arrow_columns import decode_categories, repeat_text, take_text
from cenports_nb.frames.choices import parse_words
from cenports_nb.frames.dates import Day, local_days, parse_day, parse_time_zone
from cenports_nb.frames.line_status import CANCELLED_WORDS, has_status
from cenports_nb.frames.provenance import provenance, read_time_zone
from cenports_nb.frames.row_keys import IntArray, encode_keys, index_rows, sum_by_code
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.frame_kinds import refuse_swapped
from cenports_nb.frames.schema.keys import CHANNEL_STOCK_KEYS, LINE_STOCK_KEYS, STOCK_KEYS
from cenports_nb.frames.schema.validation import index_unique_rows, validate_columns
from cenports_nb.frames.user_warnings import warn_user
from cenports_nb.rendering.text import format_count

SIDES = ("both", "stock_only", "sold_only")


@per_account("line_items", "available")
def stock_cover(
    line_items: pd.DataFrame,
    available: pd.DataFrame,
    *,
    days: int = 28,
    as_of: Day | None = None,
    time_zone: str | None = None,
    exclude: Collection[str] = CANCELLED_WORDS,
) -> pd.DataFrame:
    """Compute how many days the available stock of each warehouse and SKU lasts.

    sold = Σ quantity of the lines ordered in the window, less returns (negative quantities);
    daily = sold / days; cover_days = max(available, 0) / daily. If sales less returns are not positive (daily ≤ 0),
    there is no cover: `cover_days` is null, never infinite.

    Args:
        line_items: From `load_line_items`, over all days of the window and all channels.
        available: From `load_available_stock`, or any frame with `warehouse_code product_sku quantity`. Of several
            channels the lowest quantity counts, once, because the channels sell the same stock. If each channel's
            available stock is reduced only by its own orders (`Dialect.available_scope`), pass
            `summarize_stock(…, by=["warehouse_code", "product_sku"], available_scope="channel")` with `available`
            renamed to `quantity`.
        days: The length of the window in days.
        as_of: The last day of the window; by default the last complete day before `available` (else `line_items`) was
            loaded, or before now.
        time_zone: IANA zone of the days; by default the zone in which `line_items` was loaded, else UTC. A plain day
            stays that day.
        exclude: Line statuses, in any case, that don't count as demand.

    Returns:
        `warehouse_code product_sku product_name available` (`Int64`), `sold` (`int64` units), `daily` (`float64`
        units), `cover_days` (`float64` days, 0 if nothing is available), `side` (`both`; `stock_only`: not sold in the
        window; `sold_only`: sold but not stocked, with null `available` and `cover_days`), `window_start`,
        `window_end` (both days included). Ordered by warehouse and SKU.

    Raises:
        InvalidRequestError: A column is missing or can't be read, a key repeats, an argument is invalid, or
            `line_items` was loaded over fewer days than the window, which would overstate the cover.

    Warns:
        AnalysisWarning: Lines name no warehouse, so their units are in no row.

    Example:
        >>> line_items, available = cn.load_line_items(client, last="30D"), cn.load_available_stock(client)
        >>> cover = cn.stock_cover(line_items, available, days=28)
        >>> cover[["product_sku", "available", "sold", "daily", "cover_days"]].head(3).round(1)
          product_sku  available  sold  daily  cover_days
        0        0001         -1   130    4.6         0.0
        1        0002        -45   213    7.6         0.0
        2        0003          9    29    1.0         8.7
    """
    refuse_swapped(line_items=line_items, available=available)
    if not isinstance(days, int) or isinstance(days, bool) or days < 1:
        raise InvalidRequestError(f"days={days!r} must be a whole number above 0.")
    name = read_time_zone(time_zone, line_items, available)
    zone = parse_time_zone(name)
    by_channel = isinstance(available, pd.DataFrame) and "channel_id" in available.columns
    keys = CHANNEL_STOCK_KEYS if by_channel else STOCK_KEYS
    stock = validate_columns(
        available, schemas.AvailableStock, "available", [*keys, "quantity", "product_name"], optional=["product_name"]
    )
    needed = [*LINE_STOCK_KEYS, "order_date", "quantity", "product_name", "status"]
    lines = validate_columns(line_items, schemas.LineItems, "line_items", needed, optional=["product_name"])
    end = parse_day(as_of, "as_of", zone) if as_of is not None else _find_last_whole_day(available, line_items, name)
    start = end - timedelta(days=days - 1)
    _check_loaded_days(line_items, start, end, name)
    ordered = local_days(lines["order_date"], name)
    inside = (ordered >= pd.Timestamp(start)) & (ordered <= pd.Timestamp(end))
    lines = lines[(inside & ~has_status(lines["status"], parse_words("exclude", exclude))).to_numpy()]

    encoded = encode_keys([stock[name] for name in STOCK_KEYS], [lines[name] for name in LINE_STOCK_KEYS])
    (stock_codes, line_codes), size = encoded.rows, encoded.size
    stock_keys = encode_keys([stock[name] for name in keys])
    index_unique_rows(available, stock_keys.rows[0], stock_keys.size, keys, "available")
    _warn_unassigned_lines(lines, line_codes)
    at_stock, at_lines = index_rows(stock_codes, size), index_rows(line_codes, size)
    key = np.flatnonzero((at_stock >= 0) | (at_lines >= 0))
    least = np.full(size, np.iinfo(np.int64).max)
    np.minimum.at(least, stock_codes, stock["quantity"].to_numpy())
    units = sum_by_code(line_codes, lines["quantity"].to_numpy(), size)
    stocked, was_sold = at_stock[key] >= 0, at_lines[key] >= 0
    have, sold = np.where(stocked, least[key], 0), units[key]
    return pd.DataFrame(
        {
            **_take_names(stock, lines, at_stock[key], at_lines[key]),
            "available": pd.arrays.IntegerArray(have, ~stocked),
            "sold": sold,
            "daily": sold / days,
            "cover_days": np.where(stocked & (sold > 0), np.maximum(have, 0) * days / np.maximum(sold, 1), np.nan),
            "side": decode_categories(np.where(stocked, np.where(was_sold, 0, 1), 2).astype(np.int8), SIDES),
            "window_start": pd.Series(pd.Timestamp(start), index=range(len(key)), dtype="datetime64[us]"),
            "window_end": pd.Series(pd.Timestamp(end), index=range(len(key)), dtype="datetime64[us]"),
        },
        copy=False,
    )


def _find_last_whole_day(available: pd.DataFrame, line_items: pd.DataFrame, time_zone: str) -> date:
    origins = [provenance(frame) for frame in (available, line_items)]
    known = [origin.as_of for origin in origins if origin and origin.as_of]
    read = pd.Timestamp(known[0]) if known else pd.Timestamp.now("UTC")
    return (read.tz_convert(time_zone) - pd.Timedelta(days=1)).date()


def _check_loaded_days(line_items: pd.DataFrame, start: date, end: date, time_zone: str) -> None:
    """Refuse line items whose provenance says that they were loaded over fewer days than the window."""
    origin = provenance(line_items)
    if origin is None:
        return
    first, last = origin.params.get("start"), origin.params.get("end")
    if origin.params.get("last") and origin.as_of:
        today = pd.Timestamp(origin.as_of).tz_convert(time_zone).date()
        span = re.fullmatch(r"(\d+)D", str(origin.params["last"]))
        first, last = (str(today - timedelta(days=int(span[1]) - 1)), str(today)) if span else (None, None)
    if first and last and (str(first)[:10] > str(start) or str(last)[:10] < str(end)):
        raise InvalidRequestError(
            f"line_items was loaded from {str(first)[:10]} to {str(last)[:10]} and the window is {start} to {end}: "
            "load all its days, or choose days= and as_of= within them."
        )


def _warn_unassigned_lines(lines: pd.DataFrame, codes: IntArray) -> None:
    unassigned = codes < 0
    if unassigned.any():
        warn_user(
            f"No warehouse is named for {format_count(int(unassigned.sum()), 'line item')} with "
            f"{format_count(int(lines['quantity'].to_numpy()[unassigned].sum()), 'unit')}: they are in no row, and the cover of "
            "their SKUs is too long.",
            AnalysisWarning,
        )


def _take_names(stock: pd.DataFrame, lines: pd.DataFrame, at_stock: IntArray, at_lines: IntArray) -> dict[str, Any]:
    """Return keys and product names, from the stock or else from the line items."""
    rows = np.where(at_stock >= 0, at_stock, len(stock) + at_lines)
    frames = [stock, lines.rename(columns={"ship_from_warehouse_code": "warehouse_code"})]
    return {
        name: take_text(rows, *(frame.get(name, repeat_text(None, len(frame))) for frame in frames))
        for name in [*STOCK_KEYS, "product_name"]
    }
