"""A Dask cluster as `executor=`: equal results, on workers that are processes of their own and may die."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.archive_shop import NOW, copy_archive, open_shop
from support.dying_scan import DyingScan

import cenports_nb as cn

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("cluster")]
FIRST = NOW + timedelta(hours=1)
"""After the first update, before the second."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, first_update: Callable[[str], Path]) -> cn.Archive:
    """An archive of two updates, with a changed order."""
    folder = tmp_path_factory.mktemp("cluster")
    with open_shop(folder / "shop") as shop:
        archive = copy_archive(first_update("keep"), folder / "archive", shop)
        shop.restate("N-12", lambda record: record["lineItems"][0].update(quantity=90))
        shop.wait_days(1)
        archive.update(shop.client)
    return archive


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Start a scheduler with two worker processes, and return where it listens."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def test_a_cluster_by_its_address_gives_the_same(archive: cn.Archive, address: str) -> None:
    """Sales and a restatement are equal to those of one process."""
    import distributed  # noqa: PLC0415 - takes a second

    scan, before = archive.scan_line_items(), archive.scan_line_items(as_of=FIRST)
    with distributed.Client(address) as client:
        executor = client.get_executor()
        sales = cn.summarize_sales(scan, by=["week", "sku"], orders=archive.scan_orders(), executor=executor)
        restated = cn.restatement(before, scan, executor=executor)
    pd.testing.assert_frame_equal(sales, cn.summarize_sales(scan, by=["week", "sku"], orders=archive.scan_orders()))
    alone = cn.restatement(before, scan)
    assert len(alone.lines)
    pd.testing.assert_frame_equal(restated.steps, alone.steps)
    pd.testing.assert_frame_equal(restated.lines, alone.lines)


@pytest.mark.thorough
def test_a_worker_that_dies_changes_nothing(archive: cn.Archive, address: str, tmp_path: Path) -> None:
    """Another one does its month."""
    import distributed  # noqa: PLC0415 - takes a second

    scan = archive.scan_line_items()
    dying = DyingScan(scan, tmp_path / "died", scan.months[1])
    with distributed.Client(address) as client:
        sales = cn.summarize_sales(dying, by="sku", executor=client.get_executor())
    assert dying.marker.exists()
    pd.testing.assert_frame_equal(sales, cn.summarize_sales(scan, by="sku"))


class RecordingExecutor(Executor):
    """Runs each task from its pickle, as a worker does, and records both."""

    def __init__(self) -> None:
        self.tasks: list[bytes] = []
        self.results: list[Any] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.tasks.append(pickle.dumps((fn, args, kwargs)))
        work, given, named = pickle.loads(self.tasks[-1])
        future: Future[Any] = Future()
        self.results.append(work(*given, **named))
        future.set_result(self.results[-1])
        return future


def test_workers_get_no_secret_and_no_personal_data(archive: cn.Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task is the archive's folder, months and column names; the columns read are those that the sums need."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-key")
    monkeypatch.setenv("CENPORTS_CLIENT_SECRET", "hidden-secret")
    orders = archive.load_orders()
    names = set(orders["bill_to_name"].dropna()) | set(orders["ship_to_address1"].dropna())
    assert names
    executor = RecordingExecutor()
    scan = archive.scan_line_items()
    cn.summarize_sales(scan, by=["week", "sku"], orders=archive.scan_orders(), executor=executor)
    cn.restatement(archive.scan_line_items(as_of=FIRST), scan, executor=executor)
    assert len(executor.tasks) == 2 * len(scan.months)
    for data in [*executor.tasks, *map(pickle.dumps, executor.results)]:
        assert b"hidden" not in data
        assert not [name for name in names if name.encode() in data]
    task: Any = pickle.loads(executor.tasks[0])[0]
    read = task.args[1].read(scan.months[0])
    assert list(read.columns) == ["account", "channel_id", "order_no", "grand_total", "ship_to_state"]
