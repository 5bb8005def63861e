"""Test histories that once lost or doubled a row against the server's final stock."""

from __future__ import annotations

import os
import sqlite3
import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from support.fake_clock import FakeClock

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import GuardRailError, JournalError, StaleStockError, TransportError
from cenports_nb.sandbox import Dialect, Sandbox
from cenports_nb.submissions.context import get_context

pytestmark = pytest.mark.slow

CALL = "PATCH /inventories"
Plan = Callable[..., pd.DataFrame]
Writes = Callable[[], list[list[str]]]
Stock = Callable[[str], int]


def outcome(submission: cn.Submission) -> dict[str, str]:
    return dict(submission.outcomes[["product_sku", "outcome"]].values)


@pytest.fixture
def move(northwind: Sandbox) -> Callable[[str, int], None]:
    """Change a SKU's stock as another system would."""

    def by(sku: str, units: int) -> None:
        with northwind.state.lock:
            northwind.state.settle()
            key = next(key for key in northwind.state.stock.quantities if key[1] == sku)
            northwind.state.stock.quantities[key] += units

    return by


def test_a_row_in_doubt_is_never_rebased(
    account: Client, northwind: Sandbox, plan: Plan, stock: Stock, move: Callable[[str, int], None]
) -> None:
    """Its own late change is no sale: 100 becomes 90 and stays there."""
    move("0003", 100 - stock("0003"))
    northwind.state.transactions._life = timedelta(minutes=10)
    northwind.faults.add("late_error", CALL)
    submission = cn.submit_updates(account, plan("0003", by=-10), on_stale="rebase", progress=False)
    account.clock.sleep(60)
    submission.resume(progress=False)
    account.clock.sleep(3_600)
    submission.resume(progress=False)
    submission.wait(progress=False)
    account.clock.sleep(3_600)
    assert (outcome(submission), stock("0003")) == ({"0003": "applied"}, 90)


def test_a_repeat_that_came_first_stays_in_the_way(
    account: Client, northwind: Sandbox, plan: Plan, stock: Stock
) -> None:
    """One of two requests for a row is done; the other would undo anything sent before it takes effect."""
    northwind.faults.add("server_error", CALL)
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    submission.resume(progress=False).wait(progress=False)
    assert outcome(submission) == {"0003": "applied"}
    delivery = plan("0003", type="DIFFERENTIAL", by=7)
    with pytest.raises(GuardRailError, match="in_flight") as caught:
        cn.submit_updates(account, delivery, progress=False)
    assert caught.value.objections["guard"].tolist() == ["in_flight"]
    account.clock.sleep(1_300)
    before = stock("0003")
    assert outcome(cn.submit_updates(account, delivery, progress=False).wait(progress=False)) == {"0003": "applied"}
    assert stock("0003") == before + 7


def test_a_repeat_hides_a_change_sent_within_its_time(account: Client, northwind: Sandbox, plan: Plan) -> None:
    """It may have restored the earlier stock: for an hour stock proves nothing about such a change."""
    northwind.faults.add("server_error", CALL)
    cn.submit_updates(account, plan("0003"), progress=False).resume(progress=False).wait(progress=False)
    northwind.faults.add("server_error", CALL)
    near = cn.submit_updates(account, plan("0003", by=5), allow=["in_flight"], progress=False)
    account.clock.sleep(3_600)
    for _ in range(2):
        near.verify()
        account.clock.sleep(61)
    assert outcome(near) == {"0003": "in_doubt"}
    assert "meanwhile" in near.outcomes["message"][0]
    near.resolve("0003", "not_applied", "looked at the shelf")
    northwind.faults.add("server_error", CALL)
    later = cn.submit_updates(account, plan("0003", by=4), progress=False)
    account.clock.sleep(3_600)
    for _ in range(2):
        later.verify()
        account.clock.sleep(61)
    assert outcome(later) == {"0003": "not_applied"}


