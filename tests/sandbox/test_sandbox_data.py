"""Test the sources of an account's data: Northwind, a generator, a folder."""

import gzip
import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.sandbox_requests import NOON, open_client

import cenports_nb.sandbox
from cenports_nb.sandbox import Clock, Sandbox

NORTHWIND = Path(cenports_nb.sandbox.__file__).parent / "data" / "northwind"
FROZEN = Clock(frozen_at=NOON)


def records(sandbox: Sandbox) -> list[Any]:
    return [order.record for order in sandbox.state.orders]


def test_northwind_shifted() -> None:
    """The last order is from yesterday, all days move alike, times of day stay."""
    moved, still = records(Sandbox(clock=FROZEN)), records(Sandbox(shift=False))
    steps = set()
    for new, old in zip(moved, still, strict=True):
        assert new["orderDate"][10:] == old["orderDate"][10:]
        steps.add(date.fromisoformat(new["orderDate"][:10]) - date.fromisoformat(old["orderDate"][:10]))
    assert len(steps) == 1
    assert moved[-1]["orderDate"] == "2025-06-14T13:37:00.000000Z"


def test_shipments_shifted() -> None:
    """They move with their orders."""
    for sandbox_client in open_client(Sandbox(clock=FROZEN, rate_limit=None)):
        row = sandbox_client.get("/shipments", channelId="NW-EU", orders=[{"orderNo": "10248"}]).data[0]
        order = sandbox_client.get("/orders", orders="10248").data[0]
        days = [date.fromisoformat(text[:10]) for text in (order["orderDate"], row["shipDate"])]
        assert days[1] - days[0] == timedelta(days=12)


def test_the_same_seed() -> None:
    """It gives the same account, byte for byte; another seed another one."""

    def account(seed: int) -> str:
        sandbox = Sandbox(orders=300, seed=seed, shift=False)
        channels = ("GEN-WEB", "GEN-MARKET", "GEN-TRADE")
        shipments = [row.record for name in channels for row in sandbox.state.shipments.select(name)]
        return json.dumps([records(sandbox), shipments, sandbox.state.stock.list_warehouses()])

    assert account(7) == account(7) != account(8)


def test_generated_orders() -> None:
    """They have Northwind's shape, one to five lines, three channels, and the awkward texts of life."""
    orders, model = records(Sandbox(orders=1000, clock=FROZEN)), records(Sandbox(clock=FROZEN))[0]
    for order in orders:
        assert list(order) == list(model)
        for name in ("billTo", "shipFrom", "shipTo", "shippingInfo", "pricing", "notes"):
            assert set(order[name]) == set(model[name])
        assert set(order["lineItems"][0]) == set(model["lineItems"][0])
    assert {len(order["lineItems"]) for order in orders} == {1, 2, 3, 4, 5}
    assert len({order["channelId"] for order in orders}) == 3
    assert any(not order["customerName"].isascii() for order in orders)
    assert any(order["shipTo"]["postalCode"].startswith("0") for order in orders)
    assert {"0012", "1e5", "None"} <= {line["productSku"] for order in orders for line in order["lineItems"]}
    assert len({order["orderNo"] for order in orders}) == 1000


@pytest.mark.parametrize("count", [1, 2, 100, 1000])
def test_the_days_of_generated_orders(count: int) -> None:
    """They lie in the twelve months that end yesterday, or with the year 2024."""
    for orders, last in (
        (records(Sandbox(orders=count, clock=FROZEN)), date(2025, 6, 14)),
        (records(Sandbox(orders=count, shift=False)), date(2024, 12, 31)),
    ):
        days = [date.fromisoformat(order["orderDate"][:10]) for order in orders]
        assert len(days) == count
        assert max(days) == last
        assert last - min(days) < timedelta(days=365)


def test_open_generated_orders() -> None:
    """The youngest two to three percent are open; the others have one shipment each, none from the future."""
    for sandbox_client in open_client(Sandbox(orders=1000, clock=FROZEN, rate_limit=None)):
        orders = records(sandbox_client.sandbox)
        is_open = [order["status"] == "Incompleted" for order in orders]
        assert is_open == sorted(is_open)
        assert 20 <= sum(is_open) <= 30
        assert sandbox_client.get("/orders", isAcknowledged=False, isPaginated=True).body["total"] == sum(is_open)
        assert len(sandbox_client.sandbox.state.shipments) == 1000 - sum(is_open)
        ordered = {order["orderNo"]: order["orderDate"] for order in orders}
        for channel_id in ("GEN-WEB", "GEN-MARKET", "GEN-TRADE"):
            for row in sandbox_client.sandbox.state.shipments.select(channel_id):
                assert ordered[row.number] <= row.record["shipDate"] < "2025-06-15"


def test_generated_stock() -> None:
    """About 200 SKUs; actual stock is mostly above what is reserved, a few are oversold."""
    for sandbox_client in open_client(Sandbox(orders=5000, clock=FROZEN, rate_limit=None)):
        actual, available = sandbox_client.actual(), sandbox_client.available("GEN-WEB")
        assert len({sku for _, sku in actual}) == 200
        assert min(actual.values()) >= 0
        assert 1 <= sum(quantity < 0 for quantity in available.values()) < len(actual) / 10
        assert Counter(code for code, _ in actual).keys() == {"GEN-EAST", "GEN-WEST", "GEN-MID"}


