"""Orders, units or money over time, beside the same period before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from matplotlib.dates import date2num

from cenports_nb.analysis.money import sum_exactly
from cenports_nb.analysis.sales import summarize_sales
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.dates import Day, local_days, parse_time_zone
from cenports_nb.frames.provenance import Provenance, provenance, read_time_zone
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import ORDER_KEYS
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.notebook.charts.canvas import (
    FAINT,
    INK,
    SKY,
    canvas,
    cell_width,
    headline,
    many,
    numbers,
    remark,
    sentence,
    shortened,
)
from cenports_nb.notebook.charts.periods import (
    MONTHS,
    By,
    Loaded,
    Span,
    asked_days,
    before,
    chosen_days,
    cut,
    loaded_days,
    whole_of,
    written,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Measure = Literal["orders", "order_total", "units", "line_value"]

MEASURES: dict[str, tuple[str, str, str]] = {
    "orders": ("Orders", "orders", "order"),
    "units": ("Units ordered", "units", "unit"),
    "order_total": ("Order totals", "money, in the currency of the orders", ""),
    "line_value": ("Value of lines", "money, in the currency of the orders", ""),
}
"""Title, axis and word of each measure."""

OF_ORDERS, OF_LINES = ("orders", "order_total"), ("units", "orders", "line_value")
"""What each frame can tell, the default first."""

BY_LENGTH: tuple[tuple[int, By], ...] = ((45, "day"), (200, "week"))
"""Up to so many days a column is a day, a week; beyond, a month."""

WHOLE: dict[str, Any] = {"color": SKY}
PART: dict[str, Any] = {"facecolor": "white", "edgecolor": FAINT, "hatch": "////", "linewidth": 0.8}
"""How a week or month looks of which not all days are drawn."""

FEW = 6
"""Columns that at least have room."""

TICK_WIDTH = 62
"""Points that a date needs below a chart."""


@dataclass(frozen=True)
class _Drawn:
    """What is drawn: pieces of a period with their sums, and what stood in their place before."""

    span: Span
    by: By
    pieces: list[Span]
    now: list[float]
    total: float
    earlier: Span | None
    then: list[float]
    then_total: float | None


def plot_orders(
    orders: pd.DataFrame,
    *,
    by: By | None = None,
    measure: Measure | None = None,
    start: Day | None = None,
    end: Day | None = None,
    compare: bool = True,
    time_zone: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw orders over time as columns, and the same period before as a dashed line.

    Without `start` and `end` the later half of the days that the frame was loaded for stands beside the earlier half:
    load twice as many days as you want to see. The day on which the frame was read is not over and is left out. Days
    without orders are 0 where they were loaded; days that were not loaded are never drawn as 0.

    Args:
        orders: From `load_orders`, to count orders; from `load_line_items`, to add up units.
        by: A column a `"day"`, `"week"` (from Monday) or `"month"`; by default as fits the length of the period.
        measure: `"orders"` or `"order_total"` of orders; `"units"`, `"orders"` or `"line_value"` of line items.
        start: The first day drawn.
        end: The last day drawn.
        compare: Draw the period before too: as many days directly before, or as many months.
        time_zone: IANA zone in which days are meant; by default the one that the frame was loaded in, else UTC.
        title: Instead of the default one.
        ax: Where to draw; a new figure by default.

    Raises:
        InvalidRequestError: A column is missing or can't be read, the days were not loaded, or an argument means
            nothing.
    """
    if by not in ("day", "week", "month", None):
        raise InvalidRequestError(f'by={by!r} must be "day", "week" or "month".')
    zone = read_time_zone(time_zone, orders)
    parse_time_zone(zone)
    lines = isinstance(orders, pd.DataFrame) and {"line_item", "quantity"} & set(orders.columns)
    known = OF_LINES if lines else OF_ORDERS
    measured = measure or known[0]
    if measured not in known:
        kind = "line items" if lines else "orders"
        raise InvalidRequestError(f"measure={measure!r} can't be told from {kind}: choose {' or '.join(known)}.")
    days = _by_day_of_lines(orders, zone, measured) if lines else _by_day_of_orders(orders, zone, measured)
    loaded = loaded_days(orders, days.index.to_series(), zone)
    heading, unit, word = MEASURES[measured]
    heading = title or heading
    if loaded is None:
        return sentence(canvas(ax, 0), heading, "No orders to show: the frame is empty.")
    span, by = _period(loaded, asked_days(loaded.limits, start, end, zone), by, compare=compare)
    drawn = _sums(days, loaded.days, span, by, compare=compare)
    if not np.nan_to_num([*drawn.now, *drawn.then]).any():
        return sentence(canvas(ax, 0), heading, f"No orders to show: there are none, {span}.")
    ax = canvas(ax, 4.2)
    _draw(ax, drawn, word)
    headline(ax, title or f"{heading} by {by}", columns=1)
    heights = np.array([*drawn.now, *drawn.then])
    numbers(ax, unit, max(np.nanmax(heights), 1.0) * 1.08, along="y")
    if np.nanmin(heights) < 0:  # more came back than was sold
        ax.set_ylim(bottom=np.nanmin(heights) * 1.08)
    remark(ax, [f"Days of {zone}", *_limited(provenance(orders), zone)], below=44)
    return ax


