"""Ticked rows as ranges: few numbers for many rows, for the wire and for a saved notebook."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

Mask = np.ndarray[Any, np.dtype[np.bool_]]


def ranges_of(mask: Mask) -> list[int]:
    """Write a mask as begins and ends: rows 0, 1 and 4 are `[0, 2, 4, 5]`."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    found: list[int] = edges.tolist()
    return found


def mask_of(ranges: Sequence[int], rows: int) -> Mask | None:
    """Read begins and ends as a mask of so many rows; None if they are no such thing."""
    mask = np.zeros(rows, dtype=bool)
    whole = all(isinstance(edge, int) and not isinstance(edge, bool) and 0 <= edge <= rows for edge in ranges)
    if not whole or len(ranges) % 2 or any(a >= b for a, b in pairwise(ranges)):
        return None
    for begin, end in zip(ranges[::2], ranges[1::2], strict=True):
        mask[begin:end] = True
    return mask
