"""The counted answers of the sample, through the public loaders over real HTTP."""

from __future__ import annotations

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.frames import schemas
from cenports_nb.sandbox import Sandbox

DAYS = ("1996-07-04", "1998-05-06")


def test_orders_are_all_there(client: cn.Client) -> None:
    """830 orders, their money to the cent, their postal codes with zeros, names with accents."""
    orders = cn.load_orders(client, *DAYS)
    schemas.Orders.validate(orders)
    assert len(orders) == 830
    assert round(orders["grand_total"].sum(), 2) == 1330735.70
    assert orders["ship_to_postal_code"].str.startswith("0").sum() == 151
    assert orders["channel_id"].value_counts().to_dict() == {"NW-EU": 505, "NW-NA": 180, "NW-SA": 145}
    assert orders["line_count"].sum() == 2155
    assert (orders["customer_name"] == "Vins et alcools Chevalier").any()
    assert (orders["customer_name"] == "Toms Spezialitäten").any()


def test_line_items_are_all_there(client: cn.Client) -> None:
    """2,155 lines, 51,317 units, and the sum of price × quantity to the cent."""
    lines = cn.load_line_items(client, *DAYS)
    schemas.LineItems.validate(lines)
    assert (len(lines), lines["quantity"].sum()) == (2155, 51317)
    assert round((lines["price"] * lines["quantity"]).sum(), 2) == 1354458.59


def test_shipments_arrive_99_at_a_time_and_none_is_lost(client: cn.Client) -> None:
    """809 shipments of three channels, 57 of them not acknowledged."""
    shipments = cn.load_shipments(client, "1996-07-04", "1998-06-30")
    schemas.Shipments.validate(shipments)
    assert (len(shipments), (~shipments["acknowledged"]).sum()) == (809, 57)


def test_stock_is_all_there(client: cn.Client) -> None:
    """77 rows, 3,119 units, 10 products discontinued."""
    actual = cn.load_actual_stock(client)
    schemas.ActualStock.validate(actual)
    assert (len(actual), actual["quantity"].sum(), actual["is_discontinued"].sum()) == (77, 3119, 10)


def test_open_orders_explain_all_that_is_reserved(client: cn.Client) -> None:
    """Row by warehouse and SKU, in each of the three channels, nothing is unexplained; 17 are oversold."""
    lines = cn.load_line_items(client, *DAYS)
    diff = cn.diff_stock(cn.load_actual_stock(client), cn.load_available_stock(client), open_items=lines)
    schemas.StockDiff.validate(diff)
    assert (diff["unexplained"] == 0).all()
    for _, of_channel in diff.groupby("channel_id"):
        assert len(of_channel) == 77
        assert (of_channel["oversold"].sum(), of_channel["open_quantity"].sum()) == (17, 1198)
        assert (of_channel["open_quantity"] > 0).sum() == 49


@pytest.mark.parametrize(
    "load", [cn.load_orders, cn.load_line_items, cn.load_shipments], ids=lambda load: load.__name__
)
def test_an_empty_answer_has_the_same_columns_and_dtypes(client: cn.Client, load: object) -> None:
    """A day without orders gives a frame that concatenates without a change of dtype."""
    empty, full = load(client, "1990-01-01", "1990-01-02"), load(client, *DAYS)
    shared = full.dtypes[empty.columns]
    assert len(empty) == 0
    pd.testing.assert_series_equal(empty.dtypes, shared)


def test_a_second_call_sends_nothing(client: cn.Client) -> None:
    """Orders, their lines and the same stock again come from the cache."""
    cn.load_orders(client, *DAYS)
    cn.load_actual_stock(client)
    sent = client.usage.sent
    cn.load_orders(client, *DAYS)
    cn.load_line_items(client, *DAYS)
    cn.load_warehouses(client)
    assert client.usage.sent == sent
    assert cn.provenance(cn.load_orders(client, *DAYS)).cached == 23  # months


def test_a_capped_answer_that_cannot_be_split_is_incomplete() -> None:
    """More shipments on one day than an answer may hold, and no pages: an error, never a short frame."""
    with (
        Sandbox(orders=9_000, seed=1, rate_limit=None, shift=False) as sandbox,
        cn.connect("sandbox", base_url=sandbox.url, rate_limit=100_000, dialect=cn.Dialect(shipment_limit=2)) as client,
        pytest.raises(cn.errors.IncompleteError) as caught,
    ):
        cn.load_shipments(client, "2024-11-10", "2024-11-10")
    assert len(caught.value.missing) >= 1
    assert list(caught.value.missing.columns) == ["source", "channel_id", "start", "end", "reason"]
