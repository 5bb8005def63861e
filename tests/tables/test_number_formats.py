"""An identifier is what a cell shows, or it is refused."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cenports_nb.tables.number_formats import format_number


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (12, "0000;-0000", "0012"),
        (-12, "0000;-0000", "-0012"),
        (5, '"SKU-"000', "SKU-005"),
        (5, "\\A000", "A005"),
        (1234, "00-00", "12-34"),
        (12.1, "0.00", "12.10"),
        (1.0, "0.0##", "1.0"),
        (12, "00000_)", "00012"),
        (12, "[<=99]0000;00000", "0012"),
        (120, "[<=99]0000;00000", "00120"),
        (5551234567, "[<=9999999]###-####;(###) ###-####", "(555) 123-4567"),
        (123456789, "000-00-0000", "123-45-6789"),
        (12, "[Red]0000", "0012"),
        (12, "[$-409]000", "012"),
        (12, "General", "12"),
        (12.0, "General", "12"),
        (0.1 + 0.2, "General", "0.3"),
        (712345678901, "0", "712345678901"),
        (7, "* 000", "007"),
    ],
)
def test_a_number_is_written_as_excel_shows_it(value: float, number_format: str, shown: str) -> None:
    """Padding, literals, conditions, colors, places for blanks."""
    assert format_number(value, number_format) == shown


@pytest.mark.parametrize("number_format", ["0%", "0.00E+00", "# ?/?", "0,", "#,##0", "yyyy", "@@", "0.0.0", "[h]:mm"])
def test_a_format_that_is_not_known_gives_nothing(number_format: str) -> None:
    """Its text could only be guessed."""
    assert format_number(12, number_format) is None


@given(st.integers(0, 10**14), st.integers(1, 15))
def test_zeros_pad_to_their_number(value: int, places: int) -> None:
    """And never cut a digit."""
    assert format_number(value, "0" * places) == f"{value:0{places}d}"


def test_openpyxl_is_one_whose_parser_is_known() -> None:
    """`sheet_cells` reads by a parser of its own kind, which is private there: look at it again for another version."""
    assert version("openpyxl").startswith("3.1.")
