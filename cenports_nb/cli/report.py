"""Commands that run reports, and list them."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from cenports_nb.cli.options import Env, Profile
from cenports_nb.cli.pairs import pair
from cenports_nb.cli.terminal import stop


def report(
    name: Annotated[str, typer.Argument(help="Such as stock-reconciliation; `cenports-nb reports` lists them.")],
    env: Env = None,
    profile: Profile = None,
    parameters: Annotated[Optional[list[str]], typer.Option("-p", help="name=value; may repeat.")] = None,  # noqa: UP045
    out: Annotated[Path, typer.Option("--out", help="The folder.")] = Path("report"),
    html: Annotated[bool, typer.Option("--html", help="Also write one self-contained HTML page.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open what was written.")] = False,
) -> None:
    """Run a report notebook and write it, executed, into a folder."""
    from cenports_nb.reports import check_parameters, find_report, run_report  # noqa: PLC0415
    from cenports_nb.settings import resolve  # noqa: PLC0415

    given: dict[str, Any] = dict(pair("-p", text, "submit=true") for text in parameters or [])
    # Unlike a person who runs the notebook cell by cell, a command never falls back to the sandbox by itself.
    given.setdefault("environment", env)
    given.setdefault("profile", profile)
    check_parameters(find_report(name), given)
    resolve(given["environment"], profile=given["profile"])  # better now than in a cell
    typer.echo(f"Running {name} …", err=True)
    run = run_report(name, given, out=out, page=html)
    for path in filter(None, (run.notebook, run.page)):
        typer.echo(str(path))
    if open_:
        webbrowser.open((run.page or run.notebook).absolute().as_uri())
    if run.result.get("in_doubt"):
        stop(f"{run.result['in_doubt']} rows are in doubt or still pending: see the report.", 4)
    if run.result.get("incomplete"):
        stop("Data is incomplete: see the report.", 3)
    if run.result.get("rejected") or run.result.get("failed"):
        rejected, failed = run.result["rejected"], run.result["failed"]
        stop(f"{rejected} records can't be read, {failed} rows failed or are held: see the report.", 1)


def list_reports() -> None:
    """List the reports that ship in the package, with their parameters."""
    from cenports_nb.reports import reports  # noqa: PLC0415

    for item in reports().values():
        typer.echo(f"{item.name}: {item.title}")
        for key, default in item.parameters.items():
            typer.echo(f"    -p {key}={default!r}")
