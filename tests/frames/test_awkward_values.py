"""Test values that are close to another one: half characters, blank keys, numbers as text, dates of all ages."""

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from support.api_records import read_cells
from support.scripted_server import ReceivedRequest, Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.errors import RejectedRowsWarning

Json = dict[str, Any]
Connect = Callable[..., cn.Client]


def test_half_a_character_costs_one_record_and_no_more(server: ScriptedServer, staging: Connect) -> None:
    """Half a surrogate pair isn't text; the record is listed as it came."""
    good = {"orderNo": "A", "channelId": "C", "orderDate": "2024-02-29", "lineItems": []}
    bad = {**good, "orderNo": "B", "customerName": "\ud800"}
    server.on("GET /orders", Reply({"data": [good, bad], "last_page": 1}))
    with pytest.warns(RejectedRowsWarning):
        frame = cn.load_orders(staging(), order_nos=["A", "B"])
    refused = cn.rejected(frame)
    assert refused is not None
    assert (frame["order_no"].tolist(), list(map(json.loads, refused["record"]))) == (["A"], [bad])


@pytest.mark.parametrize("newest", ["new", "paid"])
def test_an_order_that_came_in_two_versions_is_asked_again(
    server: ScriptedServer, staging: Connect, newest: str
) -> None:
    """The answer to that question wins, whichever version it is."""

    def order(number: str, status: str) -> Json:
        return {"orderNo": number, "channelId": "C", "orderDate": "2024-02-29T10:00:00Z", "status": status}

    def answer(seen: ReceivedRequest) -> Reply:
        again = (
            [order("A\0B", newest)]
            if "orders" in seen.body
            else [order("A\0B", "new"), order("A\0C", "x"), order("A\0B", "paid")]
        )
        return Reply({"data": again, "last_page": 1})

    server.on("GET /orders", answer)
    frame = cn.load_orders(staging(), "2024-02-29", "2024-02-29", channel_id="C")
    assert read_cells(frame, ["order_no", "status"]) == [["A\0B", newest], ["A\0C", "x"]]
    assert [seen.body.get("orders") for seen in server.of("GET /orders")] == [None, "A\0B"]


def test_blank_and_doubled_keys_are_rejects(server: ScriptedServer, staging: Connect) -> None:
    """A blank order number, a blank SKU, a SKU said twice in its warehouse; a blank that is a character is a key."""
    orders = [
        {
            "orderNo": number,
            "channelId": "C",
            "orderDate": "2024-02-29T10:00:00Z",
            "lineItems": [{"productSku": sku, "quantity": 1}],
        }
        for number, sku in (("", "S"), (" ", "S"), ("A", ""), ("B", " "))
    ]
    rows = [("S", "1"), ("s", "2"), ("S", "3"), ("", "4"), ("S ", "5"), (None, "6")]
    server.on("GET /orders", Reply({"data": orders, "last_page": 1}))
    server.on(
        "GET /inventories",
        Reply(
            {
                "data": [
                    {
                        "warehouseCode": "W",
                        "warehouseInventory": [{"productSku": sku, "quantity": units} for sku, units in rows],
                    }
                ]
            }
        ),
    )
    with pytest.warns(RejectedRowsWarning):
        frame = cn.load_orders(staging(), "2024-02-29", "2024-02-29", channel_id="C")
    with pytest.warns(RejectedRowsWarning):
        lines = cn.load_line_items(staging(), "2024-02-29", "2024-02-29", channel_id="C")
    with pytest.warns(RejectedRowsWarning):
        stock = cn.load_actual_stock(staging())
    refused = [cn.rejected(found) for found in (frame, lines, stock)]
    assert frame["order_no"].tolist() == [" ", "A", "B"]
    assert read_cells(lines, ["order_no", "product_sku"]) == [[" ", "S"], ["B", " "]]
    assert read_cells(stock, ["product_sku", "quantity"]) == [["S", 1], ["S ", 5], ["s", 2]]
    assert [
        sorted(zip(found["record_index"], found["column"], strict=True)) for found in refused if found is not None
    ] == [
        [(0, "order_no")],
        [(0, "order_no"), (2, "product_sku")],
        [(2, "product_sku"), (3, "product_sku"), (5, "product_sku")],
    ]


