"""The same account through every reading of the reference: equal frames, to the last row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.dialect_clients import connect_to_dialect
from support.fake_clock import FakeClock
from support.property_examples import share_of_examples

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import IncompleteError, IncompleteWarning
from cenports_nb.sandbox import Clock, Dialect, Sandbox
from cenports_nb.settings import resolve_settings

pytestmark = pytest.mark.slow

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
DAYS = ("2025-05-10", "2026-05-25")  # all of them, and some days around
CHANNELS = ["GEN-MARKET", "GEN-TRADE", "GEN-WEB"]
Frames = dict[str, pd.DataFrame]
LOADS: dict[str, Callable[[Client], pd.DataFrame]] = {
    "orders": lambda client: cn.load_orders(client, *DAYS),
    "line_items": lambda client: cn.load_line_items(client, *DAYS),
    "march": lambda client: cn.load_orders(client, "2026-03-01", "2026-03-31"),
    "open": lambda client: cn.load_orders(client, acknowledged=False),
    "by_number": lambda client: cn.load_orders(client, order_nos=[f"S{100_000 + n}" for n in range(0, 400, 5)]),
    "shipments": lambda client: cn.load_shipments(client, *DAYS, channel_id=CHANNELS),
    "actual": cn.load_actual_stock,
    "available": lambda client: cn.load_available_stock(client, CHANNELS),
    "warehouses": cn.load_warehouses,
    "channels": cn.load_channels,
}

STOCK = ("actual", "available", "warehouses")
READ_BY_QUESTION = {
    "3 orders": ("orders", "open", "by_number"),
    "4": ("orders", "open", "by_number"),
    "5": ("shipments",),
    "6": ("orders", "line_items", "march", "shipments"),
    "9": ("orders", "actual"),
    "13": STOCK,
    "14": STOCK,
    "19": ("orders", "line_items"),
    "sorted": ("orders", "open", "shipments"),
}
"""What a question of the reference is about; where nothing is said, everything is read. test_cut_answers.py has pages of
everything, in all words."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(orders=400, seed=11, rate_limit=None, clock=Clock(frozen_at=NOON)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def plain(sandbox: Sandbox) -> Frames:
    with connect_to_dialect(sandbox, Dialect()) as client:
        return {name: load(client) for name, load in LOADS.items()}


