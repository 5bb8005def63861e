"""What the journal knows of an account's earlier and later changes of the same things."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from cenports_nb.submissions.journal.frames import select_frame
from cenports_nb.submissions.journal.locks import is_sending
from cenports_nb.submissions.journal.models import EFFECTIVE_OUTCOMES, OPEN_OUTCOMES, Head, Row
from cenports_nb.submissions.journal.store import Journal

COLUMNS = [
    "submission_id", "created_at", "fingerprint", "reference", "warehouse_code", "product_sku", "type", "quantity",
    "outcome",
]  # fmt: skip

HISTORY_SQL = f"""
SELECT {", ".join(COLUMNS)} FROM submission JOIN row USING (submission_id)
WHERE account = ?1 AND kind = 'stock' AND created_at >= ?2
UNION ALL
SELECT {", ".join(COLUMNS)} FROM row INDEXED BY row_open CROSS JOIN submission USING (submission_id)
WHERE outcome IN ('pending', 'in_doubt', 'unconfirmed') AND account = ?1 AND kind = 'stock' AND created_at < ?2
"""  # noqa: S608 - our own names

CONFLICT_SQL = f"""
SELECT submission_id, outcome FROM row CROSS JOIN submission USING (submission_id)
WHERE account = ?1 AND submission_id <> ?2 AND warehouse_code = ?3 AND product_sku = ?4 AND (
    outcome IN ({", ".join(map(repr, OPEN_OUTCOMES))}) OR (outcome IN ({", ".join(map(repr, EFFECTIVE_OUTCOMES))})
        AND submission.rowid > (SELECT rowid FROM submission WHERE submission_id = ?2)))
ORDER BY submission.rowid DESC LIMIT 1
"""  # noqa: S608 - our own words


def read_stock_history(journal: Journal, home: Path, account: str, now: datetime, span: timedelta) -> pd.DataFrame:
    """List what was asked of an account's stock in some time, and before that what is still open.

    Returns:
        `submission_id created_at age_s fingerprint reference warehouse_code product_sku type quantity outcome`, one row a
        row of a submission; what another process is about to send is `pending`.
    """
    since = (now - span).isoformat()
    found = select_frame(journal, COLUMNS, HISTORY_SQL, (account, since))
    being_sent = [name for name in found["submission_id"].unique() if is_sending(home, name)]
    about_to_be_sent = found["submission_id"].isin(being_sent) & (found["outcome"] == "not_sent")
    age = (pd.Timestamp(now) - found["created_at"]).dt.total_seconds()
    return found.assign(age_s=age, outcome=found["outcome"].mask(about_to_be_sent, "pending"))


def find_conflicting_update(journal: Journal, head: Head, row: Row) -> str | None:
    """Say which other submission stands in the way of sending a row again; None if none does.

    One that changed the same SKU after this one was made, or one whose change of it may still land: in which order
    Cenports applies them is not documented, and two changes at once leave no evidence of either.
    """
    values = (head.account, head.submission_id, row.warehouse_code, row.product_sku)
    for found in journal.select(CONFLICT_SQL, values):
        name, outcome = found[0]
        if outcome in OPEN_OUTCOMES:
            return f"submission {name} has a change of this SKU that is {outcome}; settle that first"
        return f"submission {name} changed this SKU later"
    return None


def find_live_orders(
    journal: Journal, home: Path, account: str, channel_id: str, numbers: Sequence[str], *, but: str = ""
) -> dict[str, str]:
    """Find orders of a channel that a submission created, or may have, or is about to; say of each which one.

    Args:
        journal: Where to look.
        home: Where the locks of those that are sending are.
        account: Of this account.
        channel_id: Of this channel.
        numbers: These orders.
        but: A submission that does not count.
    """
    marks = ", ".join("?" * len(EFFECTIVE_OUTCOMES))
    query = (
        "SELECT order_no, submission_id, outcome FROM row CROSS JOIN submission USING (submission_id) "  # noqa: S608
        "WHERE account = ? AND kind = 'orders' AND channel_id = ? AND order_no = ? AND submission_id <> ? "
        f"AND outcome IN ({marks}, 'not_sent')"
    )
    found: dict[str, str] = {}
    being_sent: dict[str, bool] = {}
    for number in numbers:
        for part in journal.select(query, (account, channel_id, number, but, *EFFECTIVE_OUTCOMES)):
            for order_no, name, outcome in part:
                if outcome == "not_sent" and name not in being_sent:
                    being_sent[name] = is_sending(home, name)
                if outcome != "not_sent" or being_sent[name]:
                    found[str(order_no)] = f"submission {name} created it, or may have"
    return found
