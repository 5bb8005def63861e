"""The lease of an archive in a bucket: one that stopped is superseded, and can't write when it wakes up."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from pyarrow import fs
from support.archive_shop import Shop
from support.fake_clock import FakeClock

import cenports_nb as cn
from cenports_nb.archive.storage import lease as leases
from cenports_nb.archive.storage.delta_tables import DeltaTables
from cenports_nb.archive.storage.lease import hold_lease
from cenports_nb.archive.storage.location import find_location
from cenports_nb.archive.storage.update_log import UpdateLog, fold
from cenports_nb.archive.tables import ACTUAL_STOCK, ORDERS, to_table
from cenports_nb.archive.writing.month_writer import MonthWriter
from cenports_nb.errors import ArchiveError

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("s3")]

NOW = datetime(2026, 3, 10, tzinfo=UTC)


def orders(month: str = "2026-03") -> Any:
    return to_table(cn.schemas.Orders.example(rows=1), ORDERS, "acme", month)


def test_a_released_lease_is_taken_at_once(s3: str) -> None:
    """Without waiting, and each holder has a higher number."""
    location, clock, numbers = find_location(f"{s3}/released"), FakeClock(), []
    for _ in range(3):
        with location.lock(clock) as lease:
            assert lease is not None
            assert not lease.is_takeover
            numbers.append(lease.number)
    assert numbers == sorted(set(numbers))
    assert clock.sleeps == []


@pytest.mark.thorough
def test_a_lease_that_is_renewed_is_not_taken(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for it gives up after ten minutes, with nothing changed."""
    location = find_location(f"{s3}/renewed")
    with location.lock(FakeClock()) as lease:
        assert lease is not None
        clock = FakeClock()

        def sleep(seconds: float) -> None:
            clock.advance(seconds * 30)
            lease._commit(leases._open(lease.location), lease.holder)

        monkeypatch.setattr(clock, "sleep", sleep)
        with pytest.raises(ArchiveError, match=r"has been changing .* for more than 10 minutes"), location.lock(clock):
            pass
        lease.confirm()


