"""The stock review without a browser: what its page may ask for, what is sent then, and what is left when saved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbclient import NotebookClient
from support.fake_clock import FakeClock

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import InvalidRequestError
from cenports_nb.notebook.review.decision import pairs_of, reasons_of
from cenports_nb.sandbox import Sandbox
from cenports_nb.settings import resolve_settings
from cenports_nb.submissions.journal.models import get_user_name

NAUGHTY = "<img src=x onerror=alert(1)>"


class Page:
    """What a page of a review sends, as review.js does: its whole decision with every message."""

    def __init__(self, review: cn.StockReview) -> None:
        self.review = review
        self.panel = review.panel
        self.ticks = self.panel.ticked
        self.reasons: dict[int, str] = dict(self.panel.decision.reasons)
        self.accepted: list[str] = []

    def tick(self, row: int, on: bool, why: str = "") -> None:
        self.ticks[row] = on
        self.reasons[row] = why
        self.say()

    def accept(self, *guards: str) -> None:
        self.accepted = list(guards)
        self.say()

    def say(self, **more: Any) -> None:
        ranges: list[int] = []
        for row in np.flatnonzero(self.ticks).tolist():
            ranges += [row, row + 1]
        merged = [edge for i, edge in enumerate(ranges) if ranges.count(edge) == 1]
        pairs = pairs_of({row: text for row, text in self.reasons.items() if text}, len(self.ticks))
        content = {"ticked": merged, "version": self.panel.version + 1, "accepted": self.accepted, "reasons": pairs}
        self.panel.heard({**content, **more})

    def dry_run(self) -> dict[str, Any]:
        self.say(do="dry")
        return self.told()

    def send(self, *, sure: bool = True) -> None:
        self.say(do="send", sure=sure)
        ended()

    def told(self) -> dict[str, Any]:
        """What the page is told once the work is done; it takes its ticks over."""
        ended()
        self.ticks = self.panel.ticked
        return dict(self.panel.told)


def ended() -> None:
    for thread in threading.enumerate():
        if thread.name == "cenports-nb review":
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture
def settle(clock: FakeClock) -> Callable[[cn.StockReview], cn.Submission]:
    """Follow what was sent to its end, and let the tracker's thread end."""

    def to_the_end(review: cn.StockReview) -> cn.Submission:
        assert review.submission is not None, review.note
        clock.advance(60)
        submission = review.submission.wait(progress=False)
        for thread in threading.enumerate():
            if thread.name == "cenports-nb tracker":
                thread.join(30)
        return submission

    return to_the_end


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
    """Dry run, tick beside the button, send: the journal has who left what out, and why."""
    review = cn.StockReview(timed, plan(timed, "0003", "0011", "0022"))
    page = Page(review)
    page.tick(1, False, "counted twice")
    told = page.dry_run()
    assert told["tried"]["lines"][0].startswith("Dry run: 2 rows would go to sandbox, partner SANDBOX in 1 request")
    assert "1 row would be held, with the reasons beside them." in told["tried"]["lines"]
    assert sent(northwind) == []
    page.send()
    rows = settle(review).outcomes.set_index("product_sku")
    assert rows["outcome"].to_dict() == {"0003": "applied", "0022": "applied", "0011": "held"}
    assert rows["message"]["0011"] == f"left out by {get_user_name()}: counted twice"
    assert sent(northwind) == ["0003", "0022"]
    assert review.ticked["product_sku"].tolist() == ["0003", "0022"]
    assert "Sent as submission" in review.note


def test_a_change_of_a_tick_takes_the_dry_run_back(timed: Client, northwind: Sandbox) -> None:
    """Only what was tried can be sent, whatever the page says of its buttons."""
    page = Page(cn.StockReview(timed, plan(timed, "0003", "0011")))
    page.dry_run()
    page.tick(1, False, "wait")
    page.send()
    assert "not what was tried" in page.told()["bad"][0]
    assert sent(northwind) == []


@pytest.mark.parametrize("tried", [False, True])
def test_nothing_goes_without_a_dry_run_and_a_tick(timed: Client, northwind: Sandbox, tried: bool) -> None:
    """Neither a press before the dry run nor one without the tick beside the button sends anything."""
    page = Page(cn.StockReview(timed, plan(timed, "0003")))
    if tried:
        page.dry_run()
    page.send(sure=not tried)
    assert page.told()["bad"][0].endswith("Nothing was sent.")
    assert sent(northwind) == []


def test_however_often_it_is_pressed_it_goes_once(
    timed: Client, northwind: Sandbox, settle: Callable[..., cn.Submission]
) -> None:
    """A double click, two views of one review, and the cell that is run again."""
    updates = plan(timed, "0003", "0011")
    review = cn.StockReview(timed, updates)
    page, other = Page(review), Page(review)
    page.dry_run()
    page.say(do="send", sure=True)
    page.say(do="send", sure=True)
    other.say(do="send", sure=True)
    ended()
    again = cn.StockReview(timed, updates)
    assert "repeated" in again.objections["guard"].tolist()
    twice = Page(again)
    assert not twice.ticks.any()  # their earlier change is under way
    twice.ticks[:] = True
    told = twice.dry_run()
    assert "repeated above the table" in told["bad"][0]
    assert sent(northwind) == ["0003", "0011"]
    settle(review)


