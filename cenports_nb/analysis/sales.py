"""Sales: units, money and orders, by day, week, month, SKU, channel or state."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from cenports_nb.analysis.money import ExactSums, add_exactly, combine_sums
from cenports_nb.analysis.scan import Scan, is_scan, list_scan_months, read_whole, run_by_month
from cenports_nb.errors import AnalysisWarning, InvalidRequestError
from cenports_nb.frames.account_column import ACCOUNT, require_accounts
from cenports_nb.frames.arrow_columns import take_text
from cenports_nb.frames.choices import parse_words, suggest_choice
from cenports_nb.frames.dates import local_days, parse_time_zone
from cenports_nb.frames.line_status import has_status
from cenports_nb.frames.provenance import read_time_zone
from cenports_nb.frames.row_keys import IntArray, compact_codes, encode_keys, index_rows, sum_by_code
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.frame_kinds import refuse_swapped
from cenports_nb.frames.schema.keys import ORDER_KEYS
from cenports_nb.frames.schema.validation import index_unique_rows, validate_columns
from cenports_nb.frames.user_warnings import warn_user
from cenports_nb.rendering.text import format_count

By = Literal["day", "week", "month", "sku", "channel", "account", "state"]

LINE_COLUMNS = [*ORDER_KEYS, "order_date", "product_sku", "quantity", "price", "status"]
ORDER_COLUMNS = [*ORDER_KEYS, "grand_total", "ship_to_state"]
"""Read of scans: what the sums need, and no other personal data than the state."""


def summarize_sales(
    line_items: pd.DataFrame | Scan,
    *,
    by: By | Sequence[By] = "day",
    orders: pd.DataFrame | Scan | None = None,
    time_zone: str | None = None,
    exclude: Collection[str] = (),
    executor: Executor | None = None,
) -> pd.DataFrame:
    """Sum units, value and orders of line items.

    units = Σ quantity; line_value = Σ price × quantity; orders = number of distinct (account, channel_id, order_no);
    order_total = Σ grand_total of those orders, each counted once per group however many lines it has there.

    Money is summed in integers (price split into whole units and billionths), so `line_value` and `order_total` are
    exact to the cent over millions of rows, in any order. An order with lines in several groups (by SKU) counts in each
    of them, so `orders` and `order_total` don't add up over groups. Negative quantities (returns) are subtracted.

    Args:
        line_items: From `load_line_items`, or from `archive.scan_line_items`, which may exceed memory: it is summed by month, with
            the same result to the cent.
        by: `"day"`, `"week"` (ISO 8601, such as `2026-W01`, of the ISO year), `"month"`, `"sku"`, `"channel"`,
            `"account"` (of frames with that column), `"state"` (of the shipping address; needs `orders`), or several; `()` for a single row.
        orders: From `load_orders` or `archive.scan_orders`, with the same arguments; adds `order_total`.
        time_zone: IANA zone of the days; by default the zone in which `line_items` was loaded, else UTC. An
            `order_date` of exactly 00:00:00Z is a plain day and stays that day.
        exclude: Line statuses, in any case, that don't count, such as `("cancelled", "canceled")`. By default every
            line counts, whatever its status.
        executor: Sums the months of a scan, such as a `ProcessPoolExecutor` or Dask's `client.get_executor()`.

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
    names: list[str] = [by] if isinstance(by, str) else list(by)
    _check_by(names, with_orders=orders is not None)
    exclude = parse_words("exclude", exclude)
    if is_scan(line_items) and (orders is None or is_scan(orders)):
        terms = _Terms(names, time_zone or line_items.time_zone, exclude)
        scans = line_items.select(LINE_COLUMNS), None if orders is None else orders.select(ORDER_COLUMNS)
        work = partial(_summarize_month, *scans, terms)
        parts = run_by_month(work, list_scan_months(*filter(is_scan, (line_items, orders))), executor)
    else:
        lines = read_whole("line_items", line_items)
        order_frame = None if orders is None else read_whole("orders", orders)
        refuse_swapped(line_items=lines, orders=order_frame)
        zone = read_time_zone(time_zone, lines, order_frame)
        parts = [_summarize_part(lines, order_frame, _Terms(names, zone, exclude))]
    _warn_unmatched_orders(parts, excluded=bool(exclude))
    return _combine_parts(parts)


@dataclass(frozen=True)
class _Terms:
    """How lines are grouped: by what, in which zone, and which statuses don't count."""

    names: list[str]
    time_zone: str
    exclude: Collection[str]


@dataclass(frozen=True)
class _Part:
    """What was sold in a part of the lines: rows by group, in the order of the groups.

    Attributes:
        groups: The columns that name a group.
        counts: `orders lines units unpriced`.
        money: `line_value`, and `order_total` where orders are known.
        lines_without_order: Lines whose order is not there.
        orders_without_lines: Orders that have no line.
    """

    groups: pd.DataFrame
    counts: dict[str, IntArray]
    money: dict[str, ExactSums]
    lines_without_order: int
    orders_without_lines: int


def _summarize_month(line_items: Scan, orders: Scan | None, terms: _Terms, month: str) -> _Part:
    """Sum one month of a scan; an order is in one month alone, so that it is counted once."""
    return _summarize_part(line_items.read(month), None if orders is None else orders.read(month), terms)


