"""Test charts of orders over time against the loaded orders, and the earlier period."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.dates import num2date
from support import chart_frames as made
from support.scripted_server import Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.notebook.charts.periods import (
    ONE_DAY,
    DayRange,
    LoadedDays,
    Period,
    choose_days,
    find_earlier_period,
    split_periods,
)

mpl.use("agg")

BYS = st.sampled_from(["day", "week", "month"])
SPANS = st.builds(
    lambda start, days: DayRange(start, start + timedelta(days=days)),
    st.dates(date(1999, 1, 1), date(2030, 1, 1)),
    st.integers(0, 800),
)


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def heights(ax: plt.Axes) -> list[float]:
    """Return the heights of the columns from left to right."""
    patches = [bar for container in ax.containers for bar in container]
    return [bar.get_height() for bar in sorted(patches, key=lambda bar: bar.get_x())]


def then(ax: plt.Axes) -> list[float]:
    """Return the marks of the period before from left to right."""
    return [segment[0][1] for marks in ax.collections for segment in marks.get_segments()]


def legend(ax: plt.Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def ticks(ax: plt.Axes) -> list[str]:
    return [label.get_text().replace("\n", " ") for label in ax.get_xticklabels()]


@given(SPANS, BYS)
def test_pieces_are_all_days_once(span: DayRange, by: Period) -> None:
    """Days are divided at Mondays or firsts of months, without gap or overlap."""
    pieces = split_periods(span, by)
    assert (pieces[0].start, pieces[-1].end) == (span.start, span.end)
    assert all(left.end + ONE_DAY == right.start for left, right in itertools.pairwise(pieces))
    begins = {"day": True, "week": all(p.start.weekday() == 0 for p in pieces[1:])}
    assert begins.get(by, all(piece.start.day == 1 for piece in pieces[1:]))


@given(SPANS, BYS)
def test_the_period_before_ends_before_and_is_as_long(span: DayRange, by: Period) -> None:
    """The periods have as many days or months, and no day in common."""
    earlier, places = find_earlier_period(span, by)
    assert earlier.end < span.start
    assert len(places) == len(split_periods(span, by))
    known = [place for place in places if place is not None]
    assert all(earlier.start <= place.start and place.end <= earlier.end for place in known)
    assert sum(place.days for place in known) <= earlier.days
    if by == "week":
        assert [place.start.weekday() for place in known] == [
            piece.start.weekday() for piece in split_periods(span, by)
        ]


@given(SPANS, BYS)
def test_the_later_half_has_an_earlier_one(span: DayRange, by: Period) -> None:
    """The default period is the later half of the loaded days, with the earlier period if there is room."""
    chosen = choose_days(LoadedDays(span, None, None), by, halved=True)
    assert span.contains(chosen)
    if chosen != span and chosen.days < span.days - 40:
        assert span.contains(find_earlier_period(chosen, by)[0])


def test_columns_are_orders_and_marks_are_the_period_before() -> None:
    """Of four weeks, the last two are columns and the first two a mark across each column, with both sums."""
    ax = cn.plot_orders(made.orders("2026-01-05", *range(1, 29)))
    assert heights(ax) == list(range(15, 29))
    assert then(ax) == list(range(1, 15))
    assert legend(ax) == ["19 Jan – 1 Feb 2026: 301 orders", "5 Jan – 18 Jan 2026, before: 105 orders (now +187 %)"]
    assert ax.get_title(loc="left") == "Orders by day"
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("orders", "day of the order")
    assert ticks(ax) == ["19 Jan 2026", "26 Jan"]


def test_columns_stand_at_their_days() -> None:
    """The axis has dates, so that users can add to it."""
    ax = cn.plot_orders(made.orders("2026-01-05", *[1] * 28))
    first = ax.containers[0][0]
    assert num2date(first.get_x() + first.get_width() / 2).date() == date(2026, 1, 19)


def test_line_items_are_units() -> None:
    """Orders and money can be chosen; returns are drawn below zero."""
    lines = made.lines("2026-01-05", *[1] * 14, *[3] * 13, -2)
    ax = cn.plot_orders(lines)
    assert heights(ax) == [3] * 13 + [-2]
    assert ax.get_ylabel() == "units"
    assert ax.get_ylim()[0] < -2
    assert heights(cn.plot_orders(lines, measure="line_value"))[0] == 7.5
    assert heights(cn.plot_orders(lines, measure="orders")) == [1] * 14


def test_money_is_exact() -> None:
    """Totals are those of `summarize_sales`, to the cent."""
    ax = cn.plot_orders(made.orders("2026-01-05", *[3] * 28), measure="order_total")
    assert legend(ax)[0] == "19 Jan – 1 Feb 2026: 430.50"
    assert "currency" in ax.get_ylabel()


def test_a_month_stands_beside_the_month_before() -> None:
    """March is compared with February by day; days 29 to 31 have none, and sums are of whole months."""
    orders = made.orders("2026-02-01", *[1] * 28, *[2] * 31)
    ax = cn.plot_orders(orders, start="2026-03-01", end="2026-03-31", by="day")
    assert then(ax) == [1] * 28
    assert legend(ax)[1] == "1 Feb – 28 Feb 2026, before: 28 orders (now +121 %)"


def test_a_part_of_a_month_is_told_as_one() -> None:
    """It is hatched, and compared with the same days of the month before."""
    orders = made.orders("2026-01-01", *[1] * 31, *[1] * 28, *[2] * 10)
    ax = cn.plot_orders(orders, by="month", start="2026-03-01", end="2026-03-10")
    assert (heights(ax), then(ax)) == ([20], [10])
    assert ax.containers[0][0].get_hatch()
    ax = cn.plot_orders(orders, by="month", start="2026-02-01", end="2026-03-10", compare=False)
    assert legend(ax) == ["1 Feb – 10 Mar 2026: 48 orders", "of these, a month in part"]


def test_days_that_were_not_loaded_are_not_zero() -> None:
    """No line is drawn for days that were not loaded, and the chart says so."""
    ax = cn.plot_orders(made.orders("2026-01-05", 1, 2, 3, 4), start="2026-01-07", end="2026-01-08")
    assert then(ax) == [1, 2]
    ax = cn.plot_orders(made.orders("2026-01-05", 1, 2, 3, 4), start="2026-01-06", end="2026-01-08")
    assert legend(ax)[1] == "3 Jan – 5 Jan 2026, before: not in this frame"
    assert len(ax.lines[0].get_xdata()) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"by": "year"}, "by='year'"),
        ({"measure": "units"}, "can't be drawn from orders: choose orders or order_total"),
        ({"start": "2026-01-05"}, "both start= and end="),
        ({"start": "2026-01-06", "end": "2026-01-05"}, "swap them"),
        ({"start": "5 January", "end": "2026-01-05"}, "start='5 January' isn't a day"),
        ({"time_zone": "Mars"}, "no time zone 'Mars'"),
    ],
)
def test_invalid_arguments_are_refused(arguments: dict[str, object], words: str) -> None:
    """The one-line error says what to do, and no figure is left open."""
    with pytest.raises(cn.errors.InvalidRequestError, match=words):
        cn.plot_orders(made.orders("2026-01-05", 1, 2, 3, 4), **arguments)
    assert plt.get_fignums() == []


def test_a_frame_of_another_kind_is_refused() -> None:
    """A repeated order would count twice; other frames have no orders."""
    orders = made.orders("2026-01-05", 1, 2)
    with pytest.raises(cn.errors.InvalidRequestError, match="more than one row for EU, 0000"):
        cn.plot_orders(pd.concat([orders, orders]))
    with pytest.raises(cn.errors.InvalidRequestError, match="orders lacks the columns channel_id, order_no"):
        cn.plot_orders(pd.DataFrame({"a": [1]}))
    with pytest.raises(cn.errors.InvalidRequestError, match="must be a DataFrame"):
        cn.plot_orders(None)


def test_loaded_orders_equal_their_summary(client: cn.Client) -> None:
    """Columns and line equal `summarize_sales`, days without orders included."""
    lines = cn.load_line_items(client, "1998-03-01", "1998-04-30")
    ax = cn.plot_orders(lines, start="1998-04-01", end="1998-04-30", by="day")
    days = cn.summarize_sales(lines, by="day").set_index("day")["units"]
    every = days.reindex(pd.date_range("1998-03-01", "1998-04-30"), fill_value=0)
    assert heights(ax) == every["1998-04-01":].tolist()
    assert then(ax) == every["1998-03-01":"1998-03-30"].tolist()
    assert legend(ax)[1].startswith(f"1 Mar – 31 Mar 1998, before: {every[:'1998-03-31'].sum():,} units")


def test_loaded_days_without_orders_are_zero(client: cn.Client) -> None:
    """The frame's provenance has its days."""
    orders = cn.load_orders(client, "1998-04-23", "1998-05-20")
    ax = cn.plot_orders(orders)
    assert heights(ax) == [0] * 14
    assert legend(ax)[0] == "7 May – 20 May 1998: 0 orders"
    assert sum(then(ax)) == len(orders)


