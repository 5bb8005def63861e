"""The program: its table of commands, and how it ends."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.exceptions import Abort, TyperException
from typer.main import get_command

from cenports_nb import __version__
from cenports_nb.cli.commands import (
    archive,
    cache,
    doctor,
    hand_over,
    lab,
    load,
    login,
    report,
    sandbox,
    submissions,
    submit,
)
from cenports_nb.cli.terminal import format_warnings, print_status
from cenports_nb.errors import CenportsError
from cenports_nb.exit_codes import choose_error_code

COMMANDS: dict[str, Callable[..., Any]] = {
    "report": report.report,
    "reports": report.list_reports,
    "orders": load.orders,
    "line-items": load.line_items,
    "shipments": load.shipments,
    "stock": load.stock,
    "channels": load.channels,
    "export": load.export_all,
    "submit": submit.submit,
    "hand-over": hand_over.hand_over,
    "login": login.login,
    "logout": login.logout,
    "doctor": doctor.doctor,
    "sandbox": sandbox.sandbox,
    "lab": lab.lab,
}

INTERRUPTED_CODE = 130
"""The exit code by which Typer reports Ctrl-C."""

GROUPS: dict[str, tuple[str, dict[str, Callable[..., Any]]]] = {
    "submissions": (
        "Submissions of this machine: list, show and continue them.",
        {
            "list": submissions.list_submissions,
            "show": submissions.show_submission,
            "history": submissions.show_history,
            "wait": submissions.wait,
            "verify": submissions.verify,
            "retry": submissions.retry,
            "resume": submissions.resume,
            "resolve": submissions.resolve,
        },
    ),
    "archive": (
        "The history of orders and stock, kept on this machine.",
        {
            "show": archive.show_archive,
            "update": archive.update_archive,
            "sql": archive.query_archive,
            "forget": archive.forget_months,
        },
    ),
    "cache": (
        "The cache of Cenports' answers on this machine.",
        {"info": cache.show_cache, "clear": cache.clear_all_caches},
    ),
}


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"cenports-nb {__version__}")
        raise typer.Exit


def _take_global_options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; may be anywhere.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Accept the options before a command."""


def _run_by_default(first: Callable[..., Any]) -> Callable[[typer.Context], None]:
    """Let a group without a subcommand run its first command."""

    def run(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            first()

    return run


def _build_app() -> typer.Typer:
    """Build the application with all commands."""
    program = typer.Typer(
        name="cenports-nb", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
        help="Cenports orders, shipments and stock: reports, exports, corrections, and a sandbox to try them on.",
    )  # fmt: skip
    program.callback()(_take_global_options)
    for name, command in COMMANDS.items():
        program.command(name)(command)
    for name, (about, commands) in GROUPS.items():
        group = typer.Typer(help=about, invoke_without_command=True)
        group.callback()(_run_by_default(next(iter(commands.values()))))
        for word, command in commands.items():
            group.command(word)(command)
        program.add_typer(group, name=name)
    return program


app = _build_app()


@functools.cache
def _get_command() -> Callable[..., Any]:
    """Return the function that runs a command line; building it takes 20 ms, so it is built once per process."""
    return get_command(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; every expected error is one line on stderr and an exit code.

    The codes are 0 done, 1 failed (an error or rejected rows), 2 wrong usage, 3 incomplete data, 4 in doubt.

    Args:
        arguments: The arguments; by default those of the process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    ours = given[: given.index("--")] if "--" in given else given
    try:
        with format_warnings():
            code = _get_command()(
                [*(text for text in ours if text != "--debug"), *given[len(ours) :]], standalone_mode=False
            )
    except (CenportsError, TyperException, Abort, KeyboardInterrupt) as error:
        if "--debug" in ours:
            raise
        if line := _format_error(error):
            print_status(line)
        sys.exit(choose_error_code(error))
    if code == INTERRUPTED_CODE:
        print_status("stopped.")
        sys.exit(choose_error_code(KeyboardInterrupt()))
    sys.exit(code if isinstance(code, int) else 0)


def _format_error(error: BaseException) -> str:
    """Format an error in one line."""
    if isinstance(error, TyperException):
        message = error.format_message()  # empty where the help was shown instead
        return f"{message} (`cenports-nb --help` shows what there is)" if message else ""
    return str(error) if isinstance(error, CenportsError) else "stopped."
