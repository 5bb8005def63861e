"""The counted answers of the sample, through the public loaders over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest
from support.fake_clock import FakeClock

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.frames.schema import schemas
from cenports_nb.sandbox import Dialect as SandboxDialect
from cenports_nb.sandbox import Sandbox
from cenports_nb.settings import resolve_settings

pytestmark = pytest.mark.slow

DAYS = ("1996-07-04", "1998-05-06")


@pytest.fixture(scope="module")
def reader() -> Iterator[cn.Client]:
    """Connect a client of Northwind that tests share, as they only read."""
    with Sandbox(shift=False, rate_limit=None) as sandbox:
        settings = resolve_settings("sandbox", base_url=sandbox.url, rate_limit=100_000)
        with Client(settings, clock=FakeClock(sandbox)) as client:
            yield client


def test_orders_are_all_there(reader: cn.Client) -> None:
    """830 orders, their money to the cent, their postal codes with zeros, names with accents."""
    orders = cn.load_orders(reader, *DAYS)
    schemas.Orders.validate(orders)
    assert len(orders) == 830
    assert round(orders["grand_total"].sum(), 2) == 1330735.70
    assert orders["ship_to_postal_code"].str.startswith("0").sum() == 151
    assert orders["channel_id"].value_counts().to_dict() == {"NW-EU": 505, "NW-NA": 180, "NW-SA": 145}
    assert orders["line_count"].sum() == 2155
    assert (orders["customer_name"] == "Vins et alcools Chevalier").any()
    assert (orders["customer_name"] == "Toms Spezialitäten").any()


def test_line_items_are_all_there(reader: cn.Client) -> None:
    """2,155 lines, 51,317 units, and the sum of price × quantity to the cent."""
    lines = cn.load_line_items(reader, *DAYS)
    schemas.LineItems.validate(lines)
    assert (len(lines), lines["quantity"].sum()) == (2155, 51317)
    assert round((lines["price"] * lines["quantity"]).sum(), 2) == 1354458.59


def test_shipments_arrive_99_at_a_time_and_none_is_lost(reader: cn.Client) -> None:
    """809 shipments of three channels, 57 of them not acknowledged."""
    shipments = cn.load_shipments(reader, "1996-07-04", "1998-06-30")
    schemas.Shipments.validate(shipments)
    assert (len(shipments), (~shipments["acknowledged"]).sum()) == (809, 57)


def test_stock_is_all_there(reader: cn.Client) -> None:
    """77 rows, 3,119 units, 10 products discontinued."""
    actual = cn.load_actual_stock(reader)
    schemas.ActualStock.validate(actual)
    assert (len(actual), actual["quantity"].sum(), actual["is_discontinued"].sum()) == (77, 3119, 10)


def test_open_orders_explain_all_that_is_reserved(reader: cn.Client) -> None:
    """Row by warehouse and SKU, in each of the three channels, nothing is unexplained; 17 are oversold."""
    lines = cn.load_line_items(reader, *DAYS)
    diff = cn.diff_stock(cn.load_actual_stock(reader), cn.load_available_stock(reader), open_items=lines)
    schemas.StockDiff.validate(diff)
    assert (diff["unexplained"] == 0).all()
    for _, of_channel in diff.groupby("channel_id"):
        assert len(of_channel) == 77
        assert (of_channel["oversold"].sum(), of_channel["open_quantity"].sum()) == (17, 1198)
        assert (of_channel["open_quantity"] > 0).sum() == 49


def test_stock_is_totalled_once_for_three_channels(reader: cn.Client) -> None:
    """3,119 units, 1,198 of them reserved by open orders, 17 SKUs oversold: not three times that."""
    lines = cn.load_line_items(reader, *DAYS)
    diff = cn.diff_stock(cn.load_actual_stock(reader), cn.load_available_stock(reader), open_items=lines)
    total = cn.summarize_stock(diff, by=()).iloc[0]
    names = ["skus", "actual", "reserved", "open_quantity", "oversold", "unexplained_skus"]
    assert total[names].tolist() == [77, 3119, 1198, 1198, 17, 0]


def test_both_readings_of_available_stock_come_to_the_same_totals() -> None:
    """Whether Cenports takes off the account's open orders or each channel's own, nothing is unexplained."""
    totals = []
    for scope in ("account", "channel"):
        with (
            Sandbox(shift=False, rate_limit=None, dialect=SandboxDialect(available_scope=scope)) as sandbox,
            cn.connect("sandbox", base_url=sandbox.url, rate_limit=100_000) as client,
        ):
            actual, available = cn.load_actual_stock(client), cn.load_available_stock(client)
            lines = cn.load_line_items(client, *DAYS)
        diff = cn.diff_stock(actual, available, open_items=lines, available_scope=scope)
        assert (diff["unexplained"] == 0).all()
        totals.append(cn.summarize_stock(diff, available_scope=scope))
    pd.testing.assert_frame_equal(*totals)
    assert totals[0]["reserved"].sum() == 1198


def test_sales_add_up_to_the_counted_sums(reader: cn.Client) -> None:
    """All of it, by channel and by month, to the cent, and each order's total once."""
    orders, lines = cn.load_orders(reader, *DAYS), cn.load_line_items(reader, *DAYS)
    total = cn.summarize_sales(lines, by=(), orders=orders).iloc[0]
    assert total[["orders", "lines", "units", "line_value", "order_total"]].tolist() == [
        830, 2155, 51317, 1354458.59, 1330735.70,
    ]  # fmt: skip
    by_channel = cn.summarize_sales(lines, by="channel").set_index("channel_id")["orders"]
    assert by_channel.to_dict() == {"NW-EU": 505, "NW-NA": 180, "NW-SA": 145}
    by_month = cn.summarize_sales(lines, by="month").set_index("month")["orders"]
    assert by_month[["1997-01", "1997-12", "1998-04"]].tolist() == [33, 48, 74]


