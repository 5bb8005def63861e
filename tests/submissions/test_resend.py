"""Test what is sent again after a lost answer, a crash or a failure, and what stock proves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from support.fake_clock import FakeClock

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import GuardRailError, InvalidRequestError, JournalError, ReadOnlyError
from cenports_nb.sandbox import Dialect, Sandbox
from cenports_nb.submissions.context import get_context

CALL = "PATCH /inventories"
Plan = Callable[..., pd.DataFrame]
Writes = Callable[[], list[list[str]]]
Stock = Callable[[str], int]


def outcome(submission: cn.Submission) -> dict[str, str]:
    return dict(submission.outcomes[["product_sku", "outcome"]].values)


def both(plan: Plan) -> pd.DataFrame:
    """Plan a TRUE_UP of 0003 and a DIFFERENTIAL of 0011 in one warehouse."""
    return pd.concat([plan("0003"), plan("0011", type="DIFFERENTIAL")], ignore_index=True)


@pytest.mark.parametrize("fault", ["lost", "late_error"])
def test_an_answer_lost_after_the_change(
    account: Client, northwind: Sandbox, plan: Plan, writes: Writes, fault: str
) -> None:
    """The row is in doubt; stock at its target settles it, and nothing is sent again."""
    northwind.faults.add(fault, CALL)
    submission = cn.submit_updates(account, both(plan), progress=False)
    assert set(outcome(submission).values()) == {"in_doubt"}
    account.clock.sleep(10)
    submission.resume()
    assert outcome(submission) == {"0003": "applied", "0011": "in_doubt"}
    submission.verify()
    assert outcome(submission) == {"0003": "applied", "0011": "applied"}
    assert submission.outcomes["read_back"].notna().all()
    assert len(writes()) == 1


def test_a_request_that_never_came_through(
    account: Client, northwind: Sandbox, plan: Plan, writes: Writes, stock: Stock
) -> None:
    """A TRUE_UP with unchanged stock is sent again; a DIFFERENTIAL never is, and is not_applied after 20 minutes."""
    before = stock("0003"), stock("0011")
    northwind.faults.add("server_error", CALL)
    submission = cn.submit_updates(account, both(plan), progress=False)
    submission.resume().wait(progress=False)
    assert outcome(submission) == {"0003": "applied", "0011": "in_doubt"}
    assert writes() == [["0003", "0011"], ["0003"]]
    assert (stock("0003"), stock("0011")) == (before[0] + 2, before[1])
    assert submission.verify().outcomes["outcome"][1] == "in_doubt"
    assert "verify again after" in submission.outcomes["message"][1]
    account.clock.sleep(19 * 60)
    assert submission.verify().outcomes["outcome"][1] == "in_doubt"
    account.clock.sleep(90)
    assert submission.verify().outcomes["outcome"][1] == "not_applied"
    submission.retry().wait(progress=False)
    assert outcome(submission) == {"0003": "applied", "0011": "applied"}
    assert stock("0011") == before[1] + 2


def test_a_true_up_in_doubt_is_not_repeated_over_a_later_one(
    account: Client, northwind: Sandbox, plan: Plan, writes: Writes, stock: Stock
) -> None:
    """The journal has a later submission of the SKU, so the row stays in doubt, with the reason."""
    northwind.faults.add("server_error", CALL)
    first = cn.submit_updates(account, plan("0003"), progress=False)
    account.clock.sleep(1)
    later = plan("0003", by=5)
    second = cn.submit_updates(account, later, allow=["in_flight"], progress=False).wait(progress=False)
    assert outcome(second) == {"0003": "applied"}
    account.clock.sleep(1)
    # Somebody puts the stock back, so that it stands as before the first one.
    cn.submit_updates(account, plan("0003", by=-5), allow=["in_flight"], progress=False).wait(progress=False)
    sent = len(writes())
    first.resume()
    assert outcome(first) == {"0003": "in_doubt"}
    assert "changed this SKU later" in first.outcomes["message"][0]
    assert len(writes()) == sent


def test_stock_that_is_neither_old_nor_new_settles_nothing(
    account: Client, northwind: Sandbox, plan: Plan, stock: Stock
) -> None:
    """After a sale the row stays in doubt with the stock read, and resolve() closes it with a note."""
    northwind.faults.add("lost", CALL)
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    account.clock.sleep(10)
    with northwind.state.lock:
        northwind.state.settle()
        key = next(key for key in northwind.state.stock.quantities if key[1] == "0003")
        northwind.state.stock.quantities[key] -= 1
    submission.resume()
    account.clock.sleep(3_600)
    submission.verify().verify()
    found = submission.outcomes.iloc[0]
    assert found["outcome"] == "in_doubt"
    assert f"Stock is {stock('0003')}, neither" in found["message"]
    submission.resolve("0003", "applied", "counted by Eve: one was sold")
    found = submission.outcomes.iloc[0]
    assert (found["outcome"], "counted by Eve" in found["message"]) == ("applied", True)
    assert submission.history["made_by"].notna().all()
    assert submission.history.iloc[-1][["outcome", "product_sku"]].tolist() == ["applied", "0003"]


@pytest.mark.parametrize(
    ("rows", "arguments", "words"),
    [
        ("0003", ("applied", " "), "note is empty"),
        ("0003", ("in_doubt", "x"), 'outcome=\'in_doubt\' must be "applied", "not_applied" or "rejected"'),
        ("0003", ("not applied", "x"), 'did you mean "not_applied"'),
        ("XX", ("applied", "x"), "XX is not in this submission"),
        ([], ("applied", "x"), "rows is empty"),
        (pd.DataFrame({"sku": ["0003"]}), ("applied", "x"), "pass a part of .outcomes"),
        (None, ("applied", "x"), "rows=None names no rows"),
    ],
    ids=["no note", "no outcome", "another spelling", "not there", "nothing", "another frame", "no frame"],
)
def test_an_invalid_outcome_closes_nothing(
    account: Client, northwind: Sandbox, plan: Plan, rows: Any, arguments: tuple[str, str], words: str
) -> None:
    """One clear line, and the row is unchanged."""
    northwind.faults.add("lost", CALL)
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    with pytest.raises(InvalidRequestError, match=words):
        submission.resolve(rows, *arguments)
    assert outcome(submission) == {"0003": "in_doubt"}


def test_outcomes_of_another_submission_close_nothing(account: Client, northwind: Sandbox, plan: Plan) -> None:
    """Batch 0 and row 0 exist in each submission."""
    northwind.faults.add("lost", CALL, times=2)
    first = cn.submit_updates(account, plan("0003"), progress=False)
    second = cn.submit_updates(account, plan("0011"), progress=False)
    with pytest.raises(InvalidRequestError, match=f"outcomes of submission {second.submission_id}"):
        first.resolve(second.outcomes, "not_applied", "looked")
    assert (outcome(first), outcome(second)) == ({"0003": "in_doubt"}, {"0011": "in_doubt"})


def test_rows_settled_by_evidence_cannot_be_resolved(account: Client, plan: Plan) -> None:
    """An applied row stays applied; fix it with a new correction."""
    submission = cn.submit_updates(account, plan("0003"), progress=False).wait(progress=False)
    with pytest.raises(InvalidRequestError, match="settled by evidence"):
        submission.resolve(submission.outcomes, "not_applied", "no")


def test_a_transaction_that_answers_after_a_person_did(account: Client, northwind: Sandbox, plan: Plan) -> None:
    """Rows closed by resolve() stay closed; pending ones are settled."""
    northwind.state.transactions._life *= 400
    submission = cn.submit_updates(account, plan("0003", "0011"), progress=False)
    submission.resolve("0003", "not_applied", "never")
    submission.wait("1h", progress=False)
    assert outcome(submission) == {"0003": "not_applied", "0011": "applied"}


def test_rows_refused_by_a_transaction_are_sent_again_alone(
    account: Client, northwind: Sandbox, plan: Plan, writes: Writes
) -> None:
    """retry() sends rejected and not_applied rows; the history has both attempts."""
    northwind.faults.add("failed_rows", CALL, rows=(1,))
    submission = cn.submit_updates(account, plan("0003", "0011", "0012"), progress=False).wait(progress=False)
    submission.verify()
    assert outcome(submission) == {"0003": "applied", "0011": "rejected", "0012": "applied"}
    submission.retry().wait(progress=False)
    assert outcome(submission) == {"0003": "applied", "0011": "applied", "0012": "applied"}
    assert writes() == [["0003", "0011", "0012"], ["0011"]]
    assert submission.transactions["rows"].tolist() == [3, 1]
    assert submission.outcomes[["batch", "row"]].values.tolist() == [[0, 0], [1, 0], [0, 2]]
    of_0011 = submission.history.query("product_sku == '0011'")["outcome"].tolist()
    assert of_0011 == ["sending", "pending", "rejected", "not_sent", "sending", "pending", "applied"]


def test_a_retry_over_moved_stock_is_withheld(account: Client, northwind: Sandbox, plan: Plan, writes: Writes) -> None:
    """The row keeps its outcome and says why it was not sent."""
    northwind.faults.add("failed_rows", CALL, rows=(0,))
    submission = cn.submit_updates(account, plan("0003"), progress=False).wait(progress=False)
    account.clock.sleep(1)
    northwind.state.stock.quantities[next(k for k in northwind.state.stock.quantities if k[1] == "0003")] -= 3
    submission.retry()
    found = submission.outcomes.iloc[0]
    assert found["outcome"] == "rejected"
    assert "stock moved from" in found["message"]
    assert len(writes()) == 1


def test_a_token_refused_in_between(account: Client, northwind: Sandbox, plan: Plan) -> None:
    """A 401 precedes processing: a new token is fetched, and the write is repeated once."""
    northwind.faults.add("expired_token", CALL)
    submission = cn.submit_updates(account, both(plan), progress=False).wait(progress=False)
    assert set(outcome(submission).values()) == {"applied"}


def test_a_token_refused_for_good_stops_and_can_be_resumed(
    account: Client, northwind: Sandbox, plan: Plan, writes: Writes
) -> None:
    """Nothing is in doubt; unsent rows wait for resume(), with the reason."""
    northwind.faults.add("unauthorized", CALL, after=1, times=2)
    submission = cn.submit_updates(account, plan("0003", "0011", "0012"), batch_size=1, progress=False)
    assert outcome(submission) == {"0003": "pending", "0011": "not_sent", "0012": "not_sent"}
    assert submission.outcomes["message"][1:].str.contains("401|resume", regex=True).all()
    submission.resume(progress=False).wait(progress=False)
    assert set(outcome(submission).values()) == {"applied"}
    assert writes() == [["0003"], ["0011"], ["0011"], ["0011"], ["0012"]]


def test_a_differential_that_was_not_sent_goes_out_once(
    account: Client, northwind: Sandbox, plan: Plan, stock: Stock
) -> None:
    """After a refusal it may be sent, and before_quantity is the stock just before."""
    before = stock("0003")
    northwind.faults.add("unauthorized", CALL, times=2)
    submission = cn.submit_updates(account, plan("0003", type="DIFFERENTIAL"), progress=False)
    assert outcome(submission) == {"0003": "not_sent"}
    northwind.state.stock.quantities[next(k for k in northwind.state.stock.quantities if k[1] == "0003")] += 7
    account.clock.sleep(600)
    submission.resume(progress=False).wait(progress=False)
    assert (outcome(submission), stock("0003")) == ({"0003": "applied"}, before + 9)
    assert submission.changes["before_quantity"].tolist() == [before + 7]


def test_stock_that_moves_while_a_long_submission_is_sent(
    account: Client, northwind: Sandbox, clock: FakeClock, plan: Plan, writes: Writes
) -> None:
    """Stock is read every five minutes; rows whose stock changed are held with the reason."""
    updates = plan("0003", "0011", "0012")
    key = next(k for k in northwind.state.stock.quantities if k[1] == "0012")

    class Slow(Client):
        """Each write takes four minutes, and units of 0012 are sold meanwhile."""

        def write(self, *arguments: Any) -> Any:
            answer = super().write(*arguments)
            clock.advance(240)
            northwind.state.stock.quantities[key] -= 1
            return answer

    with Slow(account.settings, clock=clock) as slow:
        submission = cn.submit_updates(slow, updates, batch_size=1, progress=False)
        found = submission.outcomes
    assert found["outcome"].tolist() == ["pending", "pending", "not_sent"]
    assert "stock moved from" in found["message"][2]
    assert writes() == [["0003"], ["0011"]]


def test_two_holders_of_the_right_to_send(account: Client, northwind: Sandbox, plan: Plan, writes: Writes) -> None:
    """While one process sends, another gets a one-line error, and nothing is doubled."""
    northwind.faults.add("unauthorized", CALL, times=2)
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    sent = len(writes())
    with (
        get_context(account).locks.hold_sending(submission.submission_id),
        pytest.raises(JournalError, match="being sent by another"),
    ):
        submission.resume()
    assert len(writes()) == sent


def test_a_process_that_just_began_to_send_is_not_called_crashed(
    account: Client, northwind: Sandbox, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process took the free rows a moment ago, and keeps them."""
    northwind.faults.add("unauthorized", CALL, times=2)
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    context = get_context(account)
    closed: list[str] = []
    with context.locks.hold_sending(submission.submission_id):
        monkeypatch.setattr(context.locks, "is_sending", lambda _: False)
        monkeypatch.setattr(context.journal, "has_sending", lambda _: True)
        monkeypatch.setattr(context.journal, "close_crashed", lambda name, _: closed.append(name))
        submission.close_crashed()
    assert closed == []
    submission.close_crashed()
    assert closed == [submission.submission_id]


