"""A sandbox that stands in for staging: its journal stays in `CENPORTS_HOME`, as that of a real account does."""

from __future__ import annotations

from cenports_nb.api.client import Client
from cenports_nb.api.http.rate_limit import Clock
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Sandbox
from cenports_nb.settings import resolve_settings


def connect_staging(sandbox: Sandbox, clock: Clock, **changes: object) -> Client:
    """Connect once more, as another process would after a restart."""
    settings = resolve_settings(
        "staging", base_url=sandbox.url, partner_id=PARTNER_ID, client_id=CLIENT_ID, client_secret=CLIENT_SECRET,
        **{"rate_limit": 100_000, **changes},
    )  # fmt: skip
    return Client(settings, clock=clock)
