"""Test loaders: their requests, frames and errors."""

import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from support.scripted_server import ReceivedRequest, Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.errors import (
    IncompleteError,
    IncompleteWarning,
    InvalidRequestError,
    RejectedRowsError,
    RejectedRowsWarning,
)
from cenports_nb.sandbox import Sandbox

Connect = Callable[..., cn.Client]
JUNE = ("2026-06-01", "2026-06-30")


def _order(number: str, **changes: Any) -> dict[str, Any]:
    line = {"productSku": "S", "quantity": 1, "lineItem": "1"}
    order = {"orderNo": number, "channelId": "X", "orderDate": "2026-06-10T10:00:00Z", "lineItems": [line]}
    return {**order, **changes}


def _paged(*orders: Any) -> Reply:
    return Reply({"data": list(orders), "total": len(orders)})


def _stock(**skus: Any) -> Reply:
    rows = [{"productSku": sku, "quantity": quantity} for sku, quantity in skus.items()]
    return Reply({"data": [{"warehouseCode": "W", "warehouseInventory": rows}]})


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"start": "1998-01-01"},
        {"start": "1998-02-01", "end": "1998-01-01"},
        {"start": "01.02.1998", "end": "1998-02-01"},
        {"start": "0001-01-01", "end": "0001-01-02"},
        {"start": "9999-12-30", "end": "9999-12-31"},
        {"order_nos": []},
        {"order_nos": [12]},
        {"order_nos": ["A,B"]},
        {"order_nos": ["A" * 256]},
        {"channel_id": "", "acknowledged": False},
        {"channel_id": 5, "acknowledged": False},
        {"acknowledged": "no"},
        {"last": "5D", "on_reject": "rase"},
    ],
    ids=str,
)
@pytest.mark.parametrize("load", [cn.load_orders, cn.load_line_items, cn.load_shipments])
def test_invalid_arguments_are_refused_before_anything_is_sent(
    northwind: Sandbox, client: cn.Client, load: Any, arguments: dict[str, Any]
) -> None:
    """Invalid arguments raise a one-line ValueError."""
    with pytest.raises(InvalidRequestError) as caught:
        load(client, **arguments)
    sent = [request for request in northwind.requests if request.path not in ("/authorize", "/channels")]
    assert (sent, "\n" in str(caught.value)) == ([], False)


@pytest.mark.parametrize("load", [cn.load_orders, cn.load_shipments])
def test_an_unknown_channel_is_a_one_line_error(client: cn.Client, load: Any) -> None:
    """The error quotes Cenports' message by field."""
    with pytest.raises(InvalidRequestError, match="channelId") as caught:
        load(client, "1998-01-01", "1998-01-31", channel_id="NW-MOON")
    assert caught.value.status == 422


def test_lines_come_from_the_very_pages_of_the_orders(northwind: Sandbox, client: cn.Client) -> None:
    """Both frames take one set of requests."""
    cn.load_orders(client, "1998-01-01", "1998-01-31")
    before = len(northwind.requests)
    cn.load_line_items(client, "1998-01-01", "1998-01-31")
    assert len(northwind.requests) == before


def test_orders_by_number_are_asked_in_chunks_that_fit(northwind: Sandbox, client: cn.Client) -> None:
    """All orders come, in parameters of at most 255 characters."""
    numbers = [str(number) for number in range(10248, 10348)]
    orders = cn.load_orders(client, order_nos=numbers)
    asked = [request.params["orders"] for request in northwind.requests if request.path == "/orders"]
    assert (sorted(orders["order_no"]), max(map(len, asked)) <= 255) == (numbers, True)


def test_several_channels_are_one_frame(client: cn.Client) -> None:
    """Any number of channels may be passed."""
    orders = cn.load_orders(client, "1998-04-01", "1998-04-30", channel_id=["NW-EU", "NW-SA"])
    assert set(orders["channel_id"]) == {"NW-EU", "NW-SA"}


def test_days_are_those_of_the_clients_time_zone(server: ScriptedServer, staging: Connect) -> None:
    """23:30 UTC is the next day in Berlin; orders outside the days are dropped and counted."""
    server.on("GET /orders", _paged(_order("A", orderDate="2026-06-09T23:30:00Z"), _order("B")))
    orders = cn.load_orders(staging(time_zone="Europe/Berlin"), "2026-06-10", "2026-06-10", channel_id="X")
    late = cn.load_orders(staging(time_zone="UTC"), "2026-06-10", "2026-06-10", channel_id="X")
    origin = cn.provenance(late)
    assert origin is not None
    assert (orders["order_no"].tolist(), late["order_no"].tolist(), origin.outside) == (["A", "B"], ["B"], 1)


