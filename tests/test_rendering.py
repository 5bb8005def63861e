"""Numbers with their noun, durations and cut texts."""

from __future__ import annotations

import pytest

from cenports_nb.rendering.text import format_count, format_duration, format_number, make_printable, pluralize, truncate


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [(0, "row", "0 rows"), (1, "row", "1 row"), (1200, "row", "1,200 rows"), (1, "batch", "1 batch"), (2, "batch", "2 batches")],
)  # fmt: skip
def test_a_noun_follows_its_number(count: int, noun: str, text: str) -> None:
    """One of it is singular; thousands are grouped."""
    assert format_count(count, noun) == text
    assert text.endswith(pluralize(noun, count))


@pytest.mark.parametrize(
    ("seconds", "text", "bound"),
    [(0.2, "0 s", "1 min"), (119.9, "119 s", "2 min"), (300, "5 min", "5 min"), (3600, "1.0 hours", "1.0 hours"), (200_000, "2 days", "2 days")],
)  # fmt: skip
def test_a_duration_has_the_unit_that_fits(seconds: float, text: str, bound: str) -> None:
    """A bound is never below what it bounds, and at least a minute."""
    assert format_duration(seconds) == text
    assert format_duration(seconds, round_up=True) == bound


def test_a_text_that_is_cut_says_so() -> None:
    """It has the length that was asked for, and its end is marked."""
    assert truncate("0123456789", 10) == "0123456789"
    assert truncate("0123456789", 5) == "0123…"


def test_a_line_break_stays_where_it_is_wanted() -> None:
    """Whatever else moves a cursor is replaced."""
    assert make_printable("a\nb\x1b", keep="\n") == "a\nb\N{REPLACEMENT CHARACTER}"


def test_a_negative_number_has_a_minus_sign() -> None:
    """No hyphen, whatever the format."""
    assert [format_number(-1200), format_number(-0.5, ",.2f"), format_number(3, "+,")] == ["−1,200", "−0.50", "+3"]
