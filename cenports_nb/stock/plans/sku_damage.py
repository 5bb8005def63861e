"""Keys of SKUs that a program changed: into a number, a date, or letters of a wrong code page.

Each function returns the keys of counted and of stocked SKUs, as pairs of row and key. Two SKUs that share a key may be
the same one. The keys of stocked SKUs are built only if a counted SKU has the form that needs them.
"""

from __future__ import annotations

import codecs
import itertools
import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from cenports_nb.frames.arrow_columns import from_arrow, to_arrow
from cenports_nb.frames.row_keys import Mask
from cenports_nb.stock.plans.sku_folding import fold_skus, is_match

RowKeys = tuple[list[int], list[str]]

E_NOTATION = r"^-?[0-9]*[.,]?[0-9]*e[-+]?[0-9]{1,3}$"
GROUPED_NUMBER = r"^-?[0-9]{1,3}(?:[.,][0-9]{3})+$"
ZERO_FRACTION = r"^-?[0-9]+,0+$"
LONG_NUMBER = r"^[0-9]{5,}$"
VERY_LONG_NUMBER = r"^[0-9]{16,}$"
MAX_EXPONENT = 40
EXACT_DIGITS = 15
"""Digits that Excel keeps of a number; it replaces the others by 0."""
GENERAL_DIGITS = 12
"""From this many digits on, Excel's general format shortens a number, and drops trailing zeros."""
SCIENTIFIC_DIGITS = 3
"""Digits of Excel's scientific format."""

MONTH_NAMES = (
    "jan january januar janv janvier ene enero janner",
    "feb february februar fev fevr fevrier febrero",
    "mar march marz mrz mars marzo",
    "apr april avr avril abr abril",
    "may mai mayo",
    "jun june juni juin junio",
    "jul july juli juil juillet julio",
    "aug august aout ago agosto",
    "sep sept september septembre septiembre",
    "oct october okt oktober octobre octubre",
    "nov november novembre noviembre",
    "dec december dez dezember decembre dic diciembre",
)
"""English, German, French and Spanish names of months, without accents."""
MONTHS = {name: month for month, names in enumerate(MONTH_NAMES, 1) for name in names.split()}
MONTH_PATTERN = "|".join([*MONTHS, "mär", "märz", "jänner", "fév", "févr", "février", "août", "déc", "décembre"])
MIDNIGHT = re.compile(r"[ t]*(?:0?0:00(?::00(?:\.0+)?)?|12:00(?::00)? am)z?$")
DATE_LIKE = (
    rf"^[0-9]{{0,4}}[ ./_-]*(?:[0-9]{{1,2}}|{MONTH_PATTERN})[ ./_-]*[0-9]{{0,4}}[ .]*(?:{MIDNIGHT.pattern[:-1]})?$"
)
DATE_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+")
PADDED_DATE = re.compile(r"\d\d[./]\d\d\.?|\d{4}[./-]\d\d?|\d\d?[./-]\d{4}")
"""A date written only in digits has leading zeros or a year of four digits."""

CODE_PAGES = ("utf-8", "cp1252", "cp1250", "cp1251", "mac_roman", "cp437", "cp850", "shift_jis", "cp932", "gbk")
LOST_CHARACTER = "[?\ufffd\x1a\u00bf\u25a1\u25af]|\u00ef\u00bf\u00bd"
"""Replacements that programs write for a character that their code page lacks."""


def _select(skus: pd.Series[Any], pattern: str) -> Iterator[tuple[int, str]]:
    """Select the SKUs that match a pattern, with their rows."""
    found = is_match(skus, pattern).to_numpy()
    return zip(np.flatnonzero(found).tolist(), skus[found].tolist(), strict=True)


def find_numbers(skus: pd.Series[Any]) -> RowKeys:
    """Find keys of numbers that were written in another way, such as `1.00E+05` for `1E5` or `100000`, of folded SKUs."""
    pattern = "|".join(f"(?:{one})" for one in (E_NOTATION, GROUPED_NUMBER, ZERO_FRACTION))
    rows, keys = [], []
    for row, text in _select(skus, pattern):
        if re.fullmatch(E_NOTATION, text):
            key = _expand(text)
        else:
            key = re.sub("[.,]", "", text) if re.fullmatch(GROUPED_NUMBER, text) else text.partition(",")[0]
        if key:
            rows.append(row)
            keys.append(key.lstrip("0"))
    return rows, keys


