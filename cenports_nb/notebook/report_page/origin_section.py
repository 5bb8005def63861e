"""The end of a report: the origin of its frames, rejected records, and the result for `run_report`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pandas as pd
from IPython.display import display

from cenports_nb.frames.privacy.masking import mask_for_display
from cenports_nb.frames.provenance import provenance, rejected
from cenports_nb.notebook.report_page.accounts import ReportAccounts
from cenports_nb.notebook.report_page.attachments import RESULT_MIME_TYPE
from cenports_nb.notebook.report_page.elements import note, table
from cenports_nb.rendering.text import format_count

if TYPE_CHECKING:
    from cenports_nb.submissions.submission import Submission

IN_DOUBT_OUTCOMES = ("in_doubt", "pending", "unconfirmed")
FAILED_OUTCOMES = ("rejected", "not_applied", "not_sent", "held", "dropped")


def show_origin(
    frames: Mapping[str, pd.DataFrame],
    submission: Submission | None = None,
    *,
    accounts: ReportAccounts | None = None,
) -> None:
    """Show the origin of a report's frames, and output the result for `run_report`.

    Args:
        frames: Names to frames.
        submission: What the report sent.
        accounts: The accounts of the report; those that could not be loaded make it incomplete.
    """
    found = {name: provenance(frame) for name, frame in frames.items()}
    known = {name: item for name, item in found.items() if item is not None}
    headers = {
        "frame": "frame", "source": "from", "as_of": "as of (UTC)", "rows": "rows", "rejected": "rejected",
        "complete": "complete", "partner": "account",
    }  # fmt: skip
    rows = [
        (
            *(name, item.source, item.as_of, item.rows, item.rejected),
            *("yes" if item.complete else "NO", f"{item.partner_id} ({item.environment})"),
        )
        for name, item in known.items()
    ]
    shown = pd.DataFrame(rows, columns=list(headers))
    shown["as_of"] = pd.to_datetime(shown["as_of"], utc=True)
    rejects = _collect_rejected((item.source, frames[name]) for name, item in known.items())
    account = next((f"{item.environment}, partner {item.partner_id}" for item in known.values()), "")
    if accounts is not None and accounts.several:
        account = ", ".join(accounts.names)
    missing = sorted(accounts.failures) if accounts is not None else []
    result = {
        "rejected": len(rejects),
        "incomplete": sum(not item.complete for item in known.values()) + len(missing),
        "missing_accounts": missing,
        **_count_outcomes(submission),
        "account": account,
    }
    bundle = {
        "text/html": table(shown, headers, minor=["source", "partner"], time_zone="UTC").data,
        "text/plain": str(result),
        RESULT_MIME_TYPE: result,
    }
    display(bundle, raw=True)
    if len(rejects):
        what = {"source": "from", "key": "record", "column": "column", "reason": "why it can't be read"}
        display(
            note(f"{format_count(len(rejects), 'record')} can't be read; no number above has them.", bad=True),
            table(rejects, what),
        )


def _collect_rejected(frames: Iterable[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """List the distinct rejected records: a rejected order is missing from orders and line items."""
    found = [rejects.assign(source=source) for source, frame in frames if (rejects := rejected(frame)) is not None]
    if not found:
        return pd.DataFrame()
    masked = [mask_for_display(each) for each in found]
    return pd.concat(masked, ignore_index=True).drop_duplicates(["source", "record"])


def record_outcomes(submission: Submission) -> None:
    """Output the outcomes of rows for `run_report`, in case a later cell fails."""
    result = {"rejected": 0, "incomplete": 0, **_count_outcomes(submission)}
    display({"text/html": "", "text/plain": "", RESULT_MIME_TYPE: result}, raw=True)


def _count_outcomes(submission: Submission | None) -> dict[str, int]:
    """Count rows whose outcome is not known, and rows that failed."""
    outcomes = submission.outcomes["outcome"] if submission is not None else pd.Series([], dtype="str")
    return {
        "in_doubt": int(outcomes.isin(IN_DOUBT_OUTCOMES).sum()),
        "failed": int(outcomes.isin(FAILED_OUTCOMES).sum()),
    }
