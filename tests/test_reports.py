"""The stock reconciliation report, run as a scheduler runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import cenports_nb as cn
from cenports_nb.reports import check_parameters, find_report
from cenports_nb.sandbox import Sandbox


def run_report(folder: Path, *arguments: str, url: str = "") -> subprocess.CompletedProcess[str]:
    """Run the report by its command, without a terminal."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CENPORTS_")}
    environment |= {"CENPORTS_HOME": str(folder / "home"), "CENPORTS_RATE_LIMIT": "100000"}
    environment["MPLBACKEND"] = "agg"  # as servers often have it: the charts must be there all the same
    if url:
        environment["CENPORTS_BASE_URL"] = url
    return subprocess.run(
        [sys.executable, "-m", "cenports_nb", "report", "stock-reconciliation", "--env", "sandbox", "--out", "out",
         *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=180, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def submitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sandbox]:
    """One run with submit=true and a page, on a sandbox that the tests can look into."""
    folder = tmp_path_factory.mktemp("report")
    with Sandbox(rate_limit=None) as sandbox:
        ran = run_report(folder, "--html", "-p", "submit=true", url=sandbox.url)
        assert ran.returncode == 0, ran.stderr
        yield folder / "out", sandbox


def page_of(submitted: tuple[Path, Sandbox]) -> str:
    return (submitted[0] / "stock-reconciliation.html").read_text(encoding="utf-8")


def test_submitted_report_changes_the_stock(submitted: tuple[Path, Sandbox]) -> None:
    """What the sample count says is what the sandbox has afterwards."""
    with cn.connect("sandbox", base_url=submitted[1].url) as client:
        stock = cn.load_actual_stock(client).set_index("product_sku")["quantity"]
    assert (stock["0003"], stock["0064"], stock["0043"]) == (21, 150, 40)


def test_notebook_holds_the_final_table_of_the_tracker(submitted: tuple[Path, Sandbox]) -> None:
    """The saved notebook shows final states as HTML, and leaves no dead widget behind."""
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
    """The HTML page is one file: images inside, no address but its own text, no script."""
    page = page_of(submitted)
    assert re.findall(r"""(?:src|href)=["'](?!data:|#)""", page) == []
    assert "<script" not in page
    assert page.count("data:image/png;base64,") == 2


def test_page_tells_the_numbers_that_matter(submitted: tuple[Path, Sandbox]) -> None:
    """Units on the shelf, open units and oversold SKUs of the sample, as counted by hand."""
    cards = dict(re.findall(r"<b>(?:[⚠✓] )?([\d,]+)</b><span>([^<]+)</span>", page_of(submitted)))
    by_name = {
        name: number
        for number, name in re.findall(r"<b>(?:[⚠✓] )?([\d,]+)</b><span>([^<]+)</span>", page_of(submitted))
    }
    assert cards
    assert by_name["units on the shelf"] == "3,119"
    assert by_name["units ordered, not shipped"] == "1,198"
    assert by_name["SKUs oversold"] == "17"
    assert by_name["rows unexplained"] == "0"


def test_neither_page_nor_notebook_names_a_customer(submitted: tuple[Path, Sandbox]) -> None:
    """Whoever gets the report learns about stock, not about people."""
    with cn.connect("sandbox", base_url=submitted[1].url) as client:
        orders = cn.load_orders(client, last="700D")
    people = {*orders["customer_name"], *orders["contact_name"], *orders["ship_to_address1"].dropna()}
    told = page_of(submitted) + (submitted[0] / "stock-reconciliation.ipynb").read_text(encoding="utf-8")
    assert len(people) > 200
    assert [name for name in people if name in told] == []


def test_page_hides_code_and_tracebacks(submitted: tuple[Path, Sandbox]) -> None:
    """It reads like a report: no code, no traceback, nothing on stderr."""
    page = page_of(submitted)
    assert "load_actual_stock(" not in page
    assert "Traceback" not in page
    assert "stderr" not in page


def test_failing_cell_keeps_the_notebook_and_says_where(tmp_path: Path) -> None:
    """A count file that is not there: one line with the file and the notebook so far, exit code 1."""
    ran = run_report(tmp_path, "-p", "counts=nowhere.csv")
    assert ran.returncode == 1
    last = ran.stderr.splitlines()[-1]
    assert "There is no file 'nowhere.csv'" in last
    assert str(Path("out") / "stock-reconciliation.ipynb") in last
    assert (tmp_path / "out" / "stock-reconciliation.ipynb").exists()
    assert "Traceback" not in ran.stderr


def test_parameters_take_the_type_of_the_default() -> None:
    """`0012` stays text where the default is none, numbers and yes or no are read, lists are split."""
    report = find_report("stock-reconciliation")
    given = {"channel_id": "0012", "submit": "yes", "rows_shown": "7", "allow": "unknown_sku, other"}
    assert check_parameters(report, given) == {
        "channel_id": "0012", "submit": True, "rows_shown": 7, "allow": ["unknown_sku", "other"],
    }  # fmt: skip
