"""Test when the line items of the last load of orders are used without the cache."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from support.fake_clock import FakeClock
from support.frame_origins import count_answers, read_origin
from support.scripted_server import ReceivedRequest, Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.frames.loaders.endpoint_specs import orders_spec
from cenports_nb.frames.loaders.line_item_cache import LineItemCache
from cenports_nb.frames.loaders.query import parse_query

Connect = Callable[..., cn.Client]
JUNE = ("2026-06-01", "2026-06-30")
HOUR, DAY = 3600.0, 86_400.0


class Changing:
    """A server of one order that changes with each answer."""

    def __init__(self, server: ScriptedServer, status: str = "open") -> None:
        self.answers = 0
        self.status = status
        server.on("GET /orders", self)  # type: ignore[arg-type]
        server.on("PATCH /orders/acknowledge", Reply({"code": 200}))

    def __call__(self, seen: ReceivedRequest) -> Reply:
        self.answers += 1
        line = {"productSku": f"S{self.answers}", "quantity": 1, "status": self.status}
        order = {"orderNo": "A", "channelId": "X", "orderDate": "2026-06-10T10:00:00Z", "lineItems": [line]}
        return Reply({"data": [order], "last_page": 1})


def _write(client: cn.Client, _: FakeClock) -> None:
    client.api.acknowledge_orders(channel_id="X", orders=["A"])


AFTERWARDS: dict[str, tuple[Callable[[cn.Client, FakeClock], Any], dict[str, Any], str]] = {
    "nothing": (lambda *_: None, {}, "S1"),
    "a minute": (lambda _, clock: clock.advance(60), {}, "S1"),
    "its age": (lambda _, clock: clock.advance(15 * 60 + 1), {}, "S2"),
    "a clock set back": (lambda _, clock: clock.advance(-DAY), {}, "S2"),
    "a write": (_write, {}, "S2"),
    "a write under way": (lambda client, _: client.write_started("w"), {}, "S2"),
    "refresh": (lambda *_: None, {"refresh": True}, "S2"),
    "another channel": (lambda *_: None, {"channel_id": "Y"}, "S2"),
    "other days": (lambda *_: None, {"end": "2026-06-29"}, "S2"),
    "a filter": (lambda *_: None, {"acknowledged": False}, "S2"),
}


@pytest.mark.parametrize("what", AFTERWARDS)
def test_remembered_lines_stand_for_the_cache_by_its_own_rules(
    server: ScriptedServer, staging: Connect, what: str
) -> None:
    """The lines of the last load are used only if the cache would serve them."""
    changing, clock = Changing(server), FakeClock()
    clock.advance(100 * DAY)
    client = staging(clock)
    first = read_origin(cn.load_orders(client, *JUNE))
    happens, asked, sku = AFTERWARDS[what]
    happens(client, clock)
    lines = cn.load_line_items(client, **{"start": JUNE[0], "end": JUNE[1], **asked})
    assert (lines["product_sku"].tolist(), changing.answers) == ([sku], int(sku[1]))
    spent = (0, 1) if sku == "S1" else (1, 0)
    assert (count_answers(lines), read_origin(lines).as_of) == (spent, first.as_of if sku == "S1" else clock.now())


@pytest.mark.parametrize(("status", "sku"), [("open", "S2"), ("Shipped", "S1")])
def test_lines_of_an_old_month_are_remembered_as_long_as_all_are_closed(
    server: ScriptedServer, staging: Connect, status: str, sku: str
) -> None:
    """A month with an open line ages like the current one, in memory as in the cache."""
    changing, clock = Changing(server, status), FakeClock()
    clock.advance(300 * DAY)
    client = staging(clock)
    cn.load_orders(client, *JUNE)
    clock.advance(HOUR)
    assert cn.load_line_items(client, *JUNE)["product_sku"].tolist() == [sku]
    assert changing.answers == int(sku[1])


def test_without_a_cache_nothing_is_remembered(server: ScriptedServer, staging: Connect) -> None:
    """With `cache=False` each load sends requests."""
    changing = Changing(server)
    client = staging(cache=False)
    cn.load_orders(client, *JUNE)
    lines = cn.load_line_items(client, *JUNE)
    assert (lines["product_sku"].tolist(), changing.answers, count_answers(lines)) == (["S2"], 2, (1, 0))


def test_lines_are_remembered_once(server: ScriptedServer, staging: Connect) -> None:
    """The memory passes to the frame; the next load reads the same from the cache."""
    changing = Changing(server)
    client = staging()
    cn.load_orders(client, *JUNE)
    first, second = cn.load_line_items(client, *JUNE), cn.load_line_items(client, *JUNE)
    first.loc[0, "product_sku"] = "mine"
    assert (second["product_sku"].tolist(), changing.answers) == (["S1"], 1)


def test_of_two_loads_at_once_only_one_takes_what_is_remembered(server: ScriptedServer, staging: Connect) -> None:
    """The other load reads the cache, because the memory can become one frame only."""
    Changing(server)
    client = staging()
    cn.load_orders(client, *JUNE)
    both = threading.Barrier(2)

    def age(_: Any) -> float:
        both.wait(60)  # each has seen that there is something, before either takes it
        return DAY

    source = replace(orders_spec(client, lambda: ()), max_age=age)
    asked = parse_query(client, *JUNE).key
    with ThreadPoolExecutor(2) as pool:
        taken = list(
            pool.map(lambda _: client.component(LineItemCache, LineItemCache).take(client, asked, source), range(2))
        )
    assert sorted(found is None for found in taken) == [False, True]
