"""Test that a hostile shop's texts are shown as text in JupyterLab and exported pages, and nothing runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page, expect
from support.hostile_shop import BROKEN, CELLS, FORMULA, HOSTILE, IMAGE, write_shop
from support.jupyter_lab import Lab


def unfold(page: Page) -> None:
    page.locator(".cn-rows details").evaluate_all("all => all.forEach(one => one.open = true)")


def check_harmless(page: Page) -> None:
    """Check that no text became markup."""
    assert page.evaluate("window.hacked") is None
    shown = page.locator(".jp-OutputArea-output, .jp-RenderedHTMLCommon")
    assert shown.locator("img[src=x]").count() == 0
    assert shown.locator("script:not([type])").count() == 0
    assert shown.locator("a[href^=javascript], [href^=javascript]").count() == 0
    ours = page.locator(".cn-tracker, .cn-rows, .cn-facts, table.dataframe")
    assert ours.locator("mjx-container, .MathJax").count() == 0


def test_nothing_that_a_shop_calls_itself_runs(
    lab: Lab, open_in_lab: Callable[[str], Page], browser: Browser, tmp_path: Path
) -> None:
    """Frames, notes, tracker, rows, charts and errors are harmless, live and exported."""
    write_shop(lab.folder / "shop")
    lab.write("hostile.ipynb", *CELLS)
    page = open_in_lab("hostile.ipynb")
    page.set_viewport_size({"width": 1200, "height": 9000})  # or Lab draws no more than what is in sight
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    tracker = page.locator(".cn-tracker")
    expect(page.get_by_text("the end", exact=True)).to_be_visible()
    expect(tracker).to_contain_text("FAILED")
    unfold(page)
    for text in HOSTILE:
        expect(page.get_by_role("cell", name=text, exact=True).first).to_be_attached()
    expect(page.locator(".cn-rows")).to_contain_text([FORMULA])
    expect(tracker).to_contain_text(BROKEN)
    expect(page.locator(".cn-facts").first).to_be_visible()
    assert page.locator(".jp-OutputArea img").count() == 6
    errors = page.locator(".jp-RenderedText")
    expect(errors.filter(has_text="GuardRailError").filter(has_text=IMAGE)).to_be_visible()
    expect(page.locator(".formula mjx-container")).to_be_attached()  # formulas are drawn here, just none of ours
    check_harmless(page)
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")

    target = tmp_path / "page.html"
    target.write_text(HTMLExporter().from_notebook_node(nbformat.read(lab.folder / "hostile.ipynb", as_version=4))[0])
    with browser.new_context(offline=True) as context:
        exported = context.new_page()
        exported.goto(target.as_uri(), wait_until="domcontentloaded")
        unfold(exported)
        expect(exported.locator(".cn-tracker")).to_contain_text(BROKEN)
        expect(exported.locator(".cn-rows").first).to_contain_text(FORMULA)
        assert exported.locator(".jp-OutputArea img").count() == 6
        check_harmless(exported)
