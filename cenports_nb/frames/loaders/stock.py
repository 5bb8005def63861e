"""Loaders of stock, warehouses and channels: ask, decode, validate, say where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.frames.decoding import records as decode
from cenports_nb.frames.loaders.finalize import Handling, OnReject, finish, ordered
from cenports_nb.frames.loaders.query import joined, list_records, parse_names, read_channels, read_stock
from cenports_nb.frames.provenance import Reject
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import CHANNEL_STOCK_KEYS, STOCK_KEYS

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


def load_actual_stock(
    client: Client,
    *,
    warehouse_codes: Sequence[str] | None = None,
    refresh: bool = False,
    allow_partial: bool = False,
    on_reject: OnReject = "warn",
) -> pd.DataFrame:
    """Load the units on the shelf, one row a warehouse and SKU, from GET /inventories.

    Args:
        client: The account.
        warehouse_codes: Only these warehouses.
        refresh: Ask Cenports even if the cache has it.
        allow_partial: Return what did arrive, with a warning, instead of raising IncompleteError.
        on_reject: `"warn"` keeps unreadable records in `rejected(frame)`; `"raise"` stops.

    Returns:
        The columns of `schemas.ActualStock`, ordered by `warehouse_code`, `product_sku`.

    Raises:
        IncompleteError: The answer may have been cut.
        RejectedRowsError: With `on_reject="raise"`.
    """
    codes = parse_names(warehouse_codes, "warehouse_codes")
    read = read_stock(client, {"actualStock": True}, codes, refresh=refresh)
    decoded = decode.stock(list_records(read))
    frame = ordered(decoded.frame, STOCK_KEYS, schemas.ActualStock)
    handling = Handling({"actual_stock": True, "warehouse_codes": codes}, allow_partial, on_reject)
    return finish(client, "GET /inventories", read, frame, decoded.rejects, handling, unknown=decoded.unknown)


def load_available_stock(
    client: Client,
    channel_id: str | Sequence[str] | None = None,
    *,
    warehouse_codes: Sequence[str] | None = None,
    refresh: bool = False,
    allow_partial: bool = False,
    on_reject: OnReject = "warn",
) -> pd.DataFrame:
    """Load the units that can still be sold, one row a channel, warehouse and SKU, from GET /inventories.

    Without a channel every channel is read, one request each. Other arguments and errors are those of
    `load_actual_stock`.

    Returns:
        The columns of `schemas.AvailableStock`, ordered by `channel_id`, `warehouse_code`, `product_sku`.
    """
    codes = parse_names(warehouse_codes, "warehouse_codes")
    channels = parse_names(channel_id, "channel_id")
    if channels is None:
        channels = load_channel_ids(client)
    frames, reads = [], []
    rejects: list[Reject] = []
    unknown: frozenset[str] = frozenset()
    for channel in channels:
        read = read_stock(client, {"channelId": channel}, codes, refresh=refresh)
        decoded = decode.stock(list_records(read))
        frames.append(decoded.frame.assign(channel_id=pd.Series([channel] * len(decoded.frame), dtype="str")))
        rejects += decoded.rejects
        unknown |= decoded.unknown
        reads.append(read)
    if not frames:
        frames = [decode.stock(()).frame.assign(channel_id=pd.Series([], dtype="str"))]
    frame = ordered(
        pd.concat(frames, ignore_index=True),
        CHANNEL_STOCK_KEYS,
        schemas.AvailableStock,
    )
    handling = Handling({"channel_id": channels, "warehouse_codes": codes}, allow_partial, on_reject)
    return finish(client, "GET /inventories", joined(reads), frame, tuple(rejects), handling, unknown=unknown)


def load_warehouses(client: Client, *, refresh: bool = False) -> pd.DataFrame:
    """Load the warehouses, one row each, from the answer of actual stock.

    Returns:
        The columns of `schemas.Warehouses`, ordered by `warehouse_code`.
    """
    read = read_stock(client, {"actualStock": True}, None, refresh=refresh)
    decoded = decode.warehouses(list_records(read))
    frame = ordered(decoded.frame, ["warehouse_code"], schemas.Warehouses)
    return finish(client, "GET /inventories", read, frame, decoded.rejects, Handling({}), unknown=decoded.unknown)


def load_channels(client: Client, *, refresh: bool = False) -> pd.DataFrame:
    """Load the sales channels, one row each, from GET /channels.

    Returns:
        The columns of `schemas.Channels`, ordered by `channel_id`.
    """
    read = read_channels(client, refresh=refresh)
    decoded = decode.channels(list_records(read))
    frame = ordered(decoded.frame, ["channel_id"], schemas.Channels)
    return finish(client, "GET /channels", read, frame, decoded.rejects, Handling({}), unknown=decoded.unknown)


def load_channel_ids(client: Client) -> tuple[str, ...]:
    """List the channels that Cenports knows."""
    return tuple(load_channels(client)["channel_id"])
