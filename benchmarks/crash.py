"""Processes killed in the middle of writing, and the truth afterwards: `python benchmarks/crash.py`.

A child process submits 40 batches, half TRUE_UP and half DIFFERENTIAL, to a server that counts what it applied,
and is killed with SIGKILL: half of the times after a random moment, half when the server has seen a random
number of its requests. Every third time the process that resumes is killed too. Then one that may live resumes,
waits, and verifies twice with its clock set on by 25 and 27 minutes. In the end every row must be there once,
no DIFFERENTIAL may have been applied twice, and every outcome must be what the server's own stock says.

The other scenarios do the same without a kill: answers lost or turned into 500 after the change was applied, 401
in between, FAILED for some rows, and two processes that submit the same frame at once.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from tqdm import tqdm

from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Sandbox

BATCHES, ROWS = 40, 5
TRANSACTION_SECONDS = 0.15
LATENCY_SECONDS = 0.002
CHILD_TIMEOUT_SECONDS = 60.0
CALL = "PATCH /inventories"
ENDED = ("applied", "rejected", "not_applied")
PRELOADED = [
    "cenports_nb.api.client",
    "cenports_nb.api.http.session",
    "cenports_nb.frames.loaders.stock",
    "cenports_nb.frames.schema.schemas",
    "cenports_nb.submissions.registry",
    "cenports_nb.submissions.submit",
]


def child(job: str, url: str, home: str, pipe: Connection) -> None:
    """Run one job in a process of its own, and send back what it saw."""
    os.environ["CENPORTS_HOME"] = home
    tqdm.set_lock(threading.RLock())  # its own would be a semaphore that a killed process leaves behind
    with suppress(OSError):
        pipe.send(JOBS[job](url))


def submit(url: str) -> Any:
    """Submit the frame of this server."""
    import cenports_nb as cn  # noqa: PLC0415

    with _client(url) as client:
        actual = cn.load_actual_stock(client)
        updates = plan_updates(actual)
        try:
            submission = cn.submit_updates(client, updates, batch_size=ROWS, progress=False)
        except cn.errors.GuardRailError as error:
            return sorted(set(error.objections["guard"]))
        return submission.submission_id


def resume(url: str) -> Any:
    """Go on with every submission of the journal, to the end; submit if there is none."""
    import cenports_nb as cn  # noqa: PLC0415

    names = cn.list_submissions()["submission_id"].tolist()
    names = names or [submit(url)]
    with _client(url) as client:
        for name in names:
            submission = cn.open_submission(client, name).resume(progress=False)
            submission.wait(CHILD_TIMEOUT_SECONDS, progress=False)
    for minutes in (25, 27):
        with _client(url, timedelta(minutes=minutes)) as client:
            for name in names:
                cn.open_submission(client, name).verify()
    with _client(url, timedelta(minutes=28)) as client:
        found = [cn.open_submission(client, name) for name in names]
        return [
            list(
                one.changes[
                    ["warehouse_code", "product_sku", "type", "before_quantity", "quantity", "outcome"]
                ].itertuples(index=False, name=None)
            )
            for one in found
        ]


JOBS: dict[str, Callable[[str], Any]] = {"submit": submit, "resume": resume}


def plan_updates(actual: Any) -> Any:
    """Plan 40 batches: SKUs of each warehouse set to a bit more, or moved by a bit."""
    import pandas as pd  # noqa: PLC0415

    rows = (
        actual.loc[~actual["is_discontinued"], ["warehouse_code", "product_sku", "quantity"]]
        .head(BATCHES * ROWS)
        .reset_index(drop=True)
    )
    differential = pd.Series(rows.index // ROWS % 2 == 1)
    step = pd.Series(rows.index % 4 + 1)
    return rows.assign(
        type=differential.map({True: "DIFFERENTIAL", False: "TRUE_UP"}).astype("str"),
        current_quantity=rows["quantity"].astype("Int64"),
        quantity=step.where(differential, rows["quantity"] + step),
        change=step.astype("Int64"),
        known_sku=True,
        reason="crash test",
        reference=None,
    )


def _client(url: str, ahead: timedelta = timedelta()) -> Any:
    from cenports_nb.api.client import Client  # noqa: PLC0415
    from cenports_nb.api.http.rate_limit import SystemClock  # noqa: PLC0415
    from cenports_nb.settings import resolve_settings  # noqa: PLC0415

    class Ahead(SystemClock):
        """Every clock of this process is ahead, that of Cenports' answers too."""

        timeline = None

        def now(self) -> datetime:
            return super().now() + ahead

    settings = resolve_settings(
        "staging",
        base_url=url,
        partner_id=PARTNER_ID,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        rate_limit=10**6,
    )
    client = Client(settings, clock=Ahead())
    read_server_clock = client.session.read_server_clock

    def read_ahead() -> datetime | None:
        now = read_server_clock()
        return None if now is None else now + ahead

    client.session.read_server_clock = read_ahead
    return client


