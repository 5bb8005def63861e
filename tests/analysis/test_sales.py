"""Test that sales add up to the cent for every grouping."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenports_nb as cn
from cenports_nb.errors import AnalysisWarning, InvalidRequestError


def _lines(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Make rows of channel, order, instant, SKU, quantity, price and status."""
    columns = ["channel_id", "order_no", "order_date", "product_sku", "quantity", "price", "status"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(order_date=pd.to_datetime(frame["order_date"], utc=True, format="ISO8601"))


def _orders(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["channel_id", "order_no", "grand_total", "ship_to_state"])


LINES = _lines(
    ("EU", "1", "2026-01-01T23:30Z", "A", 2, 9.99, "shipped"),
    ("EU", "1", "2026-01-01T23:30Z", "B", 1, 5.0, "Cancelled"),
    ("NA", "1", "2026-01-04T00:00Z", "A", 3, 10.0, "new"),
    ("NA", "2", "2026-02-01T12:00Z", "A", -1, 10.0, "returned"),
)
ORDERS = _orders(("EU", "1", 27.48, "BY"), ("NA", "1", 31.5, "WA"), ("NA", "2", None, None))


def _found(**arguments: Any) -> list[list[Any]]:
    return cn.summarize_sales(LINES, **arguments).values.tolist()


def test_everything_in_one_row() -> None:
    """Returns are subtracted; order number 1 of two channels is two orders."""
    assert _found(by=()) == [[3, 4, 5, 44.98, 0]]


def test_an_order_counts_once_in_a_group_however_many_lines_it_has() -> None:
    """By channel, an order's total counts once, and an unknown total adds nothing."""
    assert _found(by="channel", orders=ORDERS) == [["EU", 1, 2, 3, 24.98, 0, 27.48], ["NA", 2, 2, 2, 20.0, 0, 31.5]]


def test_an_order_counts_in_each_sku_that_it_has() -> None:
    """By SKU, orders overlap, and so do their totals."""
    found = cn.summarize_sales(LINES, by="sku", orders=ORDERS)
    assert found[["product_sku", "orders", "order_total"]].values.tolist() == [["A", 3, 58.98], ["B", 1, 27.48]]


def test_states_come_from_the_orders() -> None:
    """States are those of the shipping address; rows without a state come last."""
    found = cn.summarize_sales(LINES, by="state", orders=ORDERS)
    assert found["ship_to_state"].tolist()[:2] == ["BY", "WA"]
    assert found["ship_to_state"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("UTC", ["2026-01-01", "2026-01-04", "2026-02-01"]),
        ("Asia/Tokyo", ["2026-01-02", "2026-01-04", "2026-02-01"]),
        ("America/New_York", ["2026-01-01", "2026-01-04", "2026-02-01"]),
    ],
)
def test_days_are_those_of_the_zone_and_plain_days_stay(zone: str, days: list[str]) -> None:
    """23:30Z is the next day in Tokyo; midnight UTC is a plain day and is never moved to the evening before."""
    found = cn.summarize_sales(LINES, by="day", time_zone=zone)
    assert found["day"].dt.strftime("%Y-%m-%d").tolist() == days
    assert found["day"].dtype == "datetime64[us]"


@pytest.mark.parametrize(
    ("day", "week"), [("2026-01-01", "2026-W01"), ("2024-12-30", "2025-W01"), ("2021-01-03", "2020-W53")]
)
def test_a_week_is_of_its_iso_year(day: str, week: str) -> None:
    """The days around New Year belong to the year of their Thursday."""
    lines = _lines(("EU", "1", f"{day}T12:00Z", "A", 1, 1.0, None))
    assert cn.summarize_sales(lines, by="week")["week"].tolist() == [week]


def test_several_groups_are_ordered_as_they_are_named() -> None:
    """Rows are sorted by month, then SKU."""
    found = cn.summarize_sales(LINES, by=["month", "sku"])
    assert found[["month", "product_sku", "units"]].values.tolist() == [
        ["2026-01", "A", 5], ["2026-01", "B", 1], ["2026-02", "A", -1],
    ]  # fmt: skip


