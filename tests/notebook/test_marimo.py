"""Test the widgets by marimo's rules: what `_display_` returns is shown, widgets alone can change afterwards."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import anywidget
import pandas as pd
import pytest
from support.fake_clock import FakeClock

import cenports_nb as cn
from cenports_nb import notebook
from cenports_nb.sandbox import Sandbox

ADD_ONE = pd.DataFrame({"warehouse_code": ["NW-EAST"], "product_sku": ["0003"], "quantity": [1]})


def show(value: Any) -> anywidget.AnyWidget:
    """Show a value as marimo does: it knows neither `_ipython_display_` nor boxes of ipywidgets."""
    shown = value._display_()
    assert isinstance(shown, anywidget.AnyWidget)
    return shown


def join_review() -> None:
    for thread in threading.enumerate():
        if thread.name == "cenports-nb review":
            thread.join(30)


def test_an_order_is_opened(client: cn.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its details are sent to the widget that is shown."""
    orders, lines = (load(client, "1998-05-01", "1998-05-06") for load in (cn.load_orders, cn.load_line_items))
    explorer = cn.OrderExplorer(orders, lines)
    page = show(explorer)
    sent: list[Any] = []
    monkeypatch.setattr(page, "send", lambda content, buffers=None: sent.append(content))
    page.handle_message({"open_row": 0})
    assert sent[0]["details"] == 0
    assert explorer.order is not None
    assert show(explorer) is page


def test_a_review_is_sent_and_followed_in_its_widget(timed: cn.Client, northwind: Sandbox, clock: FakeClock) -> None:
    """The submission replaces the plan, and a sentence names what has its buttons."""
    review = cn.StockReview(timed, cn.build_differential(ADD_ONE))
    page = show(review)
    decision = {"selection": [0, 1], "accepted": [], "reasons": [], "selection_version": 1}
    page.handle_message({**decision, "request": "dry_run"})
    join_review()
    page.handle_message({**decision, "request": "send", "confirmed": True})
    join_review()
    assert review.submission is not None
    assert review.submission.submission_id in page.tracker_html[0]
    assert page.tracker_note.startswith("cn.TransactionTracker(review.submission)")
    clock.advance(600)
    review.submission.wait(progress=False)
    assert "1 of 1 row applied" in page.tracker_html[0]


def test_a_tracker_is_one_widget_that_changes(timed: cn.Client, northwind: Sandbox, clock: FakeClock) -> None:
    """It shows the table and the buttons, and no button once nothing is left to do."""
    submission = cn.submit_updates(timed, cn.build_differential(ADD_ONE), progress=False)
    tracker = cn.TransactionTracker(submission)
    page = show(tracker)
    assert "0 of 1 row settled" in page.parts[0]
    assert [button["name"] for button in page.buttons] == ["Poll now", "Verify", "Retry", "Stop watching"]
    clock.advance(600)
    submission.wait(progress=False)
    assert "1 of 1 row applied" in page.parts[0]
    assert page.buttons == []


def test_scripts_find_elements_in_a_shadow_root() -> None:
    """The document knows neither elements nor the focus inside marimo's widgets."""
    for script in Path(notebook.__file__).parent.rglob("*.js"):
        text = script.read_text(encoding="utf-8")
        for name in ("document.getElementById", "document.querySelector", "document.activeElement"):
            assert name not in text, script.name
