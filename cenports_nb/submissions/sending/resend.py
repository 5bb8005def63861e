"""Resend what is safe to send again: after a crash or an interrupt, or what was refused or not applied."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cenports_nb.errors import InvalidRequestError
from cenports_nb.submissions.evidence.order_lookup import explain_existing
from cenports_nb.submissions.evidence.stock_cache import StockCache
from cenports_nb.submissions.journal.locks import hold_planning_lock, hold_sending_lock
from cenports_nb.submissions.journal.models import Batch, Head, Row
from cenports_nb.submissions.journal.queries import find_conflicting_update, find_live_orders
from cenports_nb.submissions.journal.store import IN_MEMORY, Journal
from cenports_nb.submissions.journal.write_kinds import get_write_kind
from cenports_nb.submissions.sending.canary import Wait, send_with_canary
from cenports_nb.submissions.sending.sender import LastLook, list_unsent, send_all
from cenports_nb.submissions.sending.staleness import build_stock_check

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

RETRIED_OUTCOMES = ("rejected", "not_applied")


def resume(client: Client, journal: Journal, head: Head, wait: Wait, progress: bool | None) -> None:
    """Send what was not sent, and what is in doubt where a repeat is safe.

    Raises:
        JournalError: Another process is sending it.
        InvalidRequestError: A dry run.
    """
    _check_sendable(client, journal, head, "resume")
    with _hold_locks(client, head):
        journal.close_crashed(head.submission_id, client.clock.now())
        doubtful = [] if head.kind == "orders" else journal.rows(head.submission_id, outcomes=("in_doubt",))
        doubtful = [row for row in doubtful if row.type == "TRUE_UP" or get_write_kind(head).is_repeatable]
        if not doubtful and not list_unsent(journal, head):
            return
        stock = _build_stock_cache(client, journal, head)
        safe: list[Row] = []
        if get_write_kind(head).is_repeatable:
            safe = doubtful
        elif doubtful:
            stock.refresh()
            judged = [_judge_doubtful(journal, head, row, stock) for row in doubtful]
            journal.set_rows([row for row, _ in judged], client.clock.now(), ("in_doubt",))
            safe = [row for row, is_safe in judged if is_safe]
        also = _rebatch(journal, safe, client, "again")
        last_look = _build_last_look(client, journal, head, stock)
        send_with_canary(client, journal, head, wait, also=also, last_look=last_look, progress=progress)


def retry(client: Client, journal: Journal, head: Head, progress: bool | None) -> None:
    """Send again rows that were rejected or shown not to be applied, and only these.

    Raises:
        JournalError: Another process is sending it.
        InvalidRequestError: A dry run.
    """
    _check_sendable(client, journal, head, "retry")
    with _hold_locks(client, head):
        # What was held is never sent from here, whatever a person said became of it: it waits for a look of its own.
        held = {batch.batch for batch in journal.batches(head.submission_id) if batch.state == "held"}
        rows = [row for row in journal.rows(head.submission_id, outcomes=RETRIED_OUTCOMES) if row.batch not in held]
        if not rows:
            return
        last_look = _build_last_look(client, journal, head, _build_stock_cache(client, journal, head))
        numbers = _rebatch(journal, rows, client, "planned")
        send_all(client, journal, head, only=numbers, last_look=last_look, progress=progress)
        # What was withheld stays what it was, with the reason: nothing of it was sent.
        before = {row.item: row for row in rows}
        restored = [
            replace(row, outcome=before[row.item].outcome, message=f"{row.message} Before: {before[row.item].message}")
            for row in journal.rows(head.submission_id, outcomes=("not_sent",))
            if row.item in before and row.message is not None and row.batch in numbers
        ]
        journal.set_rows(restored, client.clock.now(), ("not_sent",))


def _check_sendable(client: Client, journal: Journal, head: Head, what: str) -> None:
    if journal.path == IN_MEMORY:
        raise InvalidRequestError(f"This is a dry run, and {what}() would send it: submit without dry_run=True.")
    if head.kind == "hand_over":
        raise InvalidRequestError(
            f"{head.submission_id} is a hand-over, and its file comes first: hand_over(client, path) finishes it."
        )
    client.check_writable(f"{what} of {head.submission_id}")
    journal.check()


@contextlib.contextmanager
def _hold_locks(client: Client, head: Head) -> Iterator[None]:
    """Hold the right to send; whoever plans another submission at this moment is seen, or sees this one."""
    with contextlib.ExitStack() as locks:
        with hold_planning_lock(client.home, head.account):
            locks.enter_context(hold_sending_lock(client.home, head.submission_id))
        yield


def _build_stock_cache(client: Client, journal: Journal, head: Head) -> StockCache:
    codes = {batch.place for batch in journal.batches(head.submission_id)} if head.kind == "stock" else set()
    return StockCache(client, sorted(codes))


def _judge_doubtful(journal: Journal, head: Head, row: Row, stock: StockCache) -> tuple[Row, bool]:
    """Judge a TRUE_UP in doubt by the stock; return what is known of it, and whether it is safe to send again."""
    now = stock.quantity(row.warehouse_code, row.product_sku)
    read = replace(row, read_back=now, read_back_at=stock.at.isoformat())
    if now is not None and now == row.quantity:
        return replace(read, outcome="applied", message=None), False
    other = find_conflicting_update(journal, head, row)
    if other:
        return replace(read, message=f"In doubt, and not sent again: {other}."), False
    if now is not None and now == row.before_quantity:
        return replace(read, message="In doubt, but stock stands as before it was sent: sent again."), True
    message = (
        f"In doubt, and not sent again: stock is {now}, neither {row.quantity} as wanted nor {row.before_quantity} as "
        "before. Look at the shelf, then resolve() it or count again."
    )
    return replace(read, message=message), False


def _rebatch(journal: Journal, rows: Sequence[Row], client: Client, state: str) -> list[int]:
    """Put rows into new batches, one for each that they were in; return their numbers."""
    by_batch: dict[int, list[Row]] = {}
    for row in rows:
        by_batch.setdefault(row.batch, []).append(row)
    known = {batch.batch: batch for batch in journal.batches(rows[0].submission_id)} if rows else {}
    return [
        journal.rebatch(
            part, known[number].place, client.clock.now(), state, known[number].sent_at if state == "again" else None
        )
        for number, part in by_batch.items()
    ]


def _build_last_look(client: Client, journal: Journal, head: Head, stock: StockCache) -> LastLook | None:
    """Look at each batch again: nothing goes out over another submission's change, or where the stock moved."""
    if head.kind == "orders":
        return _build_order_check(client, journal, head)
    if head.kind != "stock":
        return None
    compare = build_stock_check(head, stock, recheck=True)

    def last_look(batch: Batch, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
        conflicts = {row.item: find_conflicting_update(journal, head, row) for row in rows}
        blocked = [replace(row, message=f"Not sent: {conflicts[row.item]}.") for row in rows if conflicts[row.item]]
        send, withheld = compare(batch, [row for row in rows if not conflicts[row.item]])
        return send, [*blocked, *withheld]

    return last_look


def _build_order_check(client: Client, journal: Journal, head: Head) -> LastLook:
    """Look for orders again that are sent later than they were planned: some may have been created meanwhile."""

    def last_look(_: Batch, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
        channel = rows[0].channel_id or ""
        numbers = [row.order_no or "" for row in rows]
        live = find_live_orders(journal, client.home, head.account, channel, numbers, but=head.submission_id)
        reasons = explain_existing(client, channel, numbers) | live
        send = [row for row, number in zip(rows, numbers, strict=True) if number not in reasons]
        blocked = [
            replace(row, message=f"Not sent: {reasons[number]}.")
            for row, number in zip(rows, numbers, strict=True)
            if number in reasons
        ]
        return send, blocked

    return last_look
