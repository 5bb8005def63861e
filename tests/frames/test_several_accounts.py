"""Test loaders of several accounts: the `account` column, failures of one account, and calls that need one account."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.scripted_server import Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.api.http.session import ApiSession
from cenports_nb.errors import (
    AuthenticationError,
    IncompleteError,
    IncompleteWarning,
    InvalidRequestError,
    RejectedRowsError,
    RejectedRowsWarning,
)
from cenports_nb.frames.loaders.accounts import load_tables
from cenports_nb.sandbox import Sandbox

pytestmark = pytest.mark.slow

JUNE = ("2026-06-01", "2026-06-30")
LOADS: dict[str, Callable[[Any], pd.DataFrame]] = {
    "Orders": lambda clients: cn.load_orders(clients, last="60D"),
    "LineItems": lambda clients: cn.load_line_items(clients, last="60D"),
    "Shipments": lambda clients: cn.load_shipments(clients, last="60D"),
    "ShipmentItems": lambda clients: cn.load_shipment_items(clients, last="60D"),
    "ActualStock": cn.load_actual_stock,
    "AvailableStock": cn.load_available_stock,
    "Warehouses": cn.load_warehouses,
    "Channels": cn.load_channels,
}


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[list[Sandbox]]:
    with Sandbox(rate_limit=None) as northwind, Sandbox(orders=90, seed=5, rate_limit=None) as generated:
        yield [northwind, generated]


def write_profiles(home: Path, *names: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "profiles.toml").write_text("".join(f'[{name}]\nenvironment = "sandbox"\n\n' for name in names))


@pytest.fixture
def clients(sandboxes: list[Sandbox], home: Path) -> Iterator[list[cn.Client]]:
    """Connect clients whose names sort differently from their order in the list."""
    write_profiles(home, "northwind", "acme")
    opened = [
        cn.connect(profile=name, base_url=sandbox.url, rate_limit=100_000)
        for name, sandbox in zip(("northwind", "acme"), sandboxes, strict=True)
    ]
    yield opened
    for client in opened:
        client.close()


@pytest.mark.parametrize("name", LOADS)
def test_the_frames_of_all_accounts_stand_in_one(clients: list[cn.Client], name: str) -> None:
    """Each account's rows equal its own load, and the schema knows the column."""
    load = LOADS[name]
    found = load(clients)
    getattr(cn.schemas, name).with_account().validate(found)
    assert found["account"].drop_duplicates().tolist() == ["acme", "northwind"]
    for client in clients:
        alone = load(client)
        rows = found[found["account"] == client.settings.profile].drop(columns="account").reset_index(drop=True)
        pd.testing.assert_frame_equal(rows[alone.columns], alone)
    origin = cn.provenance(found)
    assert origin is not None
    assert (origin.complete, origin.rows, list(origin.params["accounts"])) == (True, len(found), ["acme", "northwind"])


def test_open_items_and_a_list_of_one(clients: list[cn.Client]) -> None:
    """A list of any length adds the column."""
    found = cn.load_open_items(clients, lookback="60D")
    assert set(found["account"]) == {"acme", "northwind"}
    assert list(cn.load_channels([clients[0]]).columns[:2]) == ["account", "channel_id"]
    assert list(cn.load_orders(client=clients, last="7D").columns[:2]) == ["account", "order_no"]


