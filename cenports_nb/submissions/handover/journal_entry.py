"""A hand-over in the journal: the bytes of its file, and its orders.

The file is stored so that it can be written again after a crash, or repeated without a request to Cenports. Because it
has addresses, it is deleted from the journal after 30 days; the list of orders stays.
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
from cenports_nb.rendering.surface import name_submission_list
from cenports_nb.submissions.handover.output_file import hash_content
from cenports_nb.submissions.journal.reader import list_unfinished
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.ports import OrderKey
from cenports_nb.submissions.rules.models import Head

HANDOVER_KIND = "hand_over"
FILE_RETENTION = timedelta(days=30)

EXPIRED_SQL = """
SELECT submission_id FROM submission WHERE account = ? AND kind = 'hand_over' AND created_at < ?
    AND details LIKE '%"content"%' AND NOT EXISTS (SELECT 1 FROM row
    WHERE row.submission_id = submission.submission_id AND outcome IN ('not_sent', 'sending', 'in_doubt'))
"""
EARLIER_SQL = """
SELECT submission_id FROM row CROSS JOIN submission USING (submission_id)
WHERE account = ? AND kind = 'hand_over' AND channel_id = ? AND order_no = ? AND outcome <> 'held' LIMIT 1
"""


@dataclass(frozen=True)
class JournalEntry:
    """What the journal knows about a hand-over's file.

    Attributes:
        content: Its bytes; None once they are deleted.
        is_published: Whether the file is known to have had its name.
    """

    handover_id: str
    path: Path
    digest: str
    lines: int
    content: bytes | None
    is_published: bool

    @classmethod
    def from_head(cls, head: Head) -> JournalEntry:
        """Read a hand-over from the journal.

        Raises:
            InvalidRequestError: The submission isn't a hand-over.
        """
        if head.kind != HANDOVER_KIND or head.details is None:
            raise InvalidRequestError(
                f"{head.submission_id} isn't a hand-over: {name_submission_list()} shows which are."
            )
        details = msgspec.json.decode(head.details)
        packed = details.get("content")
        content = None if packed is None else zlib.decompress(base64.b64decode(packed))
        return cls(
            head.submission_id,
            Path(details["path"]),
            details["digest"],
            details["lines"],
            content,
            bool(details.get("published")),
        )


def build_details(path: Path, content: bytes, lines: int) -> dict[str, str | int]:
    """Describe a file for the journal."""
    packed = base64.b64encode(zlib.compress(content)).decode()
    return {"path": str(path), "digest": hash_content(content), "lines": lines, "content": packed}


def list_unfinished_handovers(journal: Journal, account: str, channels: Collection[str] | None) -> list[Head]:
    """List the hand-overs of these channels with orders whose acknowledgment is not certain, oldest first."""
    return [
        journal.head(name)
        for name in list_unfinished(journal, account, ("not_sent", "sending", "in_doubt"), kind=HANDOVER_KIND)
        if channels is None or any(row.channel_id in channels for row in journal.rows(name))
    ]


def find_handed_over(journal: Journal, account: str, keys: Collection[OrderKey]) -> dict[OrderKey, None]:
    """Find the orders that are in an earlier hand-over, in their order."""
    return {key: None for key in keys if journal.select_all(EARLIER_SQL, account, *key)}


def record_publication(journal: Journal, head: Head) -> None:
    """Record that a hand-over's file has its name, so that a warehouse may have it: it is never rewritten automatically."""
    details = msgspec.json.decode(head.details or "{}") | {"published": True}
    journal.set_details(head.submission_id, msgspec.json.encode(details).decode())


def is_withdrawn(journal: Journal, handover_id: str) -> bool:
    """Return whether a hand-over's file never got its name, so that its orders came again in a later one."""
    return all(row.outcome == "held" for row in journal.rows(handover_id))


def delete_expired_files(journal: Journal, account: str, now: datetime) -> None:
    """Delete expired files from the journal."""
    for (name,) in journal.select_all(EXPIRED_SQL, account, (now - FILE_RETENTION).isoformat()):
        details = msgspec.json.decode(journal.head(name).details or "{}")
        details.pop("content", None)
        journal.set_details(name, msgspec.json.encode(details).decode())
