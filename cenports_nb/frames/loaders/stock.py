"""Loaders of stock, warehouses and channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from cenports_nb.api.retrieval.observed_limits import get_observed_limits
from cenports_nb.api.retrieval.results import MissingWindow, Retrieval
from cenports_nb.api.retrieval.retrieve import retrieve
from cenports_nb.api.retrieval.splitting import explain_length
from cenports_nb.api.retrieval.windows import Window
from cenports_nb.errors import CenportsWarning
from cenports_nb.frames.decoding.records import decode_channels, decode_stock, decode_warehouses
from cenports_nb.frames.loaders.accounts import for_accounts, require_client
from cenports_nb.frames.loaders.endpoint_specs import channels_spec, count_stock_rows, stock_spec
from cenports_nb.frames.loaders.finalize import LoadOptions, OnReject, finalize, sort_frame
from cenports_nb.frames.loaders.query import parse_names
from cenports_nb.frames.provenance import Reject
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import CHANNEL_STOCK_KEYS, STOCK_KEYS
from cenports_nb.frames.sku_settlements import attach_settlements, load_settlements
from cenports_nb.frames.user_warnings import warn_user

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.frames.loaders.accounts import Clients

STOCK_SOURCE = "GET /inventories"


@for_accounts
def load_actual_stock(
    client: Clients,
    *,
    warehouse_codes: Sequence[str] | None = None,
    refresh: bool = False,
    allow_partial: bool = False,
    on_reject: OnReject = "warn",
) -> pd.DataFrame:
    """Load actual stock, one row per warehouse and SKU, from GET /inventories.

    Args:
        client: The account; or a list of accounts, which adds `account` in front.
        warehouse_codes: Only these warehouses; a warning names those of which nothing was sent.
        refresh: Request from Cenports even if the cache has an answer.
        allow_partial: Return an incomplete frame with a warning instead of raising IncompleteError.
        on_reject: `"warn"` about records that can't be read and list them in `rejected(frame)`, or `"raise"`.

    Returns:
        The columns of `schemas.ActualStock`, ordered by `warehouse_code`, `product_sku`.

    Raises:
        IncompleteError: The answer may have been cut.
        RejectedRowsError: A record can't be read, with `on_reject="raise"`.

    Example:
        >>> actual = cn.load_actual_stock(client, warehouse_codes="NW-EAST")
        >>> actual[["warehouse_code", "product_sku", "quantity"]].head(3)
          warehouse_code product_sku  quantity
        0        NW-EAST        0001        39
        1        NW-EAST        0002        17
        2        NW-EAST        0003        13
    """
    client = require_client(client)
    codes = parse_names(warehouse_codes, "warehouse_codes")
    retrieval = _retrieve_stock(client, {"actualStock": True}, codes, refresh=refresh)
    decoded = decode_stock(retrieval.raw_records())
    frame = sort_frame(decoded.frame, STOCK_KEYS, schemas.ActualStock)
    options = LoadOptions({"actual_stock": True, "warehouse_codes": codes}, allow_partial, on_reject)
    frame = finalize(
        client, STOCK_SOURCE, retrieval, frame, decoded.rejects, options, unknown_fields=decoded.unknown_fields
    )
    _warn_of_absent(codes, frame)
    return attach_settlements(frame, load_settlements(client.home, client.settings.account))


@for_accounts
def load_available_stock(
    client: Clients,
    channel_id: str | Sequence[str] | None = None,
    *,
    warehouse_codes: Sequence[str] | None = None,
    refresh: bool = False,
    allow_partial: bool = False,
    on_reject: OnReject = "warn",
) -> pd.DataFrame:
    """Load available stock, one row per channel, warehouse and SKU, from GET /inventories.

    Without a channel, every channel is read with one request each. Other arguments and errors are those of
    `load_actual_stock`.

    Returns:
        The columns of `schemas.AvailableStock`, ordered by `channel_id`, `warehouse_code`, `product_sku`.

    Example:
        >>> available = cn.load_available_stock(client, "NW-EU")
        >>> available[["channel_id", "warehouse_code", "product_sku", "quantity"]].head(3)
          channel_id warehouse_code product_sku  quantity
        0      NW-EU        NW-EAST        0001        -1
        1      NW-EU        NW-EAST        0002       -45
        2      NW-EU        NW-EAST        0003         9
    """
    client = require_client(client)
    codes = parse_names(warehouse_codes, "warehouse_codes")
    channels = parse_names(channel_id, "channel_id")
    if channels is None:
        channels = load_channel_ids(client)
    frames, retrievals = [], []
    rejects: list[Reject] = []
    unknown_fields: frozenset[str] = frozenset()
    for channel in channels:
        retrieval = _retrieve_stock(client, {"channelId": channel}, codes, refresh=refresh)
        decoded = decode_stock(retrieval.raw_records())
        frames.append(decoded.frame.assign(channel_id=pd.Series([channel] * len(decoded.frame), dtype="str")))
        rejects += decoded.rejects
        unknown_fields |= decoded.unknown_fields
        retrievals.append(retrieval)
    if not frames:
        frames = [decode_stock(()).frame.assign(channel_id=pd.Series([], dtype="str"))]
    frame = sort_frame(
        pd.concat(frames, ignore_index=True),
        CHANNEL_STOCK_KEYS,
        schemas.AvailableStock,
    )
    options = LoadOptions({"channel_id": channels, "warehouse_codes": codes}, allow_partial, on_reject)
    frame = finalize(
        client, STOCK_SOURCE, Retrieval.join(retrievals), frame, tuple(rejects), options, unknown_fields=unknown_fields
    )
    _warn_of_absent(codes, frame)
    return frame


@for_accounts
def load_warehouses(client: Clients, *, refresh: bool = False) -> pd.DataFrame:
    """Load the warehouses, one row each, from the answer for actual stock.

    Returns:
        The columns of `schemas.Warehouses`, ordered by `warehouse_code`.

    Example:
        >>> cn.load_warehouses(client)[["warehouse_code", "warehouse_name"]]
          warehouse_code  warehouse_name
        0        NW-EAST  Northwind East
        1        NW-WEST  Northwind West
    """
    client = require_client(client)
    retrieval = _retrieve_stock(client, {"actualStock": True}, None, refresh=refresh)
    decoded = decode_warehouses(retrieval.raw_records())
    frame = sort_frame(decoded.frame, ["warehouse_code"], schemas.Warehouses)
    return finalize(
        client, STOCK_SOURCE, retrieval, frame, decoded.rejects, LoadOptions(), unknown_fields=decoded.unknown_fields
    )


@for_accounts
def load_channels(client: Clients, *, refresh: bool = False) -> pd.DataFrame:
    """Load the sales channels, one row each, from GET /channels.

    Returns:
        The columns of `schemas.Channels`, ordered by `channel_id`.

    Example:
        >>> cn.load_channels(client)[["channel_id", "channel_name"]]
          channel_id             channel_name
        0      NW-EU         Northwind Europe
        1      NW-NA  Northwind North America
        2      NW-SA  Northwind South America
    """
    client = require_client(client)
    retrieval = retrieve(client, channels_spec(client), [Window()], refresh=refresh)
    decoded = decode_channels(retrieval.raw_records())
    frame = sort_frame(decoded.frame, ["channel_id"], schemas.Channels)
    return finalize(
        client, "GET /channels", retrieval, frame, decoded.rejects, LoadOptions(), unknown_fields=decoded.unknown_fields
    )


def load_channel_ids(client: Client) -> tuple[str, ...]:
    """List the ids of the channels that Cenports lists."""
    return tuple(load_channels(client)["channel_id"])


def _warn_of_absent(codes: tuple[str, ...] | None, frame: pd.DataFrame) -> None:
    """Warn about requested warehouses that the frame lacks: their codes may be misspelled."""
    found = {code.casefold() for code in frame["warehouse_code"].unique()}  # Cenports may compare them so
    absent = [code for code in codes or () if code.casefold() not in found]
    if absent:
        warn_user(
            f"{STOCK_SOURCE} has no stock of warehouse {', '.join(map(repr, absent))}: correct the code, unless the "
            "warehouse is empty.",
            CenportsWarning,
        )


def _retrieve_stock(
    client: Client, filters: dict[str, Any], codes: tuple[str, ...] | None, *, refresh: bool
) -> Retrieval:
    """Retrieve warehouses with their stock; if the answer may have been cut, retrieve it again by warehouse."""
    retrieval = retrieve(client, stock_spec(client, filters, codes), [Window()], refresh=refresh)
    rows, rows_by_code = _count_stock_rows(retrieval)
    limits = get_observed_limits(client)
    caps = {
        number
        for number in set(client.dialect.known_caps) - set(client.dialect.whole_lengths)
        if number >= limits.longest(STOCK_SOURCE)
    }
    if retrieval.requests and not retrieval.missing:
        limits.note_answer(STOCK_SOURCE, rows)
    if retrieval.missing or (rows not in caps and not any(number in caps for number in rows_by_code.values())):
        return retrieval
    # What is requested again depends on a fresh response: an older one may differ.
    refresh = refresh or retrieval.requests > 0
    parts = [
        retrieve(client, stock_spec(client, filters, (code,)), [Window()], refresh=refresh) for code in rows_by_code
    ]
    again = [_count_stock_rows(part)[0] for part in parts]
    # A length that a response exceeded is not a cap; a longer response also shows that the first one was cut.
    longest = max([rows, *again], default=0)
    if sum(again) == rows and all(number not in caps or number < longest for number in again):
        return retrieval
    doubtful = next((number for number in (*again, rows) if number in caps and number >= longest), rows)
    missing = MissingWindow(Window(), explain_length(doubtful, "stock rows"))
    return replace(Retrieval.join(parts), missing=(missing,))


def _count_stock_rows(retrieval: Retrieval) -> tuple[int, dict[str, int]]:
    """Count the stock rows of a retrieval, in all and by warehouse; an unreadable record counts as one."""
    counts = [count_stock_rows(record) or ("", 1) for record in retrieval.raw_records()]
    rows_by_code: Counter[str] = Counter()
    for code, number in counts:
        if code and number:
            rows_by_code[code] += number
    return sum(number for _, number in counts), rows_by_code
