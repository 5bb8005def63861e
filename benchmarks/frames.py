"""How fast and how small frames are built: `python benchmarks/frames.py [--orders 60000] [--lines 150000] [--large 600000]`.

Pages of 300 orders are fetched from a sandbox into a cache once; then they are read from there, again and again,
beside `json.loads` of the very same bytes, in one process and in turn. Medians of several runs; the ratio is what
lasts. Memory is the peak of a process of its own, beside the frames that it returns. The sandbox runs in a process of
its own too: its objects would make json.loads look faster, as they keep Python's garbage collector from looking.
What comparing stock costs is in stock.py, which runs at the end.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pandas as pd

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.api.http.record_page import RecordPage
from cenports_nb.api.retrieval import cached_windows
from cenports_nb.frames.loaders.line_item_cache import LineItemCache
from cenports_nb.frames.schema import schemas
from cenports_nb.sandbox import Clock, Sandbox
from cenports_nb.sandbox.data.generated import generate_seed
from cenports_nb.settings import resolve_settings

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
DAYS = ("2025-05-20", "2026-05-20")
RUNS = 5
MIB = 2**20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=60_000)
    parser.add_argument(
        "--lines", type=int, default=0, help="of these orders; 0 leaves them as generated, about 2.05 each"
    )
    parser.add_argument("--large", type=int, default=600_000, help="for the growth; 0 leaves it out")
    parser.add_argument("--measure", nargs=3, metavar=("URL", "CACHE", "RESULT"), help=argparse.SUPPRESS)
    parser.add_argument("--serve", nargs=2, type=int, metavar=("ORDERS", "LINES"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure_memory(*arguments.measure)
        return
    if arguments.serve:
        serve(*arguments.serve)
        return
    with served(arguments.orders, arguments.lines) as (client, folder):
        cn.load_orders(client, *DAYS, progress=False)
        memory(client, folder)
        speed(client, folder)
    if arguments.large:
        growth(arguments.orders // 10, arguments.large)
    print("\nstock")
    subprocess.run([sys.executable, Path(__file__).parent / "stock.py"], check=True)


def speed(client: Client, folder: Path) -> None:
    """Time the loads beside json.loads of the same bytes."""
    pages = pages_in(folder)
    orders, lines = load(client)
    size = sum(map(len, pages)) / 1e6
    print(f"{len(pages)} pages, {size:.0f} MB, {len(orders):,} orders, {len(lines):,} lines; medians of {RUNS} runs\n")
    found = rounds(
        {
            "json.loads, records kept": lambda: [json.loads(page) for page in pages],
            "json.loads, one page at a time": lambda: [len(json.loads(page)) for page in pages],
            "cached pages -> validated orders + line items": lambda: load(client),
            "the same, one thread": lambda: on_one_thread(client),
            "line items alone, orders already loaded": Timed(lambda: load_orders(client), lambda: load_lines(client)),
        }
    )
    base, streamed = found["json.loads, records kept"], found["json.loads, one page at a time"]
    both = found["cached pages -> validated orders + line items"]
    validated = statistics.median(
        seconds(lambda: (schemas.Orders.validate(orders, lazy=True), schemas.LineItems.validate(lines, lazy=True)))
        for _ in range(RUNS)
    )
    normalised = statistics.median(seconds(lambda: normalise(pages)) for _ in range(3))
    with_texts(folder)
    client.component(LineItemCache, LineItemCache).clear()
    lenient = statistics.median(rounds({"": lambda: load(client)}, runs=3).values())
    head("time", "s", "x json.loads", "bar")
    row("json.loads, records kept", base, 1, "")
    row("json.loads, one page at a time", streamed, streamed / base, "")
    row("cached pages -> validated orders + line items", both, both / base, "0.5", over=both / base > 0.5)
    row("    beside json.loads one page at a time", both, both / streamed, "")
    one = found["the same, one thread"]
    row("    one thread", one, one / base, "")
    row("pd.json_normalize of both", normalised, normalised / base, "")
    row("    how many times faster", both, normalised / both, "10 or more", over=normalised / both < 10)
    row("every page through the lenient decoder", lenient, lenient / base, "2", over=lenient / base > 2)
    alone = found["line items alone, orders already loaded"]
    row("line items alone, orders loaded: x of the first", alone, alone / both, "0.15", over=alone / both > 0.15)
    row("pandera: x of the first", validated, validated / both, "0.15", over=validated / both > 0.15)


def memory(client: Client, folder: Path) -> None:
    """Measure the peak of a process that loads, beside its frames."""
    if not Path("/proc/self/clear_refs").exists():
        print("\nmemory: measured on Linux only")
        return
    head("memory, peak of a process", "frames MiB", "beside them", "bar")
    for what, name in (("fresh", "a fresh load, page by page"), ("cached", "from the cache")):
        with tempfile.TemporaryDirectory() as other:
            result = Path(other) / "result"
            home = Path(other) if what == "fresh" else folder
            command = [sys.executable, __file__, "--measure", client.settings.base_url, str(home), str(result)]
            subprocess.run(command, check=True)
            frames, beside = map(float, result.read_text().split())
        most = 64.0 if what == "fresh" else 1.5 * frames
        row(name, frames, beside, f"{most:.0f} MiB", over=beside > most)


def growth(small: int, large: int) -> None:
    """Compare the time of an order at two sizes."""
    each = {}
    for number in (small, large):
        with served(number) as (client, _):
            cn.load_orders(client, *DAYS, progress=False)
            runs = RUNS * 3 if number == small else 3
            taken = statistics.median(rounds({"": lambda c=client: load(c)}, runs=runs).values())
            each[number] = taken / number * 1e6
    head("growth", "us an order", "x the small one", "bar")
    row(f"{small:,} orders", each[small], 1, "")
    ratio = each[large] / each[small]
    row(f"{large:,} orders", each[large], ratio, "1.1", over=ratio > 1.1)


def measure_memory(url: str, cache: str, result: str) -> None:
    """Load in this process, and write the MiB of the frames and the peak beside them."""
    with connect_client(url, Path(cache)) as client:
        cn.load_orders(client, "2026-05-19", "2026-05-20", progress=False)  # imports and connections are not the load
        cn.load_line_items(client, "2026-05-19", "2026-05-20", progress=False)
        gc.collect()
        before = resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        orders, lines = load(client)
        peak = resident("VmHWM")
        frames = sum(int(frame.memory_usage(deep=True).sum()) for frame in (orders, lines)) / MIB
    Path(result).write_text(f"{frames} {peak - before - frames}")


def resident(name: str) -> float:
    """Read a size of this process, in MiB."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


