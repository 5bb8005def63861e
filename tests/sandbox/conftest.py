"""Fixtures: a sandbox for each test, or for each module that only reads."""

from collections.abc import Iterator

import pytest
from support.sandbox_requests import NOON, SandboxClient, open_client

from cenports_nb.sandbox import Clock, Sandbox


@pytest.fixture
def sandbox_client() -> Iterator[SandboxClient]:
    """Start Northwind with a frozen clock."""
    yield from open_client(Sandbox(shift=False, rate_limit=None, clock=Clock(frozen_at=NOON)))


@pytest.fixture(scope="module")
def northwind() -> Iterator[SandboxClient]:
    """Start Northwind for tests that only read."""
    yield from open_client(Sandbox(shift=False, rate_limit=None, clock=Clock(frozen_at=NOON)))


@pytest.fixture
def reader(northwind: SandboxClient) -> Iterator[SandboxClient]:
    """Start the same, for tests that read in another dialect."""
    yield northwind
    northwind.set_dialect()
