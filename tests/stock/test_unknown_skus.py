"""Test unknown SKUs of a count: zeros in their warehouse wait until each is settled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.sku_settlements import attach_settlements
from cenports_nb.stock.plans.metadata import read_metadata
from cenports_nb.stock.plans.unknown_skus import find_closest


def _frame(warehouses: dict[str, dict[str, int]]) -> pd.DataFrame:
    rows = [(code, sku, quantity) for code, skus in warehouses.items() for sku, quantity in skus.items()]
    return pd.DataFrame(rows, columns=["warehouse_code", "product_sku", "quantity"]).astype(
        {"warehouse_code": "str", "product_sku": "str"}
    )


STOCKED = {f"S{i}": 100 for i in range(9)}
ACTUAL = _frame({"W": STOCKED | {"AB-100": 15, "OLD": 3}})


def _count(**others: int) -> pd.DataFrame:
    return _frame({"W": STOCKED | others})


def _rows(updates: pd.DataFrame) -> dict[str, int]:
    return dict(zip(updates["product_sku"], updates["quantity"], strict=True))


def _objections(updates: pd.DataFrame, actual: pd.DataFrame = ACTUAL) -> dict[str, list[str]]:
    found = cn.check_updates(updates, actual)
    return {guard: part["product_sku"].tolist() for guard, part in found.groupby("guard")}


def test_zeros_beside_an_unknown_sku_are_objected_to() -> None:
    """The message names the SKU with similar ones, if there are any."""
    updates = cn.build_true_up(_count(XAB=15), ACTUAL, missing="zero")
    assert _rows(updates) == {"XAB": 15, "AB-100": 0, "OLD": 0}
    assert _objections(updates) == {"unknown_sku": ["XAB"], "zero_beside_unknown": ["AB-100", "OLD"]}
    message = cn.check_updates(updates, ACTUAL).query("guard == 'zero_beside_unknown'")["message"].iloc[1]
    assert message == (
        "SKU 'OLD' in warehouse 'W' was not counted and would be set to 0, but the count has 1 SKU that the warehouse "
        "lacks, any of which may be it: 'XAB' (closest: 'AB-100'). Say what each is, as in unknown={'XAB': 'AB-100'} or "
        "{'XAB': 'new'} (in a terminal --unknown \"XAB=new\"), or accept zero_beside_unknown"
    )


def test_an_unknown_sku_that_resembles_one_keeps_the_other_zeros_waiting() -> None:
    """The similar SKU is not set to 0 at all."""
    updates = cn.build_true_up(_count(**{"ab\u2013100": 15}), ACTUAL, missing="zero")
    assert _rows(updates) == {"ab\u2013100": 15, "OLD": 0}
    assert _objections(updates) == {"unknown_sku": ["ab\u2013100"], "zero_beside_unknown": ["OLD"]}


def test_without_unknown_skus_zeros_go() -> None:
    """A full count lists all of the warehouse's stock."""
    assert _objections(cn.build_true_up(_count(OLD=3), ACTUAL, missing="zero")) == {}


def test_a_counted_zero_goes_and_other_warehouses_are_their_own() -> None:
    """The guard concerns uncounted SKUs in the warehouse of the unknown SKU."""
    actual = _frame({"W": STOCKED | {"A": 1, "B": 1}, "V": STOCKED | {"C": 1}})
    counts = _frame({"W": STOCKED | {"A": 0, "NEW": 1}, "V": STOCKED})
    updates = cn.build_true_up(counts, actual, missing="zero")
    assert _rows(updates) == {"A": 0, "NEW": 1, "B": 0, "C": 0}
    assert _objections(updates, actual) == {"unknown_sku": ["NEW"], "zero_beside_unknown": ["B"]}


