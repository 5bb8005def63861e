"""The row of headers: where it stands, and how headers are compared and listed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from cenports_nb.errors import InvalidRequestError
from cenports_nb.rendering.text import truncate

Score = Callable[[Sequence[str]], int]
"""How many of the wanted columns a row seems to head."""

MAX_HEAD_ROWS = 30
"""How far down headers are looked for, to say where they are."""


def normalize_header(header: str) -> str:
    """Spell a header without case, accents, punctuation and extra blanks."""
    letters = unicodedata.normalize("NFKD", header.casefold())
    return " ".join(re.findall(r"[^\W_]+", "".join(c for c in letters if not unicodedata.combining(c))))


def join_lines(header: str) -> str:
    """Write a header without line breaks and extra blanks."""
    return " ".join(header.split())


def list_headers(headers: Iterable[str]) -> str:
    """List headers for an error: a dozen of them, each cut."""
    cut = [truncate(header, 40) for header in headers]
    more = f" and {len(cut) - 12} more" if len(cut) > 12 else ""
    return (", ".join(cut[:12]) or "none") + more


def check_header_row(rows: Sequence[Sequence[str]], lines: Sequence[int], score: Score, name: str, line: str) -> None:
    """Check that the first filled row of a table is the one with the headers.

    Raises:
        InvalidRequestError: They stand below something else.
    """
    scores = [score(cells) for cells in rows]
    best = max(range(len(rows)), key=lambda place: (scores[place], -place))
    if scores[best] > max(1, scores[0]):
        raise InvalidRequestError(
            f"{name} has its headers in {line} {lines[best]}, below a title or something else: delete what is above them."
        )
