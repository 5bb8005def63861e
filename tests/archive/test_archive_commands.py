"""Test `cenports-nb archive` and its exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from support.command_line import Ran, run_command

import cenports_nb as cn
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Sandbox

pytestmark = pytest.mark.slow

Run = Callable[..., Ran]


THIS_MONTH = f"{datetime.now(UTC):%Y-%m}"
LAST_MONTH = f"{datetime.now(UTC).replace(day=1) - timedelta(days=1):%Y-%m}"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An account whose last order is from yesterday, as the command's clock is the real one."""
    with Sandbox(orders=400, seed=7, rate_limit=None) as sandbox:
        yield sandbox


@pytest.fixture
def run(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """Run `cenports-nb archive …` on the shop."""
    monkeypatch.setenv("CENPORTS_BASE_URL", sandbox.url)
    monkeypatch.setenv("CENPORTS_RATE_LIMIT", "100000")
    for name, value in (("PARTNER_ID", PARTNER_ID), ("CLIENT_ID", CLIENT_ID), ("CLIENT_SECRET", CLIENT_SECRET)):
        monkeypatch.setenv(f"CENPORTS_{name}", value)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run_command(capsys, "archive", *arguments)


def test_a_night_at_the_command_line(run: Run) -> None:
    """Update, show, ask, forget; each ends with 0 and says what it did."""
    updated = run("update", "--env", "sandbox", "--start", f"{LAST_MONTH}-01")
    assert (updated.returncode, updated.stderr) == (0, "")
    assert "line_items" in updated.stdout
    shown = run("show")
    assert shown.returncode == 0
    assert LAST_MONTH in shown.stdout
    assert "MiB in archive" in shown.stdout
    assert run().stdout == shown.stdout
    asked = run("sql", "SELECT min(month) AS first FROM orders", "--out", "found.csv")
    assert asked.stdout.split() == ["first", LAST_MONTH]
    assert pd.read_csv("found.csv")["first"].tolist() == [LAST_MONTH]
    assert run("forget", "--before", f"{THIS_MONTH}-01").returncode == 2
    forgotten = run("forget", "--before", f"{THIS_MONTH}-01", "--yes")
    assert LAST_MONTH in forgotten.stdout
    assert LAST_MONTH not in run("show").stdout


def test_what_could_not_be_archived_ends_with_its_exit_code(run: Run, sandbox: Sandbox) -> None:
    """3 for a month that is incomplete, 1 for records that can't be read; a scheduler hears of both."""
    newest = list(sandbox.state.orders)[-1]
    with sandbox.state.lock:
        sandbox.state.orders.remove(newest)
        record = {**newest.record, "orderDate": f"{datetime.now(UTC):%Y-%m-%dT00:00:00}.000000Z"}
        sandbox.state.orders.add({**record, "pricing": "many"}, acknowledged=True)
    ran = run("update", "--env", "sandbox", "--start", f"{THIS_MONTH}-01")
    assert ran.returncode == 1
    assert "can't be read; they are archived as rejects" in ran.stderr
    sandbox.faults.add("error_200", "GET /orders", times=None)
    ran = run("update", "--env", "sandbox")
    assert ran.returncode == 3
    assert ran.stderr.count("\n") == 1
    assert "not complete: what was archived before stays" in ran.stderr


@pytest.mark.parametrize("arguments", [("show",), ("sql", "SELECT 1"), ("forget", "--before", "2026-01-01", "--yes")])
def test_only_an_update_makes_an_archive(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Other commands don't create a mistyped folder."""
    ran = run(*arguments, "--archive", "nowhere")
    assert ran.returncode == 2
    assert "There is no archive in nowhere" in ran.stderr
    assert not (tmp_path / "nowhere").exists()


def test_without_the_extra_one_sentence_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The libraries of the archive are an optional extra."""
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(cn.errors.ConfigurationError, match=r'pip install "cenports-nb\[archive\]"'):
        cn.open_archive(folder)
    assert not folder.exists()
