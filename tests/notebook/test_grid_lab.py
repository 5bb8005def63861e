"""Test the grid's page side in JupyterLab: rows, sorting, filters, selection, keys.

test_review_lab.py loads its page again; test_tour_in_lab.py exports it, and opens it without a kernel.
"""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect
from support.jupyter_lab import Lab
from support.lab_snippets import FILTER_MS, RENDER_MS

GRID = """
import numpy as np, pandas as pd
from cenports_nb.notebook.grid.columns import Column
from cenports_nb.notebook.grid.static_table import BELOW_GRID_MARKER, render_static_table
from cenports_nb.notebook.grid.widget import DetailSection, Grid
from cenports_nb.notebook.live_output.live_output import LiveOutput

many = 10_000
rng = np.random.default_rng(7)
naughty = "<img src=x onerror=document.title='ran'>"
frame = pd.DataFrame({
    "warehouse": rng.choice(["NW-EAST", "NW-WEST", naughty], many),
    "sku": [f"{i:05}" for i in range(many)],
    "name": [f"Product {i % 977} of a rather long name" for i in range(many)],
    "now": rng.integers(0, 5000, many),
    "change": rng.integers(-400, 400, many),
    "known": rng.random(many) > 0.1,
})
frame.loc[0, "name"] = naughty
columns = [Column("warehouse", "Warehouse", choice=True, letters=12), Column("sku", "SKU"), Column("name", "Product"),
           Column("now", "Now", "number"), Column("change", "Change", "bar"), Column("known", "Known", "flag", choice=True)]
grid = Grid.from_frame(frame, columns, label="Changes", selected=np.ones(many, dtype=bool))
table = lambda *_: render_static_table(frame, columns, selected=grid.selected)
output = LiveOutput(widget_marker=BELOW_GRID_MARKER)
grid.observe(lambda _: output.update([table()], ""), "selection")
section = DetailSection("Kernel", facts=(("says", naughty),), headers=("A",), rows=((naughty,),))
grid.observe(lambda change: grid.show_details(change["new"], [section]), "open_row")
"""
SHOW = 'output.show(grid, [table()], "")'
KERNEL_STATE = (
    'print("kernel has", int(grid.selected.sum()), "first", int(grid.selected[:10].sum()), "opened", grid.open_row)'
)


def run_all(page: Page) -> Locator:
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    return page.locator(".cn-grid")


def run_last_cell(page: Page, text: str) -> None:
    """Run the last cell and wait for its output."""
    page.locator(".jp-Notebook .jp-Cell").last.locator(".jp-InputArea-editor").click()
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell')")
    expect(page.locator(".jp-OutputArea-output").last).to_contain_text(text)


def test_ten_thousand_rows_are_sorted_filtered_ticked_and_opened(lab: Lab, open_in_lab: Callable[[str], Page]) -> None:
    """It works quickly by pointer and keyboard, the kernel is informed, and tags stay text."""
    lab.write("grid.ipynb", GRID, SHOW, KERNEL_STATE)
    page = open_in_lab("grid.ipynb")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    expect(page.locator(".jp-InputPrompt").first).to_have_text("[1]:")
    assert page.evaluate(RENDER_MS) < 20_000
    grid = page.locator(".cn-grid")
    status = grid.get_by_role("status")
    expect(status).to_have_text("10,000 rows, 10,000 ticked")
    rows = grid.locator(".cn-body [role=row]")
    assert rows.count() < 60
    expect(grid.get_by_role("grid", name="Changes")).to_have_attribute("aria-rowcount", "10001")
    expect(page.locator(".cn-static-table")).to_be_hidden()

    assert page.evaluate(FILTER_MS, ["product 897 of", "of 10,000 rows shown"]) < 20_000
    expect(status).to_have_text("10 of 10,000 rows shown, 10,000 ticked")
    grid.get_by_label("Tick all rows that are shown").uncheck()
    expect(status).to_have_text("10 of 10,000 rows shown, 9,990 ticked")
    grid.get_by_label("Warehouse").select_option("=NW-EAST")
    expect(status).not_to_have_text("10 of 10,000 rows shown, 9,990 ticked")
    grid.get_by_role("button", name="Show all again").click()
    grid.get_by_label("Show", exact=True).select_option("unticked only")
    expect(status).to_have_text("10 of 10,000 rows shown, 9,990 ticked")
    grid.get_by_role("button", name="Show all again").click()

    header = grid.get_by_role("columnheader", name="Change")
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    expect(rows.first).to_contain_text("−400")
    header.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(header).to_have_attribute("aria-sort", "descending")
    expect(rows.first).to_contain_text("+399")
    page.keyboard.press("Enter")
    expect(header).to_have_attribute("aria-sort", "none")
    expect(rows.first).to_contain_text("00000")

    table = grid.get_by_role("grid")
    table.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    expect(status).to_have_text("10,000 rows, 9,989 ticked")
    expect(rows.nth(1)).to_have_attribute("aria-selected", "false")
    page.keyboard.press("End")
    expect(grid.locator(".cn-row.active")).to_contain_text("09999")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    details = grid.get_by_role("region", name="Details of")
    expect(details).to_contain_text("Kernel")
    expect(details).to_contain_text("<img src=x onerror=document.title='ran'>")
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(table).to_be_focused()
    page.keyboard.press("d")
    page.keyboard.press("d")
    assert page.locator(".jp-Notebook .jp-Cell").count() == 3  # Lab's own keys delete no cell from in here
    assert page.title() != "ran"
    run_last_cell(page, "kernel has 9989 first 9 opened -1")
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    expect(grid).to_be_hidden()
    expect(page.locator(".cn-static-table tr.off")).to_have_count(1)