def test_accounts_are_loaded_side_by_side(clients: list[cn.Client], monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts have their own rate limits, so their loads overlap."""
    both_began, fetch = threading.Barrier(2, timeout=30), ApiSession.fetch_page

    def wait_then_fetch(*args: Any, **kwargs: Any) -> Any:
        both_began.wait()
        return fetch(*args, **kwargs)

    monkeypatch.setattr(ApiSession, "fetch_page", wait_then_fetch)
    assert len(cn.load_channels(clients)) > 3


@pytest.fixture
def two(server: ScriptedServer, home: Path) -> Iterator[tuple[list[cn.Client], ScriptedServer, ScriptedServer]]:
    """Connect two accounts with scripted answers."""
    write_profiles(home, "a", "b")
    other = ScriptedServer()
    opened = [
        cn.connect(profile=name, base_url=each.url, rate_limit=100_000) for name, each in (("a", server), ("b", other))
    ]
    yield opened, server, other
    for client in opened:
        client.close()
    other.close()


def reply_orders(*numbers: str, **changes: Any) -> Reply:
    line = {"productSku": "S", "quantity": 1, "lineItem": "1"}
    order = {"channelId": "X", "orderDate": "2026-06-10T10:00:00Z", "lineItems": [line]}
    return Reply({"data": [{**order, "orderNo": each, **changes} for each in numbers], "total": len(numbers)})


def test_an_account_that_fails_keeps_the_others(two: Any) -> None:
    """The error names it; allow_partial returns the others with a warning."""
    clients, one, other = two
    one.on("GET /orders", reply_orders("1", "2"))
    other.on("GET /orders", Reply({"message": "no"}, status=403))
    with pytest.raises(IncompleteError, match=r"1 of 2 accounts .*the first, b: ") as caught:
        cn.load_orders(clients, *JUNE)
    assert caught.value.partial[["account", "order_no"]].to_numpy().tolist() == [["a", "1"], ["a", "2"]]
    assert caught.value.missing["account"].tolist() == ["b"]
    assert caught.value.missing["reason"].notna().all()
    with pytest.warns(IncompleteWarning, match="1 of 2 accounts"):
        found = cn.load_orders(clients, *JUNE, allow_partial=True)
    assert found["account"].tolist() == ["a", "a"]
    origin = cn.provenance(found)
    assert origin is not None
    assert origin.complete is False


def test_an_error_of_all_accounts_is_that_of_one(two: Any) -> None:
    """Wrong arguments, and credentials refused by all accounts, raise a plain error."""
    clients, one, other = two
    with pytest.raises(InvalidRequestError, match="No days are given"):
        cn.load_orders(clients)
    for each in (one, other):
        each.on("GET /orders", Reply({"message": "no"}, status=401))
    with pytest.raises(AuthenticationError):
        cn.load_orders(clients, *JUNE)


def test_rejects_and_warnings_name_their_account(two: Any) -> None:
    """All warnings point to the caller's line."""
    clients, one, other = two
    one.on("GET /orders", reply_orders("1", orderDate="soon"))
    other.on("GET /orders", reply_orders("2", orderDate="later"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = cn.load_orders(clients, *JUNE)
    assert [(str(each.message)[:3], each.category, Path(each.filename).name) for each in caught] == [
        ("a: ", RejectedRowsWarning, Path(__file__).name),
        ("b: ", RejectedRowsWarning, Path(__file__).name),
    ]
    unread = cn.rejected(found)
    assert unread is not None
    assert unread["key"].tolist() == ["a: 1", "b: 2"]
    with pytest.raises(RejectedRowsError):
        cn.load_orders(clients, *JUNE, on_reject="raise")


@pytest.mark.parametrize(
    ("choose", "sentence"),
    [
        (lambda clients: [], "The list of clients is empty"),
        (lambda clients: [clients[0], clients[0]], "Two clients are named 'northwind'"),
        (lambda clients: [clients[0], "acme"], "'acme' isn't a client"),
        (lambda clients: "acme", "'acme' isn't a client"),
    ],
)
def test_an_invalid_list_of_accounts_is_refused(clients: list[cn.Client], choose: Any, sentence: str) -> None:
    """An invalid list raises one sentence."""
    with pytest.raises(InvalidRequestError, match=sentence):
        cn.load_orders(choose(clients), last="7D")


def test_people_have_the_pseudonyms_of_their_account(clients: list[cn.Client]) -> None:
    """A masked frame of several accounts joins with a masked frame of one."""
    masked = cn.mask_pii(cn.load_orders(clients, last="60D"))
    for client in clients:
        alone = cn.mask_pii(cn.load_orders(client, last="60D"))
        own = masked[masked["account"] == client.settings.profile]
        assert own["customer_name"].tolist() == alone["customer_name"].tolist()
    assert len(set(masked["customer_name"])) > 10


def test_plans_and_submissions_take_one_account(clients: list[cn.Client], sandboxes: list[Sandbox]) -> None:
    """Rows of two accounts raise one sentence that says how to choose; rows of one account are accepted."""
    actual, orders = cn.load_actual_stock(clients), cn.load_orders(clients, last="60D")
    counts = actual[["account", "warehouse_code", "product_sku"]].assign(quantity=actual["quantity"] + 1)
    one = actual[actual["account"] == "acme"]
    updates = cn.build_true_up(counts[counts["account"] == "acme"], one)
    assert len(updates) == len(one)
    wrong = pd.concat([updates.assign(account="acme"), updates[:1].assign(account="northwind", product_sku="X")])
    calls: list[Callable[[], object]] = [
        lambda: cn.build_true_up(counts, one),
        lambda: cn.build_true_up(counts[counts["account"] == "acme"], actual),
        lambda: cn.build_differential(counts.assign(quantity=1)),
        lambda: cn.check_updates(wrong, one),
        lambda: cn.submit_updates(clients[1], wrong),
        lambda: cn.acknowledge_orders(clients[1], orders),
        lambda: cn.StockReview(clients[1], wrong),
        lambda: cn.OrderExplorer(orders, cn.load_line_items(clients, last="60D")),
    ]
    before = len(sandboxes[1].requests)
    for call in calls:
        with pytest.raises(InvalidRequestError, match=r"has rows of 2 accounts \(acme, northwind\): pass those of one"):
            call()
    assert not [request for request in sandboxes[1].requests[before:] if request.method in ("PATCH", "POST")]


def test_an_account_of_which_one_table_fails_is_in_no_table(two: Any) -> None:
    """The others are kept; if every account fails, the first one's error is raised."""
    clients, one, other = two
    for server in (one, other):
        server.on("GET /orders", reply_orders("1"))
        server.on("GET /channels", Reply({"data": []}))
    other.on("GET /channels", Reply({"message": "no"}, status=403))
    tables = {
        "orders": lambda client: cn.load_orders(client, *JUNE),
        "channels": lambda client: cn.load_channels(client, refresh=True),
    }
    frames, failures = load_tables(clients, tables)
    assert frames["orders"]["account"].tolist() == ["a"]
    assert [list(failures), cn.provenance(frames["orders"]).complete] == [["b"], False]
    one.on("GET /channels", Reply({"message": "no"}, status=403))
    with pytest.raises(cn.errors.ApiError):
        load_tables(clients, tables)


def test_tables_of_accounts_are_loaded_side_by_side(clients: list[cn.Client]) -> None:
    """Neither account waits for the other."""
    both_began = threading.Barrier(2, timeout=30)

    def load(client: cn.Client) -> pd.DataFrame:
        both_began.wait()
        return cn.load_channels(client)

    frames, failures = load_tables(clients, {"channels": load})
    assert (set(frames["channels"]["account"]), failures) == ({"acme", "northwind"}, {})
