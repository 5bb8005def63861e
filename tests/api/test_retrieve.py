"""Test that every record arrives, or the window that lacks it is named."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.api_client import (
    CAPS,
    LIMIT,
    Nameless,
    Pages,
    build_account,
    build_spec,
    build_windows,
    read_numbers,
)

from cenports_nb.api.retrieval.retrieve import retrieve
from cenports_nb.api.retrieval.windows import Window

READINGS = {
    "ends": st.sampled_from(["included", "excluded", "midnight"]),
    "zone": st.integers(-12, 14),
    "order": st.sampled_from(["oldest", "newest", "none"]),
    "repeats": st.booleans(),
    "minutes": st.sampled_from([0, 1, 30, 61]),
}


@pytest.mark.slow
@given(
    days=st.lists(st.integers(0, 25), min_size=1, max_size=80),
    cap=st.integers(min(CAPS), LIMIT),
    listed=st.sampled_from([None, ["A", "B"], ["A"]]),
    readings=st.fixed_dictionaries(READINGS),
)
def test_nothing_is_lost_without_its_window_being_named(
    days: list[int], cap: int, listed: list[str] | None, readings: dict[str, Any]
) -> None:
    """For any density, cap, zone, end and sorting, each order is read or its window is missing."""
    account = build_account(days, cap, **readings)
    source = build_spec(channels=None if listed is None else lambda: listed)
    read = retrieve(account, source, build_windows(len(days)))  # type: ignore[arg-type]
    named = [hole.window for hole in read.missing if hole.window.start and hole.window.end]
    for order in account.orders:
        if order["orderNo"] not in read_numbers(read):
            day = (datetime.fromisoformat(order["orderDate"]) + timedelta(hours=readings["zone"])).date()
            assert any(window.start <= day <= window.end for window in named)  # type: ignore[operator]


@given(days=st.lists(st.integers(0, 1), min_size=1, max_size=100), readings=st.fixed_dictionaries(READINGS))
def test_thin_days_are_always_read_whole(days: list[int], readings: dict[str, Any]) -> None:
    """If any two days stay well below a cap, nothing is missing."""
    account = build_account(days, LIMIT, **{**readings, "repeats": False})
    read = retrieve(account, build_spec(), build_windows(len(days)))  # type: ignore[arg-type]
    assert (read_numbers(read), read.missing) == ({order["orderNo"] for order in account.orders}, ())


@given(
    days=st.lists(st.integers(0, 9), min_size=1, max_size=90),
    readings=st.fixed_dictionaries(READINGS),
)
def test_days_below_the_cap_are_read_whole_where_ends_can_be_learnt(days: list[int], readings: dict[str, Any]) -> None:
    """Splitting by two channels and by acknowledgement suffices for days that share an answer."""
    account = build_account(days, LIMIT, **{**readings, "repeats": False, "zone": 0})
    read = retrieve(account, build_spec(channels=lambda: ["A", "B"]), build_windows(len(days)))  # type: ignore[arg-type]
    if readings["ends"] != "midnight" and readings["minutes"] == 61:
        assert read.missing == ()
        assert read_numbers(read) == {order["orderNo"] for order in account.orders}


def test_an_unknown_cap_is_detected_by_the_longest_answer() -> None:
    """Seven is no known cap; it shows because no answer is longer."""
    account = build_account([2] * 10, cap=7)
    read = retrieve(account, build_spec(), build_windows(10))  # type: ignore[arg-type]
    assert (len(read_numbers(read)), read.missing) == (20, ())


def test_a_short_answer_is_asked_once() -> None:
    """An answer below the lowest known cap is complete, so a small account costs one request."""
    account = build_account([1, 1])
    retrieve(account, build_spec(), build_windows(2))  # type: ignore[arg-type]
    assert len(account.asked) == 1


def test_a_day_that_shares_an_answer_is_asked_alone_where_ends_are_included() -> None:
    """`[d, d]` with a row proves that the end is included, and the client remembers it."""
    account = build_account([8, 8, 8], ends="included")
    read = retrieve(account, build_spec(), build_windows(3))  # type: ignore[arg-type]
    assert (len(read_numbers(read)), read.missing, account.limits.end_included) == (24, (), True)


def test_an_end_that_reaches_to_midnight_only_proves_nothing() -> None:
    """A row at midnight of the end day doesn't show that the day is included."""
    account = build_account([8, 8, 8], ends="midnight", minutes=0)
    retrieve(account, build_spec(), build_windows(3))  # type: ignore[arg-type]
    assert account.limits.end_included is False


