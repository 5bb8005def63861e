"""Exact sums of money in integer arithmetic, so that a million rows are exact to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cenports_nb.frames.row_keys import IntArray

BILLIONTHS = 10**9
"""An amount is split into whole units of money and billionths, so prices count with nine decimals, and with fifteen
digits in all."""
MAX_INT64_SUM = 2.0**62

Amounts = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class ExactSums:
    """Sums of money by group, exact: their whole units, and billionths that may exceed one unit.

    Attributes:
        wholes: Whole units of money.
        billionths: The rest.
    """

    wholes: np.ndarray[Any, Any]
    billionths: np.ndarray[Any, Any]

    def to_floats(self) -> Amounts:
        """Round each sum once, to the nearest float."""
        carried = self.billionths // BILLIONTHS
        wholes, parts = self.wholes + carried, self.billionths - carried * BILLIONTHS
        # Both parts need the same sign: -1 + 0.99 has fewer exact digits than -0.01.
        opposed = ((wholes < 0) & (parts > 0)).astype(parts.dtype)
        sums: Amounts = (wholes + opposed).astype(np.float64) + (parts - opposed * BILLIONTHS).astype(
            np.float64
        ) / BILLIONTHS
        return sums


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
    return add_exactly(amounts, units, group, size).to_floats()


def add_exactly(amounts: Amounts, units: IntArray, group: IntArray, size: int) -> ExactSums:
    """Sum as `sum_exactly` does, and return sums that can be added to others."""
    whole = np.floor(amounts)
    most = max(float((np.abs(whole) * np.abs(units)).sum()), float(np.abs(units).sum()) * BILLIONTHS)
    kind: Any = np.int64 if most < MAX_INT64_SUM else object  # Python's integers are unlimited
    wholes, parts = np.zeros(size, dtype=kind), np.zeros(size, dtype=kind)
    np.add.at(wholes, group, whole.astype(kind) * units.astype(kind))
    np.add.at(parts, group, _read_billionths(amounts, whole).astype(kind) * units.astype(kind))
    return ExactSums(wholes, parts)


def combine_sums(sums: Sequence[ExactSums], groups: IntArray, size: int) -> ExactSums:
    """Add up sums of several parts.

    Args:
        sums: Of each part.
        groups: The group of each of their groups, one part after the other; a number below `size`.
        size: The number of groups.
    """
    return ExactSums(
        _add_integers([each.wholes for each in sums], groups, size),
        _add_integers([each.billionths for each in sums], groups, size),
    )


def _add_integers(parts: Sequence[np.ndarray[Any, Any]], groups: IntArray, size: int) -> np.ndarray[Any, Any]:
    values = np.concatenate([np.zeros(0, np.int64), *parts])
    fits = values.dtype != object and float(np.abs(values.astype(np.float64)).sum()) < MAX_INT64_SUM
    values = values if fits else values.astype(object)
    found = np.zeros(size, dtype=values.dtype)
    np.add.at(found, groups, values)
    return found


def _read_billionths(amounts: Amounts, whole: Amounts) -> IntArray:
    """Return the decimals of amounts, as many as a float of that size holds: fifteen digits in all."""
    digits = np.ceil(np.log10(np.maximum(np.abs(amounts), 1.0)))
    decimals = np.clip(15 - digits, 0, 9).astype(np.int64)
    read = np.rint((amounts - whole) * 10.0**decimals).astype(np.int64)
    billionths: IntArray = read * 10 ** (9 - decimals)
    return billionths
