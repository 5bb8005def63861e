"""Snapshots of submissions as tables: HTML for a notebook, text for a terminal, from the same data."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime, timedelta

from cenports_nb.transactions.snapshot import BatchView, Snapshot

OUTCOMES = {
    "applied": ("✓", "ok"),
    "pending": ("…", "wait"),
    "unconfirmed": ("?", "warn"),
    "in_doubt": ("?", "warn"),
    "held": ("‖", "warn"),
    "rejected": ("✗", "bad"),
    "not_applied": ("✗", "bad"),
    "not_sent": ("✗", "bad"),
}
"""Each outcome's sign and colour; a sign beside each colour, because colour is never the only one."""

MOST_MESSAGES = 5

LATE = '<br><span class="warn">! overdue</span>'

STYLE = """
<style>
.cn-tracker{font-size:13px;line-height:1.45;margin:4px 0;max-width:100%;overflow-x:auto}
.cn-tracker table{border-collapse:collapse;margin:4px 0}
.cn-tracker th,.cn-tracker td{padding:3px 12px 3px 0;text-align:left;vertical-align:top;
 border-bottom:1px solid rgba(128,128,128,.3)}
.cn-tracker th{font-weight:600}
.cn-tracker td.n,.cn-tracker th.n{text-align:right;font-variant-numeric:tabular-nums}
.cn-tracker .ok{color:#1a7f5a}.cn-tracker .bad{color:#c03a4f;font-weight:600}
.cn-tracker .warn{color:#a46a00;font-weight:600}.cn-tracker .wait{color:#5b7fb4}
.cn-tracker .msg{font-size:12px;opacity:.85}
</style>
"""


def html_of(snapshots: Sequence[Snapshot], note: str = "") -> str:
    """Draw submissions as one HTML table; every text that came from outside is escaped."""
    parts = [STYLE, '<div class="cn-tracker">']
    for seen in snapshots:
        parts.append(f"<div><b>Submission {html.escape(seen.submission_id)}</b> — {_state(seen)}</div>")
        if seen.batches:
            parts.append(
                "<table><tr><th>Batch</th><th>Warehouse</th><th>Status</th>"
                '<th class="n">Rows</th><th>Outcome</th><th class="n">Age</th><th>Messages</th></tr>'
            )
            parts += [_row(batch, seen.at) for batch in seen.batches]
            parts.append("</table>")
    parts.append(f'<div class="msg">{html.escape(note)}</div></div>' if note else "</div>")
    return "".join(parts)


def text_of(snapshots: Sequence[Snapshot]) -> str:
    """Write submissions as text for a terminal."""
    lines: list[str] = []
    for seen in snapshots:
        lines.append(f"Submission {seen.submission_id}: {_state(seen)}")
        for batch in seen.batches:
            told = ", ".join(f"{number:,} {outcome}" for outcome, number in batch.outcomes.items())
            lines.append(
                f"  {batch.batch:>3}  {batch.place:<16} {batch.status + (', overdue' if batch.overdue else ''):<12} {batch.rows:>6,} rows  "
                f"{told}  {_age(batch, seen.at)}"
            )
            lines += [f"       {sku}: {message}" for sku, message in batch.messages[:MOST_MESSAGES]]
    return "\n".join(lines)


def _state(seen: Snapshot) -> str:
    rows = sum(batch.rows for batch in seen.batches)
    if not rows:
        return "nothing to send"
    if not seen.settled:
        return f"{rows - seen.count('pending'):,} of {rows:,} rows settled"
    good = seen.count("applied")
    return f"all {rows:,} rows applied" if good == rows else f"{good:,} of {rows:,} rows applied"


def _row(batch: BatchView, at: datetime) -> str:
    outcomes = "<br>".join(
        f'<span class="{OUTCOMES.get(outcome, ("", "warn"))[1]}">{OUTCOMES.get(outcome, ("?", ""))[0]} '
        f"{number:,} {html.escape(outcome.replace('_', ' '))}</span>"
        for outcome, number in batch.outcomes.items()
    )
    messages = [f"<b>{html.escape(sku)}</b>: {html.escape(message)}" for sku, message in batch.messages[:MOST_MESSAGES]]
    if batch.told > MOST_MESSAGES:
        messages.append(f"and {batch.told - MOST_MESSAGES:,} more in .outcomes")
    return (
        f"<tr><td>{batch.batch}</td><td>{html.escape(batch.place)}</td>"
        f'<td>{html.escape(batch.status)}{LATE if batch.overdue else ""}</td><td class="n">{batch.rows:,}</td><td>{outcomes}</td>'
        f'<td class="n">{_age(batch, at)}</td><td class="msg">{"<br>".join(messages)}</td></tr>'
    )


def _age(batch: BatchView, at: datetime) -> str:
    """Say how long a batch took, or has been under way."""
    if batch.submitted_at is None:
        return ""
    end = batch.completed_at or at
    if batch.submitted_at.tzinfo is None or end.tzinfo is None:
        return ""
    seconds = max(0, int((end - batch.submitted_at) / timedelta(seconds=1)))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
