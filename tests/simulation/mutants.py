"""The faults that were once found by hand, each put back alone: the simulation must find every one of them.

A mutant replaces an entry of a literal table, a pure rule or a port; nothing of the rest changes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from cenports_nb.errors import CenportsError
from cenports_nb.stock.guards import history_guards
from cenports_nb.submissions.evidence import verify
from cenports_nb.submissions.journal import migrations, queries, row_updates, store, write_kinds
from cenports_nb.submissions.rules import answers, decide, states, transactions, verification
from cenports_nb.submissions.rules.models import Row
from cenports_nb.submissions.sending import canary, look, sender
from cenports_nb.submissions.tracking import poller
from simulation import faulty_journal, gateway, history

Patches = Sequence[tuple[Any, str, Any]]


def _replace_transition(event: str, old: str, **changes: str) -> tuple[states.Transition, ...]:
    return tuple(
        each._replace(**changes) if (each.event, each.old) == (event, old) else each for each in states.ROW_TRANSITIONS
    )


def _decide_as_if_never_sent(row: Row, evidence: decide.Evidence, policy: decide.Policy) -> tuple[str, Row]:
    return ORIGINAL_DECIDE_ROW(replace(row, exposed=0), evidence, policy)


def _decide_without_guards(row: Row, now: int | None, policy: decide.Policy) -> None:
    return None


def _wall_only(start: Any, end: Any) -> timedelta:
    return timedelta(seconds=(end.wall - start.wall).total_seconds())


def _list_outcomes_but_not_sent(outcomes: Sequence[str]) -> tuple[str, ...]:
    return tuple(outcome for outcome in outcomes if outcome != "not_sent")


def _believe_any_handle(self: gateway.SimulatedGateway, handle: str) -> Any:
    transaction = ORIGINAL_READ_TRANSACTION(self, handle)
    transaction.handle = handle
    return transaction


def _overlook_unnamed_errors(errors: Any, rows: int) -> tuple[dict[int, str], list[str]]:
    return ORIGINAL_GROUP_ERRORS(errors, rows)[0], []


def _wait_for_unknown_words(status: str, *_: Any, **__: Any) -> str | None:
    return {"COMPLETED": "completed", "FAILED": "failed"}.get(status)


def _claim_without_writing(self: store.Journal, batch: Any, rows: Any, decision: decide.Decision, at: Any) -> Any:
    return batch if decision.send else ORIGINAL_CLAIM(self, batch, rows, decision, at)


def _add_first_reference(self: store.Journal, head: Any, batches: Any, rows: Sequence[Row]) -> None:
    rows = list(rows)
    ORIGINAL_ADD(self, head, batches, [replace(row, reference=rows[0].reference) for row in rows])


def _add_all_but_one(self: store.Journal, head: Any, batches: Any, rows: Sequence[Row]) -> None:
    ORIGINAL_ADD(self, head, batches, list(rows)[: max(1, len(list(rows)) - 1)])


def _read_whole_batch(self: sender.Sender, batch: Any) -> list[Row]:
    return self.journal.rows(batch.submission_id, batch.batch)


def _check_first_batch(sends: sender.Sender, size: int) -> str | None:
    rows = [row for row in sends.journal.rows(sends.head.submission_id) if row.batch < size]
    return "failed" if any(row.outcome != "applied" for row in rows) else None


def _lost_is_unreached(error: CenportsError, items_field: str) -> answers.Verdict:
    verdict = answers.judge_error(error, items_field)
    return dataclasses.replace(verdict, event="return") if verdict.event == "lose" else verdict


def _build_no_refusals() -> Iterator[str]:
    return (statement for statement in ORIGINAL_TRIGGERS() if "RAISE" not in statement)


def _find_any_target(event: str) -> dict[str, tuple[str, str]]:
    """Let an event happen to a row in any state."""
    (new, exposed), *_ = states.find_targets(event).values()
    every = {each.old for each in states.ROW_TRANSITIONS} | {each.new for each in states.ROW_TRANSITIONS}
    return dict.fromkeys(every, (new, exposed))


def _forget_documents(self: history.History, rows: Sequence[Row]) -> bool:
    return False


ORIGINAL_DECIDE_ROW = decide._decide_row
ORIGINAL_READ_TRANSACTION = gateway.SimulatedGateway.read_transaction
ORIGINAL_GROUP_ERRORS = transactions.group_errors_by_row
ORIGINAL_CLAIM = store.Journal.claim
ORIGINAL_ADD = store.Journal.add
ORIGINAL_TRIGGERS = migrations._build_triggers

MUTANTS: Mapping[str, Callable[[], Patches]] = MappingProxyType({
    "a row in doubt is rebased": lambda: [(decide, "_decide_row", _decide_as_if_never_sent)],
    "a frame's first reference stands for all": lambda: [(store.Journal, "add", _add_first_reference)],
    "what was not sent is in nobody's way": lambda: [
        (history_guards, "POSSIBLY_APPLIED", _list_outcomes_but_not_sent(history_guards.POSSIBLY_APPLIED)),
        (queries, "CONFLICT_SQL", queries.CONFLICT_SQL.replace("'not_sent', ", "")),
    ],
    "halves of a batch contain what a person closed": lambda: [
        (sender.Sender, "_read_batch", _read_whole_batch),
        (row_updates, "_build_condition", lambda _: ("1", ())),
        (migrations, "_build_triggers", _build_no_refusals),
        (row_updates, "find_targets", _find_any_target),
    ],
    "a canary is known by the number of its batch": lambda: [(canary, "_check_canary", _check_first_batch)],
    "an answer of another handle is believed": lambda: [
        (gateway.SimulatedGateway, "read_transaction", _believe_any_handle)
    ],
    "one handle stands for two batches": lambda: [(store, "HANDLE_SQL", "SELECT 1, 1 WHERE ?1 IS NULL AND ?2 IS NULL")],
    "evidence may be of any age when a batch leaves": lambda: [(sender, "MAX_EVIDENCE_AGE", timedelta(days=9))],
    "absence is measured by the wall clock": lambda: [
        (verification, "at_least_elapsed", _wall_only), (poller, "at_least_elapsed", _wall_only),
    ],
    "freshness is measured by the wall clock": lambda: [
        (sender, "at_most_elapsed", _wall_only), (look, "at_most_elapsed", _wall_only),
    ],
    "303, 408, 409 and 499 are refusals": lambda: [
        (answers, "REFUSAL_EVENTS", {**answers.REFUSAL_EVENTS, **dict.fromkeys((303, 408, 409, 499), "refuse")})
    ],
    "verify overlooks our own other changes": lambda: [(verify, "find_other_changes", lambda *_: {})],
    "a dropped row is nowhere": lambda: [(store.Journal, "add", _add_all_but_one)],
    "a document is forgotten after a while": lambda: [(history.History, "_is_repeated", _forget_documents)],
    "a fall of stock that is no shipment is followed": lambda: [
        (decide, "fell_equally", lambda *_: True),
    ],
    "no guard looks at rebased numbers": lambda: [(decide, "find_objection", _decide_without_guards)],
    "errors that name no row are overlooked": lambda: [(transactions, "group_errors_by_row", _overlook_unnamed_errors)],
    "an unknown final word keeps rows pending": lambda: [(transactions, "_find_end", _wait_for_unknown_words)],
    "a batch leaves before it is written down": lambda: [(store.Journal, "claim", _claim_without_writing)],
    "a refused repeat settles the request before it": lambda: [
        (states, "ROW_TRANSITIONS", _replace_transition("refuse", "sending", exposed="rejected"))
    ],
    "a named repeat settles the request before it": lambda: [
        (states, "ROW_TRANSITIONS", _replace_transition("name", "pending", exposed="rejected"))
    ],
    "what a dead process was sending was not sent": lambda: [
        (states, "ROW_TRANSITIONS", _replace_transition("crash", "sending", new="not_sent", exposed="not_sent"))
    ],
    "a lost answer means that nothing arrived": lambda: [(sender, "judge_error", _lost_is_unreached)],
    "one effect accounts for every request of a row": lambda: [
        (row_updates, "EXPOSURE_SQL", {**states.EXPOSURE_SQL, "complete": "0", "confirm": "0"})
    ],
    "orders in doubt are sent again": lambda: [
        (write_kinds, "WRITE_KINDS", {
            **write_kinds.WRITE_KINDS, "orders": dataclasses.replace(write_kinds.WRITE_KINDS["orders"], is_repeatable=True),
        }),
    ],
    "another submission's later change is no obstacle": lambda: [
        (look, "find_conflicting_updates", lambda *_: {})
    ],
})  # fmt: skip
"""What is put back, by what it means."""


@contextmanager
def put_back(name: str) -> Iterator[None]:
    """Run with one fault put back."""
    with ExitStack() as stack:
        for owner, attribute, value in MUTANTS[name]():
            stack.enter_context(patch.object(owner, attribute, value))
        faulty_journal.forget_journal()
        try:
            yield
        finally:
            faulty_journal.forget_journal()


__all__ = ["MUTANTS", "put_back"]
