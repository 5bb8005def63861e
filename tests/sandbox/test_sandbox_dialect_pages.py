"""Test the dialect of paging: the fields of further pages, and how they are requested."""

from typing import Any

import pytest
from support.sandbox_requests import SandboxClient, stock

pytestmark = pytest.mark.slow

PAGES = ("laravel", "links", "numbers", "next", "total", "none")
FOLLOWED = PAGES[:4]
ENVELOPE = {"code", "status", "message"}
WORDS = {
    "laravel": ENVELOPE | {"current_page", "last_page", "per_page", "total", "next_page_url", "prev_page_url", "path"},
    "links": {"links", "meta"},
    "numbers": {"current_page", "last_page", "total"},
    "next": {"current_page", "next_page_url", "prev_page_url"},
    "total": {"total"},
    "none": ENVELOPE,
}
READS: list[tuple[str, dict[str, Any], int]] = [
    ("/orders", {"limit": 300}, 830),
    ("/shipments", {"channelId": "NW-EU", "limit": 99}, 496),
    ("/inventories", {"actualStock": True, "limit": 30}, 77),
    ("/channels", {"limit": 2}, 3),
]


def extract_rows(path: str, data: list[Any]) -> list[Any]:
    return list(stock(data)) if path == "/inventories" else data


@pytest.mark.parametrize("pages", PAGES)
def test_the_metadata_of_a_page(reader: SandboxClient, pages: str) -> None:
    """Each way says its own things beside the rows, and no way says more without being asked."""
    reader.set_dialect(pages=pages)
    body = reader.get("/orders?page=2", isPaginated=True, limit=300).body
    assert set(body) - {"data"} == WORDS[pages]
    assert set(reader.get("/orders").body) - {"data"} == ENVELOPE
    path = f"{reader.sandbox.url}/orders"
    if pages == "links":
        links = {name: f"{path}?page={page}" for name, page in (("first", 1), ("last", 3), ("prev", 1), ("next", 3))}
        meta = {"current_page": 2, "last_page": 3, "per_page": 300, "total": 830}
        assert (body["links"], body["meta"]) == (links, meta)
    if pages == "next":
        assert (body["next_page_url"], body["prev_page_url"]) == (f"{path}?page=3", f"{path}?page=1")


