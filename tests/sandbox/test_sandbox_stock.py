"""Test GET and PATCH /inventories, and the transactions of updates."""

import uuid
from collections import Counter
from typing import Any

import pytest
from support.sandbox_requests import SandboxClient

CHAI = ("NW-EAST", "0001")  # 39 on hand


def update(sandbox_client: SandboxClient, *rows: tuple[str, str, int], warehouse_code: str = "NW-EAST") -> Any:
    inventories = [{"productSKU": sku, "type": kind, "quantity": quantity} for sku, kind, quantity in rows]
    return sandbox_client.call("PATCH", "/inventories", warehouseCode=warehouse_code, inventories=inventories)


def test_actual_stock(northwind: SandboxClient) -> None:
    """It has 77 rows and 3119 units, quantities as text, in the documented shape."""
    warehouses = northwind.get("/inventories", actualStock=True).data
    assert (len(northwind.actual()), sum(northwind.actual().values())) == (77, 3119)
    assert [warehouse["warehouseCode"] for warehouse in warehouses] == ["NW-EAST", "NW-WEST"]
    assert set(warehouses[0]) == {"warehouseName", "warehouseCode", "warehouseAddress", "warehouseInventory"}
    assert warehouses[0]["warehouseInventory"][0] == {
        "productSku": "0001",
        "retailerSku": None,
        "productUpc": "000000000001",
        "productName": "Chai",
        "quantity": "39",
        "isDiscontinued": True,
        "nextAvailabilityDate": None,
        "nextAvailabileQuantity": None,
        "productExtras": [],
    }


@pytest.mark.parametrize("channel_id", ["NW-EU", "NW-NA", "NW-SA"])
def test_available_stock(northwind: SandboxClient, channel_id: str) -> None:
    """In every channel it is actual stock less the open units of the whole account, over all 77 rows."""
    reserved: Counter[tuple[str, str]] = Counter()
    for order in northwind.get("/orders", isAcknowledged=False, limit=300).data:
        for line in order["lineItems"]:
            reserved[line["shipFromWarehouseCode"], line["productSku"]] += line["quantity"]
    assert (len(reserved), sum(reserved.values())) == (49, 1198)
    expected = {key: quantity - reserved[key] for key, quantity in northwind.actual().items()}
    assert northwind.available(channel_id) == expected
    assert sum(quantity < 0 for quantity in expected.values()) == 17


def test_some_warehouses(northwind: SandboxClient) -> None:
    """They are named with commas; an unknown one simply has nothing."""

    def codes(text: str) -> list[str]:
        rows = northwind.get("/inventories", actualStock=True, warehouseCode=text).data
        return [warehouse["warehouseCode"] for warehouse in rows]

    assert codes("NW-WEST") == ["NW-WEST"]
    assert codes("NW-WEST, NW-EAST") == ["NW-EAST", "NW-WEST"]
    assert codes("NOPE,NW-EAST") == ["NW-EAST"]
    assert codes("NOPE") == []


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "channelId"),
        ({"actualStock": False}, "channelId"),
        ({"channelId": "NOPE"}, "channelId"),
        ({"actualStock": "true", "channelId": "NW-EU"}, "actualStock"),
        ({"actualStock": True, "warehouseCode": ["NW-EAST"]}, "warehouseCode"),
        ({"actualStock": True, "limit": "all"}, "limit"),
    ],
)
def test_a_parameter_that_is_not_as_documented(northwind: SandboxClient, params: dict[str, Any], field: str) -> None:
    """It is 422 on its own field."""
    assert list(northwind.get("/inventories", **params).errors) == [field]


def test_a_limit(northwind: SandboxClient) -> None:
    """It is accepted and changes nothing."""
    assert northwind.get("/inventories", actualStock=True, limit=1).data == (
        northwind.get("/inventories", actualStock=True).data
    )


def test_an_update_through_its_states(sandbox_client: SandboxClient) -> None:
    """QUEUED for a third of its life, PROCESSING until its end, COMPLETED at that very instant."""
    submitted = update(sandbox_client, ("0001", "TRUE_UP", 7), ("0002", "DIFFERENTIAL", -1))
    assert submitted.body == {
        "id": 1,
        "handle": str(uuid.UUID(submitted.body["handle"])).upper(),
        "status": "QUEUED",
        "submitted_at": "2025-06-15T12:00:00.000000Z",
        "completed_at": None,
    }
    seen = []
    for _ in range(6):
        sandbox_client.sandbox.clock.advance(0.5)
        seen.append((sandbox_client.transaction(submitted)["status"], sandbox_client.actual()[CHAI]))
    assert seen == [("QUEUED", 39), *[("PROCESSING", 39)] * 4, ("COMPLETED", 7)]
    assert sandbox_client.transaction(submitted)["completed_at"] == "2025-06-15T12:00:03.000000Z"
    assert sandbox_client.actual()["NW-EAST", "0002"] == 16


