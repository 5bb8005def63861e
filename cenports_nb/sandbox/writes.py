"""The calls that change something, at once or when their transaction ends."""

from functools import partial

from cenports_nb.sandbox import rules
from cenports_nb.sandbox.account import CLIENT_ID, CLIENT_SECRET, PARTNER_ID
from cenports_nb.sandbox.call import Call
from cenports_nb.sandbox.entry import enter_orders
from cenports_nb.sandbox.orders import Order
from cenports_nb.sandbox.replies import Json, Refusal, Reply, business, invalid, message, plain, success
from cenports_nb.sandbox.state import State
from cenports_nb.sandbox.tokens import EXPIRES_IN
from cenports_nb.sandbox.transactions import Effect, RowErrors
from cenports_nb.sandbox.validation import add, check

_GRANT = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def authorize(call: Call) -> Reply:
    """Give a token for the demo credentials."""
    call.require(rules.AUTHORIZE)
    if any(call.params[name] != value for name, value in _GRANT.items()):
        return message(401, "Client authentication failed")
    return plain(
        {
            "scopes": ["basic", "view-account"],
            "token_type": "Bearer",
            "expires_in": EXPIRES_IN,
            "access_token": call.state.tokens.give(call.now),
        }
    )


def post_orders(call: Call) -> Reply:
    """Take new orders in; each is created or refused when the transaction ends."""
    call.require(rules.POST_ORDERS)
    return _submit(call, partial(enter_orders, call.state, call.params["channelId"], call.params["orders"]))


def acknowledge_orders(call: Call) -> Reply:
    """Mark orders as acknowledged, all of them or none."""
    call.require(rules.ACKNOWLEDGE_ORDERS)
    numbers = list(dict.fromkeys(name.strip() for name in call.params["orders"].split(",") if name.strip()))
    if not numbers:
        raise Refusal(invalid({"orders": ["The orders field is required."]}))
    found: list[Order] = []
    errors: list[str] = []
    for number in numbers:
        order = call.state.orders.find(call.params["channelId"], number)
        if order is None:
            errors.append(f"The orderNo {number} is not able to update.")
        else:
            found.append(order)
    if errors:
        return business(errors)
    for order in found:
        order.acknowledged = True
    return success()


def post_channels(call: Call) -> Reply:
    """Make a channel."""
    params = call.params
    errors = check(rules.POST_CHANNELS, params, call.state.known)
    if not call.text("contactEmail") and not call.text("contactPhone"):
        for word, other in (("email", "phone"), ("phone", "email")):
            text = f"The contact {word} field is required when contact {other} is not present."
            add(errors, f"contact{word.title()}", text)
    if errors:
        raise Refusal(invalid(errors))
    channel_id = call.state.channels.add(params, call.text("channelId"))
    # `channalName` is the reference's own spelling.
    data = {"partnerId": PARTNER_ID, "channelId": channel_id, "channalName": params["channelName"]}
    return plain({"message": "Success! Your request has been processed successfully!", "data": data})


def acknowledge_shipments(call: Call) -> Reply:
    """Take acknowledgements in; every shipment with the order number is marked when the transaction ends."""
    call.require(rules.ACKNOWLEDGE_SHIPMENTS)
    return _submit(call, partial(_mark_shipments, call.state, call.params["shipments"]))


def patch_inventories(call: Call) -> Reply:
    """Take stock updates of one warehouse in; good rows are applied when the transaction ends."""
    call.require(rules.PATCH_INVENTORIES)
    effect = partial(_update_stock, call.state, call.params["warehouseCode"], call.params["inventories"])
    return _submit(call, effect, numeric=True)


def _submit(call: Call, effect: Effect, *, numeric: bool = False) -> Reply:
    transaction = call.state.transactions.submit(effect, call.now, numeric=numeric)
    return plain(transaction.view(call.now))


def _mark_shipments(state: State, rows: list[Json]) -> RowErrors:
    return [
        (index, f"The shipment of order {row['orderNo']} does not exist.")
        for index, row in enumerate(rows)
        if not state.shipments.acknowledge(row["orderNo"])
    ]


def _update_stock(state: State, warehouse_code: str, rows: list[Json]) -> RowErrors:
    results = (
        (index, state.stock.update(warehouse_code, row["productSKU"], row["type"], row["quantity"]))
        for index, row in enumerate(rows)
    )
    return [(index, text) for index, text in results if text is not None]
