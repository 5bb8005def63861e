"""What a client has spent: requests, cache hits, waiting."""

from __future__ import annotations

import threading


class Usage:
    """Counts of one client; prints as one line.

    Attributes:
        sent: Requests on the wire, token requests and retries included.
        cached: Answers taken from the cache.
        waited_s: Seconds spent waiting for the rate limit.
        retried: Requests sent again after a failure.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.sent = 0
        self.cached = 0
        self.waited_s = 0.0
        self.retried = 0

    def add(self, *, sent: int = 0, cached: int = 0, waited_s: float = 0.0, retried: int = 0) -> None:
        """Count something; safe from any thread."""
        with self._lock:
            self.sent += sent
            self.cached += cached
            self.waited_s += waited_s
            self.retried += retried

    def __repr__(self) -> str:
        return (
            f"{self.sent} requests sent, {self.cached} answers from the cache, "
            f"{self.retried} retried, {self.waited_s:.1f} s waited for the rate limit"
        )
