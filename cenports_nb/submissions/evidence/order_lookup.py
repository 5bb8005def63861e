"""Look up orders and shipments at Cenports by number."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from cenports_nb.api.retrieval.windows import MAX_NUMBERS_LENGTH
from cenports_nb.errors import RejectedRowsWarning
from cenports_nb.frames.loaders.orders import load_orders
from cenports_nb.frames.loaders.shipments import load_shipments
from cenports_nb.frames.provenance import rejected
from cenports_nb.submissions.ports import OrderKey

if TYPE_CHECKING:
    import pandas as pd

    from cenports_nb.api.client import Client


def find_orders(client: Client, keys: Iterable[OrderKey], acknowledged: bool | None = None) -> set[OrderKey]:
    """Find existing orders, readable or not; one request per 255 characters of a channel's numbers."""
    found: set[OrderKey] = set()
    for channel, numbers in group_by_channel(keys).items():
        frame = _load(load_orders, client, channel_id=channel, order_nos=numbers, acknowledged=acknowledged)
        unreadable = rejected(frame)
        there = {*frame["order_no"], *(() if unreadable is None else unreadable["key"])}
        found |= {(channel, number) for number in there.intersection(numbers)}
    return found


def find_channels(client: Client, numbers: Sequence[str]) -> dict[str, set[str]]:
    """Find the channels with orders of these numbers, listed or not; one request per chunk of numbers."""
    found: dict[str, set[str]] = {number: set() for number in numbers}
    if not numbers:
        return found
    frame = _load(load_orders, client, order_nos=numbers)
    unreadable = rejected(frame)
    keys = list(zip(frame["channel_id"], frame["order_no"], strict=True))
    keys += [_read_key(record) for record in (() if unreadable is None else unreadable["record"])]
    for channel, number in keys:
        if number in found:
            found[number].add(channel)
    return found


def find_shipped_orders(
    client: Client, channels: Sequence[str], numbers: Sequence[str], acknowledged: bool | None = None
) -> set[OrderKey]:
    """Find the orders that have shipments; one request per chunk for each channel."""
    if not channels or not numbers:
        return set()
    frame = _load(load_shipments, client, channel_id=channels, order_nos=numbers, acknowledged=acknowledged)
    asked = set(numbers)
    return {
        (str(channel), str(number))
        for channel, number in zip(frame["channel_id"], frame["order_no"], strict=True)
        if number in asked
    }


def is_listable(number: str) -> bool:
    """Return whether a number is unambiguous in a comma-separated list, which loses blanks around it."""
    return "," not in number and number == number.strip() and 0 < len(number) <= MAX_NUMBERS_LENGTH


def group_by_channel(keys: Iterable[OrderKey]) -> dict[str, list[str]]:
    """Group order numbers by channel, each once, in their order."""
    found: dict[str, dict[str, None]] = {}
    for channel, number in keys:
        found.setdefault(channel, {})[number] = None
    return {channel: list(numbers) for channel, numbers in found.items()}


def _read_key(record: str) -> OrderKey:
    """Read channel and number of an order that can't be read completely."""
    try:
        found = msgspec.json.decode(record)
    except (msgspec.MsgspecError, RecursionError):
        found = None
    known = found if isinstance(found, dict) else {}
    return str(known.get("channelId") or "unknown"), str(known.get("orderNo") or "")


def _load(load: object, client: Client, **filters: object) -> pd.DataFrame:
    """Load past the cache; a record that can't be read exists all the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RejectedRowsWarning)
        return load(client, **filters, refresh=True, progress=False)  # type: ignore[operator,no-any-return]
