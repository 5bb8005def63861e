"""Run the command line with a sandbox in place of staging; its journal is in CENPORTS_HOME."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cli_shop import Shop

from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Sandbox
from cenports_nb.submissions.tracking import poller


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Shop]:
    reported = {
        "CENPORTS_ENVIRONMENT": "staging",
        "CENPORTS_HOME": str(tmp_path / "home"),
        "CENPORTS_CLIENT_ID": CLIENT_ID,
        "CENPORTS_CLIENT_SECRET": CLIENT_SECRET,
        "CENPORTS_PARTNER_ID": PARTNER_ID,
        "CENPORTS_RATE_LIMIT": "100000",
    }
    # A person waits two seconds for the first answer; nothing here depends on how long.
    monkeypatch.setattr(poller, "FIRST_POLL_SECONDS", 0.05)
    with Sandbox(shift=False, rate_limit=None, transaction_seconds=0.0) as sandbox:
        reported["CENPORTS_BASE_URL"] = sandbox.url
        for name, value in reported.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        plain = {name: value for name, value in os.environ.items() if not name.startswith("CENPORTS_")}
        yield Shop(sandbox, tmp_path, {**plain, **reported}, capsys)
