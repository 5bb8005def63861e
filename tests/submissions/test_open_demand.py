"""Test counts net of open orders: orders that ship, are cancelled or arrive between plan and sending."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pandas as pd
import pytest
from support.fake_clock import FakeClock
from support.staging import connect_staging

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import StaleStockError
from cenports_nb.frames.line_status import CLOSED_WORDS
from cenports_nb.notebook.review.decision import Decision
from cenports_nb.notebook.review.revalidation import apply_stale_stock
from cenports_nb.notebook.review.review_table import build_review_table
from cenports_nb.sandbox import Sandbox
from cenports_nb.stock.plans.metadata import OpenLinesQuery, read_metadata
from cenports_nb.submissions.final_rows import compare_with_stock
from cenports_nb.submissions.gateway import ClientGateway
from cenports_nb.submissions.rules.decide import Evidence, Policy, decide
from cenports_nb.submissions.rules.models import Row
from cenports_nb.submissions.rules.moments import Moment
from cenports_nb.submissions.submit import check_rows

pytestmark = pytest.mark.slow

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALL = "PATCH /inventories"
Change = Callable[["Shop"], None]


class Shop:
    """An account with orders of the last months: two SKUs of one warehouse with 90 units, and one order of 30 each."""

    def __init__(self, sandbox: Sandbox, client: Client, clock: FakeClock) -> None:
        self.sandbox, self.client, self.clock = sandbox, client, clock
        lines = [  # `record` would copy each of them
            (order, place, line["productSku"])
            for order in sandbox.state.orders
            for place, line in enumerate(order._record["lineItems"])
            if str(line["status"]).lower() not in CLOSED_WORDS
        ]
        units = Counter(sku for _, _, sku in lines)
        stock = sandbox.state.stock.quantities
        found = [line for line in lines if units[line[2]] == 1]
        self.code = next(code for code, sku in stock if sku == found[0][2])
        found = [line for line in found if (self.code, line[2]) in stock][:2]
        self.orders = [order for order, _, _ in found]
        self.lines = [order.record["lineItems"][place] for order, place, _ in found]
        self.skus = [sku for _, _, sku in found]
        for line in self.lines:
            line["quantity"] = 30
            stock[self.code, line["productSku"]] = 90
        self._answer_anew()

    def plan(self, *, basis: str = "net_of_open", **more: Any) -> pd.DataFrame:
        """Plan a count of three more than the books, net of open orders: 93 on the shelf, less 30."""
        counted = 63 if basis == "net_of_open" else 93
        counts = pd.DataFrame({"warehouse_code": self.code, "product_sku": self.skus, "quantity": counted})
        actual = cn.load_actual_stock(self.client, refresh=True)
        lines = cn.load_open_items(self.client, refresh=True) if basis == "net_of_open" else None
        return cn.build_true_up(counts, actual, **{"basis": basis, "open_items": lines, **more})

    def submit(self, updates: pd.DataFrame, **more: Any) -> cn.Submission:
        return cn.submit_updates(self.client, updates, progress=False, **more)

    def close_line(self, status: str, at: int = 0) -> None:
        with self.sandbox.state.lock:
            self.lines[at]["status"] = status
            self._answer_anew()

    def sell(self, units: int, at: int = 0) -> None:
        with self.sandbox.state.lock:
            self.sandbox.state.settle()
            self.sandbox.state.stock.quantities[self.code, self.skus[at]] -= units

    def order(self, units: int) -> None:
        with self.sandbox.state.lock:
            self.lines[0]["quantity"] += units
            self._answer_anew()

    def _answer_anew(self) -> None:
        for order in self.orders:
            order._payload = None

    @property
    def stock(self) -> list[int]:
        with self.sandbox.state.lock:
            self.sandbox.state.settle()
            return [self.sandbox.state.stock.quantities[self.code, sku] for sku in self.skus]

    @property
    def sent(self) -> list[dict[str, int]]:
        """Return the SKUs and quantities of each write received."""
        return [
            {item["productSKU"]: item["quantity"] for item in request.params["inventories"]}
            for request in self.sandbox.requests
            if request.method == "PATCH"
        ]

    def count_readings(self) -> int:
        """Return the number of requests for orders."""
        return sum(request.path == "/orders" for request in self.sandbox.requests)


def ship(shop: Shop, at: int = 0) -> None:
    """Ship the order: it leaves both shelf and books."""
    shop.sell(30, at)
    shop.close_line("shipped", at)


def cancel(shop: Shop) -> None:
    """Cancel the order; it may also have shipped without the books knowing."""
    shop.close_line("cancelled")


def reorder(shop: Shop) -> None:
    """Order ten more units."""
    shop.order(10)


def lose(shop: Shop) -> None:
    """Thirty left the books that no open line had: another sale, or an order that shipped while the plan was made."""
    shop.sell(30)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Sandbox(rate_limit=None) as sandbox:
        clock = FakeClock(sandbox)
        with connect_staging(sandbox, clock) as client:
            yield Shop(sandbox, client, clock)


def read_rows(submission: cn.Submission) -> list[list[Any]]:
    return submission.outcomes.sort_values("product_sku")[["quantity", "outcome"]].values.tolist()


def outcome(submission: cn.Submission, shop: Shop) -> str:
    """Return the outcome of the SKU whose order changes."""
    return str(submission.outcomes.set_index("product_sku")["outcome"][shop.skus[0]])


def message(submission: cn.Submission, shop: Shop) -> str:
    return str(submission.outcomes.set_index("product_sku")["message"][shop.skus[0]])


def test_demand_that_stays_is_sent(shop: Shop) -> None:
    """Counted and open units are both on the shelf."""
    submission = shop.submit(shop.plan(), on_stale="rebase").wait(progress=False)
    assert read_rows(submission) == [[93, "applied"], [93, "applied"]]
    assert shop.stock == [93, 93]


def test_open_lines_are_read_once_for_each_reading_of_stock(shop: Shop) -> None:
    """They are not read for plans without added demand, or rows sent regardless of changes."""
    plans = [shop.plan(), shop.plan(), shop.plan(basis="on_hand")]
    before = shop.count_readings()
    cn.load_open_items(shop.client, refresh=True)
    once = shop.count_readings() - before
    readings = []
    for updates, on_stale in zip(plans, ("raise", "force", "raise"), strict=True):
        before = shop.count_readings()
        shop.submit(updates, on_stale=on_stale, dry_run=True)
        readings.append(shop.count_readings() - before)
    assert (once > 0, readings) == (True, [once, 0, 0])
    before = shop.count_readings()
    shop.submit(plans[0])
    assert shop.count_readings() - before == once


@pytest.mark.parametrize(
    ("change", "on_stale", "text"),
    [
        (ship, "raise", "stock moved from 90 to 60 and open demand moved from 30 to 0"),
        (cancel, "rebase", "open demand moved from 30 to 0"),
        (reorder, "raise", "open demand moved from 30 to 40"),
        (lose, "rebase", "stock moved from 90 to 60"),
    ],
)
def test_unexplained_changes_are_refused(shop: Shop, change: Change, on_stale: str, text: str) -> None:
    """Nothing is sent, and the error names the row and its change; a dry run does the same."""
    updates = shop.plan()
    change(shop)
    with pytest.raises(StaleStockError) as dry:
        shop.submit(updates, on_stale=on_stale, dry_run=True)
    with pytest.raises(StaleStockError) as caught:
        shop.submit(updates, on_stale=on_stale)
    assert str(dry.value) == str(caught.value)
    assert f"the first {shop.skus[0]} in {shop.code} ({text}). Nothing was sent" in str(caught.value)
    assert str(caught.value).startswith("The stock or open demand of 1 row moved since")
    assert list(caught.value.stale.columns) == [
        "warehouse_code", "product_sku", "current_quantity", "stock_now", "quantity", "open_quantity", "open_now",
    ]  # fmt: skip
    assert shop.sent == []


@pytest.mark.parametrize(
    ("change", "on_stale", "quantity"),
    [(ship, "rebase", 63), (reorder, "rebase", 93), (cancel, "force", 93)],
)
def test_explained_changes_are_rebased_and_forced_rows_are_sent(
    shop: Shop, change: Change, on_stale: str, quantity: int
) -> None:
    """Shipped units leave books and shelf, ordered ones neither."""
    updates = shop.plan()
    change(shop)
    dry = shop.submit(updates, on_stale=on_stale, dry_run=True, allow=("max_drop",))
    assert dry.outcomes.set_index("product_sku")["quantity"][shop.skus[0]] == quantity
    submission = shop.submit(updates, on_stale=on_stale, allow=("max_drop",)).wait(progress=False)
    assert (outcome(submission, shop), shop.stock) == ("applied", [quantity, 93])


@pytest.mark.parametrize("change", [ship, reorder])
def test_rows_whose_demand_changed_are_dropped(shop: Shop, change: Change) -> None:
    """The others are sent, and the row's message has the change."""
    updates = shop.plan()
    change(shop)
    dry = shop.submit(updates, on_stale="drop", dry_run=True)
    submission = shop.submit(updates, on_stale="drop").wait(progress=False)
    assert (outcome(dry, shop), outcome(submission, shop)) == ("dropped", "dropped")
    assert "pen demand moved from 30 to " in message(submission, shop)
    assert shop.sent == [{shop.skus[1]: 93}]


