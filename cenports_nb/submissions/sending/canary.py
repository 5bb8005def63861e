"""The canary: a few rows that are sent first, waited for and read back before the rest is sent."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

from cenports_nb.errors import CenportsError, CenportsWarning
from cenports_nb.rendering.text import format_count
from cenports_nb.submissions.journal.row_updates import RowChange
from cenports_nb.submissions.rules.models import Row
from cenports_nb.submissions.sending.sender import Parcel, Sender

CANARY_TIMEOUT = timedelta(minutes=20)
CANARY_DETAIL = "canary_rows"
"""The detail of a submission with the size of its canary: its first rows, whichever batches they are sent in."""

Wait = Callable[[Collection[int], timedelta], None]
"""Polls until no row of these batches is pending, or until the time is up."""

ListParcels = Callable[[Callable[[Row], bool]], Sequence[Parcel]]
"""Lists what may be sent of the rows that a function selects."""


def send_with_canary(sender: Sender, list_parcels: ListParcels, wait: Wait, progress: bool | None) -> None:
    """Send what may be sent of a submission, its canary first; the caller holds the right to send.

    Warns:
        CenportsWarning: The canary was not confirmed, and the rest is not sent.
    """
    journal, head = sender.journal, sender.head
    size = int(head.get_detail(CANARY_DETAIL) or 0)
    if size:
        sender.send(list_parcels(lambda row: row.item < size), progress)
        wait({row.batch for row in journal.rows(head.submission_id) if row.item < size}, CANARY_TIMEOUT)
        failure = _check_canary(sender, size)
        if failure is not None:
            text = f"Not sent: the canary was not confirmed, as {failure}."
            rest = [row for row in journal.rows(head.submission_id, outcomes=("not_sent",)) if row.item >= size]
            changes = [RowChange(row.item, None, {"message": text}) for row in rest]
            journal.change_rows(head.submission_id, changes, sender.gateway.now())
            warnings.warn(
                f"The canary of {head.submission_id} was not confirmed, as {failure}. The rest is not sent.",
                CenportsWarning,
                stacklevel=4,
            )
            return
    sender.send(list_parcels(lambda row: row.item >= size), progress)


def _check_canary(sender: Sender, size: int) -> str | None:
    """Read the canary back; return None if the stock is as sent, else what is wrong."""
    rows = [row for row in sender.journal.rows(sender.head.submission_id) if row.item < size]
    failed = [row for row in rows if row.outcome != "applied"]
    unread = [row for row in rows if row.read_back is None or row.read_back != row.target]
    if not failed and unread:
        try:
            failed = _read_back(sender, unread)
        except CenportsError as error:
            return f"the stock could not be read back ({error})"
    if not failed:
        return None
    first = failed[0]
    return (
        f"{len(failed)} of its {format_count(len(rows), 'row')} did not come through, the first {first.product_sku} in "
        f"{first.warehouse_code}: {first.outcome}; {first.message}"
    )


def _read_back(sender: Sender, rows: Sequence[Row]) -> list[Row]:
    """Record the current stock of the rows; return those whose stock is not as sent."""
    at = sender.gateway.now()
    levels = sender.gateway.read_stock({row.warehouse_code or "" for row in rows})
    changes: list[RowChange] = []
    for row in rows:
        now = levels.get(row.stock_key)
        message = None
        if now != row.target:
            message = (
                f"Cenports says it is done, but stock is {now}, not {row.target}: it may have been sold meanwhile, or "
                "TRUE_UP may set another stock than the actual one."
            )
        values = {"read_back": now, "read_back_at": at.wall.isoformat(), "message": message}
        changes.append(RowChange(row.item, None, values))
    sender.journal.change_rows(sender.head.submission_id, changes, at)
    different = {change.item for change in changes if change.values["message"]}
    return [
        row for row in sender.journal.rows(sender.head.submission_id, outcomes=("applied",)) if row.item in different
    ]
