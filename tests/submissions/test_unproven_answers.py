"""Test answers that prove nothing: another handle, a status that may follow the change, errors without rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.sandbox import Sandbox

pytestmark = pytest.mark.slow

CALL = "PATCH /inventories"
Plan = Callable[..., pd.DataFrame]
Stock = Callable[[str], int]


def outcome(submission: cn.Submission) -> dict[str, str]:
    return dict(submission.outcomes[["product_sku", "outcome"]].values)


def test_an_answer_of_another_handle_is_no_answer(account: Client, northwind: Sandbox, plan: Plan) -> None:
    """The transaction is polled again, and the other one's answer is ignored."""
    northwind.faults.add("failed_rows", CALL, rows=(0,))
    failing = cn.submit_updates(account, plan("0003"), progress=False)
    other = cn.submit_updates(account, plan("0011"), progress=False)
    handles = [each.transactions["handle"][0] for each in (failing, other)]
    account.clock.sleep(60)
    ask = account.get

    def ask_for_another(path: str, parameters: Any) -> Any:
        return ask(path, parameters | {"handle": handles[0]} if "handle" in parameters else parameters)

    account.get = ask_for_another  # type: ignore[method-assign]
    with pytest.raises(cn.errors.UnexpectedAnswerError, match="was asked for"):
        other.poll(now=True)
    assert outcome(other) == {"0011": "pending"}
    account.get = ask  # type: ignore[method-assign]
    assert outcome(other.wait(progress=False)) == {"0011": "applied"}


def test_one_handle_for_two_batches_says_nothing_of_either(
    account: Client, northwind: Sandbox, plan: Plan, stock: Stock
) -> None:
    """Stock decides; nothing is rejected or doubled."""
    before = stock("0003"), stock("0014")
    handles: list[str] = []
    write = account.write

    def answer_with_the_first_handle(*arguments: Any) -> Any:
        answer = write(*arguments)
        found = answer.body.decode().split('"handle":"')[1].split('"')[0] if b'"handle":"' in answer.body else ""
        handles.append(found)
        return type(answer)(answer.body.replace(found.encode(), handles[0].encode()), answer.at)

    account.write = answer_with_the_first_handle  # type: ignore[method-assign]
    updates = plan("0003", "0014", type="DIFFERENTIAL")
    submission = cn.submit_updates(account, updates, progress=False)
    assert len(handles) == 2
    assert set(outcome(submission).values()) == {"unconfirmed", "in_doubt"}
    account.clock.sleep(60)
    assert set(outcome(submission.verify()).values()) == {"applied"}
    assert (stock("0003"), stock("0014")) == (before[0] + 2, before[1] + 2)


@pytest.mark.parametrize("status", [303, 408, 409, 499, 500, 504])
def test_a_status_that_may_follow_the_change_proves_nothing(
    account: Client, northwind: Sandbox, plan: Plan, stock: Stock, status: int
) -> None:
    """The row is in doubt, then found applied; retry() sends nothing."""
    before = stock("0003")
    northwind.faults.add("late_error", CALL, status=status)
    submission = cn.submit_updates(account, plan("0003", type="DIFFERENTIAL"), progress=False)
    assert outcome(submission) == {"0003": "in_doubt"}
    submission.retry(progress=False)
    account.clock.sleep(30)
    assert outcome(submission.verify()) == {"0003": "applied"}
    assert stock("0003") == before + 2


@pytest.mark.parametrize("errors", [["no"], [{"index": 7, "message": "no"}], {"message": "no"}, "no"])
def test_completed_with_errors_that_name_no_row_confirms_nothing(
    account: Client, northwind: Sandbox, plan: Plan, errors: Any
) -> None:
    """Rows are unconfirmed, and stock decides."""
    submission = cn.submit_updates(account, plan("0003"), progress=False)
    answer = _transaction(submission, status="COMPLETED", errors=errors)
    with _answers(account, answer):
        submission.wait(progress=False)
    assert outcome(submission) == {"0003": "unconfirmed"}
    account.clock.sleep(30)
    assert outcome(submission.verify()) == {"0003": "applied"}


@pytest.mark.parametrize("word", ["PARTIALLY_COMPLETED", "CANCELLED", "ERROR"])
def test_an_unknown_final_status_ends_the_wait(account: Client, plan: Plan, word: str) -> None:
    """Rows are unconfirmed, and a later effect isn't ruled out."""
    submission = cn.submit_updates(account, plan("0003", by=3), progress=False)
    with _answers(account, _transaction(submission, status=word)):
        submission.wait(progress=False)
    assert outcome(submission) == {"0003": "unconfirmed"}
    submission.verify()
    account.clock.sleep(61)
    assert outcome(submission.verify()) != {"0003": "not_applied"}


def _transaction(submission: cn.Submission, **changes: Any) -> dict[str, Any]:
    return {"id": "1", "handle": submission.transactions["handle"][0], "completed_at": None, **changes}


class _answers:  # noqa: N801 - reads as a statement
    """Answer every transaction request with this."""

    def __init__(self, client: Client, answer: dict[str, Any]) -> None:
        self._client, self._answer, self._get = client, answer, client.get

    def __enter__(self) -> None:
        def get(path: str, parameters: Any) -> Any:
            import msgspec  # noqa: PLC0415

            found = self._get(path, parameters)
            return type(found)(msgspec.json.encode(self._answer), found.at) if path == "/transaction" else found

        self._client.get = get  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        self._client.get = self._get  # type: ignore[method-assign]
