"""The calls that change nothing: orders, shipments, stock, channels, a transaction."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from cenports_nb.sandbox.account.day_filter import Days
from cenports_nb.sandbox.account.orders import Order
from cenports_nb.sandbox.account.shipments import Shipment
from cenports_nb.sandbox.http import request_rules
from cenports_nb.sandbox.http.call import Call
from cenports_nb.sandbox.http.pages import Page, cut_stock
from cenports_nb.sandbox.http.record_format import order_bytes, warehouse_record
from cenports_nb.sandbox.http.replies import ENVELOPE, Json, Refusal, Reply, encode, invalid, plain, rows_with, success

Row = TypeVar("Row", Order, Shipment)


def get_orders(call: Call) -> Reply:
    """Answer orders that match the filters, a page of them or the first ones."""
    call.require(request_rules.get_orders(call.dialect))
    params, dialect = call.params, call.dialect
    rows = call.state.orders.select(
        channel_id=call.text("channelId"),
        numbers=call.names("orders"),
        acknowledged=params.get("isAcknowledged"),
        start=params.get("startDate"),
        end=params.get("endDate"),
        days=_days(call, later=dialect.entry_days if dialect.date_meant == "entry" else 0),
    )
    rows = _sorted(rows, call)
    size = call.limit(dialect.order_cap)
    if params.get("isPaginated") or dialect.pages_everywhere:
        page = Page(call, len(rows), size)
        sent, words = page.cut(rows), page.words()
    else:
        sent, words = rows[:size], ENVELOPE
        if dialect.repeats:
            sent = list(_repeated(sent))
    payloads = [order_bytes(order, dialect) for order in sent]
    return _enveloped(payloads, words, call, alone=len(rows) == len(sent) == 1)


def get_shipments(call: Call) -> Reply:
    """Answer the first shipments of a channel that match the filters."""
    call.require(request_rules.get_shipments(call.dialect))
    params, dialect = call.params, call.dialect
    numbers = frozenset(item["orderNo"] for item in params.get("orders") or [] if item.get("orderNo"))
    rows = call.state.shipments.select(
        params["channelId"],
        numbers=numbers or None,
        acknowledged=params.get("acknowledged"),
        start=params.get("startDate"),
        end=params.get("endDate"),
        days=_days(call),
    )
    rows = _sorted(rows, call)
    page = Page(call, len(rows), call.limit(dialect.shipment_cap))
    if dialect.pages_everywhere:
        return rows_with((row.payload for row in page.cut(rows)), page.words())
    return success(row.payload for row in rows[: page.size])


def get_inventories(call: Call) -> Reply:
    """Answer actual stock, or what open orders leave available."""
    actual = call.params.get("actualStock") is True
    call.require(request_rules.ACTUAL_STOCK if actual else request_rules.AVAILABLE_STOCK)
    dialect, codes = call.dialect, call.names("warehouseCode")
    found = call.state.stock.actual(codes) if actual else _available(call, codes)
    if dialect.pages_everywhere:
        total = sum(len(warehouse["warehouseInventory"]) for warehouse in found)
        page = Page(call, total, call.limit(dialect.stock_cap))
        return rows_with(_warehouses(cut_stock(found, page.start, page.stop), call), page.words())
    if dialect.stock_cap is not None:
        found = cut_stock(found, 0, dialect.stock_cap)
    return success(_warehouses(found, call))


def get_channels(call: Call) -> Reply:
    """Answer every channel, as documented without an envelope's code."""
    call.require(request_rules.GET_CHANNELS)
    dialect = call.dialect
    rows = call.state.channels.payloads()
    if dialect.lists_channels == "first":
        rows = rows[:1]
    if dialect.pages_everywhere:
        page = Page(call, len(rows), call.limit(dialect.channel_cap))
        return rows_with(page.cut(rows), page.words())
    return rows_with(rows[: dialect.channel_cap], {})


def get_transaction(call: Call) -> Reply:
    """Answer how a submission stands."""
    call.require(request_rules.GET_TRANSACTION)
    transaction = call.state.transactions.find(call.params["handle"])
    if transaction is None:
        raise Refusal(invalid({"handle": ["The handle does not exist, please try again."]}))
    return plain(transaction.view(call.now, call.dialect))


def _days(call: Call, *, later: int = 0) -> Days:
    return Days(call.dialect.time_zone, later, call.dialect.end_included)


def _sorted(rows: list[Row], call: Call) -> list[Row]:
    match call.dialect.sorting:
        case "newest":
            return rows[::-1]
        case "none":
            return sorted(rows, key=lambda row: row.chance)
        case _:
            return rows


def _repeated(orders: Iterable[Order]) -> Iterator[Order]:
    for position, order in enumerate(orders, start=1):
        yield order
        if position % 10 == 0:
            yield order


def _enveloped(payloads: list[bytes], words: Json, call: Call, *, alone: bool) -> Reply:
    match call.dialect.envelope:
        case "list":
            return Reply(200, b"[" + b",".join(payloads) + b"]")
        case "object" if alone:
            return Reply(200, payloads[0])
        case "data_object" if alone:
            return Reply(200, b'{"data":' + payloads[0] + (b"," + encode(words)[1:] if words else b"}"))
        case _:
            return rows_with(payloads, words)


def _available(call: Call, codes: frozenset[str] | None) -> list[Json]:
    orders, dialect = call.state.orders, call.dialect
    of_channel = dialect.available_scope == "channel"
    reserved = orders.reserved_by_channel[call.params["channelId"]] if of_channel else orders.reserved
    return call.state.stock.available(reserved, codes, clamped=dialect.available_clamped)


def _warehouses(found: Sequence[Json], call: Call) -> list[bytes]:
    return [encode(warehouse_record(warehouse, call.dialect)) for warehouse in found]
