"""Run a report notebook, check its result, write it where it is wanted."""

from __future__ import annotations

import ast
import difflib
import html
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cenports_nb import errors
from cenports_nb.errors import CenportsError, InvalidRequestError

HERE = Path(__file__).parent
RESULT = "application/vnd.cenports-nb.result+json"
SECRET_WORDS = ("secret", "token", "password")  # papermill writes parameters in clear, twice
KERNEL = "python3"

STYLE = """
body{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
 color:#222;background:#fff;max-width:940px;margin:28px auto;padding:0 22px;font-size:15px;line-height:1.5}
h1{font-size:27px;margin:0 0 2px}
h2{font-size:19px;margin:30px 0 6px;padding-top:10px;border-top:1px solid #ddd}
p{margin:6px 0}img{max-width:100%;height:auto}code{font-size:13px}
pre{white-space:pre-wrap;font-size:13px;margin:4px 0}
.anchor-link,.jp-InputPrompt,.jp-OutputPrompt{display:none}
@page{margin:16mm}
@media print{body{margin:0;max-width:none;font-size:11pt}h2{break-after:avoid}
 table,img,.cn-cards{break-inside:avoid}}
"""


class ReportError(CenportsError):
    """A cell of a report failed; the notebook so far is kept.

    Attributes:
        cause: Name of the error in the cell.
        notebook: Where the partly run notebook is.
    """

    def __init__(self, message: str, *, cause: str, notebook: Path) -> None:
        super().__init__(message)
        self.cause = cause
        self.notebook = notebook


@dataclass(frozen=True)
class Report:
    """A report that ships: its notebook, what it is about, and its parameters with their defaults."""

    name: str
    title: str
    path: Path
    parameters: dict[str, Any]


@dataclass(frozen=True)
class ReportRun:
    """What a run left behind.

    Attributes:
        notebook: The executed notebook.
        page: The HTML page, if asked for.
        result: Counts of rejected records, incomplete frames, rows in doubt and failed rows.
    """

    notebook: Path
    page: Path | None
    result: dict[str, int]


def notebook_folder() -> Path:
    """Find the notebooks: inside the package when installed, beside it in a checkout."""
    shipped = HERE / "_notebooks"
    return shipped if shipped.is_dir() else HERE.parent / "notebooks"


def sample_count() -> Path:
    """Return the sample count that fits the sandbox's own data."""
    return notebook_folder() / "reports" / "sample-count.csv"


def reports() -> dict[str, Report]:
    """List the reports that ship in the package, by name."""
    found = sorted((notebook_folder() / "reports").glob("*.ipynb"))
    return {path.stem: _open(path) for path in found}


def find_report(name: str) -> Report:
    """Find a report by its name.

    Raises:
        InvalidRequestError: There is none; the nearest name is told.
    """
    known = reports()
    if name not in known:
        raise InvalidRequestError(f"There is no report {name!r}{_nearest(name, known)}; reports: {', '.join(known)}.")
    return known[name]


def run_report(
    name: str, parameters: Mapping[str, Any] | None = None, *, out: str | Path = "report", page: bool = False
) -> ReportRun:
    """Run a report in a kernel of its own, and write the executed notebook, and an HTML page if asked for.

    Args:
        name: Such as `"stock-reconciliation"`.
        parameters: Instead of the notebook's defaults; texts are read as the default's type.
        out: The folder; made if it is not there.
        page: Also write one self-contained HTML page.

    Raises:
        InvalidRequestError: No such report or parameter; nothing was run.
        ReportError: A cell failed; `.notebook` is the notebook so far.
    """
    import papermill  # noqa: PLC0415 - slow to import, and only a run needs it
    from papermill.exceptions import PapermillExecutionError  # noqa: PLC0415

    report = find_report(name)
    values = check_parameters(report, parameters or {})
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.ipynb"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".running-") as running:
        partial = Path(running) / target.name
        try:
            papermill.execute_notebook(
                report.path, partial, parameters=values, kernel_name=KERNEL, cwd=Path.cwd(),
                progress_bar=False, log_output=False,
                extra_arguments=["--IPKernelApp.log_level=40"],
            )  # fmt: skip
        except PapermillExecutionError as failed:
            partial.replace(target)
            raise ReportError(
                f"{failed.evalue} ({failed.ename} in report {name}; the notebook so far: {target})",
                cause=str(failed.ename),
                notebook=target,
            ) from None
        partial.replace(target)
    result = _result_of(target)
    return ReportRun(target, write_page(target) if page else None, result)


