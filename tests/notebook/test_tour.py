"""Test that the tour runs from top to bottom in notebook runners."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from support.tour_runs import TOUR, complaints, copy_tour, surroundings, trackers

from cenports_nb.reports import find_notebook_folder
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Sandbox

OWN = [name for name in TOUR if name != "5-follow.ipynb"]
"""Those that a person can turn to an account; the last one breaks things, and stays on the sandbox."""


RUN_ALL = """
import sys
from papermill import execute_notebook
for name in sys.argv[1:]:
    execute_notebook(name, name, parameters={"environment": "staging"}, progress_bar=False)
"""


@pytest.mark.kernel
def test_on_an_own_account_one_line_is_changed_and_nothing_is_written(tmp_path: Path) -> None:
    """Papermill runs each notebook with another environment that allows writing; they only read.

    test_tour_in_lab.py runs them on the sandbox.
    """
    folder = copy_tour(tmp_path)
    with Sandbox(rate_limit=None, orders=1_500, seed=3) as account:
        build_account = {
            "CENPORTS_BASE_URL": account.url, "CENPORTS_PARTNER_ID": PARTNER_ID, "CENPORTS_CLIENT_ID": CLIENT_ID,
            "CENPORTS_CLIENT_SECRET": CLIENT_SECRET, "CENPORTS_RATE_LIMIT": "100000",
        }  # fmt: skip
        ran = subprocess.run(
            [sys.executable, "-c", RUN_ALL, *OWN],
            cwd=folder, env=surroundings(tmp_path, **build_account), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        calls = {f"{request.method} {request.path}" for request in account.requests}
    assert {call.split()[0] for call in calls} == {"GET", "POST"}
    assert [call for call in calls if call.startswith("POST")] == ["POST /authorize"]
    for name in OWN:
        assert complaints(folder / name) == [], name
    (rehearsal,) = trackers(folder / "4-correct.ipynb")
    assert "DRY_RUN" in rehearsal


@pytest.mark.parametrize("name", TOUR)
def test_a_notebook_is_words_and_calls(name: str) -> None:
    """There are no definitions, no outputs, text near each cell, and a link to the next notebook."""
    notebook = nbformat.read(find_notebook_folder() / "tour" / name, as_version=4)
    kinds = "".join("m" if cell.cell_type == "markdown" else "c" for cell in notebook.cells)
    assert not re.search("c{4}", kinds)
    assert kinds.startswith("mc")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert not re.search(r"^\s*(def|class|lambda) ", cell.source, re.MULTILINE)
    words = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    following = [*TOUR][TOUR.index(name) + 1 :][:1]
    assert re.findall(r"\]\((\S+\.ipynb)\)", words) == following


@pytest.mark.parametrize("name", OWN)
def test_there_is_one_line_to_change(name: str) -> None:
    """It has a cell of its own at the top, and names the choices."""
    notebook = nbformat.read(find_notebook_folder() / "tour" / name, as_version=4)
    first, *others = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert first.source.startswith('environment = "sandbox"  # the only line to change')
    assert first.metadata.tags == ["parameters"]
    connects = [line for cell in others for line in cell.source.splitlines() if "connect(" in line]
    assert connects
    assert all("read_only=True" in line or 'read_only=environment != "sandbox"' in line for line in connects)
