"""Many accounts in one archive: what is read doesn't grow with their number, beyond their rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from support.archive_shop import NOW, Shop

import cenports_nb as cn
from cenports_nb.archive.storage.delta_tables import DeltaTables
from cenports_nb.archive.storage.format import ArchivedAccount, ArchiveFormat, write_format
from cenports_nb.archive.storage.update_log import BEGIN, UPDATE, Reading, UpdateLog, UpdateRecord
from cenports_nb.archive.tables import ACTUAL_STOCK, LINE_ITEMS, ORDERS, to_table

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("archive scale")]

MONTHS = ("2026-01", "2026-02")


def write_accounts(folder: Path, names: list[str]) -> None:
    """Write an archive of small accounts without asking an API; every second one has a month less."""
    folder.mkdir(mode=0o700)
    accounts = {name: ArchivedAccount(f"http://127.0.0.1|{name}", "sandbox", name) for name in names}
    write_format(folder, ArchiveFormat(1, "mask", "UTC", accounts))
    tables = DeltaTables(folder, is_writer=True)
    log = UpdateLog(tables)
    examples = [(ORDERS, cn.schemas.Orders.example(rows=1)), (LINE_ITEMS, cn.schemas.LineItems.example(rows=1))]
    stock = cn.schemas.ActualStock.example(rows=1).assign(read_at=pd.Timestamp(NOW))
    for place, name in enumerate(names):
        readings = []
        for month in MONTHS[place % 2 :]:
            at = pd.Timestamp(f"{month}-05", tz="UTC")
            for table, example in examples:
                frame = example.assign(order_date=at, order_no=f"{name} {month}")
                tables.replace_month(table, name, month, to_table(frame, table, name, month))
            readings.append(Reading("orders", month, NOW, {"orders": 1, "line_items": 1}))
        tables.append(ACTUAL_STOCK, to_table(stock, ACTUAL_STOCK, name, "2026-03"))
        log.append(UpdateRecord(name, name, log.next_instant(NOW), UPDATE, tables.versions(), readings))


ASKED: dict[str, Callable[[cn.Archive], object]] = {
    "contents": lambda archive: archive.contents(),
    "repr": repr,
    "sql": lambda archive: archive.sql("SELECT count(*) FROM orders JOIN line_items USING (account, order_no)"),
    "scan": lambda archive: list(archive.scan_line_items(allow_partial=True)),
    "load": lambda archive: archive.load_orders("2026-02-01", "2026-02-28", allow_partial=True),
    "stock": lambda archive: archive.load_actual_stock("2026-03-10", "2026-03-10"),
}


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[int, cn.Archive]:
    """Archives of three and of nine accounts."""
    folder = tmp_path_factory.mktemp("scale")
    for number in (3, 9):
        write_accounts(folder / f"{number}", [f"account {place}" for place in range(number)])
    return {number: cn.open_archive(folder / f"{number}") for number in (3, 9)}


@pytest.mark.parametrize("name", ASKED)
def test_tables_are_opened_as_often_for_nine_accounts_as_for_three(
    archives: dict[int, cn.Archive], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Opening reads a log that grows with the accounts; once for each of them, it would be quadratic."""
    opened: list[str] = []
    real = DeltaTables.open

    def count(self: DeltaTables, table: str, version: int | None = None) -> object:
        opened.append(table)
        return real(self, table, version)

    monkeypatch.setattr(DeltaTables, "open", count)
    counts = {}
    for number, archive in archives.items():
        opened.clear()
        ASKED[name](archive)
        counts[number] = len(opened)
    assert 0 < counts[3] == counts[9]


def test_each_account_has_its_own_rows(archives: dict[int, cn.Archive]) -> None:
    """Although they are read together; in the order that was asked for."""
    archive = archives[9]
    orders = archive.load_orders(allow_partial=True)
    assert [f"{row.account} {row.order_date:%Y-%m}" for row in orders.itertuples()] == orders["order_no"].tolist()
    assert len(orders) == 2 * 5 + 4
    chosen = archive.load_orders(accounts=["account 7", "account 2"])
    assert chosen["account"].tolist() == ["account 7", "account 2", "account 2"]
    found = archive.sql("SELECT account, month, order_no FROM orders ORDER BY account, month")
    assert found["order_no"].tolist() == orders["order_no"].tolist()
    contents = archive.contents().query("table == 'orders'")
    assert contents.groupby("account")["rows"].sum().tolist() == [2, 1, 2, 1, 2, 1, 2, 1, 2]


def test_many_accounts_are_named_in_one_line(archives: dict[int, cn.Archive]) -> None:
    """The first of them, in the repr and in errors."""
    names = "account 0, account 1, account 2, account 3, account 4 and 4 more"
    assert names in repr(archives[9])
    with pytest.raises(cn.errors.InvalidRequestError, match=names):
        archives[9].load_orders(accounts="acme")


def test_an_account_in_the_middle_of_an_update_is_read_as_it_was(shop: Shop, folder: Path) -> None:
    """The others at the latest versions: in frames, scans, contents and SQL alike."""
    names = ["one", "two", "three"]
    write_accounts(folder, names)
    tables, archive = DeltaTables(folder), cn.open_archive(folder)
    log = UpdateLog(tables)
    before = archive.load_orders(allow_partial=True)
    log.append(UpdateRecord("two", "running", log.next_instant(NOW), BEGIN, {}))
    changed = cn.schemas.Orders.example(rows=3)
    tables.replace_month(ORDERS, "two", "2026-02", to_table(changed, ORDERS, "two", "2026-02"))
    archive.update(shop.client)
    after = archive.load_orders(allow_partial=True)
    assert len(after) == len(before) + len(shop.sandbox.state.orders)
    same = after[after["account"].isin(names)].reset_index(drop=True)
    pd.testing.assert_frame_equal(same, before, check_flags=False)
    counted = archive.sql("SELECT account, count(*) AS n FROM orders GROUP BY account ORDER BY account")
    assert counted["n"].tolist() == after.groupby("account").size().tolist()
    contents = archive.contents().query("table == 'orders'")
    assert contents.groupby("account")["rows"].sum().tolist() == counted["n"].tolist()
    log.append(UpdateRecord("two", "running", log.next_instant(NOW), UPDATE, tables.versions()))
    assert len(archive.load_orders(accounts="two")) == 3


def test_an_update_of_one_account_touches_no_file_of_another(shop: Shop, folder: Path) -> None:
    """The folders of the others are as they were, and as of an instant before the update all is as it was."""
    write_accounts(folder, ["one", "two"])
    archive = cn.open_archive(folder)
    files = {path: path.stat().st_mtime_ns for path in folder.glob("*/account=*/**/*.parquet")}
    before = archive.load_orders(allow_partial=True)
    shop.wait_days(1)
    archive.update(shop.client)
    others = [path for path in folder.glob("*/account=*/**/*.parquet") if "SANDBOX" not in str(path)]
    assert {path: path.stat().st_mtime_ns for path in others} == files
    earlier = archive.load_orders(as_of=NOW + timedelta(hours=1), allow_partial=True)
    pd.testing.assert_frame_equal(earlier, before, check_flags=False)
