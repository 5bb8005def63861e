"""Test that windows cover the days requested without a gap."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from support.api_client import (
    FIRST,
)

from cenports_nb.api.retrieval.splitting import choose_pieces
from cenports_nb.api.retrieval.windows import ONE_DAY, Window, chunk_order_numbers, cover_days


@given(st.lists(st.text("0123456789AB-", min_size=1, max_size=255), max_size=60))
def test_chunks_of_order_numbers_fit_and_keep_all(numbers: list[str]) -> None:
    """A joined chunk has at most 255 characters; together the chunks have all numbers in order."""
    chunks = list(chunk_order_numbers(numbers))
    assert all(len(",".join(chunk)) <= 255 for chunk in chunks)
    assert [number for chunk in chunks for number in chunk] == numbers


@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 50), st.booleans())
def test_pieces_cover_the_window(start: int, length: int, pieces: int, end_included: bool) -> None:
    """No day falls between two pieces, whether ends are included or not."""
    window = Window(FIRST + start * ONE_DAY, FIRST + (start + length) * ONE_DAY)
    cut = window.cut(pieces, end_included=end_included)
    wanted = {FIRST + (start + i) * ONE_DAY for i in range(length)}
    covered = {piece.start + i * ONE_DAY for piece in cut for i in range(piece.days)}  # type: ignore[operator]
    assert covered == (wanted if min(pieces, length) > 1 else set())
    assert sum(piece.days for piece in cut) == len(covered)


@given(st.dates(date(1990, 1, 1), date(2030, 1, 1)), st.integers(0, 800))
def test_windows_cover_a_day_more_on_both_sides(start: date, length: int) -> None:
    """Windows assume that their end is excluded, leave no gap, and are whole months for long spans."""
    end = start + length * ONE_DAY
    windows = cover_days(start, end)
    days = [first + i * ONE_DAY for first, after in windows for i in range((after - first).days)]
    assert days == [days[0] + i * ONE_DAY for i in range(len(days))]
    assert days[0] <= start - ONE_DAY
    assert days[-1] >= end + ONE_DAY
    assert len(windows) <= 1 + (end.year * 12 + end.month) - (start.year * 12 + start.month)


def test_tomorrows_twelve_months_are_the_same_questions_but_for_the_youngest() -> None:
    """All other windows are in the cache."""
    today = date(2026, 11, 24)
    first, second = ({*cover_days(day - 364 * ONE_DAY, day)} for day in (today, today + ONE_DAY))
    assert first == second


@given(st.integers(1, 400), st.floats(0, 500), st.integers(1, 300))
def test_a_cut_is_between_one_piece_and_one_a_day(days: int, per_day: float, most: int) -> None:
    assert 1 <= choose_pieces(days, per_day, most) <= days
