"""`hand_over`: write unacknowledged orders to a file for the warehouse, then acknowledge them; crash-safe.

The file is first complete on disk under a hidden name. Then its bytes and its orders are in the journal. Then it gets its
name, which is recorded. Then its orders are acknowledged. So the journal knows every visible file, and can finish every
hand-over it knows. A file that had its name may have been picked, even if it is gone now: it is written again only if a
person asks for it.
"""

from __future__ import annotations

import hashlib
import platform
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cenports_nb.errors import HandoverWarning, InvalidRequestError, JournalError
from cenports_nb.frames.export.files import IDENTIFIERS
from cenports_nb.frames.loaders.orders import load_unacknowledged_orders
from cenports_nb.frames.loaders.query import parse_names
from cenports_nb.frames.provenance import rejected
from cenports_nb.frames.schema.keys import ORDER_KEYS
from cenports_nb.rendering.surface import choose_wording, name_argument
from cenports_nb.rendering.text import format_count
from cenports_nb.submissions.context import (
    SubmissionContext,
    create_head,
    get_context,
    read_own_head,
    require_one_client,
)
from cenports_nb.submissions.handover.journal_entry import (
    HANDOVER_KIND,
    JournalEntry,
    build_details,
    delete_expired_files,
    find_handed_over,
    is_withdrawn,
    list_unfinished_handovers,
    record_publication,
)
from cenports_nb.submissions.handover.output_file import (
    Draft,
    check_target,
    delete_drafts,
    is_intact,
    refuse_taken,
    render_file,
)
from cenports_nb.submissions.handover.pick_list import Layout, PickList, apply_layout, build_pick_list, parse_layout
from cenports_nb.submissions.handover.result import REJECTED_DTYPES, Handover
from cenports_nb.submissions.journal.frames import build_frame
from cenports_nb.submissions.orders.acknowledge_orders import acknowledge_now, plan_chunks, send_acknowledgements
from cenports_nb.submissions.ports import OrderKey
from cenports_nb.submissions.rules.models import Head
from cenports_nb.submissions.sending.sender import close_crashed

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

UNREADABLE_MESSAGE = "It can't be read. The rejected records of a load of orders say why."
UNPUBLISHED_MESSAGE = "Its file could not get its name, so it was not handed over."


def hand_over(
    client: Client,
    path: str | Path,
    *,
    channel_id: str | Sequence[str] | None = None,
    layout: Layout | None = None,
    resend: str | None = None,
    progress: bool | None = None,
) -> Handover:
    """Write the unacknowledged orders to a file for the warehouse, then acknowledge exactly those orders.

    The file has one row per line to pick, by warehouse, day, order and line; lines that are shipped or cancelled are
    omitted. An order that can't be read completely is left out, not acknowledged, and reported.

    Rerunning is always safe. An unfinished hand-over is finished first; its file is written again only if nobody can
    have seen it. If its path was the same, it is the result, and later orders wait for the next hand-over. An order of
    an earlier hand-over that still shows as unacknowledged is acknowledged again, but not written again. Processes of
    this machine take turns.

    Args:
        client: A client that is not read-only.
        path: A .csv or .xlsx file that must not exist; its folder and your umask decide who can read it.
        channel_id: One sales channel or several; all of them by default.
        layout: Your headers to our columns, or a list of columns of orders and line items.
        resend: Write the file of this hand-over again, byte by byte, without a request to Cenports, and finish an
            unfinished one. Files are kept for 30 days.
        progress: Show progress bars; by default only if it takes more than two seconds.

    Raises:
        ReadOnlyError: The client is read-only.
        InvalidRequestError: The path exists or can't be written, or the layout is invalid.
        IncompleteError: The orders could not be read completely.
        JournalError: The journal can't be written, or another process hands over for too long.
        All of them: no new order was handed over or acknowledged.

    Warns:
        HandoverWarning: Orders were left out, or an earlier hand-over was finished.

    Example:
        >>> handover = cn.hand_over(client, "pick-list.csv")
        >>> handover.path.name, handover.orders, handover.acknowledged, handover.lines
        ('pick-list.csv', 21, 21, 73)
    """
    target = check_target(path)
    if resend is not None:
        return _resend(client, target, resend)
    require_one_client(client, "hand_over").check_writable("hand_over")
    headers = parse_layout(layout)
    channels = parse_names(channel_id, "channel_id")
    context = get_context(client)
    context.journal.check()
    account = client.settings.account
    with context.locks.hold_handover(account):
        for head in list_unfinished_handovers(context.journal, account, channels):
            finished = _finish(client, context, head, progress)
            warnings.warn(
                f"Hand-over {head.submission_id} was not finished and is now, or as far as can be: {repr(finished)[1:-1]}.",
                HandoverWarning,
                stacklevel=2,
            )
            if finished.path == target:
                return finished
        delete_drafts(target.parent, _name_drafts(client))
        refuse_taken(target)
        delete_expired_files(context.journal, account, client.clock.now())
        handover = _hand_over_new_orders(client, context, target, headers, channels, progress)
    if len(handover.rejected):
        first = handover.rejected.iloc[0]
        warnings.warn(
            f"Left out of the hand-over and not acknowledged: {format_count(len(handover.rejected), 'order')}, the first "
            f"{first['order_no']}: {first['reason']}{choose_wording(python=' Its .rejected has all.', terminal='')}",
            HandoverWarning,
            stacklevel=2,
        )
    return handover


