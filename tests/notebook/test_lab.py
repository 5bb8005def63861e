"""The tracker in a real JupyterLab."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from jupyter_lab import Lab, stop_kernels
from playwright.sync_api import Locator, Page, expect

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


def run_all(page: Page) -> Locator:
    """Run every cell, and return the tracker's table."""
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    return page.locator(".cn-tracker")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name)


CONTRAST = """
node => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  let below = node;
  while (rgb(getComputedStyle(below).backgroundColor)[3] === 0) below = below.parentElement;
  const two = [getComputedStyle(node).color, getComputedStyle(below).backgroundColor].map(c => light(rgb(c))).sort();
  return (Math.max(...two) + .05) / (Math.min(...two) + .05);
}
"""
"""How far a text stands out from what is behind it, as the accessibility guidelines measure it."""


def contrasts(page: Page) -> list[float]:
    texts = page.locator(":is(.cn-tracker, .cn-rows) :is(b, th, td, .ok, .bad, .warn, .wait, .msg):visible")
    return [text.evaluate(CONTRAST) for text in texts.all()]


def test_tracker_moves_to_the_end_without_a_rerun(lab: Lab, open_in_lab: Callable[[str], Page]) -> None:
    """The table goes from under way to its final states while no cell runs, and shows names as text."""
    lab.write("tracker.ipynb", SUBMIT, "1 + 1")
    page = open_in_lab("tracker.ipynb")
    table = run_all(page)
    expect(table).to_contain_text("pending", timeout=60_000)
    expect(table).to_contain_text("QUEUED")
    expect(button(page, "Verify")).to_be_disabled()
    expect(table).to_contain_text("COMPLETED", timeout=60_000)
    expect(table).to_contain_text("FAILED")
    expect(table).to_contain_text("The product sku <img src=x onerror=document.title='ran'> does not exist.")
    fold = page.locator(".cn-rows details").first
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(fold.get_by_role("cell", name="<img src=x onerror=document.title='ran'>", exact=True)).to_be_visible()
    assert page.title() != "ran"
    seen = contrasts(page)
    assert len(seen) > 20
    assert min(seen) >= 4.5
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    assert min(contrasts(page)) >= 4.5
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "true")  # the setting outlives the page


def test_buttons_poll_verify_and_retry(lab: Lab, open_in_lab: Callable[[str], Page]) -> None:
    """Each does its work beside the kernel, and says so in the table; what has nothing to do is disabled."""
    slow = "client.sandbox.state.transactions._life = __import__('datetime').timedelta(seconds=4)"
    lab.write("buttons.ipynb", SUBMIT.replace("actual =", f"{slow}\nactual =", 1))
    page = open_in_lab("buttons.ipynb")
    table = run_all(page)
    expect(table).to_contain_text("pending", timeout=60_000)
    fold = page.locator(".cn-rows details").nth(1)
    fold.locator("summary").click()
    expect(table).to_contain_text("2 s")
    expect(fold).to_have_attribute("open", "")  # ages move on, and what a person unfolded stays so
    button(page, "Poll now").click()
    expect(table).to_contain_text("unconfirmed", timeout=60_000)
    button(page, "Verify 2 rows").click()
    expect(table).to_contain_text("4 of 5 rows applied", timeout=30_000)
    expect(table).not_to_contain_text("unconfirmed")
    expect(button(page, "Verify")).to_be_disabled()
    button(page, "Retry 1 row").click()
    expect(table).to_contain_text("pending", timeout=30_000)
    button(page, "Stop watching").click()
    expect(table).to_contain_text("Stopped watching; the transactions go on.")
    expect(button(page, "Poll now")).to_have_count(0)


def test_a_click_is_heard_while_a_cell_runs(lab: Lab, open_in_lab: Callable[[str], Page]) -> None:
    """Whoever waits in a cell can still stop watching: the kernel hears it beside the cell."""
    slow = "client.sandbox.state.transactions._life = __import__('datetime').timedelta(seconds=600)"
    waiting = "print('waiting'); submission.wait(progress=False)"
    lab.write("busy.ipynb", SUBMIT.replace("actual =", f"{slow}\nactual =", 1), waiting)
    page = open_in_lab("busy.ipynb")
    # A command that runs cells ends with them: the page must not wait for it.
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    expect(page.locator(".jp-OutputArea-output").get_by_text("waiting")).to_be_visible(timeout=60_000)
    button(page, "Stop watching").click()
    expect(page.locator(".cn-tracker")).to_contain_text("Stopped watching; the transactions go on.")
    expect(page.get_by_text("[*]:")).to_be_visible()


def test_a_notebook_opened_again_shows_the_state_it_was_saved_in(lab: Lab, open_in_lab: Callable[[str], Page]) -> None:
    """The kernel that drew it is gone: the table stands with its time, and nothing is left of the buttons."""
    slow = "client.sandbox.state.transactions._life = __import__('datetime').timedelta(seconds=60)"
    lab.write("saved.ipynb", SUBMIT.replace("actual =", f"{slow}\nactual =", 1))
    page = open_in_lab("saved.ipynb")
    expect(run_all(page)).to_contain_text("pending", timeout=60_000)
    expect(button(page, "Poll now")).to_be_visible()
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    stop_kernels(lab)
    page.reload()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    expect(page.locator(".cn-tracker")).to_contain_text("0 of 5 rows settled at")
    expect(page.get_by_text("Error displaying widget")).to_be_hidden()
    expect(button(page, "Poll now")).to_have_count(0)
