"""Test faults of an archive: nothing is torn or lost, and each gives one clear sentence."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from support.archive_shop import NOW, Shop, made_order

import cenports_nb as cn
from cenports_nb.archive.storage import delta_tables, update_log
from cenports_nb.archive.storage.delta_tables import DeltaTables
from cenports_nb.archive.storage.update_log import BEGIN, UPDATE, UpdateLog, UpdateRecord
from cenports_nb.archive.tables import ACTUAL_STOCK, ORDERS, empty_frame, to_table
from cenports_nb.errors import ArchiveError, AuthenticationError, IncompleteWarning

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("rounds", [1, pytest.param(6, marks=pytest.mark.thorough)])
def test_updates_that_are_killed_leave_nothing_torn(tmp_path: Path, rounds: int) -> None:
    """Runs rounds of `benchmarks/archive_crash.py`, the third with two updates at once; the command runs 200."""
    command = [sys.executable, str(ROOT / "benchmarks" / "archive_crash.py"), "--rounds", str(rounds), "--seed", "11"]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "0 faults" in ran.stdout


def stop_after(monkeypatch: pytest.MonkeyPatch, commits: int) -> None:
    """Stop the update before one of its commits, as if the process were killed."""
    write, append = DeltaTables.replace_month, DeltaTables.append
    done = iter(range(commits))

    def stop(*given: object, then: object) -> None:
        if next(done, None) is None:
            raise KeyboardInterrupt
        then(*given)  # type: ignore[operator]

    monkeypatch.setattr(DeltaTables, "replace_month", lambda *given: stop(*given, then=write))
    monkeypatch.setattr(DeltaTables, "append", lambda *given: stop(*given, then=append))


@pytest.mark.parametrize("commits", [1, 4])
def test_an_update_that_ends_between_two_tables_is_invisible(
    shop: Shop, archive: cn.Archive, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    """Orders are written before their lines; a reader in between gets both as they were."""
    before = archive.load_orders(), archive.load_line_items()
    for number in ("N-06", "N-12"):
        shop.restate(number, lambda record: (record.update(status="x"), record["lineItems"][0].update(price=1.0)))
    with monkeypatch.context() as patched:
        stop_after(patched, commits)
        with pytest.raises(KeyboardInterrupt):
            archive.update(shop.client)
    pd.testing.assert_frame_equal(archive.load_orders(), before[0])
    pd.testing.assert_frame_equal(archive.load_line_items(), before[1])
    archive.update(shop.client)
    live = cn.load_line_items(shop.client, "2026-01-01", "2026-03-10", refresh=True)
    pd.testing.assert_frame_equal(archive.load_line_items().drop(columns="account"), live)


def test_what_a_killed_update_wrote_is_taken_back_if_its_month_is_not_read_again(
    shop: Shop, archive: cn.Archive, folder: Path
) -> None:
    """A torn month is restored from its last complete reading."""
    before = archive.load_orders()
    nothing = to_table(empty_frame(ORDERS), ORDERS, "sandbox:SANDBOX", "2026-01")
    log = UpdateLog(DeltaTables(folder))
    log.append(UpdateRecord("sandbox:SANDBOX", "killed", log.next_instant(shop.clock.now()), BEGIN, {}))
    DeltaTables(folder).replace_month(ORDERS, "sandbox:SANDBOX", "2026-01", nothing)
    archive.update(shop.client)
    pd.testing.assert_frame_equal(archive.load_orders(), before)


def test_a_first_update_that_is_killed_goes_on(
    shop: Shop, new_archive: cn.Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Months that it finished are not requested again, except the latest."""
    with monkeypatch.context() as patched:
        stop_after(patched, 8)
        with pytest.raises(KeyboardInterrupt):
            new_archive.update(shop.client)
    with pytest.raises(cn.errors.InvalidRequestError, match=r"is empty: run archive\.update"):
        new_archive.load_orders()
    shop.sandbox.requests.clear()
    new_archive.update(shop.client)
    asked = {request.params.get("startDate") for request in shop.sandbox.requests if request.path == "/orders"}
    assert asked == {"2026-01-31", "2026-02-28"}
    assert len(new_archive.load_orders()) == len(shop.sandbox.state.orders)


def test_two_updates_at_once_end_with_one_reading(shop: Shop, new_archive: cn.Archive) -> None:
    """The second update waits for the first, and neither fails."""
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(new_archive.update, shop.connect()) for _ in range(2)]:
            done.result()
    assert len(new_archive.load_orders()) == len(shop.sandbox.state.orders)
    assert not new_archive.load_line_items().duplicated(["channel_id", "order_no", "line_item"]).any()


