"""Counts with nouns, durations, truncated texts, and texts that are safe for a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

MINUTE_SECONDS, HOUR_SECONDS, DAY_SECONDS = 60, 3600, 86_400


def pluralize(noun: str, count: int) -> str:
    """Return the noun for a count: `row`, `rows`, `batches`."""
    if count == 1:
        return noun
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def add_article(noun: str) -> str:
    """Return a noun with its article: `a product_sku`, `an order_no`."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def format_count(count: int, noun: str) -> str:
    """Format a count with its noun: `1 row`, `1,200 rows`."""
    return f"{count:,} {pluralize(noun, count)}"


def list_names(names: Sequence[str], most: int = 5) -> str:
    """List names, the first ones if there are many, such as `a, b, c, d, e and 995 more`."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "none") + more


def format_number(value: float, spec: str = ",") -> str:
    """Format a number, by default with thousands separators, with a minus sign instead of a hyphen."""
    return format(value, spec).replace("-", "\N{MINUS SIGN}")


def format_duration(seconds: float, *, round_up: bool = False) -> str:
    """Format a duration in seconds below two minutes, then in minutes, hours or days.

    Args:
        seconds: At least 0.
        round_up: Round up, to whole minutes at least.
    """
    if seconds >= 2 * DAY_SECONDS:
        return f"{seconds / DAY_SECONDS:.0f} days"
    if seconds >= HOUR_SECONDS:
        return f"{seconds / HOUR_SECONDS:.1f} hours"
    if round_up:
        return f"{max(1, math.ceil(seconds / MINUTE_SECONDS))} min"
    return f"{int(seconds)} s" if seconds < 2 * MINUTE_SECONDS else f"{int(seconds // MINUTE_SECONDS)} min"


def truncate(text: str, length: int) -> str:
    """Truncate a text to a length, with `…` at its end."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def make_printable(text: str, *, keep: str = "") -> str:
    """Replace characters that would move a terminal's cursor or change its colors.

    Args:
        text: Any text, such as a SKU or a message from outside.
        keep: Characters to keep, such as a line break.
    """
    return "".join(
        character if character.isprintable() or character in keep else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def escape_unprintable(text: str) -> str:
    """Escape invisible characters as Python does, so that different texts look different."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
