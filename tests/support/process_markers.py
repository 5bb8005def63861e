"""A test that starts a browser or a kernel must be marked so, or `just quick` would run it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import PurePath
from typing import Any

KERNEL_STARTERS = {
    ("-m", "ipykernel_launcher"),
    ("-m", "papermill"),
    ("-m", "nbconvert"),
    ("cenports_nb", "report"),
}
BROWSERS = ("playwright", "chromium", "chrome")

_running: tuple[str, frozenset[str]] = "", frozenset()


def watch_processes(test: str, markers: frozenset[str]) -> None:
    """Hold what is started from now on against the markers of this test."""
    global _running  # noqa: PLW0603 - an audit hook can be neither removed nor given anything
    _running = test, markers


def find_missing_marker(command: str | bytes | Sequence[object], markers: frozenset[str]) -> str | None:
    """Name the marker that a test lacks that starts this command."""
    words = [command] if isinstance(command, str | bytes) else command
    texts = [os.fsdecode(word) for word in words]  # type: ignore[arg-type]
    if any(name in part for name in BROWSERS for part in PurePath(texts[0]).parts):
        needed = "browser"
    elif KERNEL_STARTERS.intersection(pairwise(texts)):
        needed = "kernel"
    else:
        return None
    return None if needed in markers else needed


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    test, markers = _running
    if event == "subprocess.Popen" and test and (missing := find_missing_marker(arguments[1], markers)):
        raise AssertionError(f"{test} starts a {missing}: mark it `{missing}`.")


sys.addaudithook(_audit)
