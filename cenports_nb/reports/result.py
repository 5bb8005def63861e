"""The result of a report: what it left behind, and the exit code it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cenports_nb import errors
from cenports_nb.errors import InvalidRequestError
from cenports_nb.reports.failure import ReportError

RESULT = "application/vnd.cenports-nb.result+json"
COUNT_KEYS = ("rejected", "incomplete", "in_doubt", "failed")
OF_CAUSE = {"IncompleteError": 3, "ConfigurationError": 2, "InvalidRequestError": 2}
"""A value that only a cell can judge, such as a month or a count file, is wrong usage too."""


@dataclass(frozen=True)
class ReportRun:
    """What a run left behind.

    Attributes:
        notebook: The executed notebook.
        page: The HTML page, if asked for.
        result: Counts of rejected records, incomplete frames, rows in doubt and failed rows.
        files: The data files.
    """

    notebook: Path
    page: Path | None
    result: dict[str, int]
    files: tuple[Path, ...] = ()

    @property
    def verdict(self) -> tuple[int, str]:
        """Tell the exit code, 0 if all is well, and what is not."""
        found = self.result
        if found.get("in_doubt"):
            return 4, f"{_many(found['in_doubt'], 'row')} in doubt or still pending: see the report."
        if found.get("incomplete"):
            return 3, "Data is incomplete: see the report."
        unread, failed = found.get("rejected", 0), found.get("failed", 0)
        said = [f"{_many(unread, 'record')} can't be read"] if unread else []
        said += [f"{_many(failed, 'row')} failed or held"] if failed else []
        if said:
            return 1, f"{', '.join(said)}: see the report."
        return 0, ""


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def read_result(notebook: Any) -> dict[str, Any]:
    """Read what a notebook said last of its own result."""
    for cell in reversed(notebook.cells):
        for output in reversed(cell.get("outputs", [])):
            if RESULT in output.get("data", {}):
                return dict(output["data"][RESULT])
    return {}


def read_counts(notebook: Any) -> dict[str, int]:
    """Read the counts that an exit code depends on; empty if the notebook says none."""
    result = read_result(notebook)
    return {name: int(result[name]) for name in COUNT_KEYS if name in result}


def exit_code_of(error: BaseException) -> int:
    """Choose the exit code that an error stands for: 2 wrong usage, 3 incomplete data, 4 in doubt, 1 all else."""
    if isinstance(error, ReportError):
        return 4 if error.in_doubt else OF_CAUSE.get(error.cause, 1)
    if isinstance(error, errors.IncompleteError):
        return 3
    if isinstance(error, errors.ConfigurationError):
        return 2
    return 2 if isinstance(error, InvalidRequestError) and error.status is None else 1
