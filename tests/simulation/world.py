"""The simulated server: stock, orders and transactions, each answer as unpleasant as it may be, and its own book."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cenports_nb.api.models import Transaction
from cenports_nb.errors import (
    ApiError,
    AuthenticationError,
    BusinessError,
    CenportsError,
    InvalidRequestError,
    RateLimitedError,
    TransportError,
    UnexpectedAnswerError,
)
from cenports_nb.submissions.rules.models import Row
from simulation.scheduler import Machine

RowKey = tuple[str, int]
"""Submission and item: what a row is, wherever it is sent."""

REFUSALS = (400, 401, 403, 404, 413, 422, 429)
AMBIGUOUS = (303, 408, 409, 499, 500, 502, 504)
FINAL_WORDS = ("PARTIALLY_COMPLETED", "CANCELLED", "ERROR", "ROLLED_BACK")


@dataclass
class Effect:
    """A change that the server carries out, or has."""

    row: Row
    due: float
    transaction: SimulatedTransaction
    done_at: float | None = None
    is_cancelled: bool = False


@dataclass
class SimulatedTransaction:
    """What the server knows of one write."""

    handle: str
    ends_at: float
    errors: Any = None
    final: str = "COMPLETED"
    effects: list[Effect] = field(default_factory=list)


@dataclass(frozen=True)
class Move:
    """Units that were shipped for an open order, or moved by another system or a write."""

    at: float
    key: tuple[str, str]
    shipped: int = 0
    other: int = 0


class World:
    """The server, and the other systems that sell from its stock."""

    def __init__(
        self, random: Random, machine: Machine, faults: FaultRates, cover: Callable[[str], None], skus: int
    ) -> None:
        self.random = random
        self.machine = machine
        self.faults = faults
        self.cover = cover
        self.stock = {("W", f"S{i}"): 10_000 for i in range(skus)} | {("V", f"T{i}"): 30 for i in range(skus // 2)}
        self.orders: set[tuple[str, str]] = set()
        self.acknowledged: set[tuple[str, str]] = set()
        self.has_date = random.random() < 0.8
        self._foreign = 0
        self.open_units = dict.fromkeys(self.stock, 0)
        self.moves: list[Move] = []
        self.transactions: dict[str, SimulatedTransaction] = {}
        self.list_known_handles: Callable[[], list[str]] = list
        self.effects: dict[RowKey, list[Effect]] = {}
        self.pending: list[Effect] = []
        machine.on_advance = self.settle

    def settle(self) -> None:
        """Carry out what is due."""
        due = [effect for effect in self.pending if effect.due <= self.machine.elapsed]
        if due:
            self.pending = [effect for effect in self.pending if effect.due > self.machine.elapsed]
            for effect in sorted(due, key=lambda effect: effect.due):
                self._carry_out(effect)

    def move_foreign(self) -> str:
        """Let another system sell or receive, by so much that no sum of changes of our own looks like it by chance."""
        key = self.random.choice(sorted(self.stock))
        self._foreign += 1
        units = self.random.choice((-6_043, -4_027, -2_011, 5_077)) + 101 * self._foreign
        if self.stock[key] + units < 0:
            units = 10_000 + 101 * self._foreign
        self.stock[key] += units
        self.moves.append(Move(self.machine.elapsed, key, other=units))
        return f"{key} {units:+}"

    def move_demand(self) -> str:
        """Let an order be placed, or one of those that are open be shipped from the warehouse that can."""
        key = self.random.choice([key for key in sorted(self.stock) if key[0] == "W"])
        units = min(self.open_units[key], self.stock[key], self.random.choice((400, 600)))
        if units and self.random.random() < 0.6:
            self.stock[key] -= units
            self.open_units[key] -= units
            self.moves.append(Move(self.machine.elapsed, key, shipped=units))
            return f"{key} ships {units}"
        self.open_units[key] += 600
        return f"{key} is ordered, 600"

    def receive(self, rows: Sequence[Row]) -> Transaction:
        """Take in a write and answer it, or fail to; see `FaultRates`.

        Raises:
            CenportsError: What the client sees instead of a good answer.
        """
        fault = self.faults.draw(self.random)
        if fault:
            self.cover(f"fault {fault}")
        if fault == "refused":
            raise _refuse(self.random.choice(REFUSALS))
        if fault == "unreached":
            raise TransportError("refused", reached=False)
        if fault == "lost_request":
            raise TransportError("reset")
        if fault == "ambiguous_before":
            raise ApiError("error", status=self.random.choice(AMBIGUOUS))
        transaction = self._accept(rows, fault)
        if fault == "lost_answer":
            raise TransportError("reset after it was sent")
        if fault == "ambiguous_after":
            raise ApiError("error", status=self.random.choice(AMBIGUOUS))
        if fault == "unreadable":
            raise UnexpectedAnswerError("html")
        known = self.list_known_handles() if fault == "other_handle" else []
        if known:
            # One that is written down: of an answer that was lost nobody could tell.
            return Transaction(handle=self.random.choice(known), status="QUEUED")
        return Transaction(handle=transaction.handle, status="PROCESSING")

    def tell(self, handle: str) -> Transaction:
        """Answer GET /transaction.

        Raises:
            CenportsError: What the client sees instead.
        """
        if self.random.random() < self.faults.poll:
            kind = self.random.choice(("swapped", "error", "forgotten"))
            self.cover(f"fault poll {kind}")
            if kind == "error":
                raise TransportError("reset")
            if kind == "forgotten":
                raise ApiError("gone", status=404)
            handle = self.random.choice(list(self.transactions))
        known = self.transactions[handle]
        ended = self.machine.elapsed >= known.ends_at
        return Transaction(
            handle=known.handle.upper() if self.random.random() < 0.2 else known.handle,
            status=known.final if ended else self.random.choice(("QUEUED", "PROCESSING", "Queued")),
            completed_at="2026-03-01T12:00:00+00:00" if ended and known.final == "COMPLETED" else None,
            errors=known.errors if ended else None,
        )

    def heal(self) -> None:
        """From now on nothing goes wrong."""
        self.faults = FaultRates()

    def _accept(self, rows: Sequence[Row], fault: str | None) -> SimulatedTransaction:
        delay = self.random.choice((0, 5, 60, 600, 890))
        is_synchronous = rows[0].order_no is not None and rows[0].payload is None
        if is_synchronous and fault not in ("lost_answer", "ambiguous_after", "unreadable"):
            delay = 0
        elif fault == "very_late":
            delay = 3_500
        transaction = SimulatedTransaction(f"h-{len(self.transactions)}", self.machine.elapsed + delay)
        self.transactions[transaction.handle] = transaction
        failing = self._choose_failing(rows, fault)
        for position, row in enumerate(rows):
            effect = Effect(row, transaction.ends_at, transaction, is_cancelled=position in failing)
            transaction.effects.append(effect)
            self.effects.setdefault((row.submission_id, row.item), []).append(effect)
            if not effect.is_cancelled:
                self.pending.append(effect)
        self._report(transaction, failing, fault)
        self.settle()
        return transaction

    def _choose_failing(self, rows: Sequence[Row], fault: str | None) -> set[int]:
        is_synchronous = rows[0].order_no is not None and rows[0].payload is None
        if is_synchronous or fault not in ("failed", "failed_unnamed", "completed_unnamed", "odd_index", "final_word"):
            return set()
        return {position for position in range(len(rows)) if self.random.random() < 0.5}

    def _report(self, transaction: SimulatedTransaction, failing: set[int], fault: str | None) -> None:
        named = [{"index": position, "message": "no"} for position in sorted(failing)]
        if fault == "failed":
            transaction.final, transaction.errors = "FAILED", named
        elif fault == "failed_unnamed":
            transaction.final, transaction.errors = "FAILED", self.random.choice((None, "no", [["x", "no"]]))
        elif fault == "completed_unnamed" and failing:
            transaction.errors = self.random.choice((["no"], {"message": "no"}, [{"index": 99, "message": "no"}]))
        elif fault == "odd_index":
            transaction.final = "FAILED"
            transaction.errors = self.random.choice((
                [[str(position), "no"] for position in sorted(failing)],
                {str(position): ["no", "no"] for position in sorted(failing)},
                [{"index": position + 1_000, "message": "no"} for position in failing],
                [{"index": True, "message": "no"}],
                [{"index": -1, "message": "no"}, *named],
            ))  # fmt: skip
        elif fault == "final_word":
            transaction.final = self.random.choice(FINAL_WORDS)

    def _carry_out(self, effect: Effect) -> None:
        row = effect.row
        effect.done_at = self.machine.elapsed
        if row.order_no is not None:
            (self.orders if row.payload is not None else self.acknowledged).add(row.order_key)
            return
        key = row.stock_key
        quantity, before = row.quantity or 0, self.stock[key]
        self.stock[key] = quantity if row.type == "TRUE_UP" else before + quantity
        self.moves.append(Move(effect.done_at, key, other=self.stock[key] - before))


@dataclass
class FaultRates:
    """How likely each fault of an answer is."""

    rates: dict[str, float] = field(default_factory=dict)
    poll: float = 0.0

    def draw(self, random: Random) -> str | None:
        """Choose what goes wrong with one write, if anything does."""
        chance = random.random()
        for name, rate in self.rates.items():
            if chance < rate:
                return name
            chance -= rate
        return None


WRITE_FAULTS = (
    "refused", "unreached", "lost_request", "ambiguous_before", "lost_answer", "ambiguous_after", "unreadable",
    "other_handle", "very_late", "failed", "failed_unnamed", "completed_unnamed", "odd_index", "final_word",
)  # fmt: skip


def _refuse(status: int) -> CenportsError:
    if status == 400:
        return BusinessError("no", status=400, code="1", errors=["no"])
    if status == 401:
        return AuthenticationError("no", status=401)
    if status == 422:
        return InvalidRequestError("no", status=422, errors={"inventories": ["may not have more than 1 items"]})
    if status == 429:
        return RateLimitedError("later", retry_after=5)
    return ApiError("no", status=status)


def find_open_effects(world: World, rows: Iterable[RowKey]) -> list[Effect]:
    """List the effects of rows that are yet to come."""
    return [effect for row in rows for effect in world.effects.get(row, ()) if effect in world.pending]
