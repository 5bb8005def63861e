"""Test loads of orders by calendar month: what is read again tomorrow, and how long the cache may serve a month."""

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from support.fake_clock import FakeClock
from support.scripted_server import ReceivedRequest, Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.frames.line_status import fill_line_warehouses
from cenports_nb.sandbox import Clock, Sandbox
from cenports_nb.settings import resolve_settings

pytestmark = pytest.mark.slow

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.fixture
def year() -> Iterator[tuple[Sandbox, Client, FakeClock]]:
    """Three thousand orders of the twelve months before yesterday; the last nine days have open lines."""
    with Sandbox(orders=3_000, seed=3, rate_limit=None, clock=Clock(frozen_at=NOON)) as sandbox:
        clock = FakeClock(sandbox)
        with Client(resolve_settings("sandbox", base_url=sandbox.url, rate_limit=100_000), clock=clock) as client:
            yield sandbox, client, clock


def _asked(sandbox: Sandbox) -> list[str]:
    found = [request.params["startDate"] for request in sandbox.requests if request.path == "/orders"]
    sandbox.requests.clear()
    return sorted({start[:7] for start in found})


def test_a_load_of_twelve_months_is_read_once(year: tuple[Sandbox, Client, FakeClock]) -> None:
    """Line items come from the same pages, and a repeated load sends nothing."""
    sandbox, client, _ = year
    orders = cn.load_orders(client, last="365D")
    assert len(orders) == 3_000 - orders["order_no"].duplicated().sum() - _before(orders)
    assert len(_asked(sandbox)) == 13
    cn.load_line_items(client, last="365D")
    cn.load_orders(client, last="365D")
    assert _asked(sandbox) == []


def _before(orders: pd.DataFrame) -> int:
    """Return the orders of the one day that twelve months from today leave out."""
    return 3_000 - len(orders)


def test_tomorrow_only_the_two_youngest_months_are_read_again(year: tuple[Sandbox, Client, FakeClock]) -> None:
    """Older months are settled."""
    sandbox, client, clock = year
    cn.load_orders(client, last="365D")
    _asked(sandbox)
    clock.advance(86_400)
    cn.load_orders(client, last="365D")
    assert _asked(sandbox) == ["2026-04", "2026-05"]


def test_the_open_month_lasts_a_quarter_of_an_hour(year: tuple[Sandbox, Client, FakeClock]) -> None:
    """The current month is served for 15 minutes, the month before for 6 hours, older ones for 30 days."""
    sandbox, client, clock = year
    cn.load_orders(client, "2025-06-01", "2026-05-20")
    _asked(sandbox)
    asked = []
    for seconds in (890, 20, 6 * 3600, 29 * 86_400, 2 * 86_400):
        clock.advance(seconds)
        cn.load_orders(client, "2025-06-01", "2026-05-20")
        asked.append(len(_asked(sandbox)))
    assert asked == [0, 1, 2, 1, 12]  # open; open and last; a month later April is settled, May the last; all


def test_the_month_before_lasts_six_hours_whole(year: tuple[Sandbox, Client, FakeClock]) -> None:
    """One extra day of this month is requested with it, and doesn't shorten its age."""
    sandbox, client, clock = year
    for seconds, asked in ((0, 1), (3_600, 0), (5 * 3_600 + 10, 1)):
        clock.advance(seconds)
        sandbox.requests.clear()
        cn.load_orders(client, "2026-04-01", "2026-04-30")
        assert len([request for request in sandbox.requests if request.path == "/orders"]) == asked


def test_the_ages_are_a_table_that_a_user_can_change(year: tuple[Sandbox, Client, FakeClock]) -> None:
    """The ages can be set in Python or in a profile."""
    sandbox, client, clock = year
    client.ages = type(client.ages)(open_month=0.0)
    cn.load_orders(client, "2026-05-01", "2026-05-19")
    clock.advance(1)
    cn.load_orders(client, "2026-05-01", "2026-05-19")
    assert len([request for request in sandbox.requests if request.path == "/orders"]) == 2


def _order(number: int, day: str, status: str = "shipped") -> dict[str, Any]:
    line = {"productSku": "A", "quantity": 1, "status": status}
    return {"orderNo": str(number), "orderDate": f"{day}T10:01:00Z", "channelId": "X", "lineItems": [line]}


def test_a_month_with_open_lines_ages_like_the_open_month(server: ScriptedServer, staging: Any) -> None:
    """A line that is not closed may change in a month of any age."""

    def answer(seen: ReceivedRequest) -> Reply:
        day, month = seen.body["startDate"], int(seen.body["startDate"][5:7])
        return Reply({"data": [_order(month, day, "on its way" if month == 8 else "SHIPPED ")]})

    server.on("GET /orders", answer)
    clock = FakeClock()  # 2026-03-01
    client = staging(clock)
    cn.load_orders(client, "2025-06-01", "2026-02-27")
    before = len(server.of("GET /orders"))
    clock.advance(1_000)
    cn.load_orders(client, "2025-06-01", "2026-02-27")
    again = [seen.body["startDate"][:7] for seen in server.of("GET /orders")[before:]]
    assert again == ["2025-08"]


