"""Test reversals: the opposite of applied rows only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError

KEYS = ["warehouse_code", "product_sku"]
COLUMNS = [*KEYS, "type", "quantity", "before_quantity", "outcome"]
ROWS = [
    ("W", "A", "TRUE_UP", 12, 10, "applied"),
    ("W", "B", "TRUE_UP", 5, 9, "applied"),
    ("W", "C", "TRUE_UP", 5, 5, "applied"),
    ("W", "D", "DIFFERENTIAL", -3, None, "applied"),
    ("W", "E", "TRUE_UP", 5, 9, "rejected"),
    ("W", "F", "DIFFERENTIAL", 5, 9, "in_doubt"),
]


@dataclass
class Sent:
    """The parts of a submission that a reversal reads."""

    rows: list[tuple[Any, ...]] = field(default_factory=lambda: ROWS)
    submission_id: str = "20260301-093000-7f3a"

    @property
    def changes(self) -> pd.DataFrame:
        frame = pd.DataFrame(self.rows, columns=COLUMNS).assign(batch=0)
        return frame.assign(row=range(len(frame))).astype({"before_quantity": "Int64"})

    @property
    def outcomes(self) -> pd.DataFrame:
        return self.changes.drop(columns="before_quantity")


def _plan(updates: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(updates[["product_sku", "type", "quantity", "change"]].itertuples(index=False, name=None))


def test_applied_rows_are_reversed_by_their_change() -> None:
    """A TRUE_UP is reversed by before − sent, a DIFFERENTIAL by the opposite; no change needs no row."""
    updates = cn.build_reversal(Sent())
    expected = [("A", -2), ("B", 4), ("D", 3)]
    assert _plan(updates) == [(sku, "DIFFERENTIAL", change, change) for sku, change in expected]
    cn.schemas.StockUpdates.validate(updates)


def test_a_reversal_says_what_it_reverses() -> None:
    """Reason and reference name the submission by default."""
    updates = cn.build_reversal(Sent(), reason="wrong file")
    assert set(updates["reason"]) == {"wrong file"}
    assert set(updates["reference"]) == {"reversal of 20260301-093000-7f3a"}


def test_a_filter_of_outcomes_chooses_the_rows() -> None:
    """Any frame with the key columns works."""
    sent = Sent()
    assert _plan(cn.build_reversal(sent, sent.outcomes.query("product_sku == 'B'"))) == [("B", "DIFFERENTIAL", 4, 4)]


@pytest.mark.parametrize(
    ("skus", "words"),
    [
        (["B", "E"], "E in W: only what was applied can be reversed, and the outcome of the first is rejected"),
        (["F"], "the outcome of the first is in_doubt. Settle it (wait, verify or resolve)"),
        (["X", "Y"], "The submission has no row for X in W, Y in W"),
        (["A", "A"], "rows has more than one row for W, A"),
    ],
)
def test_rows_that_were_not_applied_are_refused(skus: list[str], words: str) -> None:
    """The error has their outcome."""
    with pytest.raises(InvalidRequestError) as caught:
        cn.build_reversal(Sent(), pd.DataFrame({"warehouse_code": "W", "product_sku": skus}))
    assert words in str(caught.value)


def test_a_true_up_of_unknown_stock_is_refused() -> None:
    """The error has its key, so that it can be left out."""
    sent = Sent([*ROWS, ("W", "G", "TRUE_UP", 5, None, "applied")])
    with pytest.raises(InvalidRequestError, match="The stock before G in W is unknown"):
        cn.build_reversal(sent)
    rest = sent.outcomes[sent.outcomes["product_sku"] == "A"]
    assert len(cn.build_reversal(sent, rest)) == 1


def test_a_row_that_was_sent_again_counts_once_for_each_time_it_was_applied() -> None:
    """A row rejected first and applied later is undone once, one applied twice is undone twice."""
    sent = Sent(
        [
            ("W", "A", "TRUE_UP", 12, 10, "rejected"),
            ("W", "A", "TRUE_UP", 12, 11, "applied"),
            ("W", "B", "DIFFERENTIAL", 2, 1, "applied"),
            ("W", "B", "DIFFERENTIAL", 2, 3, "applied"),
        ]
    )
    assert _plan(cn.build_reversal(sent)) == [("A", "DIFFERENTIAL", -1, -1), ("B", "DIFFERENTIAL", -4, -4)]
    assert len(cn.build_reversal(sent, pd.DataFrame({"warehouse_code": ["W"], "product_sku": ["A"]}))) == 1


@pytest.mark.parametrize("other", [None, pd.DataFrame({"order_no": ["1"]})])
def test_only_submissions_of_stock_are_reversed(other: Any) -> None:
    """Orders can't be reversed."""
    with pytest.raises(InvalidRequestError, match="Only a submission of stock can be reversed"):
        cn.build_reversal(other)


def test_a_submission_of_which_nothing_was_applied_has_an_empty_reversal() -> None:
    """It has all columns."""
    empty = cn.build_reversal(Sent(ROWS[4:]))
    assert (len(empty), empty.dtypes.to_dict()) == (0, cn.build_reversal(Sent()).dtypes.to_dict())


@given(
    st.dictionaries(
        st.sampled_from("ABCD"), st.tuples(st.booleans(), st.integers(0, 50), st.integers(0, 50), st.integers(0, 9))
    )
)
def test_after_a_reversal_only_the_sales_are_left(rows: dict[str, tuple[bool, int, int, int]]) -> None:
    """The stock is that before the submission, less sales."""
    sent, after = [], {}
    for sku, (sets, before, amount, sold) in rows.items():
        sent.append(("W", sku, "TRUE_UP" if sets else "DIFFERENTIAL", amount, before, "applied"))
        after[sku] = (amount if sets else before + amount) - sold
    for row in cn.build_reversal(Sent(sent)).itertuples():
        after[row.product_sku] += row.quantity
    assert after == {sku: before - sold for sku, (_, before, _, sold) in rows.items()}
