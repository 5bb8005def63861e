"""Test that a frame keeps the zone it was loaded in, and that results use it by default."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.scripted_server import Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.frames.provenance import read_time_zone

Connect = Callable[..., cn.Client]
LATE = "2026-06-10T23:30:00Z"  # the next day in Berlin
BERLIN = "Europe/Berlin"


@pytest.fixture
def berlin(server: ScriptedServer, staging: Connect) -> cn.Client:
    """Connect in Berlin to an account of one order late in the evening, its shipment and its stock."""
    line = {"productSku": "S", "quantity": 1, "price": 2.0, "lineItem": "1", "shipFromWarehouseCode": "W"}
    order = {"orderNo": "A", "channelId": "X", "orderDate": LATE, "lineItems": [line]}
    stock = {"warehouseCode": "W", "warehouseInventory": [{"productSku": "S", "quantity": "4"}]}
    server.on("GET /orders", Reply({"data": [order], "total": 1}))
    server.on("GET /shipments", Reply({"data": [{"orderNo": "A", "shipDate": "2026-06-11T12:00:00Z"}]}))
    server.on("GET /inventories", Reply({"data": [stock]}))
    return staging(time_zone=BERLIN)


def _load(load: Callable[..., pd.DataFrame], client: cn.Client) -> pd.DataFrame:
    return load(client, "2026-06-01", "2026-06-30", channel_id="X")


@pytest.mark.parametrize("load", [cn.load_orders, cn.load_line_items, cn.load_shipments, cn.load_shipment_items])
def test_frames_loaded_by_days_know_the_zone_of_their_client(berlin: cn.Client, load: Any) -> None:
    """The zone is in their provenance."""
    origin = cn.provenance(_load(load, berlin))
    assert origin is not None
    assert origin.params["time_zone"] == BERLIN


def _sales(client: cn.Client, **zone: Any) -> object:
    return cn.summarize_sales(_load(cn.load_line_items, client), **zone)["day"].dt.day.tolist()


def _matched(client: cn.Client, **zone: Any) -> object:
    lines, sent = _load(cn.load_line_items, client), _load(cn.load_shipments, client)
    return (11 - cn.match_shipments(lines, sent, **zone)["days_to_ship"]).tolist()


def _ages(client: cn.Client, **zone: Any) -> object:
    orders = _load(cn.load_orders, client)
    return (15 - cn.order_ages(orders, now="2026-06-15T12:00Z", **zone)["age_days"]).tolist()


def _cover(client: cn.Client, **zone: Any) -> object:
    lines, stock = _load(cn.load_line_items, client), cn.load_actual_stock(client)
    sold = cn.stock_cover(lines, stock, days=1, as_of="2026-06-10", **zone)["sold"].tolist()
    return [10] if sold == [1] else [11]


@pytest.mark.parametrize("made", [_sales, _matched, _ages, _cover])
def test_days_are_those_of_the_frame_by_default(berlin: cn.Client, made: Any) -> None:
    """23:30 UTC is the next day in Berlin."""
    assert (made(berlin), made(berlin, time_zone="UTC"), made(berlin, time_zone=BERLIN)) == ([11], [10], [11])


def test_a_file_has_the_zone_of_each_frame(berlin: cn.Client, tmp_path: Path) -> None:
    """CSV and workbook sheets use the frame's zone; Parquet keeps the frame's dtypes."""
    orders = _load(cn.load_orders, berlin)
    own = pd.DataFrame({"order_date": pd.to_datetime([LATE])})
    text = cn.export(orders, tmp_path / "a.csv").read_text(encoding="utf-8-sig")
    reported = cn.export(orders, tmp_path / "b.csv", time_zone="UTC").read_text(encoding="utf-8-sig")
    book = pd.read_excel(cn.export({"theirs": orders, "own": own}, tmp_path / "a.xlsx"), sheet_name=None)
    back = pd.read_parquet(cn.export(orders, tmp_path / "a.parquet"))
    assert ("2026-06-11T01:30:00.000000+02:00" in text, "2026-06-10T23:30:00.000000+00:00" in reported) == (True, True)
    assert [str(sheet["order_date"][0]) for sheet in (book["theirs"], book["own"])] == [
        "2026-06-11 01:30:00",
        "2026-06-10 23:30:00",
    ]
    assert str(back["order_date"].dtype) == "datetime64[us, UTC]"


def test_the_first_frame_that_knows_its_zone_decides(berlin: cn.Client) -> None:
    """Frames made by hand have no zone; without any zone it is UTC."""
    own, orders = pd.DataFrame({"a": [1]}), _load(cn.load_orders, berlin)
    found = [read_time_zone(None, own, None, orders), read_time_zone("Asia/Tokyo", orders), read_time_zone(None, own)]
    assert found == [BERLIN, "Asia/Tokyo", "UTC"]
