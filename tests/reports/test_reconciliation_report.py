"""Test the stock reconciliation report, run as by a scheduler."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from support.command_line import RunCommand
from support.report_runs import cards, links, run

import cenports_nb as cn
from cenports_nb.sandbox import Sandbox

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("reconciliation report")]


@pytest.fixture(scope="module")
def submitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sandbox]:
    """Run once with submit=true and a page, on a sandbox the tests can inspect."""
    folder = tmp_path_factory.mktemp("report")
    with Sandbox(rate_limit=None, transaction_seconds=0.2) as sandbox:
        ran = run(folder, "stock-reconciliation", "--env", "sandbox", "--html", "-p", "submit=true", url=sandbox.url)
        assert ran.returncode == 0, ran.stderr
        yield folder / "out", sandbox


def read_page(submitted: tuple[Path, Sandbox]) -> str:
    return (submitted[0] / "stock-reconciliation.html").read_text(encoding="utf-8")


def test_submitted_report_changes_the_stock(submitted: tuple[Path, Sandbox]) -> None:
    """Afterwards the sandbox's stock equals the sample count."""
    with cn.connect("sandbox", base_url=submitted[1].url) as client:
        stock = cn.load_actual_stock(client).set_index("product_sku")["quantity"]
    assert (stock["0003"], stock["0064"], stock["0043"]) == (21, 150, 40)


def test_notebook_holds_the_final_table_of_the_tracker(submitted: tuple[Path, Sandbox]) -> None:
    """The final states are HTML, without a widget."""
    notebook = nbformat.read(submitted[0] / "stock-reconciliation.ipynb", as_version=4)
    pages = [
        output.data.get("text/html", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    tables = [page for page in pages if "cn-tracker" in page]
    assert len(tables) == 1
    assert "COMPLETED" in tables[0]
    assert "pending" not in tables[0]
    shown = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert [data for data in shown if "application/vnd.jupyter.widget-view+json" in data] == []


def test_page_needs_no_network_and_runs_no_script(submitted: tuple[Path, Sandbox]) -> None:
    """The HTML page includes its images and has no script or address; linked files are beside it."""
    page = read_page(submitted)
    assert re.findall(r"""src=["'](?!data:)""", page) == []
    assert "<script" not in page
    assert page.count("data:image/png;base64,") == 2 * 4
    assert links(page)
    assert [link for link in links(page) if not (submitted[0] / link).is_file()] == []


def test_page_tells_the_numbers_that_matter(submitted: tuple[Path, Sandbox]) -> None:
    """Units in the warehouse, open units and oversold SKUs equal a count by hand."""
    by_name = cards(read_page(submitted))
    assert by_name["units in the warehouse"] == "3,119"
    assert by_name["units ordered, not shipped"] == "1,198"
    assert by_name["SKUs oversold"] == "17"
    assert by_name["rows unexplained"] == "0"


def test_each_table_has_a_file_with_all_rows(submitted: tuple[Path, Sandbox]) -> None:
    """The page has 15 of 17 rows, the file all 17, with leading zeros."""
    page = read_page(submitted)
    assert "15 of 17 rows; all in <a" in page
    (link,) = [link for link in links(page) if link.endswith("/oversold.csv")]
    rows = pd.read_csv(submitted[0] / link, dtype="str")
    assert len(rows) == 17
    assert "0064" in set(rows["product_sku"])


def test_neither_page_nor_notebook_names_a_customer(submitted: tuple[Path, Sandbox]) -> None:
    """The report is about stock."""
    with cn.connect("sandbox", base_url=submitted[1].url) as client:
        orders = cn.load_orders(client, last="700D")
    people = {*orders["customer_name"], *orders["contact_name"], *orders["ship_to_address1"].dropna()}
    reported = read_page(submitted) + (submitted[0] / "stock-reconciliation.ipynb").read_text(encoding="utf-8")
    assert len(people) > 200
    assert [name for name in people if name in reported] == []


def test_page_hides_code_and_tracebacks(submitted: tuple[Path, Sandbox]) -> None:
    """The page has no code and no traceback, and stderr is empty."""
    page = read_page(submitted)
    assert "load_actual_stock(" not in page
    assert "Traceback" not in page
    assert "stderr" not in page.partition("<main>")[2]


def test_a_missing_count_file_is_named_with_its_cell(run_here: RunCommand, tmp_path: Path) -> None:
    """One line names the file, the section and the notebook so far; exit code 2."""
    ran = run_here("stock-reconciliation", "--env", "sandbox", "-p", "counts=nowhere.csv")
    assert ran.returncode == 2
    last = ran.stderr.splitlines()[-1]
    assert "There is no file 'nowhere.csv'" in last
    assert "cell 11 of 13, section 'The correction'" in last
    assert str(Path("out") / "stock-reconciliation.ipynb") in last
    assert (tmp_path / "out" / "stock-reconciliation.ipynb").exists()
    assert "Traceback" not in ran.stderr
