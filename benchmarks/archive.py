"""What an archive costs, beside the work that nothing can avoid: `python benchmarks/archive.py`.

Each row is two numbers of one run and their ratio:

* a year of orders back as validated frames, beside `json.loads` of the API's answers;
* one month replaced, beside an update that finds nothing new; and whether another month's file changed;
* peak memory of an update of 36 months, beside one of 3 months;
* weekly sales by SKU over a scan, in one process, beside the same exact SQL in DuckDB over the same files: time and
  memory; and in a pool of two processes, and by two Dask workers, beside one;
* many small accounts in one archive, beside a quarter of them: what is opened, listed and read.

The whole size is `--lines 40000000 --months 36 --accounts 1000`; the default is smaller.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import cenports_nb as cn
from cenports_nb.archive.storage.delta_tables import DeltaTables
from cenports_nb.archive.storage.format import ArchivedAccount, ArchiveFormat, write_format
from cenports_nb.archive.storage.update_log import UPDATE, Reading, UpdateLog, UpdateRecord
from cenports_nb.archive.tables import LINE_ITEMS, ORDERS, to_table
from cenports_nb.archive.writing.schedule import list_months, month_days, to_month
from cenports_nb.sandbox import Sandbox

RUNS = 5
ACCOUNT = "acme"
WEEKLY_SQL = """
SELECT strftime(order_date, '%G-W%V') AS week, product_sku, count(DISTINCT (channel_id, order_no)) AS orders,
    count(*) AS lines, sum(quantity) AS units, sum(CAST(price AS DECIMAL(18, 9)) * quantity) AS line_value
FROM line_items GROUP BY ALL ORDER BY ALL
"""


def measure(work: Callable[[], object], runs: int = RUNS) -> float:
    """Time some work; the median of some runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def print_row(name: str, value: str, beside: str, ratio: float, bar: str) -> None:
    print(f"{name:<46} {value:>12} {beside:>16} {ratio:>7.2f}  {bar}")


def run_alone(work: Callable[..., Any], *arguments: Any) -> tuple[float, float, Any]:
    """Run work in a process of its own: seconds, and peak memory with that of its imports, in MiB."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(sender, work, arguments))
    process.start()
    found = receiver.recv()
    process.join()
    return found


def _report(sender: Any, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    start = time.perf_counter()
    result = work(*arguments)
    seconds = time.perf_counter() - start
    sender.send((seconds, _read_peak(), result))


def _read_peak() -> float:
    """Read the peak memory of this process in MiB; `ru_maxrss` would begin with that of its parent."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def compare_loading(folder: Path, orders: int) -> None:
    """A year back as frames, beside `json.loads` of what the API answered."""
    with Sandbox(orders=orders, seed=7, rate_limit=None) as sandbox:
        records = [json.dumps(each.record) for each in sandbox.state.orders]
        pages = ['{"data": [' + ", ".join(records[at : at + 250]) + "]}" for at in range(0, len(records), 250)]
        with cn.connect("sandbox", base_url=sandbox.url, rate_limit=10**6) as client:
            archive = cn.open_archive(folder)
            filled = measure(lambda: archive.update(client, progress=False), 1)
            unchanged = measure(lambda: archive.update(client, progress=False), 1)
            parsed, loaded = [], []
            for _ in range(RUNS):
                parsed.append(measure(lambda: [json.loads(page) for page in pages], 1))
                loaded.append(measure(archive.load_orders, 1))
            raw, frames = statistics.median(parsed), statistics.median(loaded)
            print_row(f"{orders:,} orders back (s), json.loads", f"{frames:.2f}", f"{raw:.2f}", frames / raw, "≤ 0.2")
            with sandbox.state.lock:
                newest = list(sandbox.state.orders)[-1]
                record = {**newest.record, "status": "other"}
                sandbox.state.orders.remove(newest)
                sandbox.state.orders.add(record, acknowledged=True)
            tables = DeltaTables(folder)
            before = tables.list_files("orders", None, "sandbox:SANDBOX")
            archive.update(client, progress=False)
            after = tables.list_files("orders", None, "sandbox:SANDBOX")
        changed = [month for month in after if before.get(month) != after[month]]
        month = to_month(newest.at)
        data = tables.read(LINE_ITEMS, tables.version("line_items"), {"sandbox:SANDBOX": [month]})
        write = measure(lambda: tables.replace_month(LINE_ITEMS, "sandbox:SANDBOX", month, data))
        print_row(f"one month of {data.num_rows:,} lines written (s)", f"{write:.3f}", "1", write, "< 1 s")
        print(f"  the first update took {filled:.1f} s, one that finds nothing new {unchanged:.1f} s, sandbox included")
        print(f"  one changed order rewrote {len(changed)} of {len(after)} months")