def test_an_incomplete_month_replaces_nothing(shop: Shop, archive: cn.Archive) -> None:
    """The archived month stays, the result calls it incomplete, and the next update reads it again."""
    before = archive.load_orders()
    shop.restate("N-12", lambda record: record["lineItems"][0].update(quantity=7))
    shop.sandbox.faults.add("error_200", "GET /orders", times=None)
    with pytest.warns(IncompleteWarning, match="orders of 2026-02"):
        changed = archive.update(shop.client)
    assert set(changed.query("not complete")["month"]) == {"2026-02", "2026-03"}
    pd.testing.assert_frame_equal(archive.load_orders(), before)
    shop.sandbox.faults.clear()
    archive.update(shop.client)
    assert archive.load_line_items().query("order_no == 'N-12'")["quantity"].tolist() == [7, 1]


def test_an_account_that_lost_access_changes_nothing(shop: Shop, archive: cn.Archive) -> None:
    """The update raises the same error as any call, and the archive stays as it was."""
    before = archive.load_orders()
    shop.add(made_order("NEW", "2026-03-05T10:00:00.000000Z"))
    shop.sandbox.faults.add("unauthorized", times=None)
    with pytest.raises(AuthenticationError):
        archive.update(shop.connect())
    pd.testing.assert_frame_equal(archive.load_orders(), before)


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow past a size."""
    import resource  # noqa: PLC0415 - not on Windows

    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size")
def test_a_full_disk_is_one_sentence(shop: Shop, archive: cn.Archive) -> None:
    """Archived data stays readable, and the next update with enough space continues."""
    before = archive.load_orders()
    shop.add(made_order("NEW", "2026-03-05T10:00:00.000000Z"))
    with shop.connect(cache=False) as client, largest_file(1000), pytest.raises(ArchiveError) as caught:
        archive.update(client)
    assert str(caught.value).endswith("is full: the archive is as it was before. Make room and run the update again.")
    pd.testing.assert_frame_equal(archive.load_orders(), before)
    archive.update(shop.client)
    assert "NEW" in set(archive.load_orders()["order_no"])


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    """A folder with other files is not an archive."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ArchiveError, match="is not an archive and not empty: choose an empty folder"):
        cn.open_archive(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"format": 99, "anything": []}', r"newer version of cenports-nb \(format 99"),
        (b"not json", "is damaged: restore it from a backup"),
        (b'{"format": 1}', "is damaged"),
        (b"", "is damaged"),
    ],
)
def test_a_damaged_or_newer_archive_is_refused(
    new_archive: cn.Archive, folder: Path, content: bytes, words: str
) -> None:
    """The folder stays unchanged."""
    (folder / "cenports-archive.json").write_bytes(content)
    with pytest.raises(ArchiveError, match=words):
        cn.open_archive(folder)
    assert (folder / "cenports-archive.json").read_bytes() == content
    assert new_archive is not None


def test_missing_files_are_one_sentence(shop: Shop, archive: cn.Archive, folder: Path, tmp_path: Path) -> None:
    """For any deleted file, the error names the archive and what to do."""
    for pattern in ("orders/account=*/month=2026-02/*", "orders/_delta_log/*", "updates/*.parquet"):
        copied = Path(shutil.copytree(folder, tmp_path / "copy"))
        for path in copied.glob(pattern):
            path.unlink()
        with pytest.raises(ArchiveError, match="is damaged or incomplete") as caught:
            cn.open_archive(copied).load_orders()
        assert "\n" not in str(caught.value)
        shutil.rmtree(copied)


def test_a_copy_answers_as_the_original(shop: Shop, archive: cn.Archive, folder: Path, tmp_path: Path) -> None:
    """Times of files don't matter: in a copy, `as_of` returns the same."""
    shop.wait_days(1)
    shop.restate("N-12", lambda record: record["lineItems"][0].update(quantity=7))
    archive.update(shop.client)
    for path in sorted(folder.rglob("*")):
        os.utime(path, (1, 1))
    shutil.copytree(folder, tmp_path / "copy", copy_function=shutil.copy)
    copied = cn.open_archive(tmp_path / "copy")
    for moment in ("2026-03-10T12:00Z", None):
        pd.testing.assert_frame_equal(
            copied.load_line_items(as_of=moment), archive.load_line_items(as_of=moment), check_flags=False
        )
    assert copied.load_line_items(as_of="2026-03-10T12:00Z")["quantity"].max() == 2


def test_a_clock_set_back_makes_no_earlier_update(shop: Shop, archive: cn.Archive) -> None:
    """Updates stay in order whatever the clock shows, and the newest is the last."""
    shop.restate("N-12", lambda record: record["lineItems"][0].update(quantity=7))
    shop.clock.elapsed -= 40 * 86_400
    archive.update(shop.client)
    assert archive.load_line_items()["quantity"].max() == 7
    assert archive.load_actual_stock()["read_at"].min() > pd.Timestamp("2026-03-10", tz="UTC")


