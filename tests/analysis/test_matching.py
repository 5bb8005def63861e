"""Test matching orders with shipments against results written by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError


def _lines(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Make rows of channel, order, quantity and status, all ordered on January 1."""
    frame = pd.DataFrame(rows, columns=["channel_id", "order_no", "quantity", "status"])
    return frame.assign(order_date=pd.Timestamp("2026-01-01T20:00Z")).astype(
        {"channel_id": "str", "order_no": "str", "quantity": "int64", "status": "str"}
    )


def _sent(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Make rows of channel, order, instant and tracking number."""
    frame = pd.DataFrame(rows, columns=["channel_id", "order_no", "ship_date", "tracking_number"])
    return frame.assign(ship_date=pd.to_datetime(frame["ship_date"], utc=True, format="ISO8601")).astype(
        {"channel_id": "str", "order_no": "str", "tracking_number": "str"}
    )


def test_an_order_has_all_its_lines_and_shipments_in_one_row() -> None:
    """Several lines and several shipments don't multiply each other."""
    lines = _lines(("X", "1", 2, "shipped"), ("X", "1", 3, "pending"))
    sent = _sent(("X", "1", "2026-01-05", "T2"), ("X", "1", "2026-01-03", "T1"), ("X", "1", "2026-01-04", None))
    (row,) = cn.match_shipments(lines, sent).to_dict("records")
    assert row == {
        "channel_id": "X", "order_no": "1", "order_date": pd.Timestamp("2026-01-01T20:00Z"), "lines": 2, "units": 5,
        "open_lines": 1, "open_units": 3, "shipped": True, "open": True, "shipment_count": 3, "without_tracking": 1,
        "first_ship_date": pd.Timestamp("2026-01-03T00:00Z"), "last_ship_date": pd.Timestamp("2026-01-05T00:00Z"),
        "tracking_numbers": "T1, T2", "days_to_ship": 2, "side": "both",
    }  # fmt: skip


def test_an_order_without_a_shipment_has_nulls_and_zeros() -> None:
    """An order without a shipment is kept."""
    row = cn.match_shipments(_lines(("X", "1", 2, "new")), _sent(("X", "2", None, None))).iloc[0]
    assert (row["side"], row["shipped"], row["shipment_count"]) == ("order_only", False, 0)
    assert row[["first_ship_date", "tracking_numbers", "days_to_ship"]].isna().all()


def test_a_shipment_without_an_order_is_kept_and_marked() -> None:
    """Its order was placed outside the days loaded, or doesn't exist."""
    row = cn.match_shipments(_lines(("X", "1", 2, "new")), _sent(("X", "2", "2026-01-03", ""))).iloc[1]
    assert (row["order_no"], row["side"], row["without_tracking"]) == ("2", "shipment_only", 1)
    assert row[["order_date", "lines", "units", "open_units", "days_to_ship"]].isna().all()


def test_the_same_number_in_another_channel_is_another_order() -> None:
    """Order numbers are unique only within a channel."""
    lines = _lines(("X", "1", 2, "new"), ("Y", "1", 3, "new"))
    found = cn.match_shipments(lines, _sent(("Y", "1", "2026-01-03", "T")))
    assert found[["channel_id", "side"]].values.tolist() == [["X", "order_only"], ["Y", "both"]]


def test_a_shipment_that_names_no_channel_goes_to_the_only_order_of_its_number() -> None:
    """Only one order has this number, so the match is certain."""
    found = cn.match_shipments(_lines(("X", "1", 2, "new")), _sent((None, "1", "2026-01-03", "T")))
    assert found[["channel_id", "side", "shipment_count"]].values.tolist() == [["X", "both", 1]]


def test_a_shipment_that_could_be_of_two_orders_is_of_neither() -> None:
    """The shipment gets a marked row of its own, and both orders stay unshipped."""
    lines = _lines(("X", "1", 2, "new"), ("Y", "1", 3, "new"))
    found = cn.match_shipments(lines, _sent((None, "1", "2026-01-03", "T"), (None, "9", "2026-01-03", "T")))
    assert found["side"].tolist() == ["order_only", "order_only", "ambiguous", "shipment_only"]
    assert found["channel_id"].isna().tolist() == [False, False, True, True]


def test_days_to_ship_are_days_of_the_zone() -> None:
    """Ordered at 20:00Z, shipped at 02:00Z: one day in UTC, the same evening in New York."""
    lines, sent = _lines(("X", "1", 2, "new")), _sent(("X", "1", "2026-01-02T02:00Z", "T"))
    found = [cn.match_shipments(lines, sent, time_zone=zone)["days_to_ship"][0] for zone in ("UTC", "America/New_York")]
    assert found == [1, 0]


ORDER_NO = st.sampled_from("123")
LINES = st.lists(st.tuples(st.sampled_from("XY"), ORDER_NO, st.integers(-3, 9), st.sampled_from(["shipped", "new"])))
SENT = st.lists(st.tuples(st.sampled_from(["X", "Z", None]), ORDER_NO, st.none(), st.sampled_from(["S", "T", None])))


@given(LINES, SENT)
def test_nothing_is_lost_or_doubled(lines: list[Any], sent: list[Any]) -> None:
    """Lines, units and shipments add up, and each key has one row, in any order of input rows."""
    found = cn.match_shipments(_lines(*lines), _sent(*sent))
    assert not found.duplicated(["channel_id", "order_no"]).any()
    assert (found["lines"].sum(), found["units"].sum()) == (len(lines), sum(row[2] for row in lines))
    assert found["shipment_count"].sum() == len(sent)
    assert found["without_tracking"].sum() == sum(row[3] is None for row in sent)
    assert (found["side"].isin(["both", "order_only"])).equals(found["lines"].notna())
    pd.testing.assert_frame_equal(cn.match_shipments(_lines(*lines[::-1]), _sent(*sent[::-1])), found)


def test_an_empty_result_has_the_same_columns_and_dtypes() -> None:
    """Either frame may be empty."""
    lines, sent = _lines(("X", "1", 2, "new")), _sent(("X", "1", "2026-01-03", "T"))
    expected = cn.match_shipments(lines, sent).dtypes
    for some_lines, some_sent in ((lines[:0], sent[:0]), (lines, sent[:0]), (lines[:0], sent)):
        pd.testing.assert_series_equal(cn.match_shipments(some_lines, some_sent).dtypes, expected)


def test_numeric_order_numbers_are_refused() -> None:
    """Order numbers that became numbers have lost their leading zeros."""
    with pytest.raises(InvalidRequestError, match="shipments has an order_no that is a number"):
        cn.match_shipments(_lines(("X", "1", 2, "new")), _sent(("X", "1", None, None)).assign(order_no=1))