class Timed:
    """Work of which only the second part is timed."""

    def __init__(self, before: Callable[[], object], work: Callable[[], object]) -> None:
        self.before = before
        self.work = work


def rounds(work: dict[str, Callable[[], object] | Timed], runs: int = RUNS) -> dict[str, float]:
    """Time each in turn, so that a slow moment of the machine meets all of them; medians."""
    found: dict[str, list[float]] = {name: [] for name in work}
    for number in range(runs + 1):
        for name, one in work.items():
            if isinstance(one, Timed):
                one.before()
            gc.collect()
            taken = seconds(one.work if isinstance(one, Timed) else one)
            if number:  # the first round warms up
                found[name].append(taken)
    return {name: statistics.median(taken) for name, taken in found.items()}


def seconds(work: Callable[[], object]) -> float:
    """Time one run; its result is given up after the clock has stopped."""
    began = time.perf_counter()
    result = work()
    taken = time.perf_counter() - began
    del result
    return taken


def serve(orders: int, lines: int) -> None:
    """Run a sandbox until standard input ends."""
    with tempfile.TemporaryDirectory() as folder:
        source = (
            {"data": write_orders(Path(folder), orders, lines), "shift": False}
            if lines
            else {"orders": orders, "seed": 1}
        )
        with Sandbox(**source, rate_limit=None, clock=Clock(frozen_at=NOON)) as sandbox:
            print(sandbox.url, flush=True)
            sys.stdin.read()


