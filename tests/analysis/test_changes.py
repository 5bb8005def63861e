"""Test changes between two readings: every value that differs is a row, and no other."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenports_nb as cn
from cenports_nb.errors import AnalysisWarning, InvalidRequestError
from cenports_nb.frames.provenance import Provenance, attach

KEY = ["warehouse_code", "product_sku"]


def _stock(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[*KEY, "product_name", "quantity", "next_available_quantity"]).astype(
        {
            "warehouse_code": "str", "product_sku": "str", "product_name": "str", "quantity": "int64",
            "next_available_quantity": "Int64",
        }
    )  # fmt: skip


def _rows(found: pd.DataFrame) -> list[list[Any]]:
    shown = found[["product_sku", "change", "column", "before", "after"]].astype("object")
    return shown.where(shown.notna(), None).values.tolist()


def test_each_value_that_moved_is_a_row() -> None:
    """A row has both values; each added or removed key has one row."""
    before = _stock(("W", "A", "Chai", 5, None), ("W", "B", "Chang", 7, 1))
    after = _stock(("W", "A", None, 4, 2), ("W", "C", "Syrup", 7, 1))
    assert _rows(cn.changes(before, after)) == [
        ["A", "moved", "product_name", "Chai", None],
        ["A", "moved", "quantity", "5", "4"],
        ["A", "moved", "next_available_quantity", None, "2"],
        ["B", "vanished", None, None, None],
        ["C", "new", None, None, None],
    ]


def test_columns_may_be_ignored() -> None:
    """`ignore=` leaves out columns that always change."""
    before, after = _stock(("W", "A", "Chai", 5, None)), _stock(("W", "A", "Tea", 4, None))
    assert [row[2] for row in _rows(cn.changes(before, after, ignore=["quantity"]))] == ["product_name"]


@pytest.mark.parametrize(
    ("old", "young"),
    [
        (pd.array([5], dtype="int64"), pd.array([5], dtype="Int64")),
        (pd.array([5], dtype="int32"), pd.array([5.0], dtype="float64")),
        (pd.array([None], dtype="Int64"), pd.array([float("nan")], dtype="float64")),
        (pd.array([None], dtype="object"), pd.array([None], dtype="str")),
        (pd.array(["a"], dtype="object"), pd.array(["a"], dtype="str")),
        (pd.array([True], dtype="bool"), pd.array([True], dtype="boolean")),
        (
            pd.array([pd.Timestamp("2026-01-01T12:00Z")]),
            pd.array([pd.Timestamp("2026-01-01T13:00", tz="Europe/Berlin")]).astype("datetime64[ns, Europe/Berlin]"),
        ),
        (
            pd.array([pd.Timestamp("2026-01-01")]).astype("datetime64[ns]"),
            pd.array([pd.Timestamp("2026-01-01")]).astype("datetime64[s]"),
        ),
    ],
    ids=lambda values: str(values.dtype),
)
def test_an_equal_value_of_another_dtype_is_no_change(old: Any, young: Any) -> None:
    """Equal values of different dtypes, and two nulls, are equal."""
    frames = [pd.DataFrame({"id": ["1"], "value": values}) for values in (old, young)]
    assert len(cn.changes(*frames, key=["id"])) == 0
    assert len(cn.changes(*frames[::-1], key=["id"])) == 0


@pytest.mark.parametrize(
    ("old", "young"), [(2**53, 2**53 + 1), (0.1 + 0.2, 0.3), (None, 0), ("", None), (False, None)], ids=str
)
def test_the_smallest_difference_is_a_change(old: Any, young: Any) -> None:
    """Values are not rounded, and null differs from 0, empty text and false."""
    dtype = {int: "Int64", float: "Float64", str: "str", bool: "boolean", type(None): "Int64"}[type(old)]
    frames = [pd.DataFrame({"id": ["1"], "value": pd.array([value], dtype=dtype)}) for value in (old, young)]
    (row,) = cn.changes(*frames, key=["id"]).to_dict("records")
    assert row["column"] == "value"
    assert [None if pd.isna(row[name]) else row[name] for name in ("before", "after")] == [
        None if value is None else str(value) for value in (old, young)
    ]


def test_text_that_became_numbers_is_refused() -> None:
    """Otherwise every row would look changed although none is."""
    frames = [pd.DataFrame({"id": ["1"], "value": [value]}) for value in ("5", 5)]
    with pytest.raises(InvalidRequestError, match="value holds text before and numbers after"):
        cn.changes(*frames, key="id")


VALUES = st.tuples(st.none() | st.sampled_from(["Chai", "Tea"]), st.integers(-2, 2), st.none() | st.integers(0, 2))
STOCK = st.dictionaries(st.tuples(st.sampled_from("VW"), st.sampled_from("ABC")), VALUES)


def _typed(stock: dict[tuple[str, str], tuple[Any, ...]]) -> pd.DataFrame:
    return _stock(*[(*key, *values) for key, values in stock.items()])


@given(STOCK)
def test_a_frame_has_not_changed_from_itself(stock: dict[Any, Any]) -> None:
    """The order of rows doesn't matter; columns and dtypes are those of any other result."""
    frame = _typed(stock)
    found = cn.changes(frame, frame.iloc[::-1])
    full = cn.changes(_stock(("W", "A", "Chai", 5, None)), _stock(("W", "A", "Chai", 6, None)))
    assert len(found) == 0
    pd.testing.assert_series_equal(found.dtypes, full.dtypes)


