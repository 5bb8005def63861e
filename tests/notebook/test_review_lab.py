"""Test the stock review in JupyterLab: tick, dry run, send, save.

test_tour_in_lab.py opens one without a kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Locator, Page, expect
from support.jupyter_lab import Lab
from support.lab_snippets import CONTRAST, FILTER_MS, RENDER_MS

NAUGHTY = "<img src=x onerror=document.title='ran'>"

PLAN = """
import cenports_nb as cn
client = cn.connect("sandbox")
actual = cn.load_actual_stock(client)
counts = actual.groupby("warehouse_code").head(4)[["warehouse_code", "product_sku", "quantity"]]
counts = counts[counts["product_sku"].ne("0001")]
counts = counts.assign(quantity=counts["quantity"] + 3)
counts.loc[counts["product_sku"] == "0003", "quantity"] = 1
counts.loc[len(actual)] = [counts["warehouse_code"].iloc[0], "<img src=x onerror=document.title='ran'>", 1]
updates = cn.build_true_up(counts, actual, reason="weekly count")
review = cn.StockReview(client, updates, thresholds={"max_drop_from": 5, "max_rows": 2}, available=cn.load_available_stock(client))
review
"""
AFTER = """
_ = review.submission.wait(progress=False)
now = cn.load_actual_stock(client, refresh=True).set_index("product_sku")["quantity"]
before = actual.set_index("product_sku")["quantity"]
rows = review.submission.outcomes.set_index("product_sku")
for sku, row in rows.iterrows():
    if sku in now: print("moved", sku, int(now[sku] - before[sku]), row["outcome"], row["message"])