def test_pages_of_one_month_are_of_one_age(server: ScriptedServer, staging: Any) -> None:
    """If one page is missing from the cache, all are read again: pages of different ages may miss an order."""
    state = {"first": ["1", "2"], "second": ["3"]}

    def answer(seen: ReceivedRequest) -> Reply:
        numbers = state["second" if seen.body.get("page") == 2 else "first"]
        return Reply({"data": [_order(int(n), "2025-08-15") for n in numbers], "last_page": 2, "total": 3})

    server.on("GET /orders", answer)
    client = staging()
    cn.load_orders(client, "2025-08-10", "2025-08-20")
    client.session  # noqa: B018 - the cache is open
    store = client._cache.store
    store.run(
        lambda file: file.execute("DELETE FROM answer WHERE at = (SELECT max(at) FROM answer) AND rowid > 1"), None
    )
    state |= {"first": ["1", "4"], "second": ["2"]}
    assert sorted(cn.load_orders(client, "2025-08-10", "2025-08-20")["order_no"]) == ["1", "2", "4"]


def test_with_acknowledged_asks_for_both_halves(year: tuple[Sandbox, Client, FakeClock]) -> None:
    """The column is known for every order."""
    _, client, _ = year
    plain = cn.load_orders(client, "2026-05-01", "2026-05-19")
    known = cn.load_orders(client, "2026-05-01", "2026-05-19", with_acknowledged=True)
    assert plain["acknowledged"].isna().all()
    assert known["acknowledged"].notna().all()
    assert known["acknowledged"].nunique() == 2
    pd.testing.assert_frame_equal(plain.drop(columns="acknowledged"), known.drop(columns="acknowledged"))


def test_an_order_acknowledged_between_the_halves_is_there_once(server: ScriptedServer, staging: Any) -> None:
    """Unacknowledged orders are read first, so none is missed; the later answer wins."""
    server.on("GET /orders", Reply({"data": [_order(1, "2026-02-10")], "total": 1}))
    orders = cn.load_orders(staging(), "2026-02-10", "2026-02-11", with_acknowledged=True)
    assert orders["acknowledged"].tolist() == [True]
    assert [seen.body["isAcknowledged"] for seen in server.of("GET /orders")] == [False, True]


def test_open_items_are_those_that_no_word_closes(server: ScriptedServer, staging: Any) -> None:
    """Statuses are matched ignoring case and blanks; unknown ones are open; the caller may pass a list."""
    words = ["shipped", " Shipped ", "CANCELLED", "pending", "", "on its way", "delivered"]
    orders = [_order(i, "2026-02-20", word) for i, word in enumerate(words)]
    server.on("GET /orders", lambda seen: Reply({"data": orders if seen.body["startDate"] == "2026-02-01" else []}))
    client = staging()
    assert cn.load_open_items(client)["order_no"].tolist() == ["3", "4", "5"]
    assert len(cn.load_open_items(client, closed=["pending"])) == 6
    origin = cn.provenance(cn.load_open_items(client, lookback="90D"))
    assert origin is not None
    assert (origin.rows, origin.params["last"]) == (3, "90D")


@pytest.mark.parametrize("orders_first", [False, True])
@pytest.mark.parametrize("extra", [{}, {"newField": 1}])
def test_an_open_line_ships_from_where_its_order_does(
    server: ScriptedServer, staging: Any, orders_first: bool, extra: dict[str, Any]
) -> None:
    """If a line has no warehouse, the order's counts: in both decoders, fresh, from memory and from the cache."""
    codes = [("W1", "W2"), (None, "W2"), ("", "W2"), (None, None), (None, " ")]
    orders = [
        {
            **_order(i, "2026-02-20", "new"),
            "shipFrom": {"warehouseCode": order},
            "lineItems": [{"productSku": "S", "quantity": 1, "status": "new", "shipFromWarehouseCode": line, **extra}],
        }
        for i, (line, order) in enumerate(codes)
    ]
    server.on("GET /orders", lambda seen: Reply({"data": orders if seen.body["startDate"] == "2026-02-01" else []}))
    client = staging()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cn.errors.UnknownFieldsWarning)
        if orders_first:
            cn.load_orders(client, last="180D")
        for _ in range(2):
            found = cn.load_open_items(client)["ship_from_warehouse_code"]
            assert found.fillna("?").tolist() == ["W1", "W2", "W2", "?", "?"]
        lines = cn.load_line_items(client, last="180D")
    assert lines["ship_from_warehouse_code"].fillna("?").tolist() == ["W1", "?", "", "?", "?"]  # as it came
    filled = fill_line_warehouses(lines, cn.load_orders(client, last="180D", refresh=True))
    assert filled["ship_from_warehouse_code"].fillna("?").tolist() == ["W1", "W2", "W2", "?", "?"]


