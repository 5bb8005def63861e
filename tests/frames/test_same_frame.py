"""Test that the same query gives the same frame from any source, and that frames share no data."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from support.fake_clock import FakeClock
from support.frame_origins import count_answers, read_origin
from support.scripted_server import ReceivedRequest, Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.errors import IncompleteError, IncompleteWarning, OfflineMissError, RejectedRowsWarning
from cenports_nb.sandbox import Sandbox
from cenports_nb.sandbox.dialect import Dialect

pytestmark = pytest.mark.slow

Connect = Callable[..., cn.Client]
WINTER = ("1998-01-02", "1998-03-30")
JUNE = ("2026-06-01", "2026-06-30")
HOUR, DAY = 3600.0, 86_400.0


def _same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    assert_frame_equal(left, right, check_exact=True, check_index_type=True, check_column_type=True)


def _order(number: str, *skus: str, **changes: Any) -> dict[str, Any]:
    lines = [{"productSku": sku, "quantity": 1, "price": 1.25, "status": "Shipped"} for sku in skus]
    order = {"orderNo": number, "channelId": "X", "orderDate": "2026-06-10T10:00:00Z", "lineItems": lines}
    return {**order, **changes}


@contextmanager
def _northwind(**dialect: Any) -> Iterator[Sandbox]:
    with Sandbox(shift=False, rate_limit=None, dialect=Dialect(**dialect)) as sandbox:
        yield sandbox


@contextmanager
def _client(sandbox: Sandbox, **given: Any) -> Iterator[cn.Client]:
    with cn.connect("sandbox", base_url=sandbox.url, rate_limit=100_000, **given) as client:
        yield client


@pytest.fixture(scope="module")
def plain() -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Load both frames of the winter fresh."""
    with pytest.MonkeyPatch.context() as patch, _northwind() as sandbox:
        patch.delenv("CENPORTS_PROFILE", raising=False)
        with _client(sandbox, cache=False) as client:
            yield cn.load_orders(client, *WINTER), cn.load_line_items(client, *WINTER)


Frames = tuple[pd.DataFrame, pd.DataFrame]


def test_cached_remembered_refreshed_and_offline_frames_are_the_fresh_one(plain: Frames, tmp_path: Path) -> None:
    """Cells, dtypes and labels are equal; only the provenance differs."""
    orders, lines = plain
    with _northwind() as sandbox:
        with _client(sandbox, cache=tmp_path) as client:
            fresh, remembered = cn.load_orders(client, *WINTER), cn.load_line_items(client, *WINTER)
            cached, of_cache = cn.load_orders(client, *WINTER, channel_id=None), cn.load_orders(client, *WINTER)
            lines_first = cn.load_line_items(client, *WINTER)
            again = cn.load_line_items(client, *WINTER)
            refreshed, lines_refreshed = (
                load(client, *WINTER, refresh=True) for load in (cn.load_orders, cn.load_line_items)
            )
        with _client(sandbox, cache=tmp_path, offline=True) as client:
            off, lines_off = cn.load_orders(client, *WINTER), cn.load_line_items(client, *WINTER)
            with pytest.raises(OfflineMissError):
                cn.load_orders(client, "1997-01-01", "1997-01-02")
    for frame in (fresh, cached, of_cache, refreshed, off):
        _same(frame, orders)
    for frame in (remembered, lines_first, again, lines_refreshed, lines_off):
        _same(frame, lines)
    number = len(lines)
    assert (number, sum(orders["line_count"])) == (number, number)
    requests = read_origin(fresh).requests
    assert requests > 0
    assert [count_answers(frame) for frame in (fresh, refreshed, lines_refreshed)] == [(requests, 0)] * 3
    assert [count_answers(frame) for frame in (remembered, cached, of_cache, again, off, lines_off)] == [
        (0, requests)
    ] * 6


@pytest.mark.parametrize(
    "dialect",
    [
        {"pages": "none"},
        {"pages": "links"},
        {"pages": "numbers"},
        {"pages": "next"},
        {"pages": "total"},
        {"order_cap": 30},
        {"order_cap": 50, "pages": "none"},
        {"sorting": "newest"},
        {"sorting": "none", "repeats": True, "pages": "none"},
        {"end_included": False},
        {"time_zone": "Pacific/Auckland"},
        {"line_numbers": "number"},
        {"envelope": "list", "pages": "none"},
        {"get_parameters": "either", "relative_links": True},
    ],
    ids=str,
)
def test_however_cenports_answers_the_frames_are_the_same(plain: Frames, dialect: dict[str, Any]) -> None:
    """One page or several, in any order, with numbers only the lenient decoder reads."""
    with _northwind(**dialect) as sandbox, _client(sandbox) as client:
        orders, remembered = cn.load_orders(client, *WINTER), cn.load_line_items(client, *WINTER)
        lines = cn.load_line_items(client, *WINTER)
    _same(orders, plain[0])
    _same(remembered, plain[1])
    _same(lines, plain[1])


