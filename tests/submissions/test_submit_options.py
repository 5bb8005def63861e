"""Test options of submissions: dry run, held rows, canary, repetitions."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import GuardRailError, InvalidRequestError, JournalError
from cenports_nb.sandbox import Dialect, Sandbox
from cenports_nb.submissions.journal.store import Journal

Plan = Callable[..., pd.DataFrame]
Writes = Callable[[], list[list[str]]]
Stock = Callable[[str], int]


def outcome(submission: cn.Submission) -> dict[str, str]:
    return dict(submission.outcomes[["product_sku", "outcome"]].values)


def test_the_journal_after_a_dry_run_knows_nothing_of_it(
    account: Client, plan: Plan, writes: Writes, home: Any
) -> None:
    """It shows what would be sent, works with a read-only client, and can't be sent."""
    submission = cn.submit_updates(account, plan("0003", "0011"), dry_run=True)
    assert outcome(submission) == {"0003": "not_sent", "0011": "not_sent"}
    assert submission.outcomes["message"].str.contains("dry run").all()
    assert repr(submission).startswith("<Dry run ")
    with pytest.raises(InvalidRequestError, match="dry run"):
        submission.resume()
    assert writes() == []
    assert len(cn.list_submissions()) == 0
    with pytest.raises(JournalError, match="no submission"):
        cn.open_submission(account, submission.submission_id)


def test_a_guard_objects_in_a_dry_run_too(account: Client, plan: Plan) -> None:
    """A dry run does everything but send."""
    updates = plan("0003").assign(product_sku="XX", current_quantity=pd.array([None], dtype="Int64"))
    with pytest.raises(GuardRailError, match="XX"):
        cn.submit_updates(account, updates, dry_run=True)


def test_held_rows_are_a_file_and_an_outcome(account: Client, plan: Plan, writes: Writes) -> None:
    """Rows without objections are sent; the others can be read, fixed and submitted separately."""
    updates = plan("0003", "0011")
    updates.loc[1, "product_sku"] = "XX"
    submission = cn.submit_updates(account, updates, on_objection="hold", progress=False).wait(progress=False)
    assert outcome(submission) == {"0003": "applied", "XX": "held"}
    assert writes() == [["0003"]]
    assert submission.held[["product_sku", "quantity", "type"]].values.tolist() == [
        ["XX", updates["quantity"][1], "TRUE_UP"]
    ]
    assert "unknown_sku: " in submission.held["message"][0]
    assert submission.history.query("product_sku == 'XX'")["outcome"].tolist() == ["held"]
    assert "XX" in submission.held_file.read_text(encoding="utf-8-sig")
    assert oct(submission.held_file.stat().st_mode & 0o777) == "0o600"
    assert outcome(submission.retry()) == {"0003": "applied", "XX": "held"}
    submission.resolve("XX", "not_applied", "no such SKU")
    assert outcome(submission) == {"0003": "applied", "XX": "not_applied"}


def test_a_held_row_is_never_retried(account: Client, plan: Plan, writes: Writes, stock: Stock) -> None:
    """The objection stands whatever resolve() recorded; the row can only be submitted separately."""
    actual = cn.load_actual_stock(account)
    gone = actual.loc[actual["is_discontinued"], "product_sku"].iloc[0]
    before = stock(gone)
    submission = cn.submit_updates(account, plan("0003", gone), on_objection="hold", progress=False).wait(
        progress=False
    )
    submission.resolve(gone, "not_applied", "looked at the shelf")
    assert outcome(submission.retry()) == {"0003": "applied", gone: "not_applied"}
    assert writes() == [["0003"]]
    assert stock(gone) == before


def test_a_canary_that_comes_through_lets_the_rest_go(account: Client, plan: Plan, writes: Writes) -> None:
    """Its rows are read back before the others are sent."""
    submission = cn.submit_updates(account, plan("0003", "0011", "0012"), canary=2, progress=False).wait(progress=False)
    assert set(outcome(submission).values()) == {"applied"}
    assert writes() == [["0003", "0011"], ["0012"]]
    assert submission.outcomes["read_back"].notna().tolist() == [True, True, False]


def test_a_canary_notices_that_another_stock_was_set(
    account: Client, northwind: Sandbox, plan: Plan, writes: Writes, stock: Stock
) -> None:
    """TRUE_UP set available stock: Cenports reports completed, the reading differs, and the rest isn't sent."""
    northwind.dialect = Dialect(true_up_sets="available")
    reserved = {sku for (_, sku), units in northwind.state.orders.reserved.items() if units > 0}
    known = cn.load_actual_stock(account).query("not is_discontinued")["product_sku"].tolist()
    first = next(sku for sku in known if sku in reserved)
    other = next(sku for sku in known if sku not in reserved)
    updates = plan(first, other, by=1)
    with pytest.warns(cn.errors.CenportsWarning, match="canary"):
        submission = cn.submit_updates(account, updates, canary=1, progress=False)
    assert outcome(submission)[other] == "not_sent"
    assert "TRUE_UP may set another stock" in submission.outcomes["message"][0]
    assert len(writes()) == 1


def test_two_documents_with_the_same_change_are_two(account: Client, plan: Plan, stock: Stock) -> None:
    """Ten units came in the morning and ten at noon: another reference is no repetition."""
    before = stock("0003")
    for number in ("DN-1", "DN-2"):
        updates = plan("0003", type="DIFFERENTIAL", by=10).assign(reference=number)
        cn.submit_updates(account, updates, progress=False).wait(progress=False)
        with pytest.raises(GuardRailError, match="repeated"):
            cn.submit_updates(account, updates)
    assert stock("0003") == before + 20


def test_how_far_back_a_repetition_counts(account: Client, plan: Plan) -> None:
    """It counts for a day by default, or the threshold."""
    updates = plan("0003", type="DIFFERENTIAL")
    cn.submit_updates(account, updates, progress=False).wait(progress=False)
    account.clock.sleep(25 * 3_600)
    with pytest.raises(GuardRailError, match="repeated"):
        cn.submit_updates(account, updates, thresholds={"repeated": "7D"})
    assert len(cn.submit_updates(account, updates, progress=False).outcomes) == 1


def test_rows_of_a_file_go_through_to_the_journal(account: Client) -> None:
    """The journal has reason, reference and user."""
    file = io.StringIO("warehouse_code,product_sku,quantity\nNW-EAST,0012,80\n")
    updates = cn.build_true_up(cn.read_counts(file), cn.load_actual_stock(account), reason="weekly", reference="C-7")
    cn.submit_updates(account, updates, progress=False).wait(progress=False)
    listed = cn.list_submissions(product_sku="0012").iloc[0]
    assert (listed["reason"], listed["reference"], listed["applied"]) == ("weekly", "C-7", 1)
    assert len(cn.list_submissions(product_sku="0004")) == 0
    journal = Journal(account.home)
    assert journal.head(listed["submission_id"]).made_by
    journal.close()
