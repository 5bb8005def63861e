"""Test that sums of money are exact."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from cenports_nb.analysis.money import sum_exactly

ROWS = st.lists(
    st.tuples(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), st.integers(0, 2)), min_size=1, max_size=30
)


@given(ROWS)
@example([(1, -1, 0)])  # -1 + 0.99 is not -0.01
@example([(865595094, 7, 0)])  # nine decimals are more than a float of that size has
def test_sums_are_exact_even_beyond_64_bits(rows: list[tuple[int, int, int]]) -> None:
    """A sum is the float closest to the true sum, in any order of rows."""
    prices, units, groups = (np.array(part) for part in zip(*rows, strict=True))
    expected = [Fraction(0)] * 3
    for price, many, group in rows:
        expected[group] += Fraction(price, 100) * many
    for order in (slice(None), slice(None, None, -1)):
        found = sum_exactly(prices[order] / 100, units[order], groups[order], 3)
        assert all(
            abs(Fraction(float(sum_)) - true) <= Fraction(float(np.spacing(abs(float(true)))))
            for sum_, true in zip(found, expected, strict=True)
        )
