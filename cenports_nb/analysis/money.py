"""Exact sums of money in integer arithmetic, so that a million rows are exact to the cent."""

from __future__ import annotations

from typing import Any

import numpy as np

from cenports_nb.frames.row_keys import IntArray

BILLIONTHS = 10**9
"""An amount is split into whole units of money and billionths, so prices count with nine decimals, and with fifteen
digits in all."""
MAX_INT64_SUM = 2.0**62

Amounts = np.ndarray[Any, np.dtype[np.float64]]


def sum_exactly(amounts: Amounts, units: IntArray, group: IntArray, size: int) -> Amounts:
    """Sum amount × units of each group, without the rounding errors of floats.

    Whole units and billionths are multiplied and summed as integers, which is exact in any order of rows; only the
    final sum of a group becomes a float.

    Args:
        amounts: Money, finite.
        units: The number of times that each amount counts; may be negative.
        group: The group of each row, from 0 to `size` - 1.
        size: The number of groups.
    """
    whole = np.floor(amounts)
    most = max(float((np.abs(whole) * np.abs(units)).sum()), float(np.abs(units).sum()) * BILLIONTHS)
    kind: Any = np.int64 if most < MAX_INT64_SUM else object  # Python's integers are unlimited
    wholes, parts = np.zeros(size, dtype=kind), np.zeros(size, dtype=kind)
    np.add.at(wholes, group, whole.astype(kind) * units.astype(kind))
    np.add.at(parts, group, _read_billionths(amounts, whole).astype(kind) * units.astype(kind))
    carried = parts // BILLIONTHS
    wholes, parts = wholes + carried, parts - carried * BILLIONTHS
    # Both parts need the same sign: -1 + 0.99 has fewer exact digits than -0.01.
    opposed = ((wholes < 0) & (parts > 0)).astype(kind)
    sums: Amounts = (wholes + opposed).astype(np.float64) + (parts - opposed * BILLIONTHS).astype(
        np.float64
    ) / BILLIONTHS
    return sums


def _read_billionths(amounts: Amounts, whole: Amounts) -> IntArray:
    """Return the decimals of amounts, as many as a float of that size holds: fifteen digits in all."""
    digits = np.ceil(np.log10(np.maximum(np.abs(amounts), 1.0)))
    decimals = np.clip(15 - digits, 0, 9).astype(np.int64)
    read = np.rint((amounts - whole) * 10.0**decimals).astype(np.int64)
    billionths: IntArray = read * 10 ** (9 - decimals)
    return billionths
