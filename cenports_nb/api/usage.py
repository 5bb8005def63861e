"""What a client has used: requests, cache hits, waiting time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from cenports_nb.rendering.text import format_count


class Usage:
    """Counts of one client; prints as one line.

    Attributes:
        sent: Requests sent, including token requests and retries.
        cached: Answers taken from the cache.
        waited_s: Seconds spent waiting for the rate limit.
        retried: Requests sent again after a failure.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: list[Callable[[float], None]] = []
        self.sent = 0
        self.cached = 0
        self.waited_s = 0.0
        self.retried = 0

    def add(self, *, sent: int = 0, cached: int = 0, retried: int = 0) -> None:
        """Add to the counts; thread-safe."""
        with self._lock:
            self.sent += sent
            self.cached += cached
            self.retried += retried

    def add_wait(self, seconds: float) -> None:
        """Count a wait for the rate limit that is about to begin, and notify watchers."""
        with self._lock:
            self.waited_s += seconds
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher(seconds)

    @contextlib.contextmanager
    def watch_waits(self, watcher: Callable[[float], None]) -> Iterator[None]:
        """Call a function before each wait for the rate limit, with its seconds."""
        with self._lock:
            self._watchers.append(watcher)
        try:
            yield
        finally:
            with self._lock:
                self._watchers.remove(watcher)

    def __repr__(self) -> str:
        return (
            f"{format_count(self.sent, 'request')} sent, {format_count(self.cached, 'answer')} from the cache, "
            f"{self.retried} retried, {self.waited_s:.1f} s waited for the rate limit"
        )