def check_parameters(report: Report, given: Mapping[str, Any]) -> dict[str, Any]:
    """Read given parameters as the types of the notebook's defaults.

    Raises:
        InvalidRequestError: One the notebook doesn't have, one that looks like a secret, one of a wrong type.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        if any(word in name.lower() for word in SECRET_WORDS):
            raise InvalidRequestError(
                f"{name!r} looks like a secret, and parameters are written into the notebook: "
                "use the environment or a profile."
            )
        if name not in report.parameters:
            raise InvalidRequestError(
                f"Report {report.name!r} has no parameter {name!r}{_nearest(name, report.parameters)}; "
                f"it has {', '.join(report.parameters)}."
            )
        values[name] = _typed(name, value, report.parameters[name])
    return values


def write_page(notebook: Path) -> Path:
    """Write an executed notebook as one HTML page: no network, no scripts, code hidden."""
    import nbformat  # noqa: PLC0415
    from nbconvert import HTMLExporter  # noqa: PLC0415

    exporter = HTMLExporter(
        template_name="basic", exclude_input=True, exclude_input_prompt=True, exclude_output_prompt=True
    )
    executed = nbformat.read(notebook, as_version=4)
    executed.metadata.pop("widgets", None)  # a page without scripts has no use for their state
    body, _ = exporter.from_notebook_node(executed)
    title = next(
        (cell.source.splitlines()[0].lstrip("# ") for cell in executed.cells if cell.cell_type == "markdown"),
        "",
    )
    text = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        'style-src \'unsafe-inline\'"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )
    target = notebook.with_suffix(".html")
    partial = target.with_name(f".{target.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(target)
    return target


def exit_code_of(error: BaseException) -> int:
    """Choose the exit code that an error stands for: 2 wrong usage, 3 incomplete data, 1 all else."""
    if isinstance(error, ReportError):
        return {"IncompleteError": 3, "ConfigurationError": 2}.get(error.cause, 1)
    if isinstance(error, errors.IncompleteError):
        return 3
    if isinstance(error, errors.ConfigurationError):
        return 2
    return 2 if isinstance(error, InvalidRequestError) and error.status is None else 1


def _open(path: Path) -> Report:
    """Read a report's title and its parameter cell."""
    import nbformat  # noqa: PLC0415

    notebook = nbformat.read(path, as_version=4)
    title = next(cell.source.splitlines()[0].lstrip("# ") for cell in notebook.cells if cell.cell_type == "markdown")
    source = next(cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    parameters = {
        statement.targets[0].id: ast.literal_eval(statement.value)
        for statement in ast.parse(source).body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }
    return Report(path.stem, title, path, parameters)


def _typed(name: str, value: Any, default: Any) -> Any:
    """Read a text as the type of the default; what has no type of its own stays text."""
    if not isinstance(value, str) or isinstance(default, str):
        return value
    try:
        if isinstance(default, bool):
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[value.lower()]
        if isinstance(default, int | float):
            return type(default)(value)
    except (KeyError, ValueError):
        kind = "true or false" if isinstance(default, bool) else "a number"
        raise InvalidRequestError(f"Parameter {name!r} is {value!r}: it must be {kind}, such as {default!r}.") from None
    if isinstance(default, list):
        return [part.strip() for part in value.split(",") if part.strip()]
    return None if default is None and value == "" else value


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _result_of(notebook: Path) -> dict[str, int]:
    """Read what the report left in its last cells for its exit code."""
    import nbformat  # noqa: PLC0415

    for cell in reversed(nbformat.read(notebook, as_version=4).cells):
        for output in cell.get("outputs", []):
            if RESULT in output.get("data", {}):
                return dict(output["data"][RESULT])
    return {}