def _same(frame: pd.DataFrame, wanted: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(frame.sort_index(axis="columns"), wanted.sort_index(axis="columns"), check_like=False)


IN_QUERY = cn.Dialect(get_parameters="query")
EQUAL: list[tuple[str, Dialect, cn.Dialect | None]] = [
    ("1 parameters in the query", Dialect(get_parameters="query"), IN_QUERY),
    ("1 parameters in either", Dialect(get_parameters="either"), cn.Dialect(get_parameters="both")),
    ("1 channels in the body", Dialect(channel_parameters="body"), cn.Dialect(channel_parameters="body")),
    ("2 thirty by default", Dialect(default_limit=30), None),
    ("3 a raised maximum", Dialect(order_limit=1000, shipment_limit=500), cn.Dialect(order_limit=1000, shipment_limit=500)),
    ("3 a low maximum", Dialect(order_limit=50, shipment_limit=50), cn.Dialect(order_limit=50, shipment_limit=50)),
    *((f"3 orders capped at {cap}", Dialect(order_cap=cap), None) for cap in (30, 99)),
    *((f"4 pages: {pages}", Dialect(pages=pages), None) for pages in ("links", "numbers", "next", "total", "none")),
    ("4 page in the body", Dialect(order_cap=30, page_parameter="body"), None),
    ("4 page in the query", Dialect(order_cap=30, page_parameter="query"), None),
    ("4 page in the query of all", Dialect(order_cap=30, page_parameter="query", get_parameters="query"), IN_QUERY),
    ("4 relative links", Dialect(order_cap=30, relative_links=True), None),
    ("4 relative links, next alone", Dialect(order_cap=30, pages="next", relative_links=True), None),
    ("5 shipments capped at 30", Dialect(shipment_cap=30), None),
    ("3, 5 an unknown cap", Dialect(pages="none", order_cap=37, shipment_cap=41), None),
    *(
        (f"6 {'included' if included else 'excluded'} ends, {zone}, {pages}", Dialect(end_included=included, time_zone=zone, pages=pages, order_cap=cap), None)
        for zone, included, pages, cap in (
            ("UTC", True, "none", 30), ("America/Los_Angeles", False, "laravel", None),
            ("Pacific/Auckland", True, "laravel", None), ("Pacific/Kiritimati", False, "none", 30),
        )
    ),
    *((f"7 envelope: {envelope}", Dialect(envelope=envelope, quantities=quantities), None)
      for envelope, quantities in (("object", "number"), ("data_object", "decimal"))),
    ("7 a capped list", Dialect(envelope="list", order_cap=30), None),
    ("9 tokens shorter than they say", Dialect(token_life=30), None),
    *((f"9 exp as {form}", Dialect(token_life=600, expires_in=None, token_exp=form), None) for form in ("field", "claim")),
    ("13, 14 quantities are decimal text, spelt well", Dialect(quantities="decimal_text", misspelt=False), None),
    *((f"19 line numbers: {form}", Dialect(line_numbers=form), None) for form in ("number", "missing")),
    *((f"sorted: {sorting}, {pages}", Dialect(sorting=sorting, pages=pages, order_cap=30), None)
      for sorting, pages in (("newest", "laravel"), ("newest", "none"), ("none", "next"), ("none", "none"))),
    ("rows that come twice", Dialect(pages="none", order_cap=30, repeats=True), None),
]  # fmt: skip


@pytest.mark.parametrize(("question", "server", "client"), EQUAL, ids=[item[0] for item in EQUAL])
def test_every_reading_gives_the_same_frames(
    sandbox: Sandbox, plain: Frames, question: str, server: Dialect, client: cn.Dialect | None
) -> None:
    """Orders, lines, shipments, stock, warehouses and channels: all rows, all cells, all dtypes."""
    with connect_to_dialect(sandbox, server, client) as connected:
        for name in next((names for start, names in READ_BY_QUESTION.items() if question.startswith(start)), LOADS):
            _same(LOADS[name](connected), plain[name])


def test_the_meaning_of_a_date_is_noticed(sandbox: Sandbox, plain: Frames) -> None:
    """25: a filter by the day of entry: all orders where the days are wide enough, and a warning."""
    with connect_to_dialect(sandbox, Dialect(date_meant="entry")) as client:
        with pytest.warns(IncompleteWarning, match="another date"):
            orders = cn.load_orders(client, *DAYS)
        _same(orders, plain["orders"])
        assert cn.provenance(orders).complete is False


def test_a_plain_day_is_never_shifted(sandbox: Sandbox, plain: Frames) -> None:
    """28: an order of midnight UTC belongs to that day in every zone."""
    sandbox.dialect = Dialect(order_dates="day")
    found = resolve_settings("sandbox", base_url=sandbox.url, rate_limit=100_000, time_zone="America/Los_Angeles")
    with Client(found, clock=FakeClock(sandbox)) as client:
        orders = cn.load_orders(client, "2026-03-01", "2026-03-31")
    sandbox.dialect = Dialect()
    assert set(orders["order_no"]) == set(plain["march"]["order_no"])


def test_stock_that_may_be_cut_is_incomplete(sandbox: Sandbox) -> None:
    """26: a total at a cap is asked again by warehouse, and not taken for whole if that settles nothing."""
    with (
        connect_to_dialect(sandbox, Dialect(stock_cap=100)) as client,
        pytest.raises(IncompleteError, match="100 stock rows"),
    ):
        cn.load_actual_stock(client)


def test_stock_that_is_cut_by_answer_is_read_by_warehouse(sandbox: Sandbox, plain: Frames) -> None:
    """26: where each warehouse fits, but not all of them at once, a part can't prove that no warehouse is missing."""
    rows = plain["actual"]["warehouse_code"].value_counts()
    assert rows.max() < 300
    with connect_to_dialect(sandbox, Dialect(stock_cap=99)) as client, pytest.raises(IncompleteError):
        cn.load_actual_stock(client)


def test_available_stock_may_be_clamped_or_of_the_channel(sandbox: Sandbox, plain: Frames) -> None:
    """24: what comes is what is shown."""
    with connect_to_dialect(sandbox, Dialect(available_clamped=True)) as client:
        clamped = cn.load_available_stock(client, CHANNELS)
    assert clamped["quantity"].tolist() == plain["available"]["quantity"].clip(lower=0).tolist()
    with connect_to_dialect(sandbox, Dialect(available_scope="channel")) as client:
        own = cn.load_available_stock(client, CHANNELS)
    assert (own["quantity"] >= plain["available"]["quantity"]).all()


def test_old_channels_may_be_missing_from_the_list(sandbox: Sandbox, plain: Frames) -> None:
    """5: a day that must be split by channel is split by those that its orders name, too."""
    with connect_to_dialect(sandbox, Dialect(lists_channels="first", pages="none", order_cap=30)) as client:
        _same(cn.load_orders(client, *DAYS), plain["orders"])


READINGS = st.fixed_dictionaries(
    {
        "pages": st.sampled_from(["laravel", "links", "numbers", "next", "total", "none"]),
        "order_cap": st.sampled_from([None, 30, 50, 99, 100]),
        "shipment_cap": st.sampled_from([None, 30, 50]),
        "end_included": st.booleans(),
        "time_zone": st.sampled_from(["UTC", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Kiritimati"]),
        "sorting": st.sampled_from(["oldest", "newest", "none"]),
        "envelope": st.sampled_from(["data", "list", "object", "data_object"]),
        "relative_links": st.booleans(),
        "page_parameter": st.sampled_from(["body", "query", "either"]),
        "misspelt": st.booleans(),
        "line_numbers": st.sampled_from(["text", "number", "missing"]),
        "quantities": st.sampled_from(["text", "number", "decimal_text", "decimal"]),
    }
)


@settings(max_examples=share_of_examples(1 / 3), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(READINGS)
def test_readings_together_give_the_same_frames(sandbox: Sandbox, plain: Frames, readings: dict[str, Any]) -> None:
    """Questions are open each by itself, so any answers may come together."""
    with connect_to_dialect(sandbox, replace(Dialect(), **readings)) as client:
        for name in ("orders", "shipments", "actual"):
            _same(LOADS[name](client), plain[name])
