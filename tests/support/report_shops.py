"""Shops for reports: one without anything, and one whose every name is hostile."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from support.report_runs import HOSTILE

CHANNEL = "EU"
PERSON = "Jane Doe of 12 Elm Street"


def days_ago(days: int) -> str:
    """Name noon of a day, as the API does."""
    return f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d}T12:00:00.000000Z"


def order(number: str, at: str, *lines: dict[str, Any]) -> dict[str, Any]:
    """Make an order as GET /orders returns it."""
    place = {"name": PERSON, "address1": PERSON, "address2": None, "city": "X", "state": None, "country": "US",
             "postalCode": "1"}  # fmt: skip
    total = sum(each["quantity"] * each["price"] for each in lines)
    return {
        "orderNo": number, "customerOrderNo": None, "orderDate": at, "channel": CHANNEL, "channelId": CHANNEL,
        "customerName": PERSON, "contactName": PERSON, "contactEmail": None, "contactPhone": None,
        "status": lines[0]["status"], "billTo": place, "shipTo": place,
        "shipFrom": {"warehouseCode": "W", "warehouseName": HOSTILE, "location": "W", "contactPhone": None,
                     "availability": True, "owner": "O"},
        "shippingInfo": {"carrierCode": "C", "serviceLevel": "S"},
        "lineItems": [{"orderNo": number, "lineItem": str(at + 1), **each} for at, each in enumerate(lines)],
        "pricing": {"subTotal": total, "discount": 0.0, "shipCost": 0.0, "grandTotal": total},
        "notes": {"merchantMsg": PERSON, "retailerMsg": None},
    }  # fmt: skip


def line(sku: str, quantity: int, price: float, status: str) -> dict[str, Any]:
    return {
        "productSku": sku, "retailerSku": None, "productName": f"{HOSTILE} {sku}", "shipFromWarehouseCode": "W",
        "quantity": quantity, "price": price, "status": status,
    }  # fmt: skip


def shipment(number: str, at: str, tracking: str | None) -> dict[str, Any]:
    return {
        "orderNo": number, "channelId": CHANNEL, "shipDate": at, "carrierCode": "C", "serviceLevel": "S",
        "trackingNumber": tracking, "warehouseCode": "W", "acknowledged": True,
        "lineItems": [{"productSku": HOSTILE, "quantity": 1}],
    }  # fmt: skip


def write(folder: Path, orders: list[Any], shipments: list[Any], stock: list[Any], channels: list[Any]) -> Path:
    """Write a data folder of the sandbox."""
    folder.mkdir()
    (folder / "orders.jsonl").write_text("".join(json.dumps(each) + "\n" for each in orders))
    (folder / "shipments.jsonl").write_text("".join(json.dumps(each) + "\n" for each in shipments))
    (folder / "inventories.json").write_text(json.dumps(stock))
    (folder / "channels.json").write_text(json.dumps(channels))
    return folder


def channel(name: str) -> dict[str, Any]:
    return {
        "channelName": name, "channelId": CHANNEL, "channelEmail": "a@example.com", "channelPhone": "5555550100",
        "location": "X", "features": None,
    }  # fmt: skip


def empty_shop(folder: Path) -> Path:
    """A shop that opens tomorrow: one channel, one warehouse, nothing in it."""
    return write(folder, [], [], [_warehouse([])], [channel("New")])


def hostile_shop(folder: Path) -> Path:
    """Every kind of row that a report shows, under names that are markup."""
    month = f"{(datetime.now(UTC).replace(day=1) - timedelta(days=9)):%Y-%m-%d}T12:00:00.000000Z"
    orders = [
        order(f"{HOSTILE}-late", days_ago(9), line(HOSTILE, 50, 9.99, "pending")),
        order(f"{HOSTILE}-untracked", days_ago(5), line(HOSTILE, 1, 9.99, "shipped")),
        order(f"{HOSTILE}-unsent", days_ago(4), line(HOSTILE, 1, 9.99, "shipped")),
        order(f"{HOSTILE}-month", month, line(HOSTILE, 2, 9.99, "shipped"), line("0012", 3, 0.10, HOSTILE)),
    ]
    stock = [_stock(HOSTILE, 7), _stock("0012", 9)]
    shipped = [shipment(f"{HOSTILE}-untracked", days_ago(4), None)]
    return write(folder, orders, shipped, [_warehouse(stock)], [channel(HOSTILE)])


def _stock(sku: str, quantity: int) -> dict[str, Any]:
    return {
        "productSku": sku, "retailerSku": None, "productUpc": None, "productName": HOSTILE, "quantity": str(quantity),
        "isDiscontinued": False, "nextAvailabilityDate": None, "nextAvailabileQuantity": None, "productExtras": [],
    }  # fmt: skip


def _warehouse(stock: list[Any]) -> dict[str, Any]:
    return {
        "warehouseName": HOSTILE, "warehouseCode": "W", "warehouseInventory": stock,
        "warehouseAddress": {
            "streetAddress": "1 Dock Road", "streetAddress2": None, "city": "X", "province": None, "provinceAbbre": "MA",
            "countryCode": "US", "country": None, "postalCode": "1", "isResidential": None, "ignoreValidation": False,
        },
    }  # fmt: skip
