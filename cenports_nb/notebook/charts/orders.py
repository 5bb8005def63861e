"""Orders, units or money over time, beside the period before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.dates import date2num

from cenports_nb.analysis.money import sum_exactly
from cenports_nb.analysis.sales import summarize_sales
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.choices import check_choice, suggest_choice
from cenports_nb.frames.dates import Day, local_days, parse_time_zone
from cenports_nb.frames.provenance import Provenance, provenance, read_time_zone
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import ORDER_KEYS
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.notebook.charts.canvas import (
    NAME_MAX_LENGTH,
    available_width,
    draw_headline,
    draw_message,
    draw_remark,
    format_axis,
    prepare_axes,
)
from cenports_nb.notebook.charts.palette import choose_palette
from cenports_nb.notebook.charts.periods import (
    MONTH_NAMES,
    DayRange,
    LoadedDays,
    Period,
    choose_days,
    complete_period,
    find_earlier_period,
    find_loaded_days,
    format_day,
    parse_days,
    split_periods,
)
from cenports_nb.rendering.text import format_count, format_number, truncate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Measure = Literal["orders", "order_total", "units", "line_value"]

MEASURES: dict[str, tuple[str, str, str]] = {
    "orders": ("Orders", "orders", "order"),
    "units": ("Units ordered", "units", "unit"),
    "order_total": ("Order totals", "money, in the currency of the orders", ""),
    "line_value": ("Value of lines", "money, in the currency of the orders", ""),
}
"""Title, axis label and noun of each measure."""

ORDER_MEASURES, LINE_MEASURES = ("orders", "order_total"), ("units", "orders", "line_value")
"""The measures of each frame, the default first."""

MAX_DAYS_BY_PERIOD: tuple[tuple[int, Period], ...] = ((45, "day"), (200, "week"))
"""Up to this many days a column is a day or a week; beyond, a month."""

COLUMN_SHARE = 0.8
"""The share of its period that a column takes."""

MIN_COLUMNS = 6
"""The chart leaves room for at least this many columns."""

DATE_LABEL_POINTS = 62
"""Width of a date below the chart."""


@dataclass(frozen=True)
class _Series:
    """What is drawn: the parts of a period with their sums, and those of the period before."""

    span: DayRange
    by: Period
    periods: list[DayRange]
    values: list[float]
    total: float
    earlier: DayRange | None
    earlier_values: list[float]
    earlier_total: float | None


def plot_orders(
    orders: pd.DataFrame,
    *,
    by: Period | None = None,
    measure: Measure | None = None,
    start: Day | None = None,
    end: Day | None = None,
    compare: bool = True,
    time_zone: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw orders over time as columns, and the period before as a mark across each column.

    Without `start` and `end`, the later half of the loaded days is drawn beside the earlier half: load twice as many
    days as you want to see. The day on which the frame was loaded is not over, so it is left out. Days without orders
    are 0 if they were loaded; days that were not loaded are never drawn as 0.

    Args:
        orders: From `load_orders`, to count orders; from `load_line_items`, to sum units.
        by: The width of a column: `"day"`, `"week"` (from Monday) or `"month"`; by default it fits the period.
        measure: `"orders"` or `"order_total"` of orders; `"units"`, `"orders"` or `"line_value"` of line items.
        start: The first day drawn.
        end: The last day drawn.
        compare: Also draw the period before: the same number of days, or of months.
        time_zone: IANA zone of the days; by default the zone in which the frame was loaded, else UTC.
        title: Replaces the default title.
        ax: The Axes to draw on; a new figure by default.

    Raises:
        InvalidRequestError: A column is missing or can't be read, the days were not loaded, or an argument is
                invalid.

    Example:
        >>> orders = cn.load_orders(client, last="180D")
        >>> ax = cn.plot_orders(orders, by="week")
        >>> ax.get_title(loc="left")
        'Orders by week'
    """
    if by is not None:
        check_choice("by", by, ("day", "week", "month"))
    zone = read_time_zone(time_zone, orders)
    parse_time_zone(zone)
    has_lines = isinstance(orders, pd.DataFrame) and bool({"line_item", "quantity"} & set(orders.columns))
    known = LINE_MEASURES if has_lines else ORDER_MEASURES
    measured = measure or known[0]
    if measured not in known:
        kind = "line items" if has_lines else "orders"
        raise InvalidRequestError(
            f"measure={measure!r} can't be drawn from {kind}: choose {' or '.join(known)}{suggest_choice([measured], known) or '.'}"
        )
    days = _sum_by_day(orders, zone, measured, has_lines=has_lines)
    loaded = find_loaded_days(orders, days.index.to_series(), zone)
    heading, unit, word = MEASURES[measured]
    heading = title or heading
    if loaded is None:
        return draw_message(prepare_axes(ax, 0), heading, "No orders to show: the frame is empty.")
    span, by = _choose_period(loaded, parse_days(loaded.limits, start, end, zone), by, compare=compare)
    series = _build_series(days, loaded.days, span, by, compare=compare)
    if not np.nan_to_num([*series.values, *series.earlier_values]).any():
        return draw_message(prepare_axes(ax, 0), heading, f"No orders to show: there are none, {span}.")
    ax = prepare_axes(ax, 4.2)
    _draw(ax, series, word)
    draw_headline(ax, title or f"{heading} by {by}", columns=1)
    heights = np.array([*series.values, *series.earlier_values])
    format_axis(ax, unit, max(np.nanmax(heights), 1.0) * 1.08, along="y")
    if np.nanmin(heights) < 0:  # returns exceed sales
        ax.set_ylim(bottom=np.nanmin(heights) * 1.08)
    draw_remark(ax, [f"Days of {zone}", *_describe_limits(provenance(orders), zone)], below=44)
    return ax


