"""Test the comparison of actual and available stock by row."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    """Reserved is the difference; below zero is oversold; more available than actual is inconsistent."""
    row = _one(actual, available)
    assert (row["reserved"], row["oversold"], row["inconsistent"]) == (reserved, oversold, inconsistent)


def test_a_sku_on_one_side_only_is_kept() -> None:
    """Unknown values are null."""
    diff = cn.diff_stock(_stock(("W", "A", 1)), _stock(("W", "B", 2)))
    assert (diff["side"].tolist(), diff["reserved"].isna().all()) == (["actual_only", "available_only"], True)


def test_each_channel_is_compared_with_all_that_is_there() -> None:
    """Every channel sells the same stock."""
    available = _stock(("X", "W", "A", 1), ("Y", "W", "A", 2), ("Y", "W", "B", 3), channel=True)
    diff = cn.diff_stock(_stock(("W", "A", 5), ("W", "B", 5)), available)
    found = diff[["channel_id", "product_sku", "side"]].itertuples(index=False, name=None)
    assert list(found) == [("X", "A", "both"), ("X", "B", "actual_only"), ("Y", "A", "both"), ("Y", "B", "both")]


def test_open_lines_explain_what_is_reserved() -> None:
    """Unknown and missing statuses are open; shipped and cancelled ones, in any case, are not."""
    lines = _lines(("W", "A", 2, "pending"), ("W", "A", 1, None), ("W", "A", 7, "SHIPPED"), ("W", "A", 7, "Cancelled"))
    row = cn.diff_stock(_stock(("W", "A", 10)), _stock(("W", "A", 6)), open_items=lines).iloc[0]
    assert (row["open_quantity"], row["unexplained"]) == (3, 1)


def test_more_ordered_than_there_is_is_oversold_even_if_available_is_clamped() -> None:
    """An account may clamp available stock at zero."""
    diff = cn.diff_stock(_stock(("W", "A", 1)), _stock(("W", "A", 0)), open_items=_lines(("W", "A", 5, "new")))
    assert diff["oversold"].tolist() == [True]


def test_open_lines_without_stock_cause_a_warning() -> None:
    """They are in no row."""
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
    """It may be missing from either frame."""
    with pytest.raises(InvalidRequestError, match=f"available lacks the column {column}"):
        cn.diff_stock(_stock(("W", "A", 1)), _stock(("W", "A", 1)).drop(columns=column))


def test_other_arguments_are_refused() -> None:
    """The error is one line."""
    with pytest.raises(InvalidRequestError, match="actual must be a DataFrame, not list"):
        cn.diff_stock([1], _stock(("W", "A", 1)))  # type: ignore[arg-type]


@pytest.mark.parametrize("channel", [True, False])
def test_nothing_compared_with_nothing_is_an_empty_frame(channel: bool) -> None:
    """Columns and dtypes are the same."""
    texts = dict.fromkeys(["channel_id", "warehouse_code", "product_sku"], "str")
    empty = _stock(channel=channel)
    empty = empty.astype({name: texts.get(name, "int64") for name in empty.columns})
    full = _stock(("X", "W", "A", 1)[1 - channel :], channel=channel).astype(empty.dtypes.to_dict())
    actual = _stock().astype({"warehouse_code": "str", "product_sku": "str", "quantity": "int64"})
    some = _stock(("W", "A", 1)).astype(actual.dtypes.to_dict())
    pd.testing.assert_series_equal(cn.diff_stock(actual, empty).dtypes, cn.diff_stock(some, full).dtypes)


QUANTITIES = st.dictionaries(st.tuples(st.sampled_from("WV"), st.sampled_from("ABC")), st.integers(-5, 5))


def _merged(actual: pd.DataFrame, available: pd.DataFrame) -> pd.DataFrame:
    """Compare with pandas' outer merge, channel by channel."""
    parts = []
    for name, of_channel in available.groupby("channel_id"):
        left = actual.rename(columns={"quantity": "actual"}).astype({"actual": "Int64"})
        right = of_channel.rename(columns={"quantity": "available"}).astype({"available": "Int64"})
        joined = left.merge(right.drop(columns="channel_id"), how="outer", on=["warehouse_code", "product_sku"])
        parts.append(joined.assign(channel_id=name, reserved=joined["actual"] - joined["available"]))
    columns = ["channel_id", "warehouse_code", "product_sku", "actual", "available", "reserved"]
    return pd.concat(parts, ignore_index=True)[columns].sort_values(columns[:3], ignore_index=True)


