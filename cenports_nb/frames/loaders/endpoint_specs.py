"""How each end point is asked: its parameters, how its records are read, how long its answers are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from cenports_nb.api.retrieval.decoded_page import Records
from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec
from cenports_nb.api.retrieval.windows import Window
from cenports_nb.frames.decoding.order_pages import join_orders, open_lines, open_orders

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

Channels = Callable[[], Sequence[str]]


def order_source(client: Client, channels: Channels, *, lines_only: bool = False) -> EndpointSpec:
    """GET /orders; `lines_only` forgets what only the orders frame needs as soon as a page is read."""
    limit = client.dialect.order_limit
    return EndpointSpec(
        "/orders",
        limit,
        lambda window: _order_parameters(window, limit),
        client.dialect.known_caps,
        open_lines if lines_only else open_orders,
        join_orders,
        max_age=lambda window: _order_age(client, window),
        unsettled_age=client.ages.open_month,
        channels=channels,
    )


def shipment_source(client: Client) -> EndpointSpec:
    """GET /shipments, one channel a window."""
    limit = client.dialect.shipment_limit
    return EndpointSpec(
        "/shipments",
        limit,
        lambda window: _shipment_parameters(window, limit),
        client.dialect.known_caps,
        lambda _, pages: ShipmentRecords(pages),
        max_age=lambda window: client.ages.shipments if window.acknowledged is None else 0.0,
        channels=lambda: (),
    )


def channel_source(client: Client) -> EndpointSpec:
    """GET /channels."""
    limit = client.dialect.order_limit
    return EndpointSpec(
        "/channels",
        limit,
        lambda _: {"limit": limit},
        client.dialect.known_caps,
        max_age=lambda _: client.ages.channels,
    )


def stock_source(client: Client, which: dict[str, Any], codes: Sequence[str] | None) -> EndpointSpec:
    """GET /inventories; whether its answer may be cut is judged by its rows, not by its warehouses."""
    filters = {"warehouseCode": ",".join(codes)} if codes else {}
    parameters = {**which, **filters, "limit": client.dialect.inventory_limit}
    return EndpointSpec(
        "/inventories",
        2**31,
        lambda _: parameters,
        (),
        lambda _, pages: StockRecords(pages),
        max_age=lambda _: client.ages.stock,
        counts_rows=True,
    )


class ShipmentRecords(Records):
    """Shipments, and the day of each as a hint."""

    def moment(self, record: msgspec.Raw) -> str:
        return _text_of(record, "shipDate")


class _Rows(msgspec.Struct, rename="camel"):
    warehouse_inventory: list[msgspec.Raw] | None = None


class StockRecords(Records):
    """Warehouses, whose rows are what the total of an answer may count."""

    @property
    def rows(self) -> int:
        return sum(map(_stock_rows, self.raw))


def _stock_rows(record: msgspec.Raw) -> int:
    try:
        return len(msgspec.json.decode(record, type=_Rows).warehouse_inventory or ())
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return 0


def _order_age(client: Client, window: Window) -> float:
    """How old an answer may be: by the month that it reaches into."""
    if window.acknowledged is not None:
        return 0.0
    ages = client.ages
    if window.order_nos or window.last is None:
        return ages.open_month
    today = client.clock.now().date()
    ago = _month(today) - _month(min(window.last, window.until or window.last))
    return ages.open_month if ago < 1 else ages.last_month if ago == 1 else ages.settled_month


def _month(day: date) -> int:
    return day.year * 12 + day.month


def _order_parameters(window: Window, limit: int) -> dict[str, Any]:
    found: dict[str, Any] = {"limit": limit, "isPaginated": True}
    if window.channel_id is not None:
        found["channelId"] = window.channel_id
    if window.start and window.end:
        found |= {"startDate": window.start.isoformat(), "endDate": window.end.isoformat()}
    if window.order_nos:
        found["orders"] = ",".join(window.order_nos)
    if window.acknowledged is not None:
        found["isAcknowledged"] = window.acknowledged
    return found


def _shipment_parameters(window: Window, limit: int) -> dict[str, Any]:
    found: dict[str, Any] = {"limit": limit, "channelId": window.channel_id}
    if window.start and window.end:
        found |= {"startDate": window.start.isoformat(), "endDate": window.end.isoformat()}
    if window.order_nos:
        found["orders"] = [{"orderNo": number} for number in window.order_nos]
    if window.acknowledged is not None:
        found["acknowledged"] = window.acknowledged
    return found


def _text_of(record: msgspec.Raw, name: str) -> str:
    """Read one text of a record; nothing where it has none."""
    try:
        found = msgspec.json.decode(record, type=dict[str, msgspec.Raw]).get(name)
        value = None if found is None else msgspec.json.decode(found)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return value if isinstance(value, str) else ""
