"""The end points of the loaders: their parameters, how their pages are decoded, and how long they are cached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from cenports_nb.api.retrieval.decoded_page import RawRecords
from cenports_nb.api.retrieval.endpoint_spec import LEAST_DOCUMENTED_CAP, EndpointSpec
from cenports_nb.api.retrieval.windows import Window
from cenports_nb.frames.decoding.order_pages import decode_line_items, decode_orders, join_order_pages

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


def orders_spec(client: Client, channels: Callable[[], Sequence[str]], *, lines_only: bool = False) -> EndpointSpec:
    """GET /orders; `lines_only` drops what only the orders frame needs once a page is decoded."""
    limit = client.dialect.order_limit
    return EndpointSpec(
        "/orders",
        limit,
        lambda window: _order_parameters(window, limit),
        client.dialect.known_caps,
        decode_line_items if lines_only else decode_orders,
        join_order_pages,
        max_age=lambda window: _max_order_age(client, window),
        unsettled_age=client.ages.open_month,
        channels=channels,
    )


def shipments_spec(client: Client) -> EndpointSpec:
    """GET /shipments, one channel per window."""
    limit = client.dialect.shipment_limit
    return EndpointSpec(
        "/shipments",
        limit,
        lambda window: _shipment_parameters(window, limit),
        client.dialect.known_caps,
        lambda _, pages: ShipmentRecords(pages),
        max_age=lambda window: client.ages.shipments if window.acknowledged is None else 0.0,
        channels=lambda: (),
        needs_channel=True,
    )


def channels_spec(client: Client) -> EndpointSpec:
    """GET /channels."""
    limit = client.dialect.order_limit
    return EndpointSpec(
        "/channels",
        limit,
        lambda _: {"limit": limit},
        # Ten channels are many, and the request can't be split.
        tuple(number for number in client.dialect.known_caps if number >= LEAST_DOCUMENTED_CAP),
        max_age=lambda _: client.ages.channels,
    )


def stock_spec(client: Client, filters: dict[str, Any], codes: Sequence[str] | None) -> EndpointSpec:
    """GET /inventories; rows, not warehouses, decide whether its answer may have been cut."""
    warehouses = {"warehouseCode": ",".join(codes)} if codes else {}
    parameters = {**filters, **warehouses, "limit": client.dialect.inventory_limit}
    return EndpointSpec(
        "/inventories",
        2**31,
        lambda _: parameters,
        (),
        lambda _, pages: StockRecords(pages),
        max_age=lambda _: client.ages.stock,
        counts_rows=True,
    )


class _Shipment(msgspec.Struct, rename="camel"):
    ship_date: Any = None


class ShipmentRecords(RawRecords):
    """Shipments, with the day of each as a hint."""

    def moment(self, record: msgspec.Raw) -> str:
        try:
            sent = msgspec.json.decode(record, type=_Shipment).ship_date
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return ""
        return sent if isinstance(sent, str) else ""


class _Warehouse(msgspec.Struct, rename="camel"):
    warehouse_code: str | int | None = None
    warehouse_inventory: list[msgspec.Raw] | None = None


class StockRecords(RawRecords):
    """Warehouses; the total of an answer may count their rows."""

    @property
    def row_count(self) -> int:
        return sum(count for _, count in filter(None, map(count_stock_rows, self.raw)))


def count_stock_rows(record: bytes | memoryview) -> tuple[str, int] | None:
    """Return the code of a warehouse and its number of stock rows; None if it can't be read."""
    try:
        warehouse = msgspec.json.decode(record, type=_Warehouse)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    code = "" if warehouse.warehouse_code is None else str(warehouse.warehouse_code)
    return code, len(warehouse.warehouse_inventory or ())


def _max_order_age(client: Client, window: Window) -> float:
    """Return the maximum age of a cached page, by the last month of its window."""
    if window.acknowledged is not None:
        return 0.0
    ages = client.ages
    if window.order_nos or window.last is None:
        return ages.open_month
    today = client.clock.now().date()
    months_ago = _count_months(today) - _count_months(min(window.last, window.until or window.last))
    return ages.open_month if months_ago < 1 else ages.last_month if months_ago == 1 else ages.settled_month


def _count_months(day: date) -> int:
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
