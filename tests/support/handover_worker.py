"""A process that hands over and kills itself on the way: `handover_worker.py URL PATH STEP [EVENT]`.

STEP counts what it does to the world: locks and files opened, named and removed in their folders, acknowledgements
sent; with EVENT only these. It is killed just before the one of that number, if it comes so far.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import cenports_nb as cn
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID


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


def main() -> None:
    url, path, kill_at = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    with cn.connect(
        "staging", base_url=url, partner_id=PARTNER_ID, client_id=CLIENT_ID, client_secret=CLIENT_SECRET,
        rate_limit=100_000,
    ) as client:  # fmt: skip
        kill_at_step(path.parent, kill_at, sys.argv[4])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cn.errors.HandoverWarning)
            print(cn.hand_over(client, path))


if __name__ == "__main__":
    main()
