"""Which days of a period an archive covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from cenports_nb.archive.storage.update_log import AccountState
from cenports_nb.archive.writing.schedule import list_months, month_days, to_month
from cenports_nb.submissions.journal.frames import build_frame

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class MissingMonth:
    """Days that a load requested and that are not archived."""

    account: str
    month: str
    reason: str


def list_span_months(first: date, last: date, zone: ZoneInfo) -> list[str]:
    """List the UTC months that may have orders of these local days; a plain day, midnight UTC, never shifts."""
    start = datetime.combine(first, time(), zone).astimezone(UTC)
    end = datetime.combine(last + ONE_DAY, time(), zone).astimezone(UTC) - timedelta(microseconds=1)
    days = [start.date(), first, last, end.date()]
    return list_months(to_month(min(days)), to_month(max(days)))


def find_missing_months(
    state: AccountState, source: str, first: date, last: date, zone: ZoneInfo
) -> list[MissingMonth]:
    """Find the months of a period that are not archived, or not up to its last day."""
    newest = max((reading.at for (name, _), reading in state.readings.items() if name == source), default=None)
    missing = []
    for month in list_span_months(first, last, zone):
        start, after = month_days(month)
        reading = state.readings.get((source, month))
        forgotten = state.find_forgotten(source, month)
        reason = ""
        if forgotten is not None:
            reason = f"was forgotten on {forgotten:%Y-%m-%d}"
        elif reading is None and month < state.begins:
            reason = ""  # the account had no orders yet
        elif reading is None:
            begins_later = newest is not None and start > newest.date() and newest.astimezone(zone).date() >= last
            reason = "" if begins_later else "is not archived"
        elif reading.at.date() < after and reading.at.astimezone(zone).date() < min(last, after - ONE_DAY):
            reason = f"is archived up to {reading.at:%Y-%m-%d %H:%M} UTC"
        if reason:
            missing.append(MissingMonth(state.account, month, reason))
    return missing


def find_gaps(state: AccountState, source: str) -> list[MissingMonth]:
    """Find months between archived ones that could not be read yet."""
    archived = state.list_months(source)
    between = list_months(archived[0], archived[-1]) if archived else []
    return [MissingMonth(state.account, month, "is not archived") for month in between if month not in archived]


MISSING_DTYPES = {
    "account": "str", "source": "str", "channel_id": "str", "start": "datetime64[us]", "end": "datetime64[us]", "reason": "str",
}  # fmt: skip
"""The columns of `IncompleteError.missing`."""


def build_missing_frame(table: str, missing: Sequence[MissingMonth]) -> pd.DataFrame:
    """Build the frame of an `IncompleteError`: `account source channel_id start end reason`."""
    rows = []
    for each in missing:
        start, after = month_days(each.month)
        rows.append((each.account, f"archive, {table}", None, start, after - ONE_DAY, f"{each.month} {each.reason}"))
    return build_frame(rows, MISSING_DTYPES)
