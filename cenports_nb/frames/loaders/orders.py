"""Loaders of orders and line items.

    parse_query ─▶ retrieve ─▶ select_orders ─▶ build_frame ─▶ finalize

Both frames come from the same pages. A returned frame is complete.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.api.retrieval.results import Retrieval
from cenports_nb.api.retrieval.retrieve import retrieve
from cenports_nb.api.retrieval.windows import MAX_NUMBERS_LENGTH, Window, chunk_order_numbers
from cenports_nb.frames.choices import parse_words
from cenports_nb.frames.decoding.order_frames import DecodedOrders, find_differing_copies, select_orders
from cenports_nb.frames.line_status import CLOSED_WORDS, is_open
from cenports_nb.frames.loaders.accounts import for_accounts
from cenports_nb.frames.loaders.endpoint_specs import orders_spec
from cenports_nb.frames.loaders.finalize import LoadOptions, OnReject, build_frame, finalize
from cenports_nb.frames.loaders.line_item_cache import LineItemCache
from cenports_nb.frames.loaders.query import LoadQuery, parse_query, progress_bar, with_parameters_from
from cenports_nb.frames.loaders.stock import load_channel_ids
from cenports_nb.frames.provenance import Reject
from cenports_nb.frames.schema import schemas

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.frames.loaders.accounts import Clients

SOURCE = "GET /orders"


@with_parameters_from(parse_query)
def load_orders(query: LoadQuery) -> pd.DataFrame:
    """Load orders, one row each, from GET /orders.

    Days are compared with `order_date` in the client's time zone, both included; instants in the frame are UTC.

    Args:
        client: The account; or a list of accounts, which are loaded concurrently and add `account` in front.
        start: First day: `YYYY-MM-DD`, a date or a Timestamp, without a time of day.
        end: Last day.
        channel_id: One sales channel or several; all of them by default.
        order_nos: Only these order numbers.
        acknowledged: Only orders that are, or are not, acknowledged; such answers are never cached.
        refresh: Request from Cenports even if the cache has an answer.
        progress: Show a progress bar; by default only if it takes more than two seconds.
        allow_partial: Return an incomplete frame with a warning instead of raising IncompleteError.
        on_reject: `"warn"` about records that can't be read and list them in `rejected(frame)`, or `"raise"`.
        with_acknowledged: Request unacknowledged and acknowledged orders one after the other, to fill the column
            `acknowledged`.
        last: A period that ends today, such as `"30D"`, instead of start and end.

    Returns:
        The columns of `schemas.Orders`, ordered by `order_date`, `channel_id`, `order_no`.

    Raises:
        InvalidRequestError: An invalid day or argument (nothing was sent), or an unknown channel.
        IncompleteError: Records are missing; `.partial` has the others.
        RejectedRowsError: A record can't be read, with `on_reject="raise"`.

    Example:
        >>> orders = cn.load_orders(client, last="30D", channel_id="NW-EU")
        >>> orders[["order_no", "status", "grand_total"]].head(3)
          order_no       status  grand_total
        0    11007    Completed      2836.14
        1    11008  Incompleted      4760.36
        2    11009    Completed       675.61
    """
    client, generation = query.client, query.client.generation
    retrieval = _retrieve_orders(query)
    orders = select_orders(retrieval, query.days, client.settings.time_zone)
    frame = _build_orders(query, retrieval, orders)
    cache = client.component(LineItemCache, LineItemCache)
    cache.store(client, query.key, orders, retrieval, generation, frame_bytes=int(frame.memory_usage().sum()))
    return frame


@with_parameters_from(parse_query)
def load_line_items(query: LoadQuery) -> pd.DataFrame:
    """Load order lines, one row each, from the pages of `load_orders`, without further requests.

    Arguments and errors are those of `load_orders`.

    Returns:
        The columns of `schemas.LineItems`, ordered by `order_date`, `channel_id`, `order_no`, `line_item`.

    Example:
        >>> line_items = cn.load_line_items(client, last="30D")
        >>> line_items[["order_no", "product_sku", "quantity", "price"]].head(3)
          order_no product_sku  quantity   price
        0    11007        0008        30   40.00
        1    11007        0029        10  123.79
        2    11007        0042        14   14.00
    """
    return _load_lines(query, lambda frame: frame)


@for_accounts
def load_open_items(
    client: Clients,
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
        client: The account; or a list of accounts, which adds `account` in front.
        lookback: The maximum age of an open order, such as `"180D"`.
        closed: Statuses that close a line, in any case; lines with any other status are open.
        channel_id: One sales channel or several; all of them by default.
        refresh: Request from Cenports even if the cache has an answer.
        progress: Show a progress bar; by default only if it takes more than two seconds.
        allow_partial: Return an incomplete frame with a warning instead of raising IncompleteError.
        on_reject: `"warn"` about records that can't be read and list them in `rejected(frame)`, or `"raise"`.

    Returns:
        The columns of `schemas.LineItems`, ordered as in `load_line_items`. A line without a warehouse has that of its
        order, from which it will ship.

    Raises:
        IncompleteError: Records are missing; `.partial` has the others.
        RejectedRowsError: A record can't be read, with `on_reject="raise"`.

    Example:
        >>> open_items = cn.load_open_items(client, lookback="90D")
        >>> len(open_items), open_items["order_no"].nunique()
        (73, 21)
    """
    query = parse_query(
        client,
        last=lookback,
        channel_id=channel_id,
        refresh=refresh,
        progress=progress,
        allow_partial=allow_partial,
        on_reject=on_reject,
    )
    words = parse_words("closed", closed)
    params = {**query.options.params, "closed": sorted(words)}
    query = replace(query, options=replace(query.options, params=params))
    return _load_lines(query, lambda frame: frame[is_open(frame["status"], words)], fill_warehouses=True)


