"""Test that keys become numbers that are equal and ordered as the keys are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cenports_nb.frames import row_keys
from cenports_nb.frames.arrow_columns import decode_categories, repeat_text, take_text
from cenports_nb.frames.row_keys import compact_codes, encode_keys, find_duplicates, index_rows

TEXT = st.text(st.characters(codec="utf-8", max_codepoint=0x1FFFF), max_size=2)
ROWS = st.lists(st.tuples(TEXT, TEXT, st.integers(-(2**62), 2**62)), max_size=12)


def _columns(rows: list[tuple[str, str, int]]) -> list[pd.Series]:
    parts = list(zip(*rows, strict=True)) or [(), (), ()]
    return [pd.Series(part, dtype=dtype) for part, dtype in zip(parts, ("str", "str", "int64"), strict=True)]


@pytest.mark.parametrize("room", [0, row_keys.SPARSE_FACTOR])
@given(ROWS, ROWS)
def test_numbers_stand_for_keys_and_keep_their_order(
    room: int, first: list[tuple[str, str, int]], second: list[tuple[str, str, int]]
) -> None:
    """Numbers are consistent over all frames, for small and large tables."""
    numbered = encode_keys(_columns(first), _columns(second), room=room)
    numbers = [int(number) for rows in numbered.rows for number in rows]
    order = {key: place for place, key in enumerate(sorted({*first, *second}))}
    ranks = {number: place for place, number in enumerate(sorted(set(numbers)))}
    assert [ranks[number] for number in numbers] == [order[key] for key in first + second]
    assert all(0 <= number < numbered.size for number in numbers)


def test_a_null_in_a_key_has_no_number() -> None:
    """A null equals nothing, not even another null."""
    sku = pd.Series(["A", None, "B"], dtype="str")
    assert encode_keys([sku, sku]).rows[0].tolist()[1] == -1


@given(st.lists(st.integers(-1, 50), max_size=20), st.sampled_from([51, 10**6]))
def test_dense_numbers_are_counted_through(numbers: list[int], size: int) -> None:
    """Numbers become consecutive in order, and -1 stays."""
    counted, many = compact_codes(np.array(numbers, dtype=np.int64), size)
    ranks = {number: place for place, number in enumerate(sorted({*numbers} - {-1}))} | {-1: -1}
    assert (counted.tolist(), many) == ([ranks[number] for number in numbers], len({*numbers} - {-1}))


@given(st.lists(st.integers(0, 9), max_size=20))
def test_repeated_marks_all_rows_of_a_number(numbers: list[int]) -> None:
    """The first row is marked too."""
    rows = np.array(numbers, dtype=np.int64)
    expected = [numbers.count(number) > 1 for number in numbers]
    assert find_duplicates(rows, index_rows(rows, 10)).tolist() == expected


@given(st.lists(st.none() | TEXT, min_size=1, max_size=5), st.lists(TEXT, max_size=5), st.data())
def test_text_is_picked_from_columns_that_follow_each_other(
    first: list[str | None], second: list[str], data: st.DataObject
) -> None:
    """-1 gives null, and null stays null."""
    rows = data.draw(st.lists(st.integers(-1, len(first) + len(second) - 1), max_size=8))
    columns = [pd.Series(values, dtype="str") for values in (first, second)]
    both = [*first, *second]
    expected = pd.Series([None if row < 0 else both[row] for row in rows], dtype="str")
    pd.testing.assert_series_equal(take_text(np.array(rows, dtype=np.int64), *columns), expected)


def test_text_of_a_few_words_is_text() -> None:
    """The dtype is that of the frames."""
    pd.testing.assert_series_equal(decode_categories(np.array([1, 0]), ["a", "b"]), pd.Series(["b", "a"], dtype="str"))
    pd.testing.assert_series_equal(repeat_text("a", 2), pd.Series(["a", "a"], dtype="str"))
    pd.testing.assert_series_equal(repeat_text(None, 1), pd.Series([None], dtype="str"))
