"""What a client takes from the world: time, chance, names, the wire, locks, files and threads, each of which can be replaced.

A simulation replaces all of them; a person's notebook none. Only `clock` is part of the public interface.
"""

from __future__ import annotations

import contextlib
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cenports_nb.api.concurrency import run_concurrently
from cenports_nb.api.http.rate_limit import Clock, SystemClock

Exchange = Callable[..., Any]
"""Sends one request once and returns its `requests.Response`, as `Transport.exchange` does."""

ReleaseLock = Callable[[], None]
"""Gives a lock back."""


def new_id() -> str:
    """Make a name that nobody else has."""
    return uuid.uuid4().hex


def try_lock(path: Path) -> ReleaseLock | None:
    """Take a lock of the operating system, which dies with its process; None if somebody has it.

    Raises:
        OSError: The file can't be made or locked.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - only what writes needs it

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A lock of its own each time, so that two threads of a process exclude each other too.
    lock = FileLock(path, mode=0o600, thread_local=False, is_singleton=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None

    def release() -> None:
        with contextlib.suppress(OSError):
            lock.release()

    return release


@dataclass(frozen=True)
class Runtime:
    """The seams between a client and the world.

    Attributes:
        clock: Time, and waiting.
        random: Chance, for the pauses between tries.
        new_id: Names of submissions.
        exchange: The wire; None for a real one.
        try_lock: Locks.
        open_journal: Opens the journal in a folder; None for a real one.
        run_concurrently: Runs functions side by side.
        process: Names this process, so that nobody compares its monotonic clock with another's.
    """

    clock: Clock = field(default_factory=SystemClock)
    random: random.Random = field(default_factory=random.Random)
    new_id: Callable[[], str] = new_id
    exchange: Exchange | None = None
    try_lock: Callable[[Path], ReleaseLock | None] = try_lock
    open_journal: Callable[[Path], Any] | None = None
    run_concurrently: Callable[..., Any] = run_concurrently
    process: str = field(default_factory=new_id)