@given(STOCK, STOCK)
def test_before_and_the_changes_make_after(before: dict[Any, Any], after: dict[Any, Any]) -> None:
    """The changes applied to the first frame give the second; the reverse comparison has the same rows, swapped."""
    found = cn.changes(_typed(before), _typed(after))
    made = {key: list(values) for key, values in before.items()}
    place = {"product_name": 0, "quantity": 1, "next_available_quantity": 2}
    for row in found.itertuples():
        key = (row.warehouse_code, row.product_sku)
        if row.change == "vanished":
            del made[key]
        elif row.change == "new":
            made[key] = list(after[key])
        else:
            value = None if pd.isna(row.after) else row.after
            made[key][place[row.column]] = value if value is None or row.column == "product_name" else int(value)
    assert {key: tuple(values) for key, values in made.items()} == after
    back = cn.changes(_typed(after), _typed(before))
    turned = found.rename(columns={"before": "after", "after": "before"})[list(back.columns)]
    pd.testing.assert_frame_equal(
        back, turned.assign(change=turned["change"].replace({"new": "vanished", "vanished": "new"}))
    )


def test_a_key_that_repeats_is_refused() -> None:
    """A repeated key in either frame raises an error."""
    frame = _stock(("W", "A", "Chai", 5, None))
    with pytest.raises(InvalidRequestError, match="after has more than one row for W, A"):
        cn.changes(frame, pd.concat([frame, frame]))


@pytest.mark.parametrize("key", [None, ["nothing"], []])
def test_frames_without_a_known_key_need_one(key: Any) -> None:
    """The key is not guessed."""
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(InvalidRequestError, match="key="):
        cn.changes(frame, frame, key=key)


def test_shipments_need_a_key() -> None:
    """The API documents no key of shipments, so the caller names one."""
    sent = pd.DataFrame({"channel_id": ["X"], "order_no": ["1"], "tracking_number": ["T"], "carrier_code": ["C"]})
    with pytest.raises(InvalidRequestError, match="key="):
        cn.changes(sent, sent)
    found = cn.changes(sent, sent.assign(carrier_code="D"), key=["channel_id", "order_no", "tracking_number"])
    assert found[["column", "before", "after"]].values.tolist() == [["carrier_code", "C", "D"]]


def test_a_null_in_a_key_of_ones_own_is_refused() -> None:
    """A null key equals no other key."""
    frame = pd.DataFrame({"id": ["1", None]})
    with pytest.raises(InvalidRequestError, match="before has no id in row 1"):
        cn.changes(frame, frame, key="id")


def _asked(frame: pd.DataFrame, *, complete: bool = True, **params: Any) -> pd.DataFrame:
    return attach(frame.copy(), Provenance("GET", params, "staging", "P", None, 1, 0, complete, 1, 0, 0, "0"), ())


OLD, YOUNG = _stock(("W", "A", "Chai", 5, None)), _stock(("W", "B", "Chai", 5, None))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (_asked(OLD, start="2026-01-01"), _asked(YOUNG, start="2026-01-02"), "start was 2026-01-01, then 2026-01-02"),
        (_asked(OLD, last="30D"), _asked(YOUNG), "last was 30D, then not given"),
        (_asked(OLD), _asked(YOUNG, complete=False), "after is partial"),
    ],
)
def test_answers_to_different_queries_cause_a_warning(before: Any, after: Any, words: str) -> None:
    """A removed order may only lie outside the days of the second query."""
    with pytest.warns(AnalysisWarning, match=words):
        assert len(cn.changes(before, after)) == 2


def test_different_queries_with_the_same_rows_cause_no_warning() -> None:
    """Without added or removed rows there is no warning."""
    assert len(cn.changes(_asked(OLD, last="30D"), _asked(OLD, last="31D"))) == 0


def test_columns_of_one_frame_only_cause_a_warning() -> None:
    """Columns that only one frame has can't be compared."""
    with pytest.warns(AnalysisWarning, match="Only one of the frames has product_name"):
        assert len(cn.changes(OLD.drop(columns="product_name"), OLD)) == 0


def test_arguments_that_are_not_frames_are_refused() -> None:
    """Other arguments raise a one-line error."""
    with pytest.raises(InvalidRequestError, match="before must be a DataFrame, not list"):
        cn.changes([1], OLD)  # type: ignore[arg-type]
