"""End points that read: orders, shipments, stock, channels, a transaction."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from cenports_nb.sandbox.account.orders import Order
from cenports_nb.sandbox.account.shipments import Shipment
from cenports_nb.sandbox.clock import DayFilter, format_instant
from cenports_nb.sandbox.dialect import Dialect
from cenports_nb.sandbox.http import request_rules
from cenports_nb.sandbox.http.endpoint_request import EndpointRequest
from cenports_nb.sandbox.http.pagination import Paginator, slice_stock
from cenports_nb.sandbox.http.responses import (
    ENVELOPE,
    Refusal,
    Response,
    respond_invalid,
    respond_json,
    respond_rows,
    respond_success,
)
from cenports_nb.sandbox.records import Json, encode

Row = TypeVar("Row", Order, Shipment)
_MISSPELT = "nextAvailabileQuantity"


def get_orders(request: EndpointRequest) -> Response:
    """Return orders that match the filters, one page of them or the first ones."""
    request.require(request_rules.get_orders(request.dialect))
    params, dialect = request.params, request.dialect
    rows = request.state.orders.select(
        channel_id=request.read_text("channelId"),
        numbers=request.read_names("orders"),
        acknowledged=params.get("isAcknowledged"),
        days=_build_day_filter(request, delay_days=dialect.entry_days if dialect.date_meant == "entry" else 0),
    )
    rows = _sort_rows(rows, request)
    size = request.read_limit(dialect.order_cap)
    if params.get("isPaginated") or dialect.pages_everywhere:
        page = Paginator(request, len(rows), size)
        sent, metadata, headers = page.slice(rows), page.metadata(), page.headers()
    else:
        sent, metadata, headers = rows[:size], ENVELOPE, ()
        if dialect.repeats:
            sent = list(_repeat_every_tenth(sent))
    payloads = [_format_order(order, dialect) for order in sent]
    response = _wrap_rows(payloads, metadata, request, alone=len(rows) == len(sent) == 1)
    return replace(response, headers=headers)


def get_shipments(request: EndpointRequest) -> Response:
    """Return the first shipments of a channel that match the filters."""
    request.require(request_rules.get_shipments(request.dialect))
    params, dialect = request.params, request.dialect
    numbers = frozenset(item["orderNo"] for item in params.get("orders") or [] if item.get("orderNo"))
    rows = request.state.shipments.select(
        params["channelId"],
        numbers=numbers or None,
        acknowledged=params.get("acknowledged"),
        days=_build_day_filter(request),
    )
    rows = _sort_rows(rows, request)
    page = Paginator(request, len(rows), request.read_limit(dialect.shipment_cap))
    if dialect.pages_everywhere:
        return respond_rows((row.payload for row in page.slice(rows)), page.metadata(), page.headers())
    return respond_success(row.payload for row in rows[: page.size])


def get_inventories(request: EndpointRequest) -> Response:
    """Return actual stock, or available stock."""
    actual = request.params.get("actualStock") is True
    request.require(request_rules.ACTUAL_STOCK if actual else request_rules.AVAILABLE_STOCK)
    dialect, codes = request.dialect, request.read_names("warehouseCode")
    found = request.state.stock.list_warehouses(codes) if actual else _list_available(request, codes)
    if dialect.pages_everywhere:
        total = sum(len(warehouse["warehouseInventory"]) for warehouse in found)
        page = Paginator(request, total, request.read_limit(dialect.stock_cap))
        return respond_rows(
            _encode_warehouses(slice_stock(found, page.start, page.stop), request), page.metadata(), page.headers()
        )
    if dialect.stock_cap is not None:
        found = slice_stock(found, 0, dialect.stock_cap)
    return respond_success(_encode_warehouses(found, request))


def get_channels(request: EndpointRequest) -> Response:
    """Return every channel, without an envelope's code, as documented."""
    request.require(request_rules.GET_CHANNELS)
    dialect = request.dialect
    rows = request.state.channels.list_payloads()
    if dialect.lists_channels == "first":
        rows = rows[:1]
    if dialect.pages_everywhere:
        page = Paginator(request, len(rows), request.read_limit(dialect.channel_cap))
        return respond_rows(page.slice(rows), page.metadata(), page.headers())
    return respond_rows(rows[: dialect.channel_cap], {})


