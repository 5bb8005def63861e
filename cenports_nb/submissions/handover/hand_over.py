"""`hand_over`: unacknowledged orders into a file for the warehouse, then acknowledged; killed anywhere, nothing is lost.

The file is first whole on the disk under a hidden name, then its bytes and its orders are in the journal, then it gets
its name, then its orders are acknowledged. So a file that can be seen is always known to the journal, and what the
journal knows can always be finished: what is unknown to it was never seen, and its orders come again.
"""

from __future__ import annotations

import hashlib
import platform
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.errors import HandoverWarning, InvalidRequestError
from cenports_nb.frames.loaders.orders import load_orders_with_lines
from cenports_nb.frames.loaders.query import parse_names
from cenports_nb.frames.provenance import rejected
from cenports_nb.submissions.context import desk_of
from cenports_nb.submissions.handover.journal_entry import (
    KIND,
    Entry,
    details_of,
    entry_of,
    forget_old,
    handed_over,
    unfinished,
    was_seen,
)
from cenports_nb.submissions.handover.output_file import Draft, bytes_of, check_target, is_intact, refuse_taken, tidy
from cenports_nb.submissions.handover.pick_list import KEYS, Layout, Picking, laid_out, layout_of, picking_of
from cenports_nb.submissions.handover.result import LEFT_OUT, Handover, handover_of
from cenports_nb.submissions.journal.frames import frame_of
from cenports_nb.submissions.journal.heads import new_head
from cenports_nb.submissions.journal.locks import handing_over, sending
from cenports_nb.submissions.journal.models import Head
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.orders.acknowledge_chunks import OUTCOMES, acknowledge, outcomes_of, plan_chunks
from cenports_nb.submissions.orders.lookup import Key

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

CANT_BE_READ = "It can't be read: rejected(load_orders(client, acknowledged=False)) has it."
NEVER_SEEN = "Its file could not get its name, so it was not handed over."


def hand_over(
    client: Client,
    path: str | Path,
    *,
    channel_id: str | Sequence[str] | None = None,
    layout: Layout | None = None,
    resend: str | None = None,
    progress: bool | None = None,
) -> Handover:
    """Write the orders that are not acknowledged into a file for the warehouse, then acknowledge exactly those.

    A row a line to pick, by warehouse, then day, order and line; lines that are shipped or cancelled are nothing to
    pick. An order that can't be read whole is left out, not acknowledged, and told.

    Run it again after anything: an unfinished hand-over is finished first, its file written again if it is gone. If
    that was this path's, it is what is returned; orders that came meanwhile are for the next one. An order of an
    earlier hand-over that still shows as not acknowledged is acknowledged again and not written again. Processes of
    this machine take turns.

    Args:
        client: A client that is not read-only.
        path: A .csv or .xlsx file that is not there yet; who may read it is up to its folder and your umask.
        channel_id: One sales channel or several; all of them by default.
        layout: Your headers -> our columns, or a list of columns of orders and line items.
        resend: Repeat the file of this hand-over, byte by byte, without asking Cenports; an unfinished one is finished
            by it. Files are kept for 30 days.
        progress: Show bars; by default only when it takes more than two seconds.

    Raises:
        ReadOnlyError: The client is read-only.
        InvalidRequestError: A path that is taken or can't be written, a layout that can't be meant.
        IncompleteError: The orders could not be read completely.
        JournalError: The journal can't be written, or another process hands over for too long.
        All of them: no new order was handed over or acknowledged.

    Warns:
        HandoverWarning: Orders were left out, or an earlier hand-over was finished.
    """
    target = check_target(path)
    if resend is not None:
        return _resend(client, target, resend)
    client.check_writable("hand_over")
    headers = layout_of(layout)
    channels = parse_names(channel_id, "channel_id")
    desk = desk_of(client)
    desk.journal.check()
    account = client.settings.account
    with handing_over(client.home, account):
        tidy(target.parent, _owner(client))
        for head in unfinished(desk.journal, account, channels):
            finished = _finish(client, desk.journal, head, progress)
            warnings.warn(
                f"Hand-over {head.submission_id} was not finished and is now, or as far as can be: {finished!r}.",
                HandoverWarning,
                stacklevel=2,
            )
            if finished.path == target:
                return finished
        refuse_taken(target)
        forget_old(desk.journal, account, client.clock.now())
        made = _new(client, desk.journal, target, headers, channels, progress)
    if len(made.rejected):
        first = made.rejected.iloc[0]
        warnings.warn(
            f"{len(made.rejected):,} orders were left out of the hand-over and not acknowledged, the first "
            f"{first['order_no']}: {first['reason']} Its .rejected has all.",
            HandoverWarning,
            stacklevel=2,
        )
    return made


def _new(
    client: Client,
    journal: Journal,
    target: Path,
    headers: dict[str, str],
    channels: Sequence[str] | None,
    progress: bool | None,
) -> Handover:
    """Hand over what is there to hand over now."""
    orders, line_items = load_orders_with_lines(client, acknowledged=False, channel_id=channels, progress=progress)
    unreadable = rejected(orders)
    known = handed_over(journal, client.settings.account, _keys(orders))
    new = pd.Series([key not in known for key in _keys(orders)], dtype=bool, index=orders.index)
    picking = picking_of(orders[new], line_items, client.settings.time_zone)
    left_out = frame_of(
        [
            *picking.left_out.itertuples(index=False, name=None),
            *((None, key, CANT_BE_READ) for key in (() if unreadable is None else unreadable["key"].drop_duplicates())),
        ],
        LEFT_OUT,
    )
    made = Handover(None, None, 0, frame_of((), OUTCOMES))
    if len(picking.orders):
        made = _write(client, journal, target, picking, headers, progress)
    repeated = _repeat(client, journal, list(known), progress) if known else made.repeated
    return replace(made, repeated=repeated, rejected=left_out)