"""


FITS = """
review => [...review.querySelectorAll(".cn-below, .cn-body .bar")].every(
  cell => cell.scrollWidth <= cell.clientWidth && cell.scrollHeight <= cell.clientHeight + 1
) && review.querySelector(".cn-scroll").scrollWidth <= review.querySelector(".cn-scroll").clientWidth
"""


DIRTY = "window.jupyterapp.shell.currentWidget.context.model.dirty"


def run_all(page: Page) -> Locator:
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    return page.locator(".cn-review")


def run_last(page: Page) -> Locator:
    page.locator(".jp-Notebook .jp-Cell").last.locator(".jp-InputArea-editor").click()
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell')")
    return page.locator(".jp-Notebook .jp-Cell").last.locator(".jp-OutputArea-output")


def run_without_waiting(page: Page) -> None:
    """Run the last cell, which goes on."""
    page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 2")
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-cell')")
    expect(page.locator(".jp-OutputArea-output").get_by_text("waiting", exact=True)).to_be_visible()


def contrasts(page: Page) -> list[float]:
    texts = page.locator(
        ".cn-review :is(.cn-title, .cn-status, .cn-objection > div, .cn-messages > div, .cn-totals td, .cn-cell, .cn-below, .cn-guards span, .cn-guards button, label):visible"
    )
    return texts.evaluate_all(f"all => all.map({CONTRAST.strip().rstrip(';')})")


def theme(page: Page, name: str, light: str) -> None:
    page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def see_what_decides(page: Page, review: Locator) -> None:
    """Objections come first, marked and uncut, on a wide and on a narrow page; a click opens a row."""
    page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")
    grid = review.get_by_role("grid")
    for width, columns in ((1000, 9), (560, 6)):
        page.set_viewport_size({"width": width, "height": 1000})
        expect(grid.get_by_role("columnheader").locator("visible=true")).to_have_count(columns)
        for name in ("SKU", "New", "Change"):
            expect(grid.get_by_role("columnheader", name=name, exact=True)).to_be_visible()
        row = grid.get_by_role("row").nth(1)
        expect(row).to_contain_text("! ")
        expect(row.get_by_role("gridcell").last).to_have_css("opacity", "1")
        assert review.evaluate(FITS)
    page.set_viewport_size({"width": 1200, "height": 1000})
    row.get_by_text("NW-EAST").click()
    expect(review.get_by_role("region", name="Details")).to_contain_text("Objection")
    page.keyboard.press("Escape")


def accept_one(page: Page, review: Locator) -> None:
    """A ticked row that a guard objects to shows that it is accepted, and so do dry run and Send."""
    grid = review.get_by_role("grid")
    row = grid.get_by_role("row").filter(has_text="0005")
    expect(row).to_contain_text("! discontinued: ")
    box = grid.get_by_role("checkbox", name="Tick NW-WEST 0005")
    box.check()
    expect(row).to_contain_text("✓ accepted discontinued: ")
    review.get_by_role("button", name="Dry run").click()
    accepted = "2 objections accepted: NW-WEST 0005 discontinued, max_rows"
    expect(review.get_by_role("status").last).to_contain_text(f"✓ {accepted}.")
    expect(review.locator(".cn-confirm")).to_contain_text(accepted)
    box.uncheck()
    expect(review.locator(".cn-confirm")).to_contain_text("1 objection accepted: max_rows")


def save_from_within(lab: Lab, page: Page, review: Locator) -> None:
    """Ctrl+S saves the notebook while the focus is in the review; other keys stay there."""
    search = review.get_by_role("searchbox")
    search.focus()
    assert page.evaluate(DIRTY)
    page.keyboard.press("Control+s")
    page.wait_for_function(f"() => !({DIRTY})")
    assert "cn-reviewed" in (lab.folder / "review.ipynb").read_text()
    page.keyboard.type("dd")
    expect(search).to_have_value("dd")
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(1)
    search.fill("")


def test_a_plan_is_ticked_tried_sent_and_followed(
    lab: Lab, open_in_lab: Callable[[str], Page], browser: Browser, tmp_path: Path
) -> None:
    """Only ticked rows change the sandbox's stock, and the tracker replaces the review."""
    lab.write("review.ipynb", PLAN)
    page = open_in_lab("review.ipynb")
    review = run_all(page)
    status = review.get_by_role("status").first
    expect(status).to_have_text("8 rows, 4 ticked")
    expect(page.locator(".cn-reviewed")).to_be_hidden()
    confirm, send = review.get_by_label("I have looked at this"), review.get_by_role("button", name="Send")
    dry = review.get_by_role("button", name="Dry run")
    expect(confirm).to_be_disabled()
    expect(send).to_be_disabled()

    every = review.get_by_label("Tick all rows that are shown")
    expect(every).to_be_checked(indeterminate=True)
    every.click()
    expect(status).to_have_text("8 rows, 0 ticked")
    expect(dry).to_be_disabled()
    every.click()  # what a guard objects to is ticked knowingly, not by the way
    expect(status).to_have_text("8 rows, 4 ticked")
    expect(review).to_contain_text("4 rows that guards object to stayed as before")
    objections = review.get_by_role("group", name="Objections")
    expect(objections).to_contain_text("! 5 objections to single rows")
    objections.get_by_role("button", name="discontinued 2").click()
    every.click()
    expect(every).to_be_checked()
    expect(status).to_have_text("2 of 8 rows shown, 6 ticked")
    every.click()
    objections.get_by_role("button", name="max_drop 1").click()
    expect(review.get_by_role("row", name="0003")).to_be_visible()
    objections.get_by_role("button", name="below_reserved 1").click()  # a row with two guards is behind both
    expect(review.get_by_role("row", name="0003")).to_be_visible()
    expect(status).to_have_text("1 of 8 rows shown, 4 ticked")
    review.get_by_role("button", name="Show all again").click()
    see_what_decides(page, review)

    dry.click()
    expect(review).to_contain_text("max_rows above the table: fix the plan, or accept it by its name")
    review.get_by_label("Accept max_rows").check()
    grid = review.get_by_role("grid")
    review.get_by_label("Reason for rows that you untick").fill("counted twice")
    grid.get_by_role("checkbox", name="Tick NW-EAST 0011").uncheck()
    expect(grid.get_by_role("row").filter(has_text="0011")).to_contain_text("counted twice")
    expect(status).to_have_text("8 rows, 3 ticked")
    expect(review.get_by_role("row", name="All 3 +9 0 5")).to_be_visible()
    accept_one(page, review)
    dry.click()
    expect(review).to_contain_text("Dry run: 3 rows would go to sandbox, partner SANDBOX")
    expect(review.get_by_text("Dry run: 3 rows")).to_be_in_viewport()
    save_from_within(lab, page, review)
    confirm.check()
    expect(send).to_be_enabled()
    for name, light in (("JupyterLab Dark", "false"), ("JupyterLab Light", "true")):
        theme(page, name, light)
        assert min(contrasts(page)) >= 4.5

    grid.get_by_role("checkbox", name="Tick NW-EAST 0011").check()
    expect(send).to_be_disabled()
    expect(confirm).not_to_be_checked()
    expect(review).to_contain_text("changed since the dry run: dry-run it again")
    grid.get_by_role("checkbox", name="Tick NW-EAST 0011").uncheck()
    confirm.check()
    send.dblclick()
    tracker = page.locator(".cn-tracker")
    expect(tracker).to_contain_text("COMPLETED")
    expect(review).to_have_count(0)
    expect(page.locator(".cn-reviewed")).to_contain_text("Sent as submission")
    expect(page.locator(".cn-reviewed")).to_contain_text("1 objection accepted: max_rows.")
    expect(tracker).to_contain_text("‖ 4 held, never sent: NW-EAST")
    expect(tracker.get_by_role("table").get_by_text("HELD")).to_have_count(0)
    expect(page.get_by_text("Rows of batch 0")).to_be_visible()

    page.evaluate("window.jupyterapp.commands.execute('notebook:insert-cell-below')")
    page.locator(".jp-Notebook .jp-Cell").last.locator(".cm-content").fill(AFTER)
    output = run_last(page)
    expect(output).to_contain_text("moved 0011 0 held")
    expect(output).to_contain_text("counted twice")
    expect(output).to_contain_text("moved 0003 0 held")
    expect(output).to_contain_text("a guard objects: max_drop")
    expect(output).to_contain_text("3 applied")
    assert output.inner_text().count("3 applied") == 3
    assert page.title() != "ran"

    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function(f"() => !({DIRTY})")
    assert "widget-view" not in (lab.folder / "review.ipynb").read_text()
    exported = tmp_path / "page.html"
    exported.write_text(HTMLExporter().from_filename(str(lab.folder / "review.ipynb"))[0])
    with browser.new_context(offline=True) as context:
        alone = context.new_page()
        alone.goto(exported.as_uri(), wait_until="domcontentloaded")
        expect(alone.locator(".cn-tracker")).to_contain_text("3 of 8 rows applied")
        alone.get_by_text("The plan as it was reviewed").click()
        expect(alone.get_by_role("cell", name=NAUGHTY, exact=True).first).to_be_visible()
        expect(alone.get_by_role("cell", name="counted twice").first).to_be_visible()
        assert alone.title() != "ran"


