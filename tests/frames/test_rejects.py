"""Test that reasons of rejects name columns and values, not types of code."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from support.scripted_server import Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.errors import RejectedRowsWarning
from cenports_nb.frames.decoding import records

Connect = Callable[..., cn.Client]


def _reason(**row: Any) -> str:
    stock = {"warehouseCode": "W", "warehouseInventory": [{"productSku": "A", "quantity": "1", **row}]}
    (reject,) = records.decode_stock([json.dumps(stock).encode()]).rejects
    return reject.reason


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"quantity": "58.5"}, "quantity isn't a whole number: \"58.5\""),
        ({"quantity": None}, "quantity is null"),
        ({"quantity": [1] * 99}, "quantity isn't a whole number: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,…"),
        ({"productName": ["x"]}, "product_name isn't text: [\"x\"]"),
        ({"isDiscontinued": "perhaps"}, "is_discontinued isn't yes or no: \"perhaps\""),
        ({"nextAvailabilityDate": "soon"}, "next_availability_date isn't a date: 'soon'"),
        ({"productSku": ""}, "product_sku is missing"),
    ],
    ids=str,
)  # fmt: skip
def test_a_reason_names_the_column_and_what_is_wrong_with_its_value(row: dict[str, Any], reason: str) -> None:
    """Long values are shortened."""
    assert _reason(**row) == reason


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (7, "the record isn't an object: 7"),
        ({"warehouseName": "x"}, "warehouse_code is missing"),
        ({"warehouseCode": "W", "warehouseInventory": "x"}, 'warehouse_inventory isn\'t a list: "x"'),
        ({"warehouseCode": "W", "warehouseAddress": {"city": [1]}}, "city isn't text: [1]"),
    ],
    ids=str,
)
def test_a_warehouse_says_why_it_is_left_out(record: Any, reason: str) -> None:
    """A warehouse that can't be read has no rows."""
    found = records.decode_stock([json.dumps(record).encode()])
    assert ([reject.reason for reject in found.rejects], len(found.frame)) == ([reason], 0)


def test_a_value_that_may_be_personal_is_in_no_warning(server: ScriptedServer, staging: Connect) -> None:
    """Notebooks save warnings; masked rejects don't have the value either."""
    server.on("GET /channels", Reply({"data": [{"channelId": "A", "channelName": {"of": "Jane Doe"}}]}))
    with pytest.warns(RejectedRowsWarning, match=r"1 record .*channel_name isn't text\. See") as caught:
        channels = cn.load_channels(staging())
    rejects = cn.rejected(channels)
    assert rejects is not None
    assert "Jane" in rejects["reason"][0]
    assert "Jane" not in str(caught[0].message) + cn.mask_pii(rejects)["reason"][0]
