"""Test the stock review without a browser: messages of its page, what is sent, and what is saved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_clock import FakeClock

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import InvalidRequestError
from cenports_nb.notebook.review import progress
from cenports_nb.notebook.review.decision import encode_reasons, parse_reasons
from cenports_nb.notebook.review.progress import describe_sent_batches
from cenports_nb.sandbox import Sandbox
from cenports_nb.settings import resolve_settings
from cenports_nb.submissions.rules.models import get_user_name

NAUGHTY = "<img src=x onerror=alert(1)>"


class Page:
    """Sends messages as review.js does, each with the whole decision."""

    def __init__(self, review: cn.StockReview) -> None:
        self.review = review
        self.grid = review.grid
        self.selected = self.grid.selected
        self.reasons: dict[int, str] = dict(self.grid.decision.reasons)
        self.accepted: list[str] = []

    def select(self, row: int, on: bool, why: str = "") -> None:
        self.selected[row] = on
        self.reasons[row] = why
        self.send_decision()

    def accept(self, *guards: str) -> None:
        self.accepted = list(guards)
        self.send_decision()

    def send_decision(self, **more: Any) -> None:
        ranges: list[int] = []
        for row in np.flatnonzero(self.selected).tolist():
            ranges += [row, row + 1]
        merged = [edge for i, edge in enumerate(ranges) if ranges.count(edge) == 1]
        pairs = encode_reasons({row: text for row, text in self.reasons.items() if text}, len(self.selected))
        content = {
            "selection": merged,
            "selection_version": self.grid.selection_version + 1,
            "accepted": self.accepted,
            "reasons": pairs,
        }
        self.grid.handle_message({**content, **more})

    def dry_run(self) -> dict[str, Any]:
        self.send_decision(request="dry_run")
        return self.state()

    def send(self, *, confirmed: bool = True) -> None:
        self.send_decision(request="send", confirmed=confirmed)
        join_review_threads()

    def state(self) -> dict[str, Any]:
        """Return the page's state after the work, and take over its selection."""
        join_review_threads()
        self.selected = self.grid.selected
        return dict(self.grid.state)


def join_review_threads() -> None:
    for thread in threading.enumerate():
        if thread.name == "cenports-nb review":
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture
def settle(clock: FakeClock) -> Callable[[cn.StockReview], cn.Submission]:
    """Follow the submission to its end, and join the tracker's thread."""

    def finish(review: cn.StockReview) -> cn.Submission:
        assert review.submission is not None, review.note
        clock.advance(60)
        submission = review.submission.wait(progress=False)
        for thread in threading.enumerate():
            if thread.name == "cenports-nb tracker":
                thread.join(30)
        return submission

    return finish


def plan(client: cn.Client, *skus: str, by: int = 2) -> pd.DataFrame:
    actual = cn.load_actual_stock(client, refresh=True)
    counts = actual[actual["product_sku"].isin(skus)][["warehouse_code", "product_sku", "quantity"]]
    return cn.build_true_up(counts.assign(quantity=counts["quantity"] + by), actual, reason="weekly count")


def sent(northwind: Sandbox) -> list[str]:
    return [
        item["productSKU"]
        for request in northwind.requests
        if request.method == "PATCH" and request.path == "/inventories"
        for item in request.params["inventories"]
    ]


def test_ticked_rows_are_sent_and_the_others_held_with_their_reasons(
    timed: Client, northwind: Sandbox, settle: Callable[..., cn.Submission]
) -> None:
    """The journal has who held back which row, and why."""
    review = cn.StockReview(timed, plan(timed, "0003", "0011", "0022"))
    page = Page(review)
    page.select(1, False, "counted twice")
    state = page.dry_run()
    assert state["dry_run"]["lines"][0].startswith("Dry run: 2 rows would go to sandbox, partner SANDBOX in 1 request")
    assert "1 row would be held, with the reasons beside them." in state["dry_run"]["lines"]
    assert sent(northwind) == []
    page.send()
    rows = settle(review).outcomes.set_index("product_sku")
    assert rows["outcome"].to_dict() == {"0003": "applied", "0022": "applied", "0011": "held"}
    assert rows["message"]["0011"] == f"left out by {get_user_name()}: counted twice"
    assert sent(northwind) == ["0003", "0022"]
    assert review.ticked["product_sku"].tolist() == ["0003", "0022"]
    assert "Sent as submission" in review.note


