"""Queries about other changes of the same things by an account's submissions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pandas as pd

from cenports_nb.rendering.surface import name_method
from cenports_nb.submissions.journal.frames import select_frame
from cenports_nb.submissions.journal.migrations import BLOCKING_CONDITION
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.rules.decide import MAX_EVIDENCE_AGE
from cenports_nb.submissions.rules.models import Head, Row, parse_time
from cenports_nb.submissions.rules.moments import Moment, at_least_elapsed
from cenports_nb.submissions.rules.states import BLOCKING_OUTCOMES, EFFECTIVE_OUTCOMES, OPEN_OUTCOMES

COLUMNS = [
    "submission_id", "created_at", "fingerprint", "reference", "warehouse_code", "product_sku", "type", "quantity",
    "outcome",
]  # fmt: skip
REVERSAL_DETAIL = "reversal_of"
"""The detail that says which submission a reversal undoes; it identifies the reversal, whatever its reference."""

_SELECTED = ", ".join("row.reference" if name == "reference" else name for name in COLUMNS)

# Rows older than the span count only if they block, or if they book a document that may be booked only once.
HISTORY_SQL = f"""
SELECT {_SELECTED} FROM submission JOIN row USING (submission_id)
WHERE account = ?1 AND kind = 'stock' AND created_at >= ?2
UNION ALL
SELECT {_SELECTED} FROM row INDEXED BY row_blocking CROSS JOIN submission USING (submission_id)
WHERE {BLOCKING_CONDITION} AND account = ?1 AND kind = 'stock' AND created_at < ?2
UNION ALL
SELECT {_SELECTED} FROM (SELECT value FROM json_each(?3)) AS asked CROSS JOIN row ON row.reference = asked.value
    CROSS JOIN submission USING (submission_id)
WHERE account = ?1 AND kind = 'stock' AND created_at < ?2 AND type = 'DIFFERENTIAL'
    AND NOT ({BLOCKING_CONDITION})
UNION ALL
SELECT {_SELECTED.replace("row.reference", "'reversal of ' || ?4")} FROM submission JOIN row USING (submission_id)
WHERE account = ?1 AND kind = 'stock' AND json_extract(details, '$.{REVERSAL_DETAIL}') = ?4
"""  # noqa: S608 - our own names


def _list(outcomes: Sequence[str]) -> str:
    return ", ".join(map(repr, outcomes))


_REPEATED = "exposed, sent_at, sent_monotonic, sent_process, sent_server_at"
"""Whether a request of a row that was sent several times may still take effect."""

_ASKED = """
FROM (SELECT value FROM json_each(?1)) AS asked
    CROSS JOIN row ON product_sku = json_extract(asked.value, '$[2]')
        AND warehouse_code = json_extract(asked.value, '$[1]')
    CROSS JOIN submission USING (submission_id) CROSS JOIN batch USING (submission_id, batch)
"""

_IN_THE_WAY = f"""
outcome IN ({_list(BLOCKING_OUTCOMES)}) OR (outcome IN ({_list(EFFECTIVE_OUTCOMES)})
    AND submission.rowid > (SELECT rowid FROM submission WHERE submission_id = ?3))
"""  # noqa: S608 - our own words

CONFLICT_SQL = f"""
SELECT json_extract(asked.value, '$[0]'), submission_id, outcome, {_IN_THE_WAY}, {_REPEATED} {_ASKED}
WHERE account = ?2 AND submission_id <> ?3 AND ({_IN_THE_WAY} OR exposed = 2)
ORDER BY submission.rowid, outcome = 'applied'
"""

# By position, because a wall clock may run backward; rows of older formats have no position.
_CHANGED_SINCE = f"""
outcome IN ({_list(OPEN_OUTCOMES)})
    OR (outcome = 'applied' AND json_extract(asked.value, '$[4]') IS NULL AND (
        json_extract(asked.value, '$[3]') IS NULL OR row.changed_at >= json_extract(asked.value, '$[3]')))
    OR (outcome = 'applied' AND EXISTS (SELECT 1 FROM event WHERE event.submission_id = row.submission_id
        AND event.item = row.item AND event.outcome = 'applied' AND event.rowid > json_extract(asked.value, '$[4]')))
