"""Commands that look into the journal; they need no credentials and ask nothing of Cenports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Optional

import typer

from cenports_nb.cli.options import EnvironmentOption, OptionalOutOption
from cenports_nb.cli.terminal import print_text
from cenports_nb.errors import InvalidRequestError

SkuOption = Annotated[Optional[str], typer.Option("--sku", help="Only what changed this SKU.")]  # noqa: UP045
SubmissionArgument = Annotated[str, typer.Argument(metavar="ID", help="Of `submissions list`.")]
OptionalSubmissionArgument = Annotated[Optional[str], typer.Argument(metavar="ID", help="Of `submissions list`.")]  # noqa: UP045


def list_submissions(
    env: EnvironmentOption = None,
    open_: Annotated[
        bool, typer.Option("--open", help="Only those with rows that are not settled or not sent.")
    ] = False,
    sku: SkuOption = None,
) -> None:
    """List what was submitted from this machine, oldest first."""
    import cenports_nb as cn  # noqa: PLC0415
    from cenports_nb.rendering.text_table import format_table  # noqa: PLC0415
    from cenports_nb.settings import home_folder  # noqa: PLC0415
    from cenports_nb.submissions.journal.reader import has_journal, list_unfinished, open_journal  # noqa: PLC0415

    if not has_journal():
        print_text(f"No submissions: there is no journal in {home_folder()}.")
        return
    found = cn.list_submissions(environment=env, product_sku=sku)
    if open_:
        with open_journal() as journal:
            found = found[found["submission_id"].isin(list_unfinished(journal))]
    if len(found):
        print_text(format_table(found.rename(columns={"created_at": "created", "partner_id": "partner"})))
    print_text(f"{len(found):,} submission{'' if len(found) == 1 else 's'} in {home_folder()}")


def show_submission(
    submission_id: SubmissionArgument,
    rows: Annotated[bool, typer.Option("--rows", help="Show every row.")] = False,
    out: OptionalOutOption = None,
) -> None:
    """Show one submission: who, when, why, its batches, and what became of its rows."""
    import cenports_nb as cn  # noqa: PLC0415
    from cenports_nb.frames.export import check_path  # noqa: PLC0415
    from cenports_nb.rendering.text_table import format_table  # noqa: PLC0415
    from cenports_nb.submissions.journal import frames  # noqa: PLC0415
    from cenports_nb.submissions.journal.reader import open_journal  # noqa: PLC0415
    from cenports_nb.submissions.tracking.snapshot import take_snapshot  # noqa: PLC0415
    from cenports_nb.submissions.tracking.status_table import format_status  # noqa: PLC0415

    if out is not None:
        check_path(out)
    with open_journal() as journal:
        head = journal.head(submission_id)
        seen = take_snapshot(journal, submission_id, datetime.now(UTC))
        outcomes = frames.read_outcomes(journal, head) if rows or out else None
    print_text(
        f"{head.kind} in {head.environment}, partner {head.partner_id}, by {head.made_by}, {head.created_at[:19]}Z"
    )
    for name, text in (("reason", head.reason), ("reference", head.reference), ("held", head.get_detail("held_file"))):
        if text:
            print_text(f"{name}: {text}")
    print_text(format_status([seen]))
    print_text(", ".join(f"{number:,} {outcome}" for outcome, number in seen.outcomes.items()))
    if outcomes is not None and rows:
        print_text(format_table(outcomes.drop(columns=["submission_id", "handle", "submitted_at", "completed_at"])))
    if outcomes is not None and out:
        print_text(f"{len(outcomes):,} rows in {cn.export(outcomes, out)}")


def history(
    submission_id: OptionalSubmissionArgument = None,
    sku: SkuOption = None,
    env: EnvironmentOption = None,
    out: OptionalOutOption = None,
) -> None:
    """Tell every change of a submission's rows, or of a SKU: who, when, from what to what, why, what was said."""
    import cenports_nb as cn  # noqa: PLC0415
    from cenports_nb.frames.export import check_path  # noqa: PLC0415
    from cenports_nb.rendering.text_table import format_table  # noqa: PLC0415
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
        print_text(f"{len(found):,} changes in {cn.export(found, out)}")
