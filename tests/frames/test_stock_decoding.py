"""Test that stock, warehouses and channels give the same frame read together or by row, and warn once of new fields."""

import json
import warnings
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_server import Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.errors import UnknownFieldsWarning
from cenports_nb.frames.decoding import records as decode

Connect = Callable[..., cn.Client]

ODD = st.sampled_from(
    [None, "", 0, 5, "5", "58.0", 58.5, "abc", "007", True, [], {}, 10**30, "2026-01-01", "2026-13-01", "null", "é📦"]
)
FIELDS = [
    "productSku",
    "retailerSku",
    "productName",
    "quantity",
    "isDiscontinued",
    "nextAvailabilityDate",
    "nextAvailabileQuantity",
    "productExtras",
    "more",
]
PLAIN = st.fixed_dictionaries(
    {"productSku": st.sampled_from("ABCDEFGH"), "quantity": st.integers(-9, 99).map(str), "productExtras": st.just([])}
)
ROW = st.builds(lambda row, odd: {**row, **odd}, PLAIN, st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=2))


def _warehouse(*rows: Any, **more: Any) -> dict[str, Any]:
    return {"warehouseCode": "W", "warehouseName": "West", "warehouseInventory": list(rows), **more}


def _encoded(*records: Any) -> list[bytes]:
    return [json.dumps(record).encode() for record in records]


def _catch_warnings(*loads: Callable[[], object]) -> list[warnings.WarningMessage]:
    """Load, and return the warnings."""
    with warnings.catch_warnings(record=True) as reported:
        warnings.simplefilter("always")
        for load in loads:
            load()
    return reported


@given(st.lists(PLAIN | ROW, max_size=9))
def test_a_row_that_cannot_be_read_changes_no_other_row(rows: list[Any]) -> None:
    """A bad row makes its warehouse be read row by row; the other rows are the same, dtypes included."""
    alone = decode.decode_stock(_encoded(_warehouse(*rows)))
    beside = decode.decode_stock(_encoded(_warehouse(*rows, {"productSku": "BAD"})))
    pd.testing.assert_frame_equal(alone.frame, beside.frame)
    assert (len(alone.frame) + len(alone.rejects), sorted(alone.rejects, key=repr)) == (
        len(rows),
        sorted((reject for reject in beside.rejects if reject.key != "BAD"), key=repr),
    )


def test_rows_keep_their_warehouse_beside_a_bad_one() -> None:
    """Codes and names match their rows for both ways of reading, and a reject has its place."""
    row = {"productSku": "A", "quantity": "1"}
    found = decode.decode_stock(
        _encoded(
            _warehouse(row, warehouseCode=7, warehouseName=None),
            _warehouse({"productSku": "B"}, row, warehouseCode="X"),
            {"warehouseName": "no code"},
            _warehouse(row, row),
        )
    )
    assert found.frame[["warehouse_code", "warehouse_name"]].fillna("-").to_numpy().tolist() == [
        ["7", "-"],
        ["X", "West"],
        ["W", "West"],
    ]
    assert [(reject.record_index, reject.column) for reject in found.rejects] == [
        (2, "warehouse_code"),
        (1, "quantity"),
        (4, "product_sku"),
    ]


def test_documented_fields_cause_no_warning() -> None:
    """Fields that no frame has, and both spellings, cause no warning."""
    row = {"productSku": "A", "quantity": "1", "nextAvailabileQuantity": "1", "nextAvailableQuantity": "1"}
    address = {"streetAddress": "x", "ignoreValidation": False}
    stock = _encoded(_warehouse(row, warehouseAddress=address))
    channels = _encoded({"channelId": "A", "channelName": "x", "channalName": "y", "features": None})
    found = [decode.decode_stock(stock), decode.decode_warehouses(stock), decode.decode_channels(channels)]
    assert [decoded.unknown_fields for decoded in found] == [frozenset()] * 3


@pytest.mark.parametrize("bad", [[], [{"productSku": "B"}], [None], [[{"z": 1}]]], ids=str)
def test_new_fields_are_named_with_their_place(bad: list[Any]) -> None:
    """They are found whatever else the warehouse has."""
    row = {"productSku": "A", "quantity": "1", "bin": "7"}
    record = _warehouse(row, *bad, open=True, warehouseAddress={"floor": 2})
    assert decode.decode_stock(_encoded(record)).unknown_fields >= {
        "open",
        "warehouseAddress.floor",
        "warehouseInventory.bin",
    }


def test_a_new_field_of_stock_warns_once_per_client(server: ScriptedServer, staging: Connect) -> None:
    """All loaders of the end point share the warning."""
    row = {"productSku": "A", "quantity": "1", "bin": "7"}
    server.on("GET /inventories", Reply({"data": [_warehouse(row)]}))
    client = staging()
    reported = _catch_warnings(
        lambda: cn.load_actual_stock(client),
        lambda: cn.load_actual_stock(client, refresh=True),
        lambda: cn.load_available_stock(client, "X"),
        lambda: cn.load_warehouses(client),
    )
    assert [str(one.message).partition(". ")[0] for one in reported] == [
        "GET /inventories sends a field that no frame has: warehouseInventory.bin"
    ]
    assert (reported[0].category, reported[0].filename) == (UnknownFieldsWarning, __file__)


def test_a_new_field_warns_once_per_end_point(server: ScriptedServer, staging: Connect) -> None:
    """Each end point warns on its own."""
    server.on("GET /inventories", Reply({"data": [_warehouse(note="x")]}))
    server.on("GET /channels", Reply({"data": [{"channelId": "A", "note": "x"}]}))
    client = staging()
    reported = _catch_warnings(lambda: cn.load_warehouses(client), lambda: cn.load_channels(client))
    assert [str(one.message).partition(" sends")[0] for one in reported] == ["GET /inventories", "GET /channels"]


def test_documented_answers_warn_of_nothing(client: cn.Client) -> None:
    """The sandbox's answers are as the reference shows."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cn.load_actual_stock(client)
        cn.load_available_stock(client)
        cn.load_warehouses(client)
        cn.load_channels(client)


def test_a_number_of_the_text_null_rejects_only_its_row() -> None:
    """The text "null" is no null, for both ways of reading."""
    rows = [
        {"productSku": sku, "quantity": "1", "nextAvailabileQuantity": said}
        for sku, said in (("A", "null"), ("B", None))
    ]
    found = decode.decode_stock([json.dumps({"warehouseCode": "W", "warehouseInventory": rows}).encode()])
    assert (found.frame["product_sku"].tolist(), [reject.key for reject in found.rejects]) == (["B"], ["A"])
