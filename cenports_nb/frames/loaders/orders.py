"""Loaders of orders and shipments: ask, decode, validate, say where it comes from.

A frame that is returned is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.api.retrieval.decoded_page import count
from cenports_nb.api.retrieval.retrieve import Retrieval
from cenports_nb.frames.dates import Day
from cenports_nb.frames.decoding import records as decode
from cenports_nb.frames.decoding.order_frames import Orders, orders_of
from cenports_nb.frames.decoding.shipment_items import shipment_items
from cenports_nb.frames.line_status import CLOSED_WORDS, is_open
from cenports_nb.frames.loaders.endpoint_specs import order_source
from cenports_nb.frames.loaders.finalize import Handling, OnReject, finish, framed, validated
from cenports_nb.frames.loaders.line_item_cache import recall, remember
from cenports_nb.frames.loaders.query import (
    LoadQuery,
    list_records,
    parse_query,
    read_orders,
    read_shipments,
)
from cenports_nb.frames.loaders.stock import load_channel_ids
from cenports_nb.frames.schema import schemas

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

SHIPMENT_ORDER = ["ship_date", "channel_id", "order_no", "tracking_number"]


def load_orders(
    client: Client,
    start: Day | None = None,
    end: Day | None = None,
    *,
    channel_id: str | Sequence[str] | None = None,
    order_nos: Sequence[str] | None = None,
    acknowledged: bool | None = None,
    refresh: bool = False,
    progress: bool | None = None,
    allow_partial: bool = False,
    on_reject: OnReject = "warn",
    with_acknowledged: bool = False,
    last: str | None = None,
) -> pd.DataFrame:
    """Load orders, one row each, from GET /orders.

    Days are meant in the client's time zone, by `order_date`, both included; instants in the frame are UTC.

    Args:
        client: The account.
        start: First day, `YYYY-MM-DD`, a date or a Timestamp.
        end: Last day.
        channel_id: One sales channel or several; all of them by default.
        order_nos: Only these order numbers.
        acknowledged: Only orders that are (or are not) acknowledged; such answers are never cached.
        refresh: Ask Cenports even if the cache has it.
        progress: Show a bar; by default only when it takes more than two seconds.
        allow_partial: Return what did arrive, with a warning, instead of raising IncompleteError.
        on_reject: `"warn"` keeps unreadable records in `rejected(frame)`; `"raise"` stops.
        with_acknowledged: Ask for both halves, one after the other, so that the column `acknowledged` is known.
        last: A span that ends today, such as `"30D"`, instead of start and end.

    Returns:
        The columns of `schemas.Orders`, ordered by `order_date`, `channel_id`, `order_no`.

    Raises:
        InvalidRequestError: A bad day, an unknown channel; nothing, or nothing more, was sent.
        IncompleteError: Records are missing; it carries what did arrive.
        RejectedRowsError: With `on_reject="raise"`.
    """
    asked = parse_query(
        client,
        start,
        end,
        last=last,
        channel_id=channel_id,
        order_nos=order_nos,
        acknowledged=acknowledged,
        with_acknowledged=with_acknowledged,
    )
    generation = client.generation
    read = read_orders(
        client, asked, lambda: load_channel_ids(client), refresh=refresh, progress=progress, halves=with_acknowledged
    )
    orders = orders_of(read, asked.days, client.settings.time_zone)
    frame = framed(orders.order_columns(), schemas.Orders)
    remember(client, asked.key, orders, read, generation, size=int(frame.memory_usage().sum()))
    return finish(
        client,
        "GET /orders",
        read,
        frame,
        orders.rejects,
        Handling(asked.params, allow_partial, on_reject),
        int(orders.outside.sum()),
        orders.doubt,
        orders.unknown,
    )


def load_line_items(
    client: Client,
    start: Day | None = None,
    end: Day | None = None,
    *,
    channel_id: str | Sequence[str] | None = None,
    order_nos: Sequence[str] | None = None,
    acknowledged: bool | None = None,
    refresh: bool = False,
    progress: bool | None = None,
    allow_partial: bool = False,
    on_reject: OnReject = "warn",
    with_acknowledged: bool = False,
    last: str | None = None,
) -> pd.DataFrame:
    """Load order lines, one row each, from the very pages of `load_orders`: no further request.

    Arguments and errors are those of `load_orders`.

    Returns:
        The columns of `schemas.LineItems`, ordered by `order_date`, `channel_id`, `order_no`, `line_item`.
    """
    asked = parse_query(
        client,
        start,
        end,
        last=last,
        channel_id=channel_id,
        order_nos=order_nos,
        acknowledged=acknowledged,
        with_acknowledged=with_acknowledged,
    )
    orders, read = _read_lines(client, asked, refresh=refresh, progress=progress, halves=with_acknowledged)
    handling = Handling(asked.params, allow_partial, on_reject)
    return _lines(client, orders, read, handling, lambda frame: frame)


def load_open_items(
    client: Client,
    *,
    lookback: str = "180D",
    closed: Collection[str] = CLOSED_WORDS,
    channel_id: str | Sequence[str] | None = None,
    refresh: bool = False,
    progress: bool | None = None,
    allow_partial: bool = False,
    on_reject: OnReject = "warn",
) -> pd.DataFrame:
    """Load the order lines that are not yet shipped or cancelled, from GET /orders.

    Args:
        client: The account.
        lookback: How far back an open order may lie, from today.
        closed: The statuses of a line, in any case, that end it; every other word is open.
        channel_id: One sales channel or several; all of them by default.
        refresh: Ask Cenports even if the cache has it.
        progress: Show a bar; by default only when it takes more than two seconds.
        allow_partial: Return what did arrive, with a warning, instead of raising IncompleteError.
        on_reject: `"warn"` keeps unreadable records in `rejected(frame)`; `"raise"` stops.

    Returns:
        The columns of `schemas.LineItems`, ordered as in `load_line_items`.

    Raises:
        IncompleteError: Records are missing; it carries what did arrive.
        RejectedRowsError: With `on_reject="raise"`.
    """
    asked = parse_query(client, None, None, last=lookback, channel_id=channel_id, order_nos=None, acknowledged=None)
    orders, read = _read_lines(client, asked, refresh=refresh, progress=progress)
    handling = Handling({**asked.params, "closed": sorted(closed)}, allow_partial, on_reject)
    return _lines(client, orders, read, handling, lambda frame: frame[is_open(frame["status"], closed)])


def load_shipments(
    client: Client,
    start: Day | None = None,
    end: Day | None = None,
    *,
    channel_id: str | Sequence[str] | None = None,
    order_nos: Sequence[str] | None = None,
    acknowledged: bool | None = None,
    refresh: bool = False,
    progress: bool | None = None,
    allow_partial: bool = False,
    on_reject: OnReject = "warn",
    with_acknowledged: bool = False,
    last: str | None = None,
) -> pd.DataFrame:
    """Load shipments, one row each, from GET /shipments; without a channel, from every channel.

    Which date the API filters by is not documented, so nothing is cut: shipments of the days just before
    and after may be among the rows. Arguments and errors are those of `load_orders`.

    Returns:
        The columns of `schemas.Shipments`, then every other field of the answer as text.
    """
    asked = parse_query(
        client,
        start,
        end,
        last=last,
        channel_id=channel_id,
        order_nos=order_nos,
        acknowledged=acknowledged,
        with_acknowledged=with_acknowledged,
    )
    read, decoded = _read_shipments(client, asked, refresh=refresh, progress=progress, halves=with_acknowledged)
    frame = decoded.frame.drop(columns="_index")
    if acknowledged is not None:  # the answers may say nothing of it; what was asked for is known
        frame["acknowledged"] = frame["acknowledged"].fillna(acknowledged)
    frame = frame.sort_values(SHIPMENT_ORDER, kind="stable", ignore_index=True)
    return finish(
        client,
        "GET /shipments",
        read,
        validated(frame, schemas.Shipments),
        decoded.rejects,
        Handling(asked.params, allow_partial, on_reject),
    )


def load_shipment_items(
    client: Client,
    start: Day | None = None,
    end: Day | None = None,
    *,
    channel_id: str | Sequence[str] | None = None,
    order_nos: Sequence[str] | None = None,
    acknowledged: bool | None = None,
    refresh: bool = False,
    progress: bool | None = None,
    allow_partial: bool = False,
    on_reject: OnReject = "warn",
    with_acknowledged: bool = False,
    last: str | None = None,
) -> pd.DataFrame:
    """Load what was in the shipments, one row a line, from the very pages of `load_shipments`: no further request.

    What a shipment looks like is not documented. Its lines are the list of objects in it whose name speaks of lines,
    items, products or contents, or whose objects have a SKU; in packages too. A shipment without such a list has no
    row here. Arguments and errors are those of `load_orders`.

    Returns:
        The columns of `schemas.ShipmentItems`, then every other field of a line as text; ordered by shipment, and
        within it as sent.
    """
    asked = parse_query(
        client,
        start,
        end,
        last=last,
        channel_id=channel_id,
        order_nos=order_nos,
        acknowledged=acknowledged,
        with_acknowledged=with_acknowledged,
    )
    read, decoded = _read_shipments(client, asked, refresh=refresh, progress=progress, halves=with_acknowledged)
    items, line_rejects = shipment_items(decoded.frame, list_records(read))
    frame = items.sort_values(SHIPMENT_ORDER, kind="stable", ignore_index=True)
    return finish(
        client,
        "GET /shipments",
        read,
        validated(frame, schemas.ShipmentItems),
        (*decoded.rejects, *line_rejects),
        Handling(asked.params, allow_partial, on_reject),
    )


def _read_lines(
    client: Client, asked: LoadQuery, *, refresh: bool, progress: bool | None, halves: bool = False
) -> tuple[Orders, Retrieval]:
    """Read the lines of orders: those that the last load of the same orders read along, or again."""
    if not refresh and (known := recall(client, asked.key, order_source(client, lambda: ()))) is not None:
        return known
    read = read_orders(
        client,
        asked,
        lambda: load_channel_ids(client),
        refresh=refresh,
        progress=progress,
        halves=halves,
        lines_only=True,
    )
    return orders_of(read, asked.days, client.settings.time_zone), read


def _lines(
    client: Client,
    orders: Orders,
    read: Retrieval,
    handling: Handling,
    choose: Callable[[pd.DataFrame], pd.DataFrame],
) -> pd.DataFrame:
    """Make a frame of order lines."""
    frame = framed(orders.line_columns(), schemas.LineItems, choose)
    rejects = (*orders.rejects, *orders.line_rejects)
    return finish(
        client, "GET /orders", read, frame, rejects, handling, orders.lines_outside, orders.doubt, orders.unknown
    )


def _read_shipments(
    client: Client, asked: LoadQuery, *, refresh: bool, progress: bool | None, halves: bool
) -> tuple[Retrieval, decode.Decoded]:
    """Read shipments; each knows the channel, and where both halves are read the half, that it was asked for."""
    channels = asked.channels or load_channel_ids(client)
    read = read_shipments(client, asked, channels, refresh=refresh, progress=progress, halves=halves)
    windows = [part.window for part in read.parts for _ in range(count(part.contents))]
    known = [window.acknowledged for window in windows] if halves else []
    return read, decode.shipments(list_records(read), [window.channel_id for window in windows], known)
