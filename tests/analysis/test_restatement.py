"""Test the steps from an earlier total to the current one, to the cent."""

from __future__ import annotations

import doctest
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenports_nb as cn
from cenports_nb.analysis import month
from cenports_nb.analysis.month import parse_month
from cenports_nb.errors import InvalidRequestError

COLUMNS = ["channel_id", "order_no", "line_item", "product_sku", "quantity", "price", "status"]


def lines(*rows: tuple[str, int, str, int, float | None, str]) -> pd.DataFrame:
    """Make lines of order, number, SKU, units, price and status."""
    return pd.DataFrame([("EU", *row) for row in rows], columns=COLUMNS).astype(
        {"line_item": "int64", "quantity": "int64", "price": "float64"}
        | dict.fromkeys(["channel_id", "order_no", "product_sku", "status"], "str")
    )


BEFORE = lines(
    ("1", 1, "A", 2, 9.99, "shipped"),
    ("1", 2, "B", 1, 5.00, "shipped"),
    ("2", 1, "A", 4, 0.10, "shipped"),
    ("3", 1, "C", 1, 7.00, "shipped"),
    ("4", 1, "C", 1, 7.00, "Cancelled"),
    ("5", 1, "D", 3, None, "pending"),
    ("6", 1, "E", 1, 1.00, "shipped"),
)
AFTER = lines(
    ("1", 1, "A", 3, 10.99, "shipped"),
    ("1", 3, "B", 1, 5.00, "shipped"),
    ("3", 1, "C", 1, 7.00, "cancelled"),
    ("4", 1, "C", 1, 7.00, "shipped"),
    ("5", 1, "D", 3, 2.50, "shipped"),
    ("6", 1, "F", 1, 1.00, "shipped"),
    ("7", 1, "A", 1, 9.99, "pending"),
)


def test_each_kind_of_change_is_a_step() -> None:
    """Units and amounts, counted by hand, add up from the first row to the last."""
    reported = cn.restatement(BEFORE, AFTER, exclude=["cancelled"]).steps
    rows = {row.kind: (row.lines, row.units, round(row.line_value, 2)) for row in reported.itertuples()}
    assert rows == {
        "earlier": (pd.NA, 12, 33.38),
        "order added": (1, 1, 9.99),
        "order gone": (1, -4, -0.40),
        "line added": (1, 1, 5.00),
        "line gone": (1, -1, -5.00),
        "cancelled": (1, -1, -7.00),
        "no longer cancelled": (1, 1, 7.00),
        "SKU changed": (1, 0, 0.00),
        "quantity changed": (1, 1, 9.99),
        "price changed": (2, 0, 10.50),
        "now": (pd.NA, 10, 63.46),
    }


def test_a_line_with_another_quantity_and_price_makes_two_steps() -> None:
    """The change in units is valued at the earlier price, the change in price for the current units."""
    reported = cn.restatement(lines(("1", 1, "A", 2, 9.99, "")), lines(("1", 1, "A", 3, 10.99, ""))).lines
    rows = [(row.kind, row.units, round(row.line_value, 2)) for row in reported.itertuples()]
    assert rows == [("quantity changed", 1, 9.99), ("price changed", 0, 3.00)]


def test_a_status_that_counts_as_before_is_no_restatement() -> None:
    """From pending to shipped, the sum stays the same."""
    reported = cn.restatement(lines(("1", 1, "A", 2, 9.99, "pending")), lines(("1", 1, "A", 2, 9.99, "shipped")))
    assert reported.lines.empty
    assert list(reported.steps["kind"]) == ["earlier", "now"]


def test_empty_frames_have_two_totals_of_zero() -> None:
    """Empty frames have two totals of zero."""
    reported = cn.restatement(lines(), lines())
    assert reported.steps[["units", "line_value"]].to_numpy().tolist() == [[0, 0.0], [0, 0.0]]


LINE = st.tuples(
    st.sampled_from("123"), st.integers(1, 3), st.sampled_from("AB"), st.integers(-3, 9),
    st.one_of(st.none(), st.integers(0, 999_999).map(lambda cents: cents / 100)),
    st.sampled_from(["shipped", "Cancelled", "odd"]),
)  # fmt: skip
FRAME = st.lists(LINE, max_size=8, unique_by=lambda row: row[:2]).map(lambda rows: lines(*rows))


def total(frame: pd.DataFrame) -> tuple[int, Decimal]:
    """Calculate the total again with Decimal."""
    rows = [row for row in frame.itertuples() if row.status.lower() != "cancelled"]
    prices = [Decimal(0) if pd.isna(row.price) else Decimal(str(row.price)) for row in rows]
    return sum(row.quantity for row in rows), sum(
        (price * row.quantity for price, row in zip(prices, rows, strict=True)), Decimal(0)
    )


@pytest.mark.slow
@given(before=FRAME, after=FRAME)
def test_steps_lead_from_one_total_to_the_other(before: pd.DataFrame, after: pd.DataFrame) -> None:
    """For any change of lines, units add up exactly, money to the cent, and lines to their steps."""
    reported = cn.restatement(before, after, exclude=["cancelled"])
    steps = reported.steps.assign(cents=[round(Decimal(str(value)) * 100) for value in reported.steps["line_value"]])
    first, last, between = steps.iloc[0], steps.iloc[-1], steps.iloc[1:-1]
    assert (first["units"], last["units"]) == (total(before)[0], total(after)[0])
    assert (first["cents"], last["cents"]) == (total(before)[1] * 100, total(after)[1] * 100)
    assert first["units"] + between["units"].sum() == last["units"]
    assert first["cents"] + sum(between["cents"]) == last["cents"]
    assert reported.lines["units"].sum() == between["units"].sum()
    assert sum(round(Decimal(str(value)) * 100) for value in reported.lines["line_value"]) == sum(between["cents"])


def test_the_examples_of_months_run() -> None:
    """The doctest of `month` passes."""
    assert doctest.testmod(month).failed == 0


def test_a_month_that_is_not_over_ends_today() -> None:
    """The current month ends today, with a note."""
    found = parse_month("2026-11", date(2026, 11, 26))
    assert (found.end, found.over) == (date(2026, 11, 26), False)


def test_the_last_whole_month_of_january_is_december() -> None:
    """In January the last whole month is December of the year before."""
    found = parse_month("", date(2026, 1, 1))
    assert (found.name, found.end, found.over, found.before) == (
        "2025-12", date(2025, 12, 31), True, date(2025, 11, 1),
    )  # fmt: skip


@pytest.mark.parametrize("text", ["2026-13", "2026", "Oct", "2026-1", "0000-01", "2026-10-01", "9999-12"])
def test_an_invalid_month_is_refused(text: str) -> None:
    """An invalid month raises an error before anything is sent."""
    with pytest.raises(InvalidRequestError, match="month="):
        parse_month(text, date(2026, 11, 26))
