"""Test that a forked process shares nothing but the account."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.scripted_server import Reply, ScriptedServer

WORKER = Path(__file__).parents[1] / "support" / "fork_worker.py"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.xdist_group("processes")
def test_both_halves_of_a_fork_go_on(server: ScriptedServer) -> None:
    """Parent and child have their own connections, files and tokens, and share one rate limit."""
    server.on("GET /channels", Reply({"data": [{"channelId": "A"}]}))
    run = subprocess.run(
        [sys.executable, str(WORKER), server.url],
        capture_output=True, text=True, env={**os.environ, "CENPORTS_RATE_LIMIT": "1000"}, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    assert sorted(run.stdout.splitlines()) == ["child ['A']", "parent ['A']"]
    assert len(server.of("POST /authorize")) == 2
