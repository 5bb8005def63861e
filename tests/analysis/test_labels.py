"""Test frames after a filter, concat or sort: labels repeat or have gaps, and rows are reordered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.sandbox import Sandbox

NOW = "1998-05-07T08:00Z"
DAYS = ("1998-03-01", "1998-05-06")


@pytest.fixture(scope="module")
def loaded() -> dict[str, pd.DataFrame]:
    """Load the frames once; each test copies them."""
    with Sandbox(shift=False, rate_limit=None) as sandbox:
        client = cn.connect("sandbox", base_url=sandbox.url, rate_limit=100_000)
        with client:
            return {
                "lines": cn.load_line_items(client, *DAYS),
                "orders": cn.load_orders(client, *DAYS, with_acknowledged=True),
                "shipments": cn.load_shipments(client, "1998-03-01", "1998-06-30"),
                "actual": cn.load_actual_stock(client),
                "available": cn.load_available_stock(client),
            }


@pytest.fixture
def frames(loaded: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {name: frame.copy() for name, frame in loaded.items()}


def _sales(lines: pd.DataFrame, orders: pd.DataFrame, **_: Any) -> pd.DataFrame:
    return cn.summarize_sales(lines, by=["week", "state"], orders=orders, time_zone="America/New_York")


def _cover(lines: pd.DataFrame, available: pd.DataFrame, **_: Any) -> pd.DataFrame:
    return cn.stock_cover(lines, available, as_of="1998-05-06", time_zone="America/New_York")


def _ages(lines: pd.DataFrame, orders: pd.DataFrame, **_: Any) -> pd.DataFrame:
    return cn.order_ages(orders, lines, now=NOW)


def _matches(lines: pd.DataFrame, shipments: pd.DataFrame, **_: Any) -> pd.DataFrame:
    return cn.match_shipments(lines, shipments)


def _changes(lines: pd.DataFrame, **_: Any) -> pd.DataFrame:
    later = lines.assign(quantity=lines["quantity"] + (lines["product_sku"] == "0011"))
    return cn.changes(lines, later[lines["product_sku"] != "0012"])


def _diff(lines: pd.DataFrame, actual: pd.DataFrame, available: pd.DataFrame, **_: Any) -> pd.DataFrame:
    return cn.diff_stock(actual, available, open_items=lines)


def _totals(**frames: Any) -> pd.DataFrame:
    diff = _diff(**frames)
    return cn.summarize_stock(diff.iloc[::-1].set_index(pd.Index([0] * len(diff))), by=["warehouse_code"])


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Write instants as ISO text, as a CSV file has them."""
    instants = frame.select_dtypes("datetimetz").columns
    return frame.assign(**{name: frame[name].astype("str") for name in instants})


ALTERED: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "one label for all rows": lambda frame: frame.set_index(pd.Index([0] * len(frame))),
    "backwards": lambda frame: frame.iloc[::-1],
    "other columns, other order": lambda frame: frame[list(frame.columns)[::-1]].assign(note="mine"),
    "instants as text": lambda frame: _as_text(frame.set_index(pd.Index([0] * len(frame)))),
    "objects": lambda frame: frame.astype(dict.fromkeys(frame.select_dtypes("str").columns, "object")),
}


@pytest.mark.parametrize(
    "ask", [_sales, _cover, _ages, _matches, _changes, _diff, _totals], ids=lambda ask: ask.__name__
)
def test_labels_order_and_dtypes_change_no_answer(ask: Any, frames: dict[str, pd.DataFrame]) -> None:
    """Results depend on the values of rows, not on their labels or order."""
    expected = ask(**frames)
    assert len(expected) > 0
    for name, alter in ALTERED.items():
        found = ask(**{what: alter(frame) for what, frame in frames.items()})
        pd.testing.assert_frame_equal(found, expected, obj=f"{name}: frame")
