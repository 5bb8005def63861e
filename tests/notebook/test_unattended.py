"""Test what is left of trackers, a review and an explorer in a notebook that nobody watches, as papermill runs it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, expect
from support.lab_snippets import CONNECT, EXPLORER, HURRY, SUBMIT

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.browser,  # all of it in one go, or the notebook would run twice
    pytest.mark.xdist_group("browser"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

MARK_THE_END = """
import threading
def mark_end():
    for thread in threading.enumerate():
        if thread.name == "cenports-nb tracker":
            thread.join()
    open("ended", "w").close()
threading.Thread(target=mark_end).start()
"""
WAIT = "_ = submission.wait(progress=False)"
REVIEW = """
actual = cn.load_actual_stock(client)
counts = actual.groupby("warehouse_code").head(2)[["warehouse_code", "product_sku", "quantity"]]
counts = counts.assign(quantity=counts["quantity"] + 3)
counts.loc[len(actual)] = [counts["warehouse_code"].iloc[0], "<img src=x onerror=document.title='ran'>", 1]
review = cn.StockReview(client, cn.build_true_up(counts, actual))
review
"""
PENDING = """
client.sandbox.state.transactions._life = timedelta(hours=1)
counts = actual.tail(2)[["warehouse_code", "product_sku", "quantity"]].assign(quantity=500)
cn.TransactionTracker(cn.submit_updates(client, cn.build_true_up(counts, actual), allow=["discontinued"]))
"""
CELLS = [CONNECT, HURRY, REVIEW, "review.submission is None", SUBMIT, MARK_THE_END, WAIT, PENDING, EXPLORER, "explorer"]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run the cells one after the other."""
    folder = tmp_path_factory.mktemp("unattended")
    os.mkfifo(folder / "ended")

    def wait_for_end(cell_index: int, **_: object) -> None:
        # The tracker's thread draws the end between two cells, where a notebook runner drops what it sends.
        if CELLS[cell_index] == WAIT:
            (folder / "ended").read_text()

    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    runner = NotebookClient(
        made, timeout=300, resources={"metadata": {"path": str(folder)}}, on_cell_start=wait_for_end
    )
    runner.execute()
    return made


def read_page(notebook: Any, source: str) -> str:
    """Return what a cell shows, as HTML."""
    return "".join(output.data["text/html"] for output in notebook.cells[CELLS.index(source)].outputs)


def test_nothing_is_left_of_widgets(notebook: Any) -> None:
    """There is no widget, no button and no word on stderr, and every text is escaped."""
    text = nbformat.writes(notebook)
    assert "widget-view" not in text
    assert "anywidget" not in str(notebook.metadata)  # a load's progress bar may be there
    assert "Poll now" not in text
    assert "<img" not in "".join(read_page(notebook, source) for source in (REVIEW, SUBMIT, PENDING, "explorer"))
    assert [output for cell in notebook.cells for output in cell.outputs if output.output_type == "stream"] == []


def test_a_review_is_only_the_plan(notebook: Any) -> None:
    """Nothing is sent."""
    page = read_page(notebook, REVIEW)
    assert "☑ yes" in page
    assert "Not sent." in page
    assert notebook.cells[CELLS.index("review.submission is None")].outputs[0].data["text/plain"] == "True"


def test_a_tracker_has_the_end_of_a_wait_in_a_later_cell(notebook: Any) -> None:
    """Polling has ended."""
    tracker = read_page(notebook, SUBMIT)
    assert "COMPLETED" in tracker
    assert "2 of 5 rows applied" in tracker
    assert "pending" not in tracker
    assert "Next poll" not in tracker


def test_a_tracker_without_a_wait_has_a_table_all_the_same(notebook: Any) -> None:
    """It has the last state before the notebook ended."""
    assert "2 pending" in read_page(notebook, PENDING)


def test_an_explorer_is_a_table_without_names(notebook: Any) -> None:
    """It has the first hundred orders and the number of others."""
    page = read_page(notebook, "explorer")
    assert page.partition("<tbody>")[2].count("<tr>") == 100
    assert "more orders." in page
    for person in ("Rattlesnake", "Paula Wilson"):
        assert person not in nbformat.writes(notebook)


def test_an_exported_page_needs_neither_kernel_nor_network(notebook: Any, tmp_path: Path, browser: Browser) -> None:
    """Rows of a tracker unfold by keyboard, the explorer's table is there, and nothing has run."""
    target = tmp_path / "page.html"
    target.write_text(HTMLExporter().from_notebook_node(notebook)[0])
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.goto(target.as_uri(), wait_until="domcontentloaded")
        expect(page.locator(".cn-tracker").first).to_contain_text("2 of 5 rows applied")
        fold = page.locator(".cn-rows details").first
        fold.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(fold.get_by_role("cell", name="<img src=x onerror=document.title='ran'>", exact=True)).to_be_visible()
        expect(page.locator(".cn-orders-summary ~ .cn-static-table tbody tr")).to_have_count(100)
        expect(page.get_by_role("button")).to_have_count(0)
        assert page.title() != "ran"
