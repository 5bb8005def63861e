"""Hand-overs killed in the middle, and the truth afterwards: `python benchmarks/handover.py [--rounds N]`.

A process hands over Northwind's 21 open orders and is killed with SIGKILL at a random moment after its first request;
three such processes a round, under one name or another. Then one that may live hands over twice. In the end every
order must be in exactly one file and acknowledged, and no draft may be left in the folder.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path

import pandas as pd
from tqdm import tqdm

import cenports_nb as cn
from cenports_nb.errors import HandoverWarning, InvalidRequestError
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Sandbox

LATENCY_SECONDS = 0.03
MAX_PAUSE_SECONDS = 0.5


def hand_over(url: str, home: str, *paths: Path) -> None:
    """Hand over, once for each path."""
    os.environ["CENPORTS_HOME"] = home
    with (
        warnings.catch_warnings(),
        cn.connect(
            "staging", base_url=url, partner_id=PARTNER_ID, client_id=CLIENT_ID, client_secret=CLIENT_SECRET,
            rate_limit=100_000,
        ) as client,
    ):  # fmt: skip
        warnings.simplefilter("ignore", HandoverWarning)
        for path in paths:
            cn.hand_over(client, path)


def attempt(url: str, home: str, path: Path) -> None:
    """Hand over, unless an earlier hand-over has that name."""
    tqdm.set_lock(threading.RLock())  # its own would be a semaphore that a killed process leaves behind
    with suppress(InvalidRequestError):
        hand_over(url, home, path)


def kill_one(sandbox: Sandbox, home: str, path: Path, pause: float) -> bool:
    """Kill a hand-over so many seconds after its first request; tell whether it still lived."""
    seen = len(sandbox.requests)
    process = multiprocessing.get_context("spawn").Process(target=attempt, args=(sandbox.url, home, path))
    process.start()
    while len(sandbox.requests) == seen and process.is_alive():
        time.sleep(0.002)
    time.sleep(pause)
    alive = process.is_alive()
    process.kill()
    process.join()
    return alive


def play(chance: random.Random) -> tuple[int, str]:
    """Play one round; tell how many processes were killed, and what is wrong in the end."""
    with (
        tempfile.TemporaryDirectory() as home,
        tempfile.TemporaryDirectory() as name,
        Sandbox(shift=False, rate_limit=None, latency=LATENCY_SECONDS) as sandbox,
    ):
        folder = Path(name)
        wanted = sorted(order.number for order in sandbox.state.orders if not order.acknowledged)
        killed = sum(
            kill_one(sandbox, home, folder / f"{chance.choice('ab')}.csv", chance.uniform(0, MAX_PAUSE_SECONDS))
            for _ in range(3)
        )
        hand_over(sandbox.url, home, folder / "c.csv", folder / "d.csv")
        found = sorted(
            number
            for path in folder.glob("*.csv")
            for number in pd.read_csv(path, dtype=str, encoding="utf-8-sig")["order_no"].unique()
        )
        open_still = [order.number for order in sandbox.state.orders if not order.acknowledged]
        drafts = [path.name for path in folder.glob(".*")]
    wrong = "" if found == wanted else f"{len(set(wanted) - set(found))} lost, {len(found) - len(set(found))} doubled"
    return killed, "; ".join(filter(None, [wrong, f"{len(open_still)} open" * bool(open_still), ", ".join(drafts)]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    killed, wrong = 0, 0
    for number in range(options.rounds):
        kills, what = play(chance)
        killed += kills
        if what:
            wrong += 1
            print(f"round {number}: {what}")
    print(f"{options.rounds} rounds, {killed} processes killed, {wrong} rounds with an order lost, doubled or open")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
