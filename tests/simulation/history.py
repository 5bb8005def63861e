"""One history: what people and processes do, in which order, and what goes wrong; one seed decides everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from msgspec.structs import replace

from cenports_nb.errors import CenportsError, InvalidRequestError
from cenports_nb.stock.guards import history_guards
from cenports_nb.submissions.evidence.manual_resolution import resolve
from cenports_nb.submissions.evidence.verify import verify
from cenports_nb.submissions.journal.locks import SubmissionLocks
from cenports_nb.submissions.journal.queries import find_conflicting_updates, find_live_orders
from cenports_nb.submissions.orders.acknowledge_orders import send_acknowledgements
from cenports_nb.submissions.rules.models import Batch, Head, Row
from cenports_nb.submissions.rules.states import UNSETTLED_OUTCOMES
from cenports_nb.submissions.sending.canary import CANARY_DETAIL, send_with_canary
from cenports_nb.submissions.sending.look import (
    OPEN_LINES_DETAIL,
    OrderLook,
    StockLook,
    StockReading,
    read_open_lines_query,
    read_open_quantities,
)
from cenports_nb.submissions.sending.resend import resume, retry
from cenports_nb.submissions.sending.sender import Sender, close_if_crashed, list_parcels
from cenports_nb.submissions.tracking.poller import poll_transaction
from simulation.coverage import cover_transitions
from simulation.faulty_journal import get_journal, get_runner
from simulation.gateway import Client, SimulatedClock, SimulatedGateway, SimulatedLocks
from simulation.judge import Judge, VerdictError
from simulation.planning import cut_into_batches, plan_row
from simulation.scheduler import Faults, Killed, Machine, Process, Scheduler
from simulation.world import WRITE_FAULTS, FaultRates, World

HOME = Path("simulated")
SKUS, FEW_SKUS = 6, 2


class History:
    """A random history.

    Args:
        seed: Decides everything.
        length: How many actions.
        cover: Takes the name of what was covered.
        skus: How many one warehouse has, the other half of it; with few, changes meet more often.
    """

    def __init__(self, seed: int, length: int, cover: Callable[[str], None] = lambda _: None, skus: int = SKUS) -> None:
        self.random = Random(seed)
        self.length = length
        self.covered: set[str] = set()

        def note(name: str) -> None:
            self.covered.add(name)
            cover(name)

        self.cover = note
        self.steps: list[str] = []
        self.machine = Machine()
        chosen = self.random.sample(WRITE_FAULTS, self.random.randint(0, 4))
        # A change that comes after an hour is known by its transaction alone: nobody can tell who loses the handle.
        loses_handles = "very_late" not in chosen
        if not loses_handles and "other_handle" in chosen:
            chosen.remove("other_handle")
        rates = FaultRates(dict.fromkeys(chosen, 0.25), self.random.choice((0, 0, 0.2)) if loses_handles else 0)
        self.world = World(self.random, self.machine, rates, self.cover, skus)
        self.account = f"sandbox|{seed}"
        self._runner = get_runner(seed)
        self.journal = get_journal()
        self.world.list_known_handles = self._list_handles
        self.judge = Judge(self.world, self.machine, self.journal, self._runner.pause)
        faults = Faults(
            kill=self.random.choice((0, 0, 0.03, 0.1)) if loses_handles else 0,
            suspend=self.random.choice((0, 0, 0.03)),
            delay=self.random.choice((0, 0, 0.04)),
            # Without a `Date` a process that begins has the wall clock alone, and nobody can tell that it was set.
            shift_wall=self.random.choice((0, 0, 0.03)) if self.world.has_date else 0,
            switch=self.random.choice((0, 0.3, 0.8)),
        )
        self.scheduler = Scheduler(self.random, self.machine, faults, self._record)
        disk_full = self.random.choice((0, 0, 0, 0.02)) if loses_handles else 0
        self._runner.attach(self.scheduler, self.random, disk_full, self.cover)
        self._locks = SimulatedLocks()
        self._clients = [self._start("a"), self._start("b")]
        self._names = 0
        self.submissions: list[str] = []

    def run(self) -> None:
        """Run it, and judge it after each action and once everything has healed.

        Raises:
            VerdictError: An invariant does not hold.
        """
        try:
            for _ in range(self.length):
                tasks = [self._choose(0)]
                if self.random.random() < 0.25:
                    tasks.append(self._choose(1))
                self.scheduler.run(tasks)
                for index, client in enumerate(self._clients):
                    if client.process.is_dead:
                        self._names += 1
                        self._clients[index] = self._start(f"{client.process.name[0]}{self._names}")
                if self.random.random() < 0.3:
                    self.judge.check()
            self._heal()
            cover_transitions(self.journal, self.judge.rows, self.cover)
        finally:
            self._runner.detach()

    def _record(self, step: str) -> None:
        """Write down what happened to a process; its kind is a fault."""
        self.steps.append(step)
        kind = next(kind for kind in ("killed", "suspended", "delayed", "wall clock") if kind in step)
        self.cover(f"fault {kind}")

    def _list_handles(self) -> list[str]:
        with self._runner.pause():
            batches = [batch for name in self.submissions for batch in self.journal.batches(name)]
        return [batch.handle for batch in batches if batch.handle is not None]

    def _start(self, name: str) -> Client:
        process = Process(name)
        gateway = SimulatedGateway(
            self.world, self.machine, process, self.scheduler, self.judge.check_arrival, self.judge.read_at
        )
        clock = SimulatedClock(self.machine, process, self.scheduler)
        return Client(process, gateway, SubmissionLocks(HOME, self._locks.build(process), clock))

    def _choose(self, index: int) -> tuple[Process, Callable[[], None]]:
        client = self._clients[index]
        actions: list[tuple[int, str, Callable[[Client], None]]] = [
            (5, "submit", self._submit), (1, "orders", self._create_orders), (1, "acknowledge", self._acknowledge),
            (2, "sale", self._sell), (3, "time", self._wait),
        ]  # fmt: skip
        if self.submissions:
            actions += [
                (2, "submit again", self._submit_again), (2, "resume the last", self._resume_last), (3, "resume", self._resume), (3, "retry", self._retry), (4, "verify", self._verify),
                (3, "poll", self._poll), (1, "resolve", self._resolve),
            ]  # fmt: skip
        (weights, names, acts) = zip(*actions, strict=True)
        chosen = self.random.choices(range(len(acts)), weights)[0]

        def work() -> None:
            self.steps.append(f"{client.process.name}: {names[chosen]}")
            self.cover(f"action {names[chosen]}")
            self._runner.enter(client.process)
            try:
                acts[chosen](client)
            except CenportsError as error:
                self.steps.append(f"  {type(error).__name__}: {error}")
            except Killed:
                pass

        return client.process, work

    def _submit(self, client: Client) -> None:
        """What `submit_updates` does, over plain values."""
        keys = sorted(self.random.sample(sorted(self.world.stock), self.random.randint(1, 3)))
        kind = self.random.choice(("TRUE_UP", "DIFFERENTIAL"))
        reference = self.random.choice((None, None, "DELIVERY-1", "DELIVERY-2"))
        references = [reference and f"{reference}-{item % 2}" for item in range(len(keys))]
        self._submit_rows(client, kind, list(zip(keys, references, strict=True)))

    def _submit_again(self, client: Client) -> None:
        """The same document once more, or some rows of it, as of the stock now."""
        rows = self.random.choice([rows for rows in self.judge.rows.values() if rows[0].product_sku] or [[]])
        if rows:
            chosen = self.random.sample(rows, self.random.randint(1, len(rows)))
            asked = sorted((row.stock_key, row.reference) for row in chosen)
            self._submit_rows(client, rows[0].type or "", asked)

    def _submit_rows(self, client: Client, kind: str, asked: Sequence[tuple[tuple[str, str], str | None]]) -> None:
        head = self._head("stock", self.random.choice(("raise", "rebase", "rebase", "drop", "force")))
        accepts_in_flight = self.random.random() < 0.15
        size, canary = self.random.randint(1, 3), self.random.random() < 0.2
        details: dict[str, Any] = {}
        if canary and len(asked) > 1:
            details, size = {CANARY_DETAIL: 1}, 1
        if kind == "TRUE_UP" and head.on_stale != "force" and self.random.random() < 0.4:
            details[OPEN_LINES_DETAIL] = {}
        head = replace(head, details=msgspec.json.encode(details).decode() if details else None)
        open_lines = read_open_lines_query(head)
        open_quantities = read_open_quantities(client.gateway, open_lines)
        with client.locks.hold_planning(self.account):
            began, position = client.gateway.now(), self.journal.position()
            levels = client.gateway.read_stock({code for (code, _), _ in asked})
            rows = [
                plan_row(self.random, head, item, key, kind, reference, levels.get(key) or 0, began.wall.isoformat())
                for item, (key, reference) in enumerate(asked)
            ]
            if open_quantities is not None:
                rows = [replace(row, open_quantity=open_quantities.get(row.stock_key, 0)) for row in rows]
            in_the_way = {} if accepts_in_flight else self._find_conflicts(client, head, rows)
            if in_the_way or self._is_repeated(rows):
                self.steps.append("  refused by a guard")
                return
            batches, rows = cut_into_batches([replace(row, before_position=position) for row in rows], size)
            if self.random.random() < 0.1 and not details:
                batches[-1] = replace(batches[-1], state="held")
                rows = [replace(r, outcome="held") if r.batch == batches[-1].batch else r for r in rows]
            locks = client.locks.hold_sending(head.submission_id)
            locks.__enter__()
            try:
                self._add(head, batches, rows, client.gateway.moves_seen)
            except BaseException:
                locks.__exit__(None, None, None)
                raise
        try:
            codes = {row.warehouse_code or "" for row in rows}
            checked = StockReading(levels, began, position, open_quantities)
            look = StockLook(client.gateway, self.journal, head, codes, open_lines, checked)
            sender = Sender(client.gateway, self.journal, head, look)
            send_with_canary(
                sender, lambda rule: list_parcels(self.journal, head, rule),
                lambda batches, _: self._poll_until(client, head.submission_id), False,
            )  # fmt: skip
        finally:
            locks.__exit__(None, None, None)

    def _find_conflicts(self, client: Client, head: Head, rows: Sequence[Row]) -> dict[int, str]:
        return find_conflicting_updates(self.journal, head, rows, client.gateway.now(), client.gateway.settle)

    def _create_orders(self, client: Client) -> None:
        numbers = self.random.sample(["A1", "A2", "A3", "A4"], self.random.randint(1, 2))
        with client.locks.hold_planning(self.account):
            checked = client.gateway.now()
            if client.gateway.explain_existing_orders("C", numbers) or find_live_orders(
                self.journal, self.account, "C", numbers
            ):
                return
            head = self._head("orders")
            rows = [
                Row(head.submission_id, i, 0, i, channel_id="C", order_no=number, payload="{}")
                for i, number in enumerate(numbers)
            ]
            locks = client.locks.hold_sending(head.submission_id)
            locks.__enter__()
            self._add(head, [Batch(head.submission_id, 0, "C", len(rows))], rows)
        try:
            look = OrderLook(client.gateway, self.journal, head, checked)
            sender = Sender(client.gateway, self.journal, head, look)
            sender.send(list_parcels(self.journal, head, lambda _: True), False)
        finally:
            locks.__exit__(None, None, None)

    def _acknowledge(self, client: Client) -> None:
        head = self._head("acknowledgement")
        numbers = self.random.sample(["B1", "B2", "B3"], 2)
        rows = [Row(head.submission_id, i, 0, i, channel_id="C", order_no=number) for i, number in enumerate(numbers)]
        with client.locks.hold_sending(head.submission_id):
            self._add(head, [Batch(head.submission_id, 0, "C", len(rows))], rows)
            send_acknowledgements(client.gateway, self.journal, head, False)

    def _sell(self, _: Client) -> None:
        move = self.world.move_demand if self.random.random() < 0.5 else self.world.move_foreign
        self.steps.append(f"  {move()}")

    def _wait(self, _: Client) -> None:
        self.machine.advance(self.random.choice((1, 70, 400, 1_300, 4_000)))

    def _resume(self, client: Client) -> None:
        self._resume_one(client, self._pick())

    def _resume_last(self, client: Client) -> None:
        """What a person does at once who sees that something went wrong."""
        self._resume_one(client, self.journal.head(self.submissions[-1]))

    def _resume_one(self, client: Client, head: Head) -> None:
        resume(
            client.gateway, self.journal, client.locks, head,
            lambda batches, _: self._poll_until(client, head.submission_id), False,
        )  # fmt: skip

    def _retry(self, client: Client) -> None:
        head = self._pick()
        retry(
            client.gateway, self.journal, client.locks, head,
            lambda batches, _: self._poll_until(client, head.submission_id), False,
        )  # fmt: skip

    def _verify(self, client: Client) -> None:
        head = self._pick()
        self._close_crashed(client, head)
        verify(client.gateway, self.journal, head)

    def _poll(self, client: Client) -> None:
        self._poll_all(client, self._pick().submission_id)

    def _resolve(self, client: Client) -> None:
        """A person who looks, once nothing is on its way, and says what is true."""
        head = self._pick()
        self._close_crashed(client, head)
        rows = self.journal.rows(head.submission_id, outcomes=("not_sent", "held", *UNSETTLED_OUTCOMES))
        if rows and not self.world.pending:
            self._say_truth(client, head, self.random.choice(rows))

    def _say_truth(self, client: Client, head: Head, row: Row) -> None:
        effects = self.world.effects.get((row.submission_id, row.item), ())
        seen = any(effect.done_at is not None for effect in effects)
        name = row.product_sku or row.order_no or ""
        try:
            resolve(client.gateway, self.journal, head, name, "applied" if seen else "not_applied", "looked")
        except InvalidRequestError as error:
            self.steps.append(f"  {error}")

    def _poll_until(self, client: Client, submission_id: str) -> None:
        for _ in range(4):
            self.machine.advance(300)
            self._poll_all(client, submission_id)

    def _poll_all(self, client: Client, submission_id: str) -> None:
        for batch in self.journal.batches(submission_id):
            if batch.state == "accepted":
                try:
                    poll_transaction(client.gateway, self.journal, batch)
                except CenportsError as error:
                    self.steps.append(f"  poll: {error}")

    def _heal(self) -> None:
        """Nothing goes wrong any more, everything lands, and a person settles what evidence can't."""
        self.scheduler.active = False
        self._runner.detach()
        self.world.heal()
        self.machine.set_wall(0)
        client = self._start("healer")
        for minutes in (70, 2, 150, 25, 2):
            self.machine.advance(60 * minutes)
            for name in self.submissions:
                head = self.journal.head(name)
                self._close_crashed(client, head)
                self._poll_all(client, name)
                verify(client.gateway, self.journal, head)
        self.judge.check()
        for name in self.submissions:
            head = self.journal.head(name)
            for row in self.journal.rows(name, outcomes=UNSETTLED_OUTCOMES):
                self._say_truth(client, head, row)
        self.judge.check(is_final=True)

    def _close_crashed(self, client: Client, head: Head) -> None:
        close_if_crashed(client.gateway, self.journal, client.locks, head.submission_id)

    def _pick(self) -> Head:
        return self.journal.head(self.random.choice(self.submissions))

    def _head(self, kind: str, on_stale: str = "raise") -> Head:
        self._names += 1
        created = self.machine.now().isoformat()
        return Head(
            f"{self.account}-{self._names}",
            kind,
            "sandbox",
            self.account,
            "P",
            created,
            on_stale=on_stale,
            made_by="somebody",
        )

    def _add(self, head: Head, batches: Sequence[Batch], rows: Sequence[Row], moves_seen: int = 0) -> None:
        self.journal.add(head, batches, rows)
        self.judge.moves_seen[head.submission_id] = moves_seen
        self.submissions.append(head.submission_id)
        self.judge.rows[head.submission_id] = list(rows)

    def _is_repeated(self, rows: Sequence[Row]) -> bool:
        """Tell whether a document is booked already, as the guard does."""
        outcomes = ", ".join(map(repr, (*history_guards.POSSIBLY_APPLIED, "sending")))
        query = (
            "SELECT 1 FROM row JOIN submission USING (submission_id) WHERE account = ? AND row.reference = ? "
            f"AND product_sku = ? AND warehouse_code = ? AND type = 'DIFFERENTIAL' AND outcome IN ({outcomes})"
        )
        return any(
            row.reference is not None
            and any(
                True
                for _ in self.journal.select(query, (self.account, row.reference, row.product_sku, row.warehouse_code))
            )
            for row in rows
        )


__all__ = ["History", "VerdictError"]
