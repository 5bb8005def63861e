"""A short summary of a submission: one line, or a note with the next steps."""

from __future__ import annotations

from collections.abc import Mapping

from cenports_nb.rendering.note import render_note
from cenports_nb.rendering.text import format_count
from cenports_nb.submissions.rules.models import Head
from cenports_nb.submissions.tracking.snapshot import Snapshot

NEXT_STEPS: Mapping[str, tuple[str, str]] = {
    "pending": ("wait", "Cenports takes up to 15 minutes"),
    "unconfirmed": ("verify", "the transaction ended without naming them; the stock shows what happened"),
    "in_doubt": ("verify", "no answer was seen; the stock shows what happened"),
    "not_sent": ("resume", "nothing of them left"),
    "rejected": ("retry", "fix first what Cenports objects to"),
    "not_applied": ("retry", "the stock shows that nothing happened"),
}
"""The method to call next, and why, by outcome; for the command line too."""


def format_summary(snapshot: Snapshot, *, dry_run: bool) -> str:
    """Format a submission as one line."""
    counted = ", ".join(f"{number:,} {outcome}" for outcome, number in snapshot.outcomes.items()) or "nothing to send"
    overdue = sum(view.overdue for view in snapshot.batches)
    late = f"; {overdue} of them overdue" if overdue else ""
    batches = format_count(len(snapshot.batches), "batch")
    return f"<{'Dry run' if dry_run else 'Submission'} {snapshot.submission_id}, {batches}{late}: {counted}>"


def render_summary(snapshot: Snapshot, head: Head, *, dry_run: bool) -> str:
    """Render a note in HTML: account, reason, number of rows by outcome, and the next call."""
    facts = {
        "account": f"{head.environment}, partner {head.partner_id}",
        "made": f"{head.created_at[:16].replace('T', ' ')} UTC",
    }
    facts |= {name: text for name, text in (("reason", head.reason), ("reference", head.reference)) if text}
    facts |= {outcome.replace("_", " "): format_count(number, "row") for outcome, number in snapshot.outcomes.items()}
    if not snapshot.outcomes:
        facts["rows"] = "nothing to send"
    overdue = sum(view.overdue for view in snapshot.batches)
    if overdue:
        facts["overdue"] = f"{overdue:,} of {len(snapshot.batches):,} batches; nothing is lost, ask again later"
    steps = [
        (f"{snapshot.count(outcome):,} {outcome.replace('_', ' ')}, {why}", f"submission.{word}()")
        for outcome, (word, why) in NEXT_STEPS.items()
        if snapshot.count(outcome) and not dry_run
    ]
    if snapshot.count("held") and not dry_run:
        steps.append(
            (f"{snapshot.count('held'):,} held: a guard objects, or a person left them out", "submission.held")
        )
    return render_note(f"{'Dry run' if dry_run else 'Submission'} {snapshot.submission_id}", facts, steps)
