"""The result of a report: its files, its counts, and the exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cenports_nb.exit_codes import DONE, FAILED, IN_DOUBT, INCOMPLETE
from cenports_nb.notebook.report_page.attachments import HEADLINE_MIME_TYPE, RESULT_MIME_TYPE
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
        account: Whose data it shows.
        missing_accounts: Accounts that could not be loaded.
        headline: The first headline numbers of the page, as it shows them.
        needs_action: The names of the numbers that need action.
    """

    notebook: Path
    page: Path | None
    result: dict[str, int]
    files: tuple[Path, ...] = ()
    account: str = ""
    missing_accounts: tuple[str, ...] = ()
    headline: Mapping[str, str] = field(default_factory=dict)
    needs_action: tuple[str, ...] = ()

    @property
    def verdict(self) -> tuple[int, str]:
        """Return the exit code, and what is wrong; 0 if nothing."""
        counts = self.result
        if counts.get("in_doubt"):
            return IN_DOUBT, f"{format_count(counts['in_doubt'], 'row')} in doubt or still pending: see the report."
        if self.missing_accounts:
            names, one = ", ".join(self.missing_accounts), len(self.missing_accounts) == 1
            return (
                INCOMPLETE,
                f"Account{'' if one else 's'} {names} could not be loaded, and the report is without {'it' if one else 'them'}: see the report.",
            )
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
    found = _list_outputs(notebook, RESULT_MIME_TYPE)
    return found[-1] if found else {}


def read_headline(notebook: Any) -> dict[str, Any]:
    """Return the first headline numbers that a notebook has output, and the names of those that need action."""
    found = _list_outputs(notebook, HEADLINE_MIME_TYPE)
    return found[0] if found else {"numbers": {}, "bad": []}


def read_counts(notebook: Any) -> dict[str, int]:
    """Return the counts that the exit code depends on; empty if the notebook has none."""
    result = read_result(notebook)
    return {name: int(result[name]) for name in COUNT_KEYS if name in result}


def _list_outputs(notebook: Any, mime_type: str) -> list[dict[str, Any]]:
    """List the values of this type that a notebook has output."""
    outputs = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    return [dict(data[mime_type]) for data in outputs if mime_type in data]