def _expand(text: str) -> str:
    """Expand `1.00e+05` to `100000`; empty if it isn't a number of plausible size."""
    mantissa, _, exponent = text.replace(",", ".").partition("e")
    if not any(map(str.isdigit, mantissa)) or abs(int(exponent)) > MAX_EXPONENT:
        return ""
    digits = f"{Decimal(mantissa).scaleb(int(exponent)):f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def find_shortened_numbers(counted: pd.Series[Any], stocked: pd.Series[Any]) -> tuple[RowKeys, RowKeys]:
    """Find keys of long numbers that lost their last digits, such as `7.12E+11` for `712345678901`.

    Args:
        counted: Folded SKUs.
        stocked: Folded SKUs.
    """
    rows: list[int] = []
    keys: list[str] = []
    wanted: dict[int, set[int]] = {}
    for row, text in _select(counted, f"(?:{E_NOTATION})|(?:{VERY_LONG_NUMBER})"):
        plain = _expand(text) if "e" in text else text
        digits = sum(map(str.isdigit, text.partition("e")[0])) if "e" in text else EXACT_DIGITS
        if not re.fullmatch(LONG_NUMBER, plain) or (digits < SCIENTIFIC_DIGITS and len(plain) < GENERAL_DIGITS):
            continue
        wanted.setdefault(digits, set()).add(int(plain))
        rows += [row, row]
        keys += [f"\0{digits} digits {int(plain)}", f"\0float {float(plain)!r}"]
    stock_rows: list[int] = []
    stock_keys: list[str] = []
    for row, text in _select(stocked, LONG_NUMBER) if rows else ():
        number, length = int(text), len(text)
        found = {f"\0float {float(number)!r}"} if length > EXACT_DIGITS else set[str]()
        for digits, numbers in wanted.items():
            unit = 10 ** max(length - digits, 0)
            both = number // unit * unit, (number + unit // 2) // unit * unit
            found.update(f"\0{digits} digits {one}" for one in both if one in numbers)
        stock_rows += [row] * len(found)
        stock_keys += found
    return (rows, keys), (stock_rows, stock_keys)


def find_dates(counted: pd.Series[Any], stocked: pd.Series[Any]) -> tuple[RowKeys, RowKeys]:
    """Find keys of SKUs that a spreadsheet took for a date, such as `5-Mar` for `MAR-5`, `3-5` or `5/3`.

    Args:
        counted: SKUs as they are.
        stocked: SKUs as they are.
    """
    dates = _read_dates(counted, is_damaged=True)
    return dates, (_read_dates(stocked, is_damaged=False) if dates[0] else ([], []))


def _read_dates(skus: pd.Series[Any], *, is_damaged: bool) -> RowKeys:
    rows: list[int] = []
    keys: list[str] = []
    lower = from_arrow(pc.utf8_lower(to_arrow(skus)))
    for row, text in _select(lower, DATE_LIKE):
        found = {f"\0date {key}" for key in _list_date_keys(text.strip(), is_damaged=is_damaged)}
        rows += [row] * len(found)
        keys += found
    return rows, keys


def _list_date_keys(text: str, *, is_damaged: bool) -> Iterator[str]:
    """List what a text may mean as a date: a day of a month, a month of a year, or all three."""
    if text.isdecimal():
        return
    tokens: list[str] = DATE_TOKEN.findall(_strip_accents(MIDNIGHT.sub("", text)))
    names = [token for token in tokens if not token.isdecimal()]
    if len(names) > 1 or any(name not in MONTHS for name in names):
        return
    if len(tokens) == 2 and (names or not is_damaged or PADDED_DATE.fullmatch(text)):
        yield from _list_pair_keys(tokens)
    elif len(tokens) == 3:
        for year, rest in ((tokens[0], tokens[1:]), (tokens[2], tokens[:2])):
            yield from _list_full_date_keys(year, rest, is_damaged=is_damaged)


def _list_pair_keys(tokens: list[str]) -> Iterator[str]:
    for month, other in _order_month_first(tokens):
        if len(other) <= 2 and 1 <= int(other) <= 31:
            yield f"{month} day {int(other)}"
        if len(other) != 3:
            yield f"{month} year {int(other) % 100}"


def _list_full_date_keys(year: str, tokens: list[str], *, is_damaged: bool) -> Iterator[str]:
    """List the keys of a date with a year, which a spreadsheet also adds to a SKU without one."""
    if not year.isdecimal() or len(year) == 3:
        return
    for month, day in _order_month_first(tokens):
        if len(day) <= 2 and 1 <= int(day) <= 31:
            yield f"{month} day {int(day)} year {int(year) % 100}"
            if is_damaged:
                yield f"{month} day {int(day)}"
                if int(day) == 1:
                    yield f"{month} year {int(year) % 100}"


def _order_month_first(tokens: list[str]) -> Iterator[tuple[int, str]]:
    """List the readings of two tokens as a month and another number."""
    for one, other in (tokens, tokens[::-1]):
        month = MONTHS.get(one) or (int(one) if one.isdecimal() and len(one) <= 2 else 0)
        if other.isdecimal() and 1 <= month <= 12:
            yield month, other