def test_statuses_may_be_left_out() -> None:
    """Statuses to leave out are matched case-insensitively."""
    assert _found(by=(), exclude=["CANCELLED", "returned"]) == [[2, 2, 5, 49.98, 0]]


def test_lines_without_a_price_are_counted_apart() -> None:
    """Units of lines without a price count; their value is unknown."""
    lines = _lines(("EU", "1", "2026-01-01", "A", 2, None, None), ("EU", "1", "2026-01-01", "B", 1, 5.0, None))
    assert cn.summarize_sales(lines, by=()).values.tolist() == [[1, 2, 3, 5.0, 1]]


def test_a_million_dimes_are_exact() -> None:
    """The sum is 100,000, not 100,000.00000133 as floats added one by one."""
    lines = _lines(("EU", "1", "2026-01-01", "A", 1, 0.1, None)).iloc[[0] * 1_000_000]
    assert cn.summarize_sales(lines, by=())["line_value"].tolist() == [100_000.0]


MONEY = st.decimals(0, 99_999, places=4)
SOLD = st.lists(
    st.tuples(
        st.sampled_from(["EU", "NA"]), st.sampled_from("12"), st.sampled_from("AB"), st.integers(-9, 10**4), MONEY
    ),
    max_size=30,
)
BY = st.lists(st.sampled_from(["day", "week", "month", "sku", "channel"]), unique=True)


@given(SOLD, BY)
def test_every_grouping_adds_up(sold: list[tuple[str, str, str, int, Decimal]], by: list[Any]) -> None:
    """Units and lines match decimal arithmetic exactly, money to 0.0001."""
    rows = [(name, no, f"2026-0{no}-01T12:00Z", sku, many, float(price), None) for name, no, sku, many, price in sold]
    lines = _lines(*rows).astype({"quantity": "int64", "price": "float64"})
    found = cn.summarize_sales(lines, by=by)
    value = sum((price * many for *_, many, price in sold), Decimal(0))
    assert (found["units"].sum(), found["lines"].sum()) == (sum(row[3] for row in sold), len(sold))
    cents = sum((round(Decimal(amount), 4) for amount in found["line_value"]), Decimal(0))
    assert cents == round(value, 4)
    if set(by) <= {"channel", "month", "day", "week"}:
        assert found["orders"].sum() == len({row[:2] for row in sold})


def test_an_empty_result_has_the_same_columns_and_dtypes() -> None:
    """An empty frame has no rows, except one total of 0."""
    full = cn.summarize_sales(LINES, by=["day", "sku", "state"], orders=ORDERS)
    empty = cn.summarize_sales(LINES.iloc[:0], by=["day", "sku", "state"], orders=ORDERS.iloc[:0])
    pd.testing.assert_series_equal(empty.dtypes, full.dtypes)
    assert cn.summarize_sales(LINES.iloc[:0], by=()).values.tolist() == [[0, 0, 0, 0.0, 0]]


@pytest.mark.parametrize(
    ("lines", "orders", "words"),
    [
        (LINES, ORDERS[1:], "orders= lacks the orders of 2 line items"),
        (LINES[:3], ORDERS, "1 order without a line item"),
    ],
)
def test_frames_that_do_not_belong_together_cause_a_warning(lines: Any, orders: Any, words: str) -> None:
    """The warning gives the number of lines left out."""
    with pytest.warns(AnalysisWarning, match=words):
        cn.summarize_sales(lines, by=(), orders=orders)


@pytest.mark.parametrize(
    "arguments",
    [
        {"by": "year"},
        {"by": ["day", "day"]},
        {"by": "state"},
        {"time_zone": "Mars"},
        {"orders": pd.concat([ORDERS, ORDERS])},
    ],
    ids=["unknown", "twice", "state without orders", "zone", "doubled orders"],
)
def test_an_invalid_argument_is_refused(arguments: dict[str, Any]) -> None:
    """An invalid argument raises a one-line error."""
    with pytest.raises(InvalidRequestError):
        cn.summarize_sales(LINES, **arguments)
