"""Commands about submissions.

list, show and history read the journal: they need no credentials and send no request. wait, verify, retry, resume and
resolve continue a submission.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

import cenports_nb as cn
from cenports_nb.cli.options import EnvironmentOption, OptionalOutOption, ProfileOption, TimeoutOption, YesOption
from cenports_nb.cli.submission_progress import (
    AccountOptions,
    describe_account,
    finish_command,
    interruptible,
    parse_timeout,
    wait_with_progress,
)
from cenports_nb.cli.terminal import check_can_confirm, confirm, print_text
from cenports_nb.errors import InvalidRequestError
from cenports_nb.rendering.text import format_count
from cenports_nb.rendering.text_table import format_table
from cenports_nb.settings import check_environment, home_folder

if TYPE_CHECKING:
    import pandas as pd

    from cenports_nb.api.client import Client

SkuOption = Annotated[str | None, typer.Option("--sku", metavar="SKU", help="Only changes of this SKU.")]
SubmissionArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The submission; `submissions list` shows its id.")
]
OptionalSubmissionArgument = Annotated[
    str | None, typer.Argument(metavar="ID", help="The submission; `submissions list` shows its id.")
]
ResolvedOutcome = Literal["applied", "not_applied", "rejected"]


def list_submissions(
    env: EnvironmentOption = None,
    open_: Annotated[
        bool, typer.Option("--open", help="Only submissions with rows that are not settled or not sent.")
    ] = False,
    sku: SkuOption = None,
) -> None:
    """List the submissions of this machine, oldest first, with a column for each outcome."""
    from cenports_nb.submissions.journal.reader import has_journal, list_unfinished, open_journal  # noqa: PLC0415
    from cenports_nb.submissions.registry import list_by_outcome  # noqa: PLC0415

    if env is not None:
        check_environment(env)
    if not has_journal():
        print_text(f"No submissions: there is no journal in {home_folder()}.")
        return
    found = list_by_outcome(environment=env, product_sku=sku)
    if open_:
        with open_journal() as journal:
            found = found[found["submission_id"].isin(list_unfinished(journal))]
    if len(found):
        print_text(format_table(found.rename(columns={"created_at": "created", "partner_id": "partner"})))
    print_text(f"{format_count(len(found), 'submission')} in {home_folder()}")


def show_submission(
    submission_id: SubmissionArgument,
    rows: Annotated[bool, typer.Option("--rows", help="Show every row.")] = False,
    out: OptionalOutOption = None,
) -> None:
    """Show one submission: who, when, why, its batches and the outcomes of its rows."""
    from cenports_nb.frames.export.files import check_path  # noqa: PLC0415
    from cenports_nb.submissions.journal import frames  # noqa: PLC0415
    from cenports_nb.submissions.journal.reader import open_journal  # noqa: PLC0415
    from cenports_nb.submissions.tracking.snapshot import take_snapshot  # noqa: PLC0415
    from cenports_nb.submissions.tracking.status_table import format_status  # noqa: PLC0415

    if out is not None:
        check_path(out)
    with open_journal() as journal:
        head = journal.head(submission_id)
        snapshot = take_snapshot(journal, submission_id, datetime.now(UTC))
        outcomes = frames.read_outcomes(journal, head) if rows or out else None
    print_text(
        f"{head.kind} in {head.environment}, partner {head.partner_id}, by {head.made_by}, {head.created_at[:19]}Z"
    )
    for name, text in (("reason", head.reason), ("reference", head.reference), ("held", head.get_detail("held_file"))):
        if text:
            print_text(f"{name}: {text}")
    print_text(format_status([snapshot]))
    print_text(", ".join(f"{number:,} {outcome}" for outcome, number in snapshot.outcomes.items()))
    if outcomes is not None and rows:
        print_text(format_table(outcomes.drop(columns=["submission_id", "handle", "submitted_at", "completed_at"])))
    if outcomes is not None and out:
        print_text(f"{format_count(len(outcomes), 'row')} in {cn.export(outcomes, out)}")


def show_history(
    submission_id: OptionalSubmissionArgument = None,
    sku: SkuOption = None,
    env: EnvironmentOption = None,
    out: OptionalOutOption = None,
) -> None:
    """Show every change of a submission's rows, or of a SKU: who, when, old and new quantity, reason, message."""
    from cenports_nb.frames.export.files import check_path  # noqa: PLC0415
    from cenports_nb.submissions.journal import frames  # noqa: PLC0415
    from cenports_nb.submissions.journal.reader import open_journal, read_sku_history  # noqa: PLC0415

    if (submission_id is None) == (sku is None):
        raise InvalidRequestError("Say which: the ID of a submission, or --sku for every change of a SKU.")
    if out is not None:
        check_path(out)
    with open_journal() as journal:
        if sku is not None:
            found = read_sku_history(journal, sku, env)
        else:
            found = frames.read_history(journal, journal.head(submission_id or "")).drop(columns="submission_id")
    if out is None:
        print_text(format_table(found))
    else:
        print_text(f"{format_count(len(found), 'change')} in {cn.export(found, out)}")