def test_rows_that_were_left_out_are_not_days_without_orders(client: cn.Client) -> None:
    """After a filter, only the days of its rows are known."""
    orders = cn.load_orders(client, "1998-01-01", "1998-05-06")
    ax = cn.plot_orders(orders[orders["order_date"] >= "1998-04-23"])
    assert legend(ax)[0].startswith("30 Apr – 6 May 1998")


def test_days_that_a_frame_was_not_loaded_for_are_refused(client: cn.Client) -> None:
    """They would be drawn as 0; a filtered frame is fine within its days."""
    orders = cn.load_orders(client, "1998-04-01", "1998-04-30")
    with pytest.raises(cn.errors.InvalidRequestError, match="loaded for 1998-04-01 to 1998-04-30, and 1998-03-31 to"):
        cn.plot_orders(orders, start="1998-03-31", end="1998-04-30")
    chosen = orders[orders["channel_id"] == "NW-SA"]
    ax = cn.plot_orders(chosen, start="1998-04-01", end="1998-04-30", by="month")
    assert heights(ax) == [len(chosen)]


def test_days_beyond_a_frame_without_an_origin_are_drawn_if_asked_for() -> None:
    """A frame from a file doesn't know its days, so the caller's are used, without an earlier period."""
    ax = cn.plot_orders(made.orders("2026-01-05", 1, 2), start="2026-01-04", end="2026-01-07")
    assert heights(ax) == [0, 1, 2, 0]
    assert "not in this frame" in legend(ax)[1]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=120), BYS, st.booleans())
