"""A hand-over in the journal: the very bytes of its file, and its orders.

The file is kept so that it can be written again after a crash, or repeated without asking Cenports. It has addresses
in it, so it is taken out of the journal after 30 days; which orders were handed over when stays.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from cenports_nb.errors import InvalidRequestError
from cenports_nb.submissions.handover.output_file import digest_of
from cenports_nb.submissions.journal.models import Head
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.orders.lookup import Key

KIND = "hand_over"
KEPT = timedelta(days=30)

OF_ACCOUNT = "SELECT submission_id FROM submission WHERE account = ? AND kind = 'hand_over'"
UNFINISHED = f"""
{OF_ACCOUNT} AND EXISTS (SELECT 1 FROM row WHERE row.submission_id = submission.submission_id
    AND outcome IN ('not_sent', 'in_doubt')) ORDER BY created_at, rowid
"""  # noqa: S608 - our own words
OLD = f"""
{OF_ACCOUNT} AND created_at < ? AND details LIKE '%"content"%' AND NOT EXISTS (SELECT 1 FROM row
    WHERE row.submission_id = submission.submission_id AND outcome IN ('not_sent', 'in_doubt'))
"""  # noqa: S608 - our own words
EARLIER = """
SELECT submission_id FROM row CROSS JOIN submission USING (submission_id)
WHERE account = ? AND kind = 'hand_over' AND channel_id = ? AND order_no = ? AND outcome <> 'held' LIMIT 1
"""


@dataclass(frozen=True)
class Entry:
    """What the journal knows of a hand-over's file.

    Attributes:
        content: Its bytes; None once they are no longer kept.
    """

    handover_id: str
    path: Path
    digest: str
    lines: int
    content: bytes | None


def details_of(path: Path, content: bytes, lines: int) -> dict[str, str | int]:
    """Write a file down for the journal."""
    packed = base64.b64encode(zlib.compress(content)).decode()
    return {"path": str(path), "digest": digest_of(content), "lines": lines, "content": packed}


def entry_of(head: Head) -> Entry:
    """Read a hand-over from the journal.

    Raises:
        InvalidRequestError: The submission is no hand-over.
    """
    if head.kind != KIND or head.details is None:
        raise InvalidRequestError(f"{head.submission_id} is no hand-over: list_submissions() shows which are.")
    told = msgspec.json.decode(head.details)
    packed = told.get("content")
    content = None if packed is None else zlib.decompress(base64.b64decode(packed))
    return Entry(head.submission_id, Path(told["path"]), told["digest"], told["lines"], content)


def unfinished(journal: Journal, account: str, channels: Collection[str] | None) -> list[Head]:
    """List the hand-overs of these channels with orders that are not acknowledged for sure, oldest first."""
    names = [str(name) for part in journal.select(UNFINISHED, (account,)) for (name,) in part]
    return [
        journal.head(name)
        for name in names
        if channels is None or any(row.channel_id in channels for row in journal.rows(name))
    ]


def handed_over(journal: Journal, account: str, keys: Collection[Key]) -> dict[Key, str]:
    """Tell which orders are in an earlier hand-over, and in which."""
    found: dict[Key, str] = {}
    for key in keys:
        for part in journal.select(EARLIER, (account, *key)):
            found[key] = str(part[0][0])
    return found


def was_seen(journal: Journal, handover_id: str) -> bool:
    """Tell whether a hand-over's file ever got its name; otherwise its orders came again in a later one."""
    return any(row.outcome != "held" for row in journal.rows(handover_id))


def forget_old(journal: Journal, account: str, now: datetime) -> None:
    """Take files that are older than they are kept out of the journal."""
    before = (now - KEPT).isoformat()
    for name in [str(name) for part in journal.select(OLD, (account, before)) for (name,) in part]:
        told = msgspec.json.decode(journal.head(name).details or "{}")
        told.pop("content", None)
        journal.set_details(name, msgspec.json.encode(told).decode())
