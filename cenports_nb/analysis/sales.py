"""Sales: units, money and orders, by day, week, month, SKU, channel or state."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from cenports_nb.analysis.money import sum_exactly
from cenports_nb.errors import AnalysisWarning, InvalidRequestError
from cenports_nb.frames.choices import suggest_choice
from cenports_nb.frames.dates import local_days, parse_time_zone
from cenports_nb.frames.line_status import has_status
from cenports_nb.frames.provenance import read_time_zone
from cenports_nb.frames.row_keys import IntArray, compact_codes, encode_keys, index_rows, sum_by_code
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.frame_kinds import refuse_swapped
from cenports_nb.frames.schema.keys import ORDER_KEYS
from cenports_nb.frames.schema.validation import index_unique_rows, validate_columns
from cenports_nb.frames.text_columns import take_text

By = Literal["day", "week", "month", "sku", "channel", "state"]


def summarize_sales(
    line_items: pd.DataFrame,
    *,
    by: By | Sequence[By] = "day",
    orders: pd.DataFrame | None = None,
    time_zone: str | None = None,
    exclude: Collection[str] = (),
) -> pd.DataFrame:
    """Sum units, value and orders of line items.

    units = Σ quantity; line_value = Σ price × quantity; orders = number of distinct (channel_id, order_no);
    order_total = Σ grand_total of those orders, each counted once per group however many lines it has there.

    Money is summed in integers (price split into whole units and billionths), so `line_value` and `order_total` are
    exact to the cent over millions of rows, in any order. An order with lines in several groups (by SKU) counts in each
    of them, so `orders` and `order_total` don't add up over groups. Negative quantities (returns) are subtracted.

    Args:
        line_items: From `load_line_items`.
        by: `"day"`, `"week"` (ISO 8601, such as `2026-W01`, of the ISO year), `"month"`, `"sku"`, `"channel"`,
            `"state"` (of the shipping address; needs `orders`), or several; `()` for a single row.
        orders: From `load_orders`, with the same arguments; adds `order_total`.
        time_zone: IANA zone of the days; by default the zone in which `line_items` was loaded, else UTC. An
            `order_date` of exactly 00:00:00Z is a plain day and stays that day.
        exclude: Line statuses, in any case, that don't count, such as `("cancelled", "canceled")`. By default every
            line counts, whatever its status.

    Returns:
        One row per group, in order: `day` (midnight, no zone), `week`, `month` (`2026-01`), `product_sku`,
        `channel_id`, `ship_to_state` (null if unknown, last), then `orders`, `lines`, `units` (`int64`), `line_value`
        (`float64`), `unpriced` (lines without a price: their units count, their value adds nothing), and `order_total`
        (`float64`; a null `grand_total` adds nothing).

    Raises:
        InvalidRequestError: A column is missing or can't be read, a key of `orders` repeats, or an argument is invalid.

    Warns:
        AnalysisWarning: `orders` lacks the orders of some lines (they have no state, and add no `order_total`), or has
            orders without lines here (they are not counted).

    Example:
        >>> lines = pd.DataFrame(
        ...     {
        ...         "channel_id": "EU", "order_no": ["1", "1", "2"], "product_sku": ["A", "B", "A"],
        ...         "order_date": pd.to_datetime(["2026-01-01T23:30Z", "2026-01-01T23:30Z", "2026-01-02T09:00Z"]),
        ...         "quantity": [2, 1, 1], "price": [9.99, 5.0, 9.99], "status": "shipped",
        ...     }
        ... )
        >>> cn.summarize_sales(lines, by="sku")
          product_sku  orders  lines  units  line_value  unpriced
        0           A       2      2      3       29.97         0
        1           B       1      1      1        5.00         0
    """
    refuse_swapped(line_items=line_items, orders=orders)
    names: list[str] = [by] if isinstance(by, str) else list(by)
    _check_by(names, with_orders=orders is not None)
    zone = read_time_zone(time_zone, line_items, orders)
    parse_time_zone(zone)
    needed = [*ORDER_KEYS, "order_date", "product_sku", "quantity", "price", "status"]
    lines = validate_columns(line_items, schemas.LineItems, "line_items", needed)
    if exclude:
        lines = lines[~has_status(lines["status"], exclude).to_numpy()]
    order_frame = None
    if orders is not None:
        order_frame = validate_columns(orders, schemas.Orders, "orders", [*ORDER_KEYS, "grand_total", "ship_to_state"])
    order_keys = [[frame[name] for name in ORDER_KEYS] for frame in (lines, order_frame) if frame is not None]
    encoded = encode_keys(*order_keys)
    codes, order_count = encoded.rows[0], encoded.size
    at = np.full(len(lines), -1, dtype=np.int64)
    if order_frame is not None and orders is not None:
        order_rows = index_unique_rows(orders, encoded.rows[1], order_count, ORDER_KEYS, "orders")
        at = order_rows[codes]
        _warn_unmatched_orders(at, codes, encoded.rows[1], order_count, excluded=bool(exclude))
    columns = {COLUMN_NAMES[name]: _build_group_column(name, lines, order_frame, at, zone) for name in names}
    group, first = _encode_groups(list(columns.values()), len(lines))
    size = len(first)
    result: dict[str, Any] = {name: column.take(first).reset_index(drop=True) for name, column in columns.items()}
    pairs = pd.unique(group * order_count + codes)  # each order once per group
    pair_groups = pairs // order_count if order_count else pairs
    price, quantity = lines["price"].to_numpy(), lines["quantity"].to_numpy()
    unpriced = np.isnan(price)
    result |= {
        "orders": np.bincount(pair_groups, minlength=size),
        "lines": np.bincount(group, minlength=size),
        "units": sum_by_code(group, quantity, size),
        "line_value": sum_exactly(np.where(unpriced, 0.0, price), quantity, group, size),
        "unpriced": np.bincount(group[unpriced], minlength=size),
    }
    if order_frame is not None:
        rows = order_rows[pairs % order_count] if order_count else pairs
        totals = np.append(order_frame["grand_total"].to_numpy(), np.nan)[rows]
        once = np.ones(len(pairs), dtype=np.int64)
        result["order_total"] = sum_exactly(np.nan_to_num(totals), once, pair_groups, size)
    return pd.DataFrame(result, copy=False)


COLUMN_NAMES = {
    "day": "day",
    "week": "week",
    "month": "month",
    "sku": "product_sku",
    "channel": "channel_id",
    "state": "ship_to_state",
}


def _check_by(names: list[str], *, with_orders: bool) -> None:
    if any(name not in COLUMN_NAMES for name in names) or len(set(names)) < len(names):
        near = suggest_choice(names, COLUMN_NAMES)
        raise InvalidRequestError(f"by={names!r} may name {', '.join(COLUMN_NAMES)}, each once{near or '.'}")
    if "state" in names and not with_orders:
        raise InvalidRequestError('by="state" needs orders=, from load_orders, since lines do not know the address.')


def _build_group_column(
    name: str, lines: pd.DataFrame, order_frame: pd.DataFrame | None, at: IntArray, time_zone: str
) -> pd.Series[Any]:
    """Build the column that rows are grouped by."""
    if name in ("day", "week", "month"):
        days = local_days(lines["order_date"], time_zone)
        return days if name == "day" else _format_calendar(days, name)
    if name == "state" and order_frame is not None:
        return take_text(at, order_frame["ship_to_state"])
    return lines[COLUMN_NAMES[name]]


def _format_calendar(days: pd.Series[Any], unit: str) -> pd.Series[Any]:
    """Format the ISO week or the month of each day; each distinct day is formatted once."""
    codes, found = pd.factorize(days)
    names = pd.Series([f"{day:%G-W%V}" if unit == "week" else f"{day:%Y-%m}" for day in found.tolist()], dtype="str")
    return take_text(codes.astype(np.int64), names)


def _encode_groups(columns: list[pd.Series[Any]], length: int) -> tuple[IntArray, IntArray]:
    """Number groups from 0 in the order of their columns, null last; also return one row of each."""
    group, size = np.zeros(length, dtype=np.int64), 1
    for column in columns:
        values = (
            column if column.dtype == "str" else pd.Series(column.to_numpy().astype("datetime64[D]").astype("int64"))
        )
        encoded = encode_keys([values])
        ranks = np.where(encoded.rows[0] < 0, encoded.size, encoded.rows[0])
        group, size = compact_codes(group * (encoded.size + 1) + ranks, size * (encoded.size + 1))
    return group, index_rows(group, size)


def _warn_unmatched_orders(at: IntArray, order: IntArray, order_frame: IntArray, size: int, *, excluded: bool) -> None:
    lost = int((at < 0).sum())
    warning = [f"{lost:,} line items belong to orders that orders= lacks"] if lost else []
    has_lines = np.zeros(size, dtype=bool)
    has_lines[order] = True
    empty = 0 if excluded else int((~has_lines[order_frame]).sum())
    warning += [f"{empty:,} orders have no line item here and are not counted"] if empty else []
    if warning:
        warnings.warn(f"{'; '.join(warning)}: load both with the same arguments.", AnalysisWarning, stacklevel=3)
