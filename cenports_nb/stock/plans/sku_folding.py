"""Fold SKUs to keys that are equal if only a spreadsheet, a keyboard or a font made the SKUs differ."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as arrow
import pyarrow.compute as pc

from cenports_nb.frames.arrow_columns import ARROW_TEXT, from_arrow, to_arrow

INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
INVISIBLE = frozenset({
    0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0xFFFC, 0xFFFE,
    *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0),
})  # fmt: skip
"""Blank or invisible characters in Unicode's categories of letters, symbols or marks."""
DASHES = frozenset("\u02d7\u06d4\u2043\u2212\u2500\u2501\u2796\u30fc\uff70")
"""Characters that look like a dash outside Unicode's category of dashes: minus signs, bullets, box lines."""
QUOTES = frozenset(
    "\"'`\u00b4\u02b9\u02ba\u02bb\u02bc\u02ca\u02cb\u055a\u05f3\u2032\u2033\u2035\u201a\u201e\u300e\u300f\u301d\u301e\u301f"
)
"""Quotation marks outside Unicode's categories of opening and closing ones."""
CONFUSABLES = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405\u0417"
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0458\u0455\u0437"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u03b1\u03b2\u03b5\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7",
    "ABEKMHOPCTYXIJS3abekmhopctyxijs3ABEZHIKMNOPTYXabeikuvoptux",
)
"""Cyrillic and Greek letters that look like Latin ones, by the case in which they do."""
PLAIN_LETTERS = str.maketrans("ØøŁłĐđĦħŦŧıÐðŒœÆæÞþ", "OoLlDdHhTtiDdEeEePp")
"""Letters with a stroke and ligatures, which Unicode can't decompose."""
ESCAPE = r"(?i)_x[0-9a-f]{4}_|&(?:#[0-9]+|#x[0-9a-f]+|[a-z]+[0-9]*);"
"""A character that a workbook or a web page writes as `_x000D_` or `&amp;`."""
ESCAPED_CHARACTER = re.compile(r"_x([0-9a-f]{4})_", re.IGNORECASE)


def fold_skus(skus: pd.Series[Any]) -> pd.Series[Any]:
    """Fold case, dashes, blanks, invisible characters, quotes, width, composition of accents, lost zeros and `.0`."""
    return from_arrow(_fold_ascii(_map_special(to_arrow(skus).combine_chunks(), _fold_characters)))


def fold_loosely(skus: pd.Series[Any]) -> pd.Series[Any]:
    """Fold like `fold_skus`, and also accents, similar letters of other scripts, and missing dashes."""
    text = _fold_ascii(_map_special(to_arrow(skus).combine_chunks(), _fold_letters))
    text = pc.replace_substring(text, "-", "")
    return from_arrow(pc.utf8_ltrim(text, characters="0"))


def is_match(skus: pd.Series[Any], pattern: str) -> pd.Series[Any]:
    """Return which SKUs match a pattern in Arrow's syntax, without creating Python strings."""
    return pd.Series(pc.match_substring_regex(to_arrow(skus).combine_chunks(), pattern).to_numpy(zero_copy_only=False))


def _map_special(text: arrow.Array, fold: Callable[[str], str]) -> arrow.Array:
    """Fold the texts that Arrow can't: non-ASCII ones, or those with escaped characters."""
    special = pc.or_(pc.invert(pc.string_is_ascii(text)), pc.match_substring_regex(text, ESCAPE))
    if not pc.any(special).as_py():
        return text
    folded = [fold(one) for one in text.filter(special).to_pylist()]
    return pc.replace_with_mask(text, special, arrow.array(folded, ARROW_TEXT))


def _fold_ascii(text: arrow.Array) -> arrow.Array:
    """Fold ASCII: case, blanks, controls, quotes, formula signs, leading zeros, the `.0` of a number."""
    text = pc.utf8_lower(text)
    text = pc.replace_substring_regex(text, r"""[\x00-\x20\x7f"'`]+""", "")
    text = pc.replace_substring_regex(text, r"^([=+@]*-?\d+)\.0+$", r"\1")
    return pc.replace_substring_regex(text, r"^[=+@0]*(-?)[=+@0]*", r"\1")


def _fold_characters(text: str) -> str:
    text = unicodedata.normalize("NFKC", _decode_escapes(text)).translate(_CHARACTERS)
    return unicodedata.normalize("NFKC", text.casefold())


def _fold_letters(text: str) -> str:
    text = unicodedata.normalize("NFKD", _decode_escapes(text)).translate(_CHARACTERS_WITHOUT_ACCENTS)
    return unicodedata.normalize("NFKC", text.translate(CONFUSABLES).translate(PLAIN_LETTERS).casefold())


def _decode_escapes(text: str) -> str:
    """Decode escaped characters, including double escapes."""
    while True:
        decoded = html.unescape(ESCAPED_CHARACTER.sub(lambda found: chr(int(found[1], 16)), text))
        if decoded == text:
            return decoded.encode("utf-8", "replace").decode()  # without lone surrogates
        text = decoded


class _CharacterTable(dict[int, str | int | None]):
    """The folded form of each character, computed when it is first needed."""

    def __init__(self, *, keep_accents: bool) -> None:
        super().__init__()
        self._keep_accents = keep_accents

    def __missing__(self, code: int) -> str | int | None:
        character = chr(code)
        category = unicodedata.category(character)
        if category == "Pd" or character in DASHES:
            self[code] = "-"
        elif category in {"Pi", "Pf"} or category in INVISIBLE_CATEGORIES or code in INVISIBLE or character in QUOTES:
            self[code] = None
        else:
            self[code] = None if category == "Mn" and not self._keep_accents else code
        return self[code]


_CHARACTERS = _CharacterTable(keep_accents=True)
_CHARACTERS_WITHOUT_ACCENTS = _CharacterTable(keep_accents=False)