def leave_unsent(shop: Shop, on_stale: str) -> cn.Submission:
    """Make a submission whose batch was refused by the rate limit."""
    shop.sandbox.faults.add("too_many", CALL, times=None)
    submission = shop.submit(shop.plan(), on_stale=on_stale)
    shop.sandbox.faults.clear()
    assert outcome(submission, shop) == "not_sent"
    return submission


@pytest.mark.parametrize(
    ("change", "on_stale", "quantity", "ends"),
    [
        (None, "raise", 93, "applied"),
        (ship, "raise", 93, "not_sent"),
        (ship, "drop", 93, "dropped"),
        (ship, "rebase", 63, "applied"),
        (cancel, "rebase", 93, "not_sent"),
        (lose, "rebase", 93, "not_sent"),
        (ship, "force", 93, "applied"),
    ],
)
def test_resume_reads_open_lines_again(
    shop: Shop, change: Change | None, on_stale: str, quantity: int, ends: str
) -> None:
    """Rows of changed orders are dropped; a day later the same orders are compared."""
    submission = leave_unsent(shop, on_stale)
    if change is not None:
        change(shop)
    shop.clock.advance(86_400)
    submission.resume().wait(progress=False)
    first, second = (submission.outcomes.set_index("product_sku").loc[sku] for sku in shop.skus)
    assert (first["quantity"], first["outcome"], second["outcome"]) == (quantity, ends, "applied")
    if ends in ("not_sent", "dropped"):
        assert " moved from " in first["message"]