def test_a_row_that_a_guard_objects_to_is_ticked_knowingly(
    timed: Client, northwind: Sandbox, settle: Callable[..., cn.Submission]
) -> None:
    """It begins unticked with the guard as its reason; the tick accepts this objection and no other."""
    updates = plan(timed, "0003", "0012")
    updates.loc[updates["product_sku"] == "0012", ["quantity", "change"]] = [1, -85]
    review = cn.StockReview(timed, updates)
    assert review.objections["guard"].tolist() == ["max_drop"]
    assert review.left_out[["product_sku", "reason"]].values.tolist() == [["0012", "a guard objects: max_drop"]]
    page = Page(review)
    page.tick(1, True)
    assert page.dry_run()["tried"] is not None
    page.send()
    assert settle(review).snapshot().outcomes == {"applied": 2}
    assert sorted(sent(northwind)) == ["0003", "0012"]


def test_what_doubts_the_whole_plan_is_accepted_by_name(timed: Client, northwind: Sandbox) -> None:
    """The sentence above the table stops the dry run until its box is ticked."""
    updates = plan(timed, "0003", "0011", "0022")
    review = cn.StockReview(timed, updates, thresholds={"max_rows": 2})
    page = Page(review)
    assert [one["guard"] for one in page.told()["of_all"]] == ["max_rows"]
    assert "max_rows above the table: mend the plan, or accept it by its name" in page.dry_run()["bad"][0]
    page.accept("max_rows")
    assert page.dry_run()["bad"] == []
    page.accept()
    page.send()
    assert "not what was tried" in page.told()["bad"][0]
    assert sent(northwind) == []


def test_leaving_rows_out_may_answer_a_guard_of_the_whole(timed: Client) -> None:
    """Guards look at what would be sent."""
    page = Page(cn.StockReview(timed, plan(timed, "0003", "0011", "0022"), thresholds={"max_rows": 2}))
    page.tick(0, False)
    assert page.dry_run()["bad"] == []


def test_stock_that_moves_meanwhile_takes_the_ticks_back(timed: Client, northwind: Sandbox) -> None:
    """In one sentence, with what to do, and with what moved beside the row; the rest can go."""
    updates = plan(timed, "0003", "0011")
    review = cn.StockReview(timed, updates)
    page = Page(review)
    page.dry_run()
    with northwind.state.lock:
        northwind.state.stock.quantities[updates["warehouse_code"].iloc[0], "0003"] -= 1
    page.send()
    told = page.told()
    assert told["bad"] == [
        "The stock of 1 ticked row moved since this was planned: unticked now. Plan these again from fresh stock, and go "
        "on with the rest. Nothing was sent."
    ]
    assert sent(northwind) == []
    assert review.ticked["product_sku"].tolist() == ["0011"]
    assert review.left_out["reason"].tolist() == ["stock moved while it was reviewed"]
    assert "stock moved from 13 to 12" in repr(review)
    assert page.dry_run()["bad"] == []


def test_an_objection_that_comes_up_meanwhile_takes_the_tick_back(timed: Client, northwind: Sandbox) -> None:
    """Another submission of the same SKU is under way: the row says so, and is ticked again only knowingly."""
    review = cn.StockReview(timed, plan(timed, "0003", "0011"))
    page = Page(review)
    cn.submit_updates(timed, plan(timed, "0011", by=5), progress=False)
    told = page.dry_run()
    assert told["bad"][0].startswith("Guards object to 1 ticked row that they had nothing against before")
    assert review.ticked["product_sku"].tolist() == ["0003"]
    assert page.dry_run()["bad"] == []
    assert sent(northwind) == ["0011"]


def test_a_read_only_client_looks_and_tries(northwind: Sandbox, clock: FakeClock) -> None:
    """It is told why it can't send, and nothing is sent whatever is pressed."""
    settings = resolve_settings("sandbox", base_url=northwind.url, rate_limit=100_000, read_only=True)
    with Client(settings, clock=clock) as looking:
        page = Page(cn.StockReview(looking, plan(looking, "0003")))
        told = page.dry_run()
        assert (told["can_send"], told["tried"] is not None) == (False, True)
        assert told["why_not"].startswith("This client is read-only: it can look and try.")
        page.send()
    assert sent(northwind) == []


def test_an_error_is_one_sentence(timed: Client, northwind: Sandbox) -> None:
    """What failed, and that nothing was sent; it can be tried again."""
    page = Page(cn.StockReview(timed, plan(timed, "0003")))
    northwind.faults.add("server_error", "GET /inventories", times=None)
    (told,) = page.dry_run()["bad"]
    assert told.endswith("Nothing was sent.")
    assert "\n" not in told
    northwind.faults.clear()
    assert page.dry_run()["bad"] == []


