"""Test the order explorer in JupyterLab, and what a saved file keeps.

test_tour_in_lab.py opens it without a kernel.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Locator, Page, expect
from support.jupyter_lab import Lab
from support.lab_snippets import CONTRAST, EXPLORER, FILTER_MS, RENDER_MS
from support.order_frames import CLOSING, NAUGHTY

SHOW = "explorer"
KERNEL_STATE = """
import threading
while len(explorer.shown) > 1:  # the page tells it by a way of its own
    threading.Event().wait(0.05)
print("shown", len(explorer.shown), "first", explorer.shown["order_no"].iloc[0], "opened", explorer._grid.open_row)
people = set(orders[["contact_name", "ship_to_address1", "contact_phone"]].stack())
print("private in the state:", sum(text in str(explorer._grid.get_state()) for text in people if text != closing))
"""
WAITING_CELL = """
import threading
print("waiting")
while explorer.order is None or explorer.order.order["order_no"].iloc[0] != "11076":
    threading.Event().wait(0.05)
print("opened", len(explorer.order.line_items), "lines while this ran")
"""
BIG = """
import numpy as np
import pandas as pd
import cenports_nb as cn
many = 10_000
orders = cn.schemas.Orders.example(rows=1).iloc[np.zeros(many, dtype=int)].reset_index(drop=True)
orders["order_no"] = pd.Series([f"{100_000 + i}" for i in range(many)], dtype="str")
orders["customer_name"] = orders["order_no"]
line_items = cn.schemas.LineItems.example(rows=1).iloc[np.zeros(3 * many, dtype=int)].reset_index(drop=True)
line_items["order_no"] = orders["order_no"].repeat(3).array
line_items["product_sku"] = pd.Series([f"SKU-{i % 4999:05}" for i in range(3 * many)], dtype="str")
line_items["channel_id"] = orders["channel_id"].iloc[0]
explorer = cn.OrderExplorer(orders, line_items)
"""


def run(page: Page, cell: int, command: str = "notebook:run-cell") -> Locator:
    """Run a cell, counted from 0, without waiting; return its output."""
    found = page.locator(".jp-Notebook .jp-Cell").nth(cell)
    found.locator(".jp-InputArea-editor").click()
    page.evaluate(f"void window.jupyterapp.commands.execute('{command}')")
    return found.locator(".jp-OutputArea")


def theme(page: Page, name: str, light: bool) -> None:
    page.evaluate(f"window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {name}'}})")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", str(light).lower())


def contrasts(page: Page) -> list[float]:
    texts = page.locator(".cn-orders :is(label, .cn-cell, .cn-status, .cn-keys, b, dt, dd, th, td, button):visible")
    return texts.evaluate_all(f"all => all.slice(0, 120).map({CONTRAST.strip().rstrip(';')})")


def private_texts(page: Page) -> list[str]:
    """Read the personal data of the open order from the page."""
    return (
        page.locator(".cn-section:has(> b:text('People')), .cn-section:has(> b:text('Addresses'))")
        .locator("dd")
        .all_inner_texts()
    )


def saved(page: Page, lab: Lab, name: str) -> str:
    with page.expect_response(lambda answer: answer.request.method == "PUT" and name in answer.url):
        page.evaluate("void window.jupyterapp.commands.execute('docmanager:save')")
    return (lab.folder / name).read_text()


def test_orders_are_searched_opened_and_left_without_a_trace(
    lab: Lab, browser: Browser, open_in_lab: Callable[[str], Page], tmp_path: Path
) -> None:
    """By pointer and keys while a cell runs; personal data is shown for one order, and in no file or state."""
    lab.write("explorer.ipynb", EXPLORER, SHOW, KERNEL_STATE, WAITING_CELL)
    page = open_in_lab("explorer.ipynb")
    run(page, 0)
    expect(page.locator(".jp-InputPrompt").first).to_have_text("[1]:")
    run(page, 1)
    grid = page.locator(".cn-orders")
    status = grid.get_by_role("status")
    expect(status).to_contain_text("orders")
    every = int(status.inner_text().split()[0])
    rows = grid.locator(".cn-body [role=row]")
    expect(rows.first).to_contain_text("11077")
    expect(grid.get_by_role("columnheader", name="Ordered (America/New_York)")).to_be_visible()

    # Filters: what is typed is looked for in numbers, products and tracking numbers of the orders' lines.
    search = grid.get_by_label("Search")
    search.fill("röd kaviar")
    expect(status).to_contain_text(f"of {every} orders shown")
    expect(rows.first).to_contain_text("11077")
    page.get_by_role("button", name="Show all again").click()
    expect(grid).to_contain_text("Names are masked and not searched.")
    search.fill("Paula Wilson")
    expect(grid.get_by_text("Nothing matches.")).to_contain_text("Names are masked and not searched.")
    page.get_by_role("button", name="Show all again").click()
    grid.get_by_label("State").select_option("==1+1")
    with page.expect_download() as download:
        grid.get_by_role("button", name="Download").click()
    header, line = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert header.startswith("Order,Ordered (America/New_York),Channel,Customer,Country,State,Status,")
    assert re.search(r",Customer [0-9a-f]{4},Brazil,'=1\+1,", line)
    grid.get_by_role("button", name="Copy", exact=True).click()
    expect(grid.get_by_text("1 order copied")).to_be_visible()
    page.get_by_role("button", name="Show all again").click()
    grid.get_by_label("Acknowledged").select_option("=✗ no")
    grid.get_by_label("Channel").select_option("=NW-SA")
    expect(rows.first).to_contain_text("11071")
    day = grid.locator("[role=gridcell].instant").first.inner_text()[:10]
    grid.get_by_label("From").fill(day)
    grid.get_by_label("to", exact=True).fill(day)
    expect(status).to_contain_text(f"1 of {every} orders shown")
    kernel = run(page, 2)
    expect(kernel).to_contain_text("shown 1 first 11071 opened -1")
    expect(kernel).to_contain_text("private in the state: 0")
    page.get_by_role("button", name="Show all again").click()
    expect(status).to_have_text(f"{every} orders")

    # Keys: open, show people, go on, come back, close.
    table = grid.get_by_role("grid", name="Orders")
    expect(table).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    details = page.locator(".cn-details")
    expect(details).to_be_focused()
    expect(details).to_contain_text("Lines (25)")
    expect(details.get_by_text("Status", exact=True)).to_have_count(1)  # of the lines: its row shows its own
    masked = private_texts(page)
    assert all(
        re.search(r"(Customer|Address|Phone|Email|Message) [0-9a-f]{4}", text)
        for text in masked
        if text != "the same address"
    )
    page.get_by_role("button", name="Copy order number 11077").click()
    expect(details).to_contain_text("Copied")
    show = page.get_by_role("button", name="Show personal data of this order")
    show.focus()
    page.keyboard.press("Enter")
    hide = page.get_by_role("button", name="Hide personal data")
    expect(hide).to_be_focused()
    plain = private_texts(page)
    assert "Paula Wilson" in plain
    page.keyboard.press("ArrowRight")
    expect(details).to_have_attribute("aria-label", "Details of 11076 NW-EU")
    expect(show).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(show).to_be_visible()
    assert private_texts(page) == masked
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("button", name="Next")).to_be_focused()
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(table).to_be_focused()
    expect(grid.locator(".cn-row.active")).to_contain_text("11076")

    # Details come while a cell runs.
    busy = run(page, 3)
    expect(busy).to_contain_text("waiting")
    rows.filter(has_text="11076").click()
    expect(details).to_contain_text("Lines (3)")
    expect(busy).to_contain_text("opened 3 lines while this ran")

    # Names of people and things are text, in both themes legible.
    search.fill("<img src")
    rows.first.click()
    expect(details).to_contain_text("Shipments (1)")
    show.click()
    for text in (NAUGHTY, CLOSING):
        expect(details).to_contain_text(text)
    for name, light in (("Dark", False), ("Light", True)):
        theme(page, name, light)
        expect(details).to_be_visible()
        seen = contrasts(page)
        assert len(seen) > 40
        assert min(seen) >= 4.5
    assert page.title() != "ran"

    # What is left of it: the orders that were shown, and nobody.
    expect(run(page, 2)).to_contain_text(re.compile(r"opened \d+\s+private in the state: 0"))
    text = saved(page, lab, "explorer.ipynb")
    assert f"1 of {every} orders" in text
    assert [each for each in plain if each in text] == []
    assert "Rattlesnake" not in text
    export = tmp_path / "explorer.html"
    export.write_text(HTMLExporter().from_notebook_node(nbformat.reads(text, 4))[0])
    with browser.new_context(offline=True) as context:
        alone = context.new_page()
        alone.goto(export.as_uri(), wait_until="domcontentloaded")
        expect(alone.locator(".cn-static-table")).to_contain_text(NAUGHTY)
        assert alone.title() != "ran"


def test_ten_thousand_orders_are_quick(lab: Lab, open_in_lab: Callable[[str], Page]) -> None:
    """They are shown and filtered by their 30,000 lines quickly; the widgets benchmark has the ms."""
    lab.write("many.ipynb", BIG, SHOW)
    page = open_in_lab("many.ipynb")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    expect(page.locator(".jp-InputPrompt").first).to_have_text("[1]:")
    assert page.evaluate(RENDER_MS) < 20_000
    expect(page.get_by_label("Channel")).to_be_visible()
    expect(page.get_by_label("Customer")).to_be_hidden()  # of more than 400 there is no list, but a search
    assert page.evaluate(FILTER_MS, ["sku-00042", "6 of 10,000 orders shown"]) < 20_000
