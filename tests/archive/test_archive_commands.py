"""Test `cenports-nb archive` and its exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support.archive_shop import Shop
from support.command_line import Ran, run_command

import cenports_nb as cn
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID

Run = Callable[..., Ran]


@pytest.fixture
def run(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """Run `cenports-nb archive …` on the shop."""
    monkeypatch.setenv("CENPORTS_BASE_URL", shop.sandbox.url)
    monkeypatch.setenv("CENPORTS_RATE_LIMIT", "100000")
    for name, value in (("PARTNER_ID", PARTNER_ID), ("CLIENT_ID", CLIENT_ID), ("CLIENT_SECRET", CLIENT_SECRET)):
        monkeypatch.setenv(f"CENPORTS_{name}", value)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run_command(capsys, "archive", *arguments)


def test_commands_of_a_nightly_job(run: Run, shop: Shop) -> None:
    """update, show, sql and forget each end with exit code 0 and a summary."""
    updated = run("update", "--env", "sandbox", "--start", "2026-01-01")
    assert (updated.returncode, updated.stderr) == (0, "")
    assert "line_items" in updated.stdout
    shown = run("show")
    assert shown.returncode == 0
    assert "2026-02" in shown.stdout
    assert "MiB in archive" in shown.stdout
    assert run().stdout == shown.stdout
    asked = run("sql", "SELECT count(*) AS orders FROM orders WHERE month < '2026-03'", "--out", "found.csv")
    assert asked.stdout.split() == ["orders", "12"]
    assert pd.read_csv("found.csv")["orders"].tolist() == [12]
    assert run("forget", "--before", "2026-02-01").returncode == 2
    forgotten = run("forget", "--before", "2026-02-01", "--yes")
    assert "2026-01" in forgotten.stdout
    assert "2026-01" not in run("show").stdout
    assert shop.count_requests() > 0


def test_incomplete_months_end_with_3(run: Run, shop: Shop) -> None:
    """The message is on stderr, and the exit code is for the scheduler."""
    run("update", "--env", "sandbox", "--start", "2026-01-01")
    shop.sandbox.faults.add("error_200", "GET /orders", times=None)
    ran = run("update", "--env", "sandbox")
    assert ran.returncode == 3, ran
    assert ran.stderr.count("\n") == 1


def test_rejects_end_with_1(run: Run, shop: Shop) -> None:
    """Rejects are archived, and somebody has to look at them."""
    shop.restate("N-12", lambda record: record.update(lineItems=[{"quantity": "many"}]))
    ran = run("update", "--env", "sandbox", "--start", "2026-03-01")
    assert ran.returncode == 1
    assert "1 record can't be read" in ran.stderr or "records can't be read" in ran.stderr


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