@pytest.mark.parametrize(
    "content",
    [
        {"ticked": [0, 9], "version": 9, "accepted": [], "reasons": [], "do": "send", "sure": True},
        {"ticked": [0, 1], "version": 9, "accepted": ["max_drop"], "reasons": []},
        {"ticked": [0, 1], "version": 9, "accepted": [], "reasons": [["why", [0, 7]]]},
        {"ticked": [0, 1], "version": 9, "accepted": [], "reasons": [["why"]]},
        {"ticked": [0, 1], "accepted": [], "reasons": []},
    ],
)
def test_a_message_that_makes_no_sense_decides_nothing(timed: Client, content: dict[str, Any]) -> None:
    """Rows that are not there, guards that did not object, reasons of nothing."""
    review = cn.StockReview(timed, plan(timed, "0003", "0011"))
    review.panel.heard(content)
    assert len(review.ticked) == 2
    assert review.note == "Not sent."


@given(st.dictionaries(st.integers(0, 30), st.sampled_from(["a", "b", NAUGHTY]), max_size=31))
def test_reasons_come_back_as_they_went(reasons: dict[int, str]) -> None:
    """Few texts for many rows."""
    pairs = pairs_of(reasons, 31)
    assert reasons_of(pairs, 31) == reasons
    assert len(pairs) == len(set(reasons.values()))


def test_a_plan_that_cannot_be_sent_is_refused_at_once(timed: Client) -> None:
    """Before anything is shown."""
    with pytest.raises(InvalidRequestError, match="below 0"):
        cn.StockReview(timed, plan(timed, "0003").assign(quantity=-1))


def test_an_empty_plan_is_shown(timed: Client) -> None:
    """There is nothing to tick, and no error."""
    review = cn.StockReview(timed, plan(timed))
    assert "Review of 0 changes" in repr(review)
    page = Page(review)
    assert "Nothing is ticked" in page.dry_run()["bad"][0]


def test_movements_are_reviewed_too(timed: Client, northwind: Sandbox, settle: Callable[..., cn.Submission]) -> None:
    """A DIFFERENTIAL without a look at the stock shows what it moves, and the dry run adds it up."""
    moves = pd.DataFrame({"warehouse_code": "NW-EAST", "product_sku": ["0003", "0011"], "quantity": [5, -2]})
    review = cn.StockReview(timed, cn.build_differential(moves))
    page = Page(review)
    assert page.dry_run()["tried"]["lines"][1] == (
        "NW-EAST: 2 rows, 5 units more, 2 units less than the stock of this moment"
    )
    page.send()
    assert settle(review).snapshot().outcomes == {"applied": 2}
    back = cn.StockReview(timed, cn.build_reversal(review.submission))
    assert back.ticked["quantity"].tolist() == [-5, 2]


def test_text_from_outside_stays_text_when_saved(timed: Client) -> None:
    """A SKU, a warehouse and a reason can't bring a tag into the saved page."""
    updates = plan(timed, "0003", "0011").assign(warehouse_code=NAUGHTY)
    updates.loc[updates.index[0], "product_sku"] = NAUGHTY
    review = cn.StockReview(timed, updates, thresholds={"max_rows": 1}, reason=NAUGHTY)
    page = Page(review)
    page.tick(0, False, NAUGHTY)
    saved = review._page()
    assert "<img" not in saved
    assert saved.count("&lt;img") > 4


def test_a_terminal_sees_the_plan(timed: Client) -> None:
    """Rows by size, objections, totals of what is ticked, and how far it came."""
    text = repr(cn.StockReview(timed, plan(timed, "0003", "0011")))
    assert "Review of 2 changes of stock — sandbox, partner SANDBOX\nNot sent." in text
    assert "NW-EAST: 2 rows ticked, 4 units more, 0 units less, 0 left out" in text


REVIEW = """
import cenports_nb as cn
client = cn.connect("sandbox")
actual = cn.load_actual_stock(client)
counts = actual.groupby("warehouse_code").head(2)[["warehouse_code", "product_sku", "quantity"]]
counts = counts.assign(quantity=counts["quantity"] + 3)
counts.loc[len(actual)] = [counts["warehouse_code"].iloc[0], "<img src=x onerror=document.title='ran'>", 1]
review = cn.StockReview(client, cn.build_true_up(counts, actual))
review
"""


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_where_nobody_can_press_anything_the_plan_stands(tmp_path: Path) -> None:
    """No widget, no button, nothing sent; text from outside is text."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in (REVIEW, "review.submission is None")]
    )
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    text = nbformat.writes(notebook)
    assert "widget-view" not in text
    assert "widgets" not in notebook.metadata
    (output,) = notebook.cells[0].outputs
    assert "☑ yes" in output.data["text/html"]
    assert "<img" not in output.data["text/html"]
    assert "Not sent." in output.data["text/html"]
    assert notebook.cells[1].outputs[0].data["text/plain"] == "True"