def test_each_row_has_its_own_document(account: Client, plan: Plan, stock: Stock) -> None:
    """Two deliveries in one frame are two documents, and neither is ever booked again."""
    updates = plan("0003", "0011", type="DIFFERENTIAL", by=10).assign(reference=["DELIVERY-1", "DELIVERY-2"])
    before = stock("0003"), stock("0011")
    submission = cn.submit_updates(account, updates, progress=False).wait(progress=False)
    assert submission.history["reference"].unique().tolist() == ["DELIVERY-1", "DELIVERY-2"]
    assert cn.list_submissions()["reference"].tolist() == ["DELIVERY-1, DELIVERY-2"]
    for hours in (1, 24 * 30):
        account.clock.sleep(3_600 * hours)
        for row in (0, 1):
            with pytest.raises(GuardRailError, match=f"DELIVERY-{row + 1}' was submitted"):
                cn.submit_updates(account, updates.iloc[[row]], progress=False)
    assert (stock("0003"), stock("0011")) == (before[0] + 10, before[1] + 10)


def test_a_reversal_is_booked_once_ever(account: Client, plan: Plan, stock: Stock) -> None:
    """A month later it is still the same document."""
    before = stock("0003")
    submission = cn.submit_updates(account, plan("0003"), progress=False).wait(progress=False)
    reversal = cn.build_reversal(submission)
    cn.submit_updates(account, reversal, progress=False).wait(progress=False)
    account.clock.sleep(30 * 86_400)
    for again in (cn.build_reversal(submission), cn.build_reversal(submission, reference="REV-2")):
        with pytest.raises(GuardRailError, match="reversal of"):
            cn.submit_updates(account, again, progress=False)
    assert stock("0003") == before


def test_of_two_submissions_of_one_delivery_one_is_sent(
    account: Client, northwind: Sandbox, plan: Plan, stock: Stock, writes: Writes
) -> None:
    """The unsent one blocks it; the objection names the call that closes it, and a closed one is never sent."""
    before = stock("0003")
    delivery = plan("0003", type="DIFFERENTIAL", by=10).assign(reference="DELIVERY-1")
    northwind.faults.add("too_many", CALL, times=None, retry_after=100)
    first = cn.submit_updates(account, delivery, progress=False)
    with pytest.raises(GuardRailError, match=r'resolve\(rows, "not_applied", note\)'):
        cn.submit_updates(account, delivery, allow=["repeated"], progress=False)
    second = cn.submit_updates(account, delivery, allow=["repeated", "in_flight"], progress=False)
    northwind.faults.clear()
    account.clock.sleep(200)
    sent = len(writes())
    for each in (first, second):
        each.resume(progress=False)
    assert len(writes()) == sent
    second.resolve("0003", "not_applied", "entered twice")
    for each in (first, second, first, second):
        each.resume(progress=False).wait(progress=False)
    assert (outcome(first), outcome(second)) == ({"0003": "applied"}, {"0003": "not_applied"})
    assert stock("0003") == before + 10


def test_halves_leave_out_what_a_person_closed(account: Client, northwind: Sandbox, plan: Plan, writes: Writes) -> None:
    """A 413 halves only the rows of the request."""
    northwind.faults.add("server_error", CALL)
    submission = cn.submit_updates(account, plan("0003", "0011", "0012"), progress=False)
    submission.resolve("0011", "applied", "seen")
    northwind.dialect = Dialect(batch_most=1)
    submission.resume(progress=False).wait(progress=False)
    assert outcome(submission) == {"0003": "applied", "0011": "applied", "0012": "applied"}
    assert writes()[1:] == [["0003", "0012"], ["0003"], ["0012"]]


@pytest.mark.parametrize("fault", ["server_error", "failed_rows"])
def test_a_canary_is_its_rows_wherever_they_are_sent(
    account: Client, northwind: Sandbox, plan: Plan, writes: Writes, fault: str
) -> None:
    """If they are sent again in another batch, the rest waits until they are applied."""
    northwind.faults.add(fault, CALL, times=2, **({"rows": (0,)} if fault == "failed_rows" else {}))
    with pytest.warns(cn.errors.CenportsWarning, match="canary"):
        submission = cn.submit_updates(account, plan("0003", "0011", "0012"), canary=1, progress=False)
    with pytest.warns(cn.errors.CenportsWarning, match="canary"):
        (submission.resume if fault == "server_error" else submission.retry)(progress=False)
    assert {sku for write in writes() for sku in write} == {"0003"}
    (submission.resume if fault == "server_error" else submission.retry)(progress=False)
    submission.resume(progress=False).wait(progress=False)
    assert set(outcome(submission).values()) == {"applied"}


