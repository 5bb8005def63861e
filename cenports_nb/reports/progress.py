"""Progress: the cells of a report, each with the section that it is in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cenports_nb.reports.catalogue import find_heading

INJECTED_TAG = "injected-parameters"


@dataclass(frozen=True)
class CellProgress:
    """A cell that begins or ends.

    Attributes:
        number: Which code cell, from 1; the one with the given parameters is not counted.
        cells: How many there are.
        section: The heading above it.
        seconds: How long it took; None when it begins.
    """

    number: int
    cells: int
    section: str
    seconds: float | None = None


ProgressCallback = Callable[[CellProgress], None]


def list_code_cells(notebook: Any) -> dict[int, CellProgress]:
    """Find the code cells of a notebook by their place in it."""
    found: dict[int, tuple[int, str]] = {}
    section = ""
    for index, cell in enumerate(notebook.cells):
        section = find_heading(cell) or section
        if cell.cell_type == "code" and cell.source.strip() and INJECTED_TAG not in cell.metadata.get("tags", []):
            found[index] = len(found) + 1, section
    return {index: CellProgress(number, len(found), section) for index, (number, section) in found.items()}
