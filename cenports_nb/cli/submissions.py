"""Commands that go on with a submission: wait, verify, retry, resume, resolve."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal, Optional

import typer

from cenports_nb.cli.follow import Which, account_of, finish, follow, interruptible, seconds_of
from cenports_nb.cli.options import Env, Profile, Timeout, Yes
from cenports_nb.cli.submission_history import MaybeSubmission, Submission
from cenports_nb.cli.terminal import check_sendable, confirm, show
from cenports_nb.errors import InvalidRequestError

if TYPE_CHECKING:
    import pandas as pd

    import cenports_nb as cn
    from cenports_nb.api.client import Client

Said = Literal["applied", "not_applied", "rejected"]


def wait(
    submission_id: MaybeSubmission = None, env: Env = None, profile: Profile = None, timeout: Timeout = "20min"
) -> None:
    """Wait until no row is pending; without ID, for everything of the account."""
    import cenports_nb as cn  # noqa: PLC0415

    seconds = seconds_of(timeout)
    which = Which(env, profile)
    with _account(which, submission_id) as client:
        ids = [submission_id] if submission_id else _pending(client)
        if not ids:
            show(f"Nothing of {account_of(client)} is pending.")
            return
        submissions = [cn.open_submission(client, one) for one in ids]  # all are asked about while one is waited for
        until = client.clock.monotonic() + seconds
        for submission in submissions:
            follow(submission, max(0.0, until - client.clock.monotonic()), which)
        finish(submissions, which)


def verify(submission_id: Submission, env: Env = None, profile: Profile = None) -> None:
    """Read the stock to settle rows that Cenports does not confirm; it says when to look again."""
    import cenports_nb as cn  # noqa: PLC0415

    which = Which(env, profile)
    with _account(which, submission_id) as client:
        finish([cn.open_submission(client, submission_id).verify()], which)


def resume(
    submission_id: Submission, env: Env = None, profile: Profile = None, yes: Yes = False, timeout: Timeout = "20min"
) -> None:
    """Go on after a crash: send what was not sent, and what is in doubt where the stock shows that a repeat is safe."""
    _again("resume", submission_id, Which(env, profile), yes=yes, timeout=timeout)


def retry(
    submission_id: Submission, env: Env = None, profile: Profile = None, yes: Yes = False, timeout: Timeout = "20min"
) -> None:
    """Send rows again that were rejected or shown not to be applied, where that is safe."""
    _again("retry", submission_id, Which(env, profile), yes=yes, timeout=timeout)


def resolve(
    submission_id: Submission,
    outcome: Annotated[Said, typer.Option(help="What became of the rows.")],
    note: Annotated[str, typer.Option(help="How you know; it stays in the journal, with your name.")],
    sku: Annotated[Optional[list[str]], typer.Option("--sku", help="A row's SKU; may repeat.")] = None,  # noqa: UP045
    order: Annotated[Optional[list[str]], typer.Option("--order", help="A row's order number; may repeat.")] = None,  # noqa: UP045
    warehouse: Annotated[Optional[str], typer.Option(help="The warehouse, if several have the SKU.")] = None,  # noqa: UP045
    env: Env = None,
    profile: Profile = None,
) -> None:
    """Close rows that no evidence settles with your word."""
    import cenports_nb as cn  # noqa: PLC0415

    if bool(sku) == bool(order):
        raise InvalidRequestError("Say which rows: --sku, or --order for orders.")
    which = Which(env, profile)
    with _account(which, submission_id) as client:
        submission = cn.open_submission(client, submission_id)
        if warehouse is None:
            submission.resolve(sku or order or [], outcome, note)
        else:
            submission.resolve(_in_warehouse(submission.outcomes, warehouse, sku or []), outcome, note)
        finish([submission], which)


def _again(word: Literal["resume", "retry"], submission_id: str, which: Which, *, yes: bool, timeout: str) -> None:
    """Show what may be sent again, ask, send, follow."""
    import cenports_nb as cn  # noqa: PLC0415
    from cenports_nb.submissions.tracking.status_table import text_of  # noqa: PLC0415

    seconds = seconds_of(timeout)
    with _account(which, submission_id) as looking:
        seen = cn.open_submission(looking, submission_id)
        rows = _may_be_sent(seen, word)
        if not rows:
            show(f"Nothing of it may be sent again by {word}.")
            finish([seen], which)
        check_sendable(yes=yes)
        show(text_of([seen.snapshot()]))
        confirm(rows, account_of(looking), yes=yes, most=True)
    with interruptible(), _account(which, submission_id, read_only=False) as client:
        submission = cn.open_submission(client, submission_id)
        submission = submission.resume(progress=False) if word == "resume" else submission.retry(progress=False)
        follow(submission, seconds, which)
        finish([submission], which)


def _may_be_sent(submission: cn.Submission, word: Literal["resume", "retry"]) -> int:
    """Count the rows that may be sent; what is read just before decides on each."""
    from cenports_nb.submissions.journal.write_kinds import get_write_kind  # noqa: PLC0415

    outcomes = submission.outcomes
    if word == "retry":
        return int(outcomes["outcome"].isin(["rejected", "not_applied"]).sum())
    doubtful = outcomes["outcome"] == "in_doubt"
    if not get_write_kind(submission.head).is_repeatable:
        doubtful &= outcomes["type"] == "TRUE_UP" if "type" in outcomes.columns else False
    return int((doubtful | (outcomes["outcome"] == "not_sent")).sum())


def _in_warehouse(outcomes: pd.DataFrame, warehouse: str, skus: list[str]) -> pd.DataFrame:
    """Find the rows of a warehouse that are meant.

    Raises:
        InvalidRequestError: One is not there.
    """
    here = outcomes[(outcomes["warehouse_code"] == warehouse) & outcomes["product_sku"].isin(skus)]
    lacking = [sku for sku in skus if sku not in set(here["product_sku"])]
    if lacking:
        raise InvalidRequestError(f"{lacking[0]} in {warehouse} is not in this submission; nothing was resolved.")
    return here


@contextmanager
def _account(which: Which, submission_id: str | None, *, read_only: bool = True) -> Iterator[Client]:
    """Connect to the account that is named, or else to the environment that the submission belongs to.

    Raises:
        InvalidRequestError: A sandbox.
    """
    import cenports_nb as cn  # noqa: PLC0415
    from cenports_nb.submissions.journal.reader import open_journal  # noqa: PLC0415

    env = which.env
    if submission_id is not None and not which.env and not which.profile:
        with open_journal() as journal:
            env = journal.head(submission_id).environment
    with cn.connect(env, profile=which.profile, read_only=read_only) as client:
        if client.settings.environment == "sandbox":
            raise InvalidRequestError(
                "A sandbox's journal goes with the client that made it: there is nothing to go on with. To try this, "
                "let --env staging talk to a sandbox; docs/sending.md shows how."
            )
        yield client


def _pending(client: Client) -> list[str]:
    from cenports_nb.submissions.journal.reader import has_journal, list_unfinished, open_journal  # noqa: PLC0415

    if not has_journal(client.home):
        return []
    with open_journal(client.home) as journal:
        return list_unfinished(journal, client.settings.account, ("pending",))
