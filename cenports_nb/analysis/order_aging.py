"""Order aging: orders that wait to be acknowledged or shipped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.errors import AnalysisWarning, InvalidRequestError
from cenports_nb.frames.account_column import per_account
from cenports_nb.frames.dates import is_plain_day, local_days, parse_time_zone
from cenports_nb.frames.line_status import is_open
from cenports_nb.frames.provenance import provenance, read_time_zone
from cenports_nb.frames.row_keys import IntArray, encode_keys, sum_by_code
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.frame_kinds import refuse_swapped
from cenports_nb.frames.schema.keys import ORDER_KEYS
from cenports_nb.frames.schema.validation import index_unique_rows, validate_columns
from cenports_nb.frames.user_warnings import warn_user


@per_account("orders", "line_items")
def order_ages(
    orders: pd.DataFrame,
    line_items: pd.DataFrame | None = None,
    *,
    now: str | datetime | pd.Timestamp | None = None,
    time_zone: str | None = None,
    weekmask: str = "Mon Tue Wed Thu Fri",
    holidays: Sequence[str | date] = (),
    buckets: Sequence[int] = (1, 2, 3, 5, 10),
) -> pd.DataFrame:
    """List orders that wait to be acknowledged or shipped, with their age.

    age_hours = (now - order_date) / 1 h; age_days = day of now - day of the order; age_business_days = working days
    from the order's day to yesterday: an order of Friday has 1 on Monday. A plain day (an `order_date` of exactly
    00:00:00Z) begins at midnight in the zone.

    An order is unshipped if one of its lines (`line_items`) is neither shipped nor cancelled or, without lines, if its
    own status is open. Statuses are those of `load_open_items`.

    Args:
        orders: From `load_orders`, ideally with `with_acknowledged=True`.
        line_items: From `load_line_items`, with the same arguments.
        now: An instant with a zone; by default the time when `orders` was fetched, else the current time.
        time_zone: IANA zone of the days; by default the zone in which `orders` was loaded, else UTC.
        weekmask: Working days, as in `numpy.busday_count`.
        holidays: Days that are not working days.
        buckets: Edges of `bucket`, in working days: (1, 2, 3, 5, 10) gives `0`, `1`, `2`, `3-4`, `5-9`, `10+`.

    Returns:
        The orders that are unshipped or not acknowledged, oldest first: `order_no channel_id order_date status
        acknowledged` (`boolean`, null if unknown), `unshipped`, `open_lines`, `open_units` (`Int64`, null without line
        items), `age_hours` (`float64`), `age_days`, `age_business_days` (`int64`), `bucket` (an ordered category).

    Raises:
        InvalidRequestError: A column is missing or can't be read, a key repeats, or an argument is invalid.

    Warns:
        AnalysisWarning: It is unknown whether some orders are acknowledged; they are listed only if unshipped.

    Example:
        >>> ages = cn.order_ages(cn.load_orders(client, last="90D", with_acknowledged=True))
        >>> len(ages), int(ages["age_days"].max())
        (21, 29)
    """
    refuse_swapped(orders=orders, line_items=line_items)
    zone = read_time_zone(time_zone, orders, line_items)
    parse_time_zone(zone)
    edges = _check_edges(buckets)
    moment = _parse_instant(now, orders)
    needed = [*ORDER_KEYS[::-1], "order_date", "status", "acknowledged"]
    waiting = validate_columns(orders, schemas.Orders, "orders", needed, optional=["acknowledged"]).reset_index(
        drop=True
    )
    if "acknowledged" not in waiting:
        waiting["acknowledged"] = pd.array([pd.NA] * len(waiting), dtype="boolean")
    waiting = _add_open_lines(waiting, orders, line_items)
    unknown = waiting["acknowledged"].isna()
    hidden = int((unknown & ~waiting["unshipped"]).sum())
    if hidden:
        warn_user(
            f"Whether {int(unknown.sum()):,} orders are acknowledged is not known, and {hidden:,} of them are shipped "
            "and so not listed: load them with with_acknowledged=True.",
            AnalysisWarning,
        )
    waiting = waiting[waiting["unshipped"] | ~waiting["acknowledged"].fillna(value=True).astype(bool)]
    days = local_days(waiting["order_date"], zone)
    begun = waiting["order_date"].where(~is_plain_day(waiting["order_date"]), _find_midnights(days, zone))
    today = moment.tz_convert(zone).tz_localize(None).normalize()
    working = _count_working_days(days, today, weekmask, holidays)
    return (
        waiting.assign(
            age_hours=(moment - begun).dt.total_seconds() / 3600,
            age_days=(today - days).dt.days.astype("int64"),
            age_business_days=working,
            bucket=pd.cut(working, [-np.inf, *edges, np.inf], right=False, labels=_label_buckets(edges)),
        )
        .assign(_begun=begun)
        .sort_values(["_begun", *ORDER_KEYS], kind="stable", ignore_index=True)
        .drop(columns="_begun")
    )


def _add_open_lines(waiting: pd.DataFrame, orders: pd.DataFrame, line_items: pd.DataFrame | None) -> pd.DataFrame:
    """Add `unshipped`, `open_lines` and `open_units` of each order."""
    order_keys = [waiting[name] for name in ORDER_KEYS]
    if line_items is None:
        encoded = encode_keys(order_keys)
        line_count, open_count, open_units = (np.zeros(encoded.size, dtype=np.int64) for _ in range(3))
    else:
        needed = [*ORDER_KEYS, "quantity", "status"]
        lines = validate_columns(line_items, schemas.LineItems, "line_items", needed)
        encoded = encode_keys(order_keys, [lines[name] for name in ORDER_KEYS])
        line_codes, is_open_line = encoded.rows[1], is_open(lines["status"]).to_numpy()
        line_count = np.bincount(line_codes, minlength=encoded.size)
        open_count = np.bincount(line_codes[is_open_line], minlength=encoded.size)
        open_units = sum_by_code(line_codes[is_open_line], lines["quantity"].to_numpy()[is_open_line], encoded.size)
    codes: IntArray = encoded.rows[0]
    index_unique_rows(orders, codes, encoded.size, ORDER_KEYS, "orders")
    known = line_count[codes] > 0
    return waiting.assign(
        unshipped=np.where(known, open_count[codes] > 0, is_open(waiting["status"])).astype(bool),
        open_lines=pd.arrays.IntegerArray(open_count[codes].astype(np.int64), ~known),
        open_units=pd.arrays.IntegerArray(open_units[codes], ~known),
    )


def _parse_instant(now: str | datetime | pd.Timestamp | None, orders: pd.DataFrame) -> pd.Timestamp:
    if now is None:
        origin = provenance(orders) if isinstance(orders, pd.DataFrame) else None
        return pd.Timestamp(origin.as_of) if origin and origin.as_of else pd.Timestamp.now("UTC")
    try:
        moment = pd.Timestamp(now)
    except (ValueError, TypeError):
        raise InvalidRequestError(f"now={now!r} isn't an instant: pass one such as '2026-01-31T08:00Z'.") from None
    if pd.isna(moment) or moment.tzinfo is None:
        raise InvalidRequestError(f"now={now!r} has no time zone: pass an instant such as '2026-01-31T08:00Z'.")
    return moment


def _find_midnights(days: pd.Series[Any], time_zone: str) -> pd.Series[Any]:
    """Return when days begin in a zone: where the clock skips midnight, the instant after the gap."""
    local: pd.Series[Any] = days.dt.tz_localize(time_zone, ambiguous=True, nonexistent="shift_forward")
    begun: pd.Series[Any] = local.dt.tz_convert("UTC")
    return begun


def _count_working_days(
    days: pd.Series[Any], today: pd.Timestamp, weekmask: str, holidays: Sequence[str | date]
) -> IntArray:
    try:
        off = np.array([np.datetime64(str(day)[:10], "D") for day in holidays], dtype="datetime64[D]")
        counted: IntArray = np.busday_count(
            days.to_numpy().astype("datetime64[D]"), np.datetime64(str(today.date())), weekmask=weekmask, holidays=off
        )
    except ValueError as error:
        raise InvalidRequestError(f"weekmask={weekmask!r} or holidays={holidays!r} can't be read: {error}.") from None
    return counted.astype(np.int64)


def _check_edges(buckets: Sequence[int]) -> list[int]:
    edges = list(buckets)
    if not edges or any(type(edge) is not int or edge < 1 for edge in edges) or sorted(set(edges)) != edges:
        raise InvalidRequestError(f"buckets={buckets!r} must be rising whole numbers above 0, such as (1, 2, 5).")
    return edges


def _label_buckets(edges: list[int]) -> list[str]:
    starts = [0, *edges]
    ends = [edge - 1 for edge in edges]
    closed = [f"{low}" if low == high else f"{low}-{high}" for low, high in zip(starts, ends, strict=False)]
    return [*closed, f"{edges[-1]}+"]
