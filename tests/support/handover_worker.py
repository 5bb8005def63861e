"""A process that hands over and kills itself on the way.

Its steps are what it does to the world: locks and files opened, named and removed in their folders, acknowledgements
sent; with `only` the steps of one audit event. It is killed just before the step of a number, if it comes so far.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

from tqdm import tqdm

import cenports_nb as cn
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID

PRELOADED = [
    "cenports_nb.api.client",
    "cenports_nb.frames.loaders.orders",
    "cenports_nb.submissions.handover.hand_over",
    "support.handover_worker",
]


def kill_at_step(folder: Path, kill_at: int, only: str) -> None:
    """Kill this process before the step of that number."""
    steps = 0

    def is_step(event: str, arguments: tuple[Any, ...]) -> bool:
        if only and event != only:
            return False
        if event == "http.client.send":
            return bytes(arguments[1])[:5] == b"PATCH"
        if event not in ("open", "os.link", "os.remove", "os.rename"):
            return False
        path = str(arguments[0])
        return path.startswith(str(folder)) or path.endswith(".lock")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps
        if is_step(event, arguments):
            steps += 1
            if steps == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def hand_over(environ: dict[str, str], url: str, path: Path, kill_at: int, only: str) -> None:
    """Hand over until the step of that number."""
    os.environ.update(environ)
    tqdm.set_lock(threading.RLock())  # its own would be a semaphore that a killed process leaves behind
    with cn.connect(
        "staging", base_url=url, partner_id=PARTNER_ID, client_id=CLIENT_ID, client_secret=CLIENT_SECRET,
        rate_limit=100_000,
    ) as client:  # fmt: skip
        kill_at_step(path.parent, kill_at, only)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cn.errors.HandoverWarning)
            cn.hand_over(client, path)


def is_killed(url: str, path: Path, kill_at: int, only: str = "") -> bool:
    """Run it in a process of its own, and tell whether it killed itself.

    The process is forked from one that has imported the package already, which takes longer than handing over.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=hand_over, args=(dict(os.environ), url, path, kill_at, only))
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0
