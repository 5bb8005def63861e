"""Test the tracker in JupyterLab."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from support.jupyter_lab import Lab, stop_kernels
from support.lab_snippets import CONTRAST, submit_to

from cenports_nb.sandbox import Sandbox

END_S = 600


@pytest.fixture
def slow_shop() -> Iterator[Sandbox]:
    """Start a sandbox whose transactions end only when its clock is moved."""
    with Sandbox(rate_limit=None, transaction_seconds=END_S) as sandbox:
        yield sandbox


def run_all(page: Page) -> Locator:
    """Run every cell, and return the tracker's table."""
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    return page.locator(".cn-tracker")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name)


NOTE_TEXTS = ":is(.cn-facts, .cn-facts *, .cn-origin, .jp-RenderedText pre):visible"
TEXTS = ":is(.cn-tracker, .cn-rows) :is(b, th, td, .ok, .bad, .warn, .wait, .msg):visible"


def contrasts(page: Page, texts: str) -> list[float]:
    expect(page.locator(texts).first).to_be_visible()  # a change of the theme hides all of it for a moment
    return page.locator(texts).evaluate_all(f"all => all.map({CONTRAST.strip().rstrip(';')})")


def use_theme(page: Page, name: str) -> None:
    page.evaluate(f"window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {name}'}})")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "true" if name == "Light" else "false")
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


NOTES = """
orders = cn.load_orders(client, last="30D")
display(orders.head(), client, cn.provenance(orders))
cn.load_orders(client, last="soon")
"""


def test_tracker_moves_to_the_end_without_a_rerun(
    lab: Lab, open_in_lab: Callable[[str], Page], slow_shop: Sandbox
) -> None:
    """The table reaches its final states without running a cell, and names stay text.

    Its text, and that of notes, origins and errors, has a contrast of at least 4.5 to 1 in both themes.
    """
    lab.write("tracker.ipynb", submit_to(slow_shop), NOTES)
    page = open_in_lab("tracker.ipynb")
    table = run_all(page)
    expect(table).to_contain_text("pending")
    expect(table).to_contain_text("QUEUED")
    expect(button(page, "Verify")).to_be_disabled()
    slow_shop.clock.advance(END_S)
    expect(table).to_contain_text("COMPLETED")
    expect(table).to_contain_text("FAILED")
    expect(table).to_contain_text("The product sku <img src=x onerror=document.title='ran'> does not exist.")
    fold = page.locator(".cn-rows details").first
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(fold.get_by_role("cell", name="<img src=x onerror=document.title='ran'>", exact=True)).to_be_visible()
    assert page.title() != "ran"
    error = page.locator(".jp-RenderedText pre").filter(has_text="InvalidRequestError")
    expect(error).to_contain_text("isn't a period")
    expect(page.get_by_role("row", name="environment sandbox").first).to_be_visible()
    expect(page.get_by_role("rowheader", name="environment").first).to_be_visible()
    for theme in ("Dark", "Light"):  # the setting outlives the page
        use_theme(page, theme)
        for texts in (TEXTS, NOTE_TEXTS):
            seen = contrasts(page, texts)
            assert len(seen) > 20
            assert min(seen) >= 4.5, theme


WAITING = "print('waiting'); submission.wait(progress=False)"


def test_buttons_poll_verify_retry_and_stop(lab: Lab, open_in_lab: Callable[[str], Page], slow_shop: Sandbox) -> None:
    """Each works by keyboard and mouse and reports its result; buttons without work are disabled.

    A user waiting in a cell can stop watching, because the kernel handles the click beside the cell.
    """
    lab.write("buttons.ipynb", submit_to(slow_shop, poll_seconds=END_S), WAITING)
    page = open_in_lab("buttons.ipynb")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    table = page.locator(".cn-tracker")
    expect(table).to_contain_text("pending")
    fold = page.locator(".cn-rows details").nth(1)
    fold.locator("summary").click()
    expect(table.get_by_role("cell", name="2 s", exact=True).first).to_be_visible()
    expect(fold).to_have_attribute("open", "")  # ages move on, and what a person unfolded stays so
    for word in ("PROCESSING", "unconfirmed"):  # nothing but the button asks
        slow_shop.clock.advance(END_S / 2)
        button(page, "Poll now").focus()
        page.keyboard.press("Space")
        expect(table).to_contain_text(word)
    button(page, "Verify 2 rows").focus()
    page.keyboard.press("Enter")
    expect(table).to_contain_text("4 of 5 rows applied")
    expect(table).not_to_contain_text("unconfirmed")
    expect(table.get_by_role("cell", name="FAILED")).to_contain_text("settled by verify")
    expect(button(page, "Verify")).to_be_disabled()
    button(page, "Retry 1 row").click()
    expect(table).to_contain_text("pending")
    # A command that runs a cell ends with it: the page must not wait for it.
    page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1")
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-cell')")
    expect(page.locator(".jp-OutputArea-output").get_by_text("waiting", exact=True)).to_be_visible()
    button(page, "Stop watching").click()
    expect(table).to_contain_text("Stopped watching; the transactions go on.")
    expect(page.get_by_text("[*]:")).to_be_visible()
    expect(button(page, "Poll now")).to_have_count(0)


@pytest.mark.thorough
def test_a_page_that_is_loaded_again_goes_on(lab: Lab, open_in_lab: Callable[[str], Page], slow_shop: Sandbox) -> None:
    """The tracker is replaced by a new output that reaches the end; without a kernel it has its saved state and no buttons."""
    lab.write("again.ipynb", submit_to(slow_shop))
    page = open_in_lab("again.ipynb")
    expect(run_all(page)).to_contain_text("pending")
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    mirror = page.locator(".cn-output-mirror .cn-tracker")
    expect(mirror).to_contain_text("pending")
    expect(page.locator(".cn-tracker:visible")).to_have_count(1)
    fold = page.locator(".cn-output-mirror details").nth(1)
    fold.locator("summary").click()
    slow_shop.clock.advance(END_S)
    expect(mirror).to_contain_text("COMPLETED")
    expect(page.get_by_text("run the cell again to keep what is above")).to_be_visible()
    expect(page.get_by_text("<img src=x onerror=document.title='ran'>").locator("visible=true").first).to_be_visible()
    assert page.title() != "ran"
    page.reload()  # nothing was saved since, and the tracker has nothing left to do
    expect(mirror).to_contain_text("COMPLETED")
    expect(page.locator(".cn-tracker:visible")).to_have_count(1)
    stop_kernels(lab)
    page.reload()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    expect(page.locator(".cn-tracker:visible")).to_contain_text("0 of 5 rows settled at")
    expect(page.get_by_text("Error displaying widget")).to_be_hidden()
    expect(button(page, "Poll now")).to_have_count(0)
