"""Test Ctrl-C at every opcode of a unit of work, and at many of a public write: it is done completely or not at all."""

from __future__ import annotations

import signal
import sqlite3
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pandas as pd
import pytest
from msgspec.structs import replace
from support.fake_clock import FakeClock
from support.property_examples import share_of_examples
from support.staging import connect_staging

import cenports_nb as cn
from cenports_nb.errors import CenportsError
from cenports_nb.sandbox import Sandbox
from cenports_nb.submissions.journal.row_updates import RowChange
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.rules.decide import Decision
from cenports_nb.submissions.rules.models import Batch, Head, Row
from cenports_nb.submissions.rules.moments import Moment
from simulation.faulty_journal import InlineRunner
from simulation.interrupts import count_opcodes, interrupt

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]

NOW = Moment(datetime(2026, 3, 1, 12, tzinfo=UTC))
POINTS = share_of_examples(0.4)
"""Of a public write; `pytest --hypothesis-profile thorough` takes more."""

LAST_POINT_OF_A_HAND_OVER = 171_000
"""Counted; the first half of it loads the orders."""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal on disk that need not survive a power cut."""
    with closing(Journal(tmp_path / "home")) as opened:
        opened.read_unit(lambda connection: connection.execute("PRAGMA synchronous=OFF"))
        yield opened


def add(journal: Journal, name: str) -> Batch:
    """Write down a submission of two rows in one batch."""
    head = Head(name, "stock", "staging", "https://x|P", "P", NOW.wall.isoformat())
    batch = Batch(name, 0, "W", 2)
    journal.add(head, [batch], [Row(name, i, 0, i, "W", f"{name}-{i}", "TRUE_UP", 1) for i in range(2)])
    return batch


def claim(journal: Journal, batch: Batch) -> Batch:
    """Let it leave."""
    rows = journal.rows(batch.submission_id)
    claimed = journal.claim(batch, rows, Decision(send=tuple(rows)), NOW)
    assert claimed is not None
    return claimed


def read(path: Path, name: str) -> list[tuple[str, str]]:
    """Read rows as another process sees them: what is committed, and nothing else."""
    with closing(sqlite3.connect(path)) as other:
        query = (
            "SELECT row.outcome, batch.state FROM row JOIN batch USING (submission_id, batch) WHERE submission_id = ?"
        )
        return other.execute(query, (name,)).fetchall()


UNITS: dict[str, tuple[Callable[[Journal, str], object], Callable[[Journal, str], object], list[object]]] = {
    "add": (lambda *_: None, add, [[], [("not_sent", "planned")] * 2]),
    "claim": (
        add,
        lambda journal, name: claim(journal, journal.batches(name)[0]),
        [[("not_sent", "planned")] * 2, [("sending", "sending")] * 2],
    ),
    "record_acceptance": (
        lambda journal, name: claim(journal, add(journal, name)),
        lambda journal, name: journal.record_acceptance(journal.batches(name)[0], f"H-{name}", "twice", NOW),
        [[("sending", "sending")] * 2, [("pending", "accepted")] * 2],
    ),
    "split": (
        lambda journal, name: claim(journal, add(journal, name)),
        lambda journal, name: journal.split(replace(journal.batches(name)[0], rows=2), NOW),
        [[("sending", "sending")] * 2, [("not_sent", "planned")] * 2],
    ),
    "change_rows": (
        add,
        lambda journal, name: journal.change_rows(name, [RowChange(i, "hold", {"message": "x"}) for i in (0, 1)], NOW),
        [[("not_sent", "planned")] * 2, [("held", "planned")] * 2],
    ),
}


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_of_work_is_whole_or_absent(journal: Journal, unit: str) -> None:
    """At every opcode; and the next write is committed, seen by another process."""
    prepare, work, allowed = UNITS[unit]
    prepare(journal, "count")
    points = count_opcodes(lambda: work(journal, "count"))
    assert points > 50
    seen = []
    for at in range(1, points + 1):
        name = f"s{at}"
        prepare(journal, name)
        assert interrupt(lambda: work(journal, name), at)  # noqa: B023 - called at once
        seen.append(read(journal.path, name))
        assert seen[-1] in allowed, f"at opcode {at}"
        add(journal, f"next{at}")
        assert len(read(journal.path, f"next{at}")) == 2
    assert all(state in seen for state in allowed)


def test_ctrl_c_while_another_process_holds_the_journal(journal: Journal) -> None:
    """The unit of work waits for the other one, is carried out whole, and only then the cell is interrupted."""
    other = sqlite3.connect(journal.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    def interrupt_and_let_go() -> None:
        signal.raise_signal(signal.SIGINT)
        other.execute("ROLLBACK")

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.2, interrupt_and_let_go).start()
        with pytest.raises(KeyboardInterrupt):
            add(journal, "waiting")
    finally:
        signal.signal(signal.SIGINT, before)
        other.close()
    assert len(read(journal.path, "waiting")) == 2
    add(journal, "next")
    assert len(read(journal.path, "next")) == 2


def test_the_search_finds_a_unit_that_can_be_split(tmp_path: Path) -> None:
    """Run where it is asked for, a unit of work is left open by some interrupt: then nothing is committed any more."""
    split = 0
    with closing(Journal(tmp_path / "home", runner=InlineRunner())) as journal:
        points = count_opcodes(lambda: add(journal, "count"))
        for at in range(1, points + 1):
            interrupt(lambda: add(journal, f"s{at}"), at)  # noqa: B023
            open_now = journal.read_unit(lambda connection: connection.in_transaction)
            split += open_now
            if open_now:
                journal.read_unit(lambda connection: connection.execute("ROLLBACK"))
    assert split > 0


@pytest.mark.parametrize("seed", range(POINTS))
def test_an_interrupted_cell_that_is_run_again_doubles_nothing(
    northwind: Sandbox, clock: FakeClock, home: Path, seed: int
) -> None:
    """Ctrl-C anywhere in `submit_updates`, a new kernel, the cell once more: the delivery is booked once."""
    with connect_staging(northwind, clock) as client:
        actual = cn.load_actual_stock(client)
        changes = actual.query("not is_discontinued").head(6)[["warehouse_code", "product_sku"]].assign(quantity=4)
        updates = cn.build_differential(changes, actual, reference="DELIVERY-1")
        before = _read_stock(northwind, updates)
        points = _count_points(client, updates)
        at = Random(seed).randint(1, points)
        interrupt(lambda: cn.submit_updates(client, updates, batch_size=2, progress=False), at)
    with connect_staging(northwind, clock) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = cn.list_submissions()["submission_id"].tolist()
        submissions = [cn.open_submission(client, name) for name in names]
        if not submissions:
            submissions = [cn.submit_updates(client, updates, batch_size=2, progress=False)]
        else:
            with pytest.raises(CenportsError):
                cn.submit_updates(client, updates, batch_size=2, progress=False)
        for submission in submissions:
            submission.resume(progress=False).wait(progress=False)
            clock.advance(1_500)
            submission.verify()
            clock.advance(61)
            submission.verify().retry(progress=False).wait(progress=False)
            assert set(submission.outcomes["outcome"]) == {"applied"}, f"at opcode {at}"
    assert len(submissions) == 1
    assert [now - then for now, then in zip(_read_stock(northwind, updates), before, strict=True)] == [4] * len(updates)


@pytest.mark.parametrize("seed", range(POINTS // 2))
def test_an_interrupted_hand_over_that_is_run_again_picks_each_order_once(
    northwind: Sandbox, clock: FakeClock, tmp_path: Path, seed: int
) -> None:
    """A file that can be seen is known, and no order is in two of them."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    with connect_staging(northwind, clock) as client:
        expected = set(cn.load_orders(client, acknowledged=False, channel_id="NW-NA", refresh=True)["order_no"])
        at = Random(seed).randint(80_000, LAST_POINT_OF_A_HAND_OVER)
        interrupt(lambda: cn.hand_over(client, folder / "first.csv", channel_id="NW-NA", progress=False), at)
    with connect_staging(northwind, clock) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("first.csv", "second.csv"):
            if not (folder / name).exists():
                cn.hand_over(client, folder / name, channel_id="NW-NA", progress=False)
        left = cn.load_orders(client, acknowledged=False, channel_id="NW-NA", refresh=True)
    picked = [pd.read_csv(path, dtype="str")["order_no"].unique().tolist() for path in folder.glob("*.csv")]
    assert sorted(number for numbers in picked for number in numbers) == sorted(expected), f"at opcode {at}"
    assert left.empty


def _count_points(client: cn.Client, updates: pd.DataFrame) -> int:
    """Count the opcodes of a dry run, which does everything but send; sending takes about as many again."""
    return 2 * count_opcodes(lambda: cn.submit_updates(client, updates, batch_size=2, dry_run=True, progress=False))


def _read_stock(sandbox: Sandbox, updates: pd.DataFrame) -> list[int]:
    with sandbox.state.lock:
        sandbox.state.settle()
        return [
            sandbox.state.stock.quantities[key]
            for key in zip(updates["warehouse_code"], updates["product_sku"], strict=True)
        ]
