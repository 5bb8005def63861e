"""Test guards on the journal: updates that may still take effect, and repetitions."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.stock.plans.update_frame import compute_fingerprint

KEYS = ["warehouse_code", "product_sku"]
ACTUAL = pd.DataFrame({"warehouse_code": "W", "product_sku": list("ABC"), "quantity": 10})
UPDATES = ACTUAL.assign(type="TRUE_UP", quantity=[9, 8, 7])


def history(*rows: tuple[str, int, str], age: float = 2, of: str = "S-1", **columns: Any) -> pd.DataFrame:
    """Make earlier rows of SKU, quantity and outcome."""
    frame = pd.DataFrame(rows, columns=["product_sku", "quantity", "outcome"])
    reported = {
        "submission_id": of,
        "created_at": pd.Timestamp("2026-03-01T12:00Z") - pd.Timedelta(hours=age),
        "age_s": age * 3600.0,
        "fingerprint": "none",
        "reference": None,
        "warehouse_code": "W",
        "type": "TRUE_UP",
    }
    return frame.assign(**{**reported, **columns})


def objections(past: pd.DataFrame, updates: pd.DataFrame = UPDATES, **arguments: Any) -> pd.DataFrame:
    return cn.check_updates(updates, ACTUAL, history=past, **arguments)


@pytest.mark.parametrize(
    ("outcome", "words"), [("pending", ".wait()"), ("in_doubt", ".resolve()"), ("unconfirmed", ".verify()")]
)
def test_an_earlier_update_that_may_still_land_is_an_objection(outcome: str, words: str) -> None:
    """The message has its submission, its time and what to do, at any age."""
    found = objections(history(("A", 1, outcome), ("C", 7, "applied"), age=50))
    assert found[["product_sku", "guard"]].values.tolist() == [["A", "in_flight"]]
    assert "in submission S-1, of 2026-02-27 10:00Z, that is" in found["message"][0]
    assert words in found["message"][0]


@pytest.mark.parametrize("outcome", ["applied", "rejected", "not_applied", "held", "dropped"])
def test_settled_rows_are_no_objection(outcome: str) -> None:
    """The stock has its result."""
    assert len(objections(history(("A", 1, outcome)))) == 0


def test_of_several_earlier_updates_the_latest_is_named() -> None:
    """One objection a row."""
    past = pd.concat([history(("A", 1, "pending"), of="S-2", age=1), history(("A", 2, "in_doubt"), of="S-1", age=3)])
    assert objections(past)["message"].str.contains("submission S-2").tolist() == [True]


SAME = [("A", 9, "applied"), ("B", 8, "rejected"), ("C", 7, "applied")]


def test_the_same_frame_again_is_an_objection_to_all_of_it() -> None:
    """The order of rows doesn't matter; the message has the earlier outcome."""
    past = history(*SAME, fingerprint=compute_fingerprint(UPDATES), age=0.5)
    found = objections(past, UPDATES.iloc[::-1])
    assert found["guard"].tolist() == ["repeated"]
    assert found[KEYS].isna().all(axis=None)
    assert "30 min ago as S-1 (2 applied, 1 rejected)" in found["message"][0]
    assert 'open_submission(client, "S-1").resume() sends what was not sent' in found["message"][0]


@pytest.mark.parametrize("outcome", ["not_sent", "held", "pending", "in_doubt", "unconfirmed", "applied"])
def test_the_same_frame_is_an_objection_whatever_became_of_it(outcome: str) -> None:
    """Unsent rows can be resumed; a new submission could send them twice."""
    past = history(*((sku, quantity, outcome) for sku, quantity, _ in SAME), fingerprint=compute_fingerprint(UPDATES))
    assert "repeated" in set(objections(past)["guard"])


@pytest.mark.parametrize("outcomes", [("rejected",) * 3, ("not_applied", "rejected", "rejected")])
def test_the_same_frame_may_be_sent_again_if_nothing_came_of_it(outcomes: tuple[str, ...]) -> None:
    """Every row was rejected or shown not to be applied."""
    rows = [(sku, quantity, outcome) for (sku, quantity, _), outcome in zip(SAME, outcomes, strict=True)]
    assert len(objections(history(*rows, fingerprint=compute_fingerprint(UPDATES)))) == 0


@pytest.mark.parametrize(("age", "hours", "objects"), [(24, "24h", True), (24.1, "24h", False), (2, "1h", False)])
def test_repetitions_count_for_a_day(age: float, hours: str, objects: bool) -> None:
    """The threshold can be changed."""
    past = history(*SAME, fingerprint=compute_fingerprint(UPDATES), age=age)
    assert objections(past, thresholds={"repeated": hours})["guard"].tolist() == ["repeated"] * objects


@pytest.mark.parametrize(
    ("past", "objects"),
    [
        (history(("A", 1, "applied"), reference="COUNT-1"), True),
        (history(("A", 1, "rejected"), reference="COUNT-1"), False),
        (history(("Z", 1, "applied"), reference="COUNT-1"), False),
        (history(("A", 1, "applied"), reference="COUNT-2"), False),
        (history(("A", 1, "applied")), False),
    ],
    ids=["same SKU", "rejected", "another SKU", "another reference", "no reference"],
)
def test_the_same_reference_for_the_same_sku_is_an_objection(past: pd.DataFrame, objects: bool) -> None:
    """A document is entered once; its second part has other SKUs."""
    found = objections(past, UPDATES.assign(reference="COUNT-1"))
    assert found["guard"].tolist() == ["repeated"] * objects
    assert found["message"].str.contains("Reference 'COUNT-1' was submitted 2.0 h ago as S-1").all()


def test_without_a_reference_none_is_the_same() -> None:
    """Two missing references are not equal."""
    assert len(objections(history(("A", 1, "applied")), UPDATES.assign(reference=None))) == 0


def test_rows_that_were_all_sent_already_are_an_objection() -> None:
    """A notebook was run twice with its rows in other submissions."""
    past = pd.concat([history(("A", 9, "applied"), ("X", 1, "applied"), age=3), history(("B", 8, "applied"), of="S-2")])
    found = objections(past, UPDATES.head(2))
    assert found["guard"].tolist() == ["repeated"]
    assert "last 2.0 h ago in S-2 (1 applied)" in found["message"][0]
    assert len(objections(past, UPDATES)) == 0


@pytest.mark.parametrize("change", [{"quantity": 5}, {"type": "DIFFERENTIAL"}, {"warehouse_code": "V"}])
def test_another_quantity_type_or_warehouse_is_another_row(change: dict[str, Any]) -> None:
    """It is no repetition."""
    assert len(objections(history(("A", 9, "applied")).assign(**change), UPDATES.head(1))) == 0


def test_other_rows_of_the_journal_are_ignored() -> None:
    """Orders have no SKU, and an empty history is fine."""
    past = history(("A", 1, "applied")).assign(product_sku=None, warehouse_code=None, quantity=None)
    assert len(objections(past)) == 0
    assert len(objections(history())) == 0


def test_a_history_that_lacks_columns_is_refused() -> None:
    """The error names the columns."""
    with pytest.raises(InvalidRequestError, match="history lacks the columns age_s, outcome"):
        objections(history(("A", 1, "applied")).drop(columns=["age_s", "outcome"]))
