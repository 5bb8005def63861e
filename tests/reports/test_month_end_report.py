"""Test the month-end report: totals equal a recount, inputs are frozen, and changes between two runs are listed."""

from __future__ import annotations

import copy
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from support.report_runs import build_environment, cards, run, visible

import cenports_nb as cn
from cenports_nb.sandbox import Sandbox

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("month-end report")]

ZONE = "America/New_York"
Record = dict[str, Any]
Sums = dict[tuple[str, str], tuple[int, Decimal]]


@dataclass(frozen=True)
class Run:
    """A run's output, and the recount of the server's records at that time."""

    page: str
    folder: Path
    sums: Sums


@dataclass(frozen=True)
class Runs:
    """Three runs of one month: the first, a restated one, and one without changes."""

    out: Path
    month: str
    first: Run
    second: Run
    third: Run


def find_month(record: Record) -> str:
    """Return an order's month in the account's zone; exactly midnight UTC is a plain day."""
    instant = datetime.fromisoformat(record["orderDate"])
    plain = f"{instant:%H%M%S%f}".strip("0") == ""
    return f"{instant if plain else instant.astimezone(ZoneInfo(ZONE)):%Y-%m}"


def recount(sandbox: Sandbox, month: str) -> Sums:
    """Calculate units and money by channel and SKU with Decimal."""
    sums: defaultdict[tuple[str, str], tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for record in (order.record for order in sandbox.state.orders if find_month(order.record) == month):
        for each in record["lineItems"]:
            if each["status"].lower() not in ("cancelled", "canceled"):
                units, money = sums[record["channelId"], each["productSku"]]
                value = Decimal(str(each["price"])) * each["quantity"]
                sums[record["channelId"], each["productSku"]] = units + each["quantity"], money + value
    return dict(sums)


def restate(sandbox: Sandbox, number: str, change: Callable[[Record], object]) -> None:
    """Change an order on the server."""
    with sandbox.state.lock:
        order = next(order for order in sandbox.state.orders if order.number == number)
        record = copy.deepcopy(order.record)
        sandbox.state.orders.remove(order)
        change(record)
        sandbox.state.orders.add(record, acknowledged=True)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("month-end")
    with Sandbox(rate_limit=None) as sandbox:
        month = f"{datetime.now(ZoneInfo(ZONE)).replace(day=1) - timedelta(days=1):%Y-%m}"
        environ = build_environment(folder, sandbox.url, CENPORTS_TIME_ZONE=ZONE)

        def once() -> Run:
            before = set((folder / "out").glob("month-end/*"))
            ran = run(folder, "month-end", "--env", "sandbox", "--html", environ=environ)
            assert ran.returncode == 0, ran.stderr
            (own,) = set((folder / "out").glob("month-end/*")) - before - {folder / "out" / "month-end" / ".lock"}
            return Run((folder / "out" / "month-end.html").read_text("utf-8"), own, recount(sandbox, month))

        first = once()
        inside = [order.record for order in sandbox.state.orders if find_month(order.record) == month]
        several = [record for record in inside if len(record["lineItems"]) > 1]
        restate(sandbox, several[0]["orderNo"], lambda record: record["lineItems"][0].update(status="Cancelled"))
        restate(sandbox, several[1]["orderNo"], lambda record: record["lineItems"][0].update(quantity=91, price=0.07))
        restate(sandbox, several[2]["orderNo"], lambda record: record["pricing"].update(grandTotal=1234.56))
        with sandbox.state.lock:
            sandbox.state.orders.remove(
                next(order for order in sandbox.state.orders if order.number == several[3]["orderNo"])
            )
        sandbox.add_order(copy.deepcopy(several[4]) | {"orderNo": "late-entry"}, acknowledged=True)
        second = once()
        yield Runs(folder / "out", month, first, second, once())


def money(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))


