"""Simulated processes and their one baton: which of them runs, and what happens to it between two steps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Killed(BaseException):
    """The simulated process is no more: from then on each of its steps raises."""


@dataclass
class Machine:
    """The time of the world, and the clocks of the one machine that all simulated processes run on.

    Attributes:
        elapsed: Seconds since the beginning, as they really passed.
        suspended: How many of them the machine slept; its monotonic clock stood still.
        wall_shift: By how much its wall clock was set wrong.
        set_back_at: When the wall clock was set back.
        suspended_at: When it slept: with a wall clock that is set back nobody can tell how long.
    """

    elapsed: float = 0.0
    suspended: float = 0.0
    wall_shift: float = 0.0
    set_back_at: list[float] = field(default_factory=list)
    suspended_at: list[float] = field(default_factory=list)
    on_advance: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        """Tell what the wall clock shows."""
        return START + timedelta(seconds=self.elapsed + self.wall_shift)

    def monotonic(self) -> float:
        """Tell what the monotonic clock shows."""
        return self.elapsed - self.suspended

    def server_now(self) -> datetime:
        """Tell the time at the server, in whole seconds as a `Date` has it."""
        return (START + timedelta(seconds=self.elapsed)).replace(microsecond=0)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.elapsed += seconds
        self.on_advance()

    def suspend(self, seconds: float) -> None:
        """Let time pass while the machine sleeps."""
        self.suspended += seconds
        self.suspended_at.append(self.elapsed)
        self.advance(seconds)

    def set_wall(self, seconds: float) -> None:
        """Set the wall clock wrong by so much."""
        if seconds < self.wall_shift:
            self.set_back_at.append(self.elapsed)
        self.wall_shift = seconds


@dataclass
class Process:
    """A simulated process.

    Attributes:
        name: Its own; nobody compares its monotonic clock with another's.
        is_dead: Whether it was killed.
        server_date: The last `Date` that an answer reported it, and when on its monotonic clock.
        locks: What it holds.
    """

    name: str
    is_dead: bool = False
    server_date: tuple[datetime, float] | None = None
    locks: set[str] = field(default_factory=set)


@dataclass
class Faults:
    """How likely it is, at one step, that the process is killed, sleeps, must wait, or gives the baton away."""

    kill: float = 0.0
    suspend: float = 0.0
    delay: float = 0.0
    shift_wall: float = 0.0
    switch: float = 0.0


class Scheduler:
    """Runs simulated processes, one at a time; the baton changes hands at steps only.

    Args:
        random: Decides everything.
        machine: Whose clocks are moved.
        faults: How likely what is.
        record: Takes what happened, for the list of steps of a failing history.
    """

    def __init__(self, random: Random, machine: Machine, faults: Faults, record: Callable[[str], None]) -> None:
        self._random = random
        self._machine = machine
        self._record = record
        self.faults = faults
        self.active = True
        self._turns: dict[str, threading.Semaphore] = {}
        self._runnable: list[str] = []

    def step(self, process: Process, name: str) -> None:
        """Let what may happen between two instructions of a process happen."""
        if process.is_dead:
            raise Killed
        if not self.active:
            return
        chance = self._random.random()
        faults = self.faults
        if chance < faults.kill:
            process.is_dead = True
            self._record(f"{process.name} is killed at {name}")
            raise Killed
        chance -= faults.kill
        if chance < faults.suspend:
            seconds = self._random.choice((150, 400, 3_600, 100_000))
            self._record(f"suspended for {seconds} s at {name}")
            self._machine.suspend(seconds)
            return
        chance -= faults.suspend
        if chance < faults.delay:
            seconds = self._random.choice((30, 150, 400))
            self._record(f"delayed for {seconds} s at {name}")
            self._machine.advance(seconds)
            return
        chance -= faults.delay
        if chance < faults.shift_wall:
            seconds = self._random.choice((-3_600, -1_500, 0, 1_500, 3_600, 7_200))
            self._record(f"wall clock is off by {seconds} s at {name}")
            self._machine.set_wall(seconds)
            return
        chance -= faults.shift_wall
        if chance < faults.switch and len(self._runnable) > 1:
            self._switch(process)

    def give_way(self, process: Process) -> None:
        """Let another process run while this one waits."""
        if len(self._runnable) > 1:
            self._switch(process)

    def run(self, tasks: Sequence[tuple[Process, Callable[[], None]]]) -> None:
        """Run what several processes do at the same time, until all are done."""
        if len(tasks) == 1:
            self._runnable = []
            tasks[0][1]()
            return
        done = threading.Semaphore(0)
        errors: list[BaseException] = []
        self._turns = {process.name: threading.Semaphore(0) for process, _ in tasks}
        self._runnable = [process.name for process, _ in tasks]

        def work(process: Process, task: Callable[[], None]) -> None:
            self._turns[process.name].acquire()
            try:
                task()
            except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
                errors.append(error)
            self._runnable.remove(process.name)
            if self._runnable:
                self._turns[self._random.choice(self._runnable)].release()
            else:
                done.release()

        threads = [threading.Thread(target=work, args=task) for task in tasks]
        for thread in threads:
            thread.start()
        self._turns[self._runnable[0]].release()
        done.acquire()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def _switch(self, process: Process) -> None:
        other = self._random.choice([name for name in self._runnable if name != process.name])
        self._turns[other].release()
        self._turns[process.name].acquire()
        if process.is_dead:
            raise Killed
