"""Test the ages of open orders against values calculated by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.errors import AnalysisWarning, InvalidRequestError
from cenports_nb.frames.provenance import Provenance, attach

FRIDAY, MONDAY = "2026-01-30", "2026-02-02"


def _orders(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Make rows of order number, instant, status and acknowledgement."""
    frame = pd.DataFrame(rows, columns=["order_no", "order_date", "status", "acknowledged"])
    return frame.assign(
        channel_id="X",
        order_date=pd.to_datetime(frame["order_date"], utc=True, format="ISO8601"),
        acknowledged=frame["acknowledged"].astype("boolean"),
    )


def _lines(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["order_no", "quantity", "status"]).assign(channel_id="X")


def _ages(orders: pd.DataFrame, lines: Any = None, **arguments: Any) -> pd.DataFrame:
    return cn.order_ages(orders, lines, **{"now": f"{MONDAY}T12:00Z", **arguments})


def test_an_age_is_given_in_hours_days_and_working_days() -> None:
    """The order was placed on Friday at 6 pm, and now is Monday noon."""
    found = _ages(_orders(("1", f"{FRIDAY}T18:00Z", "new", True))).iloc[0]
    assert (found["age_hours"], found["age_days"], found["age_business_days"], found["bucket"]) == (66.0, 3, 1, "1")


def test_orders_shipped_and_acknowledged_are_not_listed() -> None:
    """An order is listed if it is unshipped or unacknowledged."""
    orders = _orders(*[(no, f"{FRIDAY}T18:00Z", status, known) for no, status, known in (
        ("done", "Shipped", True), ("unshipped", "new", True), ("unacknowledged", "shipped", False),
    )])  # fmt: skip
    found = _ages(orders)
    assert found[["order_no", "unshipped"]].values.tolist() == [["unacknowledged", False], ["unshipped", True]]


def test_lines_decide_whether_an_order_is_shipped() -> None:
    """One open line is enough; for an order without lines its own status counts."""
    orders = _orders(*[(no, f"{FRIDAY}T18:00Z", "Completed", True) for no in ("part", "whole", "none")])
    lines = _lines(("part", 3, "shipped"), ("part", 2, "pending"), ("whole", 4, "shipped"))
    found = _ages(orders, lines)
    assert found[["order_no", "open_lines", "open_units"]].values.tolist() == [["part", 1, 2]]


def test_unknown_acknowledgements_cause_a_warning() -> None:
    """An unknown acknowledgement counts neither as waiting nor as acknowledged."""
    orders = _orders(("1", f"{FRIDAY}T18:00Z", "shipped", None), ("2", f"{FRIDAY}T18:00Z", "new", None))
    with pytest.warns(AnalysisWarning, match=r"2 orders are acknowledged is not known, and 1 of them are shipped"):
        found = _ages(orders)
    assert (found["order_no"].tolist(), found["acknowledged"].isna().tolist()) == (["2"], [True])


@pytest.mark.parametrize(
    ("arguments", "days"),
    [({}, 1), ({"holidays": [FRIDAY]}, 0), ({"weekmask": "Sat Sun"}, 2), ({"weekmask": "1111111"}, 3)],
    ids=str,
)
def test_working_days_are_a_matter_of_week_and_holidays(arguments: dict[str, Any], days: int) -> None:
    """Working days are counted as numpy does: from the order's day, without today."""
    found = _ages(_orders(("1", f"{FRIDAY}T18:00Z", "new", True)), **arguments)
    assert found["age_business_days"].tolist() == [days]


def test_a_plain_day_begins_at_midnight_of_the_zone() -> None:
    """00:00:00Z is a plain day; a second later is an instant, on the evening before in New York."""
    orders = _orders(("day", f"{FRIDAY}T00:00:00Z", "new", True), ("instant", f"{FRIDAY}T00:00:01Z", "new", True))
    found = _ages(orders, time_zone="America/New_York").set_index("order_no")
    assert found["age_days"].to_dict() == {"day": 3, "instant": 4}
    assert found.loc["day", "age_hours"] == 3 * 24 + 12 - 5


def test_a_day_whose_midnight_is_skipped_begins_when_the_clock_goes_on() -> None:
    """In Cairo, 2023-04-28 begins at 1 am."""
    found = _ages(
        _orders(("1", "2023-04-28T00:00:00Z", "new", True)), time_zone="Africa/Cairo", now="2023-04-28T12:00+03:00"
    )
    assert found["age_hours"].tolist() == [11.0]


def test_buckets_are_ordered_and_complete() -> None:
    """Empty buckets are included."""
    found = _ages(_orders(("1", "2026-01-20T18:00Z", "new", True)), buckets=(1, 3, 7))
    assert found["bucket"].cat.categories.tolist() == ["0", "1-2", "3-6", "7+"]
    assert (found["bucket"].cat.ordered, found["bucket"].tolist()) == (True, ["7+"])


def test_the_oldest_stands_first() -> None:
    """Orders are sorted by age, the oldest first."""
    orders = _orders(*[(no, day, "new", True) for no, day in (("b", MONDAY), ("c", "2026-01-05"), ("a", MONDAY))])
    assert _ages(orders)["order_no"].tolist() == ["c", "a", "b"]


def test_now_is_when_the_orders_were_fetched() -> None:
    """Ages in a cached frame are those at the time it was fetched."""
    at = pd.Timestamp(f"{MONDAY}T12:00Z").to_pydatetime()
    origin = Provenance("GET /orders", {}, "staging", "P", at, 1, 0, True, 1, 0, 0, "0")
    orders = attach(_orders(("1", f"{FRIDAY}T18:00Z", "new", True)), origin, ())
    assert cn.order_ages(orders)["age_hours"].tolist() == [66.0]


@pytest.mark.parametrize(
    "arguments",
    [
        {"now": "2026-02-02T12:00"},
        {"now": "noon"},
        {"time_zone": "Mars"},
        {"weekmask": "Never"},
        {"holidays": ["Easter"]},
        {"buckets": (3, 1)},
        {"buckets": ()},
    ],
    ids=str,
)
def test_an_invalid_argument_is_refused(arguments: dict[str, Any]) -> None:
    """An invalid argument raises a one-line error."""
    with pytest.raises(InvalidRequestError) as caught:
        _ages(_orders(("1", f"{FRIDAY}T18:00Z", "new", True)), **arguments)
    assert "\n" not in str(caught.value)


def test_an_order_that_repeats_is_refused() -> None:
    """A repeated order would be counted twice."""
    with pytest.raises(InvalidRequestError, match="orders has more than one row for X, 1"):
        _ages(_orders(*[("1", FRIDAY, "new", True)] * 2))


def test_an_empty_result_has_the_same_columns_and_dtypes() -> None:
    """A result without orders has all columns."""
    orders, lines = _orders(("1", f"{FRIDAY}T18:00Z", "new", True)), _lines(("1", 1, "new"))
    pd.testing.assert_series_equal(_ages(orders[:0], lines[:0]).dtypes, _ages(orders, lines).dtypes)
