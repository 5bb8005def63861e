"""A report that stopped: where, why, and how its notebook shows it."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cenports_nb.errors import CenportsError
from cenports_nb.exit_codes import ERROR_CODES, FAILED, IN_DOUBT
from cenports_nb.rendering.note import NO_MATHJAX
from cenports_nb.rendering.text import truncate

FAILURE_TAG = "report-stopped"
"""The tag of the cells that report the failure."""
MESSAGE_MAX_LENGTH = 400
BOX_STYLE = "border-left:4px solid #bb5566;padding:6px 12px;background:rgba(187,85,102,.12)"


class ReportError(CenportsError):
    """A cell of a report failed; the notebook so far is kept.

    Attributes:
        cause: The name of the cell's error.
        notebook: The path of the incomplete notebook.
        page: The path of the incomplete page, if one was asked for.
        cell: The number of the code cell, from 1.
        section: The heading above it.
        in_doubt: Rows that were sent before, with unknown outcome.
    """

    def __init__(
        self,
        message: str,
        *,
        cause: str,
        notebook: Path,
        page: Path | None = None,
        cell: int = 0,
        section: str = "",
        in_doubt: int = 0,
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.notebook = notebook
        self.page = page
        self.cell = cell
        self.section = section
        self.in_doubt = in_doubt

    @property
    def exit_code(self) -> int:
        """The exit code of the cell's error; a parameter value that only a cell can check counts as wrong usage."""
        return IN_DOUBT if self.in_doubt else ERROR_CODES.get(self.cause, FAILED)


@dataclass(frozen=True)
class Failure:
    """Where a run stopped.

    Attributes:
        cell_index: The position of the cell in the notebook.
        number: The number of the code cell, from 1.
        cells: The number of code cells.
        section: The heading above the cell.
        cause: The name of the error.
        text: Its message, in one line.
    """

    cell_index: int
    number: int
    cells: int
    section: str
    cause: str
    text: str

    @property
    def location(self) -> str:
        """Name the cell for people."""
        section = f", section {self.section!r}" if self.section else ""
        return f"cell {self.number} of {self.cells}{section}"


def one_line(text: str) -> str:
    """Shorten an error's message to one line."""
    return truncate(" ".join(text.split()), MESSAGE_MAX_LENGTH)


def mark_failure(notebook: Any, failure: Failure) -> None:
    """Mark at the top of a notebook and at the failed cell that the report stopped there."""
    import nbformat  # noqa: PLC0415

    cause = f"{failure.cause}: {failure.text}"
    here = nbformat.v4.new_markdown_cell(_render_box(f"The report stopped here ({failure.location}).", cause))
    top = nbformat.v4.new_markdown_cell(
        _render_box(
            f"This report is incomplete: it stopped in {failure.location}.",
            f"{cause} — Below is everything up to that cell.",
        )
    )
    for cell in (here, top):
        cell.metadata["tags"] = [FAILURE_TAG]
    notebook.cells.insert(failure.cell_index, here)
    notebook.cells.insert(0, top)


def _render_box(title: str, text: str) -> str:
    """Render a box in markdown; nothing in its texts is markup or a formula."""
    safe = [html.escape(one_line(each)).replace("$", "&#36;").replace("\\", "&#92;") for each in (title, text)]
    return f'<div class="cn-stopped {NO_MATHJAX}" role="alert" style="{BOX_STYLE}"><strong>⚠ {safe[0]}</strong><br>{safe[1]}</div>'
