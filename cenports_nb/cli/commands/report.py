"""Commands that run and list reports."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cenports_nb.cli.options import EnvironmentOption, ProfilesOption, parse_pairs
from cenports_nb.cli.terminal import print_status, stop_command
from cenports_nb.errors import CenportsError, InvalidRequestError
from cenports_nb.exit_codes import FAILED
from cenports_nb.rendering.text import make_printable
from cenports_nb.secret import Secret
from cenports_nb.settings import resolve_settings

if TYPE_CHECKING:
    from cenports_nb.reports import CellProgress, Report

LINE_LENGTH = 79


def report(
    name: Annotated[
        str,
        typer.Argument(help="A report, such as morning (`cenports-nb reports` lists them), or the path of a notebook."),
    ],
    env: EnvironmentOption = None,
    profile: ProfilesOption = None,
    parameters: Annotated[
        list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="Set a parameter; repeatable.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The folder to write to.")] = Path("report"),
    html: Annotated[bool, typer.Option("--html", help="Also write one self-contained HTML page.")] = False,
    code: Annotated[bool, typer.Option("--code", help="Write the HTML page with the code shown.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the result in a browser.")] = False,
    notify: Annotated[
        Secret | None,
        typer.Option(
            "--notify", metavar="URL", parser=Secret, help="Send the headline and the page to an apprise URL."
        ),
    ] = None,
    notify_on: Annotated[
        str | None,
        typer.Option("--notify-on", metavar="WHEN", help="When to send: always (the default), problems or change."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing unless something is wrong.")] = False,
) -> None:
    """Run a report notebook; write the executed notebook and the files of its tables into a folder."""
    from cenports_nb.reports import check_parameters, find_report, run_report  # noqa: PLC0415
    from cenports_nb.reports.notification import build_notifier  # noqa: PLC0415

    found = find_report(Path(name) if name.endswith(".ipynb") else name)
    given: dict[str, Any] = dict(parse_pairs("-p", parameters, "submit=true") or {})
    _add_accounts(found, given, env, profile or [])
    profiles = check_parameters(found, given).get("profiles") or [given.get("profile")]
    notifier = build_notifier(found, given, notify, notify_on)
    try:
        if "environment" in found.parameters:
            for each in profiles:
                resolve_settings(given["environment"], profile=each)  # fail now rather than in a cell
        with _Progress(found.name, quiet=quiet) as progress:
            page = html or notifier is not None
            run = run_report(found.path, given, out=out, page=page, code=code, progress=progress)
    except CenportsError as error:
        if notifier:
            _try_to_notify(partial(notifier.notify_failure, error))
        raise
    if not quiet:
        for path in filter(None, (run.notebook, run.page, *run.files)):
            typer.echo(make_printable(str(path)))
    if open_:
        webbrowser.open((run.page or run.notebook).absolute().as_uri())
    is_sent = not notifier or _try_to_notify(partial(notifier.notify_run, run))
    exit_code, complaint = run.verdict
    if exit_code:
        stop_command(complaint, exit_code)
    if not is_sent:
        raise typer.Exit(FAILED)


def _try_to_notify(notify: Callable[[], object]) -> bool:
    """Send a notification; if it can't be sent, print why, and return False."""
    try:
        notify()
    except CenportsError as error:
        print_status(str(error))
        return False
    return True


def _add_accounts(found: Report, given: dict[str, Any], env: str | None, profiles: Sequence[str]) -> None:
    """Add the account, or the accounts, of a command to the parameters of its report.

    Raises:
        InvalidRequestError: An account is given twice, or there are several and the report takes one.
    """
    several = len(profiles) > 1
    if several and "profiles" not in found.parameters:
        raise InvalidRequestError(f"Report {found.name!r} takes one account: give --profile once.")
    if (several or given.get("profiles")) and (env or given.get("environment")):
        raise InvalidRequestError("Each profile has its own environment: give --env or several profiles, not both.")
    name, value = ("profiles", list(profiles)) if several else ("profile", next(iter(profiles), None))
    # A command never falls back to the sandbox by itself, as the notebook does for a person who runs its cells.
    for option, chosen in (("environment", env), (name, value)):
        if option in given and chosen is not None:
            raise InvalidRequestError(f"-p {option}={given[option]} and {chosen!r} are both given: give one of them.")
        if option in found.parameters or chosen is not None:
            given.setdefault(option, chosen)


def list_reports() -> None:
    """List the shipped reports with their parameters."""
    from cenports_nb.reports import list_reports as find_reports  # noqa: PLC0415

    for item in find_reports().values():
        typer.echo(f"{item.name}: {item.title}")
        for key, default in item.parameters.items():
            about = item.comments.get(key, "")
            typer.echo(f"    -p {key}={default!r}{f'  # {about}' if about else ''}")


class _Progress:
    """Prints the running cell to stderr: in a terminal on one line that is replaced, elsewhere a line per cell."""

    def __init__(self, name: str, *, quiet: bool) -> None:
        self._quiet = quiet or sys.stderr is None
        self._terminal = not self._quiet and sys.stderr.isatty()
        self._written = 0
        self._name = name

    def __enter__(self) -> _Progress:
        if not self._quiet and not self._terminal:
            typer.echo(f"Running {self._name} …", err=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._written:
            self._replace("")

    def __call__(self, cell: CellProgress) -> None:
        if self._quiet:
            return
        section = make_printable(cell.section)
        line = f"{self._name}: cell {cell.number} of {cell.cells}{f', {section}' if section else ''}"
        if self._terminal and cell.seconds is None:
            self._replace(line[:LINE_LENGTH])
        elif not self._terminal and cell.seconds is not None:
            typer.echo(f"  {line.partition(': ')[2]}: {cell.seconds:.1f} s", err=True)

    def _replace(self, line: str) -> None:
        typer.echo(f"\r{line.ljust(self._written)}{'' if line else chr(13)}", err=True, nl=False)
        self._written = len(line)
