"""The rate limit: at most so many requests in any window of real time, of sixty seconds if not said otherwise."""

import threading
import time
from collections import deque
from collections.abc import Callable


class Pace:
    """A sliding window over the requests let through; refused ones don't count."""

    def __init__(self, limit: int | None, window: float = 60.0, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._window = window
        self._now = now
        self._seen: deque[float] = deque()
        self._lock = threading.Lock()

    def wait(self) -> float:
        """Let a request through and return 0, or return the seconds until a place is free."""
        if self._limit is None:
            return 0.0
        with self._lock:
            now = self._now()
            while self._seen and self._seen[0] <= now - self._window:
                self._seen.popleft()
            if len(self._seen) >= self._limit:
                return max(self._seen[0] + self._window - now, 0.001)
            self._seen.append(now)
            return 0.0
