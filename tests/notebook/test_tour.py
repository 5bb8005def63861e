"""Test that the tour runs from top to bottom in a notebook runner."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from support.tour_runs import TOUR, complaints, copy_tour, trackers

from cenports_nb.reports import find_notebook_folder
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Sandbox

OWN = [name for name in TOUR if name != "5-follow.ipynb"]
"""Those that a person can turn to an account; the last one breaks things, and stays on the sandbox."""


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_on_an_own_account_one_line_is_changed_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each notebook runs with another environment that allows writing; they only read.

    test_tour_in_lab.py runs them on the sandbox. One kernel runs them all, each in an empty namespace.
    """
    folder = copy_tour(tmp_path)
    with Sandbox(rate_limit=None, orders=1_500, seed=3) as account:
        own = {
            "CENPORTS_BASE_URL": account.url, "CENPORTS_PARTNER_ID": PARTNER_ID, "CENPORTS_CLIENT_ID": CLIENT_ID,
            "CENPORTS_CLIENT_SECRET": CLIENT_SECRET, "CENPORTS_RATE_LIMIT": "100000",
        }  # fmt: skip
        for name, value in own.items():
            monkeypatch.setenv(name, value)
        sources = []
        for name in OWN:
            code = [cell for cell in nbformat.read(folder / name, as_version=4).cells if cell.cell_type == "code"]
            line, *others = [cell.source for cell in code]
            sources += ["%reset -f", line.replace('"sandbox"', '"staging"', 1), *others]
        joined = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        NotebookClient(joined, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
        calls = {f"{request.method} {request.path}" for request in account.requests}
    assert {call.split()[0] for call in calls} == {"GET", "POST"}
    assert [call for call in calls if call.startswith("POST")] == ["POST /authorize"]
    saved = folder / "joined.ipynb"
    nbformat.write(joined, saved)
    assert complaints(saved) == []
    (rehearsal,) = trackers(saved)
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
