"""Test GET /shipments and acknowledgement of shipments."""

from datetime import date, timedelta
from typing import Any

import pytest
from support.sandbox_requests import SandboxClient


def list_shipments(sandbox_client: SandboxClient, channel_id: str, **params: Any) -> list[Any]:
    """Ask week by week, as one answer holds 99 at most."""
    rows, first = [], date(1996, 7, 1)
    while first < date(1998, 7, 1):
        last = first + timedelta(days=6)
        days = {"startDate": first.isoformat(), "endDate": last.isoformat()}
        rows += sandbox_client.get("/shipments", channelId=channel_id, limit=99, **days, **params).data
        first = last + timedelta(days=1)
    return rows


def test_all_shipments_of_northwind(northwind: SandboxClient) -> None:
    """There are 809, and 57 of them are not acknowledged."""
    channels = ("NW-EU", "NW-NA", "NW-SA")
    assert sum(len(list_shipments(northwind, channel_id)) for channel_id in channels) == 809
    assert sum(len(list_shipments(northwind, channel_id, acknowledged=False)) for channel_id in channels) == 57


def test_an_answer(northwind: SandboxClient) -> None:
    """It is the record of the data in the usual envelope, first shipped first, fifty by default."""
    answer = northwind.get("/shipments", channelId="NW-EU")
    assert {name: value for name, value in answer.body.items() if name != "data"} == {
        "code": 200,
        "status": "success",
        "message": "OK",
    }
    keys = [(row["shipDate"], row["orderNo"]) for row in answer.data]
    assert len(keys) == 50
    assert keys == sorted(keys)
    assert {row["channelId"] for row in answer.data} == {"NW-EU"}


def test_shipments_of_some_orders(northwind: SandboxClient) -> None:
    """Only those of the channel are answered; an empty list filters nothing."""
    orders = [{"orderNo": "10248"}, {"orderNo": "10250"}, {"orderNo": "11008"}]
    rows = northwind.get("/shipments", channelId="NW-EU", orders=orders).data
    assert [row["orderNo"] for row in rows] == ["10248"]
    assert len(northwind.get("/shipments", channelId="NW-EU", orders=[]).data) == 50


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"channelId": None}, "channelId"),
        ({"channelId": "NOPE"}, "channelId"),
        ({"limit": 0}, "limit"),
        ({"limit": 100}, "limit"),
        ({"orders": "10248"}, "orders"),
        ({"orders": ["10248"]}, "orders.0"),
        ({"orders": [{"orderNo": 10248}]}, "orders.0.orderNo"),
        ({"acknowledged": "true"}, "acknowledged"),
        ({"startDate": "1997-01-01"}, "endDate"),
    ],
)
def test_a_parameter_that_is_not_as_documented(northwind: SandboxClient, params: dict[str, Any], field: str) -> None:
    """It is 422 on its own field."""
    assert list(northwind.get("/shipments", **{"channelId": "NW-EU", **params}).errors) == [field]


def test_acknowledging(sandbox_client: SandboxClient) -> None:
    """It holds when the transaction ends; an unknown number is an error of its row alone."""
    waiting = sandbox_client.get("/shipments", channelId="NW-EU", acknowledged=False).data
    number = waiting[0]["orderNo"]
    shipments = [{"orderNo": "nope"}, {"orderNo": number}]
    submitted = sandbox_client.call("PATCH", "/shipments/acknowledge", shipments=shipments)
    assert len(sandbox_client.get("/shipments", channelId="NW-EU", acknowledged=False).data) == len(waiting)
    outcome = sandbox_client.finish_transaction(submitted)
    assert outcome["errors"] == [{"index": 0, "message": "The shipment of order nope does not exist."}]
    assert len(sandbox_client.get("/shipments", channelId="NW-EU", acknowledged=False).data) == len(waiting) - 1
    rows = sandbox_client.get("/shipments", channelId="NW-EU", acknowledged=True, orders=[{"orderNo": number}]).data
    assert rows[0]["acknowledged"] is True


@pytest.mark.parametrize(
    ("shipments", "field"),
    [(None, "shipments"), ([], "shipments"), ([{}], "shipments.0.orderNo"), ("1", "shipments")],
)
def test_acknowledging_nothing(northwind: SandboxClient, shipments: object, field: str) -> None:
    """It is 422."""
    answer = northwind.call("PATCH", "/shipments/acknowledge", shipments=shipments)
    assert list(answer.errors) == [field]
