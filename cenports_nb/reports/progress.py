"""Progress: the cells of a report, each with the section that it is in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cenports_nb.reports.catalogue import heading_of

INJECTED = "injected-parameters"


@dataclass(frozen=True)
class Step:
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


Told = Callable[[Step], None]


def steps_of(notebook: Any) -> dict[int, Step]:
    """Find the code cells of a notebook by their place in it."""
    found: dict[int, tuple[int, str]] = {}
    section = ""
    for place, cell in enumerate(notebook.cells):
        section = heading_of(cell) or section
        if cell.cell_type == "code" and cell.source.strip() and INJECTED not in cell.metadata.get("tags", []):
            found[place] = len(found) + 1, section
    return {place: Step(number, len(found), section) for place, (number, section) in found.items()}
