"""Test that each guard objects from its threshold on and says what to do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.provenance import Provenance, attach
from cenports_nb.reports import find_sample_count
from cenports_nb.stock.guards.registry import GUARDS, STOPS_ALL

KEYS = ["warehouse_code", "product_sku"]


def stock(*rows: tuple[str, str, int], gone: tuple[str, ...] = ()) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=[*KEYS, "quantity"]).astype({**dict.fromkeys(KEYS, "str"), "quantity": "int64"})
    return frame.assign(is_discontinued=frame["product_sku"].isin(gone))


def loaded(frame: pd.DataFrame, *, at: str = "2026-03-01T11:00+00:00", partner: str = "P-1") -> pd.DataFrame:
    """Mark the frame as loaded."""
    origin = Provenance(
        "GET /inventories", {}, "staging", partner, datetime.fromisoformat(at), 1, 0, True, 1, 0, 0, "0"
    )
    return attach(frame.copy(), origin, ())


def plan(*rows: tuple[str, str, int], **columns: Any) -> pd.DataFrame:
    return stock(*rows).drop(columns="is_discontinued").assign(type=columns.pop("type", "TRUE_UP"), **columns)


def guards(updates: pd.DataFrame, actual: pd.DataFrame, **arguments: Any) -> list[str]:
    return cn.check_updates(updates, actual, **arguments)["guard"].tolist()


BIG = ("W", "Z", 10_000)
"""So that no warehouse loses a fifth."""


def test_the_names_are_those_of_the_contract() -> None:
    """The order is fixed, and guards of the whole frame are included."""
    assert list(GUARDS) == [
        *("max_drop", "max_total_drop", "partial_count", "unknown_sku", "zero_beside_unknown", "discontinued"),
        *("below_reserved", "old_count", "max_rows", "basis", "in_flight", "repeated", "other_account"),
    ]
    assert set(GUARDS) > STOPS_ALL


@pytest.mark.parametrize(
    ("now", "target", "objects"), [(20, 9, True), (20, 10, False), (19, 0, False), (40, 50, False)]
)
def test_a_sku_that_loses_more_than_half_is_an_objection(now: int, target: int, objects: bool) -> None:
    """It applies from 20 units on, to set and changed stock."""
    actual = stock(("W", "A", now), BIG)
    moved = plan(("W", "A", target - now), type="DIFFERENTIAL")
    for updates in (plan(("W", "A", target)), moved):
        assert guards(updates, actual) == ["max_drop"] * objects


def test_the_message_of_a_drop_has_its_numbers() -> None:
    """It has both quantities, the drop and what to do."""
    reported = cn.check_updates(plan(("W", "A", 9)), stock(("W", "A", 20), BIG)).iloc[0]
    assert reported.to_dict() == {
        "warehouse_code": "W",
        "product_sku": "A",
        "guard": "max_drop",
        "message": "SKU 'A' in warehouse 'W' would fall from 20 to 9, by 55%, which is more than 50%: count it again, "
        "or accept max_drop",
    }


def test_thresholds_that_are_no_mapping_are_refused() -> None:
    """The error shows how they are written."""
    thresholds: Any = ["max_drop"]
    with pytest.raises(InvalidRequestError, match="must be a mapping"):
        cn.check_updates(plan(("W", "A", 5)), stock(("W", "A", 10)), thresholds=thresholds)


@pytest.mark.parametrize(
    ("targets", "objects"), [((60, 100), False), ((59, 100), True), ((20, 140), False), ((19, 140), True)]
)
def test_a_warehouse_that_loses_more_than_a_fifth_is_an_objection(targets: tuple[int, int], objects: bool) -> None:
    """The frame's net change is 40 of 200; other warehouses and unknown SKUs don't count."""
    actual = stock(("V", "A", 1_000), ("W", "A", 100), ("W", "B", 100))
    updates = plan(("W", "A", targets[0]), ("W", "B", targets[1]), ("W", "X", 500))
    found = cn.check_updates(updates, actual, thresholds={"max_drop": 1.0})
    total = found[found["guard"] == "max_total_drop"]
    assert len(total) == objects
    assert total["product_sku"].isna().all()
    assert set(total["warehouse_code"]) == ({"W"} if objects else set())


@pytest.mark.parametrize(
    ("counted", "missing", "objects"), [(4, "zero", False), (3, "zero", True), (3, "ignore", False)]
)
def test_too_few_counted_skus_are_an_objection_if_the_others_become_zero(
    counted: int, missing: str, objects: bool
) -> None:
    """At least 80% of SKUs in stock must be counted."""
    actual = stock(*(("W", sku, 10) for sku in "ABCDE"), ("W", "F", 0), ("V", "A", 10))
    counts = actual.head(counted).assign(quantity=11)[[*KEYS, "quantity"]]
    updates = cn.build_true_up(counts, actual, missing=missing)
    lenient = {"max_total_drop": 1.0}
    assert guards(updates, actual, thresholds=lenient) == ["partial_count"] * objects
    kept = updates.sort_values("product_sku", ascending=False).query("change != 0").reset_index(drop=True)
    assert guards(kept, actual, thresholds=lenient) == ["partial_count"] * objects
    assert guards(pd.DataFrame(updates.to_dict("list")), actual, thresholds=lenient) == []


@pytest.mark.parametrize(
    ("sku", "message"),
    [
        ("12", "SKU '12' is not in warehouse 'W'; did you mean '0012'?"),
        ("ab c", "SKU 'ab c' is not in warehouse 'W'; did you mean 'ABC'?"),
        ("12.0", "SKU '12.0' is not in warehouse 'W'; did you mean '0012'?"),
        ("V1", "SKU 'V1' is not in warehouse 'W', but in 'V': correct the warehouse, or leave it out"),
        ("X", "SKU 'X' is not in warehouse 'W': correct it, or leave it out"),
        ("7", "SKU '7' is not in warehouse 'W': correct it, or leave it out"),
    ],
)
def test_an_unknown_sku_is_an_objection_with_a_hint(sku: str, message: str) -> None:
    """The hint is the only similar SKU, or the warehouse that has it."""
    actual = stock(("W", "0012", 1), ("W", "ABC", 1), ("V", "V1", 1), ("W", "07", 1), ("W", "007", 1))
    elsewhere = cn.check_updates(plan(("nord", sku, 1)), actual)["message"]
    end = "which the stock does not have: translate your codes with warehouse_map="
    assert elsewhere.tolist() == [f"SKU '{sku}' is not in warehouse 'nord', {end}"]
    assert cn.check_updates(plan(("W", sku, 1)), actual)["message"].tolist() == [message]


@pytest.mark.parametrize(("target", "objects"), [(6, True), (5, False), (4, False)])
def test_raising_a_discontinued_sku_is_an_objection(target: int, objects: bool) -> None:
    """Lowering it is fine."""
    assert guards(plan(("W", "A", target)), stock(("W", "A", 5), gone=("A",))) == ["discontinued"] * objects


def sale(actual: pd.DataFrame, *less: int) -> pd.DataFrame:
    """Make available stock of several channels."""
    frames = [actual.assign(channel_id=f"C{n}", quantity=actual["quantity"] - units) for n, units in enumerate(less)]
    return pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize(
    ("target", "reserved", "objects"), [(7, 8, True), (8, 8, False), (11, 20, False), (7, -1, False)]
)
def test_less_than_is_reserved_is_an_objection(target: int, reserved: int, objects: bool) -> None:
    """Raising stock towards the reserved quantity is fine."""
    actual = stock(("W", "A", 10), BIG)
    for updates in (plan(("W", "A", target)), plan(("W", "A", target - 10), type="DIFFERENTIAL")):
        assert guards(updates, actual, available=sale(actual, reserved, 0)) == ["below_reserved"] * objects
        assert guards(updates, actual) == []


def test_a_change_that_leads_below_zero_is_an_objection_without_available_stock_too() -> None:
    """Stock can't be negative."""
    assert guards(plan(("W", "A", -11), type="DIFFERENTIAL"), stock(("W", "A", 10), BIG)) == ["below_reserved"]