def test_the_days_asked_are_wider_than_the_days_meant(server: ScriptedServer, staging: Connect) -> None:
    """Neither the server's zone nor whether its end is included is documented."""
    server.on("GET /orders", _paged())
    cn.load_orders(staging(), *JUNE)
    asked = server.of("GET /orders")[0].body
    assert (asked["startDate"], asked["endDate"], asked["limit"]) == ("2026-05-31", "2026-07-02", 300)


def test_acknowledged_is_what_was_asked_for(client: cn.Client) -> None:
    """Answers don't have the field."""
    orders = cn.load_orders(client, acknowledged=False)
    whole = cn.load_orders(client, "1998-01-01", "1998-01-31")
    assert (set(orders["acknowledged"]), whole["acknowledged"].isna().all()) == ({False}, True)


def test_rows_are_in_a_fixed_order(server: ScriptedServer, staging: Connect) -> None:
    """Rows are sorted by date, channel and number."""
    early = _order("Z", orderDate="2026-06-01T00:00:00Z")
    server.on("GET /orders", _paged(_order("B"), _order("A", channelId="Y"), _order("A"), early))
    orders = cn.load_orders(staging(), *JUNE)
    assert (orders["channel_id"] + orders["order_no"]).tolist() == ["XZ", "XA", "XB", "YA"]


@pytest.mark.parametrize(
    "load",
    [
        lambda client: cn.load_orders(client, *JUNE),
        lambda client: cn.load_line_items(client, *JUNE),
        lambda client: cn.load_shipments(client, *JUNE),
        lambda client: cn.load_actual_stock(client, warehouse_codes=["NW-EAST"]),
    ],
    ids=["orders", "lines", "shipments", "stock"],
)
def test_cached_frames_equal_fresh_ones(client: cn.Client, load: Callable[[cn.Client], pd.DataFrame]) -> None:
    """Columns, dtypes and values are equal."""
    pd.testing.assert_frame_equal(load(client), load(client))


def test_an_unreadable_record_is_kept_and_announced(server: ScriptedServer, staging: Connect) -> None:
    """The other rows are returned, and the warning points to the caller's line."""
    server.on("GET /orders", _paged(_order("A"), _order("B", orderDate="soon")))
    with pytest.warns(RejectedRowsWarning, match=r"1 record .*order_date isn't a date\. See") as caught:
        orders = cn.load_orders(staging(), *JUNE)
    rejects = cn.rejected(orders)
    assert rejects is not None
    assert (orders["order_no"].tolist(), rejects["key"].tolist(), caught[0].filename) == (["A"], ["B"], __file__)


def test_an_unreadable_record_can_raise_an_error(server: ScriptedServer, staging: Connect) -> None:
    """With `on_reject="raise"` the error has the rejects."""
    server.on("GET /orders", _paged(_order("B", orderDate="soon")))
    with pytest.raises(RejectedRowsError) as caught:
        cn.load_orders(staging(), *JUNE, on_reject="raise")
    assert caught.value.rejected["column"].tolist() == ["order_date"]


def _failing_in_between(seen: ReceivedRequest) -> Reply:
    if seen.body.get("endDate") == "2026-07-02" and seen.body["startDate"] > "2026-06-01":
        return Reply(status=500)
    rows = 300 if seen.body["startDate"] == "2026-05-31" and seen.body["endDate"] == "2026-07-02" else 1
    return Reply({"data": [_order(f"A{number}") for number in range(rows)]})


def test_a_window_that_fails_makes_the_frame_incomplete(server: ScriptedServer, staging: Connect) -> None:
    """The error has the rows that came and names the missing window."""
    server.on("GET /orders", _failing_in_between)
    with pytest.raises(IncompleteError) as caught:
        cn.load_orders(staging(), *JUNE, channel_id="X")
    error = caught.value
    assert (len(error.partial), list(error.missing.columns), error.missing["channel_id"].tolist()) == (
        1,
        ["source", "channel_id", "start", "end", "reason"],
        ["X"],
    )


def test_a_partial_frame_says_that_it_is_one(server: ScriptedServer, staging: Connect) -> None:
    """On request it is returned with a warning, and `complete` is False."""
    server.on("GET /orders", _failing_in_between)
    with pytest.warns(IncompleteWarning):
        orders = cn.load_orders(staging(), *JUNE, channel_id="X", allow_partial=True)
    origin = cn.provenance(orders)
    assert origin is not None
    assert (len(orders), origin.complete) == (1, False)


