"""The last look at orders that are to be created: nothing goes out that is there by now, or may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cenports_nb.submissions.journal.models import Batch, Head, Row
from cenports_nb.submissions.journal.queries import live_orders
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.orders.lookup import existing_orders, key_of

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.submissions.sending.sender import Prepare


def look_for_orders(client: Client, journal: Journal, head: Head) -> Prepare:
    """Make a last look at batches that are sent later than they were planned."""

    def prepare(_: Batch, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
        channel = rows[0].channel_id or ""
        numbers = [row.order_no or "" for row in rows]
        live = live_orders(journal, client.home, head.account, channel, numbers, but=head.submission_id)
        there = existing_orders(client, map(key_of, rows))
        send: list[Row] = []
        withheld: list[Row] = []
        for row in rows:
            number = row.order_no or ""
            reason = created_by(live[number]) if number in live else had_by(channel) if key_of(row) in there else ""
            if reason:
                withheld.append(replace(row, message=f"Not sent: {reason}."))
            else:
                send.append(row)
        return send, withheld

    return prepare


def created_by(submission_id: str) -> str:
    """Say that the journal knows an order."""
    return f"submission {submission_id} created it, or may have"


def had_by(channel_id: str) -> str:
    """Say that a channel has an order."""
    return f"channel {channel_id} has it already"