def load_unacknowledged_orders(
    client: Client, *, channel_id: Sequence[str] | None = None, progress: bool | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load unacknowledged orders and their line items from one retrieval; two separate loads could differ.

    Args:
        client: The account.
        channel_id: One sales channel or several; all of them by default.
        progress: Show a progress bar; by default only if it takes more than two seconds.

    Returns:
        The frames of `load_orders` and `load_line_items`.

    Raises:
        IncompleteError: Records are missing.
    """
    return _load_both(
        parse_query(client, channel_id=channel_id, acknowledged=False, refresh=True, progress=progress),
        client.settings.time_zone,
    )


def load_utc_days(
    client: Client, first: date, last: date, *, progress: bool | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load the orders and line items of some UTC days from one retrieval, past the cache.

    Args:
        client: The account; its time zone is not used.
        first: First day, by `order_date` in UTC.
        last: Last day, included.
        progress: Show a bar; by default only when it takes more than two seconds.

    Returns:
        The frames of `load_orders` and `load_line_items`.

    Raises:
        IncompleteError: Records are missing.
    """
    options = LoadOptions({"start": str(first), "end": str(last), "time_zone": "UTC"})
    query = LoadQuery(client, (first, last), None, None, None, refresh=True, progress=progress, options=options)
    return _load_both(query, "UTC")


def _load_both(query: LoadQuery, zone: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load orders and line items from one retrieval; days are meant in the zone."""
    retrieval = _retrieve_orders(query)
    orders = select_orders(retrieval, query.days, zone)
    frame = _build_orders(query, retrieval, orders)
    lines = build_frame(orders.line_columns(), schemas.LineItems)
    return frame, _finalize_lines(query, retrieval, orders, lines, orders.line_rejects)


def _retrieve_orders(query: LoadQuery, *, lines_only: bool = False) -> Retrieval:
    """Retrieve orders; orders in differing copies are requested again, so that the newest copy wins.

    If both halves are requested, an order that is acknowledged in between is in both, and the later copy wins.
    """
    client = query.client
    spec = orders_spec(client, lambda: load_channel_ids(client), lines_only=lines_only)
    with progress_bar(client, query.progress, "orders") as step:
        windows = query.windows(query.channels or (None,), by_month=True)
        retrieval = retrieve(client, spec, windows, refresh=query.refresh, progress=step)
        again = [
            Window(channel_id=channel, order_nos=chunk, acknowledged=query.acknowledged)
            for channel, numbers in find_differing_copies(retrieval).items()
            for chunk in chunk_order_numbers([number for number in numbers if _is_askable(number)])
            if not query.both_halves
        ]
        if again:
            retrieval = Retrieval.join([retrieval, retrieve(client, spec, again, refresh=True, progress=step)])
    return retrieval


def _load_lines(
    query: LoadQuery, choose: Callable[[pd.DataFrame], pd.DataFrame], *, fill_warehouses: bool = False
) -> pd.DataFrame:
    """Load line items: those that the last load of the same orders decoded, or else from their pages."""
    client = query.client
    cached: tuple[DecodedOrders, Retrieval] | None = None
    if not query.refresh:
        spec = orders_spec(client, lambda: ())
        cached = client.component(LineItemCache, LineItemCache).take(client, query.key, spec)
    if cached is None:
        retrieval = _retrieve_orders(query, lines_only=True)
        cached = select_orders(retrieval, query.days, client.settings.time_zone), retrieval
    orders, retrieval = cached
    frame = build_frame(orders.line_columns(fill_warehouses=fill_warehouses), schemas.LineItems, choose)
    return _finalize_lines(query, retrieval, orders, frame, (*orders.rejects, *orders.line_rejects))


def _finalize_lines(
    query: LoadQuery, retrieval: Retrieval, orders: DecodedOrders, frame: pd.DataFrame, rejects: tuple[Reject, ...]
) -> pd.DataFrame:
    return finalize(
        query.client,
        SOURCE,
        retrieval,
        frame,
        rejects,
        query.options,
        outside=orders.lines_outside,
        filter_doubt=orders.filter_doubt,
        unknown_fields=orders.unknown_fields,
    )


def _build_orders(query: LoadQuery, retrieval: Retrieval, orders: DecodedOrders) -> pd.DataFrame:
    return finalize(
        query.client,
        SOURCE,
        retrieval,
        build_frame(orders.order_columns(), schemas.Orders),
        orders.rejects,
        query.options,
        outside=int(orders.outside.sum()),
        filter_doubt=orders.filter_doubt,
        unknown_fields=orders.unknown_fields,
    )


def _is_askable(number: str) -> bool:
    """Return whether an order number fits the comma-separated text that the API takes."""
    return "," not in number and len(number) <= MAX_NUMBERS_LENGTH
