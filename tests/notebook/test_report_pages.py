"""Test report pages in a browser: hostile names are text, no network request, and a good printout."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader
from support.report_runs import HOSTILE, own_notebook, run
from support.report_shops import hostile_shop, line, order

from cenports_nb.reports import run_report
from cenports_nb.sandbox import Sandbox

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("report pages")]

NAMES = ("stock-reconciliation", "morning", "month-end")
ROWS = 130
LONG = """
import pandas as pd
from cenports_nb.notebook import report_page
frame = pd.DataFrame({"product_sku": [f"SKU-{n:04}" for n in range(130)], "product_name": "A name of some length " * 4,
    "word": ["x" * 300, *["word"] * 129], "units": range(130), "price": 12345678.9})
columns = {"product_sku": "SKU", "product_name": "product", "word": "word", "units": "units", "price": "price (money)"}
report_page.table(frame, columns, limit=200, money=["price"])
"""
CHART = """
from matplotlib import pyplot
figure, ax = pyplot.subplots(figsize=(9, 4)); ax.set_title("Chart {0}", loc="left"); ax.plot([1, {0}])
report_page.chart(ax)
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run every report on a hostile shop, the month-end with a restatement, the reconciliation with a submission."""
    folder = tmp_path_factory.mktemp("hostile")
    month = f"{datetime.now(UTC).replace(day=1):%Y-%m}"
    counts = folder / "counts.csv"
    counts.write_text('warehouse_code,product_sku,quantity\nW,"' + HOSTILE.replace('"', '""') + '",20\nW,<b>x</b>,3\n')
    with Sandbox(data=hostile_shop(folder / "data"), shift=False, rate_limit=None, transaction_seconds=0.2) as sandbox:
        once = ["month-end", "--env", "sandbox", "-p", f"month={month}"]
        assert run(folder, *once, url=sandbox.url).returncode == 0
        sandbox.add_order(order(f"{HOSTILE}-new", f"{month}-01T12:00:00.000000Z", line(HOSTILE, 1, 0.5, HOSTILE)))
        commands = [
            [*once, "--html"],
            ["morning", "--env", "sandbox", "--html"],
            ["stock-reconciliation", "--env", "sandbox", "--html", "-p", "submit=true", "-p", "counts=counts.csv"],
        ]
        ran = [run(folder, *arguments, url=sandbox.url) for arguments in commands]
    assert [each.returncode for each in ran] == [0, 0, 1], [each.stderr for each in ran]  # the unknown SKU is held
    return folder / "out"


@dataclass(frozen=True)
class Opened:
    """An open page and its requests."""

    page: Page
    asked: list[str]


@pytest.fixture(scope="module")
def opened(browser: Browser) -> Iterator[Opened]:
    context = browser.new_context(offline=True, color_scheme="dark", viewport={"width": 1000, "height": 900})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield Opened(page, asked)
    context.close()


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_text(hostile: Path, opened: Opened, name: str) -> None:
    """Markup in order numbers, SKUs, products, channels and statuses is shown, not run; all text has contrast on white."""
    opened.asked.clear()
    opened.page.set_viewport_size({"width": 1000, "height": 900})
    opened.page.goto((hostile / f"{name}.html").as_uri(), wait_until="load")
    expect(opened.page.get_by_text(HOSTILE, exact=False).first).to_be_visible()
    assert opened.page.evaluate("window.hacked") is None
    assert opened.page.locator('img[src="x"]').count() == 0
    assert opened.page.locator("script, [onerror]").count() == 0
    assert [url for url in opened.asked if not url.startswith(("file:", "data:"))] == []
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert opened.page.locator("a").count() > 0
    for link in opened.page.locator("a").all():
        assert (hostile / str(link.get_attribute("href"))).is_file()
    assert opened.page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("name", [*NAMES, "long"])
def test_a_page_can_be_read_on_a_phone(hostile: Path, long_page: Path, opened: Opened, name: str) -> None:
    """Tables scroll in their own box, cards are not alone in a row, and charts are drawn for a narrow screen."""
    page = opened.page
    page.set_viewport_size({"width": 420, "height": 900})
    page.goto((long_page if name == "long" else hostile / f"{name}.html").as_uri(), wait_until="load")
    assert page.evaluate("document.documentElement.scrollWidth") == 420
    assert page.evaluate("[...document.querySelectorAll('.cn-table')].every(box => box.clientWidth <= 420)")
    tops = page.evaluate(
        "[...document.querySelectorAll('.cn-cards')].map(box => [...box.children].map(card => card.offsetTop))"
    )
    alone = [cards for cards in tops if len(cards) > 1 and cards.count(max(cards)) == 1]
    assert alone == []
    narrow = page.evaluate("[...document.querySelectorAll('picture img')].map(image => image.naturalWidth)")
    assert all(width < 600 for width in narrow)
    drawn = page.evaluate("[...document.querySelectorAll('.output_png img')].map(image => image.clientWidth)")
    assert drawn == [640] * (6 if name == "long" else 0)  # a chart that a notebook drew itself scrolls
    assert len(narrow) == {"stock-reconciliation": 4, "morning": 4, "month-end": 1, "long": 0}[name]
    page.set_viewport_size({"width": 1000, "height": 900})
    wide = "[...document.querySelectorAll('picture img')].every(image => image.currentSrc == image.src)"
    page.wait_for_function(wide)


def test_a_month_that_is_not_over_says_so(hostile: Path) -> None:
    """Its figures end today."""
    assert f"{datetime.now(UTC):%Y-%m} is not over" in (hostile / "month-end.html").read_text("utf-8")


CONTRAST = """
() => {
  const channel = (value) => { value /= 255; return value <= .03928 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4 };
  const light = (rgb) => .2126 * channel(rgb[0]) + .7152 * channel(rgb[1]) + .0722 * channel(rgb[2]);
  const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3]));
  const read = (text) => { const found = text.match(/[\\d.]+/g).map(Number); return found.length < 4 ? [...found, 1] : found };
  const poor = [];
  for (const element of document.querySelectorAll("main *")) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    const chain = []; for (let each = element; each; each = each.parentElement) chain.unshift(each);
    let below = [255, 255, 255], strength = 1;
    for (const each of chain) {
      const style = getComputedStyle(each); below = over(read(style.backgroundColor), below); strength *= style.opacity;
    }
    const ink = read(getComputedStyle(element).color); ink[3] *= strength;
    const [a, b] = [light(over(ink, below)), light(below)].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) poor.push(element.textContent.slice(0, 40));
  }
  return poor;
}
"""
"""Texts with a contrast of less than 4.5 to 1 against what is behind them."""


@pytest.fixture(scope="module")
def long_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a page with a table of several sheets, and charts among headings."""
    folder = tmp_path_factory.mktemp("long")
    charts = [text for n in range(6) for text in (f"## Section {n}\n\nSome words.", CHART.format(n))]
    path = own_notebook(folder / "long.ipynb", "## All rows", LONG, *charts)
    page = run_report(path, out=folder / "out", page=True).page
    assert page is not None
    return page


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_a_long_table_prints_whole(long_page: Path, opened: Opened, paper: str) -> None:
    """Each sheet has the head and a number, each row is on one sheet, and no heading ends a sheet."""
    opened.page.goto(long_page.as_uri(), wait_until="load")
    sheets = PdfReader(io.BytesIO(opened.page.pdf(format=paper))).pages
    texts = [" ".join(sheet.extract_text().split()) for sheet in sheets]
    rows = Counter(found for text in texts for found in re.findall(r"SKU-\d{4}", text))
    assert rows == Counter({f"SKU-{number:04}": 1 for number in range(ROWS)})
    with_rows = [text for text in texts if "SKU-" in text]
    assert len(with_rows) > 2
    assert [text[:90] for text in with_rows if "SKU product word units price" not in text] == []
    feet = [f"page {at} of {len(texts)}" in text and "My report · run 20" in text for at, text in enumerate(texts, 1)]
    assert all(feet)
    # A chart has no text: as many words as charts on each sheet means that none stands without the other.
    assert [text.count("Some words.") for text in texts] == [len(sheet.images) for sheet in sheets]
    assert sum(len(sheet.images) for sheet in sheets) == 6


@pytest.mark.parametrize("name", [*NAMES, "long"])
def test_nothing_is_wider_than_the_paper(hostile: Path, long_page: Path, opened: Opened, name: str) -> None:
    """Tables and charts fit A4 and Letter."""
    opened.page.goto((long_page if name == "long" else hostile / f"{name}.html").as_uri(), wait_until="load")
    opened.page.emulate_media(media="print")
    wide = "width => [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > width + 1)"
    for width_mm in (210, 215.9):
        width = int((width_mm - 28) / 25.4 * 96)
        opened.page.set_viewport_size({"width": width, "height": 900})
        assert opened.page.evaluate(f"({wide})({width}).map(e => e.outerHTML.slice(0, 80))") == []
        assert opened.page.evaluate("[...document.images].every(image => image.getBoundingClientRect().height < 850)")
    opened.page.emulate_media(media="null")  # or the next page would be printed as for a screen
