"""The program: its table of commands, and how it ends."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
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
from cenports_nb.cli.options import ARGUMENT_OPTIONS
from cenports_nb.cli.terminal import format_warnings, print_status
from cenports_nb.errors import CenportsError
from cenports_nb.exit_codes import choose_error_code
from cenports_nb.rendering.surface import use_options

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

PROGRAM = "cenports-nb"

VALUE_NAMES = {"<str>": "TEXT", "<list[str]>": "TEXT", "<path>": "FILE", "<int>": "NUMBER", "<int range>": "NUMBER"}
"""What help shows for a value, instead of its Python type."""

PLAIN_WORDS = {
    "Value error, ": "",
    "Input should be a valid integer, unable to parse string as an integer": "it must be a whole number",
    "Input should be greater than or equal to": "it must be at least",
    "Input should be less than or equal to": "it must be at most",
}
"""What errors say, instead of the words of the validation library."""

INTERRUPTED_CODE = 130
"""The exit code by which Typer reports Ctrl-C."""

GROUPS: dict[str, tuple[str, dict[str, Callable[..., Any]]]] = {
    "submissions": (
        "Show what was submitted from this machine, and continue with it.",
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
        "The history of orders and stock, in a folder or a bucket.",
        {
            "show": archive.show_archive,
            "update": archive.update_archive,
            "sql": archive.query_archive,
            "forget": archive.forget_months,
        },
    ),
    "cache": (
        "Show or delete the cached answers of Cenports.",
        {"info": cache.show_cache, "clear": cache.clear_all_caches},
    ),
}


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"cenports-nb {__version__}")
        raise typer.Exit


def _take_global_options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; works anywhere on the line.")
    ] = False,
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


class _Command(TyperCommand):
    """A command whose help names values as people do."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _name_values(super().get_params(ctx), ctx)


class _Group(TyperGroup):
    """A group of such commands."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _name_values(super().get_params(ctx), ctx)


def _name_values(parameters: list[Any], context: Any) -> list[Any]:
    """Name the value of each option that has no name for it; Typer would write Python types."""
    for parameter in parameters:
        if isinstance(parameter, TyperOption) and parameter.metavar is None:
            parameter.metavar = "" if parameter.is_flag else VALUE_NAMES.get(str(parameter.display_type(context)))
    return parameters


def _build_app() -> typer.Typer:
    """Build the application with all commands."""
    program = typer.Typer(
        name="cenports-nb", cls=_Group, no_args_is_help=True, pretty_exceptions_enable=False,
        help="Cenports orders, shipments and stock: reports, exports, corrections, and a sandbox to try them on.",
    )  # fmt: skip
    program.callback()(_take_global_options)
    for name, command in COMMANDS.items():
        program.command(name, cls=_Command)(command)
    for name, (about, commands) in GROUPS.items():
        group = typer.Typer(cls=_Group, help=about, invoke_without_command=True)
        group.callback()(_run_by_default(next(iter(commands.values()))))
        for word, command in commands.items():
            group.command(word, cls=_Command)(command)
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
        with format_warnings(), use_options(ARGUMENT_OPTIONS):
            code = _get_command()(
                [*(text for text in ours if text != "--debug"), *given[len(ours) :]],
                prog_name=PROGRAM,
                standalone_mode=False,
            )
    except (CenportsError, TyperException, Abort, KeyboardInterrupt) as error:
        if "--debug" in ours:
            raise
        if line := _format_error(error, ours):
            print_status(line)
        sys.exit(choose_error_code(error))
    if code == INTERRUPTED_CODE:
        print_status("stopped.")
        sys.exit(choose_error_code(KeyboardInterrupt()))
    sys.exit(code if isinstance(code, int) else 0)


def _format_error(error: BaseException, given: Sequence[str]) -> str:
    """Say an error in one line."""
    if isinstance(error, TyperException):
        message = error.format_message().rstrip(".")
        for words, plain in PLAIN_WORDS.items():
            message = message.replace(words, plain)
        return f"{message}. See `{_find_command(error, given)} --help`." if message else ""  # "": help was shown
    return str(error) if isinstance(error, CenportsError) else "stopped."


def _find_command(error: TyperException, given: Sequence[str]) -> str:
    """Find the command that an error is about; Typer does not name it in every error."""
    context = getattr(error, "ctx", None)
    if context is not None:
        return str(context.command_path)
    words = [text for text in given if not text.startswith("-")][:2]
    if words and words[0] in COMMANDS:
        return f"{PROGRAM} {words[0]}"
    if len(words) == 2 and words[1] in GROUPS.get(words[0], ("", {}))[1]:
        return f"{PROGRAM} {words[0]} {words[1]}"
    return PROGRAM
