"""What a history met: every transition of its rows and batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.rules.models import Row


def cover_transitions(journal: Journal, rows: Mapping[str, Sequence[Row]], cover: Callable[[str], None]) -> None:
    """Count every transition that a row or batch went through.

    Args:
        journal: Where they are.
        rows: As they were submitted, by submission.
        cover: Counts one.
    """
    for name, submitted in rows.items():
        outcomes = {row.item: row.outcome for row in submitted}
        query = "SELECT item, outcome FROM event WHERE submission_id = ? ORDER BY rowid"
        for item, outcome in journal.select_all(query, name):
            if outcomes[item] != outcome:
                cover(f"row {outcomes[item]} > {outcome}")
                outcomes[item] = outcome
        states = {batch.batch: "planned" for batch in journal.batches(name)}
        query = "SELECT batch, state FROM batch_event WHERE submission_id = ? ORDER BY rowid"
        for batch, state in journal.select_all(query, name):
            if states[batch] != state:
                cover(f"batch {states[batch]} > {state}")
                states[batch] = state
