"""The tracker in a real JupyterLab."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from jupyter_lab import Lab
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

SUBMIT = """
import cenports_nb as cn
client = cn.connect("sandbox")
actual = cn.load_actual_stock(client)
counts = actual.groupby("warehouse_code").head(2)[["warehouse_code", "product_sku", "quantity"]]
counts = counts.assign(quantity=counts["quantity"] + 3)
naughty = "<img src=x onerror=document.title='ran'>"
counts.loc[len(actual)] = [counts["warehouse_code"].iloc[0], naughty, 1]
updates = cn.build_true_up(counts, actual)
submission = cn.submit_updates(client, updates, allow=["unknown_sku", "discontinued"])
cn.TransactionTracker(submission)
"""


def test_tracker_moves_to_the_end_without_a_rerun(lab: Lab, open_in_lab: Callable[[str], Page]) -> None:
    """The table goes from under way to its final states while no cell runs, and shows names as text."""
    lab.write("tracker.ipynb", SUBMIT, "1 + 1")
    page = open_in_lab("tracker.ipynb")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    table = page.locator(".cn-tracker")
    expect(table).to_contain_text("pending", timeout=60_000)
    expect(page.get_by_role("button", name="Verify", exact=True)).to_be_visible()
    expect(table).to_contain_text("COMPLETED", timeout=60_000)
    expect(table).to_contain_text("FAILED")
    expect(table).to_contain_text("The product sku <img src=x onerror=document.title='ran'> does not exist.")
    assert page.title() != "ran"


def test_verify_button_settles_unconfirmed_rows(lab: Lab, open_in_lab: Callable[[str], Page]) -> None:
    """Pressing Verify reads the stock, and the rows that it proves become applied."""
    lab.write("verify.ipynb", SUBMIT)
    page = open_in_lab("verify.ipynb")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    table = page.locator(".cn-tracker")
    expect(table).to_contain_text("unconfirmed", timeout=60_000)
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(table).to_contain_text("4 of 5 rows applied", timeout=30_000)
    expect(table).not_to_contain_text("unconfirmed")
