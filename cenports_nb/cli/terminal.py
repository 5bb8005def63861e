"""The terminal: what is said there, and what a person must type before anything is sent."""

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
    """Write one line on stderr, whatever is in the text."""
    typer.echo(f"cenports-nb: {make_printable(' '.join(text.split()))}", err=True)


def stop_command(text: str, code: int) -> NoReturn:
    """Say why, and end with an exit code."""
    print_status(text)
    raise typer.Exit(code)


def print_text(text: str) -> None:
    """Write lines on stdout."""
    typer.echo("\n".join(make_printable(line) for line in text.splitlines()))


@contextmanager
def format_warnings() -> Iterator[None]:
    """Say this package's warnings as errors are said; others are shown as Python shows them."""
    show_warning = warnings.showwarning

    def print_warning(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if issubclass(category, CenportsWarning):
            print_status(str(message))
        else:
            show_warning(message, category, *rest, **more)

    with warnings.catch_warnings():
        warnings.simplefilter(
            "always", CenportsWarning
        )  # whatever the environment says: a command has said nothing yet
        warnings.showwarning = print_warning
        yield


def is_interactive() -> bool:
    """Tell whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def check_can_confirm(*, yes: bool) -> None:
    """Make sure that somebody can say yes, before anything is asked of Cenports.

    Raises:
        InvalidRequestError: There is neither a terminal nor --yes.
    """
    if not yes and not is_interactive():
        raise InvalidRequestError(
            "Nothing was sent: there is no terminal to confirm on. Look at it with --dry-run, then send it with --yes."
        )


def confirm(rows: int, account: str, *, yes: bool, at_most: bool = False) -> None:
    """Let a person type the number of rows, which nobody types by habit; anything else stops the command.

    Args:
        rows: How many may be sent.
        account: Where to.
        yes: Said on the command line already.
        at_most: It may be fewer rows.
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
