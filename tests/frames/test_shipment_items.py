"""Test lines of shipments in any format, and shipments of both acknowledgement states."""

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_server import ReceivedRequest, Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.errors import RejectedRowsWarning
from cenports_nb.frames.decoding import records as decode
from cenports_nb.frames.decoding.shipment_items import decode_shipment_items
from cenports_nb.sandbox import Sandbox

Connect = Callable[..., cn.Client]
FIXED = ["order_no", "channel_id", "ship_date", "tracking_number", "line_item", "product_sku", "quantity"]
LINES = [{"productSku": "0012", "quantity": 2}, {"productSku": "B", "quantity": "3"}]
JANUARY = ("1998-01-01", "1998-01-31")


def _items(*records: Any) -> tuple[pd.DataFrame, list[str]]:
    raw = [json.dumps({"orderNo": "A", **record}).encode() for record in records]
    found = decode.decode_shipments(raw, ["X"] * len(raw))
    frame, rejects = decode_shipment_items(found.frame, raw)
    return cn.schemas.ShipmentItems.validate(frame), [reject.reason for reject in rejects]


@pytest.mark.parametrize(
    "shipment",
    [
        {"lineItems": LINES},
        {"items": LINES},
        {"shipmentLines": LINES},
        {"products": LINES},
        {"whatever": LINES},
        {"detail": {"items": LINES}},
        {"packages": [{"items": LINES[:1]}, {"weight": 2, "items": LINES[1:]}]},
        {"events": [{"at": "x"}], "items": LINES},
        {"items": [{"name": "other"}], "lines": LINES},
        {"boxes": [{"sku": "other"}], "items": LINES},
        {"addressLines": ["1 Street"], "items": LINES},
    ],
    ids=str,
)
def test_lines_are_found_whatever_their_place(shipment: Any) -> None:
    """`lines` come before `items` and `products`, then any list of objects with a SKU."""
    frame, rejects = _items(shipment)
    assert frame[["product_sku", "quantity"]].to_numpy().tolist() == [["0012", 2], ["B", 3]]
    assert (frame["line_item"].tolist()[0], rejects) == (1, [])


@pytest.mark.parametrize("shipment", [{}, {"lineItems": None}, {"items": []}, {"events": [{"at": "x"}]}], ids=str)
def test_a_shipment_without_lines_has_no_row(shipment: Any) -> None:
    """Other lists are no lines; the columns are there all the same."""
    frame, rejects = _items(shipment)
    assert (list(frame.columns), len(frame), rejects) == (FIXED, 0, [])


@pytest.mark.parametrize("name", ["productSku", "productSKU", "sku", "SKU"])
@pytest.mark.parametrize("count", ["quantity", "qty"])
def test_sku_and_quantity_are_known_by_several_names(name: str, count: str) -> None:
    """Leading zeros stay."""
    frame, _ = _items({"items": [{name: "0012", count: "4.0"}]})
    assert frame[["product_sku", "quantity"]].to_numpy().tolist() == [["0012", 4]]


def test_other_fields_of_a_line_are_text() -> None:
    """Names are snake case; fields equal to the shipment's are left out, others are kept."""
    line = {"orderNo": "A", "trackingNumber": "T-2", "lineItem": "x", "serialNo": 7, "size": {"cm": 1.5}, "tags": [1]}
    frame, _ = _items({"trackingNumber": "T-1", "items": [line]})
    row = frame.iloc[0].drop(["ship_date", "product_sku", "quantity"]).to_dict()
    assert row == {
        "order_no": "A",
        "channel_id": "X",
        "tracking_number": "T-1",
        "line_item": 1,
        "item_tracking_number": "T-2",
        "item_line_item": "x",
        "serial_no": "7",
        "size_cm": "1.5",
        "tags": "[1]",
    }


def test_the_number_of_a_line_is_as_sent_or_its_position() -> None:
    """Only digits are a line number."""
    frame, _ = _items({"items": [{"lineItem": "7"}, {"lineNumber": 9}, {"lineItem": None}, {}, {"lineItem": -1}]})
    assert frame["line_item"].tolist() == [7, 9, 3, 4, 5]


def test_a_package_tells_the_tracking_number_that_the_shipment_lacks() -> None:
    """The package's number is used only if the shipment has none."""
    packages = [{"trackingNumber": "P-1", "items": LINES[:1]}, {"items": LINES[1:]}]
    frame, _ = _items({"packages": packages}, {"trackingNumber": "S", "packages": packages})
    assert frame["tracking_number"].fillna("-").tolist() == ["P-1", "-", "S", "S"]


ODD = st.sampled_from([None, True, 2.5, "abc", "", [], {}, 10**30, 3, "4", 5.0, "6.0"])
LINE = st.fixed_dictionaries({}, optional={"productSku": st.just("S"), "quantity": ODD, "note": ODD, "lineItem": ODD})