def test_a_change_of_a_tick_takes_the_dry_run_back(timed: Client, northwind: Sandbox) -> None:
    """Only a plan with a dry run can be sent, whatever the page's buttons show."""
    page = Page(cn.StockReview(timed, plan(timed, "0003", "0011")))
    page.dry_run()
    page.select(1, False, "wait")
    page.send()
    assert "not what was tried" in page.state()["errors"][0]
    assert sent(northwind) == []


@pytest.mark.parametrize("tried", [False, True])
def test_nothing_goes_without_a_dry_run_and_a_tick(timed: Client, northwind: Sandbox, tried: bool) -> None:
    """Sending needs a dry run and the confirmation beside the button."""
    page = Page(cn.StockReview(timed, plan(timed, "0003")))
    if tried:
        page.dry_run()
    page.send(confirmed=not tried)
    assert page.state()["errors"][0].endswith("Nothing was sent.")
    assert sent(northwind) == []


def test_repeated_presses_send_once(timed: Client, northwind: Sandbox, settle: Callable[..., cn.Submission]) -> None:
    """This holds for a double click, two views, and a cell that is run again."""
    updates = plan(timed, "0003", "0011")
    review = cn.StockReview(timed, updates)
    page, other = Page(review), Page(review)
    page.dry_run()
    page.send_decision(request="send", confirmed=True)
    page.send_decision(request="send", confirmed=True)
    other.send_decision(request="send", confirmed=True)
    join_review_threads()
    again = cn.StockReview(timed, updates)
    assert "repeated" in again.objections["guard"].tolist()
    twice = Page(again)
    assert not twice.selected.any()  # their earlier change is under way
    twice.selected[:] = True
    state = twice.dry_run()
    assert "repeated above the table" in state["errors"][0]
    assert sent(northwind) == ["0003", "0011"]
    settle(review)


def test_a_row_that_a_guard_objects_to_is_ticked_knowingly(
    timed: Client, northwind: Sandbox, settle: Callable[..., cn.Submission]
) -> None:
    """It starts unticked with the guard as its reason; ticking it accepts only this objection."""
    updates = plan(timed, "0003", "0012")
    updates.loc[updates["product_sku"] == "0012", ["quantity", "change"]] = [1, -85]
    review = cn.StockReview(timed, updates)
    assert review.objections["guard"].tolist() == ["max_drop"]
    assert review.left_out[["product_sku", "reason"]].values.tolist() == [["0012", "a guard objects: max_drop"]]
    page = Page(review)
    page.select(1, True)
    assert page.dry_run()["dry_run"] is not None
    page.send()
    assert settle(review).snapshot().outcomes == {"applied": 2}
    assert sorted(sent(northwind)) == ["0003", "0012"]


@pytest.mark.parametrize(("other", "name"), [("0003", "0012"), ("0004", "NW-EAST 0012")])
def test_dry_run_and_sending_name_the_accepted_objections(
    timed: Client, settle: Callable[..., cn.Submission], other: str, name: str
) -> None:
    """The line names row and guard, of several warehouses also which; without accepted objections there is no line."""
    updates = plan(timed, other, "0012")
    updates.loc[updates["product_sku"] == "0012", ["quantity", "change"]] = [1, -85]
    review = cn.StockReview(timed, updates)
    page = Page(review)
    assert not any("accepted" in line for line in page.dry_run()["dry_run"]["lines"])
    page.select(updates["product_sku"].tolist().index("0012"), True)
    assert page.dry_run()["dry_run"]["lines"][-1] == f"1 objection accepted: {name} max_drop."
    page.send()
    assert review.note.endswith(f"1 objection accepted: {name} max_drop.")
    settle(review)


def test_progress_names_the_batches_that_were_sent(
    timed: Client, monkeypatch: pytest.MonkeyPatch, settle: Callable[..., cn.Submission]
) -> None:
    """It is shown while the work goes on, and counts batches once there are any."""
    began = timed.clock.now()
    updates = plan(timed, "0003", "0011", "0022")
    assert describe_sent_batches(timed, updates, began) == ""
    review = cn.StockReview(timed, updates, batch_size=2)
    page = Page(review)
    page.dry_run()
    page.send()
    assert describe_sent_batches(timed, updates, began) == ", 2 of 2 batches sent"
    monkeypatch.setattr(progress, "INTERVAL_SECONDS", 0.01)
    shown, texts = threading.Event(), []
    with progress.report_progress(lambda text: (texts.append(text), shown.set()), lambda: "3 rows"):
        assert shown.wait(30)
    assert texts[0] == "3 rows, 0 s"
    settle(review)