def test_no_order_is_lost_or_doubled(counts: list[int], by: Period, compare: bool) -> None:
    """Columns add up to the period's orders, the line to those of the period before."""
    orders = made.orders("2026-01-05", 1, *counts, 1)
    ax = cn.plot_orders(orders, by=by, compare=compare)
    total = sum(heights(ax))
    assert f": {total:,.0f} order" in legend(ax)[0]
    assert total <= len(orders)
    if not compare:
        assert total == len(orders)
    elif len(then(ax)):
        assert total + np.nansum(then(ax)) <= len(orders)
    plt.close("all")


def answer(*instants: str) -> Reply:
    """An account of one order at each of these instants."""
    orders = [
        {"orderNo": str(number), "channelId": "X", "orderDate": instant, "lineItems": []}
        for number, instant in enumerate(instants)
    ]
    return Reply({"data": orders, "total": len(orders)})


def test_today_is_not_over(server: ScriptedServer, staging: Callable[..., cn.Client]) -> None:
    """The day on which a frame was read, 1 March, is drawn only if it is asked for."""
    server.on("GET /orders", answer("2026-02-28T09:00:00Z", "2026-03-01T09:00:00Z"))
    orders = cn.load_orders(staging(), last="28D", channel_id="X")
    assert legend(cn.plot_orders(orders, compare=False)) == ["2 Feb – 28 Feb 2026: 1 order"]
    assert legend(cn.plot_orders(orders, start="2026-03-01", end="2026-03-01"))[0] == "1 Mar 2026: 1 order"


def test_days_are_those_of_the_zone_that_was_loaded_in(
    server: ScriptedServer, staging: Callable[..., cn.Client]
) -> None:
    """Half past one in the night of UTC is the evening before in New York; another zone may be asked for."""
    server.on("GET /orders", answer("2026-02-10T01:30:00Z"))
    orders = cn.load_orders(staging(time_zone="America/New_York"), "2026-02-09", "2026-02-10", channel_id="X")
    ax = cn.plot_orders(orders, compare=False)
    assert heights(ax) == [1, 0]
    assert ax.texts[-1].get_text() == "Days of America/New_York; channel X."
    ax = cn.plot_orders(orders, compare=False, time_zone="UTC")
    assert heights(ax) == [0, 1]
    assert "loaded by days of America/New_York, so the first and last day are in part" in ax.texts[-1].get_text()


def test_what_a_frame_leaves_out_is_said(client: cn.Client) -> None:
    """A chart of one channel, or of what is not acknowledged, must not be taken for one of all orders."""
    days = ("1998-04-01", "1998-05-06")
    orders = cn.load_orders(client, *days, channel_id=["NW-EU", "NW-SA"], acknowledged=False)
    said = cn.plot_orders(orders).texts[-1].get_text()
    assert said == "Days of UTC; channel NW-EU, NW-SA; only orders that are not acknowledged."
