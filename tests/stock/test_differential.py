"""Test that changes become a plan: signed, and looked up in the stock if it is given."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.provenance import Provenance, attach

KEYS = ["warehouse_code", "product_sku"]
ACTUAL = pd.DataFrame({"warehouse_code": ["W", "W"], "product_sku": ["0012", "B"], "quantity": [10, -4]})


def changes(*rows: tuple[str, str, Any], name: str = "quantity") -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[*KEYS, name])


@pytest.mark.parametrize("name", ["quantity", "change"])
def test_a_change_is_quantity_and_change(name: str) -> None:
    """Either column name works; 0 changes nothing."""
    plan = cn.build_differential(changes(("W", "0012", -3), ("W", "B", 0), name=name), ACTUAL, reason="breakage")
    assert plan.drop(columns="suggestion").to_dict("records") == [
        {
            "warehouse_code": "W",
            "product_sku": "0012",
            "type": "DIFFERENTIAL",
            "quantity": -3,
            "current_quantity": 10,
            "change": -3,
            "known_sku": True,
            "reason": "breakage",
            "reference": pytest.approx(float("nan"), nan_ok=True),
        }
    ]


def test_a_sku_that_the_warehouse_lacks_is_kept_and_marked() -> None:
    """The row has similar SKUs."""
    plan = cn.build_differential(changes(("W", "12", 3)), ACTUAL)
    assert plan[["known_sku", "suggestion"]].values.tolist() == [[False, "0012"]]
    assert plan["current_quantity"].isna().all()


def test_without_stock_unknown_skus_are_found_by_the_guards() -> None:
    """Rows are not marked in the plan, and are looked up before sending."""
    plan = cn.build_differential(changes(("W", "12", 3), ("W", "0012", 3)))
    assert (plan["known_sku"].all(), plan["current_quantity"].isna().all()) == (True, True)
    assert cn.check_updates(plan, ACTUAL)["product_sku"].tolist() == ["12"]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (changes(("W", "0012", -11), ("W", "B", -1)), "would go below 0: 0012 in W (-11 of 10), B in W (-1 of -4)"),
        (changes(("W", "A", 2**31)), "would move by more than 2,147,483,647: A in W (+2147483648)"),
        (changes(("W", "A", 1), ("W", "A", 2)), "changes has more than one row for W, A"),
        (changes(("W", "A", 1.5)), "changes has a quantity that is not whole"),
        (changes(("W", 12, 1)), "must be text"),
        (ACTUAL.assign(change=1), "a quantity and a change that differ"),
        (ACTUAL.drop(columns="quantity"), "changes lacks the column quantity"),
    ],
)
def test_invalid_changes_are_refused(frame: pd.DataFrame, words: str) -> None:
    """One line names them."""
    with pytest.raises(InvalidRequestError) as caught:
        cn.build_differential(frame, ACTUAL)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_stock_below_zero_may_be_raised() -> None:
    """The result may still be below zero."""
    assert cn.build_differential(changes(("W", "B", 3)), ACTUAL)["quantity"].tolist() == [3]


def test_a_partial_stock_is_refused() -> None:
    """It can be allowed."""
    part = attach(
        ACTUAL.copy(), Provenance("GET /inventories", {}, "staging", "P", None, 1, 0, False, 2, 0, 0, "0"), ()
    )
    with pytest.raises(InvalidRequestError, match="actual is partial"):
        cn.build_differential(changes(("W", "B", 3)), part)
    assert len(cn.build_differential(changes(("W", "B", 3)), part, allow_partial=True)) == 1


@pytest.mark.parametrize("actual", [None, ACTUAL])
def test_every_plan_has_the_same_columns(actual: pd.DataFrame | None) -> None:
    """Empty plans too."""
    plan = cn.build_differential(changes(("W", "B", 3)), actual)
    true_up = cn.build_true_up(changes(("W", "B", 3)), ACTUAL)
    pd.testing.assert_series_equal(plan.dtypes, true_up.dtypes)
    empty = cn.build_differential(changes(("W", "B", 0)), actual)
    pd.testing.assert_series_equal(cn.schemas.StockUpdates.validate(empty).dtypes, true_up.dtypes)


def test_a_plan_of_changes_knows_its_account(client: cn.Client) -> None:
    """It can't be sent to another account."""
    actual = cn.load_actual_stock(client)
    plan = cn.build_differential(changes(("NW-EAST", "0003", 5)), actual)
    assert len(cn.check_updates(plan, actual)) == 0
    other = attach(
        actual.copy(), Provenance("GET /inventories", {}, "staging", "P", None, 1, 0, True, 2, 0, 0, "0"), ()
    )
    assert cn.check_updates(plan, other)["guard"].tolist() == ["other_account"]
