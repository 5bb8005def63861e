"""Progress and result of a submission in the terminal, and the commands that continue it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import typer

from cenports_nb.cli.terminal import print_status, print_text, stop_command
from cenports_nb.errors import InvalidRequestError
from cenports_nb.exit_codes import IN_DOUBT, choose_outcome_code
from cenports_nb.submissions.tracking.summary import NEXT_STEPS

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.submissions.submission import Submission
    from cenports_nb.submissions.tracking.snapshot import Snapshot


@dataclass(frozen=True)
class AccountOptions:
    """The options that name an account, to be repeated in suggested commands."""

    env: str | None = None
    profile: str | None = None

    def command(self, action: str, submission_id: str) -> str:
        """Return a command of the group `submissions`."""
        env = ("--env", self.env) if self.env else ()
        profile = ("--profile", self.profile) if self.profile else ()
        return shlex.join(["cenports-nb", "submissions", action, submission_id, *env, *profile])


def parse_timeout(timeout: str) -> float:
    """Parse `--timeout` before anything is sent.

    Raises:
        InvalidRequestError: It isn't a duration.
    """
    import pandas as pd  # noqa: PLC0415

    try:
        seconds = float(timeout) if timeout.strip().isdigit() else pd.Timedelta(timeout).total_seconds()
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise InvalidRequestError(f"--timeout {timeout!r} isn't a duration: write it as 20min or in seconds.")
    return seconds


def describe_account(client: Client) -> str:
    """Name the account for people."""
    return f"{client.settings.environment} (partner {client.settings.partner_id})"


@contextmanager
def interruptible() -> Iterator[None]:
    """Say how to continue when a person interrupts a command that may have sent something; nothing is lost."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        notes = getattr(interrupt, "__notes__", None) or ["What was on its way is not lost."]
        stop_command(" ".join(["Stopped.", *notes, "`cenports-nb submissions list --open` shows it."]), IN_DOUBT)


def wait_with_progress(submission: Submission, seconds: float, account_options: AccountOptions) -> None:
    """Wait until no row is pending; print a line at each change. An interrupt loses nothing."""
    from cenports_nb.submissions.tracking.status_table import format_status  # noqa: PLC0415

    last_line = ""

    def report_change(snapshot: Snapshot) -> None:
        nonlocal last_line
        line = format_status([snapshot]).partition("\n")[0]
        if line != last_line and not snapshot.settled:
            last_line = line
            print_status(line)

    if not submission.settled:
        print_status("Waiting for Cenports, which takes up to 15 minutes; Ctrl-C loses nothing.")
    submission.watch(report_change)
    try:
        submission.wait(seconds, progress=False)
    except KeyboardInterrupt:
        command = account_options.command("wait", submission.submission_id)
        stop_command(f"Stopped waiting, and nothing is lost: {command} goes on.", IN_DOUBT)
    finally:
        submission.unwatch(report_change)


def finish_command(submissions: list[Submission], account_options: AccountOptions) -> NoReturn:
    """Print the outcomes and the next commands, and end with the exit code of the worst outcome."""
    from cenports_nb.submissions.tracking.status_table import format_status  # noqa: PLC0415

    code = 0
    for submission in submissions:
        snapshot = submission.snapshot()
        print_text(format_status([snapshot]))
        code = max(code, choose_outcome_code(snapshot.outcomes))
        for outcome, (action, why) in NEXT_STEPS.items():
            if snapshot.count(outcome):
                command = account_options.command(action, submission.submission_id)
                print_text(f"{snapshot.count(outcome):,} {outcome} ({why}):\n    {command}")
    raise typer.Exit(code)