def _write(
    client: Client,
    journal: Journal,
    target: Path,
    picking: Picking,
    headers: dict[str, str],
    progress: bool | None,
) -> Handover:
    """File whole on the disk, journal, file in its place, acknowledged: in this order."""
    content = bytes_of(laid_out(picking.rows, headers), target.suffix, client.settings.time_zone)
    draft = Draft(target, content, _owner(client))
    head = new_head(client, KIND, details_of(target, content, len(picking.rows)))
    with sending(client.home, head.submission_id):
        try:
            journal.add(head, *plan_chunks(head.submission_id, _keys(picking.orders)))
        except BaseException:
            draft.discard()
            raise
        _publish(client, journal, head, draft)
        acknowledge(client, journal, head, progress)
    return handover_of(journal, head)


def _publish(client: Client, journal: Journal, head: Head, draft: Draft) -> None:
    """Put a new file in its place; where that fails nobody saw it, and its orders come again."""
    try:
        draft.publish()
    except InvalidRequestError:
        at = client.clock.now()
        rows = journal.rows(head.submission_id)
        journal.set_rows([replace(row, outcome="held", message=NEVER_SEEN) for row in rows], at, ("not_sent",))
        for batch in journal.batches(head.submission_id):
            journal.set_batch(batch, at, state="held")
        raise


def _finish(client: Client, journal: Journal, head: Head, progress: bool | None) -> Handover:
    """Finish a hand-over whose process died or whose acknowledgement was not certain: its file, then its orders.

    Raises:
        InvalidRequestError: Its file was changed, or can't be written again; none of its orders was acknowledged.
    """
    entry = entry_of(head)
    intact = is_intact(entry.path, entry.digest)
    if intact is False:
        raise InvalidRequestError(
            f"Hand-over {entry.handover_id} is not finished, and its file {entry.path.name} was changed since: move that "
            "away and run again (it is written anew), or repeat it elsewhere with resend=. Nothing was acknowledged."
        )
    tidy(entry.path.parent, _owner(client))
    if intact is None:
        _draft(client, entry, entry.path).publish()
    return _acknowledged(client, journal, head, progress)


def _resend(client: Client, target: Path, handover_id: str) -> Handover:
    """Write the file of a hand-over again, and finish it if it is not."""
    journal = desk_of(client).journal
    head = journal.head(handover_id)
    if head.account != client.settings.account:
        raise InvalidRequestError(
            f"Hand-over {handover_id} belongs to partner {head.partner_id} in {head.environment}: connect to that account."
        )
    entry = entry_of(head)
    if not was_seen(journal, handover_id):
        raise InvalidRequestError(f"Hand-over {handover_id}: {NEVER_SEEN} Its orders come in the next one.")
    if target.suffix.lower() != entry.path.suffix.lower():
        raise InvalidRequestError(
            f"Hand-over {handover_id} is a {entry.path.suffix} file and is repeated as one: name it so."
        )
    with handing_over(client.home, client.settings.account):
        is_open = any(one.submission_id == handover_id for one in unfinished(journal, head.account, None))
        if is_open:
            client.check_writable(f"hand_over of {handover_id}")
            journal.check()
        intact = is_intact(target, entry.digest)
        if intact is False:
            refuse_taken(target)
        if intact is None:
            _draft(client, entry, target).publish()
        made = _acknowledged(client, journal, head, None) if is_open else handover_of(journal, head)
    return replace(made, path=target)


def _draft(client: Client, entry: Entry, target: Path) -> Draft:
    if entry.content is None:
        raise InvalidRequestError(
            f"The file of hand-over {entry.handover_id} is no longer kept: files are taken out of the journal after 30 days."
        )
    try:
        return Draft(target, entry.content, _owner(client))
    except InvalidRequestError as error:
        raise InvalidRequestError(
            f"Hand-over {entry.handover_id} is not finished: {error} resend= writes it to another place."
        ) from None


def _acknowledged(client: Client, journal: Journal, head: Head, progress: bool | None) -> Handover:
    with sending(client.home, head.submission_id):
        journal.close_crashed(head.submission_id, client.clock.now())
        acknowledge(client, journal, head, progress)
    return handover_of(journal, head)


def _repeat(client: Client, journal: Journal, keys: Sequence[Key], progress: bool | None) -> pd.DataFrame:
    """Acknowledge orders of earlier hand-overs again."""
    head = new_head(client, "acknowledgement")
    with sending(client.home, head.submission_id):
        journal.add(head, *plan_chunks(head.submission_id, keys))
        acknowledge(client, journal, head, progress)
    return outcomes_of(journal.rows(head.submission_id))


def _keys(frame: pd.DataFrame) -> list[Key]:
    return list(zip(*(frame[name].astype("str") for name in KEYS), strict=True))


def _owner(client: Client) -> str:
    """Name account and machine, so that nobody takes another one's draft away."""
    return hashlib.blake2b(f"{client.settings.account}|{platform.node()}".encode(), digest_size=6).hexdigest()
