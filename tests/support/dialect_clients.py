"""Clients of a sandbox that speaks another dialect for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.sandbox import Dialect, Sandbox
from cenports_nb.settings import resolve_settings
from support.fake_clock import FakeClock


@contextmanager
def connect_to_dialect(sandbox: Sandbox, server: Dialect, client: cn.Dialect | None = None) -> Iterator[Client]:
    """Let the sandbox speak so, and connect."""
    sandbox.dialect = server
    try:
        found = resolve_settings("sandbox", base_url=sandbox.url, rate_limit=100_000)
        with Client(found, dialect=client, clock=FakeClock(sandbox)) as connected:
            yield connected
    finally:
        sandbox.dialect = Dialect()
