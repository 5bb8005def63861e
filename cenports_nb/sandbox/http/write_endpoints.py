"""End points that write, at once or when their transaction ends."""

from collections.abc import Callable
from functools import partial

from cenports_nb.sandbox.account.authentication import CLIENT_ID, CLIENT_SECRET, PARTNER_ID
from cenports_nb.sandbox.account.order_entry import enter_order
from cenports_nb.sandbox.account.shipments import Shipment
from cenports_nb.sandbox.account.state import AccountState
from cenports_nb.sandbox.account.transactions import Batch, RowRefusal, Undo
from cenports_nb.sandbox.http import request_rules
from cenports_nb.sandbox.http.endpoint_request import EndpointRequest
from cenports_nb.sandbox.http.request_rules import Rules
from cenports_nb.sandbox.http.responses import (
    Errors,
    Refusal,
    Response,
    respond_business_error,
    respond_invalid,
    respond_json,
    respond_message,
    respond_success,
)
from cenports_nb.sandbox.http.validation import add_error
from cenports_nb.sandbox.records import Json

_GRANT = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def authorize(request: EndpointRequest) -> Response:
    """Issue a token for the demo credentials."""
    request.require(request_rules.AUTHORIZE)
    if any(request.params[name] != value for name, value in _GRANT.items()):
        return respond_message(401, "Client authentication failed")
    return respond_json(
        {
            "scopes": ["basic", "view-account"],
            "token_type": "Bearer",
            **request.state.tokens.issue(request.now, request.dialect),
        }
    )


def post_orders(request: EndpointRequest) -> Response:
    """Accept new orders; each is created or refused when the transaction ends."""
    _require_batch(request, "orders", request_rules.post_orders(request.dialect))
    return _submit(request, "orders", partial(enter_order, request.state, request.params["channelId"]))


def acknowledge_orders(request: EndpointRequest) -> Response:
    """Mark orders as acknowledged, all of them or none."""
    request.require(request_rules.ACKNOWLEDGE_ORDERS)
    numbers = list(dict.fromkeys(name.strip() for name in request.params["orders"].split(",") if name.strip()))
    if not numbers:
        raise Refusal(respond_invalid({"orders": ["The orders field is required."]}))
    found = {number: request.state.orders.find(request.params["channelId"], number) for number in numbers}
    missing = [number for number, order in found.items() if order is None]
    if missing:
        errors = [(number, f"The orderNo {number} is not able to update.") for number in missing]
        return respond_business_error(errors, request.dialect.refusals)
    for order in filter(None, found.values()):
        order.acknowledged = True
    return respond_success()


def post_channels(request: EndpointRequest) -> Response:
    """Create a channel."""
    params = request.params
    errors = request.find_errors(request_rules.POST_CHANNELS)
    if not request.read_text("contactEmail") and not request.read_text("contactPhone"):
        for word, other in (("email", "phone"), ("phone", "email")):
            text = f"The contact {word} field is required when contact {other} is not present."
            add_error(errors, f"contact{word.title()}", text)
    if errors:
        raise Refusal(respond_invalid(errors))
    channel_id = request.state.channels.add(params, request.read_text("channelId"))
    spelling = "channalName" if request.dialect.misspelt else "channelName"
    data = {"partnerId": PARTNER_ID, "channelId": channel_id, spelling: params["channelName"]}
    return respond_json({"message": "Success! Your request has been processed successfully!", "data": data})


def acknowledge_shipments(request: EndpointRequest) -> Response:
    """Accept acknowledgments; every shipment with the order number is marked when the transaction ends."""
    _require_batch(request, "shipments", request_rules.acknowledge_shipments(request.dialect))
    return _submit(request, "shipments", partial(_acknowledge_shipment, request.state))


def patch_inventories(request: EndpointRequest) -> Response:
    """Accept stock updates of one warehouse; good rows are applied when the transaction ends."""
    _require_batch(request, "inventories", request_rules.patch_inventories(request.dialect))
    if request.dialect.unknown_skus == "request":
        _require_known_skus(request)
    apply = partial(_update_stock, request.state, request.params["warehouseCode"])
    return _submit(request, "inventories", apply, stock=True)


def _require_known_skus(request: EndpointRequest) -> None:
    errors: Errors = {}
    for index, row in enumerate(request.params["inventories"]):
        if (request.params["warehouseCode"], row["productSKU"]) not in request.state.stock.quantities:
            add_error(errors, f"inventories.{index}.productSKU", "The selected {} is invalid.")
    if errors:
        raise Refusal(respond_invalid(errors))


def _require_batch(request: EndpointRequest, name: str, needed: Rules) -> None:
    rows, most = request.params.get(name), request.dialect.batch_most
    if request.dialect.too_many == 413 and isinstance(rows, list) and len(rows) > most:
        raise Refusal(respond_message(413, "Payload Too Large."))
    request.require(needed)


def _submit(request: EndpointRequest, name: str, apply: Callable[[Json], Undo], *, stock: bool = False) -> Response:
    batch = Batch(request.params[name], apply, request.refused)
    transaction = request.state.transactions.submit(batch, request.now, request.dialect, stock=stock)
    return respond_json(transaction.to_record(request.now, request.dialect))


def _acknowledge_shipment(state: AccountState, row: Json) -> Undo:
    found = state.shipments.find_all(row["orderNo"])
    if not found:
        raise RowRefusal(f"The shipment of order {row['orderNo']} does not exist.")
    marked = [shipment for shipment in found if not shipment.acknowledged]
    for shipment in found:
        shipment.acknowledge()
    return partial(_undo_acknowledge, marked)


def _undo_acknowledge(shipments: list[Shipment]) -> None:
    for shipment in shipments:
        shipment.acknowledge(acknowledged=False)


def _update_stock(state: AccountState, warehouse_code: str, row: Json) -> Undo:
    sku = row["productSKU"]
    # A TRUE_UP of available stock adds the units that open orders reserve.
    sets_available = state.dialect.true_up_sets == "available"
    reserved = state.orders.reserved.get((warehouse_code, sku), 0) if sets_available else 0
    return state.stock.update(warehouse_code, sku, row["type"], row["quantity"], reserved=reserved)
