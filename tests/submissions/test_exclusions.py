"""Test rows left out of a submission by a user, and objections accepted one by one."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import GuardRailError, InvalidRequestError
from cenports_nb.submissions.rules.models import get_user_name

Plan = Callable[..., pd.DataFrame]
Writes = Callable[[], list[list[str]]]
KEYS = ["warehouse_code", "product_sku"]


def exclude(updates: pd.DataFrame, *skus: str, reason: str = "counted twice") -> pd.DataFrame:
    return updates[updates["product_sku"].isin(skus)][KEYS].assign(reason=reason)


def test_what_is_left_out_is_held_with_who_and_why(account: Client, plan: Plan, writes: Writes) -> None:
    """It stays in the submission, its history, `.held` and the file; the other rows are sent."""
    updates = plan("0003", "0011", "0022")
    submission = cn.submit_updates(account, updates, left_out=exclude(updates, "0011")).wait()
    why = f"left out by {get_user_name()}: counted twice"
    rows = submission.outcomes.set_index("product_sku")
    assert rows["outcome"].to_dict() == {"0003": "applied", "0022": "applied", "0011": "held"}
    assert rows["message"]["0011"] == why
    assert sorted(sku for batch in writes() for sku in batch) == ["0003", "0022"]
    assert submission.held[["product_sku", "quantity", "message"]].values.tolist() == [
        ["0011", int(updates["quantity"][1]), why]
    ]
    (event,) = submission.history.query("product_sku == '0011'").to_dict("records")
    assert (event["outcome"], event["message"], event["made_by"]) == ("held", why, get_user_name())
    assert "counted twice" in submission.held_file.read_text(encoding="utf-8-sig")


def test_going_on_never_sends_what_was_left_out(account: Client, plan: Plan, writes: Writes) -> None:
    """Neither retry nor resume does, in this process or after a restart."""
    updates = plan("0003", "0011")
    submission = cn.submit_updates(account, updates, left_out=exclude(updates, "0011")).wait()
    reopened = cn.open_submission(account, submission.submission_id).retry().resume().verify()
    assert writes() == [["0003"]]
    assert reopened.snapshot().outcomes == {"applied": 1, "held": 1}


def test_guards_look_only_at_what_is_sent(account: Client, plan: Plan, writes: Writes) -> None:
    """An objection to a row that is left out stops nothing."""
    updates = plan("0003", "0011")
    updates.loc[1, "product_sku"] = "XX"
    updates.loc[1, "known_sku"] = False
    updates.loc[1, ["current_quantity", "change"]] = pd.NA
    with pytest.raises(GuardRailError, match="unknown_sku"):
        cn.submit_updates(account, updates)
    submission = cn.submit_updates(account, updates, left_out=exclude(updates, "XX")).wait()
    assert submission.snapshot().outcomes == {"applied": 1, "held": 1}
    assert writes() == [["0003"]]


def test_the_same_frame_with_other_rows_left_out_is_a_second_run(account: Client, plan: Plan) -> None:
    """Running a cell again would send most of a DIFFERENTIAL twice."""
    updates = plan("0003", "0011", "0022", type="DIFFERENTIAL")
    cn.submit_updates(account, updates, left_out=exclude(updates, "0011")).wait()
    with pytest.raises(GuardRailError) as whole:
        cn.submit_updates(account, updates)
    with pytest.raises(GuardRailError) as part:
        cn.submit_updates(account, updates, left_out=exclude(updates, "0003"))
    assert "repeated" in whole.value.objections["guard"].tolist()
    assert "repeated" in part.value.objections["guard"].tolist()


def test_what_was_left_out_can_be_submitted_after_a_look(account: Client, plan: Plan, writes: Writes) -> None:
    """It was never sent, so it is no repetition."""
    updates = plan("0003", "0011")
    submission = cn.submit_updates(account, updates, left_out=exclude(updates, "0011")).wait()
    later = cn.submit_updates(account, submission.held).wait()
    assert later.snapshot().outcomes == {"applied": 1}
    assert writes() == [["0003"], ["0011"]]


def test_everything_may_be_left_out(account: Client, plan: Plan, writes: Writes) -> None:
    """Nothing is sent, and the journal has the reasons."""
    updates = plan("0003")
    submission = cn.submit_updates(account, updates, left_out=exclude(updates, "0003"))
    assert submission.snapshot().outcomes == {"held": 1}
    assert writes() == []


def test_a_dry_run_knows_what_is_left_out(account: Client, plan: Plan) -> None:
    """Nothing is written to disk."""
    updates = plan("0003", "0011")
    dry = cn.submit_updates(account, updates, left_out=exclude(updates, "0003"), dry_run=True)
    assert dry.snapshot().outcomes == {"not_sent": 1, "held": 1}
    assert len(cn.list_submissions()) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reason": " "}, "gives no reason for 0003 in NW-"),
        ({"reason": None}, "gives no reason for 0003 in NW-"),
        ({"product_sku": "0099"}, "names 0099 in NW-.*, which is not in the update frame"),
    ],
)
def test_what_is_left_out_is_reported_plainly(account: Client, plan: Plan, change: dict[str, str], words: str) -> None:
    """Each row has a reason and must be in the frame; invalid input sends nothing."""
    updates = plan("0003", "0011")
    left = exclude(updates, "0003").astype("str").assign(**change).astype("str")
    with pytest.raises(InvalidRequestError, match=words):
        cn.submit_updates(account, updates, left_out=left)


def test_a_row_left_out_twice_is_refused(account: Client, plan: Plan) -> None:
    """One of two reasons would be lost."""
    updates = plan("0003")
    twice = pd.concat([exclude(updates, "0003")] * 2, ignore_index=True)
    with pytest.raises(InvalidRequestError, match="left_out"):
        cn.submit_updates(account, updates, left_out=twice)


def test_only_the_objections_that_were_seen_are_accepted(account: Client, plan: Plan, writes: Writes) -> None:
    """A frame of objections accepts only these, not others of the same guard."""
    updates = plan("0003", "0011", "0022")
    for row, sku in ((1, "XX"), (2, "YY")):
        updates.loc[row, "product_sku"] = sku
        updates.loc[row, ["current_quantity", "change"]] = pd.NA
    found = cn.check_updates(updates, cn.load_actual_stock(account))
    assert found["guard"].tolist() == ["unknown_sku", "unknown_sku"]
    with pytest.raises(GuardRailError) as refused:
        cn.submit_updates(account, updates, allow=found[:1])
    assert "1 objection, the first: SKU 'YY'" in str(refused.value)
    assert writes() == []
    cn.submit_updates(account, updates, allow=found)
    assert sum(map(len, writes())) == 3


def test_objections_to_accept_are_a_frame_of_check_updates(account: Client, plan: Plan) -> None:
    """Other arguments are refused before any request."""
    with pytest.raises(InvalidRequestError, match="allow lacks the columns warehouse_code, product_sku"):
        cn.submit_updates(account, plan("0003"), allow=pd.DataFrame({"guard": ["max_drop"]}))