def test_no_generated_orders() -> None:
    """An account may be empty of orders."""
    for sandbox_client in open_client(Sandbox(orders=0)):
        body = sandbox_client.get("/orders", isPaginated=True).body
        assert (body["data"], body["total"], body["last_page"], body["next_page_url"]) == ([], 0, 1, None)
        assert sandbox_client.actual() == sandbox_client.available("GEN-WEB")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Northwind's own files, gzip."""
    for path in NORTHWIND.glob("*.gz"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def rewrite(folder: Path, name: str, change: Any) -> None:
    text = gzip.decompress((folder / f"{name}.gz").read_bytes()).decode()
    (folder / f"{name}.gz").unlink()
    (folder / name).write_text(change(text), encoding="utf-8")


def test_a_folder(folder: Path) -> None:
    """Plain and gzip files are read alike, given as text or path."""
    rewrite(folder, "orders.jsonl", lambda text: text.replace("Ernst Handel", "Ernst\u2028Händel"))
    for data in (folder, str(folder)):
        sandbox = Sandbox(data=data, clock=FROZEN)
        assert repr(sandbox.state) == "<State 830 orders, 809 shipments, 77 stock rows, 0 transactions>"
        assert records(sandbox)[-1]["orderDate"] == "2025-06-14T13:37:00.000000Z"


def test_a_folder_without_shipments(folder: Path) -> None:
    """There are none then."""
    (folder / "shipments.jsonl.gz").unlink()
    assert len(Sandbox(data=folder).state.shipments) == 0


def test_channels_that_only_orders_know(folder: Path) -> None:
    """They can be asked for, although they are not listed."""
    rewrite(folder, "channels.json", lambda _: "[]")
    for sandbox_client in open_client(Sandbox(data=folder)):
        assert len(sandbox_client.get("/orders", channelId="NW-EU").data) == 50
        assert sandbox_client.send("GET", "/v2/channels?partnerId=SANDBOX", **sandbox_client.authorization).data == []


def test_dates_of_next_availability(folder: Path) -> None:
    """They move too and keep their form; one that can't move stays."""
    texts = iter(["1998-05-08", "1998-05-08T01:00:00Z", "9999-12-31"])

    def dated(text: str) -> str:
        warehouses = json.loads(text)
        for row, moment in zip(warehouses[0]["warehouseInventory"], texts, strict=False):
            row["nextAvailabilityDate"] = moment
        return json.dumps(warehouses)

    rewrite(folder, "inventories.json", dated)
    rows = Sandbox(data=folder, clock=FROZEN).state.stock.list_warehouses()[0]["warehouseInventory"]
    moments = [row["nextAvailabilityDate"] for row in rows[:4]]
    assert moments == ["2025-06-16", "2025-06-16T01:00:00.000000Z", "9999-12-31", None]


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("orders.jsonl", lambda text: text.replace("\n", "\n{oops\n", 1), "line 2: not JSON"),
        ("orders.jsonl", lambda _: "[]\n", "line 1: not a JSON object"),
        ("orders.jsonl", lambda text: text.replace('"1996-07-04T00', '"4 July', 1), "line 1: `orderDate`"),
        (
            "orders.jsonl",
            lambda text: text.replace('"quantity": 12', '"quantity": 1.5', 1),
            "line 1: `quantity`",
        ),
        ("orders.jsonl", lambda text: text.replace('"orderNo"', '"order"', 1), "line 1: `orderNo`"),
        ("orders.jsonl", lambda text: text + text.split("\n")[0], "order NW-EU / 10248 is there twice"),
        ("shipments.jsonl", lambda text: text.replace('"1996-07-16', '"soon', 1), "line 1: `shipDate`"),
        ("inventories.json", lambda _: '{"data": []}', "not a JSON list"),
        ("inventories.json", lambda text: text.replace('"39"', '"many"'), "entry 1: `quantity`"),
        ("inventories.json", lambda text: text.replace('"0002"', '"0001"'), "product 0001 is there twice"),
        ("channels.json", lambda _: "", "not JSON"),
        ("channels.json", lambda text: text.replace('"NW-EU"', "null"), "entry 1: `channelId`"),
    ],
)
def test_a_malformed_file(folder: Path, name: str, change: Any, words: str) -> None:
    """One sentence names the file, the place and the fault."""
    rewrite(folder, name, change)
    with pytest.raises(ValueError, match=words) as caught:
        Sandbox(data=folder)
    assert str(folder / name) in str(caught.value)


@pytest.mark.parametrize("name", ["orders.jsonl", "inventories.json", "channels.json"])
def test_a_missing_or_broken_file(folder: Path, name: str) -> None:
    """It is named too."""
    (folder / f"{name}.gz").write_bytes(b"\x1f\x8b not gzip at all")
    with pytest.raises(ValueError, match="write the file again"):
        Sandbox(data=folder)
    (folder / f"{name}.gz").unlink()
    with pytest.raises(ValueError, match=f"{name}: no such file"):
        Sandbox(data=folder)


@pytest.mark.parametrize(
    "arguments",
    [
        {"orders": 1, "data": "."},
        {"orders": -1},
        {"rate_limit": 0},
        {"latency": -1},
        {"transaction_seconds": -1},
    ],
)
def test_arguments_that_make_no_sense(arguments: dict[str, Any]) -> None:
    """They are refused before anything starts."""
    with pytest.raises(ValueError, match=r"Sandbox\("):
        Sandbox(**arguments)


def test_a_page_of_many_orders() -> None:
    """A page in the middle of many has the rows that its number means."""
    sandbox = Sandbox(orders=5000, seed=3, rate_limit=None)
    for many in open_client(sandbox):
        rows = many.get("/orders?page=9", isPaginated=True, limit=300).data
        assert [row["orderNo"] for row in rows] == [order["orderNo"] for order in records(sandbox)[2400:2700]]
