"""What a client takes from the outside: time, randomness, ids, transport, locks, files, threads; each replaceable.

A simulation replaces all of them. Only `clock` is part of the public interface.
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
"""Releases a lock."""


def new_id() -> str:
    """Return a unique id."""
    return uuid.uuid4().hex


def try_lock(path: Path) -> ReleaseLock | None:
    """Acquire a lock of the operating system, released when its process dies; None if it is held.

    Raises:
        OSError: The file can't be created or locked.
    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - only what writes needs it

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A new lock object each time, so that two threads of a process exclude each other too.
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
    """The interfaces between a client and the outside.

    Attributes:
        clock: Time, and waiting.
        random: Randomness, for the pauses between tries.
        new_id: Ids of submissions.
        exchange: The transport; None for the real one.
        try_lock: Locks.
        open_journal: Opens the journal in a folder; None for the real one.
        run_concurrently: Runs functions concurrently.
        process: Identifies this process, so that its monotonic clock isn't compared with another's.
    """

    clock: Clock = field(default_factory=SystemClock)
    random: random.Random = field(default_factory=random.Random)
    new_id: Callable[[], str] = new_id
    exchange: Exchange | None = None
    try_lock: Callable[[Path], ReleaseLock | None] = try_lock
    open_journal: Callable[[Path], Any] | None = None
    run_concurrently: Callable[..., Any] = run_concurrently
    process: str = field(default_factory=new_id)
