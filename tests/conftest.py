"""Fixtures: a sandbox with Northwind, a client of it, and no configuration from outside."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from support.fake_clock import FakeClock
from support.kernel_server import use_warm_kernels
from support.process_markers import watch_processes
from support.property_examples import register_profiles
from support.scripted_server import SECRET, ScriptedServer

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.api.http.rate_limit import SystemClock
from cenports_nb.sandbox import Sandbox
from cenports_nb.settings import resolve_settings

register_profiles()
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # see support/fast_start

BROWSER_FIXTURES = {"browser", "lab"}
KERNEL_FIXTURES = {"lab"}
WHOLE_SUITE = "not thorough"
"""The tests that run if no others are selected."""
MARKERS = ("browser", "kernel", "slow")
"""The costly ones; `just quick` leaves them out."""


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> Generator[None, int, int]:
    """Run the whole suite with one worker more than cores: who has a browser, a kernel or a process mostly waits for it."""
    count = yield
    is_whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and config.option.markexpr == WHOLE_SUITE
    return count + is_whole


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Mark what is slow by what it uses, and begin with it, so that no worker is left alone with it at the end.

    Browser tests without a group of their own stay in one worker, with one JupyterLab and one Chromium. Marks come before pytest-xdist reads
    its groups, the order after pytest-randomly has made its own.
    """
    for item in items:
        groups = {mark.args[0] for mark in item.iter_markers("xdist_group")}
        fixtures = getattr(item, "fixturenames", ())
        if BROWSER_FIXTURES.intersection(fixtures):
            item.add_marker(pytest.mark.browser)
            if not groups:
                item.add_marker(pytest.mark.xdist_group("browser"))
        if KERNEL_FIXTURES.intersection(fixtures):
            item.add_marker(pytest.mark.kernel)
        if "processes" in groups:
            item.add_marker(pytest.mark.slow)
    yield
    items.sort(key=lambda item: next((at for at, name in enumerate(MARKERS) if item.get_closest_marker(name)), 9))


def pytest_collection_finish() -> None:
    """Leave what is imported and collected out of garbage collection: each test would look through all of it again.

    A sandbox makes thousands of objects that last as long as its test, so that the default of 700 collects for nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Watch what the test starts, and fork its kernels from a process that has the libraries imported."""
    names = frozenset(name for name in MARKERS if item.get_closest_marker(name))
    watch_processes(item.nodeid, names)
    if "kernel" in names:
        use_warm_kernels(item.config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many cases of the fault matrix ran."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    cases = sum("test_faults.py" in report.nodeid for report in reports)
    if cases:
        terminalreporter.write_line(f"fault matrix: {cases} cases ran")


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a new folder's name for each test; it is created only when needed."""
    parent = tmp_path_factory.mktemp("homes")
    return (parent / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, homes: Iterator[Path]) -> None:
    for name in list(os.environ):
        if name.startswith("CENPORTS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CENPORTS_HOME", str(next(homes)))


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C reach processes that a test starts, even if this one was started with `&` or `nohup`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def northwind() -> Iterator[Sandbox]:
    with Sandbox(shift=False, rate_limit=None) as sandbox:
        yield sandbox


@pytest.fixture
def client(northwind: Sandbox) -> Iterator[cn.Client]:
    """Connect a client whose sleeps advance the sandbox's clock instead of waiting."""
    settings = resolve_settings("sandbox", base_url=northwind.url, rate_limit=100_000)
    with Client(settings, clock=SleepingClock(northwind)) as client:
        yield client


class SleepingClock(SystemClock):
    """A clock for client and sandbox that advances when the client sleeps."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._slept = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._slept

    def now(self) -> datetime:
        return self._sandbox.clock.now()

    def sleep(self, seconds: float) -> None:
        self._slept += seconds
        self._sandbox.clock.advance(seconds)


@pytest.fixture
def home() -> Path:
    """Return the folder of cache and journal."""
    folder = Path(os.environ["CENPORTS_HOME"])
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def clock(northwind: Sandbox) -> FakeClock:
    """Make a clock that advances, with the sandbox's, only when the client sleeps."""
    return FakeClock(northwind)


@pytest.fixture
def timed(northwind: Sandbox, clock: FakeClock) -> Iterator[cn.Client]:
    """Connect a client of Northwind whose clock the test controls."""
    with Client(resolve_settings("sandbox", base_url=northwind.url, rate_limit=100_000), clock=clock) as client:
        yield client


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Start a server with scripted answers."""
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def staging(server: ScriptedServer) -> Iterator[Callable[..., cn.Client]]:
    """Connect to that server as staging; cache and journal are in `home`."""
    opened: list[cn.Client] = []

    def connect(clock: Any = None, **changes: Any) -> cn.Client:
        given: dict[str, Any] = {
            "base_url": server.url,
            "partner_id": "P-1",
            "client_id": "id-1",
            "client_secret": SECRET,
            "rate_limit": 100_000,
        }
        client = Client(resolve_settings("staging", **{**given, **changes}), clock=clock or FakeClock())
        opened.append(client)
        return client

    yield connect
    for client in opened:
        client.close()
