"""Options of the form name=value."""

from __future__ import annotations

from collections.abc import Sequence

from cenports_nb.errors import InvalidRequestError


def parse_pair(option: str, text: str, example: str) -> tuple[str, str]:
    """Split name=value.

    Raises:
        InvalidRequestError: It is none.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidRequestError(f"{option} {text!r} is no name=value, such as {option} {example}.")
    return name, value


def parse_pairs(option: str, texts: Sequence[str] | None, example: str) -> dict[str, str] | None:
    """Split several, each name once; None if there are none.

    Raises:
        InvalidRequestError: One is none, or a name repeats.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, value = parse_pair(option, text, example)
        if name in found:
            raise InvalidRequestError(f"{option} says {name!r} twice: say it once.")
        found[name] = value
    return found or None
