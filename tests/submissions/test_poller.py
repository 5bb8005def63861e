"""Test the poller of open transactions: its pace, its failures, and overdue transactions."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from support.fake_clock import FakeClock

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.sandbox import Sandbox

Plan = Callable[..., pd.DataFrame]


def polls(sandbox: Sandbox) -> list[str]:
    return [str(request.params["handle"]) for request in sandbox.requests if request.path == "/transaction"]


def last(sandbox: Sandbox, minutes: float) -> None:
    """Set the duration of transactions from now on."""
    sandbox.state.transactions._life = pd.Timedelta(minutes=minutes).to_pytimedelta()


def test_polls_back_off_from_two_seconds_to_thirty(
    account: Client, northwind: Sandbox, clock: FakeClock, plan: Plan
) -> None:
    """The first is after 2 s, the intervals grow to 30 s."""
    last(northwind, 5)
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    times = []
    for _ in range(400):
        before = len(polls(northwind))
        submission.poll()
        if len(polls(northwind)) > before:
            times.append(clock.elapsed)
        clock.advance(0.5)
    gaps = [later - earlier for earlier, later in zip([0.0, *times], times, strict=False)]
    assert gaps[0] == 2.0
    assert gaps == sorted(gaps)
    assert max(gaps) <= 30.5


def test_all_submissions_share_one_poller(account: Client, northwind: Sandbox, clock: FakeClock, plan: Plan) -> None:
    """A transaction is polled once each time, however many watch it."""
    first = cn.submit_updates(account, plan("0003"), progress=False)
    second = cn.submit_updates(account, plan("0011"), progress=False)
    reopened = cn.open_submission(account, first.submission_id)
    notified: list[str] = []
    for one in (first, second, reopened):
        one.watch(lambda seen: notified.append(seen.submission_id))
    clock.advance(2)
    for one in (first, second, reopened, first):
        one.poll()
    assert len(polls(northwind)) == len(set(polls(northwind))) == 2
    assert sorted(notified) == sorted([first.submission_id] * 2 + [second.submission_id])


def test_polls_leave_a_quarter_of_the_rate_limit(
    connect: Callable[..., Client], northwind: Sandbox, clock: FakeClock, plan: Plan
) -> None:
    """With many open transactions each is polled less often."""
    last(northwind, 60)
    client = connect(rate_limit=60)
    skus = cn.load_actual_stock(client).query("not is_discontinued")["product_sku"].head(30)
    submission = cn.submit_updates(client, plan(*skus), batch_size=1, progress=False)
    clock.advance(120)
    submission.poll()
    start = len(polls(northwind))
    minutes = 4
    for _ in range(minutes * 60):
        clock.advance(1)
        submission.poll()
    assert (len(polls(northwind)) - start) / minutes <= 45 + 3


def test_overdue_rows_stay_pending(account: Client, northwind: Sandbox, clock: FakeClock, plan: Plan) -> None:
    """After 15 minutes the row is pending and its message says overdue; its end is still noticed."""
    last(northwind, 40)
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    with pytest.warns(cn.errors.PendingWarning, match="1 row pending"):
        submission.wait("14min", progress=False)
    assert submission.outcomes["message"].isna().all()
    with pytest.warns(cn.errors.PendingWarning):
        submission.wait("2min", progress=False)
    found = submission.outcomes.iloc[0]
    assert (found["outcome"], found["status"]) == ("pending", "PROCESSING")
    assert found["message"].startswith("Overdue")
    assert "1 of them overdue" in repr(submission)
    assert submission.wait("1h", progress=False).outcomes["outcome"].tolist() == ["applied"]


def test_a_wait_outlasts_failures_that_pass(account: Client, northwind: Sandbox, plan: Plan) -> None:
    """5xx, broken connections and 429 don't end it."""
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    for kind in ("server_error", "cut", "html", "too_many", "wrong_shape", "error_200"):
        northwind.faults.add(kind, "GET /transaction", times=5)
    assert submission.wait(progress=False).outcomes["outcome"].tolist() == ["applied"]


def test_a_wait_that_ends_says_why(account: Client, northwind: Sandbox, plan: Plan) -> None:
    """The warning has the last failure, and nothing is lost."""
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    northwind.faults.add("server_error", "GET /transaction", times=None)
    with pytest.warns(cn.errors.PendingWarning, match="The last poll failed: .*500"):
        submission.wait("2min", progress=False)
    northwind.faults.clear()
    assert submission.wait(progress=False).outcomes["outcome"].tolist() == ["applied"]


def test_poll_now_does_not_wait_for_the_turn(account: Client, northwind: Sandbox, clock: FakeClock, plan: Plan) -> None:
    """A button calls it."""
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    submission.poll(now=True)
    assert len(polls(northwind)) == 1


def test_rows_of_a_large_submission_are_counted_not_read(account: Client, northwind: Sandbox) -> None:
    """A snapshot of a large submission has numbers and a few messages."""
    actual = cn.load_actual_stock(account)
    code = actual["warehouse_code"].iloc[0]
    counts = pd.DataFrame(
        {"warehouse_code": code, "product_sku": [f"X{number}" for number in range(2_000)], "quantity": 1}
    )
    updates = cn.build_true_up(counts, actual)
    submission = cn.submit_updates(account, updates, allow=["unknown_sku"], batch_size=200, progress=False).wait(
        progress=False
    )
    seen = submission.snapshot()
    assert seen.count("rejected") == 2_000
    assert [batch.message_count for batch in seen.batches] == [200] * 10
    assert max(len(batch.messages) for batch in seen.batches) == 6
    assert len(submission.outcomes) == 2_000


def test_a_snapshot_has_the_next_poll(account: Client, northwind: Sandbox, clock: FakeClock, plan: Plan) -> None:
    """It has the seconds until then while open, null at the end."""
    last(northwind, 1)
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    submission.poll()
    clock.advance(0.5)
    assert submission.snapshot().batches[0].next_poll == 1.5
    clock.advance(100)
    submission.poll(now=True)
    assert submission.snapshot().batches[0].next_poll is None


def test_a_look_at_a_batch_begins_with_what_needs_somebody(account: Client, northwind: Sandbox, plan: Plan) -> None:
    """Rejected rows come first, then unconfirmed ones; a change shows the resulting stock."""
    northwind.faults.add("failed_rows", "PATCH /inventories", rows=(1,), message="Busy.")
    updates = plan("0003", "0011", type="DIFFERENTIAL", by=4)
    submission = cn.submit_updates(account, updates, progress=False).wait(progress=False)
    first, second = submission.read_rows(0, 10)
    assert (first.name, first.outcome, first.message) == ("0011", "rejected", "Busy.")
    assert (second.name, second.outcome) == ("0003", "unconfirmed")
    assert second.after == second.before + 4
    assert submission.snapshot().batches[0].messages[0] == ("0011", "Busy.")
    assert len(submission.read_rows(0, 1)) == 1
