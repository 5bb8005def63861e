"""Carry out a probe: every write through the journal, the stock read before, between and after; any surprise ends it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.errors import CenportsError, JournalError
from cenports_nb.exit_codes import DONE, FAILED, IN_DOUBT
from cenports_nb.rendering.text import format_count
from cenports_nb.submissions.context import get_context
from cenports_nb.submissions.final_rows import OnStale
from cenports_nb.submissions.probe.exchanges import ExchangeLog
from cenports_nb.submissions.probe.plan import (
    FAILING_ROW,
    MISSING_SKU,
    OWN_VALUE,
    PUT_BACK,
    PlannedRow,
    PlannedWrite,
    ProbePlan,
    Step,
)
from cenports_nb.submissions.probe.unfinished import Change, read_changes
from cenports_nb.submissions.rules.states import OPEN_OUTCOMES, UNSETTLED_OUTCOMES
from cenports_nb.submissions.rules.verification import MIN_READING_INTERVAL
from cenports_nb.submissions.submission import PERMANENT_ERRORS, Submission
from cenports_nb.submissions.submit import submit_updates

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, PAUSE_FACTOR = 1.0, 30.0, 1.5
"""Pauses between two reads of the stock and the transactions of a step."""

QUIET_SECONDS = 10.0
"""Where the stock might still change, it counts only after it has been stable this long since all transactions ended."""

Report = Callable[[str], None]
"""Receives one line about each step that was carried out."""


@dataclass(frozen=True)
class StepResult:
    """The result of a step.

    Attributes:
        meaning: What the stock afterward means.
        transaction_seconds: From the answer to the last write until its transaction was seen to have ended; None without one.
        effect_seconds: From that answer until the stock was seen to have changed; None if it did not.
        server_seconds: From submission to completion of its transactions, by Cenports' times; None if unknown.
        overlapped: Whether no write of it had taken effect before the last one was sent.
    """

    name: str
    meaning: str
    transaction_seconds: float | None
    effect_seconds: float | None
    server_seconds: float | None
    overlapped: bool
    batches: int


@dataclass(frozen=True)
class ProbeResult:
    """What a probe saw.

    Attributes:
        steps: The steps that were carried out, including those that put the stock back.
        stopped: Why it ended early, the current state and what to do; None if it did not.
    """

    steps: tuple[StepResult, ...]
    log: ExchangeLog
    last_step: str
    stopped: str | None = None
    exit_code: int = DONE

    @property
    def row_refusals(self) -> frozenset[int]:
        """Statuses with which the batch with the failing row was refused; those of other batches aren't about rows."""
        was_sent = self.last_step == FAILING_ROW or any(step.name == FAILING_ROW for step in self.steps)
        return frozenset(self.log.refusals) if was_sent else frozenset()


