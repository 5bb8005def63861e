"""Test that records become rows with their values as sent, or rejects with a reason."""

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cenports_nb.frames.decoding import records as decode

TRICKY = [
    "0012",
    "1e5",
    "None",
    "null",
    "nan",
    "NaN",
    "NA",
    "true",
    "",
    " x ",
    "9" * 30,
    "📦",
    "Ünïcödé",
    '"',
    "\\u0041",
]
TEXT = st.sampled_from(TRICKY) | st.text()
KEY = TEXT.filter(bool)


def _stock(*rows: Any, code: Any = "W") -> decode.DecodedRecords:
    record = {"warehouseCode": code, "warehouseInventory": list(rows)}
    return decode.decode_stock([json.dumps(record).encode()])


def _row(**changes: Any) -> dict[str, Any]:
    return {"productSku": "S", "quantity": "1", **changes}


def _shipments(*records: Any, channels: list[str | None] | None = None) -> decode.DecodedRecords:
    raw = [json.dumps(record).encode() for record in records]
    return decode.decode_shipments(raw, channels or ["X"] * len(raw))


@given(sku=KEY, name=TEXT, upc=TEXT)
def test_texts_of_stock_stay_as_sent(sku: str, name: str, upc: str) -> None:
    """A SKU may be called `None`."""
    frame = _stock(_row(productSku=sku, productName=name, productUpc=upc)).frame
    assert frame.loc[0, ["product_sku", "product_name", "product_upc"]].tolist() == [sku, name, upc]


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_counts_may_come_as_number_or_text(count: int) -> None:
    """Both 58 and "58" are read exactly."""
    frame = _stock(_row(productSku="a", quantity=count), _row(productSku="b", quantity=str(count))).frame
    assert frame["quantity"].tolist() == [count, count]


@pytest.mark.parametrize("sent", ["58.0", 58.0, "58", 58])
def test_a_whole_count_with_a_point_is_a_count(sent: Any) -> None:
    """The reference shows counts as texts; other answers have numbers."""
    assert _stock(_row(quantity=sent)).frame["quantity"].tolist() == [58]


@pytest.mark.parametrize("sent", [58.5, "58.5", "", "abc", None, True, [], 10**30, "1" * 30])
def test_an_invalid_count_is_a_reject(sent: Any) -> None:
    """An invalid count is never null or zero."""
    found = _stock(_row(quantity=sent), _row(productSku="T"))
    assert (found.frame["product_sku"].tolist(), [r.column for r in found.rejects]) == (["T"], ["quantity"])


def test_a_sku_that_repeats_in_its_warehouse_is_a_reject() -> None:
    """The first row stays, so that keys are unique."""
    found = _stock(_row(quantity=1), _row(quantity=2))
    assert (found.frame["quantity"].tolist(), found.rejects[0].reason) == ([1], "repeats a SKU of its warehouse")


@pytest.mark.parametrize("spelt", ["nextAvailabileQuantity", "nextAvailableQuantity"])
def test_both_spellings_of_the_next_quantity_are_read(spelt: str) -> None:
    """The reference misspells the field."""
    assert _stock(_row(**{spelt: "7"})).frame["next_available_quantity"].tolist() == [7]


@pytest.mark.parametrize("spelt", ["channelName", "channalName"])
def test_both_spellings_of_the_channels_name_are_read(spelt: str) -> None:
    """POST /channels uses both too."""
    raw = json.dumps({"channelId": "A", spelt: "Shop"}).encode()
    assert decode.decode_channels([raw]).frame["channel_name"].tolist() == ["Shop"]


def test_extras_stay_json() -> None:
    """Any shape stays as JSON text."""
    frame = _stock(_row(productExtras={"a": [1]})).frame
    assert json.loads(frame.loc[0, "product_extras"]) == {"a": [1]}


def test_unknown_fields_of_a_shipment_are_text_in_snake_case() -> None:
    """Nested objects are flattened, lists become JSON, and acronyms stay one word."""
    record = {"orderNo": "A", "trackingURL": "u", "box": {"sizeCm": 30, "isOpen": True}, "items": [1], "weight": 1.5}
    row = _shipments(record).frame.iloc[0]
    found = row[["tracking_url", "box_size_cm", "box_is_open", "items", "weight"]].tolist()
    assert found == ["u", "30", "true", "[1]", "1.5"]


def test_the_same_shipment_from_neighbouring_windows_is_one() -> None:
    """Adjacent windows share a day."""
    record = {"orderNo": "A", "trackingNumber": "T"}
    assert len(_shipments(record, record).frame) == 1


def test_equal_shipments_of_two_channels_are_two() -> None:
    """Order numbers are unique only within a channel."""
    record = {"orderNo": "A"}
    assert _shipments(record, record, channels=["X", "Y"]).frame["channel_id"].tolist() == ["X", "Y"]


@pytest.mark.parametrize(("sent", "read"), [(True, True), ("true", True), (1, True), ("0", False), ("No", False)])
def test_acknowledgement_is_read_in_any_form(sent: Any, read: bool) -> None:
    """Its format is not documented."""
    assert _shipments({"orderNo": "A", "acknowledged": sent}).frame["acknowledged"].tolist() == [read]


def test_acknowledgement_that_cannot_be_read_is_a_reject() -> None:
    """It is not silently null."""
    assert [reject.column for reject in _shipments({"orderNo": "A", "acknowledged": "maybe"}).rejects] == [
        "acknowledged"
    ]


@pytest.mark.parametrize("load", [decode.decode_stock, decode.decode_warehouses, decode.decode_channels])
def test_no_records_give_the_same_columns_and_dtypes(load: Any) -> None:
    """An empty answer has the dtypes of a full one."""
    full = {
        decode.decode_stock: {"warehouseCode": "W", "warehouseInventory": [_row(nextAvailabilityDate="2026-01-01")]},
        decode.decode_warehouses: {"warehouseCode": "W"},
        decode.decode_channels: {"channelId": "A"},
    }[load]
    pd.testing.assert_series_equal(load([]).frame.dtypes, load([json.dumps(full).encode()]).frame.dtypes)
