"""The shipped reports and reports of your own: their names, titles and parameters."""

from __future__ import annotations

import ast
import io
import json
import os
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.choices import suggest_choice

PACKAGE_FOLDER = Path(__file__).parents[1]
KEEP_RUNS_KEY = "keep_runs"
"""The key in a notebook's metadata, under `cenports_nb`, that keeps all runs."""


@dataclass(frozen=True)
class Report:
    """A report notebook.

    Attributes:
        name: The report's name, and the stem of its file names.
        title: Its first heading.
        path: The notebook.
        parameters: Names and default values.
        comments: The comment beside each parameter.
        keeps_runs: Keep every run in a folder of its own.
    """

    name: str
    title: str
    path: Path
    parameters: dict[str, Any]
    comments: dict[str, str] = field(default_factory=dict)
    keeps_runs: bool = False


def find_notebook_folder() -> Path:
    """Find the notebooks: inside the package if installed, beside it in a checkout."""
    shipped = PACKAGE_FOLDER / "_notebooks"
    return shipped if shipped.is_dir() else PACKAGE_FOLDER.parent / "notebooks"


def find_sample_count() -> Path:
    """Return the sample count that fits the sandbox's data."""
    return find_notebook_folder() / "reports" / "sample-count.csv"


def list_reports() -> dict[str, Report]:
    """List the reports of the package, by name."""
    found = sorted((find_notebook_folder() / "reports").glob("*.ipynb"))
    # Without nbformat, whose import may take seconds: the package's own notebooks need no conversion.
    return {path.stem: _describe(path, json.loads(path.read_bytes(), object_hook=_Node)) for path in found}


def find_report(name: str | Path) -> Report:
    """Find a report by its name, or your own report by its path.

    Raises:
        InvalidRequestError: There is none; the message suggests the closest name.
    """
    if not isinstance(name, str | Path):
        raise InvalidRequestError(
            f"{name!r} isn't the name of a report or the path of a notebook: pass one, such as 'morning'."
        )
    if isinstance(name, Path) or name.endswith(".ipynb") or "/" in name or os.sep in name:
        return read_report(Path(name))
    shipped = {path.stem: path for path in sorted((find_notebook_folder() / "reports").glob("*.ipynb"))}
    if name not in shipped:
        raise InvalidRequestError(
            f"There is no report {name!r}{suggest_choice([name], shipped) or '.'} Reports are {', '.join(shipped)}, "
            "or the path of a notebook of your own."
        )
    return read_report(shipped[name])


def read_report(path: Path) -> Report:
    """Read a report's title, parameters and their comments.

    Raises:
        InvalidRequestError: The file is missing, or isn't a Python notebook.
    """
    return _describe(path, read_notebook(path))


class _Node(dict[str, Any]):
    """A part of a notebook as nbformat returns it: keys are attributes, and a source is one text."""

    def __getattr__(self, name: str) -> Any:
        value = self[name]
        return "".join(value) if name == "source" else value


def _describe(path: Path, notebook: Any) -> Report:
    title = next((text for cell in notebook.cells if (text := find_heading(cell))), path.stem)
    source = next((cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])), "")
    try:
        parameters = _parse_defaults(source)
    except SyntaxError as error:
        raise InvalidRequestError(f"The parameter cell of {path} can't be read ({error.msg}): fix it.") from None
    keeps_runs = bool(notebook.metadata.get("cenports_nb", {}).get(KEEP_RUNS_KEY, False))
    return Report(path.stem, title, path, parameters, _parse_comments(source, parameters), keeps_runs)


def read_notebook(path: Path) -> Any:
    """Read a notebook.

    Raises:
        InvalidRequestError: The file is missing, or isn't a Python notebook.
    """
    import nbformat  # noqa: PLC0415 - takes a moment, and only reports need it

    try:
        notebook: Any = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise InvalidRequestError(f"There is no notebook {str(path)!r}: check the path.") from None
    except (OSError, ValueError, nbformat.ValidationError, nbformat.reader.NotJSONError, AttributeError) as error:
        raise InvalidRequestError(
            f"{path} can't be read as a notebook ({type(error).__name__}): save it again."
        ) from None
    language = notebook.metadata.get("kernelspec", {}).get("language", "python")
    if language != "python":
        raise InvalidRequestError(f"{path} is a notebook in {language!r}: a report is one in Python.")
    return notebook


def find_heading(cell: Any) -> str:
    """Return the last heading of a markdown cell, without its markup; empty if it has none."""
    if cell.cell_type != "markdown":
        return ""
    headings = [line.lstrip("# ").rstrip() for line in cell.source.splitlines() if line.startswith("#")]
    return headings[-1] if headings else ""


def _parse_defaults(source: str) -> dict[str, Any]:
    """Read the names and defaults of a parameter cell; a default that is not a literal counts as None."""
    found: dict[str, Any] = {}
    for statement in ast.parse(source).body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        value = getattr(statement, "value", None)
        if isinstance(target, ast.Name) and value is not None:
            try:
                found[target.id] = ast.literal_eval(value)
            except ValueError:
                found[target.id] = None
    return found


def _parse_comments(source: str, parameters: Iterable[str]) -> dict[str, str]:
    """Read the comment beside each parameter."""
    known, about, name = set(parameters), {}, ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and token.start[1] == 0:
            name = token.string
        elif token.type == tokenize.COMMENT and name in known and token.start[1] > 0:
            about[name] = token.string.lstrip("# ")
    return about
