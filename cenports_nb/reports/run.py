"""A run: report and parameters -> executed notebook, page and files, published together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cenports_nb.errors import InvalidRequestError
from cenports_nb.notebook.report_page.attachments import PAGE_VARIABLE, RUN_FOLDER_VARIABLE
from cenports_nb.reports.catalogue import Report, find_report, read_notebook
from cenports_nb.reports.failure import Failure, ReportError, mark_failure
from cenports_nb.reports.html_page import render_page
from cenports_nb.reports.kernel import INJECTED_TAG, KERNEL_DIED, ProgressCallback, execute_notebook
from cenports_nb.reports.parameters import OUT_PARAMETER, check_parameters
from cenports_nb.reports.result import ReportRun, read_counts, read_headline, read_result
from cenports_nb.reports.run_folder import RunFolder, publish_run, reserve_run_folder
from cenports_nb.reports.secret_detection import redact_secret

PAGE_SUFFIX = ".html"


def run_report(
    name: str | Path,
    parameters: Mapping[str, Any] | None = None,
    *,
    out: str | Path = "report",
    page: bool = False,
    code: bool = False,
    progress: ProgressCallback | None = None,
) -> ReportRun:
    """Run a report in its own kernel; write the executed notebook, its files and, if asked for, a page.

    Everything is published at the end: a run that dies leaves the previous report unchanged. If a cell fails, the
    incomplete notebook and page replace the previous ones, with a notice at the top.

    Args:
        name: The name of a report, such as `"stock-reconciliation"`, or the path of your own notebook.
        parameters: Values that replace the notebook's defaults; text is converted to the default's type.
        out: The folder; created if missing.
        page: Also write one self-contained HTML page.
        code: Show the code on the page.
        progress: Called with a `CellProgress` when a cell begins and when it ends.

    Raises:
        InvalidRequestError: There is no such report or parameter, or `out` is a file; nothing was run.
        ReportError: A cell failed; `.notebook` is the notebook so far.

    Example:
        >>> run = cn.run_report("morning", {"environment": "sandbox"}, page=True)
        >>> run.notebook.name, run.page.name
        ('morning.ipynb', 'morning.html')
    """
    report = find_report(name)
    values = check_parameters(report, parameters or {})
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise InvalidRequestError(f"{str(folder)!r} is a file: name a folder for the report.")
    with reserve_run_folder(folder, report.name) as run_folder:
        notebook = _prepare_notebook(report, values, folder)
        running = {RUN_FOLDER_VARIABLE: f"{report.name}/{run_folder.run}", PAGE_VARIABLE: "1" if page or code else ""}
        failure = execute_notebook(notebook, running, progress or (lambda _: None))
        result = read_counts(notebook)
        if failure:
            mark_failure(notebook, failure)
        texts = _render_files(notebook, report, run_folder, page=page or code, code=code, stopped=failure is not None)
        files = publish_run(run_folder, texts, keep=report.keeps_runs, stopped=failure is not None)
    notebook_path = folder / f"{report.name}.ipynb"
    page_path = folder / f"{report.name}{PAGE_SUFFIX}" if PAGE_SUFFIX in texts else None
    if failure:
        raise _build_error(report, failure, notebook_path, page_path, _count_in_doubt(result, failure, values))
    headline, origin = read_headline(notebook), read_result(notebook)
    return ReportRun(
        notebook_path,
        page_path,
        result,
        files,
        account=str(origin.get("account", "")),
        missing_accounts=tuple(origin.get("missing_accounts", ())),
        headline=headline["numbers"],
        needs_action=tuple(headline["bad"]),
    )


def _prepare_notebook(report: Report, values: Mapping[str, Any], folder: Path) -> Any:
    """Read a report's notebook, and insert a cell with the given parameters below its own, as papermill does."""
    import nbformat  # noqa: PLC0415 - takes a moment, and only a run needs it

    notebook = read_notebook(report.path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    given = {**values, OUT_PARAMETER: str(folder)} if OUT_PARAMETER in report.parameters else dict(values)
    if given:
        source = "\n".join(["# Parameters of this run", *(f"{name} = {value!r}" for name, value in given.items())])
        injected = nbformat.v4.new_code_cell(source, metadata={"tags": [INJECTED_TAG]})
        own = next(index for index, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
        notebook.cells.insert(own + 1, injected)
    return notebook


def _render_files(
    notebook: Any, report: Report, run_folder: RunFolder, *, page: bool, code: bool, stopped: bool
) -> dict[str, str]:
    """Render the notebook and the page as text, without secrets."""
    import nbformat  # noqa: PLC0415

    texts = {".ipynb": redact_secret(nbformat.writes(notebook))}
    if page:
        texts[PAGE_SUFFIX] = redact_secret(
            render_page(notebook, report.title, run=run_folder.run, code=code, stopped=stopped)
        )
    return texts


def _count_in_doubt(result: Mapping[str, int], failure: Failure, values: Mapping[str, Any]) -> int:
    """Count rows with unknown outcome; a kernel that died and may have sent rows counts as one."""
    known = result.get("in_doubt", 0)
    return max(known, 1) if failure.cause == KERNEL_DIED and values.get("submit") is True else known


def _build_error(report: Report, failure: Failure, notebook: Path, page: Path | None, in_doubt: int) -> ReportError:
    doubt = " Rows that were sent may be in doubt: see `cenports-nb submissions list --open`." if in_doubt else ""
    return ReportError(
        f"Report {report.name} stopped in {failure.location}: {failure.text.rstrip('.')} ({failure.cause}). "
        f"The notebook so far: {notebook}.{doubt}",
        cause=failure.cause,
        notebook=notebook,
        page=page,
        cell=failure.number,
        section=failure.section,
        in_doubt=in_doubt,
    )
