"""A small shop whose orders change after the fact, and whose clock is the test's."""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.sandbox import Sandbox
from cenports_nb.sandbox.clock import Clock
from cenports_nb.settings import resolve_settings
from support.fake_clock import FakeClock
from support.report_shops import channel, line, order, shipment, write

NOW = datetime(2026, 3, 10, 2, tzinfo=UTC)
DAY_SECONDS = 86_400
DATES = [f"2026-{month:02}-{day:02}T{day % 24:02}:30:00.000000Z" for month in (1, 2) for day in (1, 8, 15, 22, 28)]
DATES += ["2026-01-31T23:45:00.000000Z", "2026-02-01T00:00:00.000000Z", "2026-03-02T09:00:00.000000Z"]


def made_order(number: str, at: str, *, name: str = "", status: str = "shipped", price: float = 9.99) -> dict[str, Any]:
    """Make an order of two lines; its customer is named after it unless said otherwise."""
    record = order(number, at, line("SKU-1", 2, price, status), line(f"SKU-{number[-1]}", 1, 0.1, status))
    person = name or f"Customer {number}"
    for place in ("billTo", "shipTo"):
        record[place] = {**record[place], "name": person, "address1": f"{person} Street"}
    return {
        **record,
        "customerName": person,
        "contactName": person,
        "notes": {"merchantMsg": None, "retailerMsg": None},
    }


def write_shop(folder: Path) -> Path:
    """Write the shop's data folder: three months of orders, most of them shipped."""
    orders = [made_order(f"N-{place:02}", at) for place, at in enumerate(DATES)]
    shipments = [shipment(f"N-{place:02}", at, f"T-{place:02}") for place, at in enumerate(DATES)]
    rows = [
        {
            "productSku": f"SKU-{number}", "retailerSku": None, "productUpc": None, "productName": f"Product {number}",
            "quantity": 10 + number, "isDiscontinued": False, "nextAvailabilityDate": "2026-04-01T00:00:00.000000Z",
            "nextAvailableQuantity": 5, "productExtras": None,
        }
        for number in range(3)
    ]  # fmt: skip
    stock = {
        "warehouseCode": "W", "warehouseName": "Warehouse", "warehouseInventory": rows,
    }  # fmt: skip
    return write(folder, orders, shipments, [stock], [channel("Europe")])


class Shop:
    """The sandbox, a client of it, and what changes in it.

    Attributes:
        sandbox: With the shop's data.
        clock: Of client and sandbox; it stands still unless a test moves it.
        client: In the environment `sandbox`, so that the archive calls the account `sandbox:SANDBOX`.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.clock = FakeClock(sandbox)
        self.client = self.connect()

    def connect(self, **changes: Any) -> cn.Client:
        """Open another client of the account."""
        settings = resolve_settings("sandbox", base_url=self.sandbox.url, rate_limit=100_000, **changes)
        return Client(settings, clock=self.clock)

    def wait_days(self, days: float) -> None:
        """Move the clocks forward."""
        self.clock.advance(days * DAY_SECONDS)

    def add(self, record: dict[str, Any]) -> None:
        """Let an order arrive."""
        self.sandbox.add_order(record)

    def restate(self, number: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Let the server say something else of an order from now on."""
        with self.sandbox.state.lock:
            found = next(each for each in self.sandbox.state.orders if each.number == number)
            record = copy.deepcopy(found.record)
            self.sandbox.state.orders.remove(found)
            change(record)
            self.sandbox.state.orders.add(record, acknowledged=True)

    def remove(self, number: str) -> None:
        """Let the server forget an order."""
        with self.sandbox.state.lock:
            found = next(each for each in self.sandbox.state.orders if each.number == number)
            self.sandbox.state.orders.remove(found)

    def count_requests(self, path: str = "/orders") -> int:
        """Count what arrived."""
        return sum(request.path.endswith(path) and request.method == "GET" for request in self.sandbox.requests)


def copy_archive(archive: Path, folder: Path, shop: Shop) -> cn.Archive:
    """Copy the archive of an equal shop, as if it were this shop's; its time is the shop's."""
    shutil.copytree(archive, folder)
    accounts = folder / "cenports-archive.json"
    accounts.write_text(re.sub(r"http://127\.0\.0\.1:\d+[\w/]*", shop.sandbox.url, accounts.read_text()))
    copied = cn.open_archive(folder)
    copied.clock = shop.clock
    return copied


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    """Serve the shop from a folder that is made."""
    with Sandbox(data=write_shop(folder), shift=False, rate_limit=None, clock=Clock(frozen_at=NOW)) as sandbox:
        shop = Shop(sandbox)
        yield shop
        shop.client.close()
