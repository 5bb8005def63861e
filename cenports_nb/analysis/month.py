"""A calendar month, parsed from text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from cenports_nb.errors import InvalidRequestError


@dataclass(frozen=True)
class Month:
    """A calendar month, or the part of it up to today.

    Attributes:
        name: Such as `2026-10`.
        start: The first day.
        end: The last day; today, if the month is not over.
        over: Whether the month is over.
    """

    name: str
    start: date
    end: date
    over: bool

    @property
    def before(self) -> date:
        """The first day of the previous month."""
        return (self.start - timedelta(days=1)).replace(day=1)


def parse_month(text: str, today: date) -> Month:
    """Parse a month; the last complete one if the text is empty.

    Args:
        text: Such as `"2026-10"`, or empty.
        today: The current day in the account's time zone.

    Raises:
        InvalidRequestError: It isn't a month, or has not begun.

    Example:
        >>> parse_month("", date(2026, 11, 26)).name
        '2026-10'
        >>> parse_month("2024-02", date(2026, 11, 26)).end
        datetime.date(2024, 2, 29)
    """
    if not text:
        text = f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text.strip())
    if not found or found[1] == "0000":
        raise InvalidRequestError(f"month={text!r} isn't a month: write it as YYYY-MM, such as '2026-10'.")
    start = date(int(found[1]), int(found[2]), 1)
    if start > today:
        raise InvalidRequestError(f"month={text!r} has not begun: today is {today}.")
    last = (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return Month(text.strip(), start, min(last, today), last < today)
