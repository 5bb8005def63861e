"""Test stock cover against values calculated by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.errors import AnalysisWarning, InvalidRequestError
from cenports_nb.frames.provenance import Provenance, attach


def _lines(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Make rows of day, warehouse, SKU, quantity and status."""
    frame = pd.DataFrame(rows, columns=["order_date", "ship_from_warehouse_code", "product_sku", "quantity", "status"])
    return frame.assign(order_date=pd.to_datetime(frame["order_date"], utc=True, format="ISO8601"))


def _stock(*rows: tuple[Any, ...]) -> pd.DataFrame:
    columns = ["channel_id", "warehouse_code", "product_sku", "quantity"]
    return pd.DataFrame(rows, columns=columns[4 - len(rows[0]) :])


def _cover(lines: pd.DataFrame, stock: pd.DataFrame, **arguments: Any) -> list[list[Any]]:
    found = cn.stock_cover(lines, stock, **{"days": 10, "as_of": "2026-01-31", **arguments})
    return found[["product_sku", "available", "sold", "daily", "cover_days", "side"]].values.tolist()


SOLD = _lines(("2026-01-25", "W", "A", 20, "shipped"), ("2026-01-31T23:59Z", "W", "A", 20, "new"))


def test_cover_is_available_by_daily_sales() -> None:
    """40 sold in 10 days are 4 a day; 12 last for 3 days."""
    assert _cover(SOLD, _stock(("W", "A", 12))) == [["A", 12, 40, 4.0, 3.0, "both"]]


def test_only_the_window_counts_and_it_is_in_the_result() -> None:
    """The window includes its first and last day."""
    lines = _lines(*[(day, "W", "A", 10, "x") for day in ("2026-01-21", "2026-01-22", "2026-01-31", "2026-02-01")])
    found = cn.stock_cover(lines, _stock(("W", "A", 4)), days=10, as_of="2026-01-31").iloc[0]
    assert (found["sold"], str(found["window_start"].date()), str(found["window_end"].date())) == (
        20, "2026-01-22", "2026-01-31",
    )  # fmt: skip


def test_the_windows_days_are_those_of_the_zone() -> None:
    """An evening in New York belongs to that day, although it is the next day in UTC."""
    lines = _lines(("2026-02-01T03:00Z", "W", "A", 10, "x"))
    assert _cover(lines, _stock(("W", "A", 4)), time_zone="America/New_York")[0][2] == 10
    assert _cover(lines, _stock(("W", "A", 4)))[0][2] == 0


def test_a_sku_without_sales_has_no_cover() -> None:
    """The cover of a SKU without sales is null, not infinite."""
    ((_, available, sold, daily, cover, side),) = _cover(SOLD[:0], _stock(("W", "A", 12)))
    assert (available, sold, daily, side) == (12, 0, 0.0, "stock_only")
    assert pd.isna(cover)


def test_returns_are_subtracted() -> None:
    """Returns reduce sales; if more is returned than sold, there is no daily rate."""
    lines = _lines(
        ("2026-01-31", "W", "A", 10, "x"), ("2026-01-31", "W", "A", -5, "x"), ("2026-01-31", "W", "B", -5, "x")
    )
    found = _cover(lines, _stock(("W", "A", 5), ("W", "B", 5)))
    assert found[0][4] == 10.0
    assert (found[1][3], pd.isna(found[1][4])) == (-0.5, True)


def test_negative_stock_has_a_cover_of_zero() -> None:
    """Negative stock has a cover of 0 days, and the shortage is shown beside it."""
    assert _cover(SOLD, _stock(("W", "A", -3)))[0][1:5] == [-3, 40, 4.0, 0.0]


def test_a_sku_that_is_sold_and_not_stocked_is_kept() -> None:
    """The same SKU in another warehouse is another row."""
    (of_stock, of_sales) = _cover(_lines(("2026-01-31", "W", "A", 10, "x")), _stock(("V", "A", 5)))
    assert (of_stock[5], of_sales[5], of_sales[2], pd.isna(of_sales[1])) == ("stock_only", "sold_only", 10, True)


def test_several_channels_sell_from_the_same_stock() -> None:
    """The lowest stock that any channel shows counts, and counts once."""
    assert _cover(SOLD, _stock(("X", "W", "A", 12), ("Y", "W", "A", 8)))[0][1] == 8


def test_cancelled_lines_are_no_demand() -> None:
    """Cancelled lines count only on request."""
    lines = _lines(("2026-01-31", "W", "A", 10, "Cancelled"), ("2026-01-31", "W", "A", 10, None))
    assert _cover(lines, _stock(("W", "A", 5)))[0][2] == 10
    assert _cover(lines, _stock(("W", "A", 5)), exclude=())[0][2] == 20


def test_lines_without_a_warehouse_cause_a_warning() -> None:
    """Lines without a warehouse belong to no row."""
    with pytest.warns(AnalysisWarning, match="No warehouse is named for 1 line item with 7 units"):
        assert _cover(_lines(("2026-01-31", None, "A", 7, "x")), _stock(("W", "A", 5)))[0][2] == 0


def _loaded(frame: pd.DataFrame, **params: Any) -> pd.DataFrame:
    at = pd.Timestamp("2026-02-01T08:00Z").to_pydatetime()
    return attach(frame.copy(), Provenance("GET /orders", params, "staging", "P", at, 1, 0, True, 1, 0, 0, "0"), ())


def test_the_window_ends_with_the_last_whole_day() -> None:
    """The window ends the day before the stock was read, because that day is incomplete."""
    found = cn.stock_cover(SOLD, _loaded(_stock(("W", "A", 5))), days=10)
    assert str(found["window_end"][0].date()) == "2026-01-31"


@pytest.mark.parametrize("params", [{"start": "2026-01-25", "end": "2026-01-31"}, {"last": "5D"}])
def test_line_items_of_fewer_days_are_refused(params: dict[str, str]) -> None:
    """The cover would be too long and look plausible."""
    with pytest.raises(InvalidRequestError, match="the window is 2026-01-22 to 2026-01-31"):
        _cover(_loaded(SOLD, **params), _stock(("W", "A", 5)))


@pytest.mark.parametrize("params", [{"start": "2026-01-01", "end": "2026-01-31"}, {"last": "30D"}])
def test_line_items_of_more_days_are_fine(params: dict[str, str]) -> None:
    """Only the window is used."""
    assert _cover(_loaded(SOLD, **params), _stock(("W", "A", 12)))[0][4] == 3.0


@pytest.mark.parametrize("arguments", [{"days": 0}, {"days": 1.5}, {"as_of": "January"}, {"time_zone": "Mars"}])
def test_an_invalid_argument_is_refused(arguments: dict[str, Any]) -> None:
    """An invalid argument raises a one-line error."""
    with pytest.raises(InvalidRequestError):
        _cover(SOLD, _stock(("W", "A", 5)), **arguments)


def test_a_key_that_repeats_is_refused() -> None:
    """A SKU may not repeat within a warehouse and channel."""
    with pytest.raises(InvalidRequestError, match="available has more than one row"):
        _cover(SOLD, _stock(("X", "W", "A", 5), ("X", "W", "A", 6)))


def test_an_empty_result_has_the_same_columns_and_dtypes() -> None:
    """Empty frames give an empty result."""
    stock = _stock(("W", "A", 5))
    full, empty = (cn.stock_cover(SOLD[:n], stock[:n], as_of="2026-01-31") for n in (1, 0))
    pd.testing.assert_series_equal(empty.dtypes, full.dtypes)
