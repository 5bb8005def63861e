"""The numbers of lines in their order: as sent, or by position where that says nothing or repeats."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MOST = 2**31


def number_lines(sent: pa.Array, owner: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Number lines uniquely within their orders.

    Args:
        sent: What came as `lineItem`, text or null.
        owner: The order of each line.
        position: Its position there, from 1.
    """
    told = pc.fill_null(pc.match_substring_regex(sent, r"^\d{1,10}$"), False)
    digits = pc.if_else(told, sent, pa.scalar(None, sent.type))
    read = np.asarray(pc.fill_null(pc.cast(digits, pa.int64()), -1))
    fits = (read >= 0) & (read < MOST)
    number = np.where(fits, read, position)
    by = np.sort(owner * np.int64(MOST) + number)
    again = by[1:][by[1:] == by[:-1]]
    if len(again):
        for rows in _rows_of(np.unique(again // MOST), owner):
            number[rows] = _unique(read[rows], fits[rows], position[rows])
    return number


def _rows_of(owners: np.ndarray, owner: np.ndarray) -> list[np.ndarray]:
    """Find the rows of each of some orders."""
    rows = np.flatnonzero(np.isin(owner, owners))
    rows = rows[np.argsort(owner[rows], kind="stable")]
    return np.split(rows, np.flatnonzero(np.diff(owner[rows])) + 1)


def _unique(read: np.ndarray, fits: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Number the lines of one order: the first of each number keeps it, the others take the next free one."""
    number = position.copy()
    taken: set[int] = set()
    late: list[int] = []
    for i in range(len(read)):
        if fits[i] and int(read[i]) not in taken:
            number[i] = read[i]
            taken.add(int(read[i]))
        else:
            late.append(i)
    for i in late:
        free = int(position[i])
        while free in taken:
            free += 1
        number[i] = free
        taken.add(free)
    return number
