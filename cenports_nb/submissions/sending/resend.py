"""Sending again what is safe to send again: after a crash or an interrupt, or what was refused or not applied."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cenports_nb.errors import InvalidRequestError
from cenports_nb.submissions.journal.locks import planning, sending
from cenports_nb.submissions.journal.models import Batch, Head, Row
from cenports_nb.submissions.journal.queries import other_update
from cenports_nb.submissions.journal.store import MEMORY, Journal
from cenports_nb.submissions.orders.recheck import look_for_orders
from cenports_nb.submissions.sending import canary
from cenports_nb.submissions.sending.sender import Prepare, send_all, unsent
from cenports_nb.submissions.sending.staleness import Shelf, last_look
from cenports_nb.submissions.sending.write_kinds import kind_of

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.submissions.submission import Submission

RETRIED = ("rejected", "not_applied")


def resume(client: Client, journal: Journal, submission: Submission, progress: bool | None) -> None:
    """Send what was not sent, and what is in doubt where a repeat is safe.

    Raises:
        JournalError: Another process is sending it.
        InvalidRequestError: A dry run.
    """
    head = journal.head(submission.submission_id)
    _check(client, journal, head, "resume")
    with _alone(client, head):
        journal.close_crashed(head.submission_id, client.clock.now())
        doubtful = [] if head.kind == "orders" else journal.rows(head.submission_id, outcomes=("in_doubt",))
        doubtful = [row for row in doubtful if row.type == "TRUE_UP" or kind_of(head).repeatable]
        if not doubtful and not unsent(journal, head):
            return
        shelf = _shelf(client, journal, head)
        safe: list[Row] = []
        if kind_of(head).repeatable:
            safe = doubtful
        elif doubtful:
            shelf.refresh()
            judged = [_judge(journal, head, row, shelf) for row in doubtful]
            journal.set_rows([row for row, _ in judged], client.clock.now(), ("in_doubt",))
            safe = [row for row, is_safe in judged if is_safe]
        also = _rebatch(journal, safe, client, "again")
        canary.send(
            client, journal, submission, also=also, prepare=_prepare(client, journal, head, shelf), progress=progress
        )


def retry(client: Client, journal: Journal, submission: Submission, progress: bool | None) -> None:
    """Send again rows that were rejected or shown not to be applied, and only these.

    Raises:
        JournalError: Another process is sending it.
        InvalidRequestError: A dry run.
    """
    head = journal.head(submission.submission_id)
    _check(client, journal, head, "retry")
    with _alone(client, head):
        # What was held is never sent from here, whatever a person said became of it: it waits for a look of its own.
        held = {batch.batch for batch in journal.batches(head.submission_id) if batch.state == "held"}
        rows = [row for row in journal.rows(head.submission_id, outcomes=RETRIED) if row.batch not in held]
        if not rows:
            return
        prepare = _prepare(client, journal, head, _shelf(client, journal, head))
        numbers = _rebatch(journal, rows, client, "planned")
        send_all(client, journal, head, only=numbers, prepare=prepare, progress=progress)
        # What was withheld stays what it was, with the reason: nothing of it was sent.
        kept = {row.item: row for row in rows}
        back = [
            replace(row, outcome=kept[row.item].outcome, message=f"{row.message} Before: {kept[row.item].message}")
            for row in journal.rows(head.submission_id, outcomes=("not_sent",))
            if row.item in kept and row.message is not None and row.batch in numbers
        ]
        journal.set_rows(back, client.clock.now(), ("not_sent",))


def _check(client: Client, journal: Journal, head: Head, what: str) -> None:
    if journal.path == MEMORY:
        raise InvalidRequestError(f"This is a dry run, and {what}() would send it: submit without dry_run=True.")
    if head.kind == "hand_over":
        raise InvalidRequestError(
            f"{head.submission_id} is a hand-over, and its file comes first: hand_over(client, path) finishes it."
        )
    client.check_writable(f"{what} of {head.submission_id}")
    journal.check()


@contextlib.contextmanager
def _alone(client: Client, head: Head) -> Iterator[None]:
    """Hold the right to send; whoever plans another submission at this moment is seen, or sees this one."""
    with contextlib.ExitStack() as locks:
        with planning(client.home, head.account):
            locks.enter_context(sending(client.home, head.submission_id))
        yield


def _shelf(client: Client, journal: Journal, head: Head) -> Shelf:
    codes = {batch.place for batch in journal.batches(head.submission_id)} if head.kind == "stock" else set()
    return Shelf(client, sorted(codes))


def _judge(journal: Journal, head: Head, row: Row, shelf: Shelf) -> tuple[Row, bool]:
    """Judge a TRUE_UP in doubt by the stock; return what is known of it, and whether it is safe to send again."""
    now = shelf.quantity(row.warehouse_code, row.product_sku)
    read = replace(row, read_back=now, read_back_at=shelf.at.isoformat())
    if now is not None and now == row.quantity:
        return replace(read, outcome="applied", message=None), False
    other = other_update(journal, head, row)
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


def _prepare(client: Client, journal: Journal, head: Head, shelf: Shelf) -> Prepare | None:
    """Look at each batch again: nothing goes out over another submission's change, or where the stock moved."""
    if head.kind == "orders":
        return look_for_orders(client, journal, head)
    if head.kind != "stock":
        return None
    look: Callable[[Batch, Sequence[Row]], tuple[list[Row], list[Row]]] = last_look(head, shelf, again=True)

    def prepare(batch: Batch, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
        told = {row.item: other_update(journal, head, row) for row in rows}
        in_the_way = [replace(row, message=f"Not sent: {told[row.item]}.") for row in rows if told[row.item]]
        send, withheld = look(batch, [row for row in rows if not told[row.item]])
        return send, [*in_the_way, *withheld]

    return prepare