def test_an_update_that_nobody_follows(sandbox_client: SandboxClient) -> None:
    """It lands at its end all the same, and says so whenever it is asked."""
    submitted = update(sandbox_client, ("0001", "TRUE_UP", 7))
    sandbox_client.sandbox.clock.advance(3600)
    assert sandbox_client.actual()[CHAI] == 7
    assert sandbox_client.transaction(submitted)["completed_at"] == "2025-06-15T12:00:03.000000Z"


def test_updates_in_a_row(sandbox_client: SandboxClient) -> None:
    """They are applied in order of submission, rows in their order."""
    update(sandbox_client, ("0001", "TRUE_UP", 5))
    sandbox_client.sandbox.clock.advance(1)
    update(sandbox_client, ("0001", "DIFFERENTIAL", 3), ("0001", "DIFFERENTIAL", -6))
    sandbox_client.sandbox.clock.advance(60)
    assert sandbox_client.actual()[CHAI] == 2


def test_rows_that_cannot_be_applied(sandbox_client: SandboxClient) -> None:
    """They are named by position, the others are applied, and the transaction is FAILED."""
    before = sandbox_client.actual()
    submitted = update(
        sandbox_client,
        ("nope", "TRUE_UP", 1),
        ("0001", "TRUE_UP", -1),
        ("0002", "DIFFERENTIAL", -18),
        ("0003", "DIFFERENTIAL", -13),
        ("0004", "TRUE_UP", 1),
    )
    outcome = sandbox_client.finish_transaction(submitted)
    assert (outcome["status"], outcome["completed_at"]) == ("FAILED", None)
    assert outcome["errors"] == [
        {"index": 0, "message": "The product sku nope does not exist."},
        {"index": 1, "message": "The quantity of the product sku 0001 can not be below 0."},
        {"index": 2, "message": "The quantity of the product sku 0002 can not be below 0."},
        {"index": 4, "message": "The product sku 0004 does not exist."},
    ]
    assert sandbox_client.actual() == {**before, ("NW-EAST", "0003"): 0}


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"warehouseCode": None}, "warehouseCode"),
        ({"warehouseCode": "NOPE"}, "warehouseCode"),
        ({"inventories": []}, "inventories"),
        ({"inventories": [{"productSKU": "0001", "type": "TRUE_UP", "quantity": 1}] * 1001}, "inventories"),
        (
            {"inventories": [{"productSKU": "0001", "type": "TRUE_UP", "quantity": "1"}]},
            "inventories.0.quantity",
        ),
        (
            {"inventories": [{"productSKU": "0001", "type": "TRUE_UP", "quantity": 2**63}]},
            "inventories.0.quantity",
        ),
        ({"inventories": [{"productSKU": "0001", "type": "true_up", "quantity": 1}]}, "inventories.0.type"),
        (
            {"inventories": [{"productSku": "0001", "type": "TRUE_UP", "quantity": 1}]},
            "inventories.0.productSKU",
        ),
    ],
)
def test_an_update_that_is_not_as_documented(northwind: SandboxClient, params: dict[str, Any], field: str) -> None:
    """It is 422 on the dotted name of the field, and no transaction begins."""
    rows = [{"productSKU": "0001", "type": "TRUE_UP", "quantity": 1}]
    answer = northwind.call("PATCH", "/inventories", **{"warehouseCode": "NW-EAST", "inventories": rows, **params})
    assert list(answer.errors) == [field]
    assert len(northwind.sandbox.state.transactions) == 0


def test_a_thousand_rows(sandbox_client: SandboxClient) -> None:
    """They are one update."""
    submitted = update(sandbox_client, *[("0001", "DIFFERENTIAL", 1)] * 1000)
    assert sandbox_client.finish_transaction(submitted)["status"] == "COMPLETED"
    assert sandbox_client.actual()[CHAI] == 1039


def test_a_handle_in_the_other_case(sandbox_client: SandboxClient) -> None:
    """It is the same handle, answered as it was given out."""
    submitted = update(sandbox_client, ("0001", "TRUE_UP", 7))
    answer = sandbox_client.get("/transaction", handle=submitted.body["handle"].lower())
    assert answer.body == submitted.body


@pytest.mark.parametrize("handle", ["nope", None, 1, "d93ff46f-3621-47e2-89a0-74d8caeae8a3"])
def test_an_unknown_handle(northwind: SandboxClient, handle: object) -> None:
    """It is 422."""
    assert list(northwind.get("/transaction", handle=handle).errors) == ["handle"]
