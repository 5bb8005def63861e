"""Time that a test moves: sleeping is instant, and takes a sandbox's clock along."""

from datetime import UTC, datetime, timedelta

from cenports_nb.sandbox import Sandbox


class FakeClock:
    """The clock of a client under test; `sleeps` is what it was asked to wait."""

    def __init__(self, sandbox: Sandbox | None = None) -> None:
        self._sandbox = sandbox
        self._start = sandbox.clock.now() if sandbox else datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.elapsed = 0.0
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        return self.elapsed

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.elapsed)

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.elapsed += seconds
        if self._sandbox:
            self._sandbox.clock.advance(seconds)
