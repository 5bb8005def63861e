"""How fast stock becomes a frame: `python benchmarks/stock_frames.py [--rows 100000] [--warehouses 5]`.

An answer of GET /inventories in the documented shape, quantities as text, is kept in a cache once; then it is loaded
from there, again and again, beside `json.loads` of the very same bytes, in one process and in turn. Medians.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import numpy as np

import cenports_nb as cn

RUNS = 7
BAR = 1.5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="in all warehouses together")
    parser.add_argument("--warehouses", type=int, default=5)
    given = parser.parse_args()
    plain = answer(given.rows, given.warehouses, {})
    reported = {
        "as documented": plain,
        "one more field in every row": answer(given.rows, given.warehouses, {"bin": "A-1"}),
        "one row that can't be read": plain.replace(b'"quantity":"', b'"quantity":"x', 1),
    }
    print(f"{given.rows:,} rows in {given.warehouses} warehouses, {len(plain) / 1e6:.0f} MB; medians of {RUNS} runs\n")
    print(f"{'answer -> validated frame':<34}{'json.loads s':>14}{'load s':>10}{'x':>8}   bar")
    for name, body in reported.items():
        base, load = measure(body)
        over = "  OVER" if load / base > BAR else ""
        print(f"{name:<34}{base:>14.3f}{load:>10.3f}{load / base:>8.2f}   {BAR}{over}")


def measure(body: bytes) -> tuple[float, float]:
    """Time both in turn."""
    server = HTTPServer(("127.0.0.1", 0), handler(body))
    Thread(target=server.serve_forever, daemon=True).start()
    with (
        tempfile.TemporaryDirectory() as folder,
        cn.connect("sandbox", base_url=f"http://127.0.0.1:{server.server_address[1]}/v2", cache=folder) as client,
    ):
        found: dict[str, list[float]] = {"json": [], "load": []}
        for number in range(RUNS + 1):
            for name, work in (("json", lambda: json.loads(body)), ("load", lambda: cn.load_actual_stock(client))):
                gc.collect()
                taken = seconds(work)
                if number:  # the first round fetches and warms up
                    found[name].append(taken)
    server.shutdown()
    return statistics.median(found["json"]), statistics.median(found["load"])


def seconds(work: Callable[[], object]) -> float:
    """Time one run; its result is given up after the clock has stopped."""
    began = time.perf_counter()
    result = work()
    taken = time.perf_counter() - began
    del result
    return taken


def answer(rows: int, warehouses: int, more: dict[str, Any]) -> bytes:
    """Make an answer in the documented shape."""
    units = np.random.default_rng(1).integers(0, 500, rows)
    each = rows // warehouses
    data = [
        {
            "warehouseName": f"Warehouse {number}",
            "warehouseCode": f"W{number}",
            "warehouseAddress": {"streetAddress": "1 Street", "city": "Hayward", "ignoreValidation": False},
            "warehouseInventory": [
                {
                    "productSku": f"SKU-{at:06}",
                    "retailerSku": f"R-{at:06}",
                    "productUpc": f"{at:012}",
                    "productName": f"Product number {at}",
                    "quantity": str(units[number * each + at]),
                    "isDiscontinued": at % 50 == 0,
                    "nextAvailabilityDate": None if at % 10 else "2026-06-01",
                    "nextAvailabileQuantity": None if at % 10 else "40",
                    "productExtras": [],
                    **more,
                }
                for at in range(each)
            ],
        }
        for number in range(warehouses)
    ]
    return json.dumps({"data": data}, separators=(",", ":")).encode()


def handler(body: bytes) -> type[BaseHTTPRequestHandler]:
    """Answer every request with a token or with the stock."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.say(b'{"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}')

        def do_GET(self) -> None:
            self.say(body)

        def say(self, content: bytes) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


if __name__ == "__main__":
    os.environ.setdefault("CENPORTS_HOME", tempfile.mkdtemp())
    main()
