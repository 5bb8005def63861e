"""A submission in a few words: one line, or a note with what to do next."""

from __future__ import annotations

from cenports_nb.rendering.note import render_note
from cenports_nb.submissions.journal.models import Head
from cenports_nb.submissions.tracking.next_steps import NEXT
from cenports_nb.submissions.tracking.snapshot import Snapshot


def line_of(seen: Snapshot, *, dry: bool) -> str:
    """Write it as one line."""
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in seen.outcomes.items()) or "nothing to send"
    overdue = sum(view.overdue for view in seen.batches)
    late = f"; {overdue} of them overdue" if overdue else ""
    batches = f"{len(seen.batches)} batch{'' if len(seen.batches) == 1 else 'es'}"
    return f"<{'Dry run' if dry else 'Submission'} {seen.submission_id}, {batches}{late}: {told}>"


def page_of(seen: Snapshot, head: Head, *, dry: bool) -> str:
    """Write it as a note in HTML: whose, why, how many rows of each outcome, and the call that goes on."""
    facts = {
        "account": f"{head.environment}, partner {head.partner_id}",
        "made": f"{head.created_at[:16].replace('T', ' ')} UTC",
    }
    facts |= {name: text for name, text in (("reason", head.reason), ("reference", head.reference)) if text}
    facts |= {outcome.replace("_", " "): _rows(number) for outcome, number in seen.outcomes.items()}
    if not seen.outcomes:
        facts["rows"] = "nothing to send"
    overdue = sum(view.overdue for view in seen.batches)
    if overdue:
        facts["overdue"] = f"{overdue:,} of {len(seen.batches):,} batches; nothing is lost, ask again later"
    steps = [
        (f"{seen.count(outcome):,} {outcome.replace('_', ' ')}, {why}", f"submission.{word}()")
        for outcome, (word, why) in NEXT.items()
        if seen.count(outcome) and not dry
    ]
    if seen.count("held") and not dry:
        steps.append((f"{seen.count('held'):,} held: a guard objects, or a person left them out", "submission.held"))
    return render_note(f"{'Dry run' if dry else 'Submission'} {seen.submission_id}", facts, steps)


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"
