"""A submission on the terminal: followed to its end, told, and how to go on with it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import typer

from cenports_nb.cli.exit_codes import IN_DOUBT, code_of_outcomes
from cenports_nb.cli.terminal import say, show, stop
from cenports_nb.errors import InvalidRequestError
from cenports_nb.submissions.tracking.next_steps import NEXT

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.submissions.submission import Submission
    from cenports_nb.submissions.tracking.snapshot import Snapshot


@dataclass(frozen=True)
class Which:
    """How a person named an account, so that the next command can be told whole."""

    env: str | None = None
    profile: str | None = None

    def command(self, word: str, submission_id: str) -> str:
        """Write a command of the group `submissions`."""
        env = ("--env", self.env) if self.env else ()
        profile = ("--profile", self.profile) if self.profile else ()
        return shlex.join(["cenports-nb", "submissions", word, submission_id, *env, *profile])


def seconds_of(timeout: str) -> float:
    """Read a span of time before anything is sent that it might then not wait for.

    Raises:
        InvalidRequestError: It is none.
    """
    import pandas as pd  # noqa: PLC0415

    try:
        seconds = float(timeout) if timeout.strip().isdigit() else pd.Timedelta(timeout).total_seconds()
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise InvalidRequestError(f"--timeout {timeout!r} is no span of time: write it as 20min or in seconds.")
    return seconds


def account_of(client: Client) -> str:
    """Name the account as a person knows it."""
    return f"{client.settings.environment} (partner {client.settings.partner_id})"


@contextmanager
def interruptible() -> Iterator[None]:
    """Say where to go on when a person interrupts what may have left already; nothing of it is lost."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        notes = getattr(interrupt, "__notes__", None) or ["What was on its way is not lost."]
        stop(" ".join(["Stopped.", *notes, "`cenports-nb submissions list --open` shows it."]), IN_DOUBT)


def follow(submission: Submission, seconds: float, which: Which) -> None:
    """Wait until no row is pending, with a line whenever that changes something; an interrupt loses nothing."""
    from cenports_nb.submissions.tracking.status_table import text_of  # noqa: PLC0415

    told = ""

    def tell(seen: Snapshot) -> None:
        nonlocal told
        line = text_of([seen]).partition("\n")[0]
        if line != told and not seen.settled:
            told = line
            say(line)

    if not submission.settled:
        say("Waiting for Cenports, which takes up to 15 minutes; Ctrl-C loses nothing.")
    submission.watch(tell)
    try:
        submission.wait(seconds, progress=False)
    except KeyboardInterrupt:
        again = which.command("wait", submission.submission_id)
        stop(f"Stopped waiting, and nothing is lost: {again} goes on.", IN_DOUBT)
    finally:
        submission.unwatch(tell)


def finish(submissions: list[Submission], which: Which) -> NoReturn:
    """Tell what became of the rows and how to go on, and end with the exit code of the worst."""
    from cenports_nb.submissions.tracking.status_table import text_of  # noqa: PLC0415

    code = 0
    for submission in submissions:
        seen = submission.snapshot()
        show(text_of([seen]))
        code = max(code, code_of_outcomes(seen.outcomes))
        for outcome, (word, why) in NEXT.items():
            if seen.count(outcome):
                command = which.command(word, submission.submission_id)
                show(f"{seen.count(outcome):,} {outcome} ({why}):\n    {command}")
    raise typer.Exit(code)
