"""Send again what is safe to send: after a crash or an interrupt, or after a refusal."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from cenports_nb.errors import InvalidRequestError
from cenports_nb.submissions.journal.file import IN_MEMORY
from cenports_nb.submissions.journal.locks import SubmissionLocks
from cenports_nb.submissions.journal.row_updates import RowChange
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.journal.write_kinds import get_write_kind
from cenports_nb.submissions.ports import Gateway
from cenports_nb.submissions.rules.models import Head, Row
from cenports_nb.submissions.rules.states import RETRIED_OUTCOMES, SENDABLE_OUTCOMES
from cenports_nb.submissions.sending.canary import Wait, send_with_canary
from cenports_nb.submissions.sending.look import Look, OrderLook, StockLook, look_at_nothing, read_open_lines_query
from cenports_nb.submissions.sending.sender import UNSENDABLE_STATES, Parcel, Sender, close_crashed, list_parcels


def resume(
    gateway: Gateway, journal: Journal, locks: SubmissionLocks, head: Head, wait: Wait, progress: bool | None
) -> None:
    """Send what was not sent, and what is in doubt if repeating it is safe.

    Raises:
        JournalError: Another process is sending it.
    """
    with contextlib.ExitStack() as stack:
        with locks.hold_planning(head.account):
            # Plans made at the same moment see this submission, or are seen by it.
            stack.enter_context(locks.hold_sending(head.submission_id))
        close_crashed(gateway, journal, head.submission_id)
        is_repeatable = get_write_kind(head).is_repeatable

        def may_repeat(row: Row) -> bool:
            """Return whether a row was not sent, or sending it twice has the effect of sending it once."""
            return row.outcome == "not_sent" or is_repeatable or row.type == "TRUE_UP"

        if not list_parcels(journal, head, may_repeat, SENDABLE_OUTCOMES):
            return

        def choose(rule: Callable[[Row], bool]) -> Sequence[Parcel]:
            return list_parcels(journal, head, lambda row: may_repeat(row) and rule(row), SENDABLE_OUTCOMES)

        sender = Sender(gateway, journal, head, _build_look(gateway, journal, head))
        send_with_canary(sender, choose, wait, progress)


def retry(
    gateway: Gateway, journal: Journal, locks: SubmissionLocks, head: Head, wait: Wait, progress: bool | None
) -> None:
    """Send again only rows that were rejected or shown not to be applied.

    A canary is sent first here too. Rows that are not sent stay as they were, with the reason.

    Raises:
        JournalError: Another process is sending it.
    """
    with contextlib.ExitStack() as stack:
        with locks.hold_planning(head.account):
            stack.enter_context(locks.hold_sending(head.submission_id))
            # From now on they block other changes of the same SKUs or orders.
            before = _requeue(gateway, journal, head)
        if not before:
            return
        sender = Sender(gateway, journal, head, _build_look(gateway, journal, head))

        def choose(rule: Callable[[Row], bool]) -> Sequence[Parcel]:
            return list_parcels(journal, head, lambda row: row.item in before and rule(row))

        send_with_canary(sender, choose, wait, progress)
        changes = [
            RowChange(
                row.item,
                f"restore_{before[row.item].outcome}",
                {"message": f"{row.message} Before: {before[row.item].message}"},
            )
            for row in journal.rows(head.submission_id, outcomes=("not_sent",))
            if row.item in before and row.message is not None
        ]
        journal.change_rows(head.submission_id, changes, gateway.now())


def check_resendable(journal: Journal, head: Head, what: str) -> None:
    """Refuse what can't be sent again from here.

    Raises:
        InvalidRequestError: It is a dry run, or a hand-over.
        JournalError: The journal can't be written.
    """
    if journal.path == IN_MEMORY:
        raise InvalidRequestError(f"This is a dry run, and {what}() would send it: submit without dry_run=True.")
    if head.kind == "hand_over":
        raise InvalidRequestError(
            f"{head.submission_id} is a hand-over, and its file comes first: hand_over(client, path) finishes it."
        )
    journal.check()


def _build_look(gateway: Gateway, journal: Journal, head: Head) -> Look:
    """Build the last look at rows that were planned some time ago."""
    if head.kind == "orders":
        return OrderLook(gateway, journal, head)
    if head.kind != "stock":
        return look_at_nothing(gateway)
    codes = (batch.place for batch in journal.batches(head.submission_id))
    return StockLook(gateway, journal, head, codes, read_open_lines_query(head))


def _requeue(gateway: Gateway, journal: Journal, head: Head) -> dict[int, Row]:
    """Make rows that were rejected or not applied sendable again; return them as they were, by item."""
    # Held rows are never sent from here, whatever outcome a person gave them: they need a submission of their own.
    held = {batch.batch for batch in journal.batches(head.submission_id) if batch.state in UNSENDABLE_STATES}
    rows = [row for row in journal.rows(head.submission_id, outcomes=RETRIED_OUTCOMES) if row.batch not in held]
    cleared = {"message": None, "read_back": None, "read_back_at": None}
    changes = [RowChange(row.item, "requeue", cleared) for row in rows]
    journal.change_rows(head.submission_id, changes, gateway.now())
    return {row.item: row for row in rows}
