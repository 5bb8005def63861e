"""How many requests a load takes, counted by the sandbox: `python benchmarks/request_counts.py`.

Twelve months of orders and their shipments at every size, with pages and without; the load repeated, the
day after, and line items after orders. Each row has its budget beside it. Then 200 pages of answers that
take 1.5 s each, on a clock that runs five times as fast, against what the rate limit allows.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.api.http.rate_limit import SystemClock
from cenports_nb.sandbox import Clock, Dialect, Sandbox
from cenports_nb.settings import resolve_settings

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
SIZES = (300, 1_000, 3_000, 10_000, 30_000, 60_000)
MOST_SHIPMENTS = 30_000  # beyond, one channel has days of more than 99 shipments, which nothing can split
SPEED = 5
LATENCY_S, PAGES = 1.5, 200


@dataclass(frozen=True)
class Row:
    """One measurement beside its budget."""

    what: str
    orders: int
    asked: int
    budget: float

    def __str__(self) -> str:
        mark = "" if self.asked <= self.budget else "  OVER"
        ratio = f"{self.asked / self.budget:.2f}" if self.budget else "-"
        return f"{self.what:<44}{self.orders:>8,}{self.asked:>9,}{self.budget:>9,.0f}{ratio:>7}{mark}"


class MovedClock(SystemClock):
    """The machine's time, moved along with the sandbox's."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def now(self) -> datetime:
        return self._sandbox.clock.now()


def _client(sandbox: Sandbox) -> Client:
    return Client(resolve_settings("sandbox", base_url=sandbox.url, rate_limit=1_000_000), clock=MovedClock(sandbox))


def _asked(sandbox: Sandbox, path: str) -> int:
    count = sum(request.path == path for request in sandbox.requests)
    sandbox.requests.clear()
    return count


def of_size(number: int) -> list[Row]:
    """Count what loads of one size take."""
    rows: list[Row] = []
    with Sandbox(orders=number, seed=1, rate_limit=None, clock=Clock(frozen_at=NOON)) as sandbox:
        pages = math.ceil(number / 300)
        with _client(sandbox) as client:
            cn.load_orders(client, last="365D", progress=False)
            months = len({request.params["startDate"][:7] for request in sandbox.requests if request.path == "/orders"})
            rows.append(Row("orders, paginated", number, _asked(sandbox, "/orders"), 1.05 * pages + months))
            cn.load_line_items(client, last="365D", progress=False)
            rows.append(Row("line items after orders", number, _asked(sandbox, "/orders"), 0))
            cn.load_orders(client, last="365D", progress=False)
            rows.append(Row("orders again", number, _asked(sandbox, "/orders"), 0))
            sandbox.clock.advance(86_400)
            cn.load_orders(client, last="365D", progress=False)
            young = sum(order.at.year * 12 + order.at.month >= 2026 * 12 + 4 for order in sandbox.state.orders)
            rows.append(
                Row(
                    "orders the day after (two months)",
                    number,
                    _asked(sandbox, "/orders"),
                    1.05 * math.ceil(young / 300) + 2,
                )
            )
            if number > MOST_SHIPMENTS:
                return rows + without_pages(number, months)
            cn.load_shipments(client, last="367D", progress=False)
            most = sum(
                3 * math.ceil(len(sandbox.state.shipments.select(name)) / 99) + 1 for name in client_channels(client)
            )
            rows.append(Row("shipments, three channels, no pages", number, _asked(sandbox, "/shipments"), most))
            cn.load_shipments(client, last="367D", progress=False)
            rows.append(Row("shipments again", number, _asked(sandbox, "/shipments"), 0))
    return rows + without_pages(number, months)


def without_pages(number: int, months: int) -> list[Row]:
    """Count what orders take where nothing tells of further ones."""
    rows: list[Row] = []
    pages = math.ceil(number / 300)
    for sorting in ("oldest", "none"):
        for ends in (True, False):
            dialect = Dialect(pages="none", sorting=sorting, end_included=ends)
            with (
                Sandbox(
                    orders=number, seed=1, rate_limit=None, clock=Clock(frozen_at=NOON), dialect=dialect
                ) as sandbox,
                _client(sandbox) as client,
            ):
                cn.load_orders(client, last="365D", progress=False)
                what = f"no pages, {'sorted' if sorting == 'oldest' else 'unsorted'}, end {'in' if ends else 'out'}"
                rows.append(Row(what, number, _asked(sandbox, "/orders"), 2 * pages + months))
                cn.load_orders(client, last="365D", progress=False)
                rows.append(Row(f"{what}, again", number, _asked(sandbox, "/orders"), 0))
    return rows


def client_channels(client: Client) -> list[str]:
    """The channels that shipments are asked for."""
    return cn.load_channels(client)["channel_id"].tolist()


class FastClock(SystemClock):
    """Time that runs SPEED times as fast."""

    def __init__(self) -> None:
        self._start = time.time()

    def monotonic(self) -> float:
        return time.monotonic() * SPEED

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._start + (time.time() - self._start) * SPEED, UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / SPEED)


def slow_answers() -> str:
    """Load pages whose answers are slow, at 60 a minute, and compare with what the limit allows."""
    with cn.connect("sandbox") as client:  # imports are not what is measured
        cn.load_orders(client, last="1D")
    # The window of the sandbox is strict and runs on the machine's time, as much shorter.
    with Sandbox(orders=PAGES * 30, seed=1, rate_limit=60, rate_window=60 / SPEED) as sandbox:
        settings = resolve_settings("sandbox", base_url=sandbox.url, rate_limit=60)
        with Client(settings, dialect=cn.Dialect(order_limit=30), clock=FastClock()) as client:
            client.api.authorize()
            sandbox.latency = LATENCY_S / SPEED
            before = time.monotonic()
            cn.load_orders(client, last="366D", progress=False)
            took = (time.monotonic() - before) * SPEED
            asked = sum(request.path == "/orders" for request in sandbox.requests)
            refused = sum(request.status == 429 for request in sandbox.requests)
    # A burst of 60 at once, then 60 more each minute; the token took one place of the first.
    allowed = (asked + 1 - 1) // 60 * 60 + LATENCY_S
    return (
        f"{asked} answers of {LATENCY_S} s at 60 a minute: {took:.0f} s, the limit allows {allowed:.0f} s, "
        f"ratio {took / allowed:.3f} (one after the other: {asked * LATENCY_S:.0f} s); refused {refused}, "
        f"{client.usage.waited_s:.0f} s waited"
    )


def main() -> None:
    print(f"{'load of twelve months':<44}{'orders':>8}{'requests':>9}{'budget':>9}{'ratio':>7}")
    for number in SIZES:
        for row in of_size(number):
            print(row, flush=True)
    print()
    print(slow_answers())


if __name__ == "__main__":
    main()
