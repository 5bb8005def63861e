"""Test concurrent and killed processes with one journal: nothing is lost or doubled."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from support.forked import start_process
from support.newcomer import run_as_newcomer
from support.sending_worker import submit

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.sandbox import Sandbox
from cenports_nb.submissions.context import get_context

pytestmark = pytest.mark.xdist_group("processes")

ROOT = Path(__file__).parents[2]


def start(url: str) -> tuple[BaseProcess, Connection]:
    """Start a process that submits a frame, and wait until it has loaded."""
    pipe, other = Pipe()
    process = start_process(submit, url, other)
    other.close()
    assert pipe.recv() == "ready"
    return process, pipe


def test_two_processes_submit_the_same_frame_at_once(
    northwind: Sandbox, account: Client, writes: Callable[[], list[list[str]]]
) -> None:
    """One sends it, the other gets an error; every change arrives once."""
    started = [start(northwind.url) for _ in range(2)]
    for _, pipe in started:
        pipe.send("go")
    assert sorted(pipe.recv().partition(":")[0] for _, pipe in started) == ["refused", "sent"]
    for process, pipe in started:
        process.join()
        pipe.close()
    sent = [sku for batch in writes() for sku in batch]
    assert len(sent) == len(set(sent))
    assert len(cn.list_submissions()) == 1


def test_the_right_to_send_dies_with_its_process(
    northwind: Sandbox, account: Client, writes: Callable[[], list[list[str]]], stock: Callable[[str], int]
) -> None:
    """After a kill between two batches another process continues, and every change is applied once."""
    before = {sku: stock(sku) for sku in cn.load_actual_stock(account).query("not is_discontinued")["product_sku"]}
    northwind.latency = 0.05
    process, pipe = start(northwind.url)
    pipe.send("go")
    until = time.monotonic() + 60
    while len(writes()) < 4 and time.monotonic() < until:
        assert process.is_alive()
        time.sleep(0.001)
    (name,) = cn.list_submissions()["submission_id"]
    assert get_context(account).locks.is_sending(name)
    with pytest.raises(cn.errors.JournalError, match="being sent by another"):
        cn.open_submission(account, name).resume()
    process.kill()
    process.join()
    pipe.close()
    northwind.latency = 0.0
    assert not get_context(account).locks.is_sending(name)
    submission = cn.open_submission(account, name)
    assert set(submission.outcomes["outcome"]) <= {"pending", "in_doubt", "not_sent"}
    submission.resume(progress=False).wait(progress=False)
    for minutes in (25, 2):
        account.clock.sleep(minutes * 60)
        submission.verify()
    outcomes = submission.outcomes
    assert sorted(outcomes["product_sku"]) == sorted(before)
    for row in outcomes.itertuples():
        assert stock(row.product_sku) == before[row.product_sku] + (row.outcome == "applied")
        assert row.outcome in ("applied", "not_applied")


def test_a_script_that_closes_nothing_ends_in_silence(tmp_path: Path) -> None:
    """Python closes the client's journal at its end, after it has ended the journal's thread."""
    code = """
import cenports_nb as cn
import pandas as pd
client = cn.connect("sandbox")
changes = pd.DataFrame({"warehouse_code": ["NW-EAST"], "product_sku": ["0003"], "quantity": [3]})
tracker = cn.TransactionTracker(cn.submit_updates(client, cn.build_differential(changes)))
print("sent")
"""
    assert run_as_newcomer(code, tmp_path).splitlines()[-1] == "sent"


def test_killed_processes_tell_the_truth_afterwards() -> None:
    """This runs the scenarios of the crash benchmark that need processes; it fails at the first wrong outcome.

    The simulation has the others, and more of them.
    """
    scenarios = ["--scenarios", "killed", "two processes"]
    ran = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/crash.py"), "--rounds", "1", *scenarios],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "two processes" in ran.stdout
