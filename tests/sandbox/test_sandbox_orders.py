"""Test GET /orders, POST /orders and acknowledgement of orders."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from support.sandbox_requests import SandboxClient, new_order


def pages(sandbox_client: SandboxClient, **params: Any) -> list[Any]:
    """Follow next_page_url to the end."""
    rows, url = [], "/v2/orders"
    while url:
        body = sandbox_client.get(url.partition("/v2")[2], isPaginated=True, limit=300, **params).body
        rows += body["data"]
        url = body["next_page_url"]
    return rows


def test_all_pages_of_northwind(northwind: SandboxClient) -> None:
    """They hold 830 orders and 2155 lines, each once, sorted by day, channel and number."""
    orders = pages(northwind)
    keys = [(order["orderDate"], order["channelId"], order["orderNo"]) for order in orders]
    assert len(orders) == len(set(keys)) == 830
    assert sum(len(order["lineItems"]) for order in orders) == 2155
    assert keys == sorted(keys)
    assert Counter(order["channelId"] for order in orders) == {"NW-EU": 505, "NW-NA": 180, "NW-SA": 145}


def test_the_metadata_of_a_page(northwind: SandboxClient) -> None:
    """They are Laravel's, with absolute links."""
    answer = northwind.get("/orders?page=2", isPaginated=True, limit=300)
    path = f"{northwind.sandbox.url}/orders"
    assert {name: value for name, value in answer.body.items() if name != "data"} == {
        "code": 200,
        "status": "success",
        "message": "OK",
        "current_page": 2,
        "last_page": 3,
        "per_page": 300,
        "total": 830,
        "next_page_url": f"{path}?page=3",
        "prev_page_url": f"{path}?page=1",
        "path": path,
    }


@pytest.mark.parametrize(
    ("query", "body", "page"), [("", 3, 3), ("?page=2", 3, 2), ("?page=x", 3, 1), ("", "2", 2), ("", -1, 1)]
)
def test_where_the_page_number_is_read(northwind: SandboxClient, query: str, body: object, page: int) -> None:
    """In the query, else in the body; an odd one is the first page."""
    assert northwind.get(f"/orders{query}", isPaginated=True, page=body).body["current_page"] == page


def test_a_page_after_the_last(northwind: SandboxClient) -> None:
    """It is empty and has no next one."""
    body = northwind.get("/orders?page=99", isPaginated=True).body
    assert (body["data"], body["next_page_url"], body["last_page"]) == ([], None, 17)


def test_without_pagination(northwind: SandboxClient) -> None:
    """The first rows come, fifty if nothing is asked, without a word about more."""
    answer = northwind.get("/orders")
    assert len(answer.data) == 50
    assert set(answer.body) == {"data", "code", "status", "message"}
    assert len(northwind.get("/orders", limit=300).data) == 300


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [("1997-01-01", "1997-01-31", 33), ("1997-12-01", "1997-12-31", 48), ("1998-04-01", "1998-04-30", 74)],
)
def test_a_month(northwind: SandboxClient, start: str, end: str, count: int) -> None:
    """Both of its end days are included."""
    rows = northwind.get("/orders", limit=300, startDate=start, endDate=end).data
    days = {order["orderDate"][:10] for order in rows}
    assert len(rows) == count
    assert start <= min(days) <= max(days) <= end


def test_a_single_day(northwind: SandboxClient) -> None:
    """It is asked with the same day twice."""
    rows = northwind.get("/orders", startDate="1996-07-04", endDate="1996-07-04").data
    assert [order["orderNo"] for order in rows] == ["10248"]


def test_filters_together(northwind: SandboxClient) -> None:
    """Channel, numbers with blanks, and acknowledgement narrow each other."""
    rows = northwind.get("/orders", orders=" 10248, 10250 ,11008,,nothing").data
    assert [order["orderNo"] for order in rows] == ["10248", "10250", "11008"]
    rows = northwind.get("/orders", orders="10248,10250,11008", channelId="NW-EU").data
    assert [order["orderNo"] for order in rows] == ["10248", "11008"]
    rows = northwind.get("/orders", orders="10248,11008", isAcknowledged=False).data
    assert [order["orderNo"] for order in rows] == ["11008"]


