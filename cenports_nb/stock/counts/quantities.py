"""Quantities as people write them: whole units, with or without thousands separators; ambiguous ones are refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from cenports_nb.frames.arrow_columns import to_arrow
from cenports_nb.frames.row_keys import IntArray, Mask
from cenports_nb.stock.plans.update_frame import MAX_UNITS

MINUS = ("-", "\N{MINUS SIGN}")
SIGN = "^[+\\-\N{MINUS SIGN}]"
PLAIN = re.compile(r"-?\d{1,15}", re.ASCII)
GROUPED = re.compile(
    r"([1-9]\d{0,2}(?:(?P<group>[.,' \u00a0\u202f\u2019])\d{3})(?:(?P=group)\d{3})*)(?:(?P<sign>[.,])(\d+))?", re.ASCII
)
DECIMAL = re.compile(r"-?\d{1,15}(?P<sign>[.,])(\d+)", re.ASCII)
NUMBER = "^[+\\-\N{MINUS SIGN}]?\\d[\\d.,' \u00a0\u202f\u2019]*$"
"""A number, however its digits are grouped."""
SIGNS = {".": ",", ",": "."}
"""Each character that may be a thousands or decimal separator, and the other one."""

FLAWS = (
    "no quantity",
    "a quantity that isn't a number",
    "a negative quantity",
    "a quantity that is not whole",
    f"a quantity above {MAX_UNITS:,}",
    "a quantity with a plus sign, which looks like a change (build_differential takes changes)",
    "a quantity that can be read in two ways, such as 1,234 (write 1234, without the sign)",
)
"""What can be wrong with a quantity, in the order of reporting."""
EMPTY, NO_NUMBER, NEGATIVE, FRACTION, TOO_LARGE, PLUS, TWO_WAYS = range(7)


@dataclass(frozen=True)
class _Signs:
    """The separators that a column uses.

    Attributes:
        group: Characters that certainly separate thousands somewhere.
        divide: Characters that certainly separate decimals somewhere.
    """

    group: frozenset[str]
    divide: frozenset[str]


def read_quantities(
    values: pd.Series[Any], separator: str | None, *, typed: bool = True
) -> tuple[IntArray, list[tuple[str, Mask]]]:
    """Read quantities, each distinct text once.

    `1 234`, `1'234`, `1,234,567` and `1.234,00` are unambiguous. A single group of three digits, `1,234` or `1.234`, may
    have decimals elsewhere: it means thousands if other quantities of the column show which character separates
    thousands, or if the file is separated by commas and uses them for thousands (where a comma is the decimal separator,
    files are separated by semicolons), unless every quantity ends in ,000.

    Args:
        values: A `str` column without blanks around its values.
        separator: The separator of a text file; None for a workbook or Parquet file.
        typed: Whether people may have typed separators; not in a numeric column of a Parquet file.

    Returns:
        Whole units, and what is wrong with which rows.
    """
    coded = to_arrow(values).combine_chunks().dictionary_encode()
    words = coded.dictionary
    codes = coded.indices.to_numpy()
    plain = np.asarray(pc.match_substring_regex(words, f"^{PLAIN.pattern}$").to_numpy(zero_copy_only=False), dtype=bool)
    numbers, flaws = np.zeros(len(words), dtype=np.int64), np.full(len(words), -1, dtype=np.int8)
    numbers[plain] = words.filter(plain).cast("int64").to_numpy()
    odd = np.flatnonzero(~plain)
    texts = words.take(odd).to_pylist()
    signs = _find_signs(texts)
    has_decimals = not plain.any() and all(word.endswith(",000") for word in texts)  # rather than thousands
    commas = separator == "," and not has_decimals
    for position, word in zip(odd.tolist(), texts, strict=True):
        may_be_typed = typed and (separator is not None or word.endswith("0"))  # numbers of a workbook end in no 0
        numbers[position], flaws[position] = _read(word, signs, commas=commas, typed=may_be_typed)
    flaws[(flaws < 0) & (numbers < 0)] = NEGATIVE
    flaws[(flaws < 0) & (numbers > MAX_UNITS)] = TOO_LARGE
    if (flaws < 0).all():
        return numbers[codes], []
    of_rows = flaws[codes]
    return numbers[codes], [(what, of_rows == code) for code, what in enumerate(FLAWS) if (flaws == code).any()]


def read_changes(
    values: pd.Series[Any], separator: str | None, *, typed: bool = True
) -> tuple[IntArray, list[tuple[str, Mask]]]:
    """Read changes: quantities with a sign; without one they are positive.

    Args:
        values: As for `read_quantities`.
        separator: As for `read_quantities`.
        typed: As for `read_quantities`.

    Returns:
        Whole units with their sign, and what is wrong with which rows.
    """
    minus = values.str.startswith(MINUS).to_numpy(dtype=bool)
    numbers, flaws = read_quantities(values.str.replace(SIGN, "", regex=True), separator, typed=typed)
    return np.where(minus, -numbers, numbers), flaws


def _read(word: str, signs: _Signs, *, commas: bool, typed: bool) -> tuple[int, int]:
    """Read one text: return a number and -1, or 0 and its flaw."""
    if not word:
        return 0, EMPTY
    if word.startswith("+"):
        return 0, PLUS
    grouped = GROUPED.fullmatch(word)
    if grouped:
        digits, group, sign, fraction = grouped.group(1, "group", "sign", 4)
        if sign == group:
            return 0, NO_NUMBER
        if group in SIGNS and not sign and digits.count(group) == 1:
            role = _role(group, signs, commas=commas, typed=typed)
            if role is None:
                return 0, TWO_WAYS
            if role == "divide":
                units, _, fraction = digits.partition(group)
                return _whole(units, fraction)
        return _whole(re.sub(r"\D", "", digits), fraction)
    decimal = DECIMAL.fullmatch(word)
    if decimal:
        return _whole(word[: decimal.start("sign")], decimal.group(2))
    if word.lstrip("-").lower() in ("inf", "infinity"):
        return 0, FRACTION
    return (0, TOO_LARGE) if re.fullmatch(r"[0-9]{16,}", word) else (0, NO_NUMBER)


def _whole(units: str, fraction: str | None) -> tuple[int, int]:
    if fraction and fraction.strip("0"):
        return 0, FRACTION
    return (int(units), -1) if len(units) <= 15 else (0, TOO_LARGE)


def _role(sign: str, signs: _Signs, *, commas: bool, typed: bool) -> str | None:
    """Return the role of a separator before three digits; None if it is ambiguous."""
    other = SIGNS[sign]
    groups = sign in signs.group or other in signs.divide
    divides = sign in signs.divide or other in signs.group or (sign == "." and not typed)
    if groups != divides:
        return "group" if groups else "divide"
    return "group" if not groups and sign == "," and commas else None


def _find_signs(words: Sequence[str]) -> _Signs:
    """Find the separators that unambiguous texts show."""
    group, divide = set(), set()
    for word in words:
        grouped = GROUPED.fullmatch(word)
        if grouped:
            if grouped.group("sign") and grouped.group("sign") != grouped.group("group"):
                group.add(grouped.group("group"))
                divide.add(grouped.group("sign"))
            elif not grouped.group("sign") and grouped.group(1).count(grouped.group("group")) > 1:
                group.add(grouped.group("group"))
        elif decimal := DECIMAL.fullmatch(word):
            divide.add(decimal.group("sign"))
    return _Signs(frozenset(group & {*SIGNS}), frozenset(divide))