@dataclass
class Tally:
    """What happened, over all rounds of a scenario."""

    name: str
    rounds: int = 0
    killed: int = 0
    rows: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    sent_twice: int = 0
    faults: list[str] = field(default_factory=list)


class Round:
    """One round against a server of its own kind of trouble."""

    def __init__(self, tally: Tally, sandbox: Sandbox, context: Any, seed: int) -> None:
        self.tally, self.sandbox, self.context = tally, sandbox, context
        self.random = random.Random(seed)
        self.seed = seed
        self.before = dict(sandbox.state.stock.quantities)
        sandbox.requests.clear()
        sandbox.faults.clear()

    def run(self, home: str, *, kill: bool, processes: int = 1) -> None:
        """Submit, perhaps be killed, resume, and compare with what the server has."""
        jobs = [self.start("submit", home) for _ in range(processes)]
        if kill:
            self.kill(jobs[0])
            if self.seed % 3 == 0:
                self.kill(self.start("resume", home))
        answers = [self.answer(job, must=not kill) for job in jobs]
        if processes > 1 and sorted(map(str, map(type, answers))) != sorted(map(str, (list, str))):
            self.tally.faults.append(f"two processes: {answers}")
        time.sleep(TRANSACTION_SECONDS)
        self.sandbox.faults.clear()
        found = self.answer(self.start("resume", home), must=True)
        self.judge(found or [])

    def start(self, job: str, home: str) -> tuple[Any, Connection]:
        """Start a child."""
        ours, theirs = self.context.Pipe(duplex=False)
        process = self.context.Process(target=child, args=(job, self.sandbox.url, home, theirs))
        process.start()
        theirs.close()
        return process, ours

    def kill(self, job: tuple[Any, Connection]) -> None:
        """Kill it at a random moment, or when the server has seen some of its requests."""
        process, _ = job
        if self.random.random() < 0.5:
            process.join(self.random.uniform(0.0, 1.2))
        else:
            seen = len(self.sandbox.requests) + self.random.randint(1, BATCHES + 4)
            until = time.monotonic() + CHILD_TIMEOUT_SECONDS
            while process.is_alive() and len(self.sandbox.requests) < seen and time.monotonic() < until:
                time.sleep(0.0005)
        with suppress(ProcessLookupError):  # it may have ended by itself at this very moment
            if process.is_alive():
                os.kill(process.pid, signal.SIGKILL)
                self.tally.killed += 1
        process.join()

    def answer(self, job: tuple[Any, Connection], *, must: bool) -> Any:
        """Wait for what a child saw."""
        process, pipe = job
        found = None
        with suppress(EOFError, OSError):
            found = pipe.recv() if pipe.poll(CHILD_TIMEOUT_SECONDS) else None
        process.join(CHILD_TIMEOUT_SECONDS)
        if must and process.exitcode != 0:
            self.tally.faults.append(f"seed {self.seed}: a child ended with {process.exitcode}")
        return found

    def judge(self, submissions: list[list[tuple[Any, ...]]]) -> None:
        """Compare every row's outcome with the server's stock and with what was sent."""
        stock = self.sandbox.state.stock.quantities
        accepted: dict[tuple[str, str], int] = {}
        for request in list(self.sandbox.requests):
            if (
                f"{request.method} {request.path}" == CALL and request.status in (0, 200)
            ) or request.fault == "late_error":
                for item in request.params["inventories"]:
                    key = (request.params["warehouseCode"], item["productSKU"])
                    accepted[key] = accepted.get(key, 0) + 1
        tally = self.tally
        tally.rounds += 1
        if len(submissions) != 1 or len({row[:2] for one in submissions for row in one}) != BATCHES * ROWS:
            tally.faults.append(f"seed {self.seed}: {[len(one) for one in submissions]} rows in the journal")
        for one in submissions:
            for code, sku, kind, _, quantity, outcome in one:
                tally.rows += 1
                tally.outcomes[outcome] = tally.outcomes.get(outcome, 0) + 1
                was, now = self.before[code, sku], stock[code, sku]
                target = quantity if kind == "TRUE_UP" else was + quantity
                true = now == (target if outcome == "applied" else was)
                if not true or outcome not in ENDED:
                    tally.faults.append(
                        f"seed {self.seed}: {kind} {sku} in {code} is {outcome}; {was} -> {now}, wanted {target}"
                    )
                if accepted.get((code, sku), 0) > 1:
                    tally.sent_twice += 1
                    if kind == "DIFFERENTIAL":
                        tally.faults.append(f"seed {self.seed}: DIFFERENTIAL {sku} in {code} was taken in twice")


