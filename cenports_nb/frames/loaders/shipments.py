"""Loaders of shipments and their lines.

parse_query ─▶ retrieve ─▶ decode_shipments ─▶ sort ─▶ finalize
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.api.retrieval.decoded_page import count_records
from cenports_nb.api.retrieval.results import Retrieval
from cenports_nb.api.retrieval.retrieve import retrieve
from cenports_nb.api.retrieval.windows import ONE_DAY, Window
from cenports_nb.frames.decoding.records import DecodedRecords, decode_shipments
from cenports_nb.frames.decoding.shipment_items import decode_shipment_items
from cenports_nb.frames.loaders.endpoint_specs import shipments_spec
from cenports_nb.frames.loaders.finalize import LoadOptions, finalize, validate
from cenports_nb.frames.loaders.query import LoadQuery, parse_query, progress_bar, with_parameters_from
from cenports_nb.frames.loaders.stock import load_channel_ids
from cenports_nb.frames.schema import schemas

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

SOURCE = "GET /shipments"
SORT_COLUMNS = ["ship_date", "channel_id", "order_no", "tracking_number"]


@with_parameters_from(parse_query)
def load_shipments(query: LoadQuery) -> pd.DataFrame:
    """Load shipments, one row each, from GET /shipments; without a channel, from every channel.

    The API doesn't document which date it filters by, so no rows are cut: the frame may have shipments of the days just
    before and after. Arguments and errors are those of `load_orders`.

    Returns:
        The columns of `schemas.Shipments`, then every other field of the answer as text.

    Example:
        >>> shipments = cn.load_shipments(client, last="30D")
        >>> shipments[["order_no", "channel_id", "carrier_code", "tracking_number"]].head(3)
          order_no channel_id carrier_code tracking_number
        0    10951      NW-EU         UNPK    NW0000010951
        1    10990      NW-EU         FDSH    NW0000010990
        2    10991      NW-EU         SPDY    NW0000010991
    """
    return _build_shipments(query, *_retrieve_shipments(query))


@with_parameters_from(parse_query)
def load_shipment_items(query: LoadQuery) -> pd.DataFrame:
    """Load the lines of shipments, one row each, from the pages of `load_shipments`, without further requests.

    The format of a shipment is not documented. Its lines are the list of objects whose name contains lines, items,
    products or contents, or whose objects have a SKU, also inside packages. A shipment without such a list has no row.
    Arguments and errors are those of `load_orders`.

    Returns:
        The columns of `schemas.ShipmentItems`, then every other field of a line as text; ordered by shipment, and
        within it as sent.

    Example:
        >>> len(cn.load_shipments(client, last="30D")), len(cn.load_shipment_items(client, last="30D"))
        (77, 195)
    """
    return _build_shipment_items(query, *_retrieve_shipments(query))


def load_shipment_window(
    client: Client, first: date, end: date, *, progress: bool | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load the shipments of one window and what was in them from one retrieval, past the cache.

    Unlike those of `load_shipments`, the window has no further days on both sides: windows that follow each other
    share one day at most, and hold every shipment whatever the server's zone is.

    Args:
        client: The account.
        first: First day.
        end: The day after the last one, which the server may include.
        progress: Show a bar; by default only when it takes more than two seconds.

    Returns:
        The frames of `load_shipments` and `load_shipment_items`.

    Raises:
        IncompleteError: Records are missing.
    """
    options = LoadOptions({"start": str(first), "end": str(end - ONE_DAY), "time_zone": "UTC"})
    query = LoadQuery(client, None, None, None, None, refresh=True, progress=progress, options=options)
    windows = [Window(first, end, channel_id=channel) for channel in load_channel_ids(client)]
    retrieval, decoded = _retrieve_windows(query, windows)
    return _build_shipments(query, retrieval, decoded), _build_shipment_items(query, retrieval, decoded)


def _build_shipments(query: LoadQuery, retrieval: Retrieval, decoded: DecodedRecords) -> pd.DataFrame:
    frame = decoded.frame.drop(columns="_index")
    if query.acknowledged is not None:  # answers may lack it, but the request determines it
        frame["acknowledged"] = frame["acknowledged"].fillna(query.acknowledged)
    frame = validate(frame.sort_values(SORT_COLUMNS, kind="stable", ignore_index=True), schemas.Shipments)
    return finalize(query.client, SOURCE, retrieval, frame, decoded.rejects, query.options)


def _build_shipment_items(query: LoadQuery, retrieval: Retrieval, decoded: DecodedRecords) -> pd.DataFrame:
    items, line_rejects = decode_shipment_items(decoded.frame, retrieval.raw_records())
    frame = validate(items.sort_values(SORT_COLUMNS, kind="stable", ignore_index=True), schemas.ShipmentItems)
    rejects = (*decoded.rejects, *line_rejects)
    return finalize(query.client, SOURCE, retrieval, frame, rejects, query.options)


def _retrieve_shipments(query: LoadQuery) -> tuple[Retrieval, DecodedRecords]:
    """Retrieve shipments by channel; each gets the channel, and the half, that was requested."""
    channels = query.channels or load_channel_ids(query.client)
    return _retrieve_windows(query, query.windows(channels, by_month=False))


def _retrieve_windows(query: LoadQuery, windows: Sequence[Window]) -> tuple[Retrieval, DecodedRecords]:
    client = query.client
    with progress_bar(client, query.progress, "shipments") as step:
        retrieval = retrieve(client, shipments_spec(client), windows, refresh=query.refresh, progress=step)
    asked = [part.window for part in retrieval.parts for _ in range(count_records(part.contents))]
    acknowledged = [window.acknowledged for window in asked] if query.both_halves else []
    channels = [window.channel_id for window in asked]
    return retrieval, decode_shipments(retrieval.raw_records(), channels, acknowledged)
