"""The terminal: output, and confirmation before anything is sent."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer

from cenports_nb.errors import CenportsWarning, InvalidRequestError
from cenports_nb.rendering.text import format_count, make_printable


def print_status(text: str) -> None:
    """Print one line on stderr, made safe for a terminal."""
    typer.echo(f"cenports-nb: {make_printable(' '.join(text.split()))}", err=True)


def stop_command(text: str, code: int) -> NoReturn:
    """Print a reason on stderr, and end with an exit code."""
    print_status(text)
    raise typer.Exit(code)


def print_text(text: str) -> None:
    """Print lines on stdout."""
    typer.echo("\n".join(make_printable(line) for line in text.splitlines()))


@contextmanager
def format_warnings() -> Iterator[None]:
    """Print warnings of this package like its errors; leave others to Python."""
    show_warning = warnings.showwarning

    def print_warning(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if issubclass(category, CenportsWarning):
            print_status(str(message))
        else:
            show_warning(message, category, *rest, **more)

    with warnings.catch_warnings():
        warnings.simplefilter("always", CenportsWarning)  # whatever the environment's filters are
        warnings.showwarning = print_warning
        yield


def is_interactive() -> bool:
    """Return whether there is a terminal to ask on."""
    return sys.stdin is not None and sys.stdin.isatty()


def check_can_confirm(*, yes: bool) -> None:
    """Check that somebody can confirm, before any request is sent.

    Raises:
        InvalidRequestError: There is neither a terminal nor --yes.
    """
    if not yes and not is_interactive():
        raise InvalidRequestError(
            "Nothing was sent: there is no terminal to confirm on. Look at it with --dry-run, then send it with --yes."
        )


def confirm(rows: int, account: str, *, yes: bool, at_most: bool = False) -> None:
    """Let a person type the number of rows, which nobody types by habit; anything else ends the command.

    Args:
        rows: The maximum number of rows to be sent.
        account: The account.
        yes: Confirmed on the command line.
        at_most: Fewer rows may be sent.
    """
    if yes:
        return
    check_can_confirm(yes=yes)
    typed = typer.prompt(
        f"Type {rows} to send {'up to ' if at_most else ''}{format_count(rows, 'row')} to {account}, "
        "anything else to stop",
        default="",
        show_default=False,
        err=True,
    )
    if typed.strip() != str(rows):
        stop_command("Stopped: nothing was sent.", 1)
