"""The fault matrix: every fault at every end point, on the first, a middle and the last page.

A fault that passes is not seen: the frame is equal to the one without it. A fault that stays is its own
documented error. The loaders of one end point share its requests and take turns, and so do the pages: every pair of
fault and end point, fault and page, and loader and page is there, not every triple. A fault that stays is tried at one
end point.
`pytest tests/test_faults.py` prints at its end how many cases ran.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pandas as pd
import pytest
from support.fake_clock import FakeClock

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.api.http import adapter, transport
from cenports_nb.errors import (
    ApiError,
    AuthenticationError,
    BusinessError,
    CenportsError,
    IncompleteError,
    RateLimitedError,
    TransportError,
    UnexpectedAnswerError,
)
from cenports_nb.sandbox import Clock, Dialect, Sandbox
from cenports_nb.sandbox.http.faults import Fault
from cenports_nb.settings import resolve_settings

pytestmark = pytest.mark.slow

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
DAYS = ("2026-03-01", "2026-04-15")
# Small pages of everything, so that each loader has a first, a middle and a last one.
PAGED = Dialect(pages="laravel", pages_everywhere=True, order_cap=25, shipment_cap=15, stock_cap=60, channel_cap=1)
LOADS: dict[str, tuple[str, Callable[[Client], pd.DataFrame]]] = {
    "orders": ("GET /orders", lambda client: cn.load_orders(client, *DAYS)),
    "line items": ("GET /orders", lambda client: cn.load_line_items(client, *DAYS)),
    "open items": ("GET /orders", lambda client: cn.load_open_items(client, lookback="30D")),
    "shipments": ("GET /shipments", lambda client: cn.load_shipments(client, *DAYS, channel_id="GEN-WEB")),
    "actual stock": ("GET /inventories", cn.load_actual_stock),
    "available stock": ("GET /inventories", lambda client: cn.load_available_stock(client, "GEN-WEB")),
    "warehouses": ("GET /inventories", cn.load_warehouses),
    "channels": ("GET /channels", cn.load_channels),
}
# What a fault that passes may still be: an answer that was given, and means an error.
SAID: dict[str, tuple[type[CenportsError], ...]] = {
    "error_200": (BusinessError, IncompleteError),
    "wrong_shape": (UnexpectedAnswerError,),
    "redirect": (ApiError, IncompleteError),
    "foreign_link": (UnexpectedAnswerError,),
}
# What a fault that stays is, when it strikes every request.
STAYS: dict[str, type[CenportsError]] = {
    "too_many": RateLimitedError,
    "server_error": ApiError,
    "late_error": ApiError,
    "bad_gateway": ApiError,
    "unavailable": ApiError,
    "unauthorized": AuthenticationError,
    "expired_token": AuthenticationError,
    "error_200": BusinessError,
    "wrong_shape": UnexpectedAnswerError,
    "redirect": ApiError,
    "foreign_link": UnexpectedAnswerError,
}
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "too_many": [{}, {"retry_after": "0"}, {"retry_after": "soon"}, {"retry_after": "7"}],
    "server_error": [{"status": 500}, {"status": 599}],
    "bomb": [{"size": 3 * 2**20}],
    "slow": [{"seconds": 0.02}],
    "drip": [{"seconds": 0.02}, {"seconds": 0.02, "headers": True}],
}
PLACES = ("first", "middle", "last")


class Case(NamedTuple):
    """One fault that strikes one loader on one page."""

    kind: str
    options: dict[str, Any]
    name: str
    place: str

    def __repr__(self) -> str:
        return f"{self.kind} {self.options or ''} {self.name} {self.place}".replace("  ", " ")


def _cases() -> Iterator[Case]:
    """Pair each fault with each end point; the loaders of an end point and the pages take turns."""
    names: dict[str, list[str]] = {}
    for name, (call, _) in LOADS.items():
        names.setdefault(call, []).append(name)
    kinds = [kind for kind in Sandbox(orders=0).faults.kinds if kind != "failed_rows"]
    faults = [(kind, options) for kind in kinds for options in OPTIONS.get(kind, [{}])]
    for turn, (kind, options) in enumerate(faults):
        for number, loaders in enumerate(names.values()):
            place = PLACES[(turn // len(PLACES) + number) % len(PLACES)]
            yield Case(kind, options, loaders[turn % len(loaders)], place)


CASES = list(_cases())
CASES_THAT_STAY = [case for number, case in enumerate(CASES) if number % 4 == number // 4 % 4]
"""Each fault at one end point, which take turns: what follows after the last retry is the same code for all."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(orders=900, seed=13, rate_limit=None, clock=Clock(frozen_at=NOON), dialect=PAGED) as sandbox:
        yield sandbox


