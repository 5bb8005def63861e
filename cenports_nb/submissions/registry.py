"""The submissions of this machine: list them, or reopen one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.settings import home_folder
from cenports_nb.submissions.context import read_own_head, require_one_client
from cenports_nb.submissions.journal import frames
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.submission import Submission

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

COLUMNS = [
    "submission_id", "kind", "environment", "partner_id", "created_at", "rows", "open", "applied", "rejected", "in_doubt",
    "reason", "reference",
]  # fmt: skip

SUBMISSIONS_SQL = """
SELECT submission_id, kind, environment, partner_id, created_at, count(item),
    count(CASE WHEN outcome IN ('sending', 'pending', 'unconfirmed') THEN 1 END), count(CASE WHEN outcome = 'applied' THEN 1 END),
    count(CASE WHEN outcome = 'rejected' THEN 1 END), count(CASE WHEN outcome = 'in_doubt' THEN 1 END),
    submission.reason, submission.reference
FROM submission LEFT JOIN row USING (submission_id)
WHERE environment = coalesce(?, environment) AND (? IS NULL OR submission_id IN (
    SELECT submission_id FROM row WHERE product_sku = ?))
GROUP BY submission_id ORDER BY created_at, submission.rowid
"""

OUTCOMES_SQL = """
SELECT submission_id, CASE outcome WHEN 'sending' THEN 'pending' ELSE outcome END AS outcome, count(*)
FROM row GROUP BY 1, 2
"""
OUTCOMES = ("pending", "applied", "rejected", "unconfirmed", "not_applied", "in_doubt", "held", "dropped", "not_sent")


def list_submissions(
    *, environment: str | None = None, product_sku: str | None = None, home: Path | None = None
) -> pd.DataFrame:
    """List the journal: every submission of this machine, oldest first.

    A sandbox's journal is temporary, so its submissions are not listed.

    Args:
        environment: Only this environment.
        product_sku: Only submissions that changed, or would have changed, this SKU.
        home: Another folder than `CENPORTS_HOME`.

    Returns:
        `submission_id kind environment partner_id created_at rows open applied rejected in_doubt reason reference`;
        `open` counts rows that are pending or unconfirmed.

    Example:
        >>> cn.list_submissions(environment="staging").columns[:4].tolist()
        ['submission_id', 'kind', 'environment', 'partner_id']
    """
    with closing(Journal(home or home_folder())) as journal:
        return frames.select_frame(journal, COLUMNS, SUBMISSIONS_SQL, (environment, product_sku, product_sku))


def list_by_outcome(*, environment: str | None = None, product_sku: str | None = None) -> pd.DataFrame:
    """List submissions as `list_submissions` does, with the rows of each outcome that occurs.

    Args:
        environment: Only this environment.
        product_sku: Only submissions that changed, or would have changed, this SKU.

    Returns:
        The columns of `list_submissions`; instead of `open applied rejected in_doubt` a column for each outcome.
    """
    found = list_submissions(environment=environment, product_sku=product_sku)
    with closing(Journal(home_folder())) as journal:
        rows = frames.select_frame(journal, ["submission_id", "outcome", "rows"], OUTCOMES_SQL, ())
    counts = pd.crosstab(rows["submission_id"], rows["outcome"], rows["rows"], aggfunc="sum").reindex(
        found["submission_id"]
    )
    counts = counts.dropna(axis="columns", how="all").fillna(0).astype("int64").reset_index(drop=True)
    names = sorted(counts.columns, key=lambda name: (OUTCOMES.index(name) if name in OUTCOMES else len(OUTCOMES), name))
    plain = found.drop(columns=["open", "applied", "rejected", "in_doubt"])
    at = list(plain.columns).index("rows") + 1
    return pd.concat([plain.iloc[:, :at], counts[names], plain.iloc[:, at:]], axis=1)


def open_submission(client: Client, submission_id: str) -> Submission:
    """Reopen a submission of the journal, after a restart or in another notebook.

    Raises:
        JournalError: It is not in this machine's journal.
        InvalidRequestError: It belongs to another account.

    Example:
        >>> changes = pd.DataFrame({"warehouse_code": ["NW-EAST"], "product_sku": ["0003"], "quantity": [3]})
        >>> submission = cn.submit_updates(client, cn.build_differential(changes))
        >>> cn.open_submission(client, submission.submission_id).wait().outcomes["outcome"].tolist()
        ['applied']
    """
    read_own_head(require_one_client(client, "open_submission"), submission_id)
    submission = Submission(client, submission_id)
    submission.close_crashed()
    return submission
