"""Test orders, acknowledgements and hand-overs in every dialect: outcomes are the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from support.fake_clock import FakeClock
from support.made_orders import line, lines, order, orders

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.sandbox import Clock, Dialect, Sandbox
from cenports_nb.settings import resolve_settings

pytestmark = pytest.mark.slow

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
DIALECTS = [
    Dialect(),
    Dialect(pages="none"),
    Dialect(pages="none", order_cap=30, sorting="none"),
    Dialect(pages="links", relative_links=True),
    Dialect(pages="next", order_limit=300, order_cap=50),
    Dialect(envelope="list", pages="none"),
    Dialect(envelope="object"),
    Dialect(envelope="data_object"),
    Dialect(errors_as_200=True),
    Dialect(refusals="not_json"),
    Dialect(refusals="map", errors_as_200=True),
    Dialect(repeats=True, pages="none"),
    Dialect(line_numbers="missing"),
    Dialect(order_dates="day", time_zone="America/New_York"),
    Dialect(get_parameters="either", transaction_errors="map"),
    Dialect(lists_channels="first"),
]
ANSWER_FIELDS = ("envelope", "refusals", "errors_as_200", "get_parameters", "line_numbers", "order_cap", "repeats")
ANSWERS = [
    dialect for dialect in DIALECTS if any(getattr(dialect, name) != getattr(Dialect(), name) for name in ANSWER_FIELDS)
]
"""Those that answer a write, or the reading of some orders by their numbers, in another way."""


@pytest.fixture
def sandbox_and_client() -> Iterator[tuple[Sandbox, Client]]:
    with Sandbox(orders=400, seed=3, rate_limit=None, clock=Clock(frozen_at=NOON)) as sandbox:
        settings = resolve_settings("sandbox", base_url=sandbox.url, rate_limit=100_000)
        with Client(settings, clock=FakeClock(sandbox)) as client:
            yield sandbox, client


@pytest.mark.parametrize("dialect", DIALECTS, ids=repr)
def test_a_handover_has_every_order_once(
    sandbox_and_client: tuple[Sandbox, Client], dialect: Dialect, tmp_path: Path
) -> None:
    """The file is complete, and only its orders are acknowledged."""
    sandbox, client = sandbox_and_client
    record = next(one.record for one in sandbox.state.orders if not one.acknowledged)
    for number in range(60):
        sandbox.add_order(
            {**record, "orderNo": f"MORE-{number:02}", "orderDate": f"2026-05-{number % 15 + 1:02}T10:00:00.000000Z"}
        )
    wanted = {
        (one.channel_id, one.number): len(one.record["lineItems"])
        for one in sandbox.state.orders
        if not one.acknowledged
    }
    sandbox.dialect = dialect
    made = cn.hand_over(client, tmp_path / "orders.csv")
    table = pd.read_csv(tmp_path / "orders.csv", dtype=str, encoding="utf-8-sig")
    assert len(wanted) > 30
    assert table.groupby(["channel_id", "order_no"]).size().to_dict() == wanted
    assert made.acknowledged == len(wanted)
    assert all(one.acknowledged for one in sandbox.state.orders)


@pytest.mark.parametrize("dialect", ANSWERS, ids=repr)
def test_an_acknowledgement_says_the_same(sandbox_and_client: tuple[Sandbox, Client], dialect: Dialect) -> None:
    """One number is bad, and one was acknowledged before."""
    sandbox, client = sandbox_and_client
    waiting = cn.load_orders(client, acknowledged=False)[["channel_id", "order_no"]]
    channel = waiting["channel_id"].iloc[0]
    mine = waiting[waiting["channel_id"] == channel].head(40)
    done = next(one.number for one in sandbox.state.orders if one.acknowledged and one.channel_id == channel)
    more = pd.DataFrame({"channel_id": channel, "order_no": ["nothing", done]})
    sandbox.dialect = dialect
    found = cn.acknowledge_orders(client, pd.concat([mine, more]))
    assert found["outcome"].tolist() == ["acknowledged"] * len(mine) + ["refused", "already"]


@pytest.mark.parametrize("dialect", ANSWERS, ids=repr)
def test_a_lost_creation_is_found(sandbox_and_client: tuple[Sandbox, Client], dialect: Dialect) -> None:
    """This holds for answers in any format."""
    sandbox, client = sandbox_and_client
    sku = cn.load_actual_stock(client)["product_sku"].iloc[0]
    channel = cn.load_channels(client)["channel_id"].iloc[0]
    sandbox.dialect = dialect
    sandbox.faults.add("lost", "POST /orders")
    names = [f"N{number}" for number in range(35)]
    submission = cn.create_orders(
        client, orders(*map(order, names)), lines(*(line(name, product_sku=sku) for name in names)), channel_id=channel
    )
    client.clock.sleep(10)
    assert set(submission.verify().outcomes["outcome"]) == {"applied"}
