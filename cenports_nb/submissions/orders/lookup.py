"""What Cenports has of orders and shipments now, asked by number, and what that proves of a write."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from cenports_nb.api.retrieval.windows import MAX_NUMBERS_LENGTH
from cenports_nb.errors import RejectedRowsWarning
from cenports_nb.frames.loaders.orders import load_orders
from cenports_nb.frames.loaders.shipments import load_shipments
from cenports_nb.frames.loaders.stock import load_channel_ids
from cenports_nb.frames.provenance import rejected
from cenports_nb.submissions.journal.models import Batch, Row
from cenports_nb.submissions.tracking.settling import BETWEEN_READINGS, has_landed, look_again
from cenports_nb.submissions.tracking.snapshot import time_of

if TYPE_CHECKING:
    import pandas as pd

    from cenports_nb.api.client import Client

Key = tuple[str, str]
"""Channel id and order number."""

ABSENT = 0
"""What stands as `read_back` of a row whose order was looked for and not found."""


def existing_orders(client: Client, keys: Iterable[Key]) -> set[Key]:
    """Tell which orders are there, readable or not; a request for each 255 characters of numbers of a channel."""
    return {
        (channel, number)
        for channel, numbers in by_channel(keys).items()
        for number in _numbers(client, channel, numbers, None)
    }


def standing_of(client: Client, keys: Iterable[Key]) -> dict[Key, bool]:
    """Tell whether orders are acknowledged; those that are not there are not in the answer. Two requests a chunk."""
    found: dict[Key, bool] = {}
    for channel, numbers in by_channel(keys).items():
        # What is acknowledged in between is in both answers, and the later one is right.
        for answer in (False, True):
            found |= {(channel, number): answer for number in _numbers(client, channel, numbers, answer)}
    return found


def acknowledged_orders(client: Client, keys: Iterable[Key]) -> set[Key]:
    """Tell which orders are acknowledged; one request a chunk."""
    return {
        (channel, number)
        for channel, numbers in by_channel(keys).items()
        for number in _numbers(client, channel, numbers, True)
    }


def channels_of(client: Client, numbers: Sequence[str]) -> dict[str, set[str]]:
    """Tell in which channels there are orders of these numbers, listed channels or not; one request a chunk."""
    found: dict[str, set[str]] = {number: set() for number in numbers}
    if not numbers:
        return found
    frame = _quietly(load_orders, client, order_nos=numbers)
    keys = list(zip(frame["channel_id"], frame["order_no"], strict=True))
    unreadable = rejected(frame)
    for record in () if unreadable is None else unreadable["record"]:
        keys.append(_read_key(record))
    for channel, number in keys:
        if number in found:
            found[number].add(channel)
    return found


def shipments_of(
    client: Client, channels: Sequence[str], numbers: Sequence[str], acknowledged: bool | None = None
) -> set[Key]:
    """Tell of which orders there are shipments, by channel; a request a chunk for each channel."""
    if not channels or not numbers:
        return set()
    frame = _quietly(load_shipments, client, channel_id=channels, order_nos=numbers, acknowledged=acknowledged)
    asked = set(numbers)
    return {
        (str(channel), str(number))
        for channel, number in zip(frame["channel_id"], frame["order_no"], strict=True)
        if number in asked
    }


def judge_created(client: Client, rows: Sequence[Row], batches: Mapping[int, Batch]) -> list[Row]:
    """Decide orders that were to be created: one that is there is applied, as it was not there before.

    An order just created can't be read for a while, so absence proves nothing until the time is settled and two
    readings a minute apart agree.
    """
    there = existing_orders(client, (key_of(row) for row in rows))
    at = client.clock.now()
    wait = timedelta(minutes=client.dialect.settle_minutes)
    return [
        replace(row, outcome="applied", message=None, read_back=1, read_back_at=at.isoformat())
        if key_of(row) in there
        else absent(row, batches[row.batch], at, wait, f"Order {row.order_no} is not there")
        for row in rows
    ]


def judge_acknowledged(client: Client, rows: Sequence[Row], _: Mapping[int, Batch]) -> list[Row]:
    """Decide acknowledgements of orders, which are done at once: what is not acknowledged now was not."""
    standing = standing_of(client, (key_of(row) for row in rows))
    at = client.clock.now().isoformat()
    return [_by_standing(row, standing.get(key_of(row)), at) for row in rows]


def _by_standing(row: Row, answer: bool | None, at: str) -> Row:
    if answer is None:
        return replace(row, outcome="rejected", message=no_such_order(row), read_back=ABSENT, read_back_at=at)
    if answer:
        return replace(row, outcome="applied", message=None, read_back=1, read_back_at=at)
    text = f"Order {row.order_no} is not acknowledged: resume() or retry() sends it again."
    outcome = "not_applied" if row.outcome == "in_doubt" else row.outcome
    return replace(row, outcome=outcome, message=text, read_back=ABSENT, read_back_at=at)


def no_such_order(row: Row) -> str:
    """Say that a channel does not have an order."""
    return f"Channel {row.channel_id} has no order {row.order_no}: check number and channel."


def judge_shipments(client: Client, rows: Sequence[Row], batches: Mapping[int, Batch]) -> list[Row]:
    """Decide acknowledgements of shipments: applied where none of the order's shipments is left to acknowledge."""
    at = client.clock.now()
    wait = timedelta(minutes=client.dialect.settle_minutes)
    found: list[Row] = []
    for channel, numbers in by_channel(key_of(row) for row in rows).items():
        channels = [channel] if channel else load_channel_ids(client)  # of an order that no channel knows
        left = {number for _, number in shipments_of(client, channels, numbers, acknowledged=False)}
        done = {number for _, number in shipments_of(client, channels, numbers, acknowledged=True)} - left
        found += [
            replace(row, outcome="applied", message=None, read_back=1, read_back_at=at.isoformat())
            if row.order_no in done
            else absent(row, batches[row.batch], at, wait, f"Shipments of order {row.order_no} are not acknowledged")
            for row in rows
            if key_of(row)[0] == channel
        ]
    return found


