"""Read the journal without a client: no credentials are needed, and nothing changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pandas as pd

from cenports_nb.errors import JournalError
from cenports_nb.settings import home_folder
from cenports_nb.submissions.journal import frames
from cenports_nb.submissions.journal.file import FILE_NAME
from cenports_nb.submissions.journal.store import Journal

UNFINISHED_OUTCOMES = ("sending", "pending", "in_doubt", "unconfirmed", "not_sent")
"""Outcomes that wait for Cenports or for a person; `resolve` can close all of them."""

HISTORY_COLUMNS = [
    "at", "submission_id", "warehouse_code", "product_sku", "type", "before_quantity", "quantity", "outcome", "message",
    "made_by", "reason", "reference",
]  # fmt: skip

SKU_HISTORY_SQL = """
SELECT event.at, submission_id, warehouse_code, product_sku, type, before_quantity, quantity, event.outcome,
    event.message, coalesce(event.made_by, submission.made_by), coalesce(row.reason, submission.reason),
    coalesce(row.reference, submission.reference)
FROM row JOIN event USING (submission_id, item) JOIN submission USING (submission_id)
WHERE product_sku = ? AND environment = coalesce(?, environment) ORDER BY event.at, event.rowid
"""


def has_journal(home: Path | None = None) -> bool:
    """Return whether anything was ever submitted from this machine."""
    return ((home or home_folder()) / FILE_NAME).exists()


@contextmanager
def open_journal(home: Path | None = None) -> Iterator[Journal]:
    """Open the journal of this machine to read it.

    Raises:
        JournalError: There is none, or it can't be read.
    """
    folder = home or home_folder()
    if not has_journal(folder):
        raise JournalError(
            f"There is no journal in {folder}: nothing was submitted from there. Is CENPORTS_HOME right?"
        )
    with closing(Journal(folder)) as journal:
        yield journal


def list_unfinished(
    journal: Journal,
    account: str | None = None,
    outcomes: Sequence[str] = UNFINISHED_OUTCOMES,
    *,
    kind: str | None = None,
) -> list[str]:
    """List the submissions with rows of these outcomes, oldest first; of one account and kind, or of all."""
    query = (
        "SELECT submission_id FROM submission WHERE account = coalesce(?, account) AND kind = coalesce(?, kind) "  # noqa: S608
        "AND EXISTS (SELECT 1 FROM row WHERE row.submission_id = submission.submission_id "
        f"AND outcome IN ({', '.join('?' * len(outcomes))})) ORDER BY created_at, submission.rowid"
    )
    return [str(name) for (name,) in journal.select_all(query, account, kind, *outcomes)]


def read_sku_history(journal: Journal, product_sku: str, environment: str | None = None) -> pd.DataFrame:
    """List every change of a SKU, oldest first: when, the submission, old and new stock, message, who, why."""
    return frames.select_frame(journal, HISTORY_COLUMNS, SKU_HISTORY_SQL, (product_sku, environment))
