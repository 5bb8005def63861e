"""Moments on every available clock, and two ways to determine how much time has passed between them.

No single clock can be trusted: the wall clock can be set, the monotonic clock may stop while the machine is suspended and
means nothing to another process, and Cenports' own time is known only from answers with a `Date`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Moment:
    """One moment.

    Attributes:
        wall: The time of day of this machine, UTC.
        monotonic: Seconds on a clock that is never set; None if unknown.
        process: Identifies that clock: a process, or a machine since its start; different clocks are not compared.
        server: The time at Cenports, UTC; None before the first answer with a `Date`.
    """

    wall: datetime
    monotonic: float | None = None
    process: str | None = None
    server: datetime | None = None

    def add_server_time(self, later: Moment) -> Moment:
        """Return the same moment with Cenports' time, from a later one on the same clock that has it."""
        if self.server is not None or later.server is None or self.monotonic is None or later.monotonic is None:
            return self
        return replace(self, server=later.server - timedelta(seconds=later.monotonic - self.monotonic))


def has_better_clock(start: Moment, end: Moment) -> bool:
    """Return whether two moments can be compared by more than the wall clock, which may have been set in between."""
    return len(list_elapsed(start, end)) > 1


def list_elapsed(start: Moment, end: Moment) -> list[timedelta]:
    """Return the time between two moments on each clock that both have."""
    found = [end.wall - start.wall]
    if start.monotonic is not None and end.monotonic is not None and start.process == end.process:
        found.append(timedelta(seconds=end.monotonic - start.monotonic))
    if start.server is not None and end.server is not None:
        found.append(end.server - start.server)
    return found


def at_least_elapsed(start: Moment, end: Moment) -> timedelta:
    """Return the minimum time that has passed, by any clock: for what must have happened by now."""
    return min(list_elapsed(start, end))


def at_most_elapsed(start: Moment, end: Moment) -> timedelta:
    """Return the maximum time that may have passed, by any clock: for what must still be fresh."""
    return max(list_elapsed(start, end))
