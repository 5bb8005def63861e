"""Test plan, submit, crash, resume, verify and retry in any order: the journal against the server's changes."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.fake_clock import FakeClock
from support.property_examples import share_of_examples

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import GuardRailError, UnexpectedAnswerError
from cenports_nb.sandbox import Clock, Sandbox
from cenports_nb.submissions.context import get_context
from cenports_nb.submissions.journal.queries import list_repeated_updates
from simulation.in_process import Exchange, Killed, connect_in_process

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:The canary of:cenports_nb.errors.CenportsWarning"),
    pytest.mark.filterwarnings("ignore::cenports_nb.errors.PendingWarning"),
]

CALL = "PATCH /inventories"
OPEN = {"pending", "in_doubt", "unconfirmed"}
OUTCOMES = OPEN | {"applied", "rejected", "not_applied", "not_sent", "held", "dropped"}
ROW_GUARDS = ("max_drop", "discontinued", "below_reserved", "max_total_drop", "unknown_sku")
BLOCKING = OPEN | {"not_sent"}
SKUS = ["0003", "0011", "0012", "0019", "0020", "0021"]
FAULTS: dict[str, dict[str, Any]] = {
    "lost": {}, "late_error": {}, "server_error": {}, "drop": {}, "unauthorized": {"times": 2}, "expired_token": {},
    "failed_rows": {"rows": (0,)}, "html": {}, "error_200": {},
}  # fmt: skip


class SubmissionMachine(RuleBasedStateMachine):
    """The model is what the server itself applied; each change has a quantity of its own."""

    @initialize(seconds=st.sampled_from([3, 800]))
    def start(self, seconds: int) -> None:
        self.sandbox = Sandbox(shift=False, rate_limit=None, clock=Clock(), transaction_seconds=seconds)
        self.exchange = Exchange(self.sandbox)
        self.clock = FakeClock(self.sandbox)
        self.folder = Path(tempfile.mkdtemp())
        self.client: Client | None = None
        self.submitted: dict[str, list[tuple[str, str]]] = {}
        self.delivered: set[str] = set()
        self.undone: set[str] = set()
        self.reversals: set[str] = set()
        self.step = 0

    def teardown(self) -> None:
        if not hasattr(self, "sandbox"):
            return
        try:
            self.finish()
        finally:
            if self.client:
                self.client.close()
            shutil.rmtree(self.folder)

    def finish(self) -> None:
        """In the end every row is settled, or was not sent and says why."""
        self.sandbox.faults.clear()
        for name in self.submitted:
            self.opened(name).resume(progress=False).wait(progress=False)
        for minutes in (25, 2, 150, 25, 2):
            self.clock.advance(minutes * 60)
            for name in self.submitted:
                self.opened(name).verify()
        self.check_outcomes()
        _, applied = self.read_server()
        for name in self.submitted:
            submission = self.opened(name)
            for row in submission.changes.query("outcome in @OPEN").itertuples():
                # Only where the stock moved besides may the evidence fail: then a person looks, and says so.
                assert row.product_sku in self.delivered
                seen = applied[(row.product_sku, row.type, row.quantity)]
                submission.resolve(row.product_sku, "applied" if seen else "not_applied", "seen on the shelf")
            outcomes = submission.outcomes
            assert not set(outcomes["outcome"]) & OPEN, outcomes
            assert outcomes.loc[outcomes["outcome"] == "not_sent", "message"].notna().all()
        self.check_outcomes()

    def connect(self) -> Client:
        if self.client is None:
            self.client = connect_in_process(self.sandbox, self.clock, self.exchange, self.folder)
        return self.client

    def opened(self, name: str) -> cn.Submission:
        return cn.open_submission(self.connect(), name)

    def open_skus(self) -> set[str]:
        """The SKUs that a change is in the way of: one that is open, or a repeat that may still take effect."""
        found = [self.opened(name).outcomes for name in self.submitted]
        client = self.connect()
        context = get_context(client)
        now, settle = context.gateway.now(), context.gateway.settle
        repeated = list_repeated_updates(context.journal, client.settings.account, now, settle)
        blocking = {row.product_sku for frame in found for row in frame.itertuples() if row.outcome in BLOCKING}
        return blocking | set(repeated["product_sku"])

    def die(self) -> None:
        """Leave nothing but the files."""
        if self.client is not None:
            self.client.close()
        self.client = None

    def updates(self, skus: list[str], differential: bool) -> pd.DataFrame:
        stock = cn.load_actual_stock(self.connect(), refresh=True).set_index("product_sku").loc[skus].reset_index()
        steps = []
        for _ in skus:
            self.step += 1
            steps.append(self.step)
        change = pd.Series(steps)
        return pd.DataFrame(
            {
                "warehouse_code": stock["warehouse_code"],
                "product_sku": stock["product_sku"],
                "type": pd.Series(["DIFFERENTIAL" if differential else "TRUE_UP"] * len(skus), dtype="str"),
                # Far from any stock, so that a target is nothing that a sum of changes reaches by chance.
                "quantity": change if differential else 1_000_000 + 1_000 * change,
                "current_quantity": stock["quantity"].astype("Int64"),
                "change": (change if differential else 1_000_000 + 1_000 * change - stock["quantity"]).astype("Int64"),
                "known_sku": True,
            }
        )

    @rule(
        skus=st.lists(st.sampled_from(SKUS), min_size=1, max_size=4, unique=True), differential=st.booleans(), fault=st.sampled_from([None, None, *FAULTS]), after=st.integers(0, 2),
        dies=st.sampled_from([None, None, "before", "after"]), batch_size=st.integers(1, 3),
        on_stale=st.sampled_from(["raise", "rebase", "drop", "force"]), canary=st.sampled_from([0, 0, 1]),
    )  # fmt: skip
    def submit(
        self, skus: list[str], differential: bool, fault: str | None, after: int, dies: str | None, batch_size: int,
        on_stale: str, canary: int,
    ) -> None:  # fmt: skip
        client = self.connect()
        skus = [sku for sku in skus if sku not in self.open_skus()]
        if not skus:
            return
        self.clock.advance(1)
        updates = self.updates(skus, differential)
        before = set(cn.list_submissions(home=self.folder)["submission_id"])
        if fault:
            self.sandbox.faults.add(fault, CALL, after=after, **FAULTS[fault])
        self.exchange.dies = dies
        try:
            cn.submit_updates(client, updates, batch_size=batch_size, on_stale=on_stale, canary=canary, progress=False)
        except Killed:
            self.die()
        self.sandbox.faults.clear()
        self.exchange.dies = None
        (name,) = set(cn.list_submissions(home=self.folder)["submission_id"]) - before
        self.submitted[name] = [(row.product_sku, row.type) for row in updates.itertuples()]

    @precondition(lambda self: self.submitted)
    @rule()
    def submit_over_what_is_open(self) -> None:
        skus = sorted(self.open_skus())
        if not skus:
            return
        with pytest.raises(GuardRailError) as caught:
            cn.submit_updates(self.connect(), self.updates(skus[:1], differential=True), progress=False)
        assert "in_flight" in set(caught.value.objections["guard"])

    @rule(sku=st.sampled_from(SKUS))
    def delivery(self, sku: str) -> None:
        """Stock moves without us, by more than all our changes together, so that it proves nothing by chance."""
        with self.sandbox.state.lock:
            self.sandbox.state.settle()
            key = next(key for key in self.sandbox.state.stock.quantities if key[1] == sku)
            self.sandbox.state.stock.quantities[key] += 100_003
        self.delivered.add(sku)

    @rule(seconds=st.sampled_from([1, 5, 70, 1_000]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.submitted)
    @rule(
        data=st.data(), dies=st.sampled_from([None, None, "before", "after"]), act=st.sampled_from(["resume", "retry"])
    )
    def resume_or_retry(self, data: st.DataObject, dies: str | None, act: str) -> None:
        submission = self.opened(data.draw(st.sampled_from(sorted(self.submitted))))
        self.exchange.dies = dies
        try:
            getattr(submission, act)(progress=False)
        except Killed:
            self.die()
        self.exchange.dies = None

    @precondition(lambda self: self.submitted)
    @rule(data=st.data(), act=st.sampled_from(["verify", "verify twice", "poll", "poll, swapped", "wait"]))
    def look_at(self, data: st.DataObject, act: str) -> None:
        submission = self.opened(data.draw(st.sampled_from(sorted(self.submitted))))
        if act == "wait":
            submission.wait(progress=False)
        elif act == "poll":
            submission.poll()
        elif act == "poll, swapped":
            self.exchange.swaps = True
            with contextlib.suppress(UnexpectedAnswerError):
                submission.poll(now=True)
            self.exchange.swaps = False
        else:
            submission.verify()
        if act == "verify twice":
            self.clock.advance(61)
            submission.verify()

    @precondition(lambda self: self.submitted)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        """A reversal; and once more, which is refused for good."""
        submission = self.opened(data.draw(st.sampled_from(sorted(self.submitted))))
        applied = submission.changes.query("outcome == 'applied'")
        if applied.empty or set(applied["product_sku"]) & self.open_skus():
            return
        reversal = cn.build_reversal(submission)
        if reversal.empty or f"reversal of {submission.submission_id}" in self.undone:
            return
        self.undone.add(reversal["reference"].iloc[0])
        before = set(cn.list_submissions(home=self.folder)["submission_id"])
        try:
            cn.submit_updates(self.connect(), reversal, allow=ROW_GUARDS, progress=False)
        except GuardRailError:
            return
        (name,) = set(cn.list_submissions(home=self.folder)["submission_id"]) - before
        self.submitted[name] = [(row.product_sku, row.type) for row in reversal.itertuples()]
        self.reversals.add(name)
        self.clock.advance(100_000)
        with pytest.raises(GuardRailError, match="reversal of"):
            cn.submit_updates(self.connect(), reversal, allow=(*ROW_GUARDS, "in_flight"), progress=False)

    @rule(hours=st.sampled_from([-1, 1, 2]))
    def set_wall_clock(self, hours: int) -> None:
        self.clock._start += timedelta(hours=hours)

    @precondition(lambda self: self.client is not None)
    @rule()
    def restart(self) -> None:
        self.die()

    @invariant()
    def check_outcomes(self) -> None:
        """Every row is there once, and its outcome is what the server did."""
        if not getattr(self, "submitted", None):
            return
        taken, applied = self.read_server()
        for name, rows in self.submitted.items():
            changes = self.opened(name).changes
            assert changes["product_sku"].tolist() == [sku for sku, _ in rows]
            assert set(changes["outcome"]) <= OUTCOMES
            for row in changes.itertuples():
                change = (row.product_sku, row.type, row.quantity)
                if row.type == "DIFFERENTIAL":
                    assert taken[change] <= 1 + self.refused(change), f"{change} was sent twice"
                    assert applied[change] <= 1, f"{change} was applied twice"
                if row.outcome == "applied":
                    assert applied[change], f"{change} is called applied and is not"
                if row.outcome in ("rejected", "not_applied", "not_sent", "held", "dropped"):
                    assert not applied[change], f"{change} is called {row.outcome} and was applied"

    def read_server(self) -> tuple[Counter[tuple[str, str, int]], Counter[tuple[str, str, int]]]:
        """What the server took in, and what of it has landed by now."""
        taken: Counter[tuple[str, str, int]] = Counter()
        applied: Counter[tuple[str, str, int]] = Counter()
        with self.sandbox.state.lock:
            self.sandbox.state.settle()
            for transaction in self.sandbox.state.transactions._by_handle.values():
                failed = {index for index, _ in transaction.errors or ()}
                for index, row in enumerate(transaction.batch.rows):
                    change = (row["productSKU"], row["type"], row["quantity"])
                    taken[change] += 1
                    applied[change] += transaction.errors is not None and index not in failed
        return taken, applied

    def refused(self, change: tuple[str, str, int]) -> int:
        """How often a transaction refused a change: it may be sent again after that."""
        return sum(
            (row["productSKU"], row["type"], row["quantity"]) == change
            for transaction in self.sandbox.state.transactions._by_handle.values()
            for index, row in enumerate(transaction.batch.rows)
            if index in {place for place, _ in transaction.errors or ()}
        )


TestWriting = SubmissionMachine.TestCase
TestWriting.settings = settings(
    max_examples=share_of_examples(0.6),
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