def _limited(origin: Provenance | None, zone: str) -> list[str]:
    """Say why these may not be all orders of these days."""
    if origin is None:
        return []
    said = [] if origin.complete else ["the frame is not complete, some orders are missing"]
    channels = origin.params.get("channel_id")
    if channels:
        said.append(f"channel {shortened(', '.join(map(str, [channels] if isinstance(channels, str) else channels)))}")
    acknowledged = origin.params.get("acknowledged")
    if acknowledged is not None:
        said.append(f"only orders that are {'' if acknowledged else 'not '}acknowledged")
    loaded_in = origin.params.get("time_zone")
    if loaded_in and loaded_in != zone:
        said.append(f"loaded by days of {loaded_in}, so the first and last day are in part")
    return said


def _by_day_of_lines(lines: pd.DataFrame, zone: str, measure: str) -> pd.Series[Any]:
    sales = summarize_sales(lines, by="day", time_zone=zone)
    return sales.set_index("day")[measure]


def _by_day_of_orders(orders: pd.DataFrame, zone: str, measure: str) -> pd.Series[Any]:
    needed = [*ORDER_KEYS, "order_date"] if measure == "orders" else [*ORDER_KEYS, "order_date", "grand_total"]
    rows = validate_columns(orders, schemas.Orders, "orders", needed, unique=ORDER_KEYS)
    codes, days = pd.factorize(local_days(rows["order_date"], zone), sort=True)
    ones = np.ones(len(rows), dtype=np.int64)
    if measure == "orders":
        return pd.Series(np.bincount(codes, minlength=len(days)), index=days)
    totals = np.nan_to_num(rows["grand_total"].to_numpy())
    return pd.Series(sum_exactly(totals, ones, codes.astype(np.int64), len(days)), index=days)


def _period(loaded: Loaded, asked: Span | None, by: By | None, *, compare: bool) -> tuple[Span, By]:
    """Choose days and columns; each depends on the other where neither was asked for."""
    span = asked or chosen_days(loaded, by, halved=compare)
    if by is not None:
        return span, by
    fitting: By = next((name for length, name in BY_LENGTH if span.days <= length), "month")
    return asked or chosen_days(loaded, fitting, halved=compare), fitting


def _sums(days: pd.Series[Any], loaded: Span, span: Span, by: By, *, compare: bool) -> _Drawn:
    """Add up what is drawn; what was not loaded has no sum."""
    pieces = cut(span, by)
    now = [_sum(days, piece) for piece in pieces]
    total = _sum(days, span)
    if not compare:
        return _Drawn(span, by, pieces, now, total, None, [], None)
    earlier, places = before(span, by)
    if not loaded.covers(earlier):
        return _Drawn(span, by, pieces, now, total, earlier, [], None)
    then = [np.nan if place is None else _sum(days, place) for place in places]
    return _Drawn(span, by, pieces, now, total, earlier, then, _sum(days, earlier))