def test_what_is_acknowledged_at_first(northwind: SandboxClient) -> None:
    """The 21 open orders are not, all others are."""
    rows = northwind.get("/orders", limit=300, isAcknowledged=False).data
    assert len(rows) == 21
    assert {line["status"] for order in rows for line in order["lineItems"]} == {"pending"}
    assert northwind.get("/orders", isAcknowledged=True, isPaginated=True).body["total"] == 809


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 301}, "limit"),
        ({"limit": "50"}, "limit"),
        ({"limit": True}, "limit"),
        ({"limit": 50.0}, "limit"),
        ({"isAcknowledged": "false"}, "isAcknowledged"),
        ({"isPaginated": 1}, "isPaginated"),
        ({"channelId": "NOPE"}, "channelId"),
        ({"channelId": 5}, "channelId"),
        ({"orders": "x" * 256}, "orders"),
        ({"orders": ["10248"]}, "orders"),
        ({"startDate": "1997-01-01"}, "endDate"),
        ({"endDate": "1997-01-01"}, "startDate"),
        ({"startDate": "1997-02-29", "endDate": "1997-03-01"}, "startDate"),
        ({"startDate": "1997-1-1", "endDate": "1997-03-01"}, "startDate"),
        ({"startDate": "19970101", "endDate": "1997-03-01"}, "startDate"),
        ({"startDate": "1997-01-02", "endDate": "1997-01-01"}, "endDate"),
    ],
)
def test_a_parameter_that_is_not_as_documented(northwind: SandboxClient, params: dict[str, Any], field: str) -> None:
    """It is 422 on its own field."""
    assert list(northwind.get("/orders", **params).errors) == [field]


def test_all_failures_at_once(northwind: SandboxClient) -> None:
    """A wrong partner does not hide a wrong channel."""
    assert northwind.get("/orders", partnerId="X", channelId="X", limit=0).errors == {
        "partnerId": ["The partner id is not valid, please try again."],
        "channelId": ["The channel id does not exist, please try again."],
        "limit": ["The limit must be between 1 and 300."],
    }


def test_acknowledging(sandbox_client: SandboxClient) -> None:
    """Numbers may have blanks after the commas; it holds at once."""
    answer = sandbox_client.call("PATCH", "/orders/acknowledge", channelId="NW-EU", orders="11008, 11072")
    assert answer.body == {"data": [], "code": 200, "status": "success", "message": "OK"}
    assert len(sandbox_client.get("/orders", isAcknowledged=False).data) == 19
    assert len(sandbox_client.get("/orders", isAcknowledged=True, orders="11008,11072").data) == 2


def test_acknowledging_an_order_of_another_channel(sandbox_client: SandboxClient) -> None:
    """Nothing is acknowledged, and every number that does not exist is named."""
    answer = sandbox_client.call("PATCH", "/orders/acknowledge", channelId="NW-EU", orders="11008,A1234,10250")
    assert (answer.status, answer.body) == (
        400,
        {
            "code": "50001",
            "message": "Sorry, we're unable to process your request at this moment.",
            "errors": [
                "The orderNo A1234 is not able to update.",
                "The orderNo 10250 is not able to update.",
            ],
        },
    )
    assert len(sandbox_client.get("/orders", isAcknowledged=False).data) == 21


@pytest.mark.parametrize("numbers", [None, "", " , ", "1," * 200, 11008])
def test_acknowledging_nothing_or_too_much(sandbox_client: SandboxClient, numbers: object) -> None:
    """It is 422 on the numbers."""
    answer = sandbox_client.call("PATCH", "/orders/acknowledge", channelId="NW-EU", orders=numbers)
    assert list(answer.errors) == ["orders"]