def test_a_read_only_client_resumes_and_retries_nothing(
    account: Client, connect: Callable[..., Client], northwind: Sandbox, plan: Plan
) -> None:
    """It may read, wait and verify."""
    northwind.faults.add("lost", CALL)
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    account.clock.sleep(10)
    reader = cn.open_submission(connect(read_only=True), submission.submission_id)
    for act in (reader.resume, reader.retry):
        with pytest.raises(ReadOnlyError, match="nothing was sent"):
            act()
    assert outcome(reader.verify()) == {"0003": "applied"}


def test_another_client_follows_what_one_sent(
    account: Client, connect: Callable[..., Client], northwind: Sandbox, plan: Plan
) -> None:
    """After a restart the journal has the handle."""
    name = cn.submit_updates(account, plan("0003"), progress=False).submission_id
    account.close()
    other = cn.open_submission(connect(), name)
    assert outcome(other.wait(progress=False)) == {"0003": "applied"}


def test_a_failed_transaction_that_applied_nothing(
    account: Client, northwind: Sandbox, plan: Plan, stock: Stock
) -> None:
    """Rows are unconfirmed, then not_applied after two readings, then sent again."""
    before = stock("0003")
    northwind.dialect = Dialect(failed_applies="nothing")
    northwind.faults.add("failed_rows", CALL, rows=(1,))
    submission = cn.submit_updates(account, plan("0003", "0011"), progress=False).wait(progress=False)
    assert outcome(submission) == {"0003": "unconfirmed", "0011": "rejected"}
    submission.verify()
    account.clock.sleep(61)
    assert outcome(submission.verify()) == {"0003": "not_applied", "0011": "rejected"}
    assert outcome(submission.retry().wait(progress=False)) == {"0003": "applied", "0011": "applied"}
    assert stock("0003") == before + 2


