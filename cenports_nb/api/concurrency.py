"""Run functions concurrently on daemon threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import TypeVar

MAX_THREADS = 32
"""Maximum concurrent requests of one client: a burst of 60 slow requests takes two rounds."""

K = TypeVar("K")
T = TypeVar("T")


def run_concurrently(work: Callable[[K], T], items: Sequence[K], threads: int) -> Iterator[tuple[K, T | Exception]]:
    """Run work for several items concurrently and yield results as they come; on an early exit, the rest never starts.

    The threads are daemons, so an interrupted process does not wait a minute for the rate limit to end.
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
