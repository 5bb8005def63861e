"""Test killed and concurrent hand-overs: each order is in one file."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.forked import connect
from support.handover_shop import acknowledgements, arrive, open_orders, orders_in
from support.handover_worker import is_killed

import cenports_nb as cn
from cenports_nb.errors import HandoverWarning
from cenports_nb.sandbox import Sandbox


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "warehouse"
    made.mkdir()
    return made


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.xdist_group("processes")
@pytest.mark.parametrize("apart", [5, pytest.param(1, marks=pytest.mark.thorough)])
def test_killed_at_any_step_no_order_is_lost_and_none_handed_over_twice(folder: Path, home: Path, apart: int) -> None:
    """A new order comes in meanwhile; the second run is killed too, the third is not.

    Before each of some steps; `benchmarks/handover.py` kills at any moment.
    """
    for step in range(1, 30, apart):
        for path in (*folder.iterdir(), *home.glob("*.sqlite*")):
            path.unlink()
        with Sandbox(shift=False, rate_limit=None) as sandbox:
            if not is_killed(sandbox.url, folder / "same.csv", step):
                break
            with connect(sandbox.url) as client, warnings.catch_warnings():
                warnings.simplefilter("ignore", HandoverWarning)
                arrive(client, sandbox, "MEANWHILE")
                rerun = folder / ("same.csv" if step % 2 else "other.csv")
                is_killed(sandbox.url, rerun, step % 5 + 2)
                for path in (rerun, folder / "last.csv"):
                    if not path.exists():
                        cn.hand_over(client, path)
                cn.hand_over(client, folder / "very-last.csv")
                assert open_orders(client) == set()
        found = orders_in(folder)
        assert len(found) == len(set(found)) == 22, step
        assert list(folder.glob(".*")) == [], step
    assert step > 8


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.xdist_group("processes")
@pytest.mark.parametrize("number", [1, 2])
def test_an_acknowledgement_that_landed_before_the_kill_is_not_taken_for_lost(folder: Path, number: int) -> None:
    """The request was sent and its answer lost, so the orders are read again."""
    with Sandbox(shift=False, rate_limit=None) as sandbox, connect(sandbox.url) as client:
        wanted = cn.load_orders(client, acknowledged=False)
        assert is_killed(sandbox.url, folder / "orders.csv", number, "http.client.send")
        name = cn.list_submissions()["submission_id"].iloc[-1]
        doubtful = cn.open_submission(client, name).outcomes.query("outcome == 'in_doubt'")
        client.api.acknowledge_orders(channel_id=doubtful["channel_id"].iloc[0], orders=doubtful["order_no"].tolist())
        sent = len(acknowledgements(sandbox))
        with pytest.warns(HandoverWarning):
            made = cn.hand_over(client, folder / "orders.csv")
        assert made.acknowledged == made.orders == len(wanted)
        assert len(acknowledgements(sandbox)) - sent == 3 - number
        assert orders_in(folder) == sorted(wanted["order_no"])


def test_two_at_once_take_turns(folder: Path) -> None:
    """Every order is in one of the files."""
    with Sandbox(shift=False, rate_limit=None) as sandbox, connect(sandbox.url) as one, connect(sandbox.url) as two:
        wanted = open_orders(one)
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(cn.hand_over, (one, two), (folder / "one.csv", folder / "two.csv")))
        assert sorted(made.orders for made in found) == [0, len(wanted)]
        assert orders_in(folder) == sorted(wanted)
