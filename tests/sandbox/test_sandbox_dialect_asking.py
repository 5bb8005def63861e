"""Test the dialect of requests: where parameters are read, limits, and rows left out without notice."""

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from support.sandbox_requests import SandboxClient, stock

from cenports_nb.sandbox import Dialect, Sandbox

pytestmark = pytest.mark.slow

JANUARY = {"startDate": "1997-01-01", "endDate": "1997-01-31"}
READS: list[tuple[str, dict[str, Any]]] = [
    ("/orders", {}),
    ("/shipments", {"channelId": "NW-EU"}),
    ("/inventories", {"channelId": "NW-EU"}),
    ("/channels", {}),
]


@pytest.mark.parametrize(
    "changes",
    [
        {"pages": "few"},
        {"too_many": 400},
        {"order_limit": 0},
        {"stock_cap": 0},
        {"entry_days": -1},
        {"token_life": -1},
        {"time_zone": "Mars/Olympus"},
        {"misspelt": "no"},
    ],
)
def test_a_reading_that_nobody_has(changes: dict[str, Any]) -> None:
    """It is refused by name."""
    with pytest.raises(ValueError, match=rf"Dialect\({next(iter(changes))}="):
        Dialect(**changes)


def test_a_dialect() -> None:
    """It can't be changed, but another one can take its place, and it shows what is unusual about it."""
    sandbox = Sandbox(dialect=Dialect(end_included=False))
    sandbox.dialect = replace(sandbox.dialect, order_cap=30)
    assert repr(sandbox.dialect) == "Dialect(order_cap=30, end_included=False)"
    with pytest.raises(FrozenInstanceError):
        sandbox.dialect.order_cap = 1  # type: ignore[misc]


@pytest.mark.parametrize(("path", "params"), READS)
@pytest.mark.parametrize("place", ["body", "query", "either"])
def test_where_parameters_are_read(reader: SandboxClient, path: str, params: dict[str, Any], place: str) -> None:
    """In the wrong place they are not seen, so that the partner is missing."""
    name = "channel_parameters" if path == "/channels" else "get_parameters"
    reader.set_dialect(**{name: place})
    in_body, in_query = reader.get(path, **params), reader.get_by_query(path, **params)
    assert in_body.status == (422 if place == "query" else 200)
    assert in_query.status == (422 if place == "body" else 200)
    assert {"partnerId"} <= set((in_query if place == "body" else in_body).body.get("errors", {"partnerId": []}))


def test_types_in_a_query(reader: SandboxClient) -> None:
    """Flags and numbers are texts there; blank ones are missing, and odd ones 422."""
    reader.set_dialect(get_parameters="query")
    assert len(reader.get_by_query("/orders", limit="300", isAcknowledged="false", channelId="").data) == 21
    assert reader.get_by_query("/orders", isAcknowledged="1", isPaginated="true").body["total"] == 809
    assert len(stock(reader.get_by_query("/inventories", actualStock="True").data)) == 77
    assert list(reader.get_by_query("/orders", limit="many", isPaginated="maybe").errors) == ["isPaginated", "limit"]
    assert list(reader.get_by_query("/orders", limit="301").errors) == ["limit"]
    assert reader.get_by_query("/transaction", handle="nope").status == 422


def test_the_query_before_the_body(reader: SandboxClient) -> None:
    """Where both are read, the query wins."""
    reader.set_dialect(get_parameters="either")
    assert len(reader.get("/orders?limit=3", limit=7).data) == 3
    assert reader.send_raw("GET", "/v2/orders?partnerId=SANDBOX", b"{", **reader.authorization).status == 400


@pytest.mark.parametrize(
    "params",
    [
        {"orders[0][orderNo]": "10248", "orders[1][orderNo]": "11008"},
        {"orders[][orderNo]": "10248"},
        {"orders": '[{"orderNo": "10248"}]'},
        {"orders": "10248, nothing"},
    ],
)
def test_an_array_in_a_query(reader: SandboxClient, params: dict[str, str]) -> None:
    """It may be bracketed as in PHP, JSON, or separated by commas."""
    reader.set_dialect(get_parameters="query")
    assert [row["orderNo"] for row in reader.get_by_query("/shipments", channelId="NW-EU", **params).data] == ["10248"]


@pytest.mark.parametrize("text", ["[", "[7]", '["10248"]'])
def test_an_array_in_a_query_that_is_none(reader: SandboxClient, text: str) -> None:
    """It is 422."""
    reader.set_dialect(get_parameters="query")
    assert reader.get_by_query("/shipments", channelId="NW-EU", orders=text).status == 422


@pytest.mark.parametrize(
    ("changes", "path", "params", "count"),
    [
        ({"default_limit": 30}, "/orders", {}, 30),
        ({"default_limit": 30}, "/shipments", {"channelId": "NW-EU"}, 30),
        ({"order_limit": 500}, "/orders", {"limit": 500}, 500),
        ({"shipment_limit": 300}, "/shipments", {"channelId": "NW-EU", "limit": 300}, 300),
        ({"order_cap": 100}, "/orders", {"limit": 300}, 100),
        ({"order_cap": 100}, "/orders", {"limit": 20}, 20),
        ({"shipment_cap": 30}, "/shipments", {"channelId": "NW-EU", "limit": 99}, 30),
        ({"channel_cap": 2}, "/channels", {}, 2),
        ({"lists_channels": "first"}, "/channels", {}, 1),
    ],
)
def test_how_many_rows_come(
    reader: SandboxClient, changes: dict[str, Any], path: str, params: dict[str, Any], count: int
) -> None:
    """By default, at most, and at most without a word."""
    reader.set_dialect(get_parameters="either", channel_parameters="either", **changes)
    assert len(reader.get(path, **params).data) == count


