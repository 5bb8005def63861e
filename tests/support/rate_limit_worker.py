"""A process that takes slots of the shared rate limit: `rate_limit_worker.py FOLDER TAKES SPEED START [hold]`.

Time runs SPEED times as fast from START on, so that a minute takes less. Prints each slot that was
taken; with `pause` it locks the shared file, says so, and waits to be killed.
"""

import sqlite3
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from cenports_nb.api.http.rate_limit import FILE_NAME, RateLimiter, SystemClock


class FastClock(SystemClock):
    """Time that runs faster, the same in every process."""

    def __init__(self, speed: float, start: float) -> None:
        self._speed = speed
        self._start = start

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._start + (time.time() - self._start) * self._speed, UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self._speed)


def main() -> None:
    folder, takes, speed, start = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    clock = FastClock(speed, start)
    pacer = RateLimiter(60, clock, account="a", folder=folder, on_wait=lambda _: None)
    if "hold" in sys.argv:
        pacer.acquire()
        file = sqlite3.connect(folder / FILE_NAME, isolation_level=None)
        file.execute("BEGIN EXCLUSIVE")
        print("held", flush=True)
        time.sleep(60)
    for _ in range(takes):
        print(pacer.acquire(), flush=True)  # the slot itself, however long this process then waits for the processor


if __name__ == "__main__":
    main()