def get_transaction(request: EndpointRequest) -> Response:
    """Return the status of a transaction."""
    request.require(request_rules.GET_TRANSACTION)
    transaction = request.state.transactions.find(request.params["handle"])
    if transaction is None:
        raise Refusal(respond_invalid({"handle": ["The handle does not exist, please try again."]}))
    record = transaction.to_record(request.now, request.dialect)
    if request.dialect.handles == "differing":
        record["handle"] = record["handle"].lower()
    return respond_json(record)


def _build_day_filter(request: EndpointRequest, *, delay_days: int = 0) -> DayFilter | None:
    start, end = request.params.get("startDate"), request.params.get("endDate")
    if start is None or end is None:
        return None
    return DayFilter(start, end, request.dialect.time_zone, delay_days, request.dialect.end_included)


def _sort_rows(rows: list[Row], request: EndpointRequest) -> list[Row]:
    match request.dialect.sorting:
        case "newest":
            return rows[::-1]
        case "none":
            return sorted(rows, key=lambda row: row.shuffle_key)
        case _:
            return rows


def _repeat_every_tenth(orders: Iterable[Order]) -> Iterator[Order]:
    for position, order in enumerate(orders, start=1):
        yield order
        if position % 10 == 0:
            yield order


def _wrap_rows(payloads: list[bytes], metadata: Json, request: EndpointRequest, *, alone: bool) -> Response:
    match request.dialect.envelope:
        case "list":
            return Response(200, b"[" + b",".join(payloads) + b"]")
        case "object" if alone:
            return Response(200, payloads[0])
        case "data_object" if alone:
            return Response(200, b'{"data":' + payloads[0] + (b"," + encode(metadata)[1:] if metadata else b"}"))
        case _:
            return respond_rows(payloads, metadata)


def _list_available(request: EndpointRequest, codes: frozenset[str] | None) -> list[Json]:
    orders, dialect = request.state.orders, request.dialect
    reserved = orders.reserved
    if dialect.available_scope == "channel":
        reserved = orders.reserved_by_channel[request.params["channelId"]]
    return request.state.stock.list_warehouses(codes, reserved, clamped=dialect.available_clamped)


def _encode_warehouses(found: Sequence[Json], request: EndpointRequest) -> list[bytes]:
    return [encode(_format_warehouse(warehouse, request.dialect)) for warehouse in found]


def _format_order(order: Order, dialect: Dialect) -> bytes:
    """Format an order as JSON."""
    if dialect.order_dates == "instant" and dialect.line_numbers == "text":
        return order.payload
    record = dict(order.record)
    if dialect.order_dates == "day":
        record["orderDate"] = format_instant(order.at.replace(hour=0, minute=0, second=0, microsecond=0))
    if dialect.line_numbers != "text":
        record["lineItems"] = [_format_line(line, dialect) for line in record["lineItems"]]
    return encode(record)


def _format_warehouse(warehouse: Json, dialect: Dialect) -> Json:
    """Format a warehouse with its stock rows."""
    if dialect.quantities == "text" and dialect.misspelt:
        return warehouse
    return {
        **warehouse,
        "warehouseInventory": [_format_stock_row(row, dialect) for row in warehouse["warehouseInventory"]],
    }


def _format_line(line: Json, dialect: Dialect) -> Json:
    if dialect.line_numbers == "missing":
        return {name: value for name, value in line.items() if name != "lineItem"}
    number = line.get("lineItem")
    return {**line, "lineItem": int(number)} if isinstance(number, str) and number.isdecimal() else line


def _format_stock_row(row: Json, dialect: Dialect) -> Json:
    return {
        "nextAvailableQuantity" if name == _MISSPELT and not dialect.misspelt else name: (
            _format_quantity(value, dialect) if name in {"quantity", _MISSPELT} else value
        )
        for name, value in row.items()
    }


def _format_quantity(value: Any, dialect: Dialect) -> Any:
    try:
        number = int(value)
    except (TypeError, ValueError):
        return value  # the data of a folder may hold anything here
    match dialect.quantities:
        case "number":
            return number
        case "decimal_text":
            return f"{number}.0"
        case "decimal":
            return float(number)
        case _:
            return value