def test_a_rebased_row_that_was_refused_is_compared_with_what_it_was_rebased_on(shop: Shop) -> None:
    """The journal keeps the demand of the new numbers, not the plan's."""
    updates = shop.plan()
    ship(shop)
    shop.sandbox.faults.add("too_many", CALL, times=None)
    submission = shop.submit(updates, on_stale="rebase", allow=("max_drop",))
    shop.sandbox.faults.clear()
    ship(shop, 1)
    submission.resume().wait(progress=False)
    assert read_rows(submission) == [[63, "applied"], [63, "applied"]]
    assert shop.stock == [63, 63]


def test_a_row_in_doubt_is_not_repeated_when_its_demand_changed(shop: Shop) -> None:
    """The stock is unchanged, but the added demand is no longer open."""
    shop.sandbox.faults.add("drop", CALL)
    submission = shop.submit(shop.plan(), on_stale="rebase")
    assert outcome(submission, shop) == "in_doubt"
    cancel(shop)
    submission.resume()
    assert outcome(submission, shop) == "in_doubt"
    assert "not sent again: open demand moved from 30 to 0 since it was planned. Look" in message(submission, shop)
    assert [list(sent) for sent in shop.sent[1:]] == [[shop.skus[1]]]


def test_a_batch_that_waited_is_compared_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second batch waits six minutes for the rate limit; meanwhile its order ships."""
    reserve = ClientGateway.reserve
    calls = []

    def wait_long(gateway: ClientGateway) -> float:
        calls.append(gateway)
        if len(calls) == 2:
            shop.clock.advance(360)
            shop.close_line("cancelled", 1)
        return reserve(gateway)

    updates = shop.plan()
    monkeypatch.setattr(ClientGateway, "reserve", wait_long)
    submission = shop.submit(updates, batch_size=1)
    found = submission.outcomes.set_index("product_sku")
    assert found["outcome"].tolist().count("not_sent") == 1
    assert "open demand moved from 30 to 0" in found.loc[shop.skus[1], "message"]
    assert shop.sent == [{shop.skus[0]: 93}]


def test_stock_at_the_count_keeps_its_own_demand(shop: Shop) -> None:
    """Units shipped since the count are in the stock by now, so today's demand isn't compared."""
    then, lines = cn.load_actual_stock(shop.client, refresh=True), cn.load_open_items(shop.client, refresh=True)
    ship(shop)
    updates = shop.plan(at_count=then, open_items=lines)
    submission = shop.submit(updates, allow=("max_drop",)).wait(progress=False)
    assert (outcome(submission, shop), shop.stock) == ("applied", [63, 93])


def test_the_same_lines_are_read_again(shop: Shop) -> None:
    """The query has the same number of days, statuses and channels."""
    channel = cn.load_channels(shop.client)["channel_id"].iloc[0]
    options = {"lookback": "365D", "closed": ["shipped"], "channel_id": [channel]}
    lines = cn.load_open_items(shop.client, refresh=True, **options)
    metadata = read_metadata(shop.plan(open_items=lines))
    first_day = f"{shop.clock.now() - pd.Timedelta(days=364):%Y-%m-%d}"
    assert metadata is not None
    assert metadata.open_lines == OpenLinesQuery(first_day, ["shipped"], [channel])
    shop.clock.advance(3 * 86_400)
    expected = lines.groupby(["ship_from_warehouse_code", "product_sku"])["quantity"].sum().to_dict()
    found = ClientGateway(shop.client).read_open_quantities(metadata.open_lines)
    assert {key: expected[key] for key in found} == found


def test_lines_without_provenance_are_not_compared(shop: Shop) -> None:
    """Their query is unknown."""
    lines = pd.DataFrame(cn.load_open_items(shop.client).to_dict("list"))
    updates = shop.plan(open_items=lines)
    reorder(shop)
    assert outcome(shop.submit(updates), shop) == "pending"


def test_a_review_says_what_moved(shop: Shop) -> None:
    """The row is unticked, with the demand beside it."""
    updates = shop.plan()
    actual = cn.load_actual_stock(shop.client)
    objections = cn.check_updates(updates, actual)
    table = build_review_table(updates, check_rows(updates), actual, objections)
    ship(shop)
    with pytest.raises(StaleStockError) as caught:
        shop.submit(updates)
    revalidation = apply_stale_stock(table, Decision((0, 1), (), {}), caught.value.stale)
    assert "The stock or open demand of 1 ticked row changed" in revalidation.messages[0]
    assert "open demand moved from 30 to 0" in str(revalidation.table.objections["message"].tolist())


@pytest.mark.parametrize("on_stale", ["raise", "rebase", "drop", "force"])
def test_the_frame_and_the_last_look_decide_alike(on_stale: str) -> None:
    """Each row is checked before the journal entry and just before sending, by the same rule."""
    cases = list(product((None, 5), (None, 2, 5, 9), (None, 4), (0, 1, 4, 7)))
    planned, now, open_planned, open_now = map(list, zip(*cases, strict=True))
    open_now = [None if before is None else after for before, after in zip(open_planned, open_now, strict=True)]
    frame = pd.DataFrame({"warehouse_code": "W", "product_sku": [f"S{item}" for item in range(len(cases))]})
    actual = frame.assign(quantity=pd.array(now, "Int64")).dropna()
    columns = {"current_quantity": planned, "open_quantity": open_planned, "open_now": open_now}
    frame = frame.assign(
        type="TRUE_UP",
        quantity=8,
        excluded=pd.Series([None] * len(cases), dtype="str"),
        **{name: pd.array(values, "Int64") for name, values in columns.items()},
    )
    found = compare_with_stock(frame, actual, on_stale)
    rows = [
        Row("s", item, 0, item, "W", f"S{item}", "TRUE_UP", 8, planned[item], planned[item], open_quantity=before)
        for item, before in enumerate(open_planned)
    ]
    demand = {item: units for item, units in enumerate(open_now) if units is not None}
    policy = Policy(on_stale, is_repeatable=False, compares_stock=True, max_drop=1.0, max_drop_from=1)
    decision = decide(rows, Evidence(Moment(NOON), dict(enumerate(now)), demand), policy)
    names = ["product_sku", "quantity", "current_quantity", "open_quantity"]
    leaves = found[(found["outcome"] == "not_sent") & ~found["is_stale"]]
    sent = [[getattr(row, name) for name in names] for row in decision.send]
    assert sent == [[None if pd.isna(value) else value for value in row] for row in leaves[names].values.tolist()]
    assert [row.product_sku for row in decision.withhold] == found.loc[found["is_stale"], "product_sku"].tolist()
    dropped = found[found["outcome"] == "dropped"]
    for row, sku, text in zip(decision.drop, dropped["product_sku"], dropped["message"], strict=True):
        assert (row.product_sku, text.split(" since")[0].lower() in str(row.message)) == (sku, True)
