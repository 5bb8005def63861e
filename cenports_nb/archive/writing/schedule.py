"""Which months an update reads: those that may have changed, and every other one at least once a month."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

from cenports_nb.archive.storage.update_log import AccountState

YOUNGEST_MONTHS = 2
RECENT_MONTHS = 6
RECENT_DAYS, OLD_DAYS = 7, 28
"""Days after which a month is read again: one of the last six months, and an older one."""
FIRST_MONTH = "1990-01"
"""No account has older orders."""


def list_months(first: str, last: str) -> list[str]:
    """List the months from one to another, both included."""
    return [format_month(number) for number in range(number_month(first), number_month(last) + 1)]


def number_month(month: str) -> int:
    """Number a month, so that months can be compared and subtracted."""
    return int(month[:4]) * 12 + int(month[5:]) - 1


def format_month(number: int) -> str:
    """Format a numbered month, such as `2026-11`."""
    return f"{number // 12:04}-{number % 12 + 1:02}"


def month_days(month: str) -> tuple[date, date]:
    """Return the first day of a month, and that of the next one."""
    number = number_month(month)
    return date(number // 12, number % 12 + 1, 1), date((number + 1) // 12, (number + 1) % 12 + 1, 1)


def to_month(moment: datetime | date) -> str:
    """Return the month of an instant, in UTC, or of a day."""
    return f"{moment.astimezone(UTC):%Y-%m}" if isinstance(moment, datetime) else f"{moment:%Y-%m}"


def list_due_months(state: AccountState, source: str, months: list[str], now: datetime) -> Iterator[str]:
    """List the months that an update reads, oldest first."""
    this = number_month(to_month(now))
    for month in months:
        reading = state.readings.get((source, month))
        months_ago = this - number_month(month)
        days = RECENT_DAYS if months_ago <= RECENT_MONTHS else OLD_DAYS
        if (
            reading is None
            or state.find_forgotten(source, month)
            or months_ago < YOUNGEST_MONTHS
            or reading.has_open_lines
            or now - reading.at >= timedelta(days=days)
        ):
            yield month


def choose_first_month(state: AccountState, start: str | None, find_first: Callable[[], str]) -> str:
    """Choose the oldest month that an update maintains.

    Forgotten months stay forgotten, unless `start` includes them.
    """
    archived = state.list_months("orders")
    forgotten = state.forgotten_before
    known = archived[0] if archived else forgotten
    if start is not None:
        return min(start, known) if known else start
    return known or find_first()


def find_first_month(has_orders_before: Callable[[date], bool], now: datetime) -> str:
    """Find the oldest month with an order by bisection, with about nine requests."""
    low, high = number_month(FIRST_MONTH), number_month(to_month(now))
    while low < high:  # the oldest order is in a month from low to high, if there is any
        middle = (low + high) // 2
        if has_orders_before(month_days(format_month(middle))[1]):
            high = middle
        else:
            low = middle + 1
    return format_month(low)
