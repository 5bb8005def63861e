"""Test that any sequence of arrivals, failures and runs ends with every order in one file and acknowledged."""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.fake_clock import FakeClock
from support.property_examples import share_of_examples

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import CenportsError, CenportsWarning
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Sandbox
from cenports_nb.settings import resolve_settings

pytestmark = pytest.mark.slow

CALLS = ("GET /orders", "PATCH /orders/acknowledge")
FAULTS = ("lost", "server_error", "drop", "reset", "cut_json", "error_200", "html", "unauthorized")

actions = st.one_of(
    st.tuples(st.just("arrive"), st.integers(1, 3)),
    st.tuples(st.just("fault"), st.sampled_from(FAULTS), st.sampled_from(CALLS), st.integers(0, 3), st.integers(1, 4)),
    st.tuples(st.just("run"), st.integers(0, 2)),
    st.tuples(st.just("restart")),
    st.tuples(st.just("lose_acknowledgement"), st.integers(0, 5)),
)


class HandoverScenario:
    """An account, its warehouse folder, and the events so far."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox, self.folder = sandbox, folder
        self.record = next(one.record for one in sandbox.state.orders if not one.acknowledged)
        self.arrived = 0
        self.runs = 0
        self.client = self.connect()

    def connect(self) -> Client:
        found = resolve_settings(
            "staging", base_url=self.sandbox.url, partner_id=PARTNER_ID, client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET, rate_limit=100_000,
        )  # fmt: skip
        return Client(found, clock=FakeClock(self.sandbox))

    def arrive(self, number: int) -> None:
        for _ in range(number):
            self.arrived += 1
            self.sandbox.add_order({**self.record, "orderNo": f"NEW-{self.arrived:03}"})

    def fault(self, kind: str, call: str, after: int, times: int) -> None:
        self.sandbox.faults.add(kind, call, after=after, times=times)

    def run(self, back: int) -> None:
        """Hand over to a new path, or to that of an earlier run."""
        self.runs += 1
        path = self.folder / f"{max(1, self.runs - back)}.csv"
        with contextlib.suppress(CenportsError):
            cn.hand_over(self.client, path)

    def restart(self) -> None:
        self.client.close()
        self.client = self.connect()

    def lose_acknowledgement(self, position: int) -> None:
        """Revert an acknowledgement at Cenports, as if it came late."""
        done = [one for one in self.sandbox.state.orders if one.number.startswith("NEW-") and one.acknowledged]
        if position < len(done):
            done[position].acknowledged = False


@settings(max_examples=share_of_examples(1 / 3), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(actions, min_size=3, max_size=14))
def test_every_order_is_handed_over_once(home: Path, steps: list[tuple[object, ...]]) -> None:
    """The last two runs are undisturbed."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(orders=60, seed=5, rate_limit=None) as sandbox,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", CenportsWarning)
        for path in home.glob("*.sqlite*"):
            path.unlink()
        scenario = HandoverScenario(sandbox, Path(folder))
        wanted = {one.number for one in sandbox.state.orders if not one.acknowledged}
        for name, *arguments in steps:
            getattr(scenario, str(name))(*arguments)
        sandbox.faults.clear()
        for last in ("a.csv", "b.csv"):
            cn.hand_over(scenario.client, Path(folder) / last)
        scenario.client.close()
        files = [
            number
            for path in Path(folder).glob("*.csv")
            for number in pd.read_csv(path, dtype=str, encoding="utf-8-sig")["order_no"].unique()
        ]
        wanted |= {f"NEW-{number + 1:03}" for number in range(scenario.arrived)}
        assert sorted(files) == sorted(wanted)
        assert all(one.acknowledged for one in sandbox.state.orders if one.number in wanted)
        assert list(Path(folder).glob(".*")) == []
