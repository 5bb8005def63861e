"""Number formats of a workbook: the text that is shown for a number, such as 0012 for 12.

An identifier is what the cell shows. If the text of a format is not known, as for a fraction, the identifier is
refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

MAX_EXACT_DIGITS = 15
"""Digits of a number that Excel keeps."""
GENERAL = frozenset({"General", "GENERAL", "general", "@", ""})
TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_(?P<space>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<digits>[0#?]+)|(?P<sign>[-+$()/:!^&'~{}<>= \u00a0])|(?P<other>.)",
    re.DOTALL,
)
LITERAL = re.compile(r'"([^"]*)"|\\(.)')
"""Text within a format."""
BARE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
"""What is not a placeholder or a sign of a format."""
SCALE = re.compile(r"[0#?],+(?![0#?,])")
"""Commas that divide by a thousand each."""
CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)")
COLOR = re.compile(r"(black|blue|cyan|green|magenta|red|white|yellow|color ?\d+)", re.IGNORECASE)
CURRENCY = re.compile(r"\$([^-]*)(?:-[0-9A-Fa-f]+)?")
COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
}


@dataclass(frozen=True)
class Section:
    """One section of a number format.

    Attributes:
        condition: The sign and the number that it applies to; None for the usual ones.
        parts: Texts and runs of digit placeholders, in order.
        positions: Which of the parts are digit placeholders.
        decimals: The digit placeholders after the point; None without a point.
    """

    condition: tuple[str, Decimal] | None
    parts: tuple[str, ...]
    positions: tuple[int, ...]
    decimals: str | None


def format_number(value: float, number_format: str) -> str | None:
    """Format a number as Excel shows it; None if that is not known.

    Args:
        value: The number in the cell.
        number_format: Such as `0000`, `"SKU-"000`, `00-00` or `[<=99]0000;00000`.
    """
    if number_format in GENERAL:
        return format_general(value)
    sections = _parse(number_format)
    if sections is None:
        return None
    number = Decimal(repr(value))
    chosen = _choose(number, sections)
    if chosen is None:
        return None
    section, shows_sign = chosen
    text = _fill(abs(number), section)
    return None if text is None else f"-{text}" if shows_sign and number < 0 else text


def describe_additions(number_format: str, value: float) -> str:
    """Describe what a format adds to a number: letters such as "ctn", "percent", or "thousands"; empty if nothing.

    For formats that `format_number` doesn't know.
    """
    sections = _split(number_format)
    position = 1 if value < 0 else 2 if value == 0 else 0
    section = sections[position if position < len(sections) else 0]
    literal = " ".join(found for quoted, escaped in LITERAL.findall(section) if (found := quoted or escaped))
    bare = BARE.sub("", section)
    percent = "percent" if "%" in bare else ""
    thousands = "thousands" if SCALE.search(bare) else ""
    return " ".join(filter(None, (literal.strip(), percent, thousands)))


def format_general(value: float) -> str | None:
    """Format a number without a format; None beyond the digits that Excel keeps."""
    if isinstance(value, int) or value == int(value):
        return str(int(value)) if abs(value) < 10**MAX_EXACT_DIGITS else None
    text = format(Decimal(f"{value:.{MAX_EXACT_DIGITS}g}"), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@lru_cache(maxsize=256)
def _parse(number_format: str) -> tuple[Section, ...] | None:
    """Parse a format into its sections; None if a part of it is not known."""
    sections = [_parse_section(text) for text in _split(number_format)]
    known = tuple(section for section in sections if section is not None)
    return known if len(known) == len(sections) and known else None


def _split(number_format: str) -> list[str]:
    """Split a format at its semicolons outside quotes."""
    return re.findall(r'((?:"[^"]*"|\\.|[^;"\\])*)(?:;|$)', number_format)[:4]


def _parse_section(text: str) -> Section | None:
    condition: tuple[str, Decimal] | None = None
    parts: list[str] = []
    positions: list[int] = []
    decimals: str | None = None
    has_point = False
    for token in TOKEN.finditer(text):
        kind, found = token.lastgroup, token.group(token.lastgroup or 0)
        if kind == "bracket" and (compared := CONDITION.fullmatch(found)):
            condition = compared.group(1), Decimal(compared.group(2))
        elif kind == "digits" and has_point and decimals is None:
            decimals = found
        elif kind == "digits" or (found == "." and positions and not has_point):
            has_point = has_point or found == "."
            positions.append(len(parts))
            parts.append(found)
        else:
            literal = _read_literal(kind, found)
            if literal is None:
                return None
            parts.append(literal)
    is_fraction = re.search(r"[0#?]\s*/\s*[0-9#?]", text) is not None
    if not positions or "".join(parts).strip() == "" or is_fraction:
        return None if any(char in text for char in "0#?") else Section(condition, tuple(parts), (), None)
    return Section(condition, tuple(parts), tuple(positions), decimals if has_point else None)


def _read_literal(kind: str | None, found: str) -> str | None:
    """Return the literal text of a part; None for dates, thousands, fractions, exponents, percents and text."""
    if kind in ("quoted", "escaped", "sign"):
        return found
    if kind == "space":
        return " "
    if kind == "fill" or (kind == "bracket" and COLOR.fullmatch(found)):
        return ""
    currency = CURRENCY.fullmatch(found) if kind == "bracket" else None
    return currency.group(1) if currency else None


def _choose(number: Decimal, sections: Sequence[Section]) -> tuple[Section, bool] | None:
    """Choose the section for a number, and whether it is shown with a minus sign."""
    if any(section.condition for section in sections):
        for section in sections[:3]:
            if section.condition is None or COMPARE[section.condition[0]](number, section.condition[1]):
                return section, number < 0
        return None
    if number > 0 or len(sections) == 1:
        return sections[0], True
    if number < 0:
        return sections[1], False
    return sections[2] if len(sections) > 2 else sections[0], False


def _fill(number: Decimal, section: Section) -> str | None:
    """Fill the digits of a number into the placeholders of a section, from the right."""
    if not section.positions:
        return "".join(section.parts)
    after = len(section.decimals or "")
    rounded = number.quantize(Decimal(1).scaleb(-after), ROUND_HALF_UP)
    whole, _, fraction = format(rounded, "f").partition(".")
    if len(whole) + len(fraction) > MAX_EXACT_DIGITS:
        return None
    positions = [position for position in section.positions if section.parts[position] != "."]
    parts = dict(enumerate(section.parts))
    digits = "" if whole == "0" else whole
    for position in reversed(positions):
        run = section.parts[position]
        here, digits = (digits[-len(run) :], digits[: -len(run)]) if position != positions[0] else (digits, "")
        parts[position] = _pad(here, run)
    if section.decimals is not None:
        point = next(position for position in section.positions if section.parts[position] == ".")
        parts[point] = "." + _trim_fraction(fraction, section.decimals)
    return "".join(parts[position] for position in sorted(parts)).strip()


def _pad(digits: str, run: str) -> str:
    """Pad digits to a run of placeholders: 0 shows a zero, ? a blank, # nothing."""
    missing = run[: max(0, len(run) - len(digits))]
    first_zero = missing.find("0")
    filled = "".join(
        "0" if char == "0" or 0 <= first_zero < position else " " if char == "?" else ""
        for position, char in enumerate(missing)
    )
    return filled + digits


def _trim_fraction(fraction: str, run: str) -> str:
    """Remove trailing zeros that the placeholders don't require."""
    digits = list(fraction)
    for char in reversed(run):
        if char == "0" or not digits or digits[-1] != "0":
            break
        digits.pop()
    return "".join(digits)
