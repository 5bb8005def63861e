"""The result of a report: its files, its counts, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cenports_nb.exit_codes import DONE, FAILED, IN_DOUBT, INCOMPLETE
from cenports_nb.notebook.report_page.attachments import RESULT_MIME_TYPE
from cenports_nb.rendering.text import format_count

COUNT_KEYS = ("rejected", "incomplete", "in_doubt", "failed")


@dataclass(frozen=True)
class ReportRun:
    """The result of a run.

    Attributes:
        notebook: The path of the executed notebook.
        page: The path of the HTML page, if asked for.
        result: Counts of rejected records, incomplete frames, rows in doubt and failed rows.
        files: The paths of the data files.
    """

    notebook: Path
    page: Path | None
    result: dict[str, int]
    files: tuple[Path, ...] = ()

    @property
    def verdict(self) -> tuple[int, str]:
        """Return the exit code, and what is wrong; 0 if nothing."""
        counts = self.result
        if counts.get("in_doubt"):
            return IN_DOUBT, f"{format_count(counts['in_doubt'], 'row')} in doubt or still pending: see the report."
        if counts.get("incomplete"):
            return INCOMPLETE, "Data is incomplete: see the report."
        rejected, failed = counts.get("rejected", 0), counts.get("failed", 0)
        complaints = [f"{format_count(rejected, 'record')} can't be read"] if rejected else []
        complaints += [f"{format_count(failed, 'row')} failed or held"] if failed else []
        if complaints:
            return FAILED, f"{', '.join(complaints)}: see the report."
        return DONE, ""


def read_result(notebook: Any) -> dict[str, Any]:
    """Return the last result that a notebook has output."""
    for cell in reversed(notebook.cells):
        for output in reversed(cell.get("outputs", [])):
            if RESULT_MIME_TYPE in output.get("data", {}):
                return dict(output["data"][RESULT_MIME_TYPE])
    return {}


def read_counts(notebook: Any) -> dict[str, int]:
    """Return the counts that the exit code depends on; empty if the notebook has none."""
    result = read_result(notebook)
    return {name: int(result[name]) for name in COUNT_KEYS if name in result}