def test_a_name_that_stands_for_another_account_is_refused(shop: Shop, archive: cn.Archive, folder: Path) -> None:
    """Two accounts never share a name, so their data can't be confused."""
    path = folder / "cenports-archive.json"
    path.write_text(path.read_text().replace("127.0.0.1", "10.0.0.1"))
    with pytest.raises(cn.errors.ConfigurationError, match="the name 'sandbox:SANDBOX' stands for"):
        archive.update(shop.client)


def test_the_log_reaches_back_to_the_first_of_105_updates(tmp_path: Path) -> None:
    """A checkpoint is written after 100; by default Delta then deletes what is 30 days old, here every version stays."""
    tables, account, month = DeltaTables(tmp_path, is_writer=True), "acme", "2026-01"
    frame = cn.schemas.Orders.example(rows=1)
    for night in range(105):
        order = frame.assign(grand_total=float(night))
        tables.replace_month(ORDERS, account, month, to_table(order, ORDERS, account, month))
    assert list((tmp_path / "orders" / "_delta_log").glob("*.checkpoint.parquet"))
    first = tables.version("orders") - 104
    for night in (0, 1, 50, 99, 104):
        assert tables.read(ORDERS, first + night, {account: [month]})["grand_total"].to_pylist() == [float(night)]
    configuration = json.loads(
        next(
            line
            for line in (tmp_path / "orders" / "_delta_log" / f"{0:020}.json").read_text().splitlines()
            if "metaData" in line
        )
    )["metaData"]["configuration"]
    assert configuration["delta.enableExpiredLogCleanup"] == "false"
    assert configuration["delta.logRetentionDuration"] == "interval 36500 days"


def test_many_readings_become_few_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stock that is read every hour, and the table of updates, are compacted; every reading stays."""
    monkeypatch.setattr(delta_tables, "MAX_FILES", 8)
    monkeypatch.setattr(update_log, "MAX_FILES", 8)
    tables = DeltaTables(tmp_path)
    log = UpdateLog(tables)
    for hour in range(11):
        at = NOW + timedelta(hours=hour)
        stock = cn.schemas.ActualStock.example(rows=1).assign(read_at=pd.Timestamp(at), quantity=hour)
        tables.append(ACTUAL_STOCK, to_table(stock, ACTUAL_STOCK, "acme", "2026-03"))
        tables.compact(ACTUAL_STOCK, "acme")
        log.append(UpdateRecord("acme", f"{hour}", at, UPDATE, tables.versions()))
    records = log.read()
    for table in ("actual_stock", "updates"):
        (version,) = {tables.version(table)}
        assert len(tables.open(table, version).file_uris()) < 9  # type: ignore[union-attr]
    for hour in (0, 6, 8, 10):
        version = records[hour].versions["actual_stock"]
        found = tables.read(ACTUAL_STOCK, version, {"acme": ["2026-03"]})
        assert found["quantity"].to_pylist() == list(range(hour + 1))


def test_a_new_field_of_shipments_is_a_new_column(shop: Shop, archive: cn.Archive) -> None:
    """What a shipment looks like is not documented: months before are null there, as they were."""
    before = archive.load_shipments()
    shop.wait_days(1)
    with shop.sandbox.state.lock:
        for shipment in shop.sandbox.state.shipments.find_all("N-12"):
            shipment.record = {**shipment.record, "palletCode": "P-7"}
    archive.update(shop.client)
    after = archive.load_shipments()
    assert after.set_index("order_no")["pallet_code"].dropna().to_dict() == {"N-12": "P-7"}
    pd.testing.assert_frame_equal(after[before.columns], before, check_flags=False)


@pytest.mark.parametrize("account", ["0042", "1e5", "sandbox:P/1", "it's", "None", "Ä \u4e2d"])
def test_the_name_of_an_account_is_text(tmp_path: Path, account: str) -> None:
    """In a partition it stays what it is, in SQL too, and is no other account's."""
    tables, other = DeltaTables(tmp_path), "42"
    for name in (account, other):
        data = to_table(cn.schemas.Orders.example(rows=1), ORDERS, name, "2026-01")
        tables.replace_month(ORDERS, name, "2026-01", data)
    tables.replace_month(ORDERS, other, "2026-01", data.slice(0, 0))
    version = tables.version("orders")
    assert tables.measure("orders", version).keys() == {(account, "2026-01")}
    dataset = tables.dataset(ORDERS, version, {account: ["2026-01"]})
    assert dataset is not None
    assert dataset.to_table(columns=["account"]).to_pylist() == [{"account": account}]