@pytest.mark.parametrize("which", ["first", "second", "third"])
def test_totals_tie_to_a_recount(runs: Runs, which: str) -> None:
    """Headline, file and workbook equal the server's records: units exactly, money to the cent."""
    ran: Run = getattr(runs, which)
    top = cards(ran.page)
    assert money(top["units"]) == sum(units for units, _ in ran.sums.values())
    assert money(top["value of the lines (money)"]) == sum(value for _, value in ran.sums.values())
    reported = pd.read_csv(ran.folder / "channel-sku.csv", dtype="str")
    rows = {
        (row.channel_id, row.product_sku): (int(row.units), Decimal(row.line_value)) for row in reported.itertuples()
    }
    assert {key: (units, round(value, 2)) for key, (units, value) in rows.items()} == ran.sums
    sheet = pd.read_excel(
        ran.folder / f"month-end-{runs.month}.xlsx", sheet_name="channel and SKU", dtype={"units": int}
    )
    assert sheet["units"].sum() == sum(units for units, _ in ran.sums.values())


def test_the_first_run_says_that_there_is_none_before(runs: Runs) -> None:
    """It doesn't claim that nothing was restated."""
    assert f"There is no earlier run of {runs.month} here" in runs.first.page


def test_each_restatement_shows_its_units_and_money(runs: Runs) -> None:
    """One order is late, one removed, one line cancelled, one changed in quantity and price."""
    reported = pd.read_csv(runs.second.folder / "restated-lines.csv")
    assert set(reported["kind"]) == {"order added", "order gone", "cancelled", "quantity changed", "price changed"}
    assert "late-entry" in set(reported["order_no"].astype("str"))
    (total,) = pd.read_csv(runs.second.folder / "restated-totals.csv").itertuples()
    assert total.after == 1234.56


def test_steps_lead_from_the_total_before_to_the_total_now(runs: Runs) -> None:
    """Both totals are recounts, and the steps add up to the cent."""
    steps = pd.read_csv(runs.second.folder / "restated-steps.csv", dtype="str")
    values = [round(Decimal(value), 2) for value in steps["line_value"]]
    units = [int(value) for value in steps["units"]]
    totals = [
        (sum(units for units, _ in ran.sums.values()), sum(value for _, value in ran.sums.values()))
        for ran in (runs.first, runs.second)
    ]
    assert [(units[0], values[0]), (units[-1], values[-1])] == totals
    assert (sum(units[:-1]), sum(values[:-1])) == totals[1]


def test_a_run_with_nothing_new_says_so(runs: Runs) -> None:
    """It is compared with the latest run, not the first."""
    assert f"Compared with the run of {runs.second.folder.name}." in runs.third.page
    assert "Nothing was restated" in runs.third.page


def test_every_run_is_kept_with_what_it_was_made_from(runs: Runs) -> None:
    """A later run doesn't change an earlier one, and each folder is complete."""
    for ran in (runs.first, runs.second, runs.third):
        names = set(visible(ran.folder))
        assert {
            "orders.parquet",
            "line-items.parquet",
            "channels.parquet",
            "month-end.ipynb",
            "month-end.html",
        } <= names
        page = (ran.folder / "month-end.html").read_text("utf-8")
        assert [link for link in re.findall(r'href="([^"]+)"', page) if not (ran.folder / link).is_file()] == []
        assert cards(page) == cards(ran.page)


def test_frozen_inputs_give_the_same_report_again(runs: Runs) -> None:
    """The Parquet files keep dtypes and provenance."""
    lines = pd.read_parquet(runs.first.folder / "line-items.parquet")
    reported = cn.summarize_sales(lines, by=["channel", "sku"], exclude=["cancelled", "canceled"])
    rows = {(row.channel_id, row.product_sku): row.units for row in reported.itertuples()}
    assert rows == {key: units for key, (units, _) in runs.first.sums.items()}
    assert cn.provenance(lines).complete
    assert json.loads((runs.first.folder / "frozen.json").read_text())["month"] == runs.month


def test_nothing_frozen_names_a_person(runs: Runs) -> None:
    """Neither columns nor rejects do."""
    orders = pd.read_parquet(runs.first.folder / "orders.parquet")
    assert {"order_no", "grand_total", "channel_id"} <= set(orders.columns)
    assert [name for name in orders.columns if re.search("name|address|phone|email|msg", name)] == [
        "ship_from_warehouse_name"
    ]
