"""The journal of simulated processes: units of work between two steps, some of which can't be carried out."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, TypeVar

from cenports_nb.submissions.journal.file import IN_MEMORY
from cenports_nb.submissions.journal.store import Journal
from simulation.scheduler import Process, Scheduler

T = TypeVar("T")


class InlineRunner:
    """Runs units of work in the caller's thread, for a process that nobody interrupts."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def run(self, work: Callable[[], T]) -> T:
        """Run a unit of work."""
        with self._lock:
            return work()

    def close(self) -> None:
        """Do nothing."""


class FaultyRunner(InlineRunner):
    """Runs units of work in the simulated process that asks for them; some can't be carried out.

    A unit is whole or absent, as SQLite promises; a process may be killed before it or after it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._scheduler: Scheduler | None = None
        self._random = Random()
        self._rate = 0.0
        self._cover: Callable[[str], None] = lambda _: None
        self._local = threading.local()

    def attach(self, scheduler: Scheduler, random: Random, rate: float, cover: Callable[[str], None]) -> None:
        """Make units of work steps of a history."""
        self._scheduler, self._random, self._rate, self._cover = scheduler, random, rate, cover

    def detach(self) -> None:
        """Carry out every unit from now on."""
        self._scheduler = None

    def enter(self, process: Process) -> None:
        """Tell whose units this thread asks for."""
        self._local.process = process

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Let the judge read in peace."""
        scheduler, self._scheduler = self._scheduler, None
        try:
            yield
        finally:
            self._scheduler = scheduler

    def run(self, work: Callable[[], T]) -> T:
        """Run a unit of work, between two steps."""
        scheduler = self._scheduler
        process = getattr(self._local, "process", None)
        if scheduler is None or process is None:
            return super().run(work)
        scheduler.step(process, "journal: before")
        if self._random.random() < self._rate:
            self._cover("fault disk full")
            raise sqlite3.OperationalError("database or disk is full")
        found = super().run(work)
        scheduler.step(process, "journal: after")
        return found


_shared: dict[str, Any] = {}
HISTORIES_PER_JOURNAL = 500


def get_runner(seed: int) -> FaultyRunner:
    """Return the runner of this process's journal.

    The journal is made anew now and then, so that it stays small, and for a seed that is in it.
    """
    seeds = _shared.setdefault("seeds", set())
    if "journal" not in _shared or seed in seeds or len(seeds) == HISTORIES_PER_JOURNAL:
        forget_journal()
        _shared["runner"] = FaultyRunner()
        _shared["journal"] = Journal(IN_MEMORY, runner=_shared["runner"])
    _shared.setdefault("seeds", set()).add(seed)
    return _shared["runner"]


def forget_journal() -> None:
    """Let the next history make a journal of its own."""
    if "journal" in _shared:
        _shared["journal"].close()
    _shared.clear()


def get_journal() -> Journal:
    return _shared["journal"]