def test_a_created_order(sandbox_client: SandboxClient) -> None:
    """It appears when its transaction ends, open and unacknowledged, and takes from available stock alone."""
    actual, available = sandbox_client.actual(), sandbox_client.available()
    submitted = sandbox_client.call("POST", "/orders", channelId="NW-EU", orders=[new_order()])
    assert submitted.body["handle"] == submitted.body["handle"].lower()
    assert isinstance(submitted.body["id"], str)
    assert sandbox_client.get("/orders", orders="N-1").data == []
    assert sandbox_client.finish_transaction(submitted)["status"] == "COMPLETED"
    place = {
        "address1": "1742 Sabre Street",
        "address2": None,
        "city": "Hayward",
        "state": "CA",
        "country": "US",
        "postalCode": "04545",
    }
    assert sandbox_client.get("/orders", orders="N-1", isAcknowledged=False).data == [
        {
            "orderNo": "N-1",
            "customerOrderNo": None,
            "orderDate": "2025-06-14T00:00:00.000000Z",
            "channel": "Northwind Europe",
            "channelId": "NW-EU",
            "customerName": "Jon Doe",
            "contactName": None,
            "contactEmail": None,
            "contactPhone": None,
            "status": "Incompleted",
            "billTo": {"name": "Jon Doe", **place},
            "shipFrom": {
                "warehouseCode": "NW-EAST",
                "warehouseName": "Northwind East",
                "location": "1 Dock Road, Boston, MA, US, 02110",
                "contactPhone": None,
                "availability": True,
                "owner": "SANDBOX",
            },
            "shipTo": {"name": "Jon Doe", **place},
            "shippingInfo": {"carrierCode": "ANY", "serviceLevel": "Ground"},
            "lineItems": [
                {
                    "orderNo": "N-1",
                    "lineItem": "1",
                    "productSku": "0001",
                    "retailerSku": None,
                    "productName": "Chai",
                    "shipFromWarehouseCode": "NW-EAST",
                    "quantity": 2,
                    "price": 20.0,
                    "status": "pending",
                }
            ],
            "pricing": {"subTotal": 40.0, "discount": 0, "shipCost": 0, "grandTotal": 40.0},
            "notes": {"merchantMsg": None, "retailerMsg": None},
        }
    ]
    assert sandbox_client.actual() == actual
    key = ("NW-EAST", "0001")
    assert sandbox_client.available() == {**available, key: available[key] - 2}


def test_created_orders_are_sorted_in(sandbox_client: SandboxClient) -> None:
    """They are sorted among the others and found by their day."""
    orders = [new_order("N-2", orderDate="1997-03-01"), new_order("N-1", orderDate="1990-01-01")]
    sandbox_client.finish_transaction(sandbox_client.call("POST", "/orders", channelId="NW-NA", orders=orders))
    rows = pages(sandbox_client)
    assert rows[0]["orderNo"] == "N-1"
    assert all(a["orderDate"] <= b["orderDate"] for a, b in pairwise(rows))
    found = sandbox_client.get("/orders", startDate="1997-03-01", endDate="1997-03-01").data
    assert [order["orderNo"] for order in found] == ["N-2"]


def test_line_numbers(sandbox_client: SandboxClient) -> None:
    """A line without a number takes the next one."""
    line = {"sku": "0001", "quantity": 1, "consumerPrice": 1, "subTotal": 1}
    orders = [new_order(lineItems=[line, {**line, "lineNumber": 5}, line])]
    sandbox_client.finish_transaction(sandbox_client.call("POST", "/orders", channelId="NW-EU", orders=orders))
    rows = sandbox_client.get("/orders", orders="N-1").data
    assert [row["lineItem"] for row in rows[0]["lineItems"]] == ["1", "5", "6"]


def test_orders_that_cannot_be_created(sandbox_client: SandboxClient) -> None:
    """They are named by position; the good ones beside them are created."""
    line = {"sku": "nope", "quantity": 1, "consumerPrice": 1, "subTotal": 1}
    orders = [
        new_order("10248"),
        new_order("B1", customerOrderNo="C1"),
        new_order("B2", lineItems=[{**line, "sku": "0001"}, line]),
        new_order("B1"),
        new_order("B3", customerOrderNo="C1"),
    ]
    outcome = sandbox_client.finish_transaction(
        sandbox_client.call("POST", "/orders", channelId="NW-EU", orders=orders)
    )
    assert (outcome["status"], outcome["completed_at"]) == ("FAILED", None)
    assert outcome["errors"] == [
        {"index": 0, "message": "The order 10248 is already existed on our system."},
        {
            "index": 2,
            "message": "The line item 2 of order B2 has been rejected due to product sku does not exist.",
        },
        {"index": 3, "message": "The order B1 is already existed on our system."},
        {"index": 4, "message": "The customer order C1 is already existed on our system."},
    ]
    assert [order["orderNo"] for order in sandbox_client.get("/orders", orders="B1,B2,B3").data] == ["B1"]