@pytest.mark.parametrize(
    ("counted_at", "objects"), [("09:59", True), ("10:00", False), ("11:30", False), (None, False)]
)
def test_a_count_older_than_its_stock_is_an_objection(counted_at: str | None, objects: bool) -> None:
    """Sales of more than an hour would be undone."""
    actual = loaded(stock(("W", "A", 10), BIG))
    when = pd.to_datetime([f"2026-03-01T{counted_at}Z" if counted_at else None], utc=True)
    counts = pd.DataFrame({"warehouse_code": ["W"], "product_sku": ["A"], "quantity": [9], "counted_at": when})
    later = loaded(actual, at="2026-03-01T18:00+00:00")
    assert guards(cn.build_true_up(counts, actual), later) == ["old_count"] * objects
    bare = plan(("W", "A", 9)).assign(counted_at=when)
    assert guards(bare, actual) == ["old_count"] * objects


def test_a_count_beside_the_stock_of_its_time_is_not_old() -> None:
    """at_count corrects for sales; if its time is unknown, the guard doesn't object."""
    actual = loaded(stock(("W", "A", 10), BIG), at="2026-03-01T18:00+00:00")
    when = pd.to_datetime(["2026-03-01T08:00Z"])
    counts = pd.DataFrame({"warehouse_code": ["W"], "product_sku": ["A"], "quantity": [9], "counted_at": when})
    for then in (loaded(stock(("W", "A", 12)), at="2026-03-01T08:30+00:00"), stock(("W", "A", 12))):
        assert guards(cn.build_true_up(counts, actual, at_count=then), actual) == []
    late = loaded(stock(("W", "A", 12)), at="2026-03-01T09:30+00:00")
    assert guards(cn.build_true_up(counts, actual, at_count=late), actual) == ["old_count"]


