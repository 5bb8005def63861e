"""When absence proves something: a change may land long after it was sent, and one reading may be too early."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cenports_nb.submissions.journal.models import Batch
from cenports_nb.submissions.tracking.snapshot import time_of

BETWEEN_READINGS = timedelta(minutes=1)
"""Two readings that are to agree lie so far apart."""

ENDED = ("completed", "failed")


def has_landed(batch: Batch, at: datetime, wait: timedelta) -> bool:
    """Tell whether nothing of a batch can land any more: its transaction has ended, or its time is up."""
    return batch.state in ENDED or at - _sent(batch) >= wait


def look_again(batch: Batch, first: datetime, at: datetime, wait: timedelta) -> datetime:
    """Tell when a second reading may settle what the first one could not."""
    return max(first + BETWEEN_READINGS, at if has_landed(batch, at, wait) else _sent(batch) + wait)


def _sent(batch: Batch) -> datetime:
    return time_of(batch.sent_at) or datetime.min.replace(tzinfo=UTC)
