"""Check arguments: one of a few words, with the closest one suggested; several words; a path."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from pathlib import Path

from cenports_nb.errors import InvalidRequestError
from cenports_nb.rendering.surface import name_argument

SYNONYMS = {
    **dict.fromkeys(("date", "order_date", "daily"), "day"),
    **dict.fromkeys(("product", "item", "article"), "sku"),
    **dict.fromkeys(("shop", "marketplace"), "channel"),
    **dict.fromkeys(("region", "province"), "state"),
    **dict.fromkeys(("quantity", "pieces"), "units"),
    **dict.fromkeys(("revenue", "sales", "value"), "line_value"),
    **dict.fromkeys(("upc", "ean", "gtin", "barcode"), "product_upc"),
    "net": "net_of_open",
}


def check_choice(name: str, value: object, choices: Collection[str]) -> None:
    """Refuse a value that is none of the choices.

    Args:
        name: The argument's name.
        value: The value that was passed.
        choices: The valid values.

    Raises:
        InvalidRequestError: It is none of them; the message lists them and suggests the closest.
    """
    if not isinstance(value, str) or value not in choices:
        *others, last = (f'"{choice}"' for choice in choices)
        listed = f"{', '.join(others)} or {last}" if others else last
        named = name_argument(name, value)
        raise InvalidRequestError(f"{named} must be {listed}{suggest_choice([value], choices) or '.'}")


def parse_words(name: str, value: str | Collection[str]) -> tuple[str, ...]:
    """Return one or several words; a text is one word.

    Raises:
        InvalidRequestError: Some aren't text.
    """
    words = (value,) if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)
    if not all(isinstance(word, str) for word in words):
        raise InvalidRequestError(f"{name_argument(name, value)} isn't text: pass words, such as ('cancelled',).")
    return words


def parse_path(name: str, value: str | Path) -> Path:
    """Return a path that was passed as text or as a Path.

    Raises:
        InvalidRequestError: It is neither.
    """
    if not isinstance(value, str | Path):
        raise InvalidRequestError(f"{name_argument(name, value)} isn't a path: pass it as text, such as 'counts.csv'.")
    return Path(value)


def suggest_choice(values: Iterable[object], choices: Collection[str]) -> str:
    """Ask whether the choice closest to the first wrong value was meant; empty if none is close."""
    wrong = next((value for value in values if value not in choices), None)
    if not isinstance(wrong, str):
        return ""
    word = wrong.strip().lower().replace("-", "_")
    near = [
        *(choice for choice in (word, SYNONYMS.get(word, "")) if choice in choices),
        *(choice for choice in choices if choice in word.split("_") or word in choice.split("_")),
        *get_close_matches(word, choices, 1, 0.6),
    ]
    return f'; did you mean "{near[0]}"?' if near else ""