def test_the_same_number_in_another_channel(sandbox_client: SandboxClient) -> None:
    """It is a new order: numbers are unique within a channel only."""
    submitted = sandbox_client.call("POST", "/orders", channelId="NW-SA", orders=[new_order("10248")])
    assert sandbox_client.finish_transaction(submitted)["status"] == "COMPLETED"
    assert {order["channelId"] for order in sandbox_client.get("/orders", orders="10248").data} == {"NW-EU", "NW-SA"}


SHIP_TO = new_order()["shipTo"]
LINE = new_order()["lineItems"][0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"orderNo": ""}, "orderNo"),
        ({"orderNo": 10248}, "orderNo"),
        ({"orderNo": "x" * 256}, "orderNo"),
        ({"orderDate": "2025-06-31"}, "orderDate"),
        ({"customerName": None}, "customerName"),
        ({"contactEmail": "x" * 256}, "contactEmail"),
        ({"shipTo": None}, "shipTo"),
        ({"shipTo": {}}, "shipTo"),
        ({"shipTo": "Hayward"}, "shipTo"),
        ({"shipTo": {**SHIP_TO, "city": None}}, "shipTo.city"),
        ({"shipTo": {**SHIP_TO, "country": "x" * 11}}, "shipTo.country"),
        ({"shipTo": {**SHIP_TO, "postalCode": 94545}}, "shipTo.postalCode"),
        ({"shippingInfo": {"carrierCode": "UPS"}}, "shippingInfo.serviceLevel"),
        (
            {"shippingInfo": {"carrierCode": "U", "serviceLevel": "G", "estimatedShipDate": "soon"}},
            "shippingInfo.estimatedShipDate",
        ),
        ({"lineItems": []}, "lineItems"),
        ({"lineItems": {"0": LINE}}, "lineItems"),
        ({"lineItems": ["0001"]}, "lineItems.0"),
        ({"lineItems": [LINE, {**LINE, "sku": None}]}, "lineItems.1.sku"),
        ({"lineItems": [{**LINE, "quantity": "2"}]}, "lineItems.0.quantity"),
        ({"lineItems": [{**LINE, "quantity": 0}]}, "lineItems.0.quantity"),
        ({"lineItems": [{**LINE, "quantity": 100_000}]}, "lineItems.0.quantity"),
        ({"lineItems": [{**LINE, "lineNumber": 1000}]}, "lineItems.0.lineNumber"),
        ({"lineItems": [{**LINE, "consumerPrice": 10_000}]}, "lineItems.0.consumerPrice"),
        ({"lineItems": [{**LINE, "subTotal": 1.005}]}, "lineItems.0.subTotal"),
        ({"shippingCost": 1000.0}, "shippingCost"),
        ({"grandTotal": "40.00"}, "grandTotal"),
        ({"grandTotal": None}, "grandTotal"),
        ({"subTotal": True}, "subTotal"),
    ],
)
def test_an_order_that_is_not_as_documented(northwind: SandboxClient, changes: dict[str, Any], field: str) -> None:
    """It is 422 on the dotted name of the field, and no transaction begins."""
    orders = [new_order("OK"), new_order(**changes)]
    answer = northwind.call("POST", "/orders", channelId="NW-EU", orders=orders)
    assert list(answer.errors) == [f"orders.1.{field}"]
    assert len(northwind.sandbox.state.transactions) == 0


@pytest.mark.parametrize("amount", [0, 0.1, 19.99, 9999.99, 1e3])
def test_amounts_that_fit(sandbox_client: SandboxClient, amount: float) -> None:
    """Whatever has two decimals and fits is taken as sent."""
    orders = [new_order(grandTotal=amount)]
    sandbox_client.finish_transaction(sandbox_client.call("POST", "/orders", channelId="NW-EU", orders=orders))
    assert sandbox_client.get("/orders", orders="N-1").data[0]["pricing"]["grandTotal"] == amount


@pytest.mark.parametrize("orders", [None, [], {}, "N-1"])
def test_no_orders_to_create(northwind: SandboxClient, orders: object) -> None:
    """It is 422 on the array."""
    assert list(northwind.call("POST", "/orders", channelId="NW-EU", orders=orders).errors) == ["orders"]