def test_too_many_rows_are_an_objection() -> None:
    """The objection is to the whole frame, without warehouse or SKU."""
    actual = stock(*(("W", f"S{n}", 5) for n in range(4)))
    updates = actual.drop(columns="is_discontinued").assign(type="TRUE_UP")
    assert guards(updates, actual, thresholds={"max_rows": 4}) == []
    objections = cn.check_updates(updates, actual, thresholds={"max_rows": 3})
    assert objections["guard"].tolist() == ["max_rows"]
    assert objections[KEYS].isna().all(axis=None)


@pytest.mark.parametrize(
    ("targets", "objects"),
    [((8, 8, 8), True), ((8, 8, 9), False), ((8, 8, 8, 9, 9), True), ((8, 8, 8, 9, 9, 9), False)],
)
def test_counts_that_stand_at_available_stock_are_an_objection(targets: tuple[int, ...], objects: bool) -> None:
    """Most of at least three reserved SKUs equal available stock, so the file is probably net of open orders."""
    actual = stock(*(("W", f"S{n}", 10) for n in range(len(targets))), BIG)
    counts = actual.head(len(targets)).assign(quantity=targets)[[*KEYS, "quantity"]]
    available = sale(actual, 2, 2)
    assert guards(cn.build_true_up(counts, actual), actual, available=available) == ["basis"] * objects


def test_a_plan_that_knows_its_basis_is_not_asked_about_it() -> None:
    """Open demand was added back."""
    actual = stock(("W", "A", 10), ("W", "B", 10), ("W", "C", 10))
    nothing = pd.DataFrame(
        {"ship_from_warehouse_code": ["W"], "product_sku": ["A"], "quantity": [0], "status": ["open"]}
    )
    counts = actual.assign(quantity=8)[[*KEYS, "quantity"]]
    updates = cn.build_true_up(counts, actual, basis="net_of_open", open_items=nothing)
    assert guards(updates, actual, available=sale(actual, 2)) == []


@pytest.mark.parametrize(("partner", "objects"), [("P-1", False), ("P-2", True)])
def test_a_plan_of_another_accounts_stock_is_an_objection(partner: str, objects: bool) -> None:
    """Two accounts may have the same codes and SKUs."""
    actual = stock(("W", "A", 10))
    updates = cn.build_true_up(stock(("W", "A", 9)), loaded(actual, partner=partner))
    assert guards(updates, loaded(actual)) == ["other_account"] * objects
    assert guards(updates, actual) == []


@pytest.mark.parametrize(
    ("thresholds", "words"),
    [
        ({"max_dorp": 0.3}, "no threshold 'max_dorp', the closest is 'max_drop'"),
        ({"max_drop": 30}, "max_drop=30 must be a share from 0 to 1"),
        ({"max_drop": True}, "must be a share"),
        ({"max_drop": float("nan")}, "must be a share"),
        ({"max_rows": -1}, "max_rows=-1 must be a whole number of 0 or more"),
        ({"old_count": "soon"}, "old_count='soon' must be a duration"),
        ({"repeated": 24}, "repeated=24 must be a duration"),
    ],
)
def test_an_invalid_threshold_is_refused(thresholds: dict[str, Any], words: str) -> None:
    """A typo must not disable a guard."""
    with pytest.raises(InvalidRequestError) as caught:
        cn.check_updates(plan(("W", "A", 1)), stock(("W", "A", 1)), thresholds=thresholds)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("updates", "actual", "words"),
    [
        (plan(("W", "A", 1), ("W", "A", 2)), stock(("W", "A", 1)), "updates has more than one row for W, A"),
        (plan(("W", "A", 1)), stock(("W", "A", 1), ("W", "A", 2)), "actual has more than one row for W, A"),
        (plan(("W", "A", 1), type="SET"), stock(("W", "A", 1)), "a type that is none of TRUE_UP, DIFFERENTIAL"),
        (None, stock(("W", "A", 1)), "updates must be a DataFrame, not NoneType"),
        (plan(("W", "A", 1)), None, "actual must be a DataFrame, not NoneType"),
    ],
)
def test_frames_that_can_be_misread_are_refused(updates: pd.DataFrame, actual: pd.DataFrame, words: str) -> None:
    """The error is one line."""
    with pytest.raises(InvalidRequestError) as caught:
        cn.check_updates(updates, actual)
    assert words in str(caught.value)