def test_a_transaction_that_cenports_forgot(account: Client, northwind: Sandbox, plan: Plan) -> None:
    """Rows are pending until it must have taken effect, then stock decides."""
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    northwind.state.transactions._by_handle.clear()
    with pytest.warns(cn.errors.PendingWarning, match="still has 1 row pending"):
        submission.wait("2min", progress=False)
    submission.wait("40min", progress=False)
    assert outcome(submission) == {"0003": "unconfirmed"}
    assert outcome(submission.verify()) == {"0003": "applied"}


def test_a_closed_client_raises_a_clear_error(account: Client, plan: Plan) -> None:
    """The error says what to do, and displaying the submission raises nothing."""
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    account.close()
    with pytest.raises(JournalError, match="connect again"):
        _ = submission.outcomes
    assert "connect again" in repr(submission)


def test_unsent_rows_wait_for_an_earlier_change_in_doubt(
    account: Client, northwind: Sandbox, plan: Plan, writes: Writes
) -> None:
    """Two open changes of a SKU would leave no evidence, so the one in doubt is settled first."""
    northwind.faults.add("unauthorized", CALL, times=2)
    second = cn.submit_updates(account, plan("0003", type="DIFFERENTIAL", by=6), progress=False)
    northwind.faults.add("server_error", CALL)
    with pytest.raises(GuardRailError, match=rf'open_submission\(client, "{second.submission_id}"\)\.resolve'):
        cn.submit_updates(account, plan("0003", type="DIFFERENTIAL"), progress=False)
    first = cn.submit_updates(account, plan("0003", type="DIFFERENTIAL"), allow=["in_flight"], progress=False)
    sent = len(writes())
    second.resume(progress=False)
    assert outcome(second) == {"0003": "not_sent"}
    assert (
        f"submission {first.submission_id} has a change of this SKU that is in_doubt" in second.outcomes["message"][0]
    )
    assert len(writes()) == sent
    for minutes in (21, 2):
        account.clock.sleep(minutes * 60)
        first.verify()
    assert outcome(first) == {"0003": "not_applied"}
    second.resume(progress=False).wait(progress=False)
    assert outcome(second) == {"0003": "applied"}
