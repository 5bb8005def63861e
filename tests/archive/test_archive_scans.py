"""Test that sums over a scan, read month by month, equal those of one frame to the cent."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from typing import Any

import pandas as pd
import pytest
from support.archive_shop import NOW, Shop

import cenports_nb as cn
from cenports_nb.sandbox import Sandbox
from cenports_nb.sandbox.clock import Clock

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("archive scans")]

EXCLUDE = ("cancelled", "canceled")


@dataclass(frozen=True)
class TwoReadings:
    """An archive of two updates, with changed orders of every kind between them."""

    archive: cn.Archive
    before: str
    shop: Shop


def change_orders(shop: Shop) -> None:
    """Move orders within and between months, cancel, add and remove some, and change quantities and prices."""
    orders = [order for order in shop.sandbox.state.orders if f"{order.at:%Y-%m}" > "2025-11"]
    chosen = [orders[place].number for place in range(5, len(orders), len(orders) // 24)]
    changes: list[Any] = [
        lambda record: record.update(orderDate="2025-12-05T10:00:00.000000Z"),
        lambda record: record["lineItems"][0].update(quantity=9),
        lambda record: record["lineItems"][0].update(price=0.07),
        lambda record: [line.update(status="cancelled") for line in record["lineItems"]],
        lambda record: record["lineItems"].pop() if len(record["lineItems"]) > 1 else None,
        lambda record: record["pricing"].update(grandTotal=1.07),
    ]
    for place, number in enumerate(chosen):
        if place % 7 == 6:
            shop.remove(number)
        else:
            shop.restate(number, changes[place % 7])


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoReadings]:
    folder = tmp_path_factory.mktemp("scans")
    with Sandbox(orders=240, seed=7, rate_limit=None, clock=Clock(frozen_at=NOW)) as sandbox:
        shop = Shop(sandbox)
        archive = cn.open_archive(folder / "archive", time_zone="America/New_York")
        archive.update(shop.client, start="2025-11-01")
        shop.wait_days(29)
        change_orders(shop)
        archive.update(shop.client)
        yield TwoReadings(archive, f"{NOW + timedelta(days=1):%Y-%m-%d}", shop)
        shop.client.close()


@pytest.mark.parametrize("by", ["day", ["week", "sku"], ["month", "channel", "state"], ()])
def test_sales_of_a_scan_are_those_of_one_frame(readings: TwoReadings, by: Any) -> None:
    """A week across two months is one row, and an order counts once in each group."""
    archive = readings.archive
    scanned = cn.summarize_sales(archive.scan_line_items(), by=by, orders=archive.scan_orders())
    whole = cn.summarize_sales(archive.load_line_items(), by=by, orders=archive.load_orders())
    assert scanned["units"].sum() > 0
    pd.testing.assert_frame_equal(scanned, whole, check_exact=True)


def test_a_process_pool_gives_the_same(readings: TwoReadings) -> None:
    """Another process reads and sums the months, and returns only the sums."""
    scan, before = readings.archive.scan_line_items(), readings.archive.scan_line_items(as_of=readings.before)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        sales = cn.summarize_sales(scan, by=["week", "sku"], exclude=EXCLUDE, executor=executor)
        restated = cn.restatement(before, scan, exclude=EXCLUDE, executor=executor)
    pd.testing.assert_frame_equal(sales, cn.summarize_sales(scan, by=["week", "sku"], exclude=EXCLUDE))
    pd.testing.assert_frame_equal(restated.lines, cn.restatement(before, scan, exclude=EXCLUDE).lines)


@pytest.mark.parametrize("exclude", [(), EXCLUDE])
def test_a_restatement_of_scans_is_that_of_frames(readings: TwoReadings, exclude: tuple[str, ...]) -> None:
    """An unchanged order that moved to another month is no change, in scans as in frames."""
    archive, before = readings.archive, readings.before
    scanned = cn.restatement(archive.scan_line_items(as_of=before), archive.scan_line_items(), exclude=exclude)
    whole = cn.restatement(archive.load_line_items(as_of=before), archive.load_line_items(), exclude=exclude)
    assert {"quantity changed", "price changed", "order gone", "line gone"} <= set(whole.steps["kind"])
    pd.testing.assert_frame_equal(scanned.steps, whole.steps, check_exact=True)
    pd.testing.assert_frame_equal(scanned.lines, whole.lines, check_exact=True)


def test_the_archive_is_what_the_shop_says_now(readings: TwoReadings) -> None:
    """The second update has every change, including those of old months."""
    live = cn.load_line_items(readings.shop.connect(time_zone="America/New_York"), "2025-11-01", "2026-04-08")
    found = readings.archive.load_line_items()
    pd.testing.assert_frame_equal(found.drop(columns="account"), live)


def test_a_scan_reads_month_by_month(readings: TwoReadings) -> None:
    """Its frames together equal the load, and a scan can be pickled."""
    scan = pickle.loads(pickle.dumps(readings.archive.scan_orders("2025-12-15", "2026-02-10")))
    assert scan.months[0] >= "2025-12"
    parts = list(scan)
    assert len(parts) == len(scan.months)
    whole = readings.archive.load_orders("2025-12-15", "2026-02-10")
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole, check_flags=False)


def test_a_scan_without_months_sums_to_nothing(readings: TwoReadings) -> None:
    """The columns are those of an empty frame's result."""
    archive = readings.archive
    nothing = archive.scan_line_items(channel_id="nobody")
    pd.testing.assert_frame_equal(
        cn.summarize_sales(nothing, by="week"),
        cn.summarize_sales(archive.load_line_items(channel_id="nobody"), by="week"),
    )