def test_an_empty_frame_has_no_objections() -> None:
    """The result has its columns and dtypes, whatever the history."""
    actual = loaded(stock(("W", "A", 10)))
    none = cn.check_updates(cn.build_true_up(stock(), loaded(actual, partner="P-2")), actual, available=sale(actual, 1))
    full = cn.check_updates(plan(("W", "X", 1)), actual)
    assert (len(none), none.dtypes.to_dict()) == (0, full.dtypes.to_dict())
    assert set(map(str, full.dtypes)) == {"str"}


def test_northwinds_own_plan_is_about_its_own_account(client: cn.Client) -> None:
    """Guards read the loaders' provenance."""
    actual, available = cn.load_actual_stock(client), cn.load_available_stock(client)
    rows = actual[actual["product_sku"].isin(["0003", "0014"])][[*KEYS, "quantity"]]
    updates = cn.build_true_up(rows.assign(quantity=[21, 30]), actual)
    assert guards(updates, cn.load_actual_stock(client, refresh=True), available=available) == []
    assert guards(updates, loaded(actual)) == ["other_account"]


def test_the_sample_count_of_the_report_has_no_objection(client: cn.Client) -> None:
    """It can be submitted on the sandbox."""
    actual, available = cn.load_actual_stock(client), cn.load_available_stock(client)
    updates = cn.build_true_up(cn.read_counts(find_sample_count()), actual)
    assert (len(updates), guards(updates, actual, available=available)) == (9, [])


ROWS = st.dictionaries(
    st.tuples(st.sampled_from("VW"), st.sampled_from("ABCDE")),
    st.tuples(st.sampled_from(["TRUE_UP", "DIFFERENTIAL"]), st.integers(0, 60)),
    min_size=1,
    max_size=8,
)
STOCK = st.dictionaries(
    st.tuples(st.sampled_from("VW"), st.sampled_from("ABCD")),
    st.tuples(st.integers(-5, 60), st.integers(0, 30), st.booleans()),
)


@given(ROWS, STOCK, st.randoms(use_true_random=False))
def test_row_guards_match_plain_arithmetic(rows: Any, there: Any, random: Any) -> None:
    """Each row matches plain arithmetic, in any order of the frames."""
    rows = {key: (kind, amount if kind == "TRUE_UP" else amount - 30) for key, (kind, amount) in rows.items()}
    expected = set()
    for key, (kind, amount) in rows.items():
        if key not in there:
            expected.add((*key, "unknown_sku"))
            continue
        now, reserved, gone = there[key]
        target = amount if kind == "TRUE_UP" else now + amount
        if now >= 20 and now - target > now / 2:
            expected.add((*key, "max_drop"))
        if gone and target > now:
            expected.add((*key, "discontinued"))
        if target < max(reserved, 0) and target < now:
            expected.add((*key, "below_reserved"))
    actual = pd.DataFrame(
        [(*key, now, gone) for key, (now, _, gone) in there.items()], columns=[*KEYS, "quantity", "is_discontinued"]
    ).astype({"warehouse_code": "str", "product_sku": "str", "quantity": "int64", "is_discontinued": "bool"})
    available = actual.assign(
        quantity=actual["quantity"] - np.array([less for _, less, _ in there.values()], dtype="int64")
    )
    updates = pd.DataFrame([(*key, *row) for key, row in rows.items()], columns=[*KEYS, "type", "quantity"])
    order = random.sample(range(len(updates)), len(updates))
    found = cn.check_updates(
        updates.iloc[order],
        actual.iloc[::-1],
        available=available,
        thresholds={"max_total_drop": 1.0, "basis_from": 99},
    )
    of_rows = found[~found["guard"].isin(STOPS_ALL)]
    assert set(of_rows[[*KEYS, "guard"]].itertuples(index=False, name=None)) == expected
    assert len(of_rows) == len(expected)
