"""Test that arguments of each call are checked before anything is sent, and every error is listed with its place."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_server import Reply, ScriptedServer

from cenports_nb.api.client import Client
from cenports_nb.api.dialect import Dialect
from cenports_nb.api.request_schema import CALL_TABLES, check_body
from cenports_nb.errors import InvalidRequestError
from cenports_nb.sandbox import Sandbox

Connect = Callable[..., Client]


def _line(**changes: Any) -> dict[str, Any]:
    return {"sku": "A", "quantity": 1, "consumerPrice": 2.5, "subTotal": 2.5, **changes}


def _order(**changes: Any) -> dict[str, Any]:
    return {
        "orderNo": "1", "orderDate": "2026-03-01", "customerName": "Ana", "grandTotal": 2.5,
        "shipTo": {"address1": "1 Road", "city": "Tracy", "state": "CA", "country": "US", "postalCode": "95376"},
        "shippingInfo": {"carrierCode": "UPS", "serviceLevel": "Ground"}, "lineItems": [_line()], **changes,
    }  # fmt: skip


def _errors(call: str, sizes: dict[str, str] | None = None, **body: Any) -> dict[str, list[str]]:
    try:
        check_body(call, {"partnerId": "P", **body}, sizes or {})
    except InvalidRequestError as error:
        return error.errors
    return {}


@pytest.mark.parametrize(
    ("order", "place", "text"),
    [
        (_order(orderNo=5), "orders[1].orderNo", "is 5, which isn't text"),
        (_order(orderNo=""), "orders[1].orderNo", "is '', which is empty"),
        (_order(customerName=None), "orders[1].customerName", "is missing"),
        (_order(orderDate="2026-02-30"), "orders[1].orderDate", "which isn't a day"),
        (_order(orderDate="2026-03-01T00:00:00Z"), "orders[1].orderDate", "which isn't a day"),
        (_order(grandTotal=10_000), "orders[1].grandTotal", "is 10000, which is 10,000 or more"),
        (_order(grandTotal=1.234), "orders[1].grandTotal", "more than 2 decimal places"),
        (_order(grandTotal=float("nan")), "orders[1].grandTotal", "isn't an amount"),
        (_order(grandTotal="5"), "orders[1].grandTotal", "isn't an amount"),
        (_order(shippingCost=1000), "orders[1].shippingCost", "is 1,000 or more"),
        (_order(lineItems=[]), "orders[1].lineItems", "is empty or isn't a list"),
        (_order(lineItems=[_line(), _line(quantity=100_000)]), "orders[1].lineItems[1].quantity", "more than 5 digits"),
        (_order(lineItems=[_line(quantity=1.0)]), "orders[1].lineItems[0].quantity", "isn't a whole number"),
        (_order(lineItems=[_line(quantity=True)]), "orders[1].lineItems[0].quantity", "isn't a whole number"),
        (_order(lineItems=[_line(lineNumber=1000)]), "orders[1].lineItems[0].lineNumber", "more than 3 digits"),
        (_order(shipTo={**_order()["shipTo"], "country": "x" * 11}), "orders[1].shipTo.country", "longer than 10"),
        (_order(shipTo="here"), "orders[1].shipTo", "isn't a mapping"),
    ],
)
def test_the_place_and_the_fault_are_named(order: dict[str, Any], place: str, text: str) -> None:
    """Only the second of two orders has an error."""
    errors = _errors("POST /orders", channelId="C", orders=[_order(), order])
    assert list(errors) == [place]
    assert text in errors[place][0]


def test_all_errors_are_in_one_message() -> None:
    """All errors are in one message, to be fixed together."""
    assert len(_errors("POST /orders", orders=[_order(orderNo=n) for n in range(20)])) == 21  # and the channel


def test_sizes_that_are_nominal_can_be_changed() -> None:
    """Northwind has orders above 9,999.99."""
    sizes = {"orders.*.grandTotal": "decimal(9, 2)!"}
    assert _errors("POST /orders", sizes, channelId="C", orders=[_order(grandTotal=16_387.5)]) == {}


@pytest.mark.parametrize(
    ("call", "body", "place"),
    [
        ("GET /orders", {"limit": "10"}, "limit"),
        ("GET /orders", {"startDate": "2026-03-01"}, "startDate"),
        ("GET /orders", {"isAcknowledged": "false"}, "isAcknowledged"),
        ("GET /orders", {"orders": "1," * 200}, "orders"),
        ("GET /orders", {"acknowledged": False}, "acknowledged"),
        ("GET /shipments", {}, "channelId"),
        ("GET /shipments", {"channelId": "C", "orders": [{"orderNo": 5}]}, "orders[0].orderNo"),
        ("GET /transaction", {}, "handle"),
        ("PATCH /inventories", {"warehouseCode": "W", "inventories": []}, "inventories"),
        ("PATCH /orders/acknowledge", {"channelId": "C", "orders": ""}, "orders"),
        ("POST /channels", {"channelName": "N", "contactInfo": {}}, "contactInfo.address"),
        ("POST /channels", {"channelName": "N", "logo": "no base64!"}, "logo"),
        ("POST /channels", {"channelName": "N"}, "contactEmail"),
    ],
)
def test_each_call_has_its_table(call: str, body: dict[str, Any], place: str) -> None:
    """Names are those of the reference; known misspellings are reported."""
    assert place in _errors(call, **body)


def test_what_is_refused_is_not_sent(server: ScriptedServer, staging: Connect) -> None:
    """Not even a token is requested."""
    with pytest.raises(
        InvalidRequestError, match=r"GET /orders was not sent: limit is '5', which isn't a whole number"
    ):
        staging().api.get_orders(limit="5")
    with pytest.raises(InvalidRequestError, match="has a comma"):
        staging().api.acknowledge_orders(channel_id="C", orders=["1,2"])
    assert server.requests == []


def test_the_dialect_reaches_the_check(server: ScriptedServer, staging: Connect) -> None:
    """`connect(dialect=…)` changes what may be sent."""
    server.on("POST /orders", Reply({"handle": "h", "status": "QUEUED"}))
    client = staging()
    client.dialect = Dialect(sizes={"orders.*.grandTotal": "decimal(9, 2)!"})
    assert client.api.create_orders(channel_id="C", orders=[_order(grandTotal=12_000)])["handle"] == "h"


@given(
    st.dictionaries(st.sampled_from(sorted(CALL_TABLES["GET /orders"])), st.one_of(st.none(), st.text(), st.integers()))
)
def test_no_body_breaks_the_check(body: dict[str, Any]) -> None:
    """For any body, the check passes or lists errors."""
    assert all(texts for texts in _errors("GET /orders", **body).values())


def test_every_call_of_the_sandbox_takes_what_passes_the_check(northwind: Sandbox, client: Client) -> None:
    """Each thin call is sent once with all its parameters."""
    api = client.api
    channel = api.get_channels()["data"][0]["channelId"]
    order = api.get_orders(
        channelId=channel, limit=1, startDate="1996-07-01", endDate="1998-06-01", isAcknowledged=True, isPaginated=True
    )["data"][0]
    assert api.get_orders(orders=order["orderNo"], channelId=channel)["data"] == [order]
    shipments = api.get_shipments(
        channelId=channel, orders=[{"orderNo": order["orderNo"]}], startDate="1996-07-01", endDate="1998-06-01",
        limit=99, acknowledged=True,
    )["data"]  # fmt: skip
    warehouse = api.get_inventories(actualStock=True)["data"][0]
    code, row = warehouse["warehouseCode"], warehouse["warehouseInventory"][0]
    assert api.get_inventories(channelId=channel, warehouseCode=code)["data"][0]["warehouseCode"] == code
    update = {"productSKU": row["productSku"], "type": "TRUE_UP", "quantity": 5}
    handle = api.update_inventories(warehouse_code=code, inventories=[update])["handle"]
    assert api.get_transaction(handle)["status"] in ("QUEUED", "PROCESSING", "COMPLETED")
    line = _line(sku=row["productSku"], lineNumber=1)
    created = _order(orderNo="N-1", lineItems=[line], shippingCost=1.5, subTotal=2.5)
    assert api.create_orders(channel_id=channel, orders=[created])["handle"]
    assert api.acknowledge_orders(channel_id=channel, orders=[order["orderNo"]])["code"] == 200
    assert api.acknowledge_shipments(orders=[shipment["orderNo"] for shipment in shipments])["handle"]
    place = {"address": "1 Road", "city": "Tracy", "state": "CA", "country": "US", "postalCode": "95376"}
    made = api.create_channel(
        channelId="NEW", channelName="New", contactEmail="n@example.com", contactPhone="1", contactInfo=place,
        billInfo={"name": "Co"}, logo="aGVsbG8=",
    )  # fmt: skip
    assert made["data"]["channelId"] == "NEW"
    seen = {(request.method, request.path) for request in northwind.requests}
    assert {f"{method} {path}" for method, path in seen} - {"POST /authorize"} == {*CALL_TABLES}


def test_the_tables_name_every_documented_type() -> None:
    """Every type in the tables can be parsed."""
    pattern = re.compile(r"(string|int|decimal|date|bool|array|object|base64)(\(\d+(, \d+)?\))?!?")
    assert all(pattern.fullmatch(kind) for table in CALL_TABLES.values() for kind in table.values())
