"""Test days in the formats people write, in the client's time zone."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.dates import local_days, parse_day, parse_range

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31",
        date(2026, 1, 31),
        datetime(2026, 1, 31),
        pd.Timestamp("2026-01-31"),
        datetime(2026, 1, 30, 23, 0, tzinfo=UTC),
        pd.Timestamp("2026-01-31", tz="Europe/Berlin"),
        pd.Timestamp("2026-01-31T00:00Z"),
    ],
)
def test_a_day_may_be_text_date_or_its_first_instant(value: Any) -> None:
    """The instant is in the client's zone or in UTC."""
    assert parse_day(value, "start", BERLIN) == date(2026, 1, 31)


@pytest.mark.parametrize(
    ("value", "day"),
    [
        (datetime(2026, 1, 31, 23, 59), "2026-01-31"),
        (pd.Timestamp("2026-01-31T00:00:00.000000001"), "2026-01-31"),
        (datetime(2026, 1, 30, 23, 30, tzinfo=UTC), "2026-01-31"),
        (pd.Timestamp("2026-01-31", tz="America/New_York"), "2026-01-31"),
    ],
)
def test_a_time_of_day_is_not_dropped(value: Any, day: str) -> None:
    """The error names the day to pass."""
    with pytest.raises(
        InvalidRequestError, match=f"start=.* has a time of day, and whole days are meant: pass '{day}'"
    ):
        parse_day(value, "start", BERLIN)


@pytest.mark.parametrize("value", ["2026-01-31T10:00", "2026-01-31 10:00", "2026-01-31T00:00:00Z"])
def test_a_time_in_a_text_is_not_dropped(value: str) -> None:
    """Commands and reports pass text."""
    with pytest.raises(InvalidRequestError, match="isn't a day"):
        parse_day(value, "start", BERLIN)


@pytest.mark.parametrize(
    "value",
    ["31.01.2026", "2026-1-31", "2026-02-30", "20260131", "", "today", 20260131, None, pd.NaT, [], float("nan")],
)
def test_an_invalid_day_says_how_to_write_one(value: Any) -> None:
    """The error names the argument and the format."""
    with pytest.raises(InvalidRequestError, match=r"end=.* isn't a day.*YYYY-MM-DD"):
        parse_day(value, "end", BERLIN)


@pytest.mark.parametrize(
    ("start", "end", "last", "words"),
    [
        ("2026-01-01", None, None, "start is given without end"),
        (None, "2026-01-01", None, "end is given without start"),
        ("2026-01-02", "2026-01-01", None, "is after end"),
        ("2026-01-01", "2026-01-02", "30D", "not both"),
        (None, None, "30", "'30D'"),
        (None, None, "0D", "'30D'"),
        (None, None, "1M", "'30D'"),
    ],
)
def test_an_invalid_range_is_refused(start: Any, end: Any, last: Any, words: str) -> None:
    """The error comes before any request and says what to pass."""
    with pytest.raises(InvalidRequestError, match=words):
        parse_range(start, end, last, BERLIN, TODAY)


def test_the_last_days_end_today() -> None:
    """Thirty days include today."""
    assert parse_range(None, None, "30D", BERLIN, TODAY) == (date(2026, 1, 31), TODAY)


def test_an_order_late_at_night_belongs_to_the_day_of_the_zone() -> None:
    """23:30 UTC is the next day in Berlin."""
    instants = pd.Series(pd.to_datetime(["2026-01-01T23:30Z"]))
    assert local_days(instants, "Europe/Berlin").tolist() == [pd.Timestamp("2026-01-02")]


def test_a_plain_day_is_never_shifted() -> None:
    """Exactly midnight UTC is a day without a time."""
    instants = pd.Series(pd.to_datetime(["2026-01-02T00:00Z"]))
    assert local_days(instants, "America/New_York").tolist() == [pd.Timestamp("2026-01-02")]
