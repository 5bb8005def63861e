"""The judge: the invariants of writes, against the server's own book."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.rules.models import Batch, Head, Row
from cenports_nb.submissions.sending.canary import CANARY_DETAIL
from simulation.scheduler import Machine
from simulation.world import Effect, World, find_open_effects

MAX_EVIDENCE_SECONDS = 301
NOTHING_HAPPENED = ("rejected", "not_applied", "not_sent", "held", "dropped")


class VerdictError(AssertionError):
    """An invariant does not hold."""


class Judge:
    """Looks at each arrival, and at the whole after each action.

    Args:
        world: The server's book.
        machine: The time.
        journal: What is written down.
        pause: Keeps faults away while the judge reads.
    """

    def __init__(
        self, world: World, machine: Machine, journal: Journal, pause: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._world = world
        self._pause = pause
        self._machine = machine
        self._journal = journal
        self.rows: dict[str, list[Row]] = {}
        self.read_at: dict[str, float] = {}
        self.moves_seen: dict[str, int] = {}

    def check_arrival(self, head: Head, batch: Batch, rows: Sequence[Row]) -> None:
        """Judge what arrives: it was written down first, with these numbers, and compared with fresh stock."""
        with self._pause():
            written = {row.item: row for row in self._journal.rows(head.submission_id, batch.batch)}
        self._check_canary(head, rows)
        for row in rows:
            known = written.get(row.item)
            if known is None or known.outcome != "sending" or known.quantity != row.quantity:
                raise VerdictError(
                    f"written down first: row {row.item} of {head.submission_id} arrives as {row}, journal {known}"
                )
            self._check_freshness(head, row)
            self._check_numbers(head, row)
            self._check_demand(head, row)

    def _check_canary(self, head: Head, rows: Sequence[Row]) -> None:
        size = int(head.get_detail(CANARY_DETAIL) or 0)
        if all(row.item < size for row in rows):
            return
        with self._pause():
            first = [row for row in self._journal.rows(head.submission_id) if row.item < size]
        if any(row.outcome != "applied" for row in first):
            raise VerdictError(f"canary: {head.submission_id} goes on after {[row.outcome for row in first]}")

    def _check_freshness(self, head: Head, row: Row) -> None:
        if head.kind != "stock" or row.exposed or row.before_at is None:
            return
        read_at = self.read_at.get(row.before_at)
        if read_at is None or all(
            any(read_at <= at for at in times) for times in (self._machine.set_back_at, self._machine.suspended_at)
        ):
            return  # a clock that is set back by as much as the machine slept can't be reported from neither
        age = self._machine.elapsed - read_at
        if age > MAX_EVIDENCE_SECONDS:
            raise VerdictError(f"fresh: row {row.item} of {head.submission_id} leaves {age:.0f} s after stock was read")

    def _check_numbers(self, head: Head, row: Row) -> None:
        if row.product_sku is None or row.before_quantity is None or row.target is None or row.exposed:
            return
        drop = row.before_quantity - row.target
        if row.before_quantity >= 20 and drop > 0.5 * row.before_quantity:
            raise VerdictError(f"judged: row {row.item} of {head.submission_id} takes {drop} of {row.before_quantity}")

    def _check_demand(self, head: Head, row: Row) -> None:
        """Judge a row whose plan added open demand back: it follows the shelf, and no fall that is not a shipment."""
        planned = self.rows[head.submission_id][row.item].quantity
        if row.open_quantity is None or row.exposed or planned is None:
            return
        moves = [move for move in self._world.moves[self.moves_seen[head.submission_id] :] if move.key == row.stock_key]
        read_at = self.read_at.get(row.before_at or "", 0.0)
        for seen, unseen in ((moves[:count], moves[count:]) for count in range(len(moves) + 1)):
            other = sum(move.other for move in seen)
            follows = row.quantity == planned - sum(move.shipped for move in seen) + other and other >= 0
            if follows and all(move.at >= read_at for move in unseen):
                return
        raise VerdictError(f"demand: row {row.item} of {head.submission_id} sets {row.quantity} after {moves}")

    def check(self, *, is_final: bool = False) -> None:
        """Judge every row that was ever handed to a write."""
        for submission_id, rows in self.rows.items():
            with self._pause():
                found = self._journal.rows(submission_id)
            if len(found) != len(rows):
                raise VerdictError(f"nothing vanishes: {submission_id} has {len(found)} of {len(rows)} rows")
            for row in found:
                self._check_row(row, self._world.effects.get((submission_id, row.item), []), is_final=is_final)

        self._check_documents()

    def _check_documents(self) -> None:
        """Judge documents: each changes a SKU by a difference once, whatever it was submitted in."""
        booked: set[tuple[str, str | None, str | None]] = set()
        for submission_id, rows in self.rows.items():
            for row in rows:
                effects = self._world.effects.get((submission_id, row.item), ())
                if row.reference is None or row.type != "DIFFERENTIAL" or not any(e.done_at for e in effects):
                    continue
                document = row.reference, row.warehouse_code, row.product_sku
                if document in booked:
                    raise VerdictError(f"at most once: document {document} is booked twice")
                booked.add(document)

    def _check_row(self, row: Row, effects: Sequence[Effect], *, is_final: bool) -> None:
        name = f"{row.submission_id}/{row.item} ({row.type or row.order_no} {row.quantity}), {row.outcome}"
        done = [effect for effect in effects if effect.done_at is not None]
        coming = find_open_effects(self._world, [(row.submission_id, row.item)])
        self._check_once(name, row, [*done, *coming])
        if row.outcome in NOTHING_HAPPENED and (done or coming):
            raise VerdictError(f"truth: {name}: {len(done)} took effect, {len(coming)} are coming; {row.message}")
        if row.outcome == "applied" and not done and not self._could_be_mistaken(row):
            raise VerdictError(f"truth: {name} did not take effect; {row.message}")
        if is_final and row.outcome in ("sending", "pending", "in_doubt", "unconfirmed"):
            raise VerdictError(f"settled: {name}; {row.message}")

    def _check_once(self, name: str, row: Row, effects: Sequence[Effect]) -> None:
        if row.order_no is not None:
            if len(effects) > 1 and effects[0].row.payload is not None:
                raise VerdictError(f"at most once: {name} created {len(effects)} times")
            return
        if row.type == "DIFFERENTIAL" and len(effects) > 1:
            raise VerdictError(f"at most once: {name} took effect {len(effects)} times")
        if len({effect.row.quantity for effect in effects}) > 1:
            raise VerdictError(f"at most once: {name} set {[effect.row.quantity for effect in effects]}")

    def _could_be_mistaken(self, row: Row) -> bool:
        """Tell whether another submission acknowledged the same order."""
        return row.order_key in self._world.acknowledged