@pytest.mark.parametrize(
    "by", ["day", "week", "month", "channel", "state", "sku", ["month", "channel", "sku"]], ids=str
)
def test_sales_add_up_whatever_they_are_grouped_by(reader: cn.Client, by: str) -> None:
    """Units and value to the cent."""
    orders, lines = cn.load_orders(reader, *DAYS), cn.load_line_items(reader, *DAYS)
    found = cn.summarize_sales(lines, by=by, orders=orders)
    assert (found["units"].sum(), round(found["line_value"].sum(), 2)) == (51317, 1354458.59)


def test_open_orders_wait_and_the_others_were_sent(reader: cn.Client) -> None:
    """21 orders of 73 open lines and 1,198 units are unshipped; the 809 others have one shipment each."""
    orders, lines = cn.load_orders(reader, *DAYS, with_acknowledged=True), cn.load_line_items(reader, *DAYS)
    waiting = cn.order_ages(orders, lines, now="1998-05-07T08:00Z")
    unshipped = waiting[waiting["unshipped"]]
    assert (len(unshipped), unshipped["open_lines"].sum(), unshipped["open_units"].sum()) == (21, 73, 1198)
    assert waiting["acknowledged"].notna().all()
    matched = cn.match_shipments(lines, cn.load_shipments(reader, "1996-07-04", "1998-06-30"))
    assert matched["side"].value_counts().to_dict() == {"both": 809, "order_only": 21}
    assert set(matched.loc[~matched["shipped"], "order_no"]) == set(unshipped["order_no"])
    assert (matched["open"] == ~matched["shipped"]).all()


def test_cover_counts_the_sales_of_the_window(reader: cn.Client) -> None:
    """4,133 units in the last 28 days; SKU 0011 in NW-EAST has 12 left, sold 20, and lasts 16.8 days."""
    lines, available = cn.load_line_items(reader, *DAYS), cn.load_available_stock(reader)
    cover = cn.stock_cover(lines, available, as_of="1998-05-06")
    in_window = lines["order_date"] >= pd.Timestamp("1998-04-09T00:00Z")
    assert (len(cover), cover["sold"].sum(), lines.loc[in_window, "quantity"].sum()) == (77, 4133, 4133)
    row = cover.set_index(["warehouse_code", "product_sku"]).loc[("NW-EAST", "0011")]
    assert (row["available"], row["sold"], row["cover_days"]) == (12, 20, 16.8)


def test_a_correction_is_the_only_change_of_the_stock(client: cn.Client) -> None:
    """Stock read before and after differs by what was written."""
    before = cn.load_actual_stock(client)
    counts = before[["warehouse_code", "product_sku", "quantity"]].iloc[:1].assign(quantity=40)
    cn.submit_updates(client, cn.build_true_up(counts, before), allow=["discontinued"], progress=False).wait(
        progress=False
    )
    found = cn.changes(before, cn.load_actual_stock(client))
    key = counts.iloc[0]
    assert found[["product_sku", "change", "column", "before", "after"]].values.tolist() == [
        [key["product_sku"], "moved", "quantity", str(before["quantity"][0]), "40"]
    ]


@pytest.mark.parametrize(
    "load", [cn.load_orders, cn.load_line_items, cn.load_shipments], ids=lambda load: load.__name__
)
def test_an_empty_answer_has_the_same_columns_and_dtypes(reader: cn.Client, load: object) -> None:
    """A day without orders gives a frame that concatenates without a change of dtype."""
    empty, full = load(reader, "1990-01-01", "1990-01-02"), load(reader, *DAYS)
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
