"""Updates of an archive killed in the middle, and what is archived afterwards: `python benchmarks/archive_crash.py`.

A child process updates an archive of a shop in which every order changes before each round: its price is the round's
number, so that the total of an order and its lines say which reading they are of. Every third round two children
update at once. In each round one child is killed with SIGKILL after a random moment; then everything is loaded: every
order must be there once, with its lines, all of one reading, and a load as of the first update must return the first
reading. In the end one update runs through, and the archive must be what the shop says.

With `--s3 s3://bucket/prefix` the archive is in a bucket, whose keys and end point come from the environment:

    moto_server --port 5000 &
    export AWS_ENDPOINT_URL=http://127.0.0.1:5000 AWS_ALLOW_HTTP=true AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any
    curl --request PUT $AWS_ENDPOINT_URL/crash
    python benchmarks/archive_crash.py --s3 s3://crash/archive --rounds 40

There, in every fourth round the child is not killed but stopped for longer than its lease lasts, and goes on when another
one has ended. Leases are shorter than usual.
"""

from __future__ import annotations

import argparse
import copy
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

import cenports_nb as cn
from cenports_nb.archive.storage import lease
from cenports_nb.sandbox import Sandbox

ORDERS, DAYS = 40, 50
CHILD_TIMEOUT_SECONDS = 300.0
LEASE_SECONDS, RENEWAL_SECONDS, POLL_SECONDS = 6.0, 0.5, 0.3
SUPERSEDED = 75
"""The exit code of a child that may not write any more."""
PRELOADED = [
    "cenports_nb.api.http.session",
    "cenports_nb.api.http.cache",
    "cenports_nb.archive.archive",
    "deltalake",
    "pyarrow.dataset",
]


@dataclass
class Report:
    """What came of the rounds.

    Attributes:
        killed: Updates that were killed before their end.
        ended: Updates that ended before they could be killed.
        superseded: Updates that were stopped, and found on waking up that another process had taken over.
        unfinished: Kills after which the next update had something to take back or to go on with.
        faults: What must not be: torn, doubled, lost or mixed.
    """

    killed: int = 0
    ended: int = 0
    superseded: int = 0
    unfinished: int = 0
    faults: list[str] = field(default_factory=list)


def child(url: str, folder: str, home: str) -> None:
    """Update the archive in a process of its own."""
    os.environ["CENPORTS_HOME"] = home
    tqdm.set_lock(threading.RLock())  # its own would be a semaphore that a killed process leaves behind
    lease.LEASE_SECONDS, lease.RENEWAL_SECONDS, lease.POLL_SECONDS = LEASE_SECONDS, RENEWAL_SECONDS, POLL_SECONDS
    with cn.connect("sandbox", base_url=url, rate_limit=100_000) as client:
        try:
            cn.open_archive(folder).update(client, progress=False)
        except cn.errors.ArchiveError as error:
            if "has taken over" not in str(error):
                raise
            sys.exit(SUPERSEDED)


def build_order(number: int, generation: int) -> dict[str, Any]:
    """Make an order of three lines whose price is the generation."""
    at = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(
        days=1 + number * DAYS // ORDERS
    )
    place = dict.fromkeys(("name", "address1", "address2", "city", "state", "country", "postalCode"))
    lines = [
        {
            "orderNo": f"{number}", "lineItem": f"{line}", "productSku": f"SKU-{line}", "retailerSku": None,
            "productName": "P", "shipFromWarehouseCode": "W", "quantity": line, "price": generation, "status": "open",
        }
        for line in (1, 2, 3)
    ]  # fmt: skip
    return {
        "orderNo": f"{number}", "customerOrderNo": None, "orderDate": f"{at:%Y-%m-%dT%H:%M:%S}.000000Z", "channel": "EU",
        "channelId": "EU", "customerName": "N", "contactName": None, "contactEmail": None, "contactPhone": None,
        "status": "open", "billTo": place, "shipTo": place,
        "shipFrom": {"warehouseCode": "W", "warehouseName": "W", "location": "W", "contactPhone": None,
                     "availability": True, "owner": "O"},
        "shippingInfo": {"carrierCode": "C", "serviceLevel": "S"}, "lineItems": lines,
        "pricing": {"subTotal": 6.0 * generation, "discount": 0.0, "shipCost": 0.0, "grandTotal": 6.0 * generation},
        "notes": {"merchantMsg": None, "retailerMsg": None},
    }  # fmt: skip


def write_shop(folder: Path) -> Path:
    """Write the shop's data folder."""
    folder.mkdir()
    shipments = [
        {"orderNo": f"{number}", "channelId": "EU", "shipDate": build_order(number, 0)["orderDate"],
         "trackingNumber": f"T-{number}", "lineItems": [{"productSku": "SKU-1", "quantity": 1}]}
        for number in range(ORDERS)
    ]  # fmt: skip
    stock = [{"warehouseCode": "W", "warehouseName": "W", "warehouseInventory": []}]
    (folder / "orders.jsonl").write_text("".join(json.dumps(build_order(n, 0)) + "\n" for n in range(ORDERS)))
    (folder / "shipments.jsonl").write_text("".join(json.dumps(each) + "\n" for each in shipments))
    (folder / "inventories.json").write_text(json.dumps(stock))
    (folder / "channels.json").write_text(json.dumps([{"channelId": "EU", "channelName": "Europe"}]))
    return folder


