"""Test totals of a comparison: stock sold by several channels counts once."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError

KEYS = ["warehouse_code", "product_sku"]


def _stock(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["channel_id", *KEYS, "quantity"][4 - len(rows[0]) :])


def _lines(*rows: tuple[Any, ...]) -> pd.DataFrame:
    columns = ["channel_id", "ship_from_warehouse_code", "product_sku", "quantity"]
    return pd.DataFrame(rows, columns=columns).assign(status="new")


ACTUAL = _stock(("V", "A", 7), ("W", "A", 10), ("W", "B", 2))
LINES = _lines(("X", "W", "A", 4), ("Y", "W", "A", 2), ("Y", "W", "B", 5))


def _diff(scope: Any) -> pd.DataFrame:
    """Make two channels: W/A has 4 + 2 open units, W/B 5 of 2 units, V/A none."""
    quantity = {"account": [7, 4, -3, 7, 4, -3], "channel": [7, 6, 2, 7, 8, -3]}[scope]
    keys = [(name, *key) for name in "XY" for key in (("V", "A"), ("W", "A"), ("W", "B"))]
    available = _stock(*[(*key, units) for key, units in zip(keys, quantity, strict=True)])
    return cn.diff_stock(ACTUAL, available, open_items=LINES, available_scope=scope)


@pytest.mark.parametrize("scope", ["account", "channel"])
def test_both_readings_of_available_stock_have_the_same_totals(scope: Any) -> None:
    """Account-wide stock counts once; reservations of channels are added."""
    total = cn.summarize_stock(_diff(scope), by=(), available_scope=scope)
    assert total.to_dict("records") == [
        {
            "skus": 3, "actual": 19, "available": 8, "reserved": 11, "short": 3, "oversold": 1, "inconsistent": 0,
            "one_sided": 0, "open_quantity": 11, "unexplained": 0, "unexplained_skus": 0,
        }
    ]  # fmt: skip


def test_each_warehouse_has_a_row() -> None:
    """Rows are sorted."""
    found = cn.summarize_stock(_diff("account"))[["warehouse_code", "skus", "actual", "reserved"]]
    assert found.values.tolist() == [["V", 1, 7, 0], ["W", 2, 12, 11]]


def test_each_warehouse_and_sku_has_a_row_with_its_name() -> None:
    """The name is the first that a channel has."""
    diff = _diff("account").assign(product_name=[None, "a", "b", "c", None, None])
    found = cn.summarize_stock(diff, by=KEYS)[[*KEYS, "product_name", "available"]]
    assert found.values.tolist() == [["V", "A", "c", 7], ["W", "A", "a", 4], ["W", "B", "b", -3]]


def test_a_clamped_account_is_short_by_its_open_orders() -> None:
    """The shortage counts although available stock is clamped at zero."""
    diff = cn.diff_stock(_stock(("W", "B", 2)), _stock(("X", "W", "B", 0)), open_items=_lines(("X", "W", "B", 5)))
    total = cn.summarize_stock(diff).iloc[0]
    assert (total["short"], total["oversold"], total["unexplained"]) == (3, 1, -3)


def test_skus_of_one_side_only_add_nothing() -> None:
    """The SKU is counted as one-sided."""
    total = cn.summarize_stock(cn.diff_stock(_stock(("W", "A", 5)), _stock(("X", "W", "B", 3))), by=()).iloc[0]
    assert total[["skus", "actual", "available", "reserved", "one_sided"]].tolist() == [2, 5, 3, 0, 2]


def test_a_flaw_in_one_channel_is_a_flaw_of_the_sku() -> None:
    """More available than actual, or an unexplained rest."""
    available = _stock(("X", "W", "A", 4), ("Y", "W", "A", 11))
    diff = cn.diff_stock(_stock(("W", "A", 10)), available, open_items=_lines(("X", "W", "A", 6)))
    total = cn.summarize_stock(diff, by=()).iloc[0]
    assert total[["inconsistent", "unexplained_skus", "unexplained"]].tolist() == [1, 1, 0]


@pytest.mark.parametrize("by", [(), "warehouse_code", KEYS])
def test_an_empty_result_has_the_same_columns_and_dtypes(by: Any) -> None:
    """Its sums are 0."""
    full = _diff("account")
    found = cn.summarize_stock(full.iloc[:0], by=by)
    pd.testing.assert_series_equal(found.dtypes, cn.summarize_stock(full, by=by).dtypes)


@pytest.mark.parametrize("arguments", [{"by": "channel_id"}, {"by": ["product_sku"] * 2}, {"available_scope": "all"}])
def test_an_invalid_argument_is_refused(arguments: dict[str, Any]) -> None:
    """Actual stock has no channel."""
    with pytest.raises(InvalidRequestError):
        cn.summarize_stock(_diff("account"), **arguments)
