"""An answer that lacks rows never passes as whole: whatever number it is cut at, in whichever words it says so, or in none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pandas as pd
import pytest
from support.dialect_clients import connect_to_dialect
from support.fake_clock import FakeClock

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import ConfigurationError, IncompleteError
from cenports_nb.sandbox import Clock, Dialect, Sandbox
from cenports_nb.sandbox.account.authentication import CLIENT_ID, CLIENT_SECRET, PARTNER_ID
from cenports_nb.sandbox.account.channels import ChannelStore
from cenports_nb.sandbox.account.stock import StockStore
from cenports_nb.sandbox.http.pagination import PAGED
from cenports_nb.settings import resolve_settings

pytestmark = pytest.mark.slow

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
CHANNELS = ["GEN-MARKET", "GEN-TRADE", "GEN-WEB"]
LOADS: dict[str, Callable[[Client], pd.DataFrame]] = {
    "orders": lambda client: cn.load_orders(client, "2026-05-01", "2026-05-25"),
    "a day": lambda client: cn.load_orders(client, "2026-05-11", "2026-05-11"),
    "open": lambda client: cn.load_orders(client, acknowledged=False),
    "by number": lambda client: cn.load_orders(client, order_nos=[f"S{100_000 + n}" for n in range(0, 400, 5)]),
    "shipments": lambda client: cn.load_shipments(client, "2026-03-20", "2026-05-25", channel_id=CHANNELS),
    "stock": cn.load_actual_stock,
}
WORDS = get_args(get_type_hints(Dialect)["pages"])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(orders=400, seed=11, rate_limit=None, clock=Clock(frozen_at=NOON)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def whole(sandbox: Sandbox) -> dict[str, pd.DataFrame]:
    with connect_to_dialect(sandbox, Dialect()) as client:
        return {name: load(client) for name, load in LOADS.items()}


def check_loads(client: Client, whole: dict[str, pd.DataFrame], names: Iterable[str] = LOADS) -> set[str]:
    """Return which loads were refused; the others must be whole."""
    refused = set()
    for name in names:
        try:
            found = LOADS[name](client)
        except IncompleteError:
            refused.add(name)
            continue
        pd.testing.assert_frame_equal(found, whole[name], obj=name)
    return refused


@pytest.mark.parametrize("cap", [10, 15, 20, 25, 37, 40, 60, 75, 120])
def test_orders_that_are_cut_without_a_word(sandbox: Sandbox, whole: dict[str, pd.DataFrame], cap: int) -> None:
    """At a number that is on no list of the reference."""
    with connect_to_dialect(sandbox, Dialect(pages="none", order_cap=cap, shipment_cap=cap)) as client:
        refused = check_loads(client, whole)
    assert "stock" not in refused
    assert "orders" not in refused


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("words", WORDS)
def test_pages_in_any_words(sandbox: Sandbox, whole: dict[str, pd.DataFrame], words: Any, *, everywhere: bool) -> None:
    """Followed where a further page can be asked for; else a smaller question, or a refusal."""
    dialect = Dialect(pages=words, pages_everywhere=everywhere, order_cap=15, shipment_cap=15, stock_cap=40)
    with connect_to_dialect(sandbox, dialect) as client:
        refused = check_loads(client, whole, LOADS if everywhere else ["orders", "open"])
    assert words not in PAGED or not refused


CAPS = [10, 20, 25, 50, 99, 150, 200, 250, 300, 500, 1_000]


@contextmanager
def stocked(**warehouses: int) -> Iterator[Sandbox]:
    """A sandbox whose warehouses have so many SKUs."""
    with Sandbox(rate_limit=None, clock=Clock(frozen_at=NOON)) as sandbox:
        sandbox.state.stock = build_stock(**warehouses)
        yield sandbox


def build_stock(**warehouses: int) -> StockStore:
    return StockStore(
        {
            "warehouseCode": code,
            "warehouseName": code,
            "warehouseInventory": [{"productSku": f"S{i}", "productName": "x", "quantity": "3"} for i in range(rows)],
        }
        for code, rows in warehouses.items()
    )


@pytest.mark.parametrize("cap", CAPS)
def test_stock_that_is_cut_without_a_word(cap: int) -> None:
    """One warehouse with more than an answer holds."""
    with (
        stocked(W=cap + 40) as sandbox,
        connect_to_dialect(sandbox, Dialect(stock_cap=cap)) as client,
        pytest.raises(IncompleteError, match=rf"whole_lengths = \[{cap}\]"),
    ):
        cn.load_actual_stock(client)


@pytest.mark.parametrize("rows", CAPS)
def test_a_round_account_loads_its_stock(rows: int) -> None:
    """Of two warehouses the answers add up; of one a person says that it is so."""
    with stocked(W=rows, V=7) as sandbox, connect_to_dialect(sandbox, Dialect()) as client:
        assert len(cn.load_actual_stock(client)) == rows + 7
    with stocked(W=rows) as sandbox:
        with connect_to_dialect(sandbox, Dialect(), cn.Dialect(whole_lengths=(rows,))) as client:
            assert len(cn.load_actual_stock(client)) == rows
        with connect_to_dialect(sandbox, Dialect()) as client, pytest.raises(IncompleteError, match="whole_lengths"):
            cn.load_actual_stock(client)


def test_a_submission_needs_only_the_rows_that_it_changes() -> None:
    """Of stock that may lack others."""
    with stocked(W=50) as sandbox, connect_to_dialect(sandbox, Dialect()) as client:
        updates = pd.DataFrame({
            "warehouse_code": "W", "product_sku": ["S7", "S9"], "type": "TRUE_UP", "quantity": 2, "current_quantity": 3,
        })  # fmt: skip
        submission = cn.submit_updates(client, updates, progress=False).wait(progress=False)
        assert submission.outcomes["outcome"].tolist() == ["applied", "applied"]
        assert submission.verify().outcomes["outcome"].tolist() == ["applied", "applied"]
        with pytest.raises(IncompleteError, match="50 stock rows"):
            cn.submit_updates(client, updates.assign(product_sku=["S8", "NEW"]), allow=["unknown_sku"])
        assert len(cn.list_submissions(home=client.home)) == 1


@pytest.mark.parametrize("number", [10, 20, 29])
def test_a_round_number_of_channels_is_all_of_them(number: int) -> None:
    """There is no smaller question to ask, and no known cap so low."""
    with Sandbox(rate_limit=None, clock=Clock(frozen_at=NOON)) as sandbox:
        sandbox.state.channels = ChannelStore(
            [{"channelId": f"C{i}", "channelName": "x"} for i in range(number)], unlisted=()
        )
        with connect_to_dialect(sandbox, Dialect()) as client:
            assert len(cn.load_channels(client)) == number


def test_what_a_person_says_of_one_number_holds_for_that_number_alone() -> None:
    """Everything else stays doubtful."""
    with (
        stocked(W=60) as sandbox,
        connect_to_dialect(sandbox, Dialect(stock_cap=40), cn.Dialect(whole_lengths=(50,))) as client,
        pytest.raises(IncompleteError),
    ):
        cn.load_actual_stock(client)


def test_a_longer_answer_is_remembered(tmp_path: Path) -> None:
    """It shows that answers are not cut at fewer rows; after 90 days it shows nothing any more."""
    with stocked(W=61) as sandbox:
        settings = resolve_settings(
            "staging", base_url=sandbox.url, partner_id=PARTNER_ID, client_id=CLIENT_ID, client_secret=CLIENT_SECRET,
            rate_limit=100_000, environ={"CENPORTS_HOME": str(tmp_path)},
        )  # fmt: skip

        def load() -> int:
            with Client(settings, clock=FakeClock(sandbox)) as client:
                return len(cn.load_actual_stock(client, refresh=True))

        assert load() == 61
        sandbox.state.stock = build_stock(W=50)
        assert load() == 50
        sandbox.clock.advance(timedelta(days=91))
        with pytest.raises(IncompleteError, match="50 stock rows"):
            load()


def test_ten_orders_of_one_day_are_all_of_them(sandbox: Sandbox) -> None:
    """A longer answer of the same end point shows it, where nothing smaller can be asked."""
    sandbox.dialect = Dialect(pages="none")
    with connect_to_dialect(sandbox, Dialect(pages="none")) as client:
        days = cn.load_orders(client, "2026-05-01", "2026-05-25")["order_date"].dt.strftime("%Y-%m-%d").value_counts()
    for day in days[(days % 5 == 0) & (days >= 10)].index[:3]:
        with connect_to_dialect(sandbox, Dialect(pages="none")) as client:
            assert len(cn.load_orders(client, day, day)) == days[day]


@pytest.mark.parametrize("value", [50, ("50",), (0,), [50], (True,)])
def test_whole_lengths_that_cannot_be_meant(value: Any) -> None:
    """One sentence."""
    with pytest.raises(ConfigurationError, match="whole_lengths"):
        cn.Dialect(whole_lengths=value)
