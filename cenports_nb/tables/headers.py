"""The header row: where it is, and how headers are compared and listed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from cenports_nb.errors import InvalidRequestError
from cenports_nb.rendering.text import list_names, truncate

Score = Callable[[Sequence[str]], int]
"""Counts how many of the wanted columns a row seems to name."""

MAX_HEAD_ROWS = 30
"""Rows that are searched for headers, to say where they are."""


def normalize_header(header: str) -> str:
    """Normalize a header: no case, accents, punctuation or extra blanks."""
    letters = unicodedata.normalize("NFKD", header.casefold())
    return " ".join(re.findall(r"[^\W_]+", "".join(c for c in letters if not unicodedata.combining(c))))


def join_lines(header: str) -> str:
    """Join the lines of a header, without extra blanks."""
    return " ".join(header.split())


def list_headers(headers: Iterable[str]) -> str:
    """List up to twelve headers for an error, each shortened."""
    return list_names([truncate(header, 40) for header in headers], 12)


def check_header_row(rows: Sequence[Sequence[str]], lines: Sequence[int], score: Score, name: str, line: str) -> None:
    """Check that the first filled row of a table is the header row.

    Raises:
        InvalidRequestError: The headers are further down.
    """
    scores = [score(cells) for cells in rows]
    best = max(range(len(rows)), key=lambda position: (scores[position], -position))
    if scores[best] > max(1, scores[0]):
        raise InvalidRequestError(
            f"{name} has its headers in {line} {lines[best]}, below a title or something else: delete what is above them."
        )