class _Stop(Exception):  # noqa: N818 - an ordinary end, not a fault of the program
    """Ends a probe early."""

    def __init__(self, reason: str, *, code: int = FAILED, is_untouched: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.is_untouched = is_untouched  # nothing of the step was applied, so the stock is known


def run_probe(client: Client, plan: ProbePlan, report: Report, log: ExchangeLog | None = None) -> ProbeResult:
    """Carry out a plan and put the stock back.

    Raises:
        KeyboardInterrupt: A person stopped it; a note describes the current state.
    """
    run = _Run(client, plan, report)
    log = log or ExchangeLog.start(client)
    dialect = client.dialect
    client.dialect = replace(dialect, true_up_sets="actual")  # the probe finds this out
    try:
        with client.session.observe(log.add):
            stopped, code = run.carry_out()
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(run.describe_end("Interrupted"))
        raise
    finally:
        client.dialect = dialect
    return ProbeResult(tuple(run.results), log, run.step, stopped, code)


@dataclass
class _Run:
    """A running probe.

    Attributes:
        offset: What a TRUE_UP sets besides its quantity.
    """

    client: Client
    plan: ProbePlan
    report: Report
    stock: int = 0
    offset: int = 0
    step: str = ""
    writes: int = 0
    results: list[StepResult] = field(default_factory=list)

    def carry_out(self) -> tuple[str | None, int]:
        """Carry out the plan; return why it ended early, and the exit code."""
        try:
            expected = self.stock = self._read_stock()
            for step in self.plan.steps:
                self._look(expected)
                self._carry_out_step(step)
                self._put_back(step.leaves)
                expected = step.leaves
        except _Stop as stop:
            return self._end_early(stop)
        except CenportsError as error:
            return self._end_early(_Stop(str(error)))
        return None, DONE

    def _end_early(self, stop: _Stop) -> tuple[str, int]:
        """Put the stock back if it is known, and describe the current state."""
        code, why, step = stop.code, str(stop).rstrip("."), self.step
        if stop.is_untouched and self.stock != self.plan.quantity:
            try:
                self._look(self.stock)
                self._put_back(self.plan.quantity)
            except (_Stop, CenportsError) as error:
                why = f"{why}. Nor could the stock be put back: {str(error).rstrip('.')}"
            self.step = step
        if self._list_open():
            code = IN_DOUBT
        return self.describe_end(why), code

    def describe_end(self, why: str) -> str:
        """Describe why it ended early, the current stock, and how to put it back."""
        plan = self.plan
        with contextlib.suppress(CenportsError):
            self.stock = self._read_stock()
        stands = (
            f"SKU '{plan.product_sku}' in warehouse '{plan.warehouse_code}' had {plan.quantity} and was last seen with "
            f"{self.stock}"
        )
        again = f"cenports-nb doctor --write-probe {plan.product_sku} --warehouse {plan.warehouse_code}"
        commands = dict.fromkeys(f"`{change.next_command}`" for change in self._list_open())
        if commands:
            advice = f"settle it with {' and '.join(commands)}, then run `{again}`, which first takes back what is left"
        elif self.stock != plan.quantity:
            advice = f"run `{again}`, which first takes back what is left of the probe, or count it"
        else:
            advice = "nothing is left to put back"
        return f"The write probe stopped at its step '{self.step}': {why}. {stands}; {advice}."

    def _list_open(self) -> list[Change]:
        return [change for change in read_changes(self.client, *self.plan.key) if change.is_open]

    def _look(self, expected: int) -> None:
        """Check that nothing else changed the stock.

        Raises:
            _Stop: It did change.
        """
        self.stock = self._read_stock()
        if self.stock != expected:
            raise _Stop(f"the stock is {self.stock} instead of {expected}, so something else moved it")

    def _put_back(self, target: int) -> None:
        """Change the stock to a quantity by the difference, so that sales meanwhile are kept."""
        if self.stock != target:
            rows = (PlannedRow(self.plan.product_sku, "DIFFERENTIAL", target - self.stock),)
            self._carry_out_step(Step(PUT_BACK, "", (PlannedWrite(rows),), {target: ""}, target))

    def _carry_out_step(self, step: Step) -> None:
        """Send the writes of a step, and wait until the stock shows their effect.

        Raises:
            _Stop: It did not go as planned.
        """
        self.step = step.name
        before, meanings = self.stock, step.meanings
        sent = [self._send(step, write) for write in step.writes]
        is_refused = all(not submission.snapshot().count("pending") for submission in sent)
        meaning, transaction_seconds, effect_seconds = self._watch(sent, before, meanings)
        self._settle(step, sent)
        if step.name == OWN_VALUE:
            self.offset = self.stock - self.plan.quantity
        overlapped = all(int(submission.changes["before_quantity"].iloc[0]) == before for submission in sent[1:])
        transactions = pd.concat([submission.transactions for submission in sent])
        lives = (transactions["completed_at"] - transactions["submitted_at"]).dt.total_seconds().dropna()
        result = StepResult(
            step.name,
            meaning,
            None if is_refused else transaction_seconds,
            effect_seconds,
            None if lives.empty else max(0.0, float(lives.max())),
            overlapped,
            len(transactions),
        )
        self.results.append(result)
        self.report(f"{step.name}: the stock is {self.stock}" + _format_seconds(effect_seconds or transaction_seconds))

    def _send(self, step: Step, write: PlannedWrite) -> Submission:
        """Send one write through the journal.

        Raises:
            _Stop: It was not sent, was refused, or that is unknown.
        """
        planned = replace(write, rows=tuple(self._without_offset(row) for row in write.rows))
        frame = self.plan.build_frame(step.name, self.writes, planned, self.stock)
        self.writes += 1
        available = self.plan.move_available(self.stock)
        on_stale: OnStale = "force" if write.over_stock else "raise"
        try:
            submission = submit_updates(
                self.client, frame, allow=write.accepts, available=available, on_stale=on_stale, progress=False
            )  # fmt: skip
        except JournalError:
            raise
        except CenportsError as error:
            raise _Stop(f"a write was not sent: {error}", is_untouched=write is step.writes[0]) from None
        snapshot = submission.snapshot()
        first = str(submission.outcomes["message"].iloc[0])
        if snapshot.count("not_sent"):
            submission.resolve(
                [row.product_sku for row in write.rows], "not_applied", "the write probe did not send it"
            )
            raise _Stop(f"a write was not sent: {first}", is_untouched=write is step.writes[0])
        if snapshot.count("in_doubt"):
            raise _Stop(f"nobody knows what became of a write: {first}", code=IN_DOUBT)
        if snapshot.count("rejected") and step.name != FAILING_ROW:
            raise _Stop(f"Cenports refused a write: {first}", is_untouched=write is step.writes[0])
        return submission

    def _without_offset(self, row: PlannedRow) -> PlannedRow:
        """Adjust a TRUE_UP by the offset that was seen."""
        is_adjusted = row.type == "TRUE_UP" and row.product_sku != MISSING_SKU
        return replace(row, quantity=row.quantity - self.offset) if is_adjusted else row

    def _watch(
        self, sent: Sequence[Submission], before: int, meanings: Mapping[int, str]
    ) -> tuple[str, float | None, float | None]:
        """Poll transactions and stock until the stock has its final value.

        Returns:
            What that means, and the seconds until the transactions had ended and until the stock had changed.

        Raises:
            _Stop: The transactions did not end in time, or the stock has an unexpected value.
        """
        clock, began = self.client.clock, self.client.clock.monotonic()
        ended_seconds = effect_seconds = moved_seconds = None
        # If only one new value is possible, the write has taken effect as soon as it is seen.
        is_plain = len(meanings) == 1 and before not in meanings
        pauses = (min(FIRST_PAUSE_SECONDS * PAUSE_FACTOR**number, MAX_PAUSE_SECONDS) for number in itertools.count())
        while True:
            is_ended = self._poll(sent)
            seconds = clock.monotonic() - began
            ended_seconds = seconds if is_ended and ended_seconds is None else ended_seconds
            stock = self._try_stock()
            seconds = clock.monotonic() - began
            if stock is not None and stock != self.stock:
                self.stock, moved_seconds = stock, seconds
                effect_seconds = seconds if effect_seconds is None else effect_seconds
            pause = next(pauses)
            if ended_seconds is not None and self.stock in meanings:
                quiet = 0.0 if is_plain else QUIET_SECONDS - (seconds - max(ended_seconds, moved_seconds or 0.0))
                if quiet <= 0:
                    return meanings[self.stock], ended_seconds, effect_seconds
                pause = quiet
            if seconds >= self.plan.settle_minutes * 60 or (
                ended_seconds is not None and self.stock not in (*meanings, before)
            ):
                self._refuse(ended_seconds, meanings)
            clock.sleep(pause)

    def _refuse(self, ended_seconds: float | None, meanings: Mapping[int, str]) -> None:
        """Stop at an unexpected stock or an unfinished transaction."""
        if ended_seconds is None:
            raise _Stop(
                f"its transaction has not ended after {format_count(self.plan.settle_minutes, 'minute')}", code=IN_DOUBT
            )
        wanted = " or ".join(map(str, sorted(meanings)))
        raise _Stop(
            f"its transaction has ended, and the stock is {self.stock} instead of {wanted}, so something else moved it or it "
            "takes effect later"
        )

    def _poll(self, sent: Sequence[Submission]) -> bool:
        """Poll the transactions; return whether all have ended. A failure is tried again later."""
        if all(submission.settled for submission in sent):
            return True
        try:
            sent[-1].poll(now=True)
        except PERMANENT_ERRORS:
            raise
        except CenportsError:
            return False
        return all(submission.settled for submission in sent)

    def _settle(self, step: Step, sent: Sequence[Submission]) -> None:
        """Settle by the stock what the transactions left open.

        Raises:
            _Stop: A row stays open.
        """
        for submission in sent:
            for is_second in (False, True):
                if not any(submission.snapshot().count(outcome) for outcome in UNSETTLED_OUTCOMES):
                    break
                if is_second and self._is_open(submission, self.plan.product_sku):
                    self.client.clock.sleep(MIN_READING_INTERVAL.total_seconds())
                submission.verify()
            if step.name == FAILING_ROW and self._is_open(submission, MISSING_SKU):
                note = "the write probe saw that the warehouse has no such SKU"
                submission.resolve(MISSING_SKU, "rejected", note)
            if self._is_open(submission, self.plan.product_sku):
                raise _Stop("nobody can tell whether a write was applied", code=IN_DOUBT)

    @staticmethod
    def _is_open(submission: Submission, sku: str) -> bool:
        outcomes = submission.outcomes
        return bool(outcomes.loc[outcomes["product_sku"] == sku, "outcome"].isin(OPEN_OUTCOMES).any())

    def _read_stock(self) -> int:
        stock = get_context(self.client).gateway.read_stock([self.plan.warehouse_code]).get(self.plan.key)
        if stock is None:
            raise _Stop(f"the warehouse does not have SKU '{self.plan.product_sku}' any more")
        return stock

    def _try_stock(self) -> int | None:
        """Read the stock; None if that fails now, because it is tried again later."""
        try:
            return self._read_stock()
        except PERMANENT_ERRORS:
            raise
        except CenportsError:
            return None


def _format_seconds(seconds: float | None) -> str:
    return "" if seconds is None else f", seen {seconds:.0f} s after the answer"