@pytest.fixture
def connected(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setattr(transport, "MAX_BODY_BYTES", 2 * 2**20)
    sandbox.faults.clear()
    with Client(
        resolve_settings("sandbox", base_url=sandbox.url, rate_limit=100_000), clock=FakeClock(sandbox)
    ) as client:
        yield client
    sandbox.faults.clear()


_plain: dict[str, tuple[pd.DataFrame, int]] = {}


def _without(name: str, sandbox: Sandbox) -> tuple[pd.DataFrame, int]:
    """The frame without faults, and how many pages its last window has."""
    if name not in _plain:
        call, load = LOADS[name]
        sandbox.requests.clear()
        with Client(
            resolve_settings("sandbox", base_url=sandbox.url, rate_limit=100_000), clock=FakeClock(sandbox)
        ) as client:
            frame = load(client)
        asked = [request for request in sandbox.requests if f"{request.method} {request.path}" == call]
        _plain[name] = frame, max(int(request.params.get("page", 1)) for request in asked)
    return _plain[name]


def _drips(client: Client, case: Case, fault: Fault) -> None:
    """Load until an answer has dripped past the time of a call; a busy machine may be too slow before that."""
    with pytest.MonkeyPatch.context() as short:
        short.setattr(adapter, "CALL_TIMEOUT_SECONDS", 0.3)
        while not fault.count:
            with pytest.raises((TransportError, IncompleteError)):
                LOADS[case.name][1](client)


def test_the_cases_hold_every_pair() -> None:
    """No fault is left out at an end point, on a page, or of a loader's pages."""
    faults = {(case.kind, str(case.options)) for case in CASES}
    calls = {call for call, _ in LOADS.values()}
    assert len({(case.kind, str(case.options), LOADS[case.name][0]) for case in CASES}) == len(faults) * len(calls)
    assert len({(case.kind, str(case.options), case.place) for case in CASES}) == len(faults) * len(PLACES)
    assert len({(case.name, case.place) for case in CASES}) == len(LOADS) * len(PLACES)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_fault_that_passes_is_not_seen(sandbox: Sandbox, connected: Client, case: Case) -> None:
    """Once, and then all is well: the same frame; or, where an answer was given that means an error, that error."""
    call, load = LOADS[case.name]
    wanted, pages = _without(case.name, sandbox)
    page = {"first": 1, "middle": (pages + 1) // 2, "last": pages}[case.place]
    fault = sandbox.faults.add(case.kind, call, page=page, times=1, **case.options)
    if case.kind == "drip":
        _drips(connected, case, fault)
    try:
        frame = load(connected)
    except SAID.get(case.kind, ()):
        sandbox.faults.clear()
        frame = load(connected)  # nothing of it was kept
    assert fault.count == 1
    pd.testing.assert_frame_equal(frame, wanted)


@pytest.mark.parametrize("case", CASES_THAT_STAY, ids=repr)
def test_a_fault_that_stays_is_its_own_error(sandbox: Sandbox, connected: Client, case: Case) -> None:
    """One line of its class, and nothing of it is kept."""
    call, load = LOADS[case.name]
    wanted, _ = _without(case.name, sandbox)
    fault = sandbox.faults.add(case.kind, call, times=None, **case.options)
    if case.kind == "slow":
        pd.testing.assert_frame_equal(load(connected), wanted)
        return
    if case.kind == "drip":
        _drips(connected, case, fault)
    else:
        with pytest.raises(STAYS.get(case.kind, TransportError)) as caught:
            load(connected)
        assert "\n" not in str(caught.value)
        assert fault.count >= 1
    sandbox.faults.clear()
    pd.testing.assert_frame_equal(load(connected), wanted)


@pytest.mark.parametrize("name", ["orders", "shipments", "actual stock"])
@pytest.mark.parametrize("kind", ["server_error", "cut", "html", "drop", "too_many"])
def test_a_page_that_never_comes_leaves_a_hole_that_is_named(
    sandbox: Sandbox, connected: Client, name: str, kind: str
) -> None:
    """The pages that came are in `.partial`, typed like the whole, and `.missing` names the window."""
    call, load = LOADS[name]
    wanted, pages = _without(name, sandbox)
    page = (pages + 1) // 2
    sandbox.faults.add(kind, call, page=page, times=None)
    with pytest.raises(IncompleteError, match=f"page {page}") as caught:
        load(connected)
    partial = caught.value.partial
    assert 0 < len(partial) < len(wanted)
    assert list(partial.dtypes) == list(wanted.dtypes)
    assert len(caught.value.missing) >= 1
