"""Processes of their own, forked from one that has imported the package already: importing takes longer than their work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

from tqdm import tqdm

import cenports_nb as cn
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID

PRELOADED = [
    "cenports_nb.api.client",
    "cenports_nb.frames.loaders.orders",
    "cenports_nb.frames.loaders.stock",
    "cenports_nb.submissions.handover.hand_over",
    "cenports_nb.submissions.orders.create",
    "cenports_nb.submissions.submit",
    "support.create_orders_worker",
    "support.handover_worker",
    "support.sending_worker",
]


def start_process(work: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Start a function in a process of its own, with this one's environment.

    The process that it is forked from starts with the first one, so tests share it in the group `processes`.
    """
    can_fork = "forkserver" in multiprocessing.get_all_start_methods()  # Windows can't
    context = multiprocessing.get_context("forkserver" if can_fork else "spawn")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=_run, args=(dict(os.environ), work, arguments))
    process.start()
    return process


def connect(url: str, **options: Any) -> cn.Client:
    """Connect to a sandbox as staging, whose journal outlives the process."""
    keys = {"partner_id": PARTNER_ID, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return cn.connect("staging", base_url=url, rate_limit=100_000, **keys, **options)


def kill_before(number: int, is_step: Callable[[str, tuple[Any, ...]], bool]) -> None:
    """Kill this process just before the audit event of that number which is a step."""
    steps = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps
        if is_step(event, arguments):
            steps += 1
            if steps == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _run(environ: dict[str, str], work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    os.environ.update(environ)
    tqdm.set_lock(threading.RLock())  # its own would be a semaphore that a killed process leaves behind
    work(*arguments)
