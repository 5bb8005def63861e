"""The tour in a copy of its own, and what a saved notebook of it must hold."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat

from cenports_nb.reports import find_notebook_folder

WIDGET = "application/vnd.jupyter.widget-view+json"
TOUR = tuple(path.name for path in sorted((find_notebook_folder() / "tour").glob("*.ipynb")))

ENDS = {
    "4-correct.ipynb": ["all 6 rows applied"],
    "5-follow.ipynb": ["all 3 rows applied"] * 3,
}
"""The last word of each tracker of a notebook on the sandbox."""

GRIDS = {"2-look.ipynb": "orders", "4-correct.ipynb": "max_drop"}
"""A word of the table that stands for the live grid of a notebook where no kernel is."""


def copy_tour(folder: Path) -> Path:
    """Copy the notebooks, as a person does who wants to try them."""
    return Path(shutil.copytree(find_notebook_folder() / "tour", folder / "tour"))


def list_outputs(notebook: Path) -> list[Any]:
    found = nbformat.read(notebook, as_version=4)
    return [output for cell in found.cells if cell.cell_type == "code" for output in cell.outputs]


def complaints(notebook: Path) -> list[str]:
    """Find errors, warnings, and whatever else went to stderr."""
    return [
        str(output.get("text") or output.get("evalue"))
        for output in list_outputs(notebook)
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def trackers(notebook: Path) -> list[str]:
    """Find the pages of the trackers."""
    pages = [output.data.get("text/html", "") for output in list_outputs(notebook) if "data" in output]
    return [page for page in pages if 'class="cn-tracker ' in page]


def check_ends(notebook: Path) -> None:
    """Make sure that every tracker of a notebook was saved in its final state, and that nothing is left of buttons."""
    ends = ENDS.get(notebook.name, [])
    assert [end in page for page, end in zip(trackers(notebook), ends, strict=True)] == [True] * len(ends)
    assert "pending" not in "".join(trackers(notebook))
    views = [output.data for output in list_outputs(notebook) if WIDGET in output.get("data", {})]
    assert {view["text/html"] for view in views} <= {"<span></span>"}  # of a live grid nothing is left but its table
    assert len(views) <= (notebook.name in GRIDS)
    pages = [output.data.get("text/html", "") for output in list_outputs(notebook) if "data" in output]
    assert [GRIDS[notebook.name] in page for page in pages if "cn-static-table" in page] == [True] * (
        notebook.name in GRIDS
    )