MANY = """
import pandas as pd
import cenports_nb as cn
from cenports_nb.notebook.review import progress
progress.MANY_ROWS = 1_000  # as if they took long
client = cn.connect("sandbox")
actual = cn.load_actual_stock(client)
frame = pd.DataFrame({"warehouse_code": "NW-EAST", "product_sku": [f"{i:05}" for i in range(10_000)], "quantity": range(10_000)})
review = cn.StockReview(client, cn.build_true_up(frame, actual))
review.grid.select(~review.grid.selected)
"""


RECORD_BUILDING = """
window.building = [];
new MutationObserver(() => {
  for (const line of document.querySelectorAll(".cn-building")) window.building.push(line.textContent);
}).observe(document.body, { subtree: true, childList: true });
"""


def test_keys_alone_are_enough_and_many_rows_stay_quick(lab: Lab, open_in_lab: Callable[[str], Page]) -> None:
    """10,000 rows are drawn and filtered quickly (the widgets benchmark has the ms); a review works by keyboard."""
    lab.write("many.ipynb", MANY, "review", "import threading; print('waiting'); threading.Event().wait()")
    page = open_in_lab("many.ipynb")
    page.evaluate(RECORD_BUILDING)
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    expect(page.locator(".jp-InputPrompt").first).to_have_text("[1]:")
    assert page.evaluate("building")[0] == "Building the review of 10,000 changes: reading the stock …"
    expect(page.locator(".cn-building")).to_have_count(0)
    drawn = page.evaluate(RENDER_MS)
    filtered = page.evaluate(FILTER_MS, ["097", "of 10,000 rows shown"])
    assert drawn < 20_000
    assert filtered < 20_000
    review = page.locator(".cn-review")
    status = review.get_by_role("status").first
    run_without_waiting(page)
    review.get_by_role("button", name="Dry run").focus()
    page.keyboard.press("Enter")
    expect(review).to_contain_text("… Waiting for the running cell")
    page.evaluate("void window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    expect(review).to_contain_text("Dry run: 10,000 rows would go")
    review.get_by_role("searchbox").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("00012")
    expect(status).to_have_text("1 of 10,000 rows shown, 10,000 ticked")
    review.get_by_role("grid").focus()
    page.keyboard.press(" ")
    expect(status).to_have_text("1 of 10,000 rows shown, 9,999 ticked")
    expect(review.get_by_role("grid")).to_contain_text("unticked in review")
    page.keyboard.press("Enter")
    expect(review.get_by_role("region", name="Details")).to_contain_text("is not in warehouse")
    page.evaluate("document.querySelector('.cn-review').scrollIntoView()")
    page.keyboard.press("Escape")
    review.get_by_role("button", name="Dry run").focus()
    page.keyboard.press("Enter")
    expect(review).to_contain_text("Dry run: 9,999 rows would go")
    review.get_by_label("I have looked at this").focus()
    page.keyboard.press(" ")
    expect(review.get_by_role("button", name="Send 9,999 rows")).to_be_enabled()


def test_a_page_that_is_loaded_again_goes_on(lab: Lab, open_in_lab: Callable[[str], Page]) -> None:
    """Kernel and page agree on the decision, and the submission is followed in the same place."""
    lab.write("again.ipynb", PLAN)
    page = open_in_lab("again.ipynb")
    review = run_all(page)
    status = review.get_by_role("status").first
    expect(status).to_have_text("8 rows, 4 ticked")
    grid = review.get_by_role("grid")
    grid.get_by_role("checkbox", name="Tick NW-EAST 0011").uncheck()
    review.get_by_label("Accept max_rows").check()
    review.get_by_role("button", name="Dry run").click()
    expect(review).to_contain_text("Dry run: 3 rows would go")
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    expect(status).to_have_text("8 rows, 3 ticked")
    expect(review).to_contain_text("Dry run: 3 rows would go")
    expect(grid.get_by_role("row").filter(has_text="0011")).to_contain_text("unticked in review")
    expect(review.get_by_label("Accept max_rows")).to_be_checked()
    expect(review.get_by_role("button", name="Send 3 rows")).to_be_disabled()
    review.get_by_label("I have looked at this").check()
    review.get_by_role("button", name="Send 3 rows").click()
    expect(review.locator(".cn-tracker")).to_contain_text("COMPLETED")
    expect(review.locator(".cn-tracker")).to_contain_text("3 of 8 rows applied")
    expect(grid).to_have_count(0)
    expect(review).to_contain_text("Run the cell that shows the review again")
    assert page.title() != "ran"