def change_all(sandbox: Sandbox, generation: int) -> None:
    """Let every order have another price, all at once; a few move to another month and back."""
    with sandbox.state.lock:
        for order in list(sandbox.state.orders):
            record = copy.deepcopy(order.record)
            sandbox.state.orders.remove(order)
            number = int(record["orderNo"])
            fresh = build_order(number, generation)
            if number % 9 == generation % 9:
                fresh["orderDate"] = build_order((number + ORDERS // 2) % ORDERS, 0)["orderDate"]
            sandbox.state.orders.add({**record, **fresh}, acknowledged=True)


def check(archive: cn.Archive, first: pd.Timestamp | None, report: Report, name: str) -> None:
    """Load everything, and note what must not be."""
    orders, lines = archive.load_orders(), archive.load_line_items()
    if len(orders) != ORDERS or orders.duplicated(["channel_id", "order_no"]).any():
        report.faults.append(f"{name}: {len(orders)} orders, {orders['order_no'].nunique()} of them once")
    sums = (lines["price"] * lines["quantity"]).groupby(lines["order_no"]).sum()
    totals = orders.set_index("order_no")["grand_total"]
    if len(lines) != 3 * ORDERS or not sums.sort_index().equals(totals.sort_index()):
        report.faults.append(f"{name}: {len(lines)} lines, whose sums are not those of their orders")
    shipments, items = archive.load_shipments(), archive.load_shipment_items()
    if len(shipments) != ORDERS or len(items) != ORDERS:
        report.faults.append(f"{name}: {len(shipments)} shipments with {len(items)} items")
    if first is not None and set(archive.load_line_items(as_of=first)["price"]) != {0.0}:
        report.faults.append(f"{name}: the first reading is another one now")


def run_rounds(folder: Path, place: str, rounds: int, seed: int) -> Report:
    """Kill so many updates, one after the other, of an archive in a place."""
    chance, report = random.Random(seed), Report()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with Sandbox(data=write_shop(folder / "shop"), shift=False, rate_limit=None) as sandbox:
        arguments = (sandbox.url, place, str(folder / "home"))

        def start() -> Any:
            process = context.Process(target=child, args=arguments)
            process.start()
            return process

        start_time = time.monotonic()
        process = start()
        process.join(CHILD_TIMEOUT_SECONDS)
        first_seconds, wait_seconds, is_bucket = time.monotonic() - start_time, 0.0, place.startswith("s3://")
        archive = cn.open_archive(place)
        first = archive.contents()["as_of"].max() + pd.Timedelta(seconds=1)
        check(archive, first, report, "first update")
        for generation in range(1, rounds + 1):
            change_all(sandbox, generation)
            is_stopped = is_bucket and generation % 4 == 0
            beside = start() if generation % 3 == 0 and not is_stopped else None
            process = start()
            time.sleep(wait_seconds + chance.uniform(0.0, first_seconds * (1.6 if beside else 1.0)))
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGSTOP if is_stopped else signal.SIGKILL)
            if is_stopped:
                beside = start()
            if beside is not None:
                beside.join(CHILD_TIMEOUT_SECONDS)
                if beside.exitcode not in (0, SUPERSEDED):
                    report.faults.append(f"round {generation}: the update beside it ended with {beside.exitcode}")
            if is_stopped:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGCONT)
            process.join(CHILD_TIMEOUT_SECONDS)
            report.killed += process.exitcode == -signal.SIGKILL
            wait_seconds = LEASE_SECONDS if is_bucket and process.exitcode == -signal.SIGKILL else 0.0
            report.ended += process.exitcode == 0
            report.superseded += [each.exitcode for each in (process, beside) if each].count(SUPERSEDED)
            if process.exitcode not in (0, SUPERSEDED, -signal.SIGKILL):
                report.faults.append(f"round {generation}: the update ended with {process.exitcode}")
            report.unfinished += any(state.is_unfinished for state in archive._reader.read_states())
            check(archive, first, report, f"round {generation}")
        change_all(sandbox, rounds + 1)
        process = start()
        process.join(CHILD_TIMEOUT_SECONDS)
        if process.exitcode != 0 or set(archive.load_line_items()["price"]) != {float(rounds + 1)}:
            report.faults.append("the last update did not archive what the shop says")
        check(archive, first, report, "last update")
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--s3", help="an empty prefix, such as s3://bucket/prefix")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CENPORTS_HOME"] = str(Path(folder) / "home")
        report = run_rounds(Path(folder), given.s3 or str(Path(folder) / "archive"), given.rounds, given.seed)
    print(f"{report.killed} killed, {report.ended} ended before, {report.unfinished} of them left something unfinished")
    if given.s3:
        print(f"{report.superseded} superseded")
    print(f"{len(report.faults)} faults (seed {given.seed})")
    for fault in report.faults[:20]:
        print(f"  {fault}")
    sys.exit(bool(report.faults))


if __name__ == "__main__":
    main()