def wait(
    submission_id: OptionalSubmissionArgument = None,
    env: EnvironmentOption = None,
    profile: ProfileOption = None,
    timeout: TimeoutOption = "20min",
) -> None:
    """Wait until no row is pending; without ID, for all submissions of the account."""
    seconds = parse_timeout(timeout)
    account_options = AccountOptions(env, profile)
    with _connect(account_options, submission_id) as client:
        ids = [submission_id] if submission_id else _list_pending(client)
        if not ids:
            print_text(f"Nothing of {describe_account(client)} is pending.")
            return
        submissions = [cn.open_submission(client, one) for one in ids]  # while one is waited for, all are polled
        until = client.clock.monotonic() + seconds
        for submission in submissions:
            wait_with_progress(submission, max(0.0, until - client.clock.monotonic()), account_options)
        finish_command(submissions, account_options)


def verify(submission_id: SubmissionArgument, env: EnvironmentOption = None, profile: ProfileOption = None) -> None:
    """Read the stock to settle rows that Cenports did not confirm; send nothing."""
    account_options = AccountOptions(env, profile)
    with _connect(account_options, submission_id) as client:
        finish_command([cn.open_submission(client, submission_id).verify()], account_options)


def resume(
    submission_id: SubmissionArgument,
    env: EnvironmentOption = None,
    profile: ProfileOption = None,
    yes: YesOption = False,
    timeout: TimeoutOption = "20min",
) -> None:
    """Continue after a crash: send rows that were not sent, and rows in doubt where the stock shows that it is safe."""
    _send_again("resume", submission_id, AccountOptions(env, profile), yes=yes, timeout=timeout)


def retry(
    submission_id: SubmissionArgument,
    env: EnvironmentOption = None,
    profile: ProfileOption = None,
    yes: YesOption = False,
    timeout: TimeoutOption = "20min",
) -> None:
    """Send rows again that were rejected or not applied, where that is safe."""
    _send_again("retry", submission_id, AccountOptions(env, profile), yes=yes, timeout=timeout)


def resolve(
    submission_id: SubmissionArgument,
    outcome: Annotated[ResolvedOutcome, typer.Option(help="What became of the rows.")],
    note: Annotated[str, typer.Option(metavar="TEXT", help="How you know. The journal keeps it with your name.")],
    sku: Annotated[list[str] | None, typer.Option("--sku", metavar="SKU", help="The SKU of a row; repeatable.")] = None,
    order: Annotated[
        list[str] | None, typer.Option("--order", metavar="NUMBER", help="The order number of a row; repeatable.")
    ] = None,
    warehouse: Annotated[
        str | None, typer.Option(metavar="CODE", help="The warehouse, if several have the SKU.")
    ] = None,
    env: EnvironmentOption = None,
    profile: ProfileOption = None,
) -> None:
    """Close rows that no evidence can settle, with your word and a note."""
    if bool(sku) == bool(order):
        raise InvalidRequestError("Say which rows: --sku, or --order for orders.")
    account_options = AccountOptions(env, profile)
    with _connect(account_options, submission_id) as client:
        submission = cn.open_submission(client, submission_id)
        if warehouse is None:
            submission.resolve(sku or order or [], outcome, note)
        else:
            submission.resolve(_select_in_warehouse(submission.outcomes, warehouse, sku or []), outcome, note)
        finish_command([submission], account_options)