def _describe_limits(origin: Provenance | None, zone: str) -> list[str]:
    """List why the frame may lack orders of these days."""
    if origin is None:
        return []
    label = [] if origin.complete else ["the frame is not complete, some orders are missing"]
    channels = origin.params.get("channel_id")
    if channels:
        label.append(
            f"channel {truncate(', '.join(map(str, [channels] if isinstance(channels, str) else channels)), NAME_MAX_LENGTH)}"
        )
    acknowledged = origin.params.get("acknowledged")
    if acknowledged is not None:
        label.append(f"only orders that are {'' if acknowledged else 'not '}acknowledged")
    loaded_in = origin.params.get("time_zone")
    if loaded_in and loaded_in != zone:
        label.append(f"loaded by days of {loaded_in}, so the first and last day are in part")
    return label


def _sum_by_day(orders: pd.DataFrame, zone: str, measure: str, *, has_lines: bool) -> pd.Series[Any]:
    if has_lines:
        return summarize_sales(orders, by="day", time_zone=zone).set_index("day")[measure]
    needed = [*ORDER_KEYS, "order_date"] if measure == "orders" else [*ORDER_KEYS, "order_date", "grand_total"]
    rows = validate_columns(orders, schemas.Orders, "orders", needed, unique=ORDER_KEYS, by_account=True)
    codes, days = pd.factorize(local_days(rows["order_date"], zone), sort=True)
    ones = np.ones(len(rows), dtype=np.int64)
    if measure == "orders":
        return pd.Series(np.bincount(codes, minlength=len(days)), index=days)
    totals = np.nan_to_num(rows["grand_total"].to_numpy())
    return pd.Series(sum_exactly(totals, ones, codes.astype(np.int64), len(days)), index=days)


def _choose_period(
    loaded: LoadedDays, asked: DayRange | None, by: Period | None, *, compare: bool
) -> tuple[DayRange, Period]:
    """Choose the days and the width of a column, each by the other where neither is given."""
    span = asked or choose_days(loaded, by, halved=compare)
    if by is not None:
        return span, by
    fitting: Period = next((name for length, name in MAX_DAYS_BY_PERIOD if span.days <= length), "month")
    return asked or choose_days(loaded, fitting, halved=compare), fitting


def _build_series(days: pd.Series[Any], loaded: DayRange, span: DayRange, by: Period, *, compare: bool) -> _Series:
    """Sum what is drawn; days that were not loaded have no sum."""
    periods = split_periods(span, by)
    now = [_sum(days, period) for period in periods]
    total = _sum(days, span)
    if not compare:
        return _Series(span, by, periods, now, total, None, [], None)
    earlier, positions = find_earlier_period(span, by)
    if not loaded.contains(earlier):
        return _Series(span, by, periods, now, total, earlier, [], None)
    then = [np.nan if position is None else _sum(days, position) for position in positions]
    return _Series(span, by, periods, now, total, earlier, then, _sum(days, earlier))