def _hand_over_new_orders(
    client: Client,
    context: SubmissionContext,
    target: Path,
    headers: dict[str, str],
    channels: Sequence[str] | None,
    progress: bool | None,
) -> Handover:
    """Hand over the current orders, and acknowledge again those of earlier hand-overs."""
    orders, line_items = load_unacknowledged_orders(client, channel_id=channels, progress=progress)
    keys = _list_keys(orders)
    known = find_handed_over(context.journal, client.settings.account, keys)
    is_new = np.array([key not in known for key in keys], dtype=bool)
    pick_list = build_pick_list(orders[is_new], line_items, client.settings.time_zone)
    handover = Handover()
    if len(pick_list.orders):
        handover = _write_and_acknowledge(client, context, target, pick_list, headers, progress)
    if known:
        handover = replace(handover, repeated=acknowledge_now(client, list(known), progress))
    unreadable = rejected(orders)
    left_out = [
        *pick_list.left_out.itertuples(index=False, name=None),
        *((None, key, UNREADABLE_MESSAGE) for key in (() if unreadable is None else unreadable["key"].unique())),
    ]
    return replace(handover, rejected=build_frame(left_out, REJECTED_DTYPES))


def _write_and_acknowledge(
    client: Client,
    context: SubmissionContext,
    target: Path,
    pick_list: PickList,
    headers: dict[str, str],
    progress: bool | None,
) -> Handover:
    """Write the complete file, the journal, the file's name, and then the acknowledgments, in this order."""
    journal = context.journal
    exact = [header for header, name in headers.items() if name in IDENTIFIERS]
    content = render_file(apply_layout(pick_list.rows, headers), target.suffix, client.settings.time_zone, exact)
    draft = Draft.write(target, content, _name_drafts(client))
    head = create_head(client, HANDOVER_KIND, build_details(target, content, len(pick_list.rows)))
    with context.locks.hold_sending(head.submission_id):
        try:
            journal.add(head, *plan_chunks(head.submission_id, _list_keys(pick_list.orders)))
        except JournalError:
            draft.discard()
            raise
        _publish(context, head, draft)
        send_acknowledgements(context.gateway, journal, head, progress)
    return Handover.from_journal(journal, head)


def _publish(context: SubmissionContext, head: Head, draft: Draft) -> None:
    """Give a hand-over's file its name; if that fails, close the hand-over, so that its orders come again."""
    try:
        draft.publish()
    except InvalidRequestError:
        context.journal.hold(head.submission_id, UNPUBLISHED_MESSAGE, context.gateway.now())
        raise
    record_publication(context.journal, head)