@given(QUANTITIES, st.dictionaries(st.sampled_from("XYZ"), QUANTITIES.filter(bool), min_size=1), st.randoms())
def test_it_is_the_outer_merge_of_both_sides(
    shelf: dict[tuple[str, str], int], for_sale: dict[str, dict[tuple[str, str], int]], random: Any
) -> None:
    """Values and dtypes are equal for any keys, channels and order of rows."""
    rows = [(code, sku, quantity) for (code, sku), quantity in shelf.items()]
    offers = [(name, *key, quantity) for name, of_name in for_sale.items() for key, quantity in of_name.items()]
    random.shuffle(rows)
    random.shuffle(offers)
    texts = {"warehouse_code": "str", "product_sku": "str", "quantity": "int64"}
    actual = _stock(*rows).astype(texts)
    available = _stock(*offers, channel=True).astype({"channel_id": "str", **texts})
    diff = cn.diff_stock(actual, available)
    expected = _merged(actual, available)
    pd.testing.assert_frame_equal(diff[list(expected.columns)], expected)
    assert (diff["side"] == "both").equals(diff["reserved"].notna())


def test_names_come_from_actual_then_available_stock() -> None:
    """Names come from actual stock, else from available stock."""
    actual = _stock(("W", "A", 1), ("W", "B", 1)).assign(product_name=["Chai", None])
    available = _stock(("W", "A", 1), ("W", "B", 1), ("W", "C", 1)).assign(product_name=["Tea", "Chang", "Syrup"])
    assert cn.diff_stock(actual, available)["product_name"].tolist() == ["Chai", "Chang", "Syrup"]


def test_open_lines_without_a_warehouse_cause_a_warning() -> None:
    """They match no row."""
    lines = _lines(("W", "A", 2, "new"), (None, "A", 3, "new"))
    with pytest.warns(StockWarning, match="3 open units of 1 SKUs .* A which names no warehouse"):
        diff = cn.diff_stock(_stock(("W", "A", 9)), _stock(("W", "A", 7)), open_items=lines)
    assert diff["unexplained"].tolist() == [0]


def test_only_open_lines_without_a_warehouse_cause_a_warning() -> None:
    """Closed lines without a warehouse cause none."""
    with pytest.warns(StockWarning, match="which names no warehouse"):
        cn.diff_stock(_stock(("W", "A", 9)), _stock(("W", "A", 9)), open_items=_lines((None, "A", 3, "new")))


def test_account_wide_stock_is_explained_by_the_orders_of_all_channels() -> None:
    """This holds in each channel."""
    available = _stock(("X", "W", "A", 5), ("Y", "W", "A", 5), channel=True)
    lines = _lines(("W", "A", 2, "new"), ("W", "A", 3, "new")).assign(channel_id=["X", "Y"])
    diff = cn.diff_stock(_stock(("W", "A", 10)), available, open_items=lines)
    assert (diff["open_quantity"].tolist(), diff["unexplained"].tolist()) == ([5, 5], [0, 0])


def test_stock_of_a_channel_is_explained_by_that_channels_orders() -> None:
    """Each channel subtracts its own open orders; one without stock is left out with a warning."""
    available = _stock(("X", "W", "A", 8), ("Y", "W", "A", 7), channel=True)
    lines = _lines(*[("W", "A", n, "new") for n in (2, 3, 4)]).assign(channel_id=["X", "Y", "Z"])
    with pytest.warns(StockWarning, match="4 open units"):
        diff = cn.diff_stock(_stock(("W", "A", 10)), available, open_items=lines, available_scope="channel")
    assert (diff["open_quantity"].tolist(), diff["unexplained"].tolist()) == ([2, 3], [0, 0])


@pytest.mark.parametrize("scope", ["channel", "accounts"])
def test_an_invalid_scope_is_refused(scope: Any) -> None:
    """A typo, or stock without a channel."""
    with pytest.raises(InvalidRequestError, match="available_scope="):
        cn.diff_stock(_stock(("W", "A", 1)), _stock(("W", "A", 1)), available_scope=scope)


def test_a_comparison_has_no_single_origin() -> None:
    """The result has no provenance, and both inputs keep theirs."""
    actual, available = _stock(("W", "A", 1)), _stock(("W", "A", 1))
    actual.attrs["mine"] = "kept"
    assert cn.diff_stock(actual, available).attrs == {}
    assert actual.attrs == {"mine": "kept"}