def test_stock_is_fresh_when_a_batch_is_sent(
    account: Client, northwind: Sandbox, clock: FakeClock, plan: Plan, move: Callable[[str, int], None]
) -> None:
    """The machine slept for three hours after the last reading; stock is read again, and the sale is noticed."""
    renew = account.session._adapter._rate_limiter.renew

    def sleep_before_it_leaves(place: float) -> bool:
        found = renew(place)
        if not slept:
            slept.append(True)
            clock.advance(3 * 3_600)
            move("0003", -1)
        return found

    slept: list[bool] = []
    account.session._adapter._rate_limiter.renew = sleep_before_it_leaves  # type: ignore[method-assign]
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    assert outcome(submission) == {"0003": "not_sent"}
    assert "stock moved" in submission.outcomes["message"][0]
    assert submission.history["outcome"].tolist() == ["sending", "not_sent", "not_sent"]


def test_absence_counts_from_when_the_request_left(
    account: Client, northwind: Sandbox, clock: FakeClock, plan: Plan
) -> None:
    """It was claimed half an hour before it was lost, which proves nothing."""
    write = account.write

    def take_half_an_hour(*arguments: Any) -> Any:
        clock.advance(1_800)
        raise TransportError("reset")

    account.write = take_half_an_hour  # type: ignore[method-assign]
    submission = cn.submit_updates(account, plan("0003", type="DIFFERENTIAL"), progress=False)
    account.write = write  # type: ignore[method-assign]
    for seconds in (60, 60, 60):
        submission.verify()
        clock.advance(seconds)
    assert outcome(submission.verify()) == {"0003": "in_doubt"}
    clock.advance(1_100)
    assert outcome(submission.verify()) == {"0003": "not_applied"}


@pytest.mark.parametrize("hours", [1, -1])
def test_a_wall_clock_that_is_set_proves_nothing(
    account: Client, connect: Callable[..., Client], northwind: Sandbox, clock: FakeClock, plan: Plan, hours: int
) -> None:
    """After a restart too, because answers of Cenports have the time."""
    northwind.faults.add("server_error", CALL)
    submission = cn.submit_updates(account, plan("0003", type="DIFFERENTIAL"), progress=False)
    clock._start += timedelta(hours=hours)
    for client in (account, connect()):
        reopened = cn.open_submission(client, submission.submission_id)
        reopened.verify()
        clock.elapsed += 61
        northwind.clock.advance(61)
        assert outcome(reopened.verify()) == {"0003": "in_doubt"}


def test_an_own_other_change_is_no_evidence(
    account: Client, northwind: Sandbox, plan: Plan, stock: Stock, move: Callable[[str, int], None]
) -> None:
    """A lost −2 and an applied −2 of another submission look alike, so the user decides."""
    northwind.faults.add("server_error", CALL)
    lost = cn.submit_updates(account, plan("0003", type="DIFFERENTIAL", by=-2), progress=False)
    other = plan("0003", type="DIFFERENTIAL", by=-2).assign(reference="OTHER")
    cn.submit_updates(account, other, allow=["in_flight", "repeated"], progress=False).wait(progress=False)
    account.clock.sleep(3_600)
    lost.verify()
    account.clock.sleep(61)
    assert outcome(lost.verify()) == {"0003": "in_doubt"}
    assert "changed the same SKU meanwhile" in lost.outcomes["message"][0]


def test_a_reading_says_nothing_of_what_was_sent_since(account: Client, northwind: Sandbox, plan: Plan) -> None:
    """Another process sends the row again while verify() reads, so its reading is too old to prove absence."""
    northwind.faults.add("server_error", CALL, times=2)
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    account.clock.sleep(1_500)
    submission.verify()
    account.clock.sleep(61)
    gateway = get_context(account).gateway
    read_stock = gateway.read_stock

    def read_and_be_overtaken(codes: Any) -> Any:
        levels = read_stock(codes)
        gateway.read_stock = read_stock  # type: ignore[method-assign]
        submission.resume(progress=False)
        return levels

    gateway.read_stock = read_and_be_overtaken  # type: ignore[method-assign]
    submission.verify()
    assert outcome(submission) == {"0003": "in_doubt"}