def test_steps_are_shown_at_once_and_nothing_stays() -> None:
    """A large plan says what it waits for; where nobody waits, nothing is shown."""
    texts: list[str] = []
    with progress.report_steps(texts.append, "Building") as begin:
        begin("reading the stock")
        begin("asking the guards")
    assert texts == ["Building: reading the stock …", "Building: asking the guards …", ""]
    with progress.report_steps(progress.reserve_line(90_000), "Building") as begin:
        begin("reading the stock")


def test_an_objection_to_the_whole_plan_is_accepted_by_name(timed: Client, northwind: Sandbox) -> None:
    """A plan objection stops the dry run until its box is ticked."""
    updates = plan(timed, "0003", "0011", "0022")
    review = cn.StockReview(timed, updates, thresholds={"max_rows": 2})
    page = Page(review)
    assert [one["guard"] for one in page.state()["general_objections"]] == ["max_rows"]
    assert "max_rows above the table: fix the plan, or accept it by its name" in page.dry_run()["errors"][0]
    page.accept("max_rows")
    assert page.dry_run()["errors"] == []
    page.accept()
    page.send()
    assert "not what was tried" in page.state()["errors"][0]
    assert sent(northwind) == []


def test_leaving_rows_out_may_answer_a_guard_of_the_whole(timed: Client) -> None:
    """Guards check the rows to be sent."""
    page = Page(cn.StockReview(timed, plan(timed, "0003", "0011", "0022"), thresholds={"max_rows": 2}))
    page.select(0, False)
    assert page.dry_run()["errors"] == []


def test_stock_that_moves_meanwhile_takes_the_ticks_back(timed: Client, northwind: Sandbox) -> None:
    """One sentence says what to do, the change is beside the row, and the other rows can be sent."""
    updates = plan(timed, "0003", "0011")
    review = cn.StockReview(timed, updates)
    page = Page(review)
    page.dry_run()
    with northwind.state.lock:
        northwind.state.stock.quantities[updates["warehouse_code"].iloc[0], "0003"] -= 1
    page.send()
    state = page.state()
    assert state["errors"] == [
        "The stock of 1 ticked row changed since planning; these rows are unticked. Plan them again from fresh stock, and go "
        "on with the rest. Nothing was sent."
    ]
    assert sent(northwind) == []
    assert review.ticked["product_sku"].tolist() == ["0011"]
    assert review.left_out["reason"].tolist() == ["stock moved while it was reviewed"]
    assert "stock moved from 13 to 12" in repr(review)
    assert page.dry_run()["errors"] == []


def test_an_objection_that_comes_up_meanwhile_takes_the_tick_back(timed: Client, northwind: Sandbox) -> None:
    """Another submission of the SKU is under way; the row says so, and must be ticked again."""
    review = cn.StockReview(timed, plan(timed, "0003", "0011"))
    page = Page(review)
    cn.submit_updates(timed, plan(timed, "0011", by=5), progress=False)
    state = page.dry_run()
    assert state["errors"][0].startswith("Guards now object to 1 ticked row that they did not object to before")
    assert review.ticked["product_sku"].tolist() == ["0003"]
    assert page.dry_run()["errors"] == []
    assert sent(northwind) == ["0011"]


def test_a_read_only_client_looks_and_tries(northwind: Sandbox, clock: FakeClock) -> None:
    """The review says why it can't send, and sends nothing."""
    settings = resolve_settings("sandbox", base_url=northwind.url, rate_limit=100_000, read_only=True)
    with Client(settings, clock=clock) as looking:
        page = Page(cn.StockReview(looking, plan(looking, "0003")))
        state = page.dry_run()
        assert (state["can_send"], state["dry_run"] is not None) == (False, True)
        assert state["cannot_send_reason"].startswith("This client is read-only: it can review and dry-run.")
        page.send()
    assert sent(northwind) == []


