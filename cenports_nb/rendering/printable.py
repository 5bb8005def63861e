"""Text that a terminal only prints."""

from __future__ import annotations


def printable(text: str) -> str:
    """Replace what would move a terminal's cursor or change its colours: SKUs and messages come from outside."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