def _send_again(
    action: Literal["resume", "retry"], submission_id: str, account_options: AccountOptions, *, yes: bool, timeout: str
) -> None:
    """Show what can be sent again, ask for confirmation, send it, and wait."""
    from cenports_nb.submissions.tracking.status_table import format_status  # noqa: PLC0415

    seconds = parse_timeout(timeout)
    with _connect(account_options, submission_id) as reading_client:
        submission = cn.open_submission(reading_client, submission_id)
        rows = _count_sendable(submission, action)
        if not rows:
            print_text(f"No row can be sent again with {action}.")
            finish_command([submission], account_options)
        check_can_confirm(yes=yes)
        print_text(format_status([submission.snapshot()]))
        confirm(rows, describe_account(reading_client), yes=yes, at_most=True)
    with interruptible(), _connect(account_options, submission_id, read_only=False) as client:
        submission = cn.open_submission(client, submission_id)
        submission = submission.resume(progress=False) if action == "resume" else submission.retry(progress=False)
        wait_with_progress(submission, seconds, account_options)
        finish_command([submission], account_options)


def _count_sendable(submission: cn.Submission, action: Literal["resume", "retry"]) -> int:
    """Count the rows that may be sent; what is read just before sending decides about each."""
    from cenports_nb.submissions.journal.write_kinds import get_write_kind  # noqa: PLC0415

    outcomes = submission.outcomes
    if action == "retry":
        return int(outcomes["outcome"].isin(["rejected", "not_applied"]).sum())
    doubtful = outcomes["outcome"] == "in_doubt"
    if not get_write_kind(submission.head).is_repeatable:
        doubtful &= outcomes["type"] == "TRUE_UP" if "type" in outcomes.columns else False
    return int((doubtful | (outcomes["outcome"] == "not_sent")).sum())


def _select_in_warehouse(outcomes: pd.DataFrame, warehouse: str, skus: list[str]) -> pd.DataFrame:
    """Return the rows of some SKUs in a warehouse.

    Raises:
        InvalidRequestError: A SKU has no row there.
    """
    here = outcomes[(outcomes["warehouse_code"] == warehouse) & outcomes["product_sku"].isin(skus)]
    lacking = [sku for sku in skus if sku not in set(here["product_sku"])]
    if lacking:
        raise InvalidRequestError(f"{lacking[0]} in {warehouse} is not in this submission; nothing was resolved.")
    return here


@contextmanager
def _connect(account_options: AccountOptions, submission_id: str | None, *, read_only: bool = True) -> Iterator[Client]:
    """Connect to the named account, or else to the environment of the submission.

    Raises:
        InvalidRequestError: The submission is a sandbox's.
    """
    from cenports_nb.submissions.journal.reader import open_journal  # noqa: PLC0415

    env = account_options.env
    if submission_id is not None and not account_options.env and not account_options.profile:
        with open_journal() as journal:
            env = journal.head(submission_id).environment
    with cn.connect(env, profile=account_options.profile, read_only=read_only) as client:
        if client.settings.environment == "sandbox":
            raise InvalidRequestError(
                "A sandbox's journal is deleted with its client, so there is nothing to go on with. To try this, start "
                "`cenports-nb sandbox` and point --env staging at it with CENPORTS_BASE_URL."
            )
        yield client


def _list_pending(client: Client) -> list[str]:
    from cenports_nb.submissions.journal.reader import has_journal, list_unfinished, open_journal  # noqa: PLC0415

    if not has_journal(client.home):
        return []
    with open_journal(client.home) as journal:
        return list_unfinished(journal, client.settings.account, ("pending",))