"""  # noqa: S608 - our own words

FIRST_SENT_SQL = """
SELECT item, min(batch) FROM event
WHERE submission_id = ? AND outcome = 'sending' AND item IN (SELECT value FROM json_each(?)) GROUP BY item
"""

OTHER_CHANGE_SQL = f"""
SELECT json_extract(asked.value, '$[0]'), submission_id, outcome, {_CHANGED_SINCE}, {_REPEATED} {_ASKED}
WHERE account = ?2 AND (submission_id <> ?3 OR item <> json_extract(asked.value, '$[0]'))
    AND ({_CHANGED_SINCE} OR exposed = 2)
ORDER BY submission.rowid
"""


def read_stock_history(
    journal: Journal,
    is_sending: Callable[[str], bool],
    account: str,
    now: datetime,
    span: timedelta,
    references: Sequence[str] = (),
    reversal_of: str | None = None,
) -> pd.DataFrame:
    """List updates of an account's stock within a span, and earlier ones that still matter.

    Documents in `references` matter at any age, and so do reversals of `reversal_of`, whose reference is then
    `reversal of` it.

    Returns:
        `submission_id created_at age_s fingerprint reference warehouse_code product_sku type quantity outcome`, one row
        per row of a submission; rows that another process is about to send are `pending`.
    """
    since = (now - span).isoformat()
    asked = msgspec.json.encode(sorted(set(references))).decode()
    found = select_frame(journal, COLUMNS, HISTORY_SQL, (account, since, asked, reversal_of))
    being_sent = [name for name in found["submission_id"].unique() if is_sending(name)]
    about_to_be_sent = found["submission_id"].isin(being_sent) & found["outcome"].isin(["not_sent", "sending"])
    outcome = found["outcome"].mask(about_to_be_sent, "pending").replace("sending", "in_doubt")
    age = (pd.Timestamp(now) - found["created_at"]).dt.total_seconds()
    return found.assign(age_s=age, outcome=outcome.astype("str"))


def list_repeated_updates(journal: Journal, account: str, now: Moment, settle: timedelta) -> pd.DataFrame:
    """List rows that were sent several times, one of whose requests may still take effect.

    Returns:
        `submission_id warehouse_code product_sku`.
    """
    query = (
        f"SELECT submission_id, warehouse_code, product_sku, {_REPEATED} FROM row INDEXED BY row_repeated "  # noqa: S608
        "CROSS JOIN submission USING (submission_id) CROSS JOIN batch USING (submission_id, batch) "
        "WHERE exposed = 2 AND account = ? AND kind = 'stock'"
    )
    found = [
        keys
        for *keys, _, sent_at, monotonic, process, server_at in journal.select_all(query, account)
        if may_still_arrive((sent_at, monotonic, process, server_at), now, settle)
    ]
    return pd.DataFrame(found, columns=["submission_id", "warehouse_code", "product_sku"], dtype="str")


def count_sent_batches(journal: Journal, account: str, fingerprint: str, since: datetime) -> tuple[int, int]:
    """Count the batches of the newest submission of a frame that were sent, and all that are to be sent."""
    query = (
        "SELECT coalesce(sum(state <> 'planned'), 0), count(*) FROM batch WHERE state NOT IN ('held', 'dropped') AND submission_id = "
        "(SELECT submission_id FROM submission WHERE account = ? AND fingerprint = ? AND created_at >= ? ORDER BY created_at DESC LIMIT 1)"
    )
    ((sent, total),) = journal.select_all(query, account, fingerprint, since.isoformat())
    return sent, total


def find_conflicting_updates(
    journal: Journal, head: Head, rows: Sequence[Row], now: Moment, settle: timedelta
) -> dict[int, str]:
    """Return for each row, by item, which other submission blocks it; rows that none blocks are left out.

    A submission blocks if it changed the same SKU after this one was made, or if its change may still take effect or
    be sent: the order in which Cenports applies changes is not documented, and two simultaneous changes leave no
    evidence of either.
    """
    found: dict[int, str] = {}
    skus = {row.item: row.product_sku for row in rows}
    for change in _select(journal, CONFLICT_SQL, head, rows):
        item, name = change.item, change.submission_id
        outcome = "pending" if change.may_arrive(now, settle) else change.outcome
        if outcome in BLOCKING_OUTCOMES:
            advice = _advise(name, outcome, skus[item])
            found[item] = f"submission {name} has a change of this SKU that is {outcome}; {advice}"
        elif change.matters:
            found[item] = f"submission {name} changed this SKU later"
    return found


def find_other_changes(
    journal: Journal, head: Head, rows: Sequence[Row], now: Moment, settle: timedelta
) -> dict[int, str]:
    """Return for each row, by item, which other change of our own may have changed its stock since it was read.

    A repeated request counts as long as it may have taken effect after that reading, however long ago it was sent.
    """
    found = _select(journal, OTHER_CHANGE_SQL, head, rows)
    repeated = {change.item for change in found if change.is_repeated}
    first_sent = _find_first_sent(journal, head, repeated) if repeated else {}
    return {
        change.item: f"submission {change.submission_id} changed the same SKU meanwhile, or may have"
        for change in found
        if change.matters or change.may_arrive(first_sent.get(change.item, now), settle + MAX_EVIDENCE_AGE)
    }


def _find_first_sent(journal: Journal, head: Head, items: Collection[int]) -> dict[int, Moment]:
    """Find when rows were first sent, at most five minutes after their stock was read."""
    moments = {batch.batch: batch.sent for batch in journal.batches(head.submission_id)}
    parts = journal.select(FIRST_SENT_SQL, (head.submission_id, msgspec.json.encode(list(items)).decode()))
    return {int(item): sent for part in parts for item, number in part if (sent := moments[number]) is not None}


def find_live_orders(
    journal: Journal, account: str, channel_id: str, numbers: Sequence[str], *, but: str = ""
) -> dict[str, str]:
    """Find orders of a channel that a submission created, may have created, or may still create, and name it."""
    query = (
        "SELECT order_no, submission_id, outcome FROM (SELECT value FROM json_each(?)) AS asked "  # noqa: S608 - our own words
        "CROSS JOIN row ON order_no = asked.value CROSS JOIN submission USING (submission_id) "
        "WHERE account = ? AND kind = 'orders' AND channel_id = ? AND submission_id <> ? "
        f"AND outcome IN ({_list(('not_sent', *EFFECTIVE_OUTCOMES))})"
    )
    asked = msgspec.json.encode(list(numbers)).decode()
    found: dict[str, str] = {}
    for order_no, name, outcome in journal.select_all(query, asked, account, channel_id, but):
        found[str(order_no)] = (
            f"submission {name} has it and did not send it yet; {_advise(name, outcome, order_no)}"
            if outcome == "not_sent"
            else f"submission {name} created it, or may have"
        )
    return found


def _advise(submission_id: str, outcome: str, name: str | None) -> str:
    """Return the one call that unblocks a change."""
    if outcome == "not_sent":
        close = name_method("resolve", submission_id, f'"{name}", "not_applied", note')
        return f"send that one with {name_method('resume', submission_id)}, or close it with {close}"
    return f"settle that first with {name_method('wait' if outcome in ('pending', 'sending') else 'verify', submission_id)}"


class _OtherChange(NamedTuple):
    """A change of another row to the SKU of a row.

    Attributes:
        item: The row that is checked.
        matters: Whether the query says that it matters, however often it was sent.
        exposed: See `states.EXPOSURE_SQL`; 2 if it was sent several times.
    """

    item: int
    submission_id: str
    outcome: str
    matters: bool
    exposed: int
    sent: tuple[Any, ...]

    @property
    def is_repeated(self) -> bool:
        """Whether it was sent several times, and looks settled."""
        return self.exposed == 2 and self.outcome not in BLOCKING_OUTCOMES

    def may_arrive(self, since: Moment, settle: timedelta) -> bool:
        """Return whether one of its requests may have taken effect after a moment."""
        return self.is_repeated and may_still_arrive(self.sent, since, settle)


def _select(journal: Journal, query: str, head: Head, rows: Sequence[Row]) -> list[_OtherChange]:
    """List the changes that a query finds for rows of a submission."""
    asked = [[row.item, row.warehouse_code, row.product_sku, row.before_at, row.before_position] for row in rows]
    values = (msgspec.json.encode(asked).decode(), head.account, head.submission_id)
    return [
        _OtherChange(item, submission_id, outcome, bool(matters), exposed, tuple(sent))
        for item, submission_id, outcome, matters, exposed, *sent in journal.select_all(query, *values)
    ]


def may_still_arrive(sent: Sequence[Any], now: Moment, settle: timedelta) -> bool:
    """Return whether a request may still take effect, from when it was sent on each clock."""
    sent_at, monotonic, process, server_at = sent
    wall = parse_time(sent_at)
    return wall is None or at_least_elapsed(Moment(wall, monotonic, process, parse_time(server_at)), now) < settle