def test_rows_that_were_not_counted_wait_whatever_they_lead_to() -> None:
    """Stock received since the count is added to the zero."""
    at_count, actual = _frame({"W": STOCKED | {"A": 5}}), _frame({"W": STOCKED | {"A": 8}})
    updates = cn.build_true_up(_count(NEW=1), actual, at_count=at_count, missing="zero")
    assert _rows(updates) == {"NEW": 1, "A": 3}
    assert _objections(updates, actual)["zero_beside_unknown"] == ["A"]


@pytest.mark.parametrize(
    "step",
    [
        lambda frame: frame[frame["known_sku"]],
        lambda frame: frame.sort_values("product_sku").reset_index(drop=True),
        lambda frame: frame.drop(columns=["suggestion", "known_sku"]),
    ],
)
def test_the_zeros_of_a_filtered_plan_wait_too(step: Any) -> None:
    """Removing the unknown SKU from the plan doesn't settle it."""
    updates = step(cn.build_true_up(_count(NEW=15), ACTUAL, missing="zero"))
    assert sorted(_objections(updates)["zero_beside_unknown"]) == ["AB-100", "OLD"]


def test_a_plan_that_lost_its_metadata_is_judged_by_its_rows() -> None:
    """A concat of two plans has no metadata."""
    other = cn.build_true_up(_frame({"V": {"S": 2}}), _frame({"V": {"S": 1}}))
    updates = pd.concat([cn.build_true_up(_count(NEW=15), ACTUAL, missing="zero"), other], ignore_index=True)
    assert read_metadata(updates) is None
    both = pd.concat([ACTUAL, _frame({"V": {"S": 1}})], ignore_index=True)
    assert _objections(updates, both) == {"unknown_sku": ["NEW"], "zero_beside_unknown": ["AB-100", "OLD"]}


def _hold(updates: pd.DataFrame) -> pd.DataFrame:
    """Make a plan as `.held` has it: without metadata, and with objections beside the rows."""
    objections = cn.check_updates(updates, ACTUAL)
    messages = dict(zip(objections["product_sku"], objections["guard"] + ": " + objections["message"], strict=True))
    held = updates[updates["product_sku"].isin(messages)].drop(columns="suggestion")
    held = held.assign(message=held["product_sku"].map(messages))
    held.attrs = {}
    return held


