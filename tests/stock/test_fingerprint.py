"""Test that fingerprints are equal only for rows that would be sent alike."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cenports_nb.stock.plans.update_frame import compute_fingerprint

COLUMNS = ["warehouse_code", "product_sku", "type", "quantity"]
KEY = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=4)
ROWS = st.dictionaries(
    st.tuples(KEY, KEY), st.tuples(st.sampled_from(["TRUE_UP", "DIFFERENTIAL"]), st.integers(-99, 99)), max_size=6
)


def _frame(rows: dict[Any, Any]) -> pd.DataFrame:
    return pd.DataFrame([(*key, *row) for key, row in rows.items()], columns=COLUMNS).astype(
        {**dict.fromkeys(COLUMNS[:3], "str"), "quantity": "int64"}
    )


@given(ROWS, st.randoms(use_true_random=False))
def test_order_labels_dtypes_and_further_columns_are_not_sent(rows: Any, random: Any) -> None:
    """They don't change the fingerprint."""
    frame = _frame(rows)
    other = frame.iloc[random.sample(range(len(frame)), len(frame))].assign(current_quantity=3, note="x")
    other = other[list(other.columns)[::-1]].astype({"product_sku": "object", "quantity": "float64"})
    assert compute_fingerprint(other) == compute_fingerprint(frame)


@given(ROWS, ROWS)
def test_other_rows_have_another_fingerprint(one: Any, two: Any) -> None:
    """This includes keys that look alike when joined."""
    assert (compute_fingerprint(_frame(one)) == compute_fingerprint(_frame(two))) == (one == two)


@pytest.mark.parametrize(
    ("one", "two"),
    [((("A", "BC"),), (("AB", "C"),)), ((("A", "B"), ("A", "C")), (("A", "BA"), ("A", "C"))), ((), (("A", "B"),))],
)
def test_cells_do_not_run_into_each_other(one: Any, two: Any) -> None:
    """Lengths are hashed too."""
    frames = [_frame(dict.fromkeys(keys, ("TRUE_UP", 1))) for keys in (one, two)]
    assert compute_fingerprint(frames[0]) != compute_fingerprint(frames[1])


def test_a_journal_can_keep_it() -> None:
    """The fingerprint is the same in every process and version."""
    frame = _frame({("NW-EAST", "0003"): ("TRUE_UP", 21), ("NW-WEST", "Größe 7"): ("DIFFERENTIAL", -2)})
    assert compute_fingerprint(frame) == "33b5013b4ee5c333dca52c2a5f0e3a7c"
    assert compute_fingerprint(frame[:0]) == "640e145e3f2a9a2d370cb29feae228c1"


def test_a_part_of_a_frame_has_the_fingerprint_of_its_rows() -> None:
    """It doesn't depend on the larger frame whose memory it shares."""
    frame = _frame({("W", sku): ("TRUE_UP", n) for n, sku in enumerate("ABCD")})
    assert compute_fingerprint(frame[1:3]) == compute_fingerprint(
        _frame({("W", sku): ("TRUE_UP", n) for n, sku in ((1, "B"), (2, "C"))})
    )
