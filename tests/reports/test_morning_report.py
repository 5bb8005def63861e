"""Test the morning report on Northwind and an empty shop; numbers are recounted from the server's data."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from support.report_runs import build_environment, cards, links, read_examples, run
from support.report_shops import empty_shop

from cenports_nb.sandbox import Sandbox

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("morning report")]

ZONE = "America/New_York"
OLD = "forgotten-1"


@dataclass(frozen=True)
class Morning:
    """A run and its server."""

    out: Path
    page: str
    sandbox: Sandbox
    began: datetime


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    """Run on Northwind, with an unacknowledged order of last year and three shipments without tracking."""
    folder = tmp_path_factory.mktemp("morning")
    with Sandbox(rate_limit=None) as sandbox:
        newest = [order for order in sandbox.state.orders if order.acknowledged][-1]
        forgotten = copy.deepcopy(newest.record) | {"orderNo": OLD, "orderDate": "2025-01-15T12:00:00.000000Z"}
        for each in forgotten["lineItems"]:
            each |= {"orderNo": OLD, "status": "pending"}
        sandbox.add_order(forgotten)
        with sandbox.state.lock:
            for shipment in sandbox.state.shipments.select("NW-EU")[-3:]:
                shipment.record["trackingNumber"] = None
        began = sandbox.clock.now()
        environ = build_environment(folder, sandbox.url, CENPORTS_TIME_ZONE=ZONE)
        ran = run(folder, "morning", "--env", "sandbox", "--html", "-p", "rows_shown=5", environ=environ)
        assert ran.returncode == 0, ran.stderr
        yield Morning(folder / "out", (folder / "out" / "morning.html").read_text(encoding="utf-8"), sandbox, began)


def table(morning: Morning, name: str) -> pd.DataFrame:
    """Read the file of a table."""
    (link,) = [link for link in links(morning.page) if link.endswith(f"/{name}.csv")]
    return pd.read_csv(morning.out / link, dtype="str")


def test_all_unacknowledged_orders_are_listed(morning: Morning) -> None:
    """Those before the report's days are included; the oldest comes first."""
    waiting = {order.number for order in morning.sandbox.state.orders if not order.acknowledged}
    reported = table(morning, "not-acknowledged")
    assert set(reported["order_no"]) == waiting
    assert reported["order_no"][0] == OLD
    assert cards(morning.page)["orders not acknowledged"] == str(len(waiting))


def test_late_orders_are_counted_in_working_days_of_the_account(morning: Morning) -> None:
    """The recount goes day by day in the account's zone."""
    zone = ZoneInfo(ZONE)
    today = morning.began.astimezone(zone).date()
    late = {
        order.number
        for order in morning.sandbox.state.orders
        if order.count_reserved() and working_days(find_day(order.at, zone), today) >= 2
    }
    assert set(table(morning, "late")["order_no"]) == late
    assert cards(morning.page)["orders late"] == str(len(late))


def find_day(instant: datetime, zone: ZoneInfo) -> date:
    """Return an order's day; exactly midnight UTC is a plain day."""
    return instant.date() if f"{instant:%H%M%S%f}".strip("0") == "" else instant.astimezone(zone).date()


def working_days(first: date, today: date) -> int:
    return sum((first + timedelta(days=each)).weekday() < 5 for each in range((today - first).days))


def test_oversold_skus_have_more_open_units_than_stock(morning: Morning) -> None:
    """Open units of all orders are compared with the server's stock."""
    wanted: Counter[tuple[str, str]] = Counter()
    for order in morning.sandbox.state.orders:
        wanted += order.count_reserved()
    short = {
        key: units - morning.sandbox.state.stock.quantities[key]
        for key, units in wanted.items()
        if units > morning.sandbox.state.stock.quantities[key]
    }
    reported = table(morning, "oversold")
    assert {(row.warehouse_code, row.product_sku): int(row.short) for row in reported.itertuples()} == short
    assert cards(morning.page)["units short"] == f"{sum(short.values()):,}"


def test_shipments_without_tracking_are_listed(morning: Morning) -> None:
    """Three shipments have no tracking number."""
    lost = {shipment.number for shipment in morning.sandbox.state.shipments.select("NW-EU")[-3:]}
    assert set(table(morning, "without-tracking")["order_no"]) == lost


def test_a_table_shows_its_first_rows_and_where_all_are(morning: Morning) -> None:
    """The parameter asks for five rows."""
    assert re.search(r"5 of \d+ rows; all in <a href=\"morning/[^\"]+/late.csv\">late.csv</a>", morning.page)


def test_times_are_those_of_the_account(morning: Morning) -> None:
    """The page names the zone."""
    assert f"times and days in {ZONE}" in morning.page
    first = pd.Timestamp(table(morning, "late")["order_date"][1])
    assert first.utcoffset() is not None
    assert f"{first:%Y-%m-%d %H:%M}" in morning.page


def test_no_person_is_in_page_notebook_or_files(morning: Morning) -> None:
    """The report goes to the whole office."""
    records = [order.record for order in morning.sandbox.state.orders]
    people = {value for record in records for value in (record["customerName"], record["contactName"]) if value}
    people |= {record["shipTo"]["address1"] for record in records}
    reported = "".join(path.read_text(encoding="utf-8") for path in morning.out.rglob("*") if path.is_file())
    assert len(people) > 200
    assert [name for name in people if name in reported] == []


def test_headings_heads_and_pictures_are_named(morning: Morning) -> None:
    """One h1, then h2; table heads have a scope, pictures a text; title and language are set."""
    assert re.findall(r"<h([1-6])", morning.page) == ["1", *["2"] * 8]
    assert '<html lang="en">' in morning.page
    assert "<title>Morning report</title>" in morning.page
    assert morning.page.count("<table>") == morning.page.count("<thead><tr><th")
    assert [tag for tag in re.findall(r"<th\b[^>]*>", morning.page) if 'scope="col"' not in tag] == []
    pictures = re.findall(r"<img\b[^>]*>", morning.page)
    assert len(pictures) == 4
    assert [tag[:80] for tag in pictures if not re.search(r'alt="[A-Z][^"]{5,}"', tag)] == []


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run reports on a shop without orders and stock: the morning report as the page on reports does."""
    folder = tmp_path_factory.mktemp("nothing")
    with Sandbox(data=empty_shop(folder / "data"), shift=False, rate_limit=None) as sandbox:
        ran = run(folder, "month-end", "--env", "sandbox", "--html", url=sandbox.url)
        assert (ran.returncode, ran.stderr.count("Warning")) == (0, 0)
        example: dict[str, Any] = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.setenv("CENPORTS_BASE_URL", sandbox.url)
            exec(read_examples()[0], example)
        assert example["run"].verdict == (0, "")
    paths = {"month-end": folder / "out" / "month-end.html", "morning": folder / example["run"].page}
    return {name: path.read_text("utf-8") for name, path in paths.items()}


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        (
            "morning",
            [
                "Every order is acknowledged.",
                "No order has waited",
                "Nothing is oversold.",
                "Every shipment of the last",
            ],
        ),
        ("month-end", ["There is no earlier run of", "Nothing was sold in"]),
    ],
)
def test_a_shop_without_anything_reads_well(nothing: dict[str, str], name: str, sentences: list[str]) -> None:
    """Sentences replace empty tables, and there is no warning."""
    page = nothing[name]
    assert [sentence for sentence in sentences if sentence not in page] == []
    assert "stderr" not in page.partition("<main>")[2]
    assert "nan" not in page.partition("<main>")[2].partition("base64")[0].lower()