def test_copies_that_differ_are_read_again(server: ScriptedServer, staging: Connect) -> None:
    """The newest answer wins, not the last window."""

    def answer(seen: ReceivedRequest) -> Reply:
        if "orders" in seen.body:
            return Reply({"data": [_order("A", status="newest")], "total": 1})
        if seen.body["endDate"] == "2026-07-02" and seen.body["startDate"] == "2026-05-31":
            return Reply({"data": [_order("A")] * 300})
        return Reply({"data": [_order("A", status=seen.body["startDate"])]})

    server.on("GET /orders", answer)
    orders = cn.load_orders(staging(), *JUNE, channel_id="X")
    assert orders["status"].tolist() == ["newest"]


def test_a_stock_answer_at_a_known_cap_is_asked_again_by_warehouse(server: ScriptedServer, staging: Connect) -> None:
    """A warehouse of exactly thirty rows can't be distinguished from a cut one."""
    server.on("GET /inventories", _stock(**{f"S{number}": 1 for number in range(30)}))
    with pytest.raises(IncompleteError, match="30 stock rows"):
        cn.load_actual_stock(staging())


def test_without_a_channel_every_channel_is_read(northwind: Sandbox, client: cn.Client) -> None:
    """Each channel takes one request, and is a column in front."""
    stock = cn.load_available_stock(client)
    asked = [request for request in northwind.requests if request.path == "/inventories"]
    assert (stock.columns[0], stock["channel_id"].nunique(), len(asked)) == ("channel_id", 3, 3)


def test_warehouses_come_from_the_answer_of_actual_stock(northwind: Sandbox, client: cn.Client) -> None:
    """No further request is sent."""
    cn.load_actual_stock(client)
    before = len(northwind.requests)
    assert (cn.load_warehouses(client)["warehouse_code"].is_unique, len(northwind.requests)) == (True, before)


def test_stock_of_some_warehouses(client: cn.Client) -> None:
    """Only the requested warehouses are returned."""
    assert set(cn.load_actual_stock(client, warehouse_codes=["NW-EAST"])["warehouse_code"]) == {"NW-EAST"}


def test_a_warehouse_without_stock_is_a_warning(client: cn.Client) -> None:
    """Its code may be misspelled; the case doesn't matter."""
    with pytest.warns(cn.errors.CenportsWarning, match="has no stock of warehouse 'NW-ESAT': correct the code"):
        assert len(cn.load_actual_stock(client, warehouse_codes=["NW-EAST", "NW-ESAT"]))
    with pytest.warns(cn.errors.CenportsWarning, match="'NW-ESAT'"):
        assert not len(cn.load_available_stock(client, "NW-EU", warehouse_codes="NW-ESAT"))


def test_a_frame_knows_where_it_comes_from(client: cn.Client) -> None:
    """Provenance has source, query, account, completeness and rows."""
    origin = cn.provenance(cn.load_orders(client, "1998-04-01", "1998-04-30", channel_id="NW-EU"))
    assert origin is not None
    found = (origin.source, origin.params["start"], origin.partner_id, origin.complete, origin.requests > 0)
    assert found == ("GET /orders", "1998-04-01", "SANDBOX", True, True)


def test_provenance_survives_filter_sort_and_copy(client: cn.Client) -> None:
    """It is one text, which pandas copies with `attrs`."""
    orders = cn.load_orders(client, "1998-04-01", "1998-04-30")
    kept = orders[orders["line_count"] > 1].sort_values("grand_total").copy()
    assert cn.provenance(kept) == cn.provenance(orders)


def test_a_frame_made_by_hand_has_no_provenance() -> None:
    """Provenance is None, not an empty one that looks complete."""
    frame = pd.DataFrame({"a": [1]})
    assert (cn.provenance(frame), cn.rejected(frame)) == (None, None)


def test_frames_of_a_loader_can_be_put_together(client: cn.Client) -> None:
    """`concat` works with provenance in `attrs`."""
    parts = [cn.load_orders(client, f"1998-0{month}-01", f"1998-0{month}-28") for month in (1, 2)]
    assert len(pd.concat(parts)) == sum(map(len, parts))


def test_nothing_warns_when_all_is_well(client: cn.Client) -> None:
    """No warning means a complete frame."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(cn.load_orders(client, last="30D")) == 0


def test_as_of_is_when_the_oldest_answer_was_fetched(client: cn.Client) -> None:
    """Reading from the cache later doesn't change it."""
    first = cn.provenance(cn.load_channels(client))
    again = cn.provenance(cn.load_channels(client))
    assert first is not None
    assert again is not None
    assert abs(first.as_of - again.as_of) < timedelta(milliseconds=50)  # type: ignore[operator]
