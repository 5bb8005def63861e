"""Reports as a scheduler runs them, notebooks of one's own, and what a page says."""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import nbformat
import pytest

from cenports_nb.cli import main
from support.command_line import Ran

HOSTILE = '<img src=x onerror="window.hacked=1">'


def build_environment(folder: Path, url: str = "", **more: str) -> dict[str, str]:
    """Give a command its own home and nothing of what is configured outside."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CENPORTS_")}
    environ |= {"CENPORTS_HOME": str(folder / "home"), "CENPORTS_RATE_LIMIT": "100000"}
    environ["MPLBACKEND"] = "agg"  # as servers often have it: the charts must be there all the same
    if url:
        environ["CENPORTS_BASE_URL"] = url
    return environ | more


def command(name: str | Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "cenports_nb", "report", str(name), "--out", "out", *arguments]


def run(folder: Path, name: str | Path, *arguments: str, url: str = "", environ: dict[str, str] | None = None) -> Ran:
    """Run a report by its command in a folder, in this process; its notebook runs in a kernel all the same."""
    wanted = environ or build_environment(folder, url)
    said, complained = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(complained):
        patch.chdir(folder)
        for variable in os.environ.keys() - wanted.keys():
            patch.delenv(variable)
        for variable, value in wanted.items():
            patch.setenv(variable, value)
        with pytest.raises(SystemExit) as ended:
            main(["report", str(name), "--out", "out", *arguments])
    return Ran(int(ended.value.code or 0), said.getvalue(), complained.getvalue())


def own_notebook(path: Path, *sources: str, parameters: str = "") -> Path:
    """Write a report of one's own: a title, parameters, and cells; a source that begins with # is text."""
    cells = [nbformat.v4.new_markdown_cell("# My report")]
    if parameters:
        cells.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    for source in sources:
        make = nbformat.v4.new_markdown_cell if source.startswith("#") else nbformat.v4.new_code_cell
        cells.append(make(source))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def cards(page: str) -> dict[str, str]:
    """Read the numbers at the top of a page."""
    found = re.findall(r"<b[^>]*>(?:[⚠✓] )?([^<]+)</b> <span[^>]*>([^<]+)</span>", page)
    return {name: number for number, name in found}


def links(page: str) -> list[str]:
    """List what a page links to."""
    return re.findall(r'href="([^"#]+)"', page)


def visible(folder: Path) -> dict[str, bytes]:
    """Read all that a person sees in a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


def read_examples() -> list[str]:
    """Read the Python of the page on reports: a shipped report, and the cell of a report of one's own."""
    page = (Path(__file__).parents[2] / "docs" / "guides" / "reports.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