def _finish(client: Client, context: SubmissionContext, head: Head, progress: bool | None) -> Handover:
    """Finish a hand-over whose process died or whose acknowledgment is uncertain: first its file, then its orders.

    Raises:
        InvalidRequestError: Its file was changed or can't get its name, or it is unknown whether the warehouse has it;
            none of its orders was acknowledged.
    """
    entry = JournalEntry.from_head(head)
    intact = is_intact(entry.path, entry.digest)
    was_sent = any(row.outcome not in ("not_sent", "held") for row in context.journal.rows(head.submission_id))
    if intact is False:
        raise InvalidRequestError(
            f"Hand-over {entry.handover_id} is not finished, and its file {entry.path.name} was changed since: move that "
            f"away and run again, and its orders are acknowledged; {name_argument('resend', entry.handover_id)} writes the "
            "file once more. Nothing was acknowledged."
        )
    if not entry.is_published and not was_sent:
        draft = Draft(entry.path, _name_drafts(client))
        if intact:
            record_publication(context.journal, head)
        elif draft.was_never_published(entry.digest):
            draft.publish()
            record_publication(context.journal, head)
        else:
            raise InvalidRequestError(
                f"Hand-over {entry.handover_id} was stopped while its file {entry.path.name} was put in its place, and the "
                "file is gone: nobody but the warehouse can tell whether it has it. Ask there; "
                f"{name_argument('resend', entry.handover_id)} writes it again and goes on. Nothing was "
                "acknowledged."
            )
    return _acknowledge_rest(context, head, progress)


def _resend(client: Client, target: Path, handover_id: str) -> Handover:
    """Write the file of a hand-over again, and finish the hand-over if necessary."""
    context = get_context(client)
    head = read_own_head(client, handover_id, "Hand-over")
    entry = JournalEntry.from_head(head)
    if is_withdrawn(context.journal, handover_id):
        raise InvalidRequestError(f"Hand-over {handover_id}: {UNPUBLISHED_MESSAGE} Its orders come in the next one.")
    if target.suffix.lower() != entry.path.suffix.lower():
        raise InvalidRequestError(
            f"Hand-over {handover_id} is a {entry.path.suffix} file and is repeated as one: name it so."
        )
    with context.locks.hold_handover(client.settings.account):
        is_open = head in list_unfinished_handovers(context.journal, head.account, None)
        if is_open:
            client.check_writable(f"hand_over of {handover_id}")
            context.journal.check()
        intact = is_intact(target, entry.digest)
        if intact is False:
            refuse_taken(target)
        if intact is None:
            if entry.content is None:
                raise InvalidRequestError(
                    f"The file of hand-over {handover_id} is no longer kept: files are taken out of the journal after 30 days."
                )
            Draft.write(target, entry.content, _name_drafts(client)).publish()
        if not entry.is_published:
            record_publication(context.journal, head)
        handover = _acknowledge_rest(context, head, None) if is_open else Handover.from_journal(context.journal, head)
    return replace(handover, path=target)


def _acknowledge_rest(context: SubmissionContext, head: Head, progress: bool | None) -> Handover:
    """Acknowledge the orders of an earlier hand-over whose acknowledgment is not certain."""
    with context.locks.hold_sending(head.submission_id):
        close_crashed(context.gateway, context.journal, head.submission_id)
        send_acknowledgements(context.gateway, context.journal, head, progress)
    return Handover.from_journal(context.journal, head)


def _list_keys(frame: pd.DataFrame) -> list[OrderKey]:
    return list(zip(*(frame[name].astype("str") for name in ORDER_KEYS), strict=True))


def _name_drafts(client: Client) -> str:
    """Name account and machine, so that nobody deletes another one's draft."""
    return hashlib.blake2b(f"{client.settings.account}|{platform.node()}".encode(), digest_size=6).hexdigest()
