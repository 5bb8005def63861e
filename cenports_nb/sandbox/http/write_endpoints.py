"""The calls that change something, at once or when their transaction ends."""

from collections.abc import Callable
from functools import partial

from cenports_nb.sandbox.account.batch import Batch, RowRefusal, Undo
from cenports_nb.sandbox.account.credentials import CLIENT_ID, CLIENT_SECRET, PARTNER_ID
from cenports_nb.sandbox.account.order_entry import enter_order
from cenports_nb.sandbox.account.orders import Order
from cenports_nb.sandbox.account.shipments import Shipment
from cenports_nb.sandbox.account.state import State
from cenports_nb.sandbox.http import request_rules
from cenports_nb.sandbox.http.call import Call
from cenports_nb.sandbox.http.replies import Json, Refusal, Reply, business, invalid, message, plain, success
from cenports_nb.sandbox.http.request_rules import Rules
from cenports_nb.sandbox.http.validation import add, check

_GRANT = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def authorize(call: Call) -> Reply:
    """Give a token for the demo credentials."""
    call.require(request_rules.AUTHORIZE)
    if any(call.params[name] != value for name, value in _GRANT.items()):
        return message(401, "Client authentication failed")
    return plain(
        {"scopes": ["basic", "view-account"], "token_type": "Bearer", **call.state.tokens.give(call.now, call.dialect)}
    )


def post_orders(call: Call) -> Reply:
    """Take new orders in; each is created or refused when the transaction ends."""
    _require_batch(call, "orders", request_rules.post_orders(call.dialect))
    return _submit(call, "orders", partial(enter_order, call.state, call.params["channelId"]))


def acknowledge_orders(call: Call) -> Reply:
    """Mark orders as acknowledged, all of them or none."""
    call.require(request_rules.ACKNOWLEDGE_ORDERS)
    numbers = list(dict.fromkeys(name.strip() for name in call.params["orders"].split(",") if name.strip()))
    if not numbers:
        raise Refusal(invalid({"orders": ["The orders field is required."]}))
    found: list[Order] = []
    errors: list[tuple[str, str]] = []
    for number in numbers:
        order = call.state.orders.find(call.params["channelId"], number)
        if order is None:
            errors.append((number, f"The orderNo {number} is not able to update."))
        else:
            found.append(order)
    if errors:
        return business(errors, call.dialect.refusals)
    for order in found:
        order.acknowledged = True
    return success()


def post_channels(call: Call) -> Reply:
    """Make a channel."""
    params = call.params
    errors = check(request_rules.POST_CHANNELS, params, call.state.known)
    if not call.text("contactEmail") and not call.text("contactPhone"):
        for word, other in (("email", "phone"), ("phone", "email")):
            text = f"The contact {word} field is required when contact {other} is not present."
            add(errors, f"contact{word.title()}", text)
    if errors:
        raise Refusal(invalid(errors))
    channel_id = call.state.channels.add(params, call.text("channelId"))
    spelling = "channalName" if call.dialect.misspelt else "channelName"
    data = {"partnerId": PARTNER_ID, "channelId": channel_id, spelling: params["channelName"]}
    return plain({"message": "Success! Your request has been processed successfully!", "data": data})


def acknowledge_shipments(call: Call) -> Reply:
    """Take acknowledgements in; every shipment with the order number is marked when the transaction ends."""
    _require_batch(call, "shipments", request_rules.acknowledge_shipments(call.dialect))
    return _submit(call, "shipments", partial(_mark_shipments, call.state))


def patch_inventories(call: Call) -> Reply:
    """Take stock updates of one warehouse in; good rows are applied when the transaction ends."""
    _require_batch(call, "inventories", request_rules.patch_inventories(call.dialect))
    return _submit(call, "inventories", partial(_update_stock, call.state, call.params["warehouseCode"]), stock=True)


def _require_batch(call: Call, name: str, needed: Rules) -> None:
    rows, most = call.params.get(name), call.dialect.batch_most
    if call.dialect.too_many == 413 and isinstance(rows, list) and len(rows) > most:
        raise Refusal(message(413, "Payload Too Large."))
    call.require(needed)


def _submit(call: Call, name: str, apply: Callable[[Json], Undo], *, stock: bool = False) -> Reply:
    batch = Batch(call.params[name], apply, call.refused)
    transaction = call.state.transactions.submit(batch, call.now, call.dialect, stock=stock)
    return plain(transaction.view(call.now, call.dialect))


def _mark_shipments(state: State, row: Json) -> Undo:
    found = state.shipments.with_number(row["orderNo"])
    if not found:
        raise RowRefusal(f"The shipment of order {row['orderNo']} does not exist.")
    marked = [shipment for shipment in found if not shipment.acknowledged]
    for shipment in found:
        shipment.acknowledge()
    return partial(_unmark, marked)


def _unmark(shipments: list[Shipment]) -> None:
    for shipment in shipments:
        shipment.acknowledge(acknowledged=False)


def _update_stock(state: State, warehouse_code: str, row: Json) -> Undo:
    sku = row["productSKU"]
    # A TRUE_UP of available stock leaves on hand what open orders hold besides.
    sets_available = state.dialect.true_up_sets == "available"
    reserved = state.orders.reserved.get((warehouse_code, sku), 0) if sets_available else 0
    return state.stock.update(warehouse_code, sku, row["type"], row["quantity"], reserved=reserved)