def add_faults(name: str, sandbox: Sandbox, at: random.Random) -> None:
    """Make the server go wrong as the scenario says."""
    if name in ("lost", "late_error"):
        for _ in range(6):
            sandbox.faults.add(name, CALL, after=at.randint(0, 6))
    elif name == "401 in between":
        sandbox.faults.add("expired_token", CALL, after=at.randint(0, BATCHES - 1), times=3)
    elif name == "FAILED rows":
        for _ in range(8):
            sandbox.faults.add("failed_rows", CALL, after=at.randint(0, 4), rows=(at.randint(0, ROWS - 1),))


SCENARIOS = ("killed", "lost", "late_error", "401 in between", "FAILED rows", "two processes")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=200, help="kills; the other scenarios take a tenth of it each")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=SCENARIOS)
    asked = arguments.parse_args()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    tallies = []
    start = time.monotonic()
    with Sandbox(
        orders=400, seed=7, rate_limit=None, transaction_seconds=TRANSACTION_SECONDS, latency=LATENCY_SECONDS
    ) as sandbox:
        for name in asked.scenarios:
            tally = Tally(name)
            tallies.append(tally)
            for number in range(asked.rounds if name == "killed" else max(1, asked.rounds // 10)):
                seed = asked.seed + number
                one = Round(tally, sandbox, context, seed)
                add_faults(name, sandbox, one.random)
                with tempfile.TemporaryDirectory(prefix="cenports-nb-crash-") as home:
                    one.run(home, kill=name == "killed", processes=2 if name == "two processes" else 1)
    print(
        f"{'scenario':<16} {'rounds':>6} {'killed':>6} {'rows':>7} {'applied':>8} {'not_applied':>11} {'rejected':>8} {'sent twice':>10} {'faults':>6}"
    )
    for tally in tallies:
        print(
            f"{tally.name:<16} {tally.rounds:>6} {tally.killed:>6} {tally.rows:>7,} {tally.outcomes.get('applied', 0):>8,} "
            f"{tally.outcomes.get('not_applied', 0):>11,} {tally.outcomes.get('rejected', 0):>8,} {tally.sent_twice:>10,} {len(tally.faults):>6}"
        )
    print(
        f"{time.monotonic() - start:.0f} s. 'sent twice' counts rows that the server took in twice: TRUE_UP only, which sets and does not add."
    )
    faults = [fault for tally in tallies for fault in tally.faults]
    for fault in faults[:20]:
        print("FAULT", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
