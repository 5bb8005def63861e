"""A process that hands over and kills itself on the way.

Its steps are what it does to the world: locks and files opened, named and removed in their folders, acknowledgements
sent; with `only` the steps of one audit event. It is killed just before the step of a number, if it comes so far.
"""

from __future__ import annotations

import signal
import warnings
from pathlib import Path
from typing import Any

import cenports_nb as cn
from support.forked import connect, kill_before, start_process


def hand_over(url: str, path: Path, kill_at: int, only: str) -> None:
    """Hand over until the step of that number."""

    def is_step(event: str, arguments: tuple[Any, ...]) -> bool:
        if only and event != only:
            return False
        if event == "http.client.send":
            return bytes(arguments[1])[:5] == b"PATCH"
        if event not in ("open", "os.link", "os.remove", "os.rename"):
            return False
        name = str(arguments[0])
        return name.startswith(str(path.parent)) or name.endswith(".lock")

    with connect(url) as client, warnings.catch_warnings():
        kill_before(kill_at, is_step)
        warnings.simplefilter("ignore", cn.errors.HandoverWarning)
        cn.hand_over(client, path)


def is_killed(url: str, path: Path, kill_at: int, only: str = "") -> bool:
    """Run it, and return whether it killed itself."""
    process = start_process(hand_over, url, path, kill_at, only)
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0
