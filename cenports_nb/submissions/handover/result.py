"""The result of a hand-over: its orders and their acknowledgments."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from cenports_nb.rendering.text import format_count
from cenports_nb.submissions.handover.journal_entry import JournalEntry
from cenports_nb.submissions.journal.frames import build_frame
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.orders.acknowledge_orders import ACKNOWLEDGEMENT_DTYPES, read_acknowledgements
from cenports_nb.submissions.rules.models import Head

REJECTED_DTYPES = {"channel_id": "str", "order_no": "str", "reason": "str"}


@dataclass(frozen=True, eq=False)
class Handover:
    """A hand-over: its file, its orders and their acknowledgments.

    Attributes:
        handover_id: The id for `hand_over(…, resend=…)`; None if there was nothing to hand over.
        path: The file; None if there was nothing to hand over.
        lines: The number of its rows.
        outcomes: `channel_id order_no outcome message` of each order in it.
        repeated: The same for orders of earlier hand-overs that still were not acknowledged: they are not in this file,
            and were acknowledged again.
        rejected: `channel_id order_no reason` of orders that were left out: neither in the file nor acknowledged.
    """

    handover_id: str | None = None
    path: Path | None = None
    lines: int = 0
    outcomes: pd.DataFrame = field(default_factory=lambda: build_frame((), ACKNOWLEDGEMENT_DTYPES))
    repeated: pd.DataFrame = field(default_factory=lambda: build_frame((), ACKNOWLEDGEMENT_DTYPES))
    rejected: pd.DataFrame = field(default_factory=lambda: build_frame((), REJECTED_DTYPES))

    @classmethod
    def from_journal(cls, journal: Journal, head: Head) -> Handover:
        """Read the current state of a hand-over from the journal."""
        entry = JournalEntry.from_head(head)
        return cls(entry.handover_id, entry.path, entry.lines, read_acknowledgements(journal, head))

    @property
    def orders(self) -> int:
        """The number of orders in the file."""
        return len(self.outcomes)

    @property
    def acknowledged(self) -> int:
        """The number of acknowledged orders."""
        return self._count("acknowledged")

    @property
    def refused(self) -> int:
        """The number of orders whose acknowledgment Cenports refused."""
        return self._count("refused")

    @property
    def unknown(self) -> int:
        """The number of orders with unknown acknowledgment; the next hand-over checks them."""
        return self._count("unknown")

    def _count(self, outcome: str) -> int:
        return int((self.outcomes["outcome"] == outcome).sum())

    def __repr__(self) -> str:
        counts = {
            "refused": self.refused,
            "unknown": self.unknown,
            "of earlier hand-overs again": len(self.repeated),
            "left out": len(self.rejected),
        }
        more = "".join(f", {number:,} {what}" for what, number in counts.items() if number)
        if self.path is None:
            return f"<Handover: nothing to hand over{more}>"
        return (
            f"<Handover {self.handover_id}: {format_count(self.orders, 'order')}, {format_count(self.lines, 'line')} in {self.path.name}; "
            f"{self.acknowledged:,} acknowledged{more}>"
        )