@pytest.mark.parametrize(("path", "params", "count"), READS)
@pytest.mark.parametrize("pages", FOLLOWED)
def test_every_page_of_everything(
    reader: SandboxClient, pages: str, path: str, params: dict[str, Any], count: int
) -> None:
    """Together they hold each row once, in whatever way they are numbered."""
    reader.set_dialect(pages=pages, pages_everywhere=True, channel_parameters="either")
    rows: list[Any] = []
    for number in range(1, -(-count // params["limit"]) + 1):
        body = reader.get(f"{path}?page={number}", **params).body
        assert set(body) - {"data"} == WORDS[pages]
        rows += extract_rows(path, body["data"])
    assert len(rows) == len({str(row) for row in rows}) == count


@pytest.mark.parametrize(("path", "params", "count"), READS)
@pytest.mark.parametrize("pages", ["total", "none"])
def test_pages_that_cannot_be_asked_for(
    reader: SandboxClient, pages: str, path: str, params: dict[str, Any], count: int
) -> None:
    """The first rows come again, whichever page is asked for."""
    reader.set_dialect(pages=pages, pages_everywhere=True, channel_parameters="either")
    first, second = reader.get(path, **params).body, reader.get(f"{path}?page=2", **params).body
    assert first == second
    assert len(extract_rows(path, first["data"])) == params["limit"]
    assert first.get("total", count) == count


def test_stock_over_two_pages(reader: SandboxClient) -> None:
    """A warehouse may be on both, with other rows."""
    reader.set_dialect(pages_everywhere=True)
    first, second = (reader.get(f"/inventories?page={page}", actualStock=True, limit=30).data for page in (1, 2))
    assert [row["warehouseCode"] for row in first] == ["NW-EAST"]
    assert [row["warehouseCode"] for row in second] == ["NW-EAST", "NW-WEST"]


def test_a_warehouse_without_stock(sandbox_client: SandboxClient) -> None:
    """It is on the first page alone."""
    sandbox_client.sandbox.state.stock._rows["NW-EAST"].clear()
    sandbox_client.set_dialect(pages_everywhere=True)
    first, second = (
        sandbox_client.get(f"/inventories?page={page}", actualStock=True, limit=10).data for page in (1, 2)
    )
    assert [row["warehouseCode"] for row in first] == ["NW-EAST", "NW-WEST"]
    assert [row["warehouseCode"] for row in second] == ["NW-WEST"]


def test_a_cap_on_pages(reader: SandboxClient) -> None:
    """It is the size of a page then, and the words say so."""
    reader.set_dialect(order_cap=100, shipment_cap=40, stock_cap=10, channel_cap=1, pages_everywhere=True)
    assert reader.get("/orders", isPaginated=True, limit=300).body["per_page"] == 100
    assert len(reader.get("/shipments?page=2", channelId="NW-EU", limit=99).data) == 40
    body = reader.get("/inventories?page=8", actualStock=True, limit=300).body
    assert (len(stock(body["data"])), body["last_page"]) == (7, 8)
    assert reader.get_by_query("/channels", page=3).body["current_page"] == 3


@pytest.mark.parametrize("place", ["query", "body", "either"])
def test_where_the_page_is_read(reader: SandboxClient, place: str) -> None:
    """In the wrong place it is the first."""
    reader.set_dialect(page_parameter=place)
    in_query = reader.get("/orders?page=2", isPaginated=True).body["current_page"]
    in_body = reader.get("/orders", isPaginated=True, page=3).body["current_page"]
    assert (in_query, in_body) == (1 if place == "body" else 2, 1 if place == "query" else 3)


@pytest.mark.parametrize("pages", ["laravel", "links", "next"])
def test_relative_links(reader: SandboxClient, pages: str) -> None:
    """They begin with the path."""
    body = reader.set_dialect(pages=pages, relative_links=True).get("/orders", isPaginated=True).body
    found = body["links"]["next"] if pages == "links" else body["next_page_url"]
    assert found == "/v2/orders?page=2"


def test_a_set_that_moves(sandbox_client: SandboxClient) -> None:
    """What is acknowledged between two pages is gone from the second, and an order that arrives is added."""
    params = {"isPaginated": True, "isAcknowledged": False, "limit": 10}
    first = sandbox_client.get("/orders", **params).body
    for order in first["data"][:3]:
        sandbox_client.call("PATCH", "/orders/acknowledge", channelId=order["channelId"], orders=order["orderNo"])
    record = {**first["data"][5], "orderNo": "LATE", "orderDate": "2025-06-15T11:00:00.000000Z"}
    sandbox_client.sandbox.add_order(record)
    second, third = (sandbox_client.get(f"/orders?page={page}", **params).body for page in (2, 3))
    assert (first["total"], second["total"]) == (21, 19)
    assert third["data"] == []
    assert second["data"][-1] == record


@pytest.mark.parametrize("changes", [{}, {"orderNo": None}, {"lineItems": 7}])
def test_an_order_that_cannot_arrive(sandbox_client: SandboxClient, changes: dict[str, Any]) -> None:
    """It is there already, or is none."""
    record = sandbox_client.get("/orders", orders="10248").data[0]
    with pytest.raises(ValueError, match="add_order"):
        sandbox_client.sandbox.add_order({**record, **changes})


def test_an_order_of_an_unknown_channel(sandbox_client: SandboxClient) -> None:
    """Its channel is known from then on, but not listed; an open order reserves stock."""
    record = sandbox_client.get("/orders", orders="11008").data[0]
    before = sandbox_client.available()
    sandbox_client.sandbox.add_order({**record, "channelId": "OLD"})
    assert len(sandbox_client.get("/orders", channelId="OLD", isAcknowledged=False).data) == 1
    assert sandbox_client.available() != before
    sandbox_client.sandbox.add_order({**record, "channelId": "OLDER"}, acknowledged=True)
    assert len(sandbox_client.get("/orders", channelId="OLDER", isAcknowledged=True).data) == 1
    assert len(sandbox_client.get_by_query("/channels").data) == 3