def test_a_page_that_needs_care_and_many_pages_change_nothing(server: ScriptedServer, staging: Connect) -> None:
    """One order of sixty has a text quantity; pages have 60, 7 or 1 orders."""
    orders = [_order(f"{number:02}", "S", "T", customerName=f"n{number}") for number in range(60)]
    careful = [
        *orders[:30],
        {**orders[30], "lineItems": [{**line, "quantity": "1"} for line in orders[30]["lineItems"]]},
    ]
    careful += orders[31:]
    found = []
    for records, size in ((orders, 60), (careful, 60), (careful, 7), (careful, 1)):
        last = -(-60 // size)

        def answer(seen: ReceivedRequest, records: Any = records, size: int = size, last: int = last) -> Reply:
            start = (int((seen.body or {}).get("page", seen.query.get("page", 1))) - 1) * size
            return Reply({"data": records[start : start + size], "last_page": last, "total": 60})

        server.on("GET /orders", answer)
        client = staging(cache=False)
        found.append((cn.load_orders(client, *JUNE), cn.load_line_items(client, *JUNE)))
        assert count_answers(found[-1][0]) == (last, 0)
    for frames in found[1:]:
        _same(frames[0], found[0][0])
        _same(frames[1], found[0][1])
    assert (len(found[0][0]), len(found[0][1])) == (60, 120)


LOADERS: dict[str, Callable[[cn.Client], pd.DataFrame]] = {
    "orders": lambda client: cn.load_orders(client, *JUNE),
    "line_items": lambda client: cn.load_line_items(client, *JUNE),
    "open_items": lambda client: cn.load_open_items(client, lookback="30D"),
    "shipments": lambda client: cn.load_shipments(client, *JUNE, channel_id="X"),
    "actual_stock": cn.load_actual_stock,
    "available_stock": lambda client: cn.load_available_stock(client, "X"),
    "warehouses": cn.load_warehouses,
    "channels": cn.load_channels,
}


def _answer_all(server: ScriptedServer, *, empty: bool) -> None:
    row = {
        "productSku": "S",
        "quantity": "1",
        "isDiscontinued": False,
        "nextAvailabilityDate": "2026-07-01",
        "nextAvailabileQuantity": "5",
        "productExtras": [{"a": 1}],
    }
    answers = {
        "GET /orders": [_order("A", "S", status="new"), _order("B", "T", pricing={"grandTotal": 5})],
        "GET /shipments": [{"orderNo": "A", "channelId": "X", "shipDate": "2026-06-11", "acknowledged": True}],
        "GET /inventories": [{"warehouseCode": "W", "warehouseName": "w", "warehouseInventory": [row]}],
        "GET /channels": [{"channelId": "X", "channelName": "x"}],
    }
    answers["GET /orders"][0]["lineItems"][0]["status"] = None  # type: ignore[index]
    for call, records in answers.items():
        server.on(call, Reply({"data": [] if empty else records, "last_page": 1}))


@pytest.mark.parametrize("name", LOADERS)
def test_an_empty_frame_is_one_like_any_other(server: ScriptedServer, staging: Connect, name: str) -> None:
    """Columns, dtypes and index are equal, and a concat with a full frame changes none of them."""
    june = FakeClock()
    june.advance(105 * DAY)
    _answer_all(server, empty=False)
    full = LOADERS[name](staging(june, cache=False))
    _answer_all(server, empty=True)
    kept = staging(june)
    empty, cached = LOADERS[name](kept), LOADERS[name](kept)
    _same(empty, cached)
    assert (len(full) > 0, len(empty)) == (True, 0)
    _same(empty, full.iloc[:0].reset_index(drop=True))
    for together in (pd.concat([empty, full]), pd.concat([full, empty])):
        _same(together, full)
    assert (read_origin(empty).rows, read_origin(empty).complete, len(cn.rejected(empty))) == (0, True, 0)  # type: ignore[arg-type]
    if name != "shipments":
        assert list(full.columns) == list(getattr(cn.schemas, _schema(name)).to_schema().columns)


def _schema(name: str) -> str:
    return "LineItems" if name == "open_items" else "".join(word.capitalize() for word in name.split("_"))


def _failing(seen: ReceivedRequest) -> Reply:
    """Serve 300 orders in an answer that may be cut; the last of its parts fails, the others have one order each."""
    whole = seen.body["startDate"] == "2026-05-31" and seen.body["endDate"] == "2026-07-02"
    if not whole and seen.body["endDate"] == "2026-07-02":
        return Reply(status=500)
    return Reply({"data": [_order(f"A{number}", "S") for number in range(300 if whole else 1)]})


@pytest.mark.parametrize("name", ["orders", "line_items"])
def test_a_partial_frame_is_the_whole_one_with_rows_left_out(
    server: ScriptedServer, staging: Connect, name: str
) -> None:
    """Columns and dtypes are equal, both in the error and on request."""
    load = {"orders": cn.load_orders, "line_items": cn.load_line_items}[name]
    server.on("GET /orders", Reply({"data": [_order("A0", "S")], "last_page": 1}))
    whole = load(staging(cache=False), *JUNE, channel_id="X")
    server.on("GET /orders", _failing)
    client = staging(cache=False)
    with pytest.raises(IncompleteError) as caught:
        load(client, *JUNE, channel_id="X")
    with pytest.warns(IncompleteWarning):
        partial = load(client, *JUNE, channel_id="X", allow_partial=True)
    _same(caught.value.partial, whole)
    _same(partial, whole)
    assert [read_origin(frame).complete for frame in (whole, partial, caught.value.partial)] == [True, False, False]


def test_a_partial_reading_is_not_remembered_as_a_whole_one(server: ScriptedServer, staging: Connect) -> None:
    """Lines after partial orders are requested and checked again."""
    server.on("GET /orders", _failing)
    client = staging()
    with pytest.warns(IncompleteWarning):
        cn.load_orders(client, *JUNE, channel_id="X", allow_partial=True)
    before = len(server.of("GET /orders"))
    server.on("GET /orders", Reply({"data": [_order("A0", "S")]}))
    with pytest.raises(IncompleteError, match="of its records are in none of the smaller windows"):
        cn.load_line_items(client, *JUNE, channel_id="X")
    assert len(server.of("GET /orders")) > before


@pytest.fixture
def rejecting(server: ScriptedServer, staging: Connect) -> Frames:
    """Load frames of four orders with two rejects: an order and a line."""
    records = [_order("A", "S", "T"), _order("B", "S", orderDate="soon"), _order("C", "U", "S"), _order("D")]
    records[2]["lineItems"][0]["quantity"] = "x"
    server.on("GET /orders", Reply({"data": records, "last_page": 1}))
    client = staging()
    with pytest.warns(RejectedRowsWarning):
        orders = cn.load_orders(client, *JUNE)
    with pytest.warns(RejectedRowsWarning):
        return orders, cn.load_line_items(client, *JUNE)


OPERATIONS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "copy": lambda frame: frame.copy(),
    "filter": lambda frame: frame[frame["order_no"] != "D"],
    "query": lambda frame: frame.query("order_no == 'A'"),
    "sort": lambda frame: frame.sort_values("order_no", ascending=False),
    "columns": lambda frame: frame[["order_no", "channel_id"]],
    "assign": lambda frame: frame.assign(more=1),
    "reset": lambda frame: frame.set_index("order_no").reset_index(),
    "head": lambda frame: frame.head(1),
    "rename": lambda frame: frame.rename(columns={"order_no": "number"}),
    "concat": lambda frame: pd.concat([frame, frame]),
    "merge": lambda frame: frame.merge(frame[["order_no"]].drop_duplicates(), on="order_no"),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("which", [0, 1], ids=["orders", "lines"])
def test_what_pandas_makes_of_a_frame_still_knows_itsread_origin(rejecting: Frames, which: int, operation: str) -> None:
    """Its rejects are kept too."""
    frame = rejecting[which]
    made = OPERATIONS[operation](frame)
    rejects, kept = cn.rejected(frame), cn.rejected(made)
    assert rejects is not None
    assert kept is not None
    _same(kept, rejects)
    assert (read_origin(made), rejects["record_index"].tolist()) == (read_origin(frame), [[1], [1, 2]][which])


@pytest.mark.parametrize("which", [0, 1], ids=["orders", "lines"])
def test_a_frame_comes_back_from_parquet_as_it_went(rejecting: Frames, tmp_path: Path, which: int) -> None:
    """Cells, dtypes, provenance and rejects are equal."""
    frame = rejecting[which]
    frame.to_parquet(tmp_path / "frame.parquet")
    back = pd.read_parquet(tmp_path / "frame.parquet")
    _same(back, frame)
    assert read_origin(back) == read_origin(frame)
    _same(cn.rejected(back), cn.rejected(frame))  # type: ignore[arg-type]


def test_groups_and_joins_are_those_of_ordinary_frames(plain: Frames) -> None:
    """Keys are grouped, counted and joined by their text."""
    orders, lines = plain
    sizes = lines.groupby(["channel_id", "order_no"])["product_sku"].size()
    joined = orders.merge(sizes.rename("lines").reset_index(), on=["channel_id", "order_no"], validate="one_to_one")
    assert (joined["lines"] == joined["line_count"]).all()
    assert len(joined) == len(orders) > 100


@pytest.mark.parametrize("which", [0, 1], ids=["orders", "lines"])
def test_a_frame_is_its_owners_to_write_in(northwind: Sandbox, client: cn.Client, which: int) -> None:
    """Every column can be assigned in place without changing an earlier or later frame."""
    loads = (cn.load_orders, cn.load_line_items)
    first, second = cn.load_orders(client, *WINTER), cn.load_line_items(client, *WINTER)
    whole = (first.copy(), second.copy())
    written = (first, second)[which]
    for column in written.columns:
        written.loc[0, column] = written[column].iloc[-1]
    assert_frame_equal(written.iloc[[0]].reset_index(drop=True), written.iloc[[-1]].reset_index(drop=True))
    written[written.columns[0]] = "gone"
    _same((first, second)[1 - which], whole[1 - which])
    for number, load in enumerate(loads):
        _same(load(client, *WINTER), whole[number])


def test_a_quantity_can_be_written(client: cn.Client) -> None:
    """Assigning a quantity is a user's usual first step."""
    lines = cn.load_line_items(client, *WINTER)
    lines.loc[0, "quantity"] = 5
    lines["price"] *= 2
    lines.loc[lines["status"] == "Shipped", "status"] = "done"
    assert (lines.loc[0, "quantity"], "Shipped" in set(lines["status"])) == (5, False)


def test_as_of_is_the_oldest_answer_of_a_mix(timed: cn.Client, clock: FakeClock) -> None:
    """A month fetched an hour later doesn't change the frame's age."""
    began = clock.now()
    winter = cn.load_orders(timed, *WINTER)
    clock.advance(HOUR)
    more = cn.load_orders(timed, WINTER[0], "1998-04-29")
    fresh, kept = count_answers(more)
    assert (read_origin(winter).as_of, read_origin(more).as_of) == (began, began)
    assert (fresh > 0, 0 < kept < read_origin(winter).requests + 1) == (True, True)
    lines = cn.load_line_items(timed, WINTER[0], "1998-04-29")
    assert (read_origin(lines).as_of, count_answers(lines)) == (began, (0, fresh + kept))
    refreshed = cn.load_orders(timed, *WINTER, refresh=True)
    assert read_origin(refreshed).as_of == began + timedelta(hours=1)
    assert len(set(more["order_no"])) == len(more) > len(winter)


def test_what_the_cache_has_is_not_lost_when_cenports_is_down(server: ScriptedServer, staging: Connect) -> None:
    """Old months come from the cache; the current one is named as missing."""

    def answer(seen: ReceivedRequest) -> Reply:
        start = seen.body["startDate"]
        return Reply({"data": [{**_order(f"A-{start}", "S"), "orderDate": f"{start}T10:00:00Z"}], "last_page": 1})

    clock = FakeClock()
    days = ("2025-09-01", "2026-03-01")
    server.on("GET /orders", answer)
    whole = cn.load_orders(staging(clock), *days, channel_id="X")
    clock.advance(3600)
    server.on("GET /orders", Reply(status=503))
    with pytest.raises(IncompleteError) as caught:
        cn.load_orders(staging(clock), *days, channel_id="X")
    assert 0 < len(caught.value.partial) < len(whole)
    assert caught.value.missing["start"].min() > pd.Timestamp("2026-01-15")
