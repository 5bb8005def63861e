"""The rate limit: so many requests in any 60 seconds, and no more."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

WINDOW_S = 60.0
# Arrivals jitter on their way: without a margin a few of 180 back-to-back requests were refused.
MARGIN = 1.02


class Clock(Protocol):
    """Where time comes from, so that a test needs no real waiting."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        ...

    def now(self) -> datetime:
        """Tell the time of day in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own time."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def now(self) -> datetime:
        """Tell the time of day in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Pacer:
    """A sliding window over the requests of one client: a burst is fine, the limit is never passed."""

    def __init__(self, rate_limit: int, clock: Clock, waited: Callable[[float], None]) -> None:
        self._limit = rate_limit
        self._clock = clock
        self._waited = waited
        self._lock = threading.Lock()
        self._taken: deque[float] = deque()

    def take(self) -> None:
        """Wait until one more request is within the limit, and count it."""
        with self._lock:
            # A place is reserved under the lock and waited for outside of it, so threads queue in order.
            now = self._clock.monotonic()
            start = now
            if len(self._taken) >= self._limit:
                start = max(now, self._taken[-self._limit] + WINDOW_S * MARGIN)
            self._taken.append(start)
            while len(self._taken) > self._limit:
                self._taken.popleft()
        if start > now:
            self._clock.sleep(start - now)
            self._waited(start - now)
