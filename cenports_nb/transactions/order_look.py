"""The last look at orders that are to be created: nothing goes out that is there by now, or may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cenports_nb.transactions.earlier import live_orders
from cenports_nb.transactions.entries import Batch, Head, Row
from cenports_nb.transactions.journal import Journal
from cenports_nb.transactions.order_evidence import existing_orders, key_of

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.transactions.sending import Prepare


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
            reason = reason_not_to_create(channel, row.order_no or "", live, is_there=key_of(row) in there)
            if reason:
                withheld.append(replace(row, message=f"Not sent: {reason}."))
            else:
                send.append(row)
        return send, withheld

    return prepare


def reason_not_to_create(channel_id: str, order_no: str, live: Mapping[str, str], *, is_there: bool) -> str:
    """Say why an order would be created twice; nothing if it would not.

    Args:
        channel_id: Its channel.
        order_no: Its number.
        live: From `live_orders`.
        is_there: Whether the channel has it.
    """
    if order_no in live:
        return f"submission {live[order_no]} created it, or may have"
    return f"channel {channel_id} has it already" if is_there else ""
