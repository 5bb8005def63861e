"""Four processes of one account against a strict sliding window: `python benchmarks/rate_limit.py`.

The sandbox refuses whatever goes over 60 requests in its window. Time runs six times as fast in it and in
the clients, so that five minutes last one. Then what the bookkeeping of one request costs, and how long a
process waits for a place after another was killed while it held the lock.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from cenports_nb.api.client import Client
from cenports_nb.api.http.rate_limit import FILE_NAME, SAFETY_FACTOR, RateLimiter, SystemClock
from cenports_nb.sandbox import Sandbox
from cenports_nb.settings import resolve_settings

SPEED = 6
LIMIT, PROCESSES, EACH, THREADS = 60, 4, 75, 8


class FastClock(SystemClock):
    """Time that runs SPEED times as fast, the same in every process."""

    def __init__(self, start: float) -> None:
        self._start = start

    def monotonic(self) -> float:
        return time.monotonic() * SPEED

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._start + (time.time() - self._start) * SPEED, UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / SPEED)


def work(url: str, start: float) -> None:
    """Be one process: several threads that ask as fast as they may."""
    with Client(
        resolve_settings("sandbox", base_url=url, rate_limit=LIMIT, cache=False), clock=FastClock(start)
    ) as client:
        todo = iter(range(EACH - 1))  # the token is one too
        lock = threading.Lock()

        def ask() -> None:
            while True:
                with lock:
                    if next(todo, None) is None:
                        return
                client.api.get_channels()

        threads = [threading.Thread(target=ask) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def share() -> str:
    """Let the processes run, and read off the sandbox what arrived when."""
    with tempfile.TemporaryDirectory() as home, Sandbox(rate_limit=LIMIT, rate_window=60 / SPEED) as sandbox:
        command = [sys.executable, __file__, "work", sandbox.url, str(time.time())]
        environment = {**os.environ, "CENPORTS_HOME": home}
        workers = [subprocess.Popen(command, env=environment) for _ in range(PROCESSES)]
        failed = sum(worker.wait(timeout=300) != 0 for worker in workers)
        at = sorted(request.at.timestamp() * SPEED for request in sandbox.requests)
        refused = sum(request.status == 429 for request in sandbox.requests)
    took = at[-1] - at[0]
    ideal = (len(at) - 1) // LIMIT * 60
    return (
        f"{PROCESSES} processes x {THREADS} threads, {len(at)} requests: {refused} refused (429), {failed} failed; "
        f"{took:.0f} s, {ideal} s at the full rate: {ideal / took:.3f} of the rate used (margin {1 / SAFETY_FACTOR:.3f})"
    )


def cost() -> str:
    """Time one place taken, nobody waiting."""
    with tempfile.TemporaryDirectory() as home:
        pacer = RateLimiter(10**6, SystemClock(), account="a", folder=Path(home), on_wait=lambda _: None)
        times = []
        for _ in range(500):
            before = time.perf_counter()
            pacer.acquire()
            times.append(time.perf_counter() - before)
    return f"one place: {statistics.median(times) * 1000:.2f} ms (median of {len(times)})"


def killed() -> str:
    """Kill a process that holds the lock, and time how long another waits for its place."""
    with tempfile.TemporaryDirectory() as home:
        clock = SystemClock()
        RateLimiter(10, clock, account="a", folder=Path(home), on_wait=lambda _: None).acquire()
        holder = subprocess.Popen(
            [sys.executable, __file__, "hold", home], stdout=subprocess.PIPE
        )  # fmt: skip
        assert holder.stdout is not None
        holder.stdout.readline()
        threading.Timer(0.2, os.kill, (holder.pid, signal.SIGKILL)).start()
        before = time.perf_counter()
        RateLimiter(10, clock, account="a", folder=Path(home), on_wait=lambda _: None).acquire()
        waited = time.perf_counter() - before - 0.2
        holder.communicate()
    return f"after kill -9 of the process that held the lock: {max(0.0, waited) * 1000:.0f} ms until the next place"


def hold(home: str) -> None:
    """Lock the file and wait to be killed."""
    file = sqlite3.connect(Path(home) / FILE_NAME, isolation_level=None)
    file.execute("BEGIN EXCLUSIVE")
    print("held", flush=True)
    time.sleep(60)


def main() -> None:
    match sys.argv[1:]:
        case ["work", url, start]:
            work(url, float(start))
        case ["hold", home]:
            hold(home)
        case _:
            print(share())
            print(cost())
            print(killed())


if __name__ == "__main__":
    main()