def absent(row: Row, batch: Batch, at: datetime, wait: timedelta, what: str) -> Row:
    """Decide a row whose change was looked for and not found.

    Args:
        row: As it is in the journal.
        batch: That it was sent in.
        at: Now.
        wait: How long a change may take to land.
        what: The finding, as the beginning of a sentence.
    """
    first = (time_of(row.read_back_at) if row.read_back == ABSENT else None) or at
    read = replace(row, read_back=ABSENT, read_back_at=first.isoformat())
    if has_landed(batch, at, wait) and at - first >= BETWEEN_READINGS:
        text = f"{what}, at {first:%H:%M} and {at:%H:%M} UTC."
        return replace(read, outcome="not_applied", message=text, read_back_at=at.isoformat())
    again = look_again(batch, first, at, wait)
    return replace(read, message=f"{what} yet: verify() again after {again:%H:%M:%S} UTC.")


def can_be_listed(number: str) -> bool:
    """Tell whether a number means itself in a list with commas, whose blanks are nobody's."""
    return "," not in number and number == number.strip() and 0 < len(number) <= MAX_NUMBERS_LENGTH


def key_of(row: Row) -> Key:
    """Name the order of a row."""
    return row.channel_id or "", row.order_no or ""


def by_channel(keys: Iterable[Key]) -> dict[str, list[str]]:
    """Group order numbers by channel, each once, in their order."""
    found: dict[str, dict[str, None]] = {}
    for channel, number in keys:
        found.setdefault(channel, {})[number] = None
    return {channel: list(numbers) for channel, numbers in found.items()}


def _numbers(client: Client, channel: str, numbers: Sequence[str], acknowledged: bool | None) -> set[str]:
    frame = _quietly(load_orders, client, channel_id=channel, order_nos=numbers, acknowledged=acknowledged)
    unreadable = rejected(frame)
    there = {*frame["order_no"], *(() if unreadable is None else unreadable["key"])}
    return there & set(numbers)


def _read_key(record: str) -> Key:
    """Read channel and number of an order that can't be read whole."""
    try:
        found = msgspec.json.decode(record)
    except (msgspec.MsgspecError, RecursionError):
        found = None
    known = found if isinstance(found, dict) else {}
    return str(known.get("channelId") or "unknown"), str(known.get("orderNo") or "")


def _quietly(load: object, client: Client, **asked: object) -> pd.DataFrame:
    """Load past the cache; a record that can't be read is there all the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RejectedRowsWarning)
        return load(client, **asked, refresh=True, progress=False)  # type: ignore[operator,no-any-return]
