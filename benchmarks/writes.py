"""What large submissions cost: `python benchmarks/writes.py`.

A million rows are checked by the guards, cut into batches and written into the journal (nothing is sent);
10,000 rows are submitted to a sandbox without latency, followed and reported. Each size runs in a process of its
own, so that its memory is its own; memory is what the process grew beside the frames it was given.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import cenports_nb as cn
from cenports_nb.sandbox import Sandbox
from cenports_nb.stock.plans.update_frame import compute_fingerprint
from cenports_nb.submissions.journal import frames
from cenports_nb.submissions.journal.queries import read_stock_history
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.plan import plan_batches
from cenports_nb.submissions.rules.models import Head
from cenports_nb.submissions.tracking.snapshot import take_snapshot

SIZES = (10_000, 1_000_000)
SENT = 10_000


def stock(rows: int) -> pd.DataFrame:
    """Make stock of ten warehouses."""
    at = np.arange(rows)
    return pd.DataFrame(
        {
            "warehouse_code": pd.Series(np.char.mod("WH-%02d", at * 10 // rows)).astype("str"),
            "product_sku": pd.Series(np.char.mod("SKU-%07d", at)).astype("str"),
            "quantity": at % 500,
            "is_discontinued": False,
        }
    )


def nobody_sends(_: str) -> bool:
    return False


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Steps:
    """A table of steps, each with its seconds and what memory grew by since the start."""

    def __init__(self, rows: int) -> None:
        self.rows, self.start = rows, peak()

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        begin = time.perf_counter()
        found = work()
        seconds = time.perf_counter() - begin
        print(
            f"{self.rows:>9,}  {name:<44} {seconds:>8.2f} s  {seconds / self.rows * 1e6:>7.1f} us/row  {peak() - self.start:>7.0f} MiB",
            flush=True,
        )
        return found


def planned(rows: int) -> None:
    actual = stock(rows)
    counts = actual.assign(quantity=actual["quantity"] + 1)
    updates = cn.build_true_up(counts[["warehouse_code", "product_sku", "quantity"]], actual)
    step = Steps(rows)
    home = Path(tempfile.mkdtemp(prefix="cenports-nb-writes-"))
    journal, now = Journal(home), datetime.now(UTC)
    history = step(
        "history of the journal (empty)",
        lambda: read_stock_history(journal, nobody_sends, "account", now, timedelta(days=1)),
    )
    step("check_updates, thirteen guards", lambda: cn.check_updates(updates, actual, available=actual, history=history))
    frame_fingerprint = step("fingerprint", lambda: compute_fingerprint(updates))
    frame = updates.assign(before_quantity=updates["current_quantity"])
    cut = step(
        "cut into batches of 500", lambda: plan_batches("s", frame, batch_size=500, canary=5, before_at=now.isoformat())
    )
    head = Head("s", "stock", "staging", "account", "P", now.isoformat(), fingerprint=frame_fingerprint)
    step("written into the journal, one transaction", lambda: journal.add(head, cut.batches, cut.rows()))
    step("a snapshot, as the tracker draws it", lambda: take_snapshot(journal, "s", now))
    step("outcomes, one row each", lambda: frames.read_outcomes(journal, head))
    history = step(
        "history of the journal (all of it)",
        lambda: read_stock_history(journal, nobody_sends, "account", now, timedelta(days=1)),
    )
    applied = history.assign(outcome="applied")
    step("check_updates, all applied before", lambda: cn.check_updates(updates, actual, history=applied))
    step("check_updates, all in the way", lambda: cn.check_updates(updates, actual, history=history))
    journal.close()


def sent(rows: int) -> None:
    with (
        Sandbox(orders=2_000, seed=3, rate_limit=None) as sandbox,
        cn.connect("sandbox", base_url=sandbox.url, rate_limit=10**6) as client,
    ):
        actual = cn.load_actual_stock(client)
        code = actual["warehouse_code"].iloc[0]
        known = actual[(actual["warehouse_code"] == code) & ~actual["is_discontinued"]]
        new = [f"NEW-{number:05d}" for number in range(rows - len(known))]
        counts = pd.DataFrame(
            {
                "warehouse_code": code,
                "product_sku": [*known["product_sku"], *new],
                "quantity": [*(known["quantity"] + 1), *[5] * len(new)],
            }
        )
        updates = cn.build_true_up(counts, actual)
        step = Steps(rows)
        submission = step(
            "submit_updates (20 batches)",
            lambda: cn.submit_updates(client, updates, allow=["unknown_sku"], progress=False),
        )
        step("wait (the sandbox takes 3 s)", lambda: submission.wait(progress=False))
        step("verify", submission.verify)
        step("a snapshot, as the tracker draws it", submission.snapshot)
        step("outcomes", lambda: submission.outcomes)
        step("history", lambda: submission.history)


def main() -> int:
    print(f"{'rows':>9}  {'step':<44} {'time':>10}  {'each':>14}  {'memory':>11}")
    jobs = [(planned, size) for size in SIZES] + [(sent, SENT)]
    for job, size in jobs:
        process = multiprocessing.get_context("spawn").Process(target=job, args=(size,))
        process.start()
        process.join()
        if process.exitcode:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