def test_a_full_day_is_split_by_channel_and_acknowledgement() -> None:
    """A day can't be halved, but its channels can be requested one by one."""
    account = build_account([14], cap=9, ends="included")
    read = retrieve(account, build_spec(channels=lambda: ["A", "B"]), build_windows(1))  # type: ignore[arg-type]
    assert (len(read_numbers(read)), read.missing) == (14, ())


def test_a_channel_that_is_not_listed_is_asked_if_it_is_seen() -> None:
    """A former channel may be missing from the list, but its orders name it."""
    account = build_account([14], cap=9, ends="included")
    read = retrieve(account, build_spec(channels=lambda: ["A"]), build_windows(1))  # type: ignore[arg-type]
    assert (len(read_numbers(read)), read.missing) == (14, ())


def test_a_record_in_none_of_the_parts_leaves_a_hole() -> None:
    """Every row of the cut answer must be in one of the parts."""
    account = build_account([14], cap=9, ends="included")
    source = build_spec(channels=lambda: ["A"], decode=lambda _, pages: Nameless(pages))
    read = retrieve(account, source, build_windows(1))  # type: ignore[arg-type]
    assert any("in none of the smaller windows" in hole.reason for hole in read.missing)


def test_all_that_is_not_acknowledged_is_cut_by_any_day() -> None:
    """A query without days can't be split by days, so it is given some."""
    account = build_account([4, 4, 4, 4], cap=9, ends="included")
    read = retrieve(
        account,
        build_spec(channels=lambda: ["A"], decode=lambda _, pages: Nameless(pages)),
        [Window(acknowledged=False)],
    )  # type: ignore[arg-type]
    wanted = {order["orderNo"] for order in account.orders if not order["acknowledged"] and order["channelId"] == "A"}
    assert wanted <= read_numbers(read)


def test_a_full_day_that_cannot_be_split_is_missing_with_its_reason() -> None:
    """An answer that may be cut never counts as complete."""
    account = build_account([30], cap=9, ends="included")
    read = retrieve(account, build_spec(), build_windows(1))  # type: ignore[arg-type]
    assert "may be cut" in read.missing[0].reason


def test_a_total_with_nothing_that_leads_on_is_a_cut_answer() -> None:
    """Three of five records came without a link to the rest, so the window is split."""
    account = build_account([5, 5, 5], cap=4, ends="included")
    whole = account.answer

    def with_total(parameters: Mapping[str, Any], url: str | None) -> Any:
        total = sum(account._fits(order, parameters) for order in account.orders)
        return {**whole(parameters, url), "total": total}

    account.answer = with_total  # type: ignore[method-assign]
    read = retrieve(account, build_spec(channels=lambda: ["A", "B"]), build_windows(3))  # type: ignore[arg-type]
    assert (len(read_numbers(read)), read.missing) == (15, ())


def test_a_server_that_ignores_the_days_is_not_asked_for_ever() -> None:
    """The same full answer to every window raises an error that names the cause."""
    rows = [{"orderNo": str(number), "orderDate": "2020-01-01T10:01:00Z"} for number in range(LIMIT)]
    stand = Pages(answers=[{"data": rows}])
    read = retrieve(stand, build_spec(), build_windows(300))  # type: ignore[arg-type]
    assert len(stand.asked) == len(build_windows(300))
    assert "seems not to read the days" in read.missing[0].reason


def test_progress_is_reported_once_an_answer() -> None:
    """The progress callback is called once for each answer."""
    steps: list[int] = []
    account = build_account([2] * 10, cap=7)
    retrieve(account, build_spec(), build_windows(10), progress=steps.append)  # type: ignore[arg-type]
    assert len(steps) == len(account.asked)
