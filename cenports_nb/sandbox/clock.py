"""The sandbox's own time, which a test moves instead of waiting."""

import threading
from datetime import UTC, datetime, timedelta


class Clock:
    """Real UTC time plus what `advance` added; with `frozen_at` it moves by `advance` alone."""

    def __init__(self, *, frozen_at: datetime | None = None) -> None:
        if frozen_at is not None and frozen_at.tzinfo is None:
            raise ValueError("Clock(frozen_at=...) needs a datetime with a time zone, e.g. tzinfo=timezone.utc.")
        self._frozen_at = frozen_at.astimezone(UTC) if frozen_at is not None else None
        self._offset = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Say what time it is in the sandbox, as an aware UTC datetime."""
        with self._lock:
            return (self._frozen_at or datetime.now(UTC)) + self._offset

    def advance(self, seconds: float | timedelta) -> None:
        """Move the clock forward by seconds or a `timedelta`.

        Raises:
            ValueError: The step is negative; transactions that have ended can't be taken back.
        """
        step = seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds)
        if step < timedelta():
            raise ValueError("Clock.advance() takes a step forward; a negative one would undo what has happened.")
        with self._lock:
            self._offset += step

    def __repr__(self) -> str:
        kind = "frozen" if self._frozen_at is not None else "running"
        return f"<Clock {self.now().isoformat(timespec='seconds')}, {kind}>"


def stamp(moment: datetime) -> str:
    """Write an instant as the API does: `1996-07-04T00:48:00.000000Z`."""
    # isoformat pads years below 1000, which strftime does not on every platform.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def instant(text: str) -> datetime:
    """Read an ISO timestamp; one without a zone is UTC.

    Raises:
        ValueError: The text is no timestamp.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