def _read_again(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    cn.export(frame, path, private=True)
    return cn.read_counts(path)


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("shape", [_hold, lambda plan: plan], ids=["held", "plan"])
def test_zeros_that_come_back_from_a_file_wait_until_the_unknown_sku_is_settled(
    shape: Any, ending: str, tmp_path: Path
) -> None:
    """A file of held rows doesn't count as a count of those SKUs."""
    written = shape(cn.build_true_up(_count(XAB=15), ACTUAL, missing="zero"))
    counts = _read_again(written, tmp_path / f"again.{ending}")
    again = cn.build_true_up(counts, ACTUAL)
    assert _rows(again) == {"XAB": 15, "AB-100": 0, "OLD": 0}
    assert _objections(again) == {"unknown_sku": ["XAB"], "zero_beside_unknown": ["AB-100", "OLD"]}
    assert "zero_beside_unknown" not in _objections(cn.build_true_up(counts, ACTUAL, unknown={"XAB": "new"}))
    named = cn.build_true_up(counts[counts["product_sku"] != "AB-100"], ACTUAL, unknown={"XAB": "AB-100"})
    assert _objections(named) == {}


def test_held_rows_wait_in_a_frame_too() -> None:
    """They are submitted as they are, or planned again."""
    held = _hold(cn.build_true_up(_count(XAB=15), ACTUAL, missing="zero"))
    assert _objections(held)["zero_beside_unknown"] == ["AB-100", "OLD"]
    assert _objections(cn.build_true_up(held, ACTUAL))["zero_beside_unknown"] == ["AB-100", "OLD"]


def test_held_rows_wait_where_the_unknown_sku_was_taken_out(tmp_path: Path) -> None:
    """Removing the unknown SKU doesn't settle it; SKUs counted since are sent."""
    held = _hold(cn.build_true_up(_count(XAB=15), ACTUAL, missing="zero"))
    held = held[held["product_sku"] != "XAB"]
    held.loc[held["product_sku"] == "OLD", "quantity"] = 2
    counts = _read_again(held, tmp_path / "again.csv")
    for updates in (held, cn.build_true_up(counts, ACTUAL)):
        objections = cn.check_updates(updates, ACTUAL)
        assert objections[["product_sku", "guard"]].values.tolist() == [["AB-100", "zero_beside_unknown"]]
        assert "that it waited for are gone" in objections["message"][0]


def test_a_file_of_held_rows_that_were_counted_is_a_count(tmp_path: Path) -> None:
    """Rows held by other guards have no such zeros."""
    actual = _frame({"W": STOCKED | {"A": 40}})
    plan = cn.build_true_up(_count(A=0), actual)
    held = plan.assign(message="max_drop: SKU 'A' would fall from 40 to 0, by more than 50%").drop(columns="suggestion")
    counts = _read_again(held, tmp_path / "again.csv")
    assert counts.columns.tolist() == ["warehouse_code", "product_sku", "quantity"]
    assert _objections(cn.build_true_up(counts, actual), actual) == {"max_drop": ["A"]}


def test_ten_unknown_skus_are_named() -> None:
    """The others are counted."""
    counts = _count(**{f"N{chr(65 + i)}": 1 for i in range(12)})
    message = cn.check_updates(cn.build_true_up(counts, ACTUAL, missing="zero"), ACTUAL)["message"].iloc[-1]
    assert "the count has 12 SKUs" in message
    assert " and 2 more. " in message


def test_a_sku_with_an_invisible_character_is_shown_with_it() -> None:
    """The message shows the character escaped."""
    messages = cn.check_updates(cn.build_true_up(_count(**{"AB-100\u200b": 15}), ACTUAL, missing="zero"), ACTUAL)[
        "message"
    ]
    assert messages[0] == r"SKU 'AB-100\u200b' is not in warehouse 'W'; did you mean 'AB-100'?"
    assert r"unknown={'AB-100\u200b': 'AB-100'}" in messages[1]


def test_a_settled_sku_is_counted_as_the_one_that_it_is() -> None:
    """The zeros of its warehouse are sent."""
    updates = cn.build_true_up(_count(XAB=12), ACTUAL, missing="zero", unknown={"XAB": "AB-100"})
    assert _rows(updates) == {"AB-100": 12, "OLD": 0}
    assert _objections(updates) == {}
    assert read_metadata(updates).settled == {"XAB": "AB-100"}


def test_a_sku_that_is_new_resembles_nothing() -> None:
    """Its own row still has an objection, because Cenports may not know it."""
    updates = cn.build_true_up(_count(**{"ab\u2013100": 15}), ACTUAL, missing="zero", unknown={"ab\u2013100": "new"})
    assert _rows(updates) == {"ab\u2013100": 15, "AB-100": 0, "OLD": 0}
    assert _objections(updates) == {"unknown_sku": ["ab\u2013100"]}


def test_it_is_settled_in_every_warehouse_that_lacks_it() -> None:
    """Warehouses that have the SKU keep it."""
    actual = _frame({"W": {"A": 1}, "V": {"A": 1}, "U": {"A": 1, "a": 1}})
    counts = _frame({"W": {"a": 2}, "V": {"a": 3}, "U": {"a": 4, "A": 1}})
    updates = cn.build_true_up(counts, actual, unknown={"a": "A"})
    assert updates[["warehouse_code", "product_sku", "quantity"]].values.tolist() == [
        ["W", "A", 2],
        ["V", "A", 3],
        ["U", "a", 4],
    ]


@pytest.mark.parametrize(
    ("unknown", "words"),
    [
        ({"Y": "new"}, "settles 'Y', which the count does not have: leave it out"),
        ({"S1": "new"}, "settles 'S1', which its warehouse has: leave it out"),
        ({"X": "AB100"}, "says that 'X' is 'AB100', which is not in warehouse 'W': name a SKU that it has"),
        ({"X": "S1"}, "says that 'X' is 'S1', which was counted in warehouse 'W' too: add their quantities up"),
        ({"X": "OLD", "Z": "OLD"}, "says that 'Z' is 'OLD', which was counted in warehouse 'W' too"),
        ({"X": None}, "must say what each unknown SKU is"),
        ({"X": ""}, "must say what each unknown SKU is"),
        (["X"], "must say what each unknown SKU is"),
    ],
)
def test_an_invalid_settlement_is_refused(unknown: Any, words: str) -> None:
    """The error names it."""
    with pytest.raises(InvalidRequestError, match=words):
        cn.build_true_up(_count(X=1, Z=1), ACTUAL, unknown=unknown)


def test_earlier_settlements_are_applied() -> None:
    """The metadata says that it was remembered, and it is remembered once."""
    actual = attach_settlements(ACTUAL.copy(), {"X": "AB-100", "N": "new", "gone": "OLD", "S1": "new"})
    updates = cn.build_true_up(_count(X=12, N=1), actual, missing="zero")
    assert _rows(updates) == {"AB-100": 12, "N": 1, "OLD": 0}
    assert _objections(updates, actual) == {"unknown_sku": ["N"]}
    metadata = read_metadata(updates)
    assert (metadata.settled, metadata.remembered) == ({}, {"X": "AB-100", "N": "new"})


@pytest.mark.parametrize("settled", ["AB-100", "GONE", "S1"])
def test_earlier_settlements_that_no_longer_fit_are_not_applied(settled: str) -> None:
    """If the settled SKU is gone or was counted itself, the SKU is unknown again."""
    actual = attach_settlements(ACTUAL.copy(), {"X": settled})
    updates = cn.build_true_up(_count(X=12, **{"AB-100": 15}), actual, missing="zero")
    assert _rows(updates) == {"X": 12, "OLD": 0}
    assert _objections(updates) == {"unknown_sku": ["X"], "zero_beside_unknown": ["OLD"]}


def test_a_new_settlement_wins() -> None:
    """It replaces an earlier settlement."""
    actual = attach_settlements(ACTUAL.copy(), {"X": "AB-100"})
    assert _rows(cn.build_true_up(_count(X=3), actual, unknown={"X": "OLD"})) == {}
    assert _rows(cn.build_true_up(_count(X=12), actual, unknown={"X": "new"})) == {"X": 12}


@pytest.mark.parametrize("note", ["no json", '{"X": 1}', 7, None])
def test_a_note_that_cannot_be_read_settles_nothing(note: Any) -> None:
    """The count is planned without it."""
    actual = ACTUAL.copy()
    actual.attrs["cenports_nb_settled_skus"] = note
    assert _rows(cn.build_true_up(_count(X=12), actual)) == {"X": 12}


@given(
    st.lists(st.text("AB-12", min_size=1, max_size=5), min_size=1, max_size=40, unique=True),
    st.text("AB-12", min_size=1),
)
def test_the_closest_sku_is_one_that_was_not_counted(uncounted: list[str], unknown: str) -> None:
    """There is always one."""
    frames = [_frame({"W": dict.fromkeys(skus, 1)}) for skus in ([unknown], uncounted)]
    assert find_closest(*frames)[unknown] in uncounted


def test_the_closest_of_many_differs_in_one_character() -> None:
    """Only SKUs with the same beginning or end are compared."""
    uncounted = _frame({"W": {f"SKU-{i:05}-X": 1 for i in range(20_000)}})
    unknown = _frame({"W": {"SKU-12345-Z": 1, "QKU-00017-X": 1}})
    assert find_closest(unknown, uncounted) == {"SKU-12345-Z": "SKU-12345-X", "QKU-00017-X": "SKU-00017-X"}
