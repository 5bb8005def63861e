"""The simulated client: the ports of writes over the simulated server, with a step before and after each call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cenports_nb.api.http.adapter import NotDepartedError
from cenports_nb.api.models import Transaction
from cenports_nb.errors import AuthenticationError, TransportError
from cenports_nb.stock.plans.metadata import OpenLinesQuery
from cenports_nb.submissions.journal.locks import SubmissionLocks
from cenports_nb.submissions.journal.write_kinds import get_write_kind
from cenports_nb.submissions.ports import OrderKey, StockLevels
from cenports_nb.submissions.rules.models import Batch, Head, Row
from cenports_nb.submissions.rules.moments import Moment
from simulation.scheduler import Machine, Process, Scheduler
from simulation.world import World


class SimulatedGateway:
    """What a simulated process sees of Cenports.

    Args:
        world: The server.
        machine: Whose clocks it reads.
        process: Whose steps these are.
        scheduler: What happens between them.
        check_arrival: Judges what arrives at the server.
        reported: When each time that the wall clock showed really was, the last time that it was read.
    """

    settle = timedelta(minutes=20)

    def __init__(
        self,
        world: World,
        machine: Machine,
        process: Process,
        scheduler: Scheduler,
        check_arrival: Callable[[Head, Batch, Sequence[Row]], None],
        reported: dict[str, float],
    ) -> None:
        self._catch_warnings = reported
        self._world = world
        self._machine = machine
        self._process = process
        self._scheduler = scheduler
        self._check_arrival = check_arrival
        self._random = world.random
        self.moves_seen = 0

    def now(self) -> Moment:
        """Read every clock."""
        monotonic = self._machine.monotonic()
        server: datetime | None = None
        if self._process.server_date is not None:
            date, read_at = self._process.server_date
            server = date + timedelta(seconds=monotonic - read_at)
        self._catch_warnings[self._machine.now().isoformat()] = self._machine.elapsed
        return Moment(self._machine.now(), monotonic, self._process.name, server)

    def learn_time(self) -> None:
        """Ask for a token."""
        with self._call("learn time"):
            self._hear()

    def reserve(self) -> float:
        """Wait for the rate limit, sometimes for long."""
        with self._call("reserve"):
            self._hear()  # of the token
            if self._scheduler.active and self._random.random() < 0.02:
                raise AuthenticationError("no token", status=401) if self._random.random() < 0.5 else _unreached()
            self._machine.advance(self._random.choice((0, 0, 0, 1, 61, 500)) if self._scheduler.active else 0)
        return 0.0

    def send(
        self, head: Head, batch: Batch, rows: Sequence[Row], slot: float, may_depart: Callable[[], bool]
    ) -> Transaction | None:
        """Send a batch."""
        with self._call("send"):
            if not may_depart():
                raise NotDepartedError
            self._check_arrival(head, batch, rows)
            transaction = self._world.receive(rows)
            self._hear()
        return None if get_write_kind(head).is_synchronous else transaction

    def pause(self, seconds: float) -> None:
        """Wait, as the server asked to."""
        self._machine.advance(seconds)

    def read_transaction(self, handle: str) -> Transaction:
        """Ask for a transaction."""
        with self._call("read transaction"):
            self._hear()
            return self._world.tell(handle)

    def read_stock(self, warehouse_codes: Iterable[str]) -> StockLevels:
        """Read stock."""
        with self._call("read stock"):
            if self._scheduler.active and self._random.random() < 0.02:
                raise TransportError("reset")
            self._hear()
            self.moves_seen = len(self._world.moves)
            return dict(self._world.stock)

    def read_open_quantities(self, query: OpenLinesQuery) -> dict[tuple[str, str], int]:
        """Read open demand."""
        with self._call("read open lines"):
            self._hear()
            return {key: units for key, units in self._world.open_units.items() if units}

    def explain_existing_orders(self, channel_id: str, numbers: Sequence[str]) -> dict[str, str]:
        """Look up orders."""
        found = self.find_orders([(channel_id, number) for number in numbers])
        return {number: "channel has it already" for _, number in found}

    def find_orders(self, keys: Iterable[OrderKey]) -> set[OrderKey]:
        """Look up orders."""
        with self._call("find orders"):
            self._hear()
            return self._world.orders.intersection(keys)

    def find_acknowledgements(self, keys: Iterable[OrderKey]) -> dict[OrderKey, bool]:
        """Look up acknowledgements."""
        with self._call("find acknowledgements"):
            self._hear()
            return {key: key in self._world.acknowledged for key in keys}

    def find_acknowledged_shipments(self, keys: Iterable[OrderKey]) -> set[OrderKey]:
        """Look up acknowledgements."""
        with self._call("find shipments"):
            return self._world.acknowledged.intersection(keys)

    def write_started(self, batch: Batch) -> None:
        """Nothing is cached here."""

    def write_ended(self, batch: Batch) -> None:
        """Nothing is cached here."""

    @contextmanager
    def _call(self, name: str) -> Iterator[None]:
        self._scheduler.step(self._process, f"{name}: before")
        yield
        self._scheduler.step(self._process, f"{name}: after")

    def _hear(self) -> None:
        """Take note of the `Date` of an answer, if it has one."""
        if self._world.has_date:
            self._process.server_date = self._machine.server_now(), self._machine.monotonic()


@dataclass
class Client:
    """A simulated process with what it needs to write."""

    process: Process
    gateway: SimulatedGateway
    locks: SubmissionLocks


class SimulatedLocks:
    """The locks of a machine: they fall with the process that holds them."""

    def __init__(self) -> None:
        self._holders: dict[str, Process] = {}

    def build(self, process: Process) -> Callable[[Path], Callable[[], None] | None]:
        """Make what takes a lock for a process."""

        def try_lock(path: Path) -> Callable[[], None] | None:
            holder = self._holders.get(path.name)
            if holder is not None and not holder.is_dead:
                return None
            self._holders[path.name] = process

            def release() -> None:
                if self._holders.get(path.name) is process:
                    del self._holders[path.name]

            return release

        return try_lock


class SimulatedClock:
    """A process's clock; sleeping is instant, and a step."""

    def __init__(self, machine: Machine, process: Process, scheduler: Scheduler) -> None:
        self._machine = machine
        self._process = process
        self._scheduler = scheduler

    def monotonic(self) -> float:
        """Tell what the monotonic clock shows."""
        return self._machine.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._machine.advance(seconds)
        self._scheduler.step(self._process, "sleep")
        self._scheduler.give_way(self._process)


def _unreached() -> TransportError:
    return TransportError("refused", reached=False)
