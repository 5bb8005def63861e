"""Fixtures: the sandbox with Northwind as it is, a client of it, and nothing configured from outside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.api.pacing import SystemClock
from cenports_nb.sandbox import Sandbox
from cenports_nb.settings import resolve


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("CENPORTS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CENPORTS_HOME", str(tmp_path / "cenports-home"))


@pytest.fixture
def northwind() -> Iterator[Sandbox]:
    with Sandbox(shift=False, rate_limit=None) as sandbox:
        yield sandbox


@pytest.fixture
def client(northwind: Sandbox) -> Iterator[cn.Client]:
    """A client whose sleeps move the sandbox's clock instead of waiting."""
    settings = resolve("sandbox", base_url=northwind.url, rate_limit=100_000)
    with Client(settings, clock=SleepingClock(northwind)) as client:
        yield client


class SleepingClock(SystemClock):
    """Time that passes for client and sandbox alike when the client sleeps."""

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