def test_an_error_is_one_sentence(timed: Client, northwind: Sandbox) -> None:
    """It says what failed and that nothing was sent; the user can try again."""
    page = Page(cn.StockReview(timed, plan(timed, "0003")))
    northwind.faults.add("server_error", "GET /inventories", times=None)
    (state,) = page.dry_run()["errors"]
    assert state.endswith("Nothing was sent.")
    assert "\n" not in state
    northwind.faults.clear()
    assert page.dry_run()["errors"] == []


@pytest.mark.parametrize(
    "content",
    [
        {
            "selection": [0, 9],
            "selection_version": 9,
            "accepted": [],
            "reasons": [],
            "request": "send",
            "confirmed": True,
        },
        {"selection": [0, 1], "selection_version": 9, "accepted": ["max_drop"], "reasons": []},
        {"selection": [0, 1], "selection_version": 9, "accepted": [], "reasons": [["why", [0, 7]]]},
        {"selection": [0, 1], "selection_version": 9, "accepted": [], "reasons": [["why"]]},
        {"selection": [0, 1], "accepted": [], "reasons": []},
    ],
)
def test_a_message_that_makes_no_sense_decides_nothing(timed: Client, content: dict[str, Any]) -> None:
    """Unknown rows, guards without objections and empty reasons are ignored."""
    review = cn.StockReview(timed, plan(timed, "0003", "0011"))
    review.grid.handle_message(content)
    assert len(review.ticked) == 2
    assert review.note == "Not sent."


@given(st.dictionaries(st.integers(0, 30), st.sampled_from(["a", "b", NAUGHTY]), max_size=31))
def test_reasons_come_back_as_they_went(reasons: dict[int, str]) -> None:
    """Many rows share a few texts."""
    pairs = encode_reasons(reasons, 31)
    assert parse_reasons(pairs, 31) == reasons
    assert len(pairs) == len(set(reasons.values()))


def test_a_plan_that_cannot_be_sent_is_refused_at_once(timed: Client) -> None:
    """The error comes before anything is shown."""
    with pytest.raises(InvalidRequestError, match="below 0"):
        cn.StockReview(timed, plan(timed, "0003").assign(quantity=-1))


def test_an_empty_plan_is_shown(timed: Client) -> None:
    """It has no rows to tick, and is no error."""
    review = cn.StockReview(timed, plan(timed))
    assert "Review of 0 changes" in repr(review)
    page = Page(review)
    assert "Nothing is ticked" in page.dry_run()["errors"][0]


def test_movements_are_reviewed_too(timed: Client, northwind: Sandbox, settle: Callable[..., cn.Submission]) -> None:
    """A DIFFERENTIAL shows its changes, and the dry run adds them to the stock."""
    moves = pd.DataFrame({"warehouse_code": "NW-EAST", "product_sku": ["0003", "0011"], "quantity": [5, -2]})
    review = cn.StockReview(timed, cn.build_differential(moves))
    page = Page(review)
    assert page.dry_run()["dry_run"]["lines"][1] == (
        "NW-EAST: 2 rows, 5 units more, 2 units less than the stock of this moment"
    )
    page.send()
    assert settle(review).snapshot().outcomes == {"applied": 2}
    back = cn.StockReview(timed, cn.build_reversal(review.submission))
    assert back.ticked["quantity"].tolist() == [-5, 2]


def test_text_from_outside_stays_text_when_saved(timed: Client) -> None:
    """SKUs, warehouses and reasons can't add tags to the saved page."""
    updates = plan(timed, "0003", "0011").assign(warehouse_code=NAUGHTY)
    updates.loc[updates.index[0], "product_sku"] = NAUGHTY
    review = cn.StockReview(timed, updates, thresholds={"max_rows": 1}, reason=NAUGHTY)
    page = Page(review)
    page.select(0, False, NAUGHTY)
    saved = review._render()
    assert "<img" not in saved
    assert saved.count("&lt;img") > 4


def test_a_terminal_sees_the_plan(timed: Client) -> None:
    """It shows rows by size, objections, totals of ticked rows, and progress."""
    text = repr(cn.StockReview(timed, plan(timed, "0003", "0011")))
    assert "Review of 2 changes of stock — sandbox, partner SANDBOX\nNot sent." in text
    assert "NW-EAST: 2 rows ticked, 4 units more, 0 units less, 0 left out" in text