@pytest.mark.parametrize(
    ("changes", "path", "limit"),
    [({"order_limit": 100}, "/orders", 101), ({"shipment_limit": 30}, "/shipments", 31)],
)
def test_a_limit_above_the_largest(reader: SandboxClient, changes: dict[str, Any], path: str, limit: int) -> None:
    """It is 422."""
    assert list(reader.set_dialect(**changes).get(path, channelId="NW-EU", limit=limit).errors) == ["limit"]


@pytest.mark.parametrize("cap", [1, 30, 50, 77, 300])
def test_stock_that_is_cut(reader: SandboxClient, cap: int) -> None:
    """The cap counts the rows of all warehouses; one without rows left is not answered."""
    whole = reader.get("/inventories", actualStock=True).data
    first = len(whole[0]["warehouseInventory"])
    cut = reader.set_dialect(stock_cap=cap).get("/inventories", actualStock=True, limit=300).data
    assert len(stock(cut)) == min(cap, 77)
    assert list(stock(cut)) == list(stock(whole))[:cap]
    assert len(cut) == (1 if cap <= first else 2)


def test_an_old_channel(reader: SandboxClient) -> None:
    """It is not listed, and works."""
    reader.set_dialect(lists_channels="first")
    assert [row["channelId"] for row in reader.get_by_query("/channels").data] == ["NW-EU"]
    assert len(reader.get("/orders", channelId="NW-SA", **JANUARY).data) > 0


def list_days(sandbox_client: SandboxClient, start: str, end: str) -> set[str]:
    rows = sandbox_client.get("/orders", startDate=start, endDate=end, limit=300).data
    return {order["orderDate"][:10] for order in rows}


def test_an_end_that_is_not_included(reader: SandboxClient) -> None:
    """A day alone is then empty, for orders and shipments."""
    shipped = reader.get("/shipments", channelId="NW-EU", limit=1).data[0]["shipDate"][:10]
    reader.set_dialect(end_included=False)
    assert list_days(reader, "1996-07-04", "1996-07-04") == set()
    assert list_days(reader, "1996-07-04", "1996-07-05") == {"1996-07-04"}
    assert reader.get("/shipments", channelId="NW-EU", startDate=shipped, endDate=shipped).data == []


@pytest.mark.parametrize("included", [True, False])
def test_another_time_zone(reader: SandboxClient, included: bool) -> None:
    """Its days begin and end at other instants."""
    everything = [order.record["orderDate"] for order in reader.sandbox.state.orders]
    reader.set_dialect(time_zone="Pacific/Auckland", end_included=included)
    rows = reader.get("/orders", startDate="1997-01-10", endDate="1997-01-13", limit=300).data
    # Summer in Auckland: UTC+13, so that its days begin at 11 o'clock of the day before.
    last = "1997-01-13T11" if included else "1997-01-12T11"
    assert [row["orderDate"] for row in rows] == [at for at in everything if "1997-01-09T11" <= at < last]


def test_shipments_in_another_time_zone(sandbox_client: SandboxClient) -> None:
    """They follow the same days, and those of the old zone again when it is back."""
    sandbox_client.sandbox.state.shipments.select("NW-EU")[
        0
    ].at = sandbox_client.sandbox.clock.now()  # noon of 15 June 2025
    day = {"startDate": "2025-06-16", "endDate": "2025-06-16"}
    assert sandbox_client.get("/shipments", channelId="NW-EU", **day).data == []
    assert (
        len(sandbox_client.set_dialect(time_zone="Pacific/Auckland").get("/shipments", channelId="NW-EU", **day).data)
        == 1
    )
    assert sandbox_client.set_dialect().get("/shipments", channelId="NW-EU", **day).data == []


def test_the_day_of_entry(sandbox_client: SandboxClient) -> None:
    """The filter then finds an order some days after its date; new ones too."""
    sandbox_client.set_dialect(date_meant="entry")
    assert list_days(sandbox_client, "1996-07-04", "1996-07-06") == set()
    assert list_days(sandbox_client, "1996-07-07", "1996-07-07") == {"1996-07-04"}
    record = sandbox_client.get("/orders", orders="10248").data[0]
    sandbox_client.sandbox.add_order({**record, "orderNo": "NEW", "orderDate": "1996-07-05T01:00:00.000000Z"})
    assert list_days(sandbox_client, "1996-07-08", "1996-07-08") == {"1996-07-05"}
    sandbox_client.sandbox.add_order({**record, "orderNo": "NEVER", "orderDate": "9999-12-31T23:00:00.000000Z"})
    assert list_days(sandbox_client, "9999-12-31", "9999-12-31") == {"9999-12-31"}
    assert list_days(sandbox_client.set_dialect(date_meant="entry", entry_days=1), "1996-07-05", "1996-07-05") == {
        "1996-07-04"
    }