def test_orders_far_outside_their_days_show_that_another_date_is_meant(server: ScriptedServer, staging: Any) -> None:
    """The load warns, and the frame isn't complete."""
    server.on("GET /orders", Reply({"data": [_order(1, "2026-02-10"), _order(2, "2026-02-01")], "total": 2}))
    with pytest.warns(cn.errors.IncompleteWarning, match="1 orders lie more than a day outside"):
        orders = cn.load_orders(staging(), "2026-02-10", "2026-02-11")
    origin = cn.provenance(orders)
    assert origin is not None
    assert (origin.complete, origin.outside, len(orders)) == (False, 1, 1)


def test_a_set_that_moves_between_two_pages_is_read_again(server: ScriptedServer, staging: Any) -> None:
    """If an order of page 1 is acknowledged while page 2 is read, another one would be missed."""
    left = [_order(i, "2026-02-20") for i in range(6)]

    def answer(seen: ReceivedRequest) -> Reply:
        page = seen.body.get("page", 1)
        if page == 2 and len(left) == 6:
            del left[0]
        reported = {"next_page_url": f"{server.url}/orders?page={page + 1}" if page * 2 < len(left) else None}
        return Reply({"data": left[page * 2 - 2 : page * 2], **reported})

    server.on("GET /orders", answer)
    assert len(cn.load_orders(staging(), acknowledged=False)) == 5


def test_an_order_that_leaves_while_another_arrives_hides_nothing(server: ScriptedServer, staging: Any) -> None:
    """The total and the number of distinct orders agree, although one order was missed."""
    there = [_order(i, "2026-02-20") for i in range(6)]

    def answer(seen: ReceivedRequest) -> Reply:
        page = seen.body.get("page", 1)
        if page == 2 and there[0]["orderNo"] == "0":
            del there[0]
            there.append(_order(6, "2026-02-21"))
        return Reply({"data": there[page * 3 - 3 : page * 3], "current_page": page, "last_page": 2, "total": 6})

    server.on("GET /orders", answer)
    orders = cn.load_orders(staging(), acknowledged=False)
    assert orders["order_no"].tolist() == ["1", "2", "3", "4", "5", "6"]


def test_pages_are_asked_side_by_side_when_the_last_is_known(server: ScriptedServer, staging: Any) -> None:
    """All pages arrive in order, whatever the order of answers."""
    orders = [_order(i, "2026-02-20") for i in range(40)]

    def answer(seen: ReceivedRequest) -> Reply:
        page = seen.body.get("page", 1)
        return Reply({"data": orders[page * 2 - 2 : page * 2], "current_page": page, "last_page": 20, "total": 40})

    server.on("GET /orders", answer)
    frame = cn.load_orders(staging(), "2026-02-20", "2026-02-21")
    assert len(frame) == 40
    assert sorted(seen.body.get("page", 1) for seen in server.of("GET /orders")) == list(range(1, 21))


def test_a_page_that_fails_leaves_the_others(server: ScriptedServer, staging: Any) -> None:
    """The other pages are in `.partial`, and the error names the missing one."""
    orders = [_order(i, "2026-02-20") for i in range(10)]

    def answer(seen: ReceivedRequest) -> Reply:
        page = seen.body.get("page", 1)
        if page == 4:
            return Reply(status=503)
        return Reply({"data": orders[page * 2 - 2 : page * 2], "last_page": 5, "total": 10})

    server.on("GET /orders", answer)
    with pytest.raises(cn.errors.IncompleteError, match=r"page 4: Cenports answered .* 503") as caught:
        cn.load_orders(staging(), "2026-02-20", "2026-02-21")
    assert 2 <= len(caught.value.partial) <= 8


def test_after_a_rate_limit_that_does_not_end_nothing_more_is_asked(server: ScriptedServer, staging: Any) -> None:
    """The other months are missing for that reason, and the pages read so far are kept."""

    def answer(seen: ReceivedRequest) -> Reply:
        late = seen.body["startDate"] > "2025-08"
        return (
            Reply(status=429, headers={"Retry-After": "7200"}) if late else Reply({"data": [_order(1, "2025-07-10")]})
        )

    server.on("GET /orders", answer)
    with pytest.raises(cn.errors.IncompleteError, match="too many requests") as caught:
        cn.load_orders(staging(), "2025-07-01", "2025-12-31")
    assert (len(caught.value.partial), len(caught.value.missing), len(server.of("GET /orders"))) == (1, 5, 2)


def test_a_wait_shows_in_the_bar(server: ScriptedServer, staging: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The progress bar shows that the load waits for the rate limit."""
    server.on("GET /orders", Reply(status=429, headers={"Retry-After": "23"}), Reply({"data": [], "total": 0}))
    cn.load_orders(staging(), "2026-02-20", "2026-02-21", progress=True)
    assert "waiting for the rate limit, 23 s" in capsys.readouterr().err