@given(st.lists(st.lists(LINE | ODD, max_size=4), max_size=3))
def test_every_line_is_a_row_or_a_reject(shipments: list[list[Any]]) -> None:
    """Readable lines are the same without the others."""
    records = [{"orderNo": f"O{number}", "lineItems": lines} for number, lines in enumerate(shipments)]
    frame, rejects = _items(*records)
    assert len(frame) + len(rejects) == sum(map(len, shipments))
    good = [[line for line in lines if isinstance(line, dict) and _countable(line)] for lines in shipments]
    alone, none = _items(*[{**record, "lineItems": lines} for record, lines in zip(records, good, strict=True)])
    columns = ["order_no", "product_sku", "quantity"]
    pd.testing.assert_frame_equal(frame[columns], alone[columns])
    assert none == []


def _countable(line: dict[str, Any]) -> bool:
    return line.get("quantity") in (None, 3, "4", 5.0, "6.0", {}) and line.get("quantity") is not True


def test_a_line_that_cannot_be_read_says_which_and_why() -> None:
    """The reason names order and position."""
    _, rejects = _items({"items": [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": "two"}, "C"]})
    assert rejects == [
        "line 2 of a shipment of order A: quantity isn't a whole number: 'two'",
        "line 3 of a shipment of order A: it isn't an object",
    ]


def test_lines_come_from_the_very_pages_of_the_shipments(northwind: Sandbox, client: cn.Client) -> None:
    """Both frames take one set of requests, and all units are there."""
    shipments = cn.load_shipments(client, *JANUARY)
    before = len(northwind.requests)
    items = cn.load_shipment_items(client, *JANUARY)
    lines = [line for text in shipments["line_items"] for line in json.loads(text)]
    assert len(northwind.requests) == before
    assert (len(items), items["quantity"].sum()) == (len(lines), sum(line["quantity"] for line in lines))
    assert items["order_no"].drop_duplicates().tolist() == shipments["order_no"].tolist()
    assert items.groupby("order_no").cumcount().add(1).tolist() == items["line_item"].tolist()


def test_no_shipments_give_the_same_columns_and_dtypes(client: cn.Client) -> None:
    """An empty answer has the dtypes of a full one."""
    full, empty = cn.load_shipment_items(client, *JANUARY), cn.load_shipment_items(client, order_nos=["none"])
    assert len(empty) == 0
    pd.testing.assert_series_equal(full.dtypes, empty.dtypes)


def test_a_bad_line_is_announced_and_its_shipment_is_not(server: ScriptedServer, staging: Connect) -> None:
    """Only the frame of lines lists it as a reject."""
    shipment = {"orderNo": "A", "lineItems": [{"sku": "S", "quantity": "two"}, {"sku": "T", "quantity": 1}]}
    server.on("GET /shipments", Reply({"data": [shipment]}))
    client = staging()
    with pytest.warns(RejectedRowsWarning, match=r"line 1 of a shipment of order A: quantity isn't a whole number\."):
        items = cn.load_shipment_items(client, last="5D", channel_id="X")
    shipments = cn.load_shipments(client, last="5D", channel_id="X")
    rejects, none = cn.rejected(items), cn.rejected(shipments)
    assert rejects is not None
    assert none is not None
    assert (items["product_sku"].tolist(), rejects["key"].tolist(), len(none)) == (["T"], ["S"], 0)


def test_both_halves_fill_what_is_acknowledged(northwind: Sandbox, client: cn.Client) -> None:
    """Reading both states fills the column for each shipment."""
    whole = cn.load_shipments(client, *JANUARY)
    known = cn.load_shipments(client, *JANUARY, with_acknowledged=True)
    assert known["acknowledged"].notna().all()
    pd.testing.assert_frame_equal(whole, known)  # the sandbox says it in its records too
    asked = {request.params.get("acknowledged") for request in northwind.requests if request.path == "/shipments"}
    assert asked == {None, True, False}


@pytest.mark.parametrize("says", [True, False], ids=["said", "unsaid"])
def test_a_shipment_that_is_acknowledged_in_between_is_one(
    server: ScriptedServer, staging: Connect, says: bool
) -> None:
    """It is in both answers; the later one wins."""

    def answer(seen: ReceivedRequest) -> Reply:
        half = seen.body["acknowledged"]
        word = {"acknowledged": half} if says else {}
        return Reply({"data": [{"orderNo": "A", **word}, *([] if half else [{"orderNo": "B", **word}])]})

    server.on("GET /shipments", answer)
    found = cn.load_shipments(staging(), last="5D", channel_id="X", with_acknowledged=True)
    assert found[["order_no", "acknowledged"]].to_numpy().tolist() == [["A", True], ["B", False]]
