"""What a person waits for in JupyterLab: `python benchmarks/widgets.py`, with Chromium.

From the moment a cell is run until its first row is on the page, medians of runs that take turns on one page;
then how long a search takes there, and what the saved notebook holds of it. 10,000 planned changes of stock, and
10,000 orders of three lines, beside what pandas does with the same rows: its own view (60 rows, no search) and
all of them as an HTML table. Ratios are to pandas' own view. The JupyterLab is one of its own, on loopback.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from playwright.sync_api import Page, sync_playwright
from support.jupyter_lab import CHROMIUM, Lab, running_lab, stop_kernels

ROWS = 10_000
RUNS = 7

SETUP = f"""
import numpy as np
import pandas as pd
import cenports_nb as cn
from IPython.display import HTML, display
client = cn.connect("sandbox")
many = np.arange({ROWS})
actual = cn.schemas.ActualStock.example(rows=1).iloc[np.zeros({ROWS}, dtype=int)].reset_index(drop=True)
actual["product_sku"] = pd.Series([f"SKU-{{i:05}}" for i in many], dtype="str")
counts = actual[["warehouse_code", "product_sku"]].assign(quantity=actual["quantity"] + many % 7 + 1)
updates = cn.build_true_up(counts, actual)
orders = cn.schemas.Orders.example(rows=1).iloc[np.zeros({ROWS}, dtype=int)].reset_index(drop=True)
orders["order_no"] = pd.Series([f"{{100_000 + i}}" for i in many], dtype="str")
line_items = cn.schemas.LineItems.example(rows=1).iloc[np.zeros({3 * ROWS}, dtype=int)].reset_index(drop=True)
line_items["order_no"] = orders["order_no"].repeat(3).array
line_items["product_sku"] = pd.Series([f"SKU-{{i % 4999:05}}" for i in range({3 * ROWS})], dtype="str")
line_items["channel_id"] = orders["channel_id"].iloc[0]
small = cn.load_actual_stock(client)
counted = small.head(40)[["warehouse_code", "product_sku"]].assign(quantity=small["quantity"].head(40) + 1)
submission = cn.submit_updates(client, cn.build_true_up(counted, small), allow=["discontinued"], progress=False)
submission = submission.wait(progress=False)
plain = pd.DataFrame(updates)
plain.attrs = {{}}
"""


@dataclass(frozen=True)
class Case:
    """One thing to show.

    Attributes:
        name: What it is.
        cell: The code of its cell.
        row: What is on the page once its first row is.
        search: What is searched, and what the page says then; none where there is no search.
    """

    name: str
    cell: str
    row: str
    search: tuple[str, str] | None = None


GRID = ".cn-grid .cn-body [role=row]"
CASES = (
    Case("pandas, its own view: 60 rows", "plain", ".jp-OutputArea td"),
    Case("pandas, all rows as HTML", "HTML(plain.to_html())", ".jp-OutputArea td"),
    Case("StockReview, all rows", "cn.StockReview(client, updates)", GRID, ("sku-00042", "1 of 10,000 rows shown")),
    Case("OrderExplorer, all orders", "cn.OrderExplorer(orders, line_items)", GRID, ("sku-00042", "6 of 10,000")),
    Case("TransactionTracker, 40 rows sent", "cn.TransactionTracker(submission)", ".cn-tracker td"),
)

SHOWN_MS = """
async selector => {
  const shown = () => document.querySelector(selector), next = () => new Promise(requestAnimationFrame);
  await window.jupyterapp.commands.execute("notebook:clear-all-cell-outputs");
  while (shown()) await next();
  const begin = performance.now();
  void window.jupyterapp.commands.execute("notebook:run-cell");
  while (!shown()) await next();
  await next();
  return performance.now() - begin;
}
"""
FOUND_MS = """
async ([text, reported]) => {
  const grid = document.querySelector(".cn-grid"), search = grid.querySelector("input[type=search]");
  const next = () => new Promise(requestAnimationFrame);
  const begin = performance.now();
  search.value = text;
  search.dispatchEvent(new Event("input", {bubbles: true}));
  while (!grid.querySelector("[role=status]").textContent.includes(reported)) await next();
  await next();
  return performance.now() - begin;
}
"""


def measured(lab: Lab, page: Page, case: Case) -> tuple[float, float | None, int]:
    """Show a case several times; return medians of milliseconds, and the size of the saved notebook."""
    lab.write("case.ipynb", SETUP, case.cell)
    page.goto(f"{lab.url}/lab/workspaces/{abs(hash(case.name))}/tree/case.ipynb?token={lab.token}")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    page.locator(".jp-InputPrompt", has_text="[1]:").wait_for(timeout=120_000)
    shown, found = [], []
    for _ in range(RUNS + 1):
        shown.append(page.evaluate(SHOWN_MS, case.row))
        if case.search:
            found.append(page.evaluate(FOUND_MS, list(case.search)))
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    size = (lab.folder / "case.ipynb").stat().st_size
    stop_kernels(lab)
    # The first one also loads what the page and the kernel have not loaded yet: a person pays it once.
    return statistics.median(shown[1:]), statistics.median(found[1:]) if found else None, size


def main() -> int:
    if CHROMIUM is None:
        print("There is no Chromium on this machine: install it (Debian: chromium).")
        return 1
    print(f"{'':<34} {'first row':>10} {'ratio':>6} {'a search':>10} {'saved':>10}")
    base = None
    with (
        tempfile.TemporaryDirectory() as home,
        running_lab(Path(home)) as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
        for case in CASES:
            shown, found, size = measured(lab, page, case)
            base = base or shown
            sought = "–" if found is None else f"{found:.0f} ms"
            print(
                f"{case.name:<34} {shown:>7.0f} ms {shown / base:>6.1f} {sought:>10} {size / 1024:>6.0f} KiB",
                flush=True,
            )
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
