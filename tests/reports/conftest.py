"""Run reports by command in this process; their notebooks still run in kernels."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command_line import Ran, RunCommand, run_command


@pytest.fixture
def run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunCommand:
    """Run a report in the test's folder with its own home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CENPORTS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CENPORTS_RATE_LIMIT", "100000")
    monkeypatch.setenv("MPLBACKEND", "agg")

    def run(name: str, *arguments: str) -> Ran:
        return run_command(capsys, "report", name, "--out", "out", *arguments)

    return run