@pytest.mark.thorough
def test_the_holder_renews_while_it_works(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of its own commits to the lease's table."""
    monkeypatch.setattr(leases, "RENEWAL_SECONDS", 0.01)
    renewed = threading.Event()
    commit = leases.Lease._commit

    def record(lease: leases.Lease, table: Any, holder: str) -> bool:
        if threading.current_thread().name == "archive-lease":
            renewed.set()
        return commit(lease, table, holder)

    monkeypatch.setattr(leases.Lease, "_commit", record)
    with find_location(f"{s3}/renews").lock(FakeClock()):
        assert renewed.wait(20)


def test_one_that_was_superseded_can_not_commit_to_any_table(s3: str) -> None:
    """It held the lease, stopped for longer than that lasts, and wakes up after another has taken over."""
    url = f"{s3}/superseded"
    archive, clock = cn.open_archive(url), FakeClock()
    archive.clock = clock
    with find_location(url).lock(FakeClock()) as stopped:
        assert stopped is not None
        old = DeltaTables(url, stopped, is_writer=True)
        old.replace_month(ORDERS, "acme", "2026-02", orders("2026-02"))
        with archive._open_for_writing() as (tables, log):
            assert clock.elapsed >= leases.LEASE_SECONDS
            before = {**tables.versions(), "updates": tables.version("updates")}
            for work in (
                lambda: old.replace_month(ORDERS, "acme", "2026-03", orders()),
                lambda: old.append(ACTUAL_STOCK, ACTUAL_STOCK.arrow_schema.empty_table()),
                lambda: old.delete_months("orders", "2026-03"),
                lambda: MonthWriter(old, UpdateLog(old), "acme", "1", fold([], "acme"), lambda: NOW).finish(),
                stopped.confirm,
            ):
                with pytest.raises(ArchiveError, match=r"Another process has taken over .* Run the update again"):
                    work()
            tables.replace_month(ORDERS, "acme", "2026-03", orders())
            assert {**tables.versions(), "updates": tables.version("updates")} == {
                **before,
                "orders": before["orders"] + 1,
            }
            assert log.read() == []


@pytest.mark.thorough
def test_a_killed_update_is_superseded_and_taken_back(s3: str, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves its lease and half of its months; the next update waits for the lease, and archives what is there."""
    archive = cn.open_archive(f"{s3}/killed", personal="keep")
    archive.clock = shop.clock
    archive.update(shop.client, start="2026-03-01")
    before = archive.load_line_items()
    shop.restate("N-12", lambda record: record["lineItems"][0].update(quantity=7))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(DeltaTables, "append", die)
        patched.setattr(leases.Lease, "release", lambda lease: lease._is_ended.set())
        with pytest.raises(KeyboardInterrupt):
            archive.update(shop.client)
    pd.testing.assert_frame_equal(archive.load_line_items(), before)
    shop.clock.sleeps.clear()
    archive.update(shop.client)
    assert sum(shop.clock.sleeps) >= leases.LEASE_SECONDS
    assert archive.load_line_items()["quantity"].tolist() == [7, 1]


def test_a_commit_whose_answer_is_lost_is_not_repeated(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store has it, the client sends it again and is refused; a reading of stock would otherwise be there twice."""
    tables = DeltaTables(f"{s3}/lost", is_writer=True)
    stock = cn.schemas.ActualStock.example(rows=2).assign(read_at=pd.Timestamp(NOW))
    data = to_table(stock, ACTUAL_STOCK, "acme", "2026-03")
    tables.append(ACTUAL_STOCK, data)

    import deltalake  # noqa: PLC0415

    write = deltalake.write_deltalake

    def lose_answer(*given: Any, **options: Any) -> None:
        write(*given, **options)
        raise deltalake.exceptions.CommitFailedError("Failed to commit transaction: 0")

    monkeypatch.setattr(deltalake, "write_deltalake", lose_answer)
    tables.append(ACTUAL_STOCK, data)
    assert tables.read(ACTUAL_STOCK, None, {"acme": ["2026-03"]}).num_rows == 4


def test_two_that_see_an_expired_lease_do_not_both_take_it(s3: str) -> None:
    """The store accepts each version once."""
    location = find_location(f"{s3}/race")
    with hold_lease(location, FakeClock()):  # type: ignore[arg-type]
        pass
    seen = [leases._open(location) for _ in range(2)]  # type: ignore[arg-type]
    taken = [leases.Lease(location).try_take(table) for table in seen]  # type: ignore[arg-type]
    assert taken == [True, False]


def test_the_holder_is_that_of_the_version_that_was_seen(s3: str) -> None:
    """Another process commits in between."""
    location = find_location(f"{s3}/seen")
    with location.lock(FakeClock()) as lease:
        assert lease is not None
        seen = leases._open(lease.location)
    assert leases._read_holder(seen) == lease.holder
    assert leases._read_holder(leases._open(lease.location)) == ""


@pytest.mark.thorough
def test_a_lease_that_was_deleted_begins_above_the_last_fence(s3: str) -> None:
    """Its table's versions begin at 0 again, but nobody is shut out by an old takeover."""
    url = f"{s3}/deleted"
    archive = cn.open_archive(url)
    archive.clock = FakeClock()
    location = find_location(url)
    for holder in ("killed", "released"):
        table = leases._open(location)  # type: ignore[arg-type]
        if holder == "killed":
            assert leases.Lease(location).try_take(table)  # type: ignore[arg-type]
        with archive._open_for_writing() as (tables, log):
            log.create()
            tables.replace_month(ORDERS, "acme", "2026-03", orders())
        files = location._open_files()  # type: ignore[union-attr]
        for each in files.get_file_info(fs.FileSelector(leases.LEASE_TABLE, recursive=True)):
            if each.is_file:
                files.delete_file(each.path)
    with archive._open_for_writing() as (tables, _):
        tables.replace_month(ORDERS, "acme", "2026-02", orders("2026-02"))
        assert tables.measure("orders").keys() == {("acme", "2026-02"), ("acme", "2026-03")}
