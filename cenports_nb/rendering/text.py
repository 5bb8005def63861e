"""Numbers with their noun, durations, cut texts, and text that a terminal only prints."""

from __future__ import annotations

import math

MINUTE_SECONDS, HOUR_SECONDS, DAY_SECONDS = 60, 3600, 86_400


def pluralize(noun: str, count: int) -> str:
    """Return the noun as it follows a number: `row`, `rows`, `batches`."""
    if count == 1:
        return noun
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def add_article(noun: str) -> str:
    """Write a noun with its article: `a product_sku`, `an order_no`."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def format_count(count: int, noun: str) -> str:
    """Write a number with its noun: `1 row`, `1,200 rows`."""
    return f"{count:,} {pluralize(noun, count)}"


def format_number(value: float, spec: str = ",") -> str:
    """Write a number, thousands apart by default, with a minus sign instead of a hyphen."""
    return format(value, spec).replace("-", "\N{MINUS SIGN}")


def format_duration(seconds: float, *, round_up: bool = False) -> str:
    """Write a duration in the unit that fits: seconds below two minutes, then minutes, hours, days.

    Args:
        seconds: At least 0.
        round_up: Write an upper bound, in whole minutes at least.
    """
    if seconds >= 2 * DAY_SECONDS:
        return f"{seconds / DAY_SECONDS:.0f} days"
    if seconds >= HOUR_SECONDS:
        return f"{seconds / HOUR_SECONDS:.1f} hours"
    if round_up:
        return f"{max(1, math.ceil(seconds / MINUTE_SECONDS))} min"
    return f"{int(seconds)} s" if seconds < 2 * MINUTE_SECONDS else f"{int(seconds // MINUTE_SECONDS)} min"


def truncate(text: str, length: int) -> str:
    """Cut a text to a length, with `…` where something is missing."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def make_printable(text: str, *, keep: str = "") -> str:
    """Replace what would move a terminal's cursor or change its colors: SKUs and messages come from outside.

    Args:
        text: Any.
        keep: Characters that stay all the same, such as a line break.
    """
    return "".join(
        character if character.isprintable() or character in keep else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def escape_unprintable(text: str) -> str:
    """Write what can't be seen as Python writes it, so that two texts that differ look different."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