def find_wrong_code_pages(counted: pd.Series[Any], stocked: pd.Series[Any], is_open: Mask) -> RowKeys:
    """Find the folded SKUs that counted ones become if they were read with a wrong code page.

    Args:
        counted: Unchanged SKUs.
        stocked: Unchanged SKUs.
        is_open: Which counted SKUs resemble no other SKU yet.
    """
    is_special = is_open & ~pc.string_is_ascii(to_arrow(counted).combine_chunks()).to_numpy(zero_copy_only=False)
    if not is_special.any():
        return [], []
    there = pc.unique(to_arrow(stocked).combine_chunks())
    known = {_compose(sku) for sku in there.filter(pc.invert(pc.string_is_ascii(there))).to_pylist()}
    rows: list[int] = []
    texts: list[str] = []
    for row in np.flatnonzero(is_special).tolist():
        sku = counted.iloc[row]
        found = {one for one, is_utf8 in _list_readings(sku) if is_utf8 or _compose(one) in known}
        rows += [row] * len(found)
        texts += found
    return rows, fold_skus(pd.Series(texts, dtype="str")).tolist()


def _compose(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _strip_accents(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKD", text) if unicodedata.category(one) != "Mn")


def _list_readings(text: str) -> Iterator[tuple[str, bool]]:
    """List the readings of a text in other code pages, and whether each is UTF-8, which is hardly ever a coincidence."""
    # Readers of files take a non-breaking space for a blank, and remove it at the end.
    variants = {text, text.replace(" ", "\u00a0"), *([] if text[-1:].isascii() else [f"{text}\u00a0"])}
    for variant in variants:
        readings = [*_decode_again(variant)]
        yield from readings
        for one, is_utf8 in readings:  # damaged twice
            if is_utf8 and not one.isascii():
                yield from _decode_again(one)


def _decode_again(text: str) -> Iterator[tuple[str, bool]]:
    for written in CODE_PAGES:
        try:
            data = text.encode(written, "keep_controls")
        except UnicodeError:
            continue
        for read in CODE_PAGES:
            if read != written:
                try:
                    found = data.decode(read)
                except UnicodeError:
                    continue
                if found != text:
                    yield found, read == "utf-8"


def _keep_controls(error: UnicodeError) -> tuple[bytes, int]:
    """Encode a control character as its byte: cp1252 leaves five bytes undefined, which browsers read so."""
    if isinstance(error, UnicodeEncodeError):
        lost = error.object[error.start : error.end]
        if all(0x80 <= ord(one) <= 0x9F for one in lost):
            return bytes(map(ord, lost)), error.end
    raise error


codecs.register_error("keep_controls", _keep_controls)


def find_lost_characters(
    counted: pd.Series[Any], stocked: pd.Series[Any], loose: pd.Series[Any]
) -> tuple[RowKeys, RowKeys]:
    """Find keys of SKUs in which a program wrote `?` for characters that its code page lacks.

    Args:
        counted: Unchanged SKUs.
        stocked: Unchanged SKUs.
        loose: Stocked SKUs, loosely folded.
    """
    rows = np.flatnonzero(is_match(counted, LOST_CHARACTER))
    if not len(rows):
        return ([], []), ([], [])
    keys = _keep_ascii(counted.iloc[rows])
    stock_keys = [*_keep_ascii(stocked), *_keep_ascii(loose)]
    return (rows.tolist(), keys), ([*range(len(stocked))] * 2, stock_keys)


def _keep_ascii(skus: pd.Series[Any]) -> list[str]:
    """Keep the ASCII letters and digits of SKUs, which every code page has."""
    text = pc.utf8_lower(to_arrow(skus).combine_chunks())
    text = pc.replace_substring_regex(text, "[^0-9a-z]+", "")
    return ["\0ascii " + one for one in pc.utf8_ltrim(text, characters="0").to_pylist()]


def find_damage(
    counted: pd.Series[Any],
    stocked: pd.Series[Any],
    folded: tuple[pd.Series[Any], pd.Series[Any]],
    loose: pd.Series[Any],
    is_open: Mask,
) -> tuple[RowKeys, RowKeys]:
    """Find the keys of all kinds of damage.

    Args:
        counted: Unchanged SKUs.
        stocked: Unchanged SKUs.
        folded: Both, folded.
        loose: Stocked SKUs, loosely folded.
        is_open: Which counted SKUs resemble no other SKU yet.
    """
    wrong = find_wrong_code_pages(counted, stocked, is_open)
    parts = [
        (wrong, ([], [])),
        (find_numbers(folded[0]), find_numbers(folded[1])),
        find_shortened_numbers(*folded),
        find_dates(counted, stocked),
        find_lost_characters(counted, stocked, loose),
    ]
    sides = []
    for side in (0, 1):
        chosen = [part[side] for part in parts]
        sides.append(
            ([*itertools.chain(*(rows for rows, _ in chosen))], [*itertools.chain(*(keys for _, keys in chosen))])
        )
    return sides[0], sides[1]
