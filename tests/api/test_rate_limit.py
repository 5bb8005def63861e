"""Test the rate limit: a full burst may start at once, and no minute has more requests, in any number of processes."""

import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_clock import FakeClock

from cenports_nb.api.http.rate_limit import FILE_NAME, RateLimiter
from cenports_nb.errors import CenportsWarning

WORKER = Path(__file__).parents[1] / "support" / "rate_limit_worker.py"
SPEED = 20


def _pacer(limit: int, clock: FakeClock, folder: Path, waits: list[float] | None = None) -> RateLimiter:
    reported = [] if waits is None else waits
    return RateLimiter(limit, clock, account="a", folder=folder, on_wait=reported.append)


def _started(limit: int, gaps: list[float], pacers: int = 1) -> list[float]:
    """Return when each request may start, given the caller's pauses."""
    clock = FakeClock()
    started = []
    with tempfile.TemporaryDirectory() as folder:
        several = [_pacer(limit, clock, Path(folder)) for _ in range(pacers)]
        for place, gap in enumerate(gaps):
            clock.advance(gap)
            several[place % pacers].acquire()
            started.append(clock.monotonic())
    return started


@given(st.integers(1, 8), st.lists(st.floats(0, 90), min_size=1, max_size=40), st.integers(1, 3))
def test_no_minute_holds_more_than_the_limit(limit: int, gaps: list[float], pacers: int) -> None:
    """The limit holds for any timing of requests and any number of clients."""
    started = _started(limit, gaps, pacers)
    assert all(later - earlier > 60 for earlier, later in zip(started, started[limit:], strict=False))


def test_a_full_burst_at_the_start_does_not_wait() -> None:
    """The whole limit may be used at once."""
    assert _started(60, [0.0] * 60) == [0.0] * 60


def test_the_request_after_a_burst_waits_a_minute() -> None:
    """It waits slightly longer, because arrivals jitter."""
    assert _started(60, [0.0] * 61)[-1] == pytest.approx(61.2, abs=0.01)


def test_waiting_is_counted(tmp_path: Path) -> None:
    """`usage` counts the time, and a bar can show it."""
    waits: list[float] = []
    pacer = _pacer(1, FakeClock(), tmp_path, waits)
    pacer.acquire()
    pacer.acquire()
    assert sum(waits) == pytest.approx(61.2, abs=0.01)


def test_threads_share_one_limit(tmp_path: Path) -> None:
    """Eight threads start no more requests than one."""
    clock, lock = FakeClock(), threading.Lock()
    pacer = _pacer(4, clock, tmp_path)
    taken: list[float] = []

    def acquire(_: int) -> None:
        pacer.acquire()
        with lock:
            taken.append(clock.monotonic())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(acquire, range(12)))
    assert max(taken) == pytest.approx(122.4, abs=0.1)


def test_a_refusal_holds_every_client_of_the_account(tmp_path: Path) -> None:
    """A 429 concerns the account, not one client."""
    clock = FakeClock()
    one, other = _pacer(60, clock, tmp_path), _pacer(60, clock, tmp_path)
    one.pause(20)
    other.acquire()
    assert clock.elapsed == pytest.approx(20, abs=0.01)


def test_another_account_is_not_held(tmp_path: Path) -> None:
    """Each account has its own limit."""
    clock = FakeClock()
    _pacer(1, clock, tmp_path).acquire()
    RateLimiter(1, clock, account="b", folder=tmp_path, on_wait=lambda _: None).acquire()
    assert clock.elapsed == 0


def test_a_clock_that_was_set_back_stops_nothing(tmp_path: Path) -> None:
    """Requests recorded in the future are ignored."""
    clock = FakeClock()
    pacer = _pacer(1, clock, tmp_path)
    clock.advance(86_400)
    pacer.acquire()
    clock.advance(-86_400)
    pacer.acquire()
    assert clock.sleeps == []


def test_a_damaged_file_warns_once_and_the_limit_holds_in_the_process(tmp_path: Path) -> None:
    """The next process creates a new file."""
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 1000)
    clock = FakeClock()
    pacer = _pacer(1, clock, tmp_path)
    with pytest.warns(CenportsWarning, match="can't be shared") as reported:
        pacer.acquire()
    pacer.acquire()
    assert (len(reported), clock.elapsed) == (1, pytest.approx(61.2, abs=0.01))
    _pacer(1, clock, tmp_path).acquire()


def _work(folder: Path, takes: int, start: float, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(WORKER), str(folder), str(takes), str(SPEED), str(start), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.xdist_group("processes")
def test_four_processes_share_one_limit_and_use_it(tmp_path: Path) -> None:
    """Three bursts of sixty, a minute apart; the limit of the sharing is jitter, here twenty times as large, and a busy machine's besides."""
    start = time.time()
    workers = [_work(tmp_path, 45, start) for _ in range(4)]
    taken = sorted(float(line) for worker in workers for line in worker.communicate()[0].split())
    assert len(taken) == 180
    assert all(later - earlier > 60 for earlier, later in zip(taken, taken[60:], strict=False))
    last_of_each = taken[59], taken[119], taken[179]
    assert all(later - earlier < 61.2 * 2 for earlier, later in pairwise(last_of_each))


@pytest.mark.xdist_group("processes")
def test_a_process_that_is_killed_releases_its_lock(tmp_path: Path) -> None:
    """SQLite releases the lock when its process ends."""
    start = time.time()
    holder = _work(tmp_path, 0, start, "hold")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    waiting = _work(tmp_path, 1, start)
    holder.kill()
    holder.communicate()
    before = time.monotonic()
    output, _ = waiting.communicate()
    assert len(output.split()) == 1
    assert time.monotonic() - before < 60
    assert datetime.fromtimestamp(float(output)) - datetime.fromtimestamp(start) < timedelta(minutes=10)