@pytest.mark.parametrize(
    ("sent", "read"),
    [("58", 58), (58, 58), ("58.0", 58), (58.0, 58), ("-58", -58), (-58.0, -58), ("0", 0), (2**63 - 1, 2**63 - 1)]
    + [(sent, None) for sent in ("58.5", 58.5, "", "abc", "null", None, True, 2**63, "1,000", " 58", [58])],
)
def test_a_quantity_is_whole_units_or_a_reject(
    server: ScriptedServer, staging: Connect, sent: Any, read: int | None
) -> None:
    """In stock and in orders alike, however it is written."""
    row = {"productSku": "S", "quantity": sent}
    good = {"productSku": "T", "quantity": 1}
    order = {"orderNo": "A", "channelId": "C", "orderDate": "2024-02-29", "lineItems": [row, good]}
    server.on("GET /orders", Reply({"data": [order], "last_page": 1}))
    server.on("GET /inventories", Reply({"data": [{"warehouseCode": "W", "warehouseInventory": [row, good]}]}))
    for load in (cn.load_actual_stock, lambda client: cn.load_line_items(client, order_nos=["A"])):
        if read is None:
            with pytest.warns(RejectedRowsWarning):
                frame = load(staging())
            refused = cn.rejected(frame)
            assert refused is not None
            assert refused["column"].tolist() == ["quantity"]
        else:
            frame = load(staging())
        assert read_cells(frame, ["product_sku", "quantity"]) == [["S", read]] * (read is not None) + [["T", 1]]


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("nextAvailabileQuantity", "next_availabile_quantity"),
        ("nextAvailableQuantity", "next_available_quantity"),
        ("isDiscontinued", "is_discontinued"),
        ("nextAvailabilityDate", "next_availability_date"),
    ],
)
def test_a_text_that_reads_null_is_no_null(server: ScriptedServer, staging: Connect, field: str, column: str) -> None:
    """Where a number, a flag or a date belongs it is a reject, not a silent nothing."""
    rows = [{"productSku": "S", "quantity": 1, field: "null"}, {"productSku": "T", "quantity": 1, field: None}]
    server.on("GET /inventories", Reply({"data": [{"warehouseCode": "W", "warehouseInventory": rows}]}))
    with pytest.warns(RejectedRowsWarning):
        stock = cn.load_actual_stock(staging())
    refused = cn.rejected(stock)
    assert refused is not None
    assert (stock["product_sku"].tolist(), refused["column"].tolist()) == (["T"], [column])


@pytest.mark.parametrize("number", [12, 10**19, 10**30])
def test_numbers_of_shipments_keep_their_digits(server: ScriptedServer, staging: Connect, number: int) -> None:
    """Sent as numbers, they are the text of their digits, however many."""
    shipment = {"orderNo": number, "channelId": number, "trackingNumber": number, "note": number}
    server.on("GET /shipments", Reply({"data": [shipment], "last_page": 1}))
    frame = cn.load_shipments(staging(), order_nos=["A"], channel_id="C")
    columns = ["order_no", "channel_id", "tracking_number", "note"]
    assert read_cells(frame, columns) == [[str(number)] * 4]


def test_dates_of_all_ages_stand_side_by_side(server: ScriptedServer, staging: Connect) -> None:
    """Nanoseconds in one row, the year 9999 for "never" in the next: neither costs the other."""
    dates = ["2024-02-29T01:02:03.123456789Z", "9999-12-31", "1600-01-01T23:00:00Z", None, "", "2024-02-29"]
    rows = [
        {"productSku": str(number), "quantity": 1, "nextAvailabilityDate": text} for number, text in enumerate(dates)
    ]
    server.on("GET /inventories", Reply({"data": [{"warehouseCode": "W", "warehouseInventory": rows}]}))
    stock = cn.load_actual_stock(staging())
    days = [None if pd.isna(day) else f"{day:%Y-%m-%d}" for day in stock["next_availability_date"]]
    assert days == ["2024-02-29", "9999-12-31", "1600-01-01", None, None, "2024-02-29"]