def _sum(days: pd.Series[Any], span: DayRange) -> float:
    inside = (days.index >= pd.Timestamp(span.start)) & (days.index <= pd.Timestamp(span.end))
    return float(days.to_numpy()[inside].sum())


def _draw(ax: Axes, series: _Series, word: str) -> None:
    """Draw columns in the middle of their days, and the period before as a mark across each column."""
    palette = choose_palette(ax)
    styles: dict[bool, dict[str, Any]] = {
        True: {"color": palette.sky},
        False: {"facecolor": palette.background, "edgecolor": palette.gray, "hatch": "////", "linewidth": 0.8},
    }
    columns = [complete_period(period, series.by) for period in series.periods]
    middles = [np.datetime64(each.start) + np.timedelta64(12 * (each.days - 1), "h") for each in columns]
    widths = [np.timedelta64(round(24 * COLUMN_SHARE * each.days), "h") for each in columns]
    whole = np.array([period == column for period, column in zip(series.periods, columns, strict=True)])
    label = f"{series.span}: {_format_amount(series.total, word)}"
    for is_whole, style in styles.items():
        positions = np.flatnonzero(whole == is_whole)
        if len(positions):
            ax.bar(
                [middles[position] for position in positions], [series.values[position] for position in positions],
                width=[widths[position] for position in positions],
                label=label if is_whole or not whole.any() else f"of these, a {series.by} in part", **style,
            )  # fmt: skip
    if series.earlier is not None and series.earlier_total is not None:
        label = f"{series.earlier}, before: {_format_amount(series.earlier_total, word)}{_format_change(series.total, series.earlier_total)}"
        known = [each for each in zip(middles, widths, series.earlier_values, strict=True) if not np.isnan(each[2])]
        marks = LineCollection(
            [[(date2num(end), value) for end in (at - width / 2, at + width / 2)] for at, width, value in known],
            colors=palette.text, linewidths=1.8, zorder=3, label=label,
        )  # fmt: skip
        ax.add_collection(marks)
    elif series.earlier is not None:
        ax.plot([], [], linestyle="none", label=f"{series.earlier}, before: not in this frame")
    _draw_dates(ax, series, middles)


def _draw_dates(ax: Axes, series: _Series, middles: Sequence[Any]) -> None:
    """Label a few dates: Mondays if columns are days, and the year where it begins."""
    positions = list(range(len(middles)))
    most = max(2, int(available_width(ax) / DATE_LABEL_POINTS))
    if series.by == "day" and len(positions) > most:
        mondays = [position for position in positions if series.periods[position].start.weekday() == 0]
        positions = mondays[:: -(-len(mondays) // most)]
    else:
        positions = positions[:: -(-len(positions) // most)]
    palette = choose_palette(ax)
    labels, year = [], 0
    for position in positions:
        day = series.periods[position].start
        text = MONTH_NAMES[day.month - 1] if series.by == "month" else format_day(day)
        labels.append(text if day.year == year else f"{text}\n{day.year}")
        year = day.year
    ax.set_xticks([middles[position] for position in positions], labels)
    ax.tick_params(axis="x", length=3, labelsize=9, colors=palette.text, color=palette.gray)
    first, last = (complete_period(period, series.by) for period in (series.periods[0], series.periods[-1]))
    beyond = max(0, MIN_COLUMNS - len(series.periods)) / 2 * first.days  # a few columns are no wider than many
    ax.set_xlim(date2num(first.start) - 0.6 - beyond, date2num(last.end) + 0.6 + beyond)
    words = {"day": "day of the order", "week": "week of the order, from Monday", "month": "month of the order"}
    ax.set_xlabel(words[series.by], fontsize=9, color=palette.text)
    ax.axhline(0, color=palette.text, linewidth=0.8)


def _format_amount(value: float, word: str) -> str:
    return format_count(round(value), word) if word else f"{value:,.2f}"


def _format_change(now: float, then: float) -> str:
    """Describe the change in percent; there is none from zero."""
    if then <= 0:
        return ""
    share = round(100 * (now - then) / then)
    return f" (now {format_number(share, '+,')} %)"
