"""Time in the sandbox: its clock, instants as text, and the days of instants."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo


class Clock:
    """Real UTC time plus what `advance` added; with `frozen_at` it moves by `advance` alone."""

    def __init__(self, *, frozen_at: datetime | None = None) -> None:
        if frozen_at is not None and frozen_at.tzinfo is None:
            raise ValueError("Clock(frozen_at=...) needs a datetime with a time zone, e.g. tzinfo=timezone.utc.")
        self._frozen_at = frozen_at.astimezone(UTC) if frozen_at is not None else None
        self._offset = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the time in the sandbox, as an aware UTC datetime."""
        with self._lock:
            return (self._frozen_at or datetime.now(UTC)) + self._offset

    def advance(self, seconds: float | timedelta) -> None:
        """Move the clock forward by seconds or a `timedelta`.

        Raises:
            ValueError: The step is negative; ended transactions can't be undone.
        """
        step = seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds)
        if step < timedelta():
            raise ValueError("Clock.advance() takes a step forward; a negative one would undo what has happened.")
        with self._lock:
            self._offset += step

    def __repr__(self) -> str:
        kind = "frozen" if self._frozen_at is not None else "running"
        return f"<Clock {self.now().isoformat(timespec='seconds')}, {kind}>"


def format_instant(moment: datetime) -> str:
    """Format an instant as the API does: `1996-07-04T00:48:00.000000Z`."""
    # isoformat pads years below 1000, which strftime does not on every platform.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_instant(text: str) -> datetime:
    """Parse an ISO timestamp; one without a zone is UTC.

    Raises:
        ValueError: The text isn't a timestamp.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def name_day(moment: datetime, zone: str = "UTC", delay_days: int = 0) -> str:
    """Return the day, Y-m-d, on which an instant plus some days falls in a time zone."""
    # Not ZoneInfo("UTC"), which needs a time zone database.
    tz: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)
    try:
        return (moment + timedelta(days=delay_days)).astimezone(tz).date().isoformat()
    except OverflowError:
        return moment.date().isoformat()  # 9999-12-31 means "never" in every dialect


@dataclass(frozen=True)
class DayFilter:
    """`startDate` and `endDate`, as the dialect reads them."""

    start: str
    end: str
    zone: str
    delay_days: int  # days between an order's date and the day that the filter compares
    end_included: bool

    @property
    def day_rule(self) -> tuple[str, int]:
        """The rule by which an instant's day is found, as arguments of `name_day`."""
        return self.zone, self.delay_days

    def includes(self, day: str) -> bool:
        """Return whether a day is between start and end."""
        return self.start <= day <= self.end if self.end_included else self.start <= day < self.end


UTC_DAYS = ("UTC", 0)
"""The `day_rule` of plain UTC days."""
