"""The rate limit: a full burst at once is fine, and no window of a minute holds more."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from cenports_nb.api.pacing import Pacer


class _Still(FakeClock):
    """Time that does not pass while others sleep."""

    def advance(self, seconds: float) -> None:
        pass


def _started(limit: int, gaps: list[float]) -> list[float]:
    """When each of several requests may leave, given pauses of the caller between them."""
    clock = FakeClock()
    pacer = Pacer(limit, clock, lambda _: None)
    started = []
    for gap in gaps:
        clock.advance(gap)
        pacer.take()
        started.append(clock.monotonic())
    return started


@given(st.integers(1, 8), st.lists(st.floats(0, 90), min_size=1, max_size=60))
def test_no_minute_holds_more_than_the_limit(limit: int, gaps: list[float]) -> None:
    """Whatever the rhythm of the caller."""
    started = _started(limit, gaps)
    assert all(later - earlier > 60 for earlier, later in zip(started, started[limit:], strict=False))


def test_a_full_burst_at_the_start_does_not_wait() -> None:
    """The limit is there to be used."""
    assert _started(60, [0.0] * 60) == [0.0] * 60


def test_the_request_after_a_burst_waits_a_minute() -> None:
    """And a little more, as arrivals jitter."""
    assert _started(60, [0.0] * 61)[-1] == pytest.approx(61.2)


def test_waiting_is_told() -> None:
    """`usage` counts it."""
    waits: list[float] = []
    pacer = Pacer(1, FakeClock(), waits.append)
    pacer.take()
    pacer.take()
    assert waits == [pytest.approx(61.2)]


def test_threads_share_one_limit() -> None:
    """Eight threads get no more than one."""
    lock = threading.Lock()
    waits: list[float] = []

    def waited(seconds: float) -> None:
        with lock:
            waits.append(seconds)

    pacer = Pacer(4, _Still(), waited)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: pacer.take(), range(8)))
    assert len(waits) == 4
