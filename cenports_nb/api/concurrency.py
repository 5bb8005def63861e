"""Several pieces of work at once, on threads that nobody has to wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import TypeVar

MAX_THREADS = 32
"""Requests of one client that may be under way at once: a burst of 60 slow answers is through in two rounds."""

K = TypeVar("K")
T = TypeVar("T")


def run_concurrently(work: Callable[[K], T], items: Sequence[K], threads: int) -> Iterator[tuple[K, T | Exception]]:
    """Do several pieces of work at once, results as they come; left early, what has not begun never does.

    The threads are daemons: a process that is interrupted must not wait a minute for the rate limit to end.
    """
    todo, lock, stop = iter(items), threading.Lock(), threading.Event()
    results: SimpleQueue[tuple[K, T | Exception]] = SimpleQueue()

    def run() -> None:
        while not stop.is_set():
            with lock:
                item = next(todo, None)
            if item is None:
                return
            try:
                results.put((item, work(item)))
            except Exception as error:  # noqa: BLE001 - handed to the thread that waits
                results.put((item, error))

    for _ in range(min(threads, len(items))):
        threading.Thread(target=run, name="cenports-page", daemon=True).start()
    try:
        for _ in items:
            yield results.get()
    finally:
        stop.set()