@pytest.mark.parametrize("when", ["before it is planned", "while it is sent"])
def test_a_dropped_row_is_an_outcome(
    account: Client, northwind: Sandbox, plan: Plan, move: Callable[[str, int], None], when: str
) -> None:
    """The journal has the stock read, and the row is never sent automatically."""
    updates = plan("0003", "0011")
    if when == "before it is planned":
        move("0003", -1)
        submission = cn.submit_updates(account, updates, on_stale="drop", progress=False)
    else:
        northwind.faults.add("unauthorized", CALL, times=2)
        submission = cn.submit_updates(account, updates, on_stale="drop", progress=False)
        move("0003", -1)
        account.clock.sleep(600)
        submission.resume(progress=False)
    submission.wait(progress=False)
    assert outcome(submission) == {"0003": "dropped", "0011": "applied"}
    row = submission.outcomes.set_index("product_sku").loc["0003"]
    assert "tock moved from" in row["message"]
    submission.resume(progress=False).retry(progress=False)
    assert outcome(submission)["0003"] == "dropped"


def test_guards_see_what_a_rebase_makes_of_a_row(
    account: Client, northwind: Sandbox, plan: Plan, stock: Stock, move: Callable[[str, int], None]
) -> None:
    """Planned as 60 of 100, the row is 10 of 50 after stock falls: guards check it in both states."""
    move("0003", 100 - stock("0003"))
    updates = plan("0003", by=-40)
    northwind.faults.add("unauthorized", CALL, times=2)
    submission = cn.submit_updates(account, updates, on_stale="rebase", progress=False)
    move("0003", -50)
    account.clock.sleep(600)
    submission.resume(progress=False)
    assert outcome(submission) == {"0003": "not_sent"}
    assert "max_drop: stock is 50 now, and it would fall to 10" in submission.outcomes["message"][0]
    with pytest.raises(GuardRailError, match="max_drop"):
        cn.submit_updates(account, updates, on_stale="rebase", allow=["in_flight", "repeated"], progress=False)


def test_reserved_units_are_seen_when_a_row_is_rebased(
    account: Client, northwind: Sandbox, plan: Plan, stock: Stock, move: Callable[[str, int], None]
) -> None:
    """Units reserved when it was planned count when it is sent."""
    move("0003", 100 - stock("0003"))
    updates = plan("0003", by=-40)
    available = cn.load_actual_stock(account, refresh=True).assign(channel_id="C")
    available["quantity"] -= (available["product_sku"] == "0003") * 30
    northwind.faults.add("unauthorized", CALL, times=2)
    submission = cn.submit_updates(
        account, updates, on_stale="rebase", available=available, thresholds={"max_drop": 1.0}, progress=False
    )
    move("0003", -50)
    account.clock.sleep(600)
    submission.resume(progress=False)
    assert "below_reserved: stock is 50 now" in submission.outcomes["message"][0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_opens_the_journal_anew(account: Client, plan: Plan) -> None:
    """A connection of SQLite can't be shared between processes."""
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    journal = get_context(account).journal
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork of a process with threads
        child = os.fork()
    if child == 0:
        code = 1
        try:
            refused = False
            try:
                journal.head(submission.submission_id)
            except JournalError:
                refused = True
            code = 0 if refused and len(submission.outcomes) == 1 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_file_refuses_invalid_transitions(account: Client, plan: Plan) -> None:
    """Triggers check every write to the file."""
    submission = cn.submit_updates(account, plan("0003"), progress=False).wait(progress=False)
    with sqlite3.connect(account.home / "journal.sqlite") as file:
        for statement in (
            "UPDATE row SET outcome = 'not_sent'", "UPDATE batch SET state = 'planned'", "DELETE FROM row",
            "UPDATE batch SET handle = 'other'",
        ):  # fmt: skip
            with pytest.raises(sqlite3.IntegrityError):
                file.execute(statement)
    file.close()
    assert outcome(submission) == {"0003": "applied"}


def test_stale_rows_that_cannot_be_rebased_stop_everything(
    account: Client, plan: Plan, stock: Stock, move: Callable[[str, int], None]
) -> None:
    """Stock can't be below 0."""
    move("0003", 20 - stock("0003"))
    updates = plan("0003", by=-9)
    move("0003", -15)
    with pytest.raises(StaleStockError):
        cn.submit_updates(account, updates, on_stale="rebase", progress=False)
