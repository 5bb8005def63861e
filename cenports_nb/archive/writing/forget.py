"""Forgetting: remove months from every version."""

from __future__ import annotations

import re
from datetime import datetime

import pandas as pd

from cenports_nb.archive.storage.delta_tables import DeltaTables
from cenports_nb.archive.storage.update_log import FORGET, UpdateLog, UpdateRecord
from cenports_nb.archive.tables import TABLES
from cenports_nb.submissions.journal.frames import build_frame

PARTITION = re.compile(r"month=(\d{4}-\d{2})")


def forget_months(tables: DeltaTables, log: UpdateLog, accounts: list[str], before: str, now: datetime) -> pd.DataFrame:
    """Remove all months before one, of every account and from every version.

    The files of a month are in a folder of their own, and the log contains no values but instants, so deleting these
    files removes all data. It is recorded first, so that no later update misses these months.

    Returns:
        What was removed from the latest version: `account table month rows`.
    """
    gone = [
        (account, name, month, rows)
        for name in TABLES
        for (account, month), (rows, _) in sorted(tables.measure(name).items())
        if month < before
    ]
    _note(log, accounts, before, now)
    remove_months(tables, before)
    _note(log, accounts, before, now, tables.versions())
    return build_frame(gone, {"account": "str", "table": "str", "month": "str", "rows": "int64"})


def finish_forgetting(tables: DeltaTables, log: UpdateLog, now: datetime) -> None:
    """Finish what a killed process began: forgotten months may still have files."""
    records = log.read()
    last = {record.account: record for record in records if record.kind == FORGET}
    unfinished = {name: record for name, record in last.items() if not record.versions}
    if unfinished:
        before = max(record.forgotten_before for record in unfinished.values())
        remove_months(tables, before)
        _note(log, list(last), before, now, tables.versions())


def remove_months(tables: DeltaTables, before: str) -> None:
    """Remove months from the latest versions, then delete every file that any version has of them."""
    for name in TABLES:
        tables.delete_months(name, before)

    def is_forgotten(folder: str) -> bool:
        found = PARTITION.fullmatch(folder)
        return found is not None and found[1] < before

    tables.location.delete_partitions([*TABLES], is_forgotten, tables.lease)


def _note(
    log: UpdateLog, accounts: list[str], before: str, now: datetime, versions: dict[str, int] | None = None
) -> None:
    """Record what is forgotten; without versions, that it is about to be."""
    at = log.next_instant(now)
    log.append(*(UpdateRecord(account, "forget", at, FORGET, versions or {}, [], before) for account in accounts))
