"""The next step for rows of each outcome: one table, for the command line and the notebook."""

from __future__ import annotations

from collections.abc import Mapping

NEXT_STEPS: Mapping[str, tuple[str, str]] = {
    "pending": ("wait", "Cenports takes up to 15 minutes"),
    "unconfirmed": ("verify", "the transaction ended without naming them; the stock tells"),
    "in_doubt": ("verify", "no answer was seen, and the stock tells"),
    "not_sent": ("resume", "nothing of them left"),
    "rejected": ("retry", "fix first what Cenports objects to"),
    "not_applied": ("retry", "the stock shows that nothing happened"),
}
"""The method to call next, and why, by outcome."""