def write_orders(folder: Path, number: int, lines: int) -> Path:
    """Write generated orders as a data folder, with more lines than they were generated with."""
    generated = generate_seed(number, 1, end=NOON.date() - timedelta(days=1))
    orders, random = generated.orders, Random(1)
    for _ in range(lines - sum(len(order["lineItems"]) for order in orders)):
        items = random.choice(orders)["lineItems"]
        items.append(random.choice(items) | {"lineItem": str(len(items) + 1)})
    (folder / "orders.jsonl").write_text("\n".join(map(json.dumps, orders)))
    (folder / "inventories.json").write_text(json.dumps(generated.warehouses))
    (folder / "channels.json").write_text(json.dumps(generated.channels))
    return folder


@contextmanager
def served(orders: int, lines: int = 0) -> Iterator[tuple[Client, Path]]:
    """Connect to a sandbox in a process of its own, as Cenports is: its objects are not in ours."""
    command = [sys.executable, __file__, "--serve", str(orders), str(lines)]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):
        url = process.stdout.readline().strip() if process.stdout else ""
        with connect_client(url, Path(folder)) as client:
            yield client, Path(folder)


def connect_client(url: str, cache: Path) -> Client:
    """Connect to the sandbox at noon, with a cache that stays."""
    return Client(resolve_settings("sandbox", base_url=url, rate_limit=1_000_000, cache=cache), clock=StillClock())


class StillClock:
    """Noon, for ever: what is kept stays young."""

    def now(self) -> datetime:
        return NOON

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def load(client: Client) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load both frames, nothing decoded before."""
    client.component(LineItemCache, LineItemCache).clear()
    return load_orders(client), load_lines(client)


def load_orders(client: Client) -> pd.DataFrame:
    """Load orders."""
    return cn.load_orders(client, *DAYS, progress=False)


def load_lines(client: Client) -> pd.DataFrame:
    """Load line items."""
    return cn.load_line_items(client, *DAYS, progress=False)


def on_one_thread(client: Client) -> object:
    """Load both frames without a second thread."""
    before, cached_windows.DECODE_THREADS = cached_windows.DECODE_THREADS, 1
    try:
        return load(client)
    finally:
        cached_windows.DECODE_THREADS = before


def normalise(pages: list[bytes]) -> object:
    """Do what one does without this package."""
    records = [record for page in pages for record in json.loads(page)["data"]]
    return pd.json_normalize(records), pd.json_normalize(
        records, "lineItems", ["orderNo", "channelId", "orderDate"], "order_"
    )


def pages_in(folder: Path) -> list[bytes]:
    """Read the pages of orders that a cache holds."""
    with sqlite3.connect(folder / "cache.sqlite") as file:
        bodies = [row[0] for row in file.execute("SELECT body FROM answer ORDER BY rowid")]
    pages = [RecordPage.from_bytes(body) for body in bodies]
    return [b'{"data":' + bytes(page.records) + b"}" for page in pages if b'"orderNo"' in bytes(page.records[:99])]


def with_texts(folder: Path) -> None:
    """Write every quantity in a cache as text, as the API does for stock: the strict decoder refuses that."""
    with sqlite3.connect(folder / "cache.sqlite") as file:
        for key, body in file.execute("SELECT key, body FROM answer").fetchall():
            texts = re.sub(rb'"quantity":(-?\d+)', rb'"quantity":"\1"', body)
            file.execute("UPDATE answer SET body = ? WHERE key = ?", (texts, key))


def head(what: str, *names: str) -> None:
    """Print the head of a table."""
    print(f"\n{what:<50}{names[0]:>14}{names[1]:>16}   {names[2]}")


def row(what: str, first: float, second: float, bar: str, *, over: bool = False) -> None:
    """Print one row."""
    print(f"{what:<50}{first:>14.3f}{second:>16.3f}   {bar}{'  OVER' if over else ''}", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("CENPORTS_HOME", tempfile.mkdtemp())
    main()
