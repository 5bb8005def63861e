"""The calls that change nothing: orders, shipments, stock, channels, a transaction."""

from cenports_nb.sandbox import rules
from cenports_nb.sandbox.call import Call
from cenports_nb.sandbox.replies import Refusal, Reply, encode, invalid, plain, success


def get_orders(call: Call) -> Reply:
    """Answer orders that match the filters, a page of them or the first ones."""
    call.require(rules.GET_ORDERS)
    params = call.params
    rows = call.state.orders.select(
        channel_id=call.text("channelId"),
        numbers=call.names("orders"),
        acknowledged=params.get("isAcknowledged"),
        start=params.get("startDate"),
        end=params.get("endDate"),
    )
    limit = params.get("limit") or rules.DEFAULT_LIMIT
    if not params.get("isPaginated"):
        return success(order.payload for order in rows[:limit])
    page, last = call.page, max(1, -(-len(rows) // limit))
    return success(
        (order.payload for order in rows[(page - 1) * limit : page * limit]),
        current_page=page,
        last_page=last,
        per_page=limit,
        total=len(rows),
        next_page_url=f"{call.url}?page={page + 1}" if page < last else None,
        prev_page_url=f"{call.url}?page={page - 1}" if page > 1 else None,
        path=call.url,
    )


def get_shipments(call: Call) -> Reply:
    """Answer the first shipments of a channel that match the filters."""
    call.require(rules.GET_SHIPMENTS)
    params = call.params
    numbers = frozenset(item["orderNo"] for item in params.get("orders") or [] if item.get("orderNo"))
    rows = call.state.shipments.select(
        params["channelId"],
        numbers=numbers or None,
        acknowledged=params.get("acknowledged"),
        start=params.get("startDate"),
        end=params.get("endDate"),
    )
    limit = params.get("limit") or rules.DEFAULT_LIMIT
    return success(row.payload for row in rows[:limit])


def get_inventories(call: Call) -> Reply:
    """Answer actual stock, or what open orders of the whole account leave available."""
    actual = call.params.get("actualStock") is True
    call.require(rules.ACTUAL_STOCK if actual else rules.AVAILABLE_STOCK)
    state, codes = call.state, call.names("warehouseCode")
    rows = state.stock.actual(codes) if actual else state.stock.available(state.orders.reserved, codes)
    return success(encode(row) for row in rows)


def get_channels(call: Call) -> Reply:
    """Answer every channel, as documented without an envelope's code."""
    call.require(rules.GET_CHANNELS)
    return Reply(200, b'{"data":[' + b",".join(call.state.channels.payloads()) + b"]}")


def get_transaction(call: Call) -> Reply:
    """Answer how a submission stands."""
    call.require(rules.GET_TRANSACTION)
    transaction = call.state.transactions.find(call.params["handle"])
    if transaction is None:
        raise Refusal(invalid({"handle": ["The handle does not exist, please try again."]}))
    return plain(transaction.view(call.now))