def write_months(folder: Path, months: int, orders_a_month: int) -> tuple[Path, str]:
    """Write a shop with as many orders in each of its months."""
    folder.mkdir()
    names = list_months("2020-01", to_month(datetime.now(UTC)))[-months:]
    with (folder / "orders.jsonl").open("w") as file:
        for month in names:
            first = month_days(month)[0]
            for number in range(orders_a_month):
                at = datetime(first.year, first.month, 1, tzinfo=UTC) + timedelta(minutes=number % 1400)
                place = dict.fromkeys(("name", "address1", "address2", "city", "state", "country", "postalCode"), "x")
                line = {"orderNo": f"{month}-{number}", "lineItem": "1", "productSku": f"S{number % 97}", "quantity": 1,
                        "price": 9.99, "status": "shipped", "shipFromWarehouseCode": "W"}  # fmt: skip
                file.write(json.dumps({
                    "orderNo": f"{month}-{number}", "orderDate": f"{at:%Y-%m-%dT%H:%M:%S}.000000Z", "channelId": "EU",
                    "channel": "EU", "status": "shipped", "billTo": place, "shipTo": place, "lineItems": [line],
                    "pricing": {"grandTotal": 9.99},
                }) + "\n")  # fmt: skip
    (folder / "inventories.json").write_text(json.dumps([{"warehouseCode": "W", "warehouseInventory": []}]))
    (folder / "channels.json").write_text(json.dumps([{"channelId": "EU"}]))
    return folder, names[0]


def update_from(url: str, folder: str, start: str) -> int:
    """Archive everything since a month."""
    with cn.connect("sandbox", base_url=url, rate_limit=10**6, cache=False) as client:
        return len(cn.open_archive(folder).update(client, start=f"{start}-01", progress=False))


def compare_memory(folder: Path, orders_a_month: int) -> None:
    """The peak of a first update, of 36 months and of 3."""
    data, first = write_months(folder / "shop", 36, orders_a_month)
    last = list_months(first, to_month(datetime.now(UTC)))[-3]
    with Sandbox(data=data, shift=False, rate_limit=None) as sandbox:
        _, small, _ = run_alone(update_from, sandbox.url, str(folder / "small"), last)
        seconds, large, _ = run_alone(update_from, sandbox.url, str(folder / "large"), first)
    name = f"update of 36 × {orders_a_month:,} orders (MiB), 3 months"
    print_row(name, f"{large:.0f}", f"{small:.0f}", large / small, "≈ 1")
    print(f"  36 months took {seconds:.1f} s")


