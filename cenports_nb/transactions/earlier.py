"""What the journal knows of an account's earlier and later changes of the same things."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from cenports_nb.transactions.entries import LIVE, OPEN, Head, Row
from cenports_nb.transactions.frames import frame_of
from cenports_nb.transactions.journal import Journal
from cenports_nb.transactions.locks import is_sending

REMEMBERED = timedelta(hours=24)
"""How long the same frame or reference counts as a repetition."""

COLUMNS = {
    "submission_id": "str",
    "created_at": "datetime64[us, UTC]",
    "age_s": "float64",
    "fingerprint": "str",
    "reference": "str",
    "warehouse_code": "str",
    "product_sku": "str",
    "type": "str",
    "quantity": "int64",
    "outcome": "str",
}

QUERY = f"""
SELECT submission_id, created_at, fingerprint, reference, warehouse_code, product_sku, type, quantity, outcome
FROM submission JOIN row USING (submission_id)
WHERE account = ? AND kind = 'stock' AND (created_at >= ? OR outcome IN ({", ".join("?" * len(OPEN))}))
ORDER BY created_at, submission_id, item
"""  # noqa: S608 - marks only

LATER = f"""
SELECT submission_id FROM row CROSS JOIN submission USING (submission_id)
WHERE account = ? AND created_at > ? AND submission_id <> ? AND warehouse_code = ? AND product_sku = ?
    AND outcome IN ({", ".join("?" * len(LIVE))}) LIMIT 1
"""  # noqa: S608 - marks only


def history_of(journal: Journal, home: Path, account: str, now: datetime) -> pd.DataFrame:
    """List what was asked of an account's stock in the last day, and before that what is still open.

    Returns:
        `submission_id created_at age_s fingerprint reference warehouse_code product_sku type quantity outcome`, one row a
        row of a submission; what another process is about to send is `pending`.
    """
    since = (now - REMEMBERED).isoformat()
    found = [row for part in journal.select(QUERY, (account, since, *OPEN)) for row in part]
    busy = {name for name in {row[0] for row in found} if is_sending(home, name)}
    values = [
        (name, created, (now - datetime.fromisoformat(created)).total_seconds(), *rest,
         "pending" if outcome == "not_sent" and name in busy else outcome)
        for name, created, *rest, outcome in found
    ]  # fmt: skip
    return frame_of(values, COLUMNS)


def later_update(journal: Journal, head: Head, row: Row) -> str | None:
    """Name a submission that changed, or may have changed, the same SKU after this one was made."""
    values: tuple[Any, ...] = (head.account, head.created_at, head.submission_id, row.warehouse_code, row.product_sku)
    return next((str(found[0][0]) for found in journal.select(LATER, (*values, *LIVE))), None)


def live_orders(
    journal: Journal, home: Path, account: str, channel_id: str, numbers: Sequence[str], *, but: str = ""
) -> dict[str, str]:
    """Tell which orders of a channel a submission created, or may have, or is about to, and which one.

    Args:
        journal: Where to look.
        home: Where the locks of those that are sending are.
        account: Of this account.
        channel_id: Of this channel.
        numbers: These orders.
        but: A submission that does not count.
    """
    marks = ", ".join("?" * len(LIVE))
    query = (
        "SELECT order_no, submission_id, outcome FROM row CROSS JOIN submission USING (submission_id) "  # noqa: S608
        "WHERE account = ? AND kind = 'orders' AND channel_id = ? AND order_no = ? AND submission_id <> ? "
        f"AND outcome IN ({marks}, 'not_sent')"
    )
    found: dict[str, str] = {}
    busy: dict[str, bool] = {}
    for number in numbers:
        for part in journal.select(query, (account, channel_id, number, but, *LIVE)):
            for order_no, name, outcome in part:
                if outcome == "not_sent" and name not in busy:
                    busy[name] = is_sending(home, name)
                if outcome != "not_sent" or busy[name]:
                    found[str(order_no)] = str(name)
    return found