def _sum(days: pd.Series[Any], span: Span) -> float:
    inside = (days.index >= pd.Timestamp(span.start)) & (days.index <= pd.Timestamp(span.end))
    return float(days.to_numpy()[inside].sum())


def _draw(ax: Axes, drawn: _Drawn, word: str) -> None:
    """Draw columns at the middle of their days, and the period before as a dashed line with hollow rings."""
    columns = [whole_of(piece, drawn.by) for piece in drawn.pieces]
    middles = [np.datetime64(each.start) + np.timedelta64(12 * (each.days - 1), "h") for each in columns]
    whole = np.array([piece == column for piece, column in zip(drawn.pieces, columns, strict=True)])
    said = f"{drawn.span}: {_amount(drawn.total, word)}"
    for chosen, look in ((whole, WHOLE), (~whole, PART)):
        places = np.flatnonzero(chosen)
        if len(places):
            ax.bar(
                [middles[place] for place in places], [drawn.now[place] for place in places],
                width=[np.timedelta64(round(19.2 * columns[place].days), "h") for place in places],
                label=said if look is WHOLE else f"of these, a {drawn.by} in part" if whole.any() else said, **look,
            )  # fmt: skip
    if drawn.earlier is not None and drawn.then_total is not None:
        label = f"{drawn.earlier}, before: {_amount(drawn.then_total, word)}{_moved(drawn.total, drawn.then_total)}"
        marker = "o" if len(drawn.then) <= 62 else None
        ax.plot(
            middles, drawn.then, color=INK, linewidth=1.2, linestyle=(0, (4, 2)), marker=marker, markersize=4.5,
            markerfacecolor="white", label=label,
        )  # fmt: skip
    elif drawn.earlier is not None:
        ax.plot([], [], linestyle="none", label=f"{drawn.earlier}, before: not in this frame")
    _ticks(ax, drawn, middles)


def _ticks(ax: Axes, drawn: _Drawn, middles: Sequence[Any]) -> None:
    """Write few dates, on Mondays where columns are days, the year where it begins."""
    places = list(range(len(middles)))
    most = max(2, int(cell_width(ax) / TICK_WIDTH))
    if drawn.by == "day" and len(places) > most:
        mondays = [place for place in places if drawn.pieces[place].start.weekday() == 0]
        places = mondays[:: -(-len(mondays) // most)]
    else:
        places = places[:: -(-len(places) // most)]
    labels, year = [], 0
    for place in places:
        day = drawn.pieces[place].start
        text = MONTHS[day.month - 1] if drawn.by == "month" else written(day)
        labels.append(text if day.year == year else f"{text}\n{day.year}")
        year = day.year
    ax.set_xticks([middles[place] for place in places], labels)
    ax.tick_params(axis="x", length=3, labelsize=9, colors=INK, color=FAINT)
    first, last = (whole_of(piece, drawn.by) for piece in (drawn.pieces[0], drawn.pieces[-1]))
    beyond = max(0, FEW - len(drawn.pieces)) / 2 * first.days  # a few columns are no wider than of many
    ax.set_xlim(date2num(first.start) - 0.6 - beyond, date2num(last.end) + 0.6 + beyond)
    words = {"day": "day of the order", "week": "week of the order, from Monday", "month": "month of the order"}
    ax.set_xlabel(words[drawn.by], fontsize=9, color=INK)
    ax.axhline(0, color=INK, linewidth=0.8)


def _amount(value: float, word: str) -> str:
    return many(round(value), word) if word else f"{value:,.2f}"


def _moved(now: float, then: float) -> str:
    """Say by how much it moved; of nothing there is no share."""
    if then <= 0:
        return ""
    share = round(100 * (now - then) / then)
    return f" (now {share:+,} %)".replace("-", "−")