def write_lines(folder: Path, lines: int, months: int) -> None:
    """Write an archive of line items without asking an API."""
    folder.mkdir(mode=0o700)
    accounts = {ACCOUNT: ArchivedAccount("http://127.0.0.1|P", "sandbox", "P")}
    write_format(folder, ArchiveFormat(1, "mask", "UTC", accounts))
    tables, generator = DeltaTables(folder), np.random.default_rng(7)
    names, size = list_months("2023-01", "2030-01")[:months], lines // months
    readings = []
    for month in names:
        start, after = (pd.Timestamp(day, tz="UTC") for day in month_days(month))
        order = np.sort(generator.integers(0, size // 3 + 1, size))
        seconds = (order * ((after - start).total_seconds() - 1) / (size // 3 + 1)).astype("int64")
        frame = pd.DataFrame({
            "order_no": pd.Series(np.char.mod(f"{month}-%d", order), dtype="str"),
            "channel_id": pd.Series(np.where(order % 3 == 0, "EU", "NA"), dtype="str"),
            "order_date": (start + pd.to_timedelta(seconds, unit="s")).astype("datetime64[us, UTC]"),
            "line_item": pd.Series(order).groupby(order).cumcount().to_numpy() + 1,
            "product_sku": pd.Series(np.char.mod("SKU-%04d", generator.integers(0, 2000, size)), dtype="str"),
            "retailer_sku": pd.Series([None] * size, dtype="str"),
            "product_name": pd.Series(["A product"] * size, dtype="str"),
            "ship_from_warehouse_code": pd.Series(["W"] * size, dtype="str"),
            "quantity": generator.integers(1, 9, size),
            "price": generator.integers(1, 9999, size) / 100,
            "status": pd.Series(["shipped"] * size, dtype="str"),
        })  # fmt: skip
        tables.replace_month(LINE_ITEMS, ACCOUNT, month, to_table(frame, LINE_ITEMS, ACCOUNT, month))
        readings.append(Reading("orders", month, datetime.now(UTC), {"line_items": size}))
    UpdateLog(tables).append(UpdateRecord(ACCOUNT, "1", datetime.now(UTC), UPDATE, tables.versions(), readings))


def import_all(folder: str) -> str:
    """Import what the others need, so that the peak of that is known."""
    cn.open_archive(folder).sql("SELECT 1")
    return str(cn.summarize_sales)


def sum_scan(folder: str) -> tuple[int, float, float]:
    """Sum by week and SKU, month by month."""
    scan = cn.open_archive(folder).scan_line_items()
    start = time.perf_counter()
    sales = cn.summarize_sales(scan, by=["week", "sku"])
    return len(sales), float(sales["line_value"].sum()), time.perf_counter() - start


def sum_in_pool(folder: str) -> tuple[int, float, float]:
    """Sum the same in two processes that are there already."""
    scan = cn.open_archive(folder).scan_line_items()
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        first = scan.months[:1] * 4
        list(executor.map(scan.read, first))
        start = time.perf_counter()
        sales = cn.summarize_sales(scan, by=["week", "sku"], executor=executor)
        return len(sales), float(sales["line_value"].sum()), time.perf_counter() - start


def sum_in_dask(folder: str) -> tuple[int, float, float]:
    """Sum the same by two workers of a Dask cluster."""
    import distributed  # noqa: PLC0415 - memory that no other row has

    scan = cn.open_archive(folder).scan_line_items()
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor(pure=False) as executor,
    ):
        list(executor.map(scan.read, scan.months[:1] * 4))
        start = time.perf_counter()
        sales = cn.summarize_sales(scan, by=["week", "sku"], executor=executor)
        return len(sales), float(sales["line_value"].sum()), time.perf_counter() - start


def sum_sql(folder: str) -> tuple[int, float, float]:
    """Sum the same in SQL."""
    archive = cn.open_archive(folder)
    start = time.perf_counter()
    found = archive.sql(WEEKLY_SQL)
    return len(found), float(found["line_value"].sum()), time.perf_counter() - start


def compare_sums(folder: Path, lines: int, months: int) -> None:
    """Weekly sales by SKU: a scan, DuckDB, and a pool of two."""
    write_lines(folder, lines, months)
    kinds = {"scan": sum_scan, "sql": sum_sql, "pool": sum_in_pool, "dask": sum_in_dask}
    found: dict[str, list[tuple[float, float, Any]]] = {name: [] for name in kinds}
    for _ in range(3):
        for kind, work in kinds.items():
            found[kind].append(run_alone(work, str(folder)))
    _, base, _ = run_alone(import_all, str(folder))
    seconds = {name: statistics.median(each[2][2] for each in runs) for name, runs in found.items()}
    memory = {name: statistics.median(each[1] for each in runs) - base for name, runs in found.items()}
    rows, value, _ = found["scan"][0][2]
    others = [found[name][0][2][:2] for name in ("pool", "dask", "sql")]
    if any(count != rows or abs(total - value) > 0.01 for count, total in others):
        sys.exit("the results differ")
    name = f"weekly by SKU, {lines:,} lines"
    for what, each, bar in (("s", seconds, ""), ("MiB above imports", memory, "< 1,024 MiB; ≤ 2")):
        values = f"{each['scan']:.1f}", f"{each['sql']:.1f}"
        print_row(f"{name} ({what}), DuckDB", *values, each["scan"] / max(each["sql"], 1.0), bar)
    for kind, beside, bar in (("pool", "a pool of two", "≥ 1.6"), ("dask", "two Dask workers", "")):
        faster = seconds["scan"] / seconds[kind]
        print_row(f"one process (s), {beside}", f"{seconds['scan']:.1f}", f"{seconds[kind]:.1f}", faster, bar)


def write_accounts(folder: Path, number: int) -> Path:
    """Write an archive of small accounts, 12 months each, without asking an API."""
    folder.mkdir(mode=0o700)
    names, months = [f"account-{place:05}" for place in range(number)], list_months("2025-01", "2025-12")
    accounts = {name: ArchivedAccount(f"http://127.0.0.1|{name}", "sandbox", name) for name in names}
    write_format(folder, ArchiveFormat(1, "mask", "UTC", accounts))
    tables, at = DeltaTables(folder), datetime(2026, 1, 1, tzinfo=UTC)
    for table, model in ((ORDERS, cn.schemas.Orders), (LINE_ITEMS, cn.schemas.LineItems)):
        one = to_table(model.example(rows=1), table, "", "")
        rows = one.take(np.zeros(number * len(months), dtype="int64"))
        rows = rows.set_column(0, "account", [np.repeat(names, len(months))])
        tables.append(table, rows.set_column(1, "month", [np.tile(months, number)]))
    readings = [Reading("orders", month, at, {"orders": 1, "line_items": 1}) for month in months]
    UpdateLog(tables).append(
        *(
            UpdateRecord(name, name, at + timedelta(seconds=place), UPDATE, tables.versions(), readings)
            for place, name in enumerate(names)
        )
    )
    return folder


def compare_accounts(folder: Path, number: int) -> None:
    """What many accounts cost beside a quarter of them; ratios of 4 are linear."""
    few, many = number // 4, number
    folders = {size: write_accounts(folder / f"accounts-{size}", size) for size in (few, many)}
    works: dict[str, tuple[Callable[[Path], object], str]] = {
        "opened and shown": (lambda path: repr(cn.open_archive(path)), "< 1 s"),
        "contents": (lambda path: cn.open_archive(path).contents(), "< 1 s"),
        "one account loaded": (lambda path: cn.open_archive(path).load_orders(accounts="account-00001"), "< 1 s"),
        "one month of all scanned": (lambda path: cn.open_archive(path).scan_orders().read("2025-03"), "≈ 4"),
        "all counted in SQL": (lambda path: cn.open_archive(path).sql("SELECT count(*) FROM orders"), "≈ 4"),
    }
    for name, (work, bar) in works.items():
        found: dict[int, list[float]] = {few: [], many: []}
        for _ in range(3):
            for size, path in folders.items():
                found[size].append(measure(partial(work, path), 1))
        small, large = (statistics.median(found[size]) for size in (few, many))
        print_row(f"{number:,} accounts (s), {name}", f"{large:.2f}", f"{few}: {small:.2f}", large / small, bar)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=60_000)
    parser.add_argument("--orders-a-month", type=int, default=2_000)
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--accounts", type=int, default=400)
    parser.add_argument("--only", choices=("loading", "memory", "sums", "accounts"))
    given = parser.parse_args()
    print(f"{'':<46} {'archive':>12} {'beside':>16} {'ratio':>7}  bar")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CENPORTS_HOME"] = str(Path(folder) / "home")
        if given.only in (None, "loading"):
            compare_loading(Path(folder) / "year", given.orders)
        if given.only in (None, "memory"):
            compare_memory(Path(folder), given.orders_a_month)
        if given.only in (None, "sums"):
            compare_sums(Path(folder) / "lines", given.lines, given.months)
        if given.only in (None, "accounts"):
            compare_accounts(Path(folder), given.accounts)


if __name__ == "__main__":
    main()
