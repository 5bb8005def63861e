"""Test that unambiguous quantities are read, and others refused by their line."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError


def _read(values: list[str], separator: str = ";") -> list[int]:
    lines = "".join(f'S{number}{separator}"{value}"\n' for number, value in enumerate(values))
    text = io.StringIO(f"SKU{separator}Qty\n{lines}")
    return cn.read_counts(text, warehouse_code="W")["quantity"].tolist()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["12.0", "12,0", "12.00", "00012", " 7 "], [12, 12, 12, 12, 7]),
        (["1 234", "1\u00a0234", "1\u202f234", "1'234", "1’234"], [1234] * 5),
        (["1,234,567", "1,000"], [1_234_567, 1000]),
        (["1.234.567", "1.000"], [1_234_567, 1000]),
        (["1.234,00", "1.000", "7"], [1234, 1000, 7]),
        (["1,234.00", "5,000"], [1234, 5000]),
        (["1,234", "5.0"], [1234, 5]),
        (["0,000", "12,000"], [0, 12]),
    ],
)
def test_unambiguous_quantities_are_read(values: list[str], expected: list[int]) -> None:
    """Other quantities of the column show which sign groups digits and which is decimal."""
    assert _read(values) == expected


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["1,234"], "two ways, such as 1,234 (write 1234, without the sign) in line 2"),
        (["7", "1.234"], "two ways, such as 1,234 (write 1234, without the sign) in line 3"),
        (["12.000"], "two ways"),
        (["1,234,567", "1.234,0", "5,000"], "two ways, such as 1,234 (write 1234, without the sign) in line 4"),
        (["0.500", "1.234"], "not whole in lines 2, 3"),
        (["1.234,5"], "not whole in line 2"),
        (["1,23,456"], "isn't a number in line 2"),
        (["0,123,456"], "isn't a number in line 2"),
        (["1e3"], "isn't a number in line 2"),
        (["12-"], "isn't a number in line 2"),
        (["٣"], "isn't a number in line 2"),
        (["٣.٠"], "isn't a number in line 2"),
        (["+5"], "a plus sign, which looks like a change"),
        (["-1"], "a negative quantity in line 2"),
        (["-1.5"], "not whole in line 2"),
        (["9" * 25], "above 2,147,483,647 in line 2"),
        (["2147483648"], "above 2,147,483,647 in line 2"),
    ],
)
def test_ambiguous_quantities_are_refused(values: list[str], words: str) -> None:
    """A thousand times too much stock is worse than an error."""
    with pytest.raises(InvalidRequestError) as caught:
        _read(values)
    assert words in str(caught.value)


def test_a_file_separated_by_commas_groups_with_commas() -> None:
    """In countries with decimal commas, files use another separator."""
    assert _read(["1,234", "7", "1,000"], ",") == [1234, 7, 1000]


def test_three_decimals_in_every_row_are_no_thousands() -> None:
    """Some systems export them; nobody counts only in thousands."""
    with pytest.raises(InvalidRequestError, match="two ways"):
        _read(["1,000", "5,000"], ",")


COUNTS = st.lists(st.integers(0, 2**31 - 1), max_size=8)


@given(COUNTS, st.sampled_from([" ", "\u00a0", "'", ",", "."]), st.sampled_from(";\t,"))
def test_grouped_numbers_are_read_as_meant_or_refused(counted: list[int], sign: str, separator: str) -> None:
    """Whatever the column has, a quantity is never misread."""
    values = [f"{value:,}".replace(",", sign) for value in counted]
    try:
        assert _read(values, separator) == counted
    except InvalidRequestError:
        assert sign in ",."
        assert not any(value.count(sign) > 1 for value in values)


@given(COUNTS, st.integers(0, 4), st.sampled_from(",."), st.sampled_from(";\t"))
def test_whole_numbers_with_decimals_are_read_as_meant_or_refused(
    counted: list[int], places: int, sign: str, separator: str
) -> None:
    """12.000 may be twelve; it is twelve thousand only if the column shows it."""
    values = [f"{value}{sign}{'0' * places}" if places else str(value) for value in counted]
    try:
        assert _read(values, separator) == counted
    except InvalidRequestError:
        assert places == 3