def _summarize_part(line_items: pd.DataFrame, orders: pd.DataFrame | None, terms: _Terms) -> _Part:
    """Sum the lines of a frame by group."""
    parse_time_zone(terms.time_zone)
    frames = {"line_items": line_items, **({} if orders is None else {"orders": orders})}
    keys = [ACCOUNT, *ORDER_KEYS] if require_accounts(frames) else ORDER_KEYS
    if ACCOUNT in terms.names and ACCOUNT not in keys:
        raise InvalidRequestError('by="account" needs the column account: load line_items with a list of clients.')
    needed = dict.fromkeys([*keys, *LINE_COLUMNS])
    lines = validate_columns(line_items, schemas.LineItems, "line_items", [*needed])
    if terms.exclude:
        lines = lines[~has_status(lines["status"], terms.exclude).to_numpy()]
    order_frame = None
    if orders is not None:
        order_frame = validate_columns(orders, schemas.Orders, "orders", [*dict.fromkeys([*keys, *ORDER_COLUMNS])])
    order_keys = [[frame[name] for name in keys] for frame in (lines, order_frame) if frame is not None]
    encoded = encode_keys(*order_keys)
    codes, order_count = encoded.rows[0], encoded.size
    at = np.full(len(lines), -1, dtype=np.int64)
    unmatched = (0, 0)
    if order_frame is not None and orders is not None:
        order_rows = index_unique_rows(orders, encoded.rows[1], order_count, keys, "orders")
        at = order_rows[codes]
        unmatched = _count_unmatched(at, codes, encoded.rows[1], order_count)
    columns = {
        COLUMN_NAMES[name]: _build_group_column(name, lines, order_frame, at, terms.time_zone) for name in terms.names
    }
    group, first = _encode_groups(list(columns.values()), len(lines))
    size = len(first)
    groups = pd.DataFrame(
        {name: column.take(first).reset_index(drop=True) for name, column in columns.items()}, index=range(size)
    )
    pairs = pd.unique(group * order_count + codes)  # each order once per group
    pair_groups = pairs // order_count if order_count else pairs
    price, quantity = lines["price"].to_numpy(), lines["quantity"].to_numpy()
    unpriced = np.isnan(price)
    counts = {
        "orders": np.bincount(pair_groups, minlength=size),
        "lines": np.bincount(group, minlength=size),
        "units": sum_by_code(group, quantity, size),
        "unpriced": np.bincount(group[unpriced], minlength=size),
    }
    money = {"line_value": add_exactly(np.where(unpriced, 0.0, price), quantity, group, size)}
    if order_frame is not None:
        rows = order_rows[pairs % order_count] if order_count else pairs
        totals = np.append(order_frame["grand_total"].to_numpy(), np.nan)[rows]
        once = np.ones(len(pairs), dtype=np.int64)
        money["order_total"] = add_exactly(np.nan_to_num(totals), once, pair_groups, size)
    return _Part(groups, counts, money, *unmatched)


def _combine_parts(parts: Sequence[_Part]) -> pd.DataFrame:
    """Add up parts by group, exactly; a group that is in several of them, such as a week, becomes one row."""
    first, sizes = parts[0], [len(part.groups) for part in parts]
    group, rows = np.arange(sizes[0]), np.arange(sizes[0])
    groups = first.groups
    if len(parts) > 1:
        groups = pd.concat([part.groups for part in parts], ignore_index=True)
        group, rows = _encode_groups([groups[name] for name in groups.columns], sum(sizes))
    size = len(rows)

    def add(name: str) -> Any:
        if name in first.money:
            return combine_sums([part.money[name] for part in parts], group, size).to_floats()
        return sum_by_code(group, np.concatenate([part.counts[name] for part in parts]), size)

    result: dict[str, Any] = {name: groups[name].take(rows).reset_index(drop=True) for name in groups.columns}
    names = ["orders", "lines", "units", "line_value", "unpriced"]
    names += ["order_total"] if "order_total" in first.money else []
    return pd.DataFrame({**result, **{name: add(name) for name in names}}, copy=False)


COLUMN_NAMES = {
    "day": "day",
    "week": "week",
    "month": "month",
    "sku": "product_sku",
    "channel": "channel_id",
    "account": ACCOUNT,
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


def _count_unmatched(at: IntArray, order: IntArray, order_frame: IntArray, size: int) -> tuple[int, int]:
    """Count lines without their order, and orders without a line."""
    has_lines = np.zeros(size, dtype=bool)
    has_lines[order] = True
    return int((at < 0).sum()), int((~has_lines[order_frame]).sum())


def _warn_unmatched_orders(parts: Sequence[_Part], *, excluded: bool) -> None:
    lost = sum(part.lines_without_order for part in parts)
    warning = [f"orders= lacks the orders of {format_count(lost, 'line item')}"] if lost else []
    empty = 0 if excluded else sum(part.orders_without_lines for part in parts)
    warning += [f"{format_count(empty, 'order')} without a line item here, not counted"] if empty else []
    if warning:
        warn_user(f"{'; '.join(warning)}: load both with the same arguments.", AnalysisWarning)
