"""Test that SKUs changed by a spreadsheet, a keyboard or a code page are found."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from datetime import date
from itertools import permutations
from time import process_time

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cenports_nb.stock.plans.sku_damage import CODE_PAGES
from cenports_nb.stock.plans.sku_folding import CONFUSABLES
from cenports_nb.stock.plans.sku_suggestions import find_resembled, suggest_skus


def _frame(*skus: str) -> pd.DataFrame:
    return pd.DataFrame({"warehouse_code": "W", "product_sku": list(skus)}, dtype="str")


def _look_up(counted: str, *stocked: str) -> tuple[str | None, list[str]]:
    """Return the suggestion, and the SKUs that the counted one resembles."""
    frames, unknown = (_frame(counted), _frame(*stocked)), np.array([True])
    suggestion = suggest_skus(frames[0], unknown, frames[1]).iloc[0]
    resembled = frames[1]["product_sku"][find_resembled(frames[0], unknown, frames[1])].tolist()
    return (suggestion if isinstance(suggestion, str) else None), resembled


@pytest.mark.parametrize(
    ("sku", "counted"),
    [
        ("AB-100", "AB\u2011100"),
        ("AB-100", "AB\u2212100"),
        ("AB-1", "AB\u00ad1"),
        ("AB-1", "A\u00adB-1"),
        ("AB-1", "AB 1"),
        ("ZZ9", "ZZ9\u200b"),
        ("ZZ9", "\u200eZZ9"),
        ("ZZ9", "\ufeffZZ\u31649"),
        ("ZZ9", "ZZ\u28009\ufe0f"),
        ("ZZ9", "\uff3a\uff3a\uff19"),
        ("CAF\u00c9-1", "CAFE\u0301-1"),
        ("CAF\u00c9-1", "cafe-1"),
        ("\u00d8-1", "O-1"),
        ("AB1", "\u0410\u04121"),
        ("0012", '="0012"'),
        ("0012", "'0012"),
        ("0012", "12.0"),
        ("-0012", "-12"),
        ("-5A", "'-5A"),
        ("+5", "5"),
        ('A"1', '"A""1"'),
        ("A1", "A1_x000D_"),
        ("VAL_xa100_EV", "VAL_x005F_xa100_EV"),
        ("VAL_xa100_EV", "VAL\ua100EV"),
        ("A&B", "A&amp;B"),
        ("1,000", "1000"),
        ("MAR-5", "5-Mar"),
        ("MAR-5", "3/5/2026 12:00:00 AM"),
        ("MAR5", "05. Mrz"),
        ("M\u00c4R-5", "2026-03-05 00:00:00"),
        ("DEC-1", "1-d\u00e9c"),
        ("MAR-26", "1-Mar-26"),
        ("MAR-32", "Mar-32"),
        ("SEPT2", "02-sept"),
        ("2-1", "1-Feb"),
        ("2-1", "02/01"),
        ("3/2026", "2026-03"),
        ("1-2-3", "2003-02-01"),
        ("1E5", "1.00E+05"),
        ("1E5", "100000"),
        ("12e3", "12,000"),
        ("712345678901", "7.12E+11"),
        ("799999999999", "8E+11"),
        ("1234567890123456789", "1234567890123450000"),
        ("1234567890123456789", "1.2345678901234568e+18"),
        ("CAF\u00c9-1", "CAF\u00c3\u2030-1"),
        ("CAF\u00c9-1", "CAF\u00c3\u0192\u00e2\u20ac\u00b0-1"),
        ("\u00e0-1", "\u00c3 -1"),
        ("1\u00e0", "1\u00c3"),
        ("A\u00cd1", "A\u00c3\u008d1"),
        ("AB-1", "AB\u00e2\u20ac\u201c1"),
        ("AB-1", "AB?1"),
        ("CAF\u00c9-1", "CAF\ufffd-1"),
        ("CAF\u00c9-1", "CAF\u00ef\u00bf\u00bd-1"),
        ("\u30b9\u30c8\u30ed\u30fc\u30af", "\u30b9\u30c8\u30ed-\u30af"),
    ],
)
def test_a_sku_that_was_damaged_is_suggested(sku: str, counted: str) -> None:
    """The warehouse has dissimilar SKUs too."""
    assert _look_up(counted, "X-7", sku, "12-12-12", "\u00dc2") == (sku, [sku])


@pytest.mark.parametrize(
    ("counted", "stocked"),
    [
        ("5-Mar", ["3-5", "5-3"]),
        ("Mar-05", ["MAR-5", "3/2005"]),
        ("ab1", ["AB1", "Ab1"]),
        ("7.12E+11", ["712345678901", "712000000000"]),
        ("A?1", ["A\u00c91", "A\u00dc1"]),
    ],
)
def test_of_several_that_fit_none_is_suggested_and_all_are_resembled(counted: str, stocked: list[str]) -> None:
    """The user decides."""
    assert _look_up(counted, "X-7", *stocked) == (None, stocked)


def test_the_sku_that_differs_least_is_suggested() -> None:
    """A difference in case is smaller than a missing dash; both count as similar."""
    assert _look_up("ab-1", "AB1", "AB-1") == ("AB-1", ["AB1", "AB-1"])


@pytest.mark.parametrize(
    ("counted", "stocked"),
    [("NEW-1", "AB-1"), ("3-5", "5-3"), ("5-Mar", "4-3"), ("Mar-2026", "MAR-5"), ("1E5", "100001"), ("45000", "3-15")],
)
def test_another_sku_is_not_suggested(counted: str, stocked: str) -> None:
    """It differs in more than its spelling."""
    assert _look_up(counted, stocked) == (None, [])


ALPHABET = "ABCabc0129-/. _+'" + "\u00e9\u00dc\u00d1\u00df\u00f8\u0141\u00c6" + "\u0416\u0410\u0440\u03a9\u03b1" + "\u7ea2\u8272\u30ac\u30f3"  # fmt: skip
PLAIN_SKUS = st.text(ALPHABET, min_size=1, max_size=8).filter(lambda sku: bool(sku.strip(" '0")))
SPECIAL_SKUS = st.one_of(
    st.builds("{}{}{}".format, st.sampled_from(["MAR", "Oct", "SEPT", "dec", "M\u00c4R"]), st.sampled_from("-/ "), st.integers(1, 28)),
    st.builds("{}{}{}".format, st.integers(1, 12), st.sampled_from("-/"), st.integers(1, 28)),
    st.builds("{}E{}".format, st.integers(1, 99), st.integers(1, 12)),
    st.integers(10**11, 10**19).map(str),
    st.integers(0, 999).map("{:05}".format),
)  # fmt: skip
GERMAN_MONTHS = ["Jan", "Feb", "M\u00e4rz", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"]
ANY_SKU = PLAIN_SKUS | SPECIAL_SKUS
ACCENTED_SKUS = st.builds(
    "{}{}{}".format, PLAIN_SKUS, st.sampled_from("\u00e9\u00dc\u00d1\u30ac"), st.sampled_from(["", "-1", "X"])
)
Damage = Callable[[str, st.DataObject], Iterator[str]]


def _change_case(sku: str, data: st.DataObject) -> Iterator[str]:
    yield from (sku.upper(), sku.lower(), sku.swapcase())


def _change_dashes(sku: str, data: st.DataObject) -> Iterator[str]:
    yield sku.replace(
        "-", data.draw(st.sampled_from("\u2010\u2011\u2012\u2013\u2014\u2212\uff0d\ufe63\u00ad\u2e3a\u30fc"))
    )


def _insert(sku: str, data: st.DataObject) -> Iterator[str]:
    blanks = " \t\u00a0\u2007\u3000\u200b\u200e\ufeff\u2060\u00ad\ufe0f\u034f\u3164\u2800\u115f\r\x00\U000e0100"
    place = data.draw(st.integers(0, len(sku)))
    yield sku[:place] + data.draw(st.sampled_from([*blanks, "_x000D_"])) + sku[place:]


def _widen(sku: str, data: st.DataObject) -> Iterator[str]:
    yield "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in sku)


def _change_accents(sku: str, data: st.DataObject) -> Iterator[str]:
    yield (parts := unicodedata.normalize("NFD", sku))
    yield "".join(one for one in parts if not unicodedata.combining(one))


def _confuse(sku: str, data: st.DataObject) -> Iterator[str]:
    yield sku.translate({ord(latin): chr(other) for other, latin in ((a, chr(b)) for a, b in CONFUSABLES.items())})


def _wrap(sku: str, data: st.DataObject) -> Iterator[str]:
    yield from (f'="{sku}"', f"'{sku}", '"' + sku.replace('"', '""') + '"', sku.lstrip("0"))


def _make_number(sku: str, data: st.DataObject) -> Iterator[str]:
    try:
        number = float(sku)
    except ValueError:
        return
    if sku.isdecimal() and sku.isascii():
        yield f"{sku}.0"
    if "e" in sku.casefold() or len(sku) > 11:
        yield from (f"{number:.2E}", f"{number:.5E}", f"{number:G}", str(number))
    if "e" in sku.casefold():
        yield str(int(number))
    if len(sku) > 15 and sku.isdecimal() and sku.isascii():
        yield sku[:15] + "0" * (len(sku) - 15)


def _make_date(sku: str, data: st.DataObject) -> Iterator[str]:
    months = {"MAR": 3, "OCT": 10, "SEPT": 9, "DEC": 12, "M\u00c4R": 3}
    tokens = sku.upper().replace("/", "-").replace(" ", "-").split("-")
    if len(tokens) != 2:
        return
    for month, day in permutations(tokens):
        number = months.get(month) or (int(month) if month.isdecimal() and month.isascii() else 0)
        if 1 <= number <= 12 and day.isdecimal() and day.isascii() and 1 <= int(day) <= 28:
            moment = date(2026, number, int(day))
            names = ("%d-%b", "%b-%d", "%d.%m.%Y", "%Y-%m-%d", "%Y-%m-%d 00:00:00", "%m/%d/%Y", "%d-%b-%y", "%d %B %Y")
            yield from (moment.strftime(name) for name in names)
            yield f"{int(day)}. {GERMAN_MONTHS[number - 1]}"


def _change_code_page(sku: str, data: st.DataObject) -> Iterator[str]:
    written, read = data.draw(st.sampled_from([*permutations(CODE_PAGES, 2)]))
    try:
        yield sku.encode(written).decode(read)
    except UnicodeError:
        yield sku.encode("ascii", "replace").decode()
        yield "".join(one if one.isascii() else "\ufffd" for one in sku)


SKUS = {
    **dict.fromkeys((_make_number, _make_date), SPECIAL_SKUS),
    _change_dashes: st.builds("{}-{}".format, PLAIN_SKUS, PLAIN_SKUS),
    **dict.fromkeys((_change_accents, _change_code_page), ACCENTED_SKUS),
}


@pytest.mark.parametrize(
    "damage",
    [
        *(_change_case, _change_dashes, _insert, _widen, _change_accents, _confuse, _wrap, _make_number, _make_date),
        _change_code_page,
    ],
)
@given(data=st.data())
def test_no_damage_hides_a_sku(damage: Damage, data: st.DataObject) -> None:
    """In any warehouse it is suggested, or listed among equally similar ones."""
    stocked = data.draw(st.lists(SKUS.get(damage, ANY_SKU), min_size=1, max_size=6, unique=True))
    sku = data.draw(st.sampled_from(stocked))
    damaged = [one for one in dict.fromkeys(damage(sku, data)) if one and one not in stocked]
    assume(damaged)
    suggestions = suggest_skus(_frame(*damaged), np.ones(len(damaged), dtype=bool), _frame(*stocked))
    for counted in (one for one, suggestion in zip(damaged, suggestions, strict=True) if suggestion != sku):
        _, resembled = _look_up(counted, *stocked)
        assert sku in resembled, (sku, counted)
        assert len(resembled) > 1, (sku, counted)


def test_large_warehouses_are_searched_in_seconds() -> None:
    """200,000 SKUs, 20,000 of them counted under other names, in seconds of processor time."""
    stocked = _frame(*(f"SKU-{i:06d}" for i in range(200_000)))
    counted = _frame(*(f"sku\u2013{i:06d}" for i in range(0, 200_000, 10)))
    began = process_time()
    suggested = suggest_skus(counted, np.ones(len(counted), dtype=bool), stocked)
    assert suggested.tolist() == stocked["product_sku"][::10].tolist()
    assert process_time() - began < 20
