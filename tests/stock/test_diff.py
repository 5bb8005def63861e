"""Actual against available stock, row by row."""

from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError, StockWarning


def _stock(*rows: tuple[Any, ...], channel: bool = False) -> pd.DataFrame:
    columns = ["warehouse_code", "product_sku", "quantity"]
    return pd.DataFrame(rows, columns=["channel_id", *columns] if channel else columns)


def _lines(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["ship_from_warehouse_code", "product_sku", "quantity", "status"])


def _one(actual: int, available: int) -> pd.Series:
    return cn.diff_stock(_stock(("W", "A", actual)), _stock(("W", "A", available))).iloc[0]


@pytest.mark.parametrize(
    ("actual", "available", "reserved", "oversold", "inconsistent"),
    [
        (10, 10, 0, False, False),
        (10, 4, 6, False, False),
        (10, 0, 10, False, False),
        (10, -2, 12, True, False),
        (10, 11, -1, False, True),
        (-1, -1, 0, True, True),
    ],
)
def test_what_two_quantities_tell(
    actual: int, available: int, reserved: int, oversold: bool, inconsistent: bool
) -> None:
    """Reserved is the difference; below zero is oversold; more for sale than there is makes no sense."""
    row = _one(actual, available)
    assert (row["reserved"], row["oversold"], row["inconsistent"]) == (reserved, oversold, inconsistent)


def test_a_sku_on_one_side_only_is_kept() -> None:
    """With nulls where nothing is known."""
    diff = cn.diff_stock(_stock(("W", "A", 1)), _stock(("W", "B", 2)))
    assert (diff["side"].tolist(), diff["reserved"].isna().all()) == (["actual_only", "available_only"], True)


def test_each_channel_is_compared_with_all_that_is_there() -> None:
    """What is on the shelf is on sale in every channel."""
    available = _stock(("X", "W", "A", 1), ("Y", "W", "A", 2), ("Y", "W", "B", 3), channel=True)
    diff = cn.diff_stock(_stock(("W", "A", 5), ("W", "B", 5)), available)
    found = diff[["channel_id", "product_sku", "side"]].itertuples(index=False, name=None)
    assert list(found) == [("X", "A", "both"), ("X", "B", "actual_only"), ("Y", "A", "both"), ("Y", "B", "both")]


def test_open_lines_explain_what_is_reserved() -> None:
    """Unknown and missing words are open; shipped and cancelled ones, in any case, are not."""
    lines = _lines(("W", "A", 2, "pending"), ("W", "A", 1, None), ("W", "A", 7, "SHIPPED"), ("W", "A", 7, "Cancelled"))
    row = cn.diff_stock(_stock(("W", "A", 10)), _stock(("W", "A", 6)), open_items=lines).iloc[0]
    assert (row["open_quantity"], row["unexplained"]) == (3, 1)


def test_more_ordered_than_there_is_is_oversold_even_if_available_is_clamped() -> None:
    """An account may never show less than zero."""
    diff = cn.diff_stock(_stock(("W", "A", 1)), _stock(("W", "A", 0)), open_items=_lines(("W", "A", 5, "new")))
    assert diff["oversold"].tolist() == [True]


def test_open_lines_for_what_nobody_stocks_are_said() -> None:
    """They are in no row, so a warning has them."""
    with pytest.warns(StockWarning, match="5 open units of 1 SKUs .* Z in warehouse W"):
        cn.diff_stock(_stock(("W", "A", 1)), _stock(("W", "A", 1)), open_items=_lines(("W", "Z", 5, "new")))


@pytest.mark.parametrize("side", ["actual", "available"])
def test_a_key_that_repeats_is_refused(side: str) -> None:
    """Rows would multiply."""
    twice, once = _stock(("W", "A", 1), ("W", "A", 2)), _stock(("W", "A", 1))
    with pytest.raises(InvalidRequestError, match=f"{side} has more than one row"):
        cn.diff_stock(*((twice, once) if side == "actual" else (once, twice)))


@pytest.mark.parametrize("column", ["warehouse_code", "product_sku", "quantity"])
def test_a_missing_column_is_named(column: str) -> None:
    """On either side."""
    with pytest.raises(InvalidRequestError, match=f"available lacks the column {column}"):
        cn.diff_stock(_stock(("W", "A", 1)), _stock(("W", "A", 1)).drop(columns=column))


def test_what_is_no_frame_is_refused() -> None:
    """One clear line."""
    with pytest.raises(InvalidRequestError, match="actual must be a DataFrame, not list"):
        cn.diff_stock([1], _stock(("W", "A", 1)))  # type: ignore[arg-type]


@pytest.mark.parametrize("channel", [True, False])
def test_nothing_compared_with_nothing_is_an_empty_frame(channel: bool) -> None:
    """Of the same columns and dtypes."""
    texts = dict.fromkeys(["channel_id", "warehouse_code", "product_sku"], "str")
    empty = _stock(channel=channel)
    empty = empty.astype({name: texts.get(name, "int64") for name in empty.columns})
    full = _stock(("X", "W", "A", 1)[1 - channel :], channel=channel).astype(empty.dtypes.to_dict())
    actual = _stock().astype({"warehouse_code": "str", "product_sku": "str", "quantity": "int64"})
    some = _stock(("W", "A", 1)).astype(actual.dtypes.to_dict())
    pd.testing.assert_series_equal(cn.diff_stock(actual, empty).dtypes, cn.diff_stock(some, full).dtypes)
