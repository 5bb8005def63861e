"""Snapshots of submissions as tables: HTML for a notebook, text for a terminal, from the same data."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cenports_nb.rendering.note import NO_MATHJAX
from cenports_nb.rendering.text import format_count, format_duration, make_printable, pluralize
from cenports_nb.submissions.tracking.snapshot import BatchView, Snapshot
from cenports_nb.submissions.tracking.summary import NEXT_STEPS

OUTCOME_MARKS = {
    "applied": ("✓", "ok"),
    "pending": ("…", "wait"),
    "unconfirmed": ("?", "warn"),
    "in_doubt": ("?", "warn"),
    "held": ("‖", "warn"),
    "dropped": ("∅", "warn"),
    "rejected": ("✗", "bad"),
    "not_applied": ("✗", "bad"),
    "not_sent": ("✗", "bad"),
}
"""The sign and color of each outcome, so that color is never the only difference."""

COLUMNS = {
    "Batch": "", "Where": "", "Status": "", "Age": "n", "Next poll": "n", "Rows": "n", "Done": "", "Open": "",
    "Not done": "",
}  # fmt: skip
"""Headers, and whether they are numeric; the next poll is shown only while somebody polls."""

TEXT_MAX_MESSAGES = 5
HTML_MAX_MESSAGES = 2
"""Maximum messages of a batch in a notebook; its rows can be unfolded."""
MAX_BATCHES = 60
"""Maximum batches of a table, which is drawn once a second."""

SHORT_TEXT_LENGTH = 24
"""A warehouse or channel this short stays on one line."""

OVERDUE_HTML = '<br><span class="warn">! overdue</span>'

STATUS_STYLE = """
<style>
.cn-tracker,.cn-rows{--cn-ok:light-dark(#1a6e4c,#5fd0a0);--cn-bad:light-dark(#b3273d,#ff8f9f);
 --cn-warn:light-dark(#8a5600,#f0b859);--cn-wait:light-dark(#3a64a8,#8fb8ff);
 font-size:13px;line-height:1.45;margin:4px 0;max-width:100%;overflow-x:auto;color:var(--jp-content-font-color1,inherit)}
[data-jp-theme-light="false"] :is(.cn-tracker,.cn-rows),.vscode-dark :is(.cn-tracker,.cn-rows){
 --cn-ok:#5fd0a0;--cn-bad:#ff8f9f;--cn-warn:#f0b859;--cn-wait:#8fb8ff}
:is(.cn-tracker,.cn-rows) table{border-collapse:collapse;margin:4px 0;font-size:inherit}
:is(.cn-tracker,.cn-rows) :is(th,td){padding:3px 14px 3px 0!important;text-align:left!important;vertical-align:top;
 background:none!important;border:0;border-bottom:1px solid var(--jp-border-color2,rgba(128,128,128,.35));
 max-width:60em;white-space:normal!important;overflow-wrap:anywhere}
:is(.cn-tracker,.cn-rows) tr{background:none!important}
.cn-tracker tr:has(+ .m) td{border-bottom:0}
:is(.cn-tracker,.cn-rows) th{font-weight:600;white-space:nowrap!important}
:is(.cn-tracker,.cn-rows) .n{text-align:right!important;font-variant-numeric:tabular-nums;white-space:nowrap!important}
:is(.cn-tracker,.cn-rows) .o{white-space:nowrap!important}
:is(.cn-tracker,.cn-rows) :is(.ok,.bad,.warn,.wait){white-space:nowrap}
:is(.cn-tracker,.cn-rows) .ok{color:var(--cn-ok)}:is(.cn-tracker,.cn-rows) .wait{color:var(--cn-wait)}
:is(.cn-tracker,.cn-rows) .bad{color:var(--cn-bad);font-weight:600}
:is(.cn-tracker,.cn-rows) .warn{color:var(--cn-warn);font-weight:600}
.cn-rows td:is(:first-child,.msg){min-width:12em}
.cn-tracker .msg,.cn-rows .msg{font-size:12px;color:var(--jp-content-font-color1,inherit)}
.cn-tracker .h:not(:first-child){margin-top:10px}
.cn-tracker .note{border-left:3px solid currentColor;padding-left:8px;margin:6px 0}
.cn-rows summary{cursor:pointer}
.cn-rows summary:focus-visible{outline:2px solid var(--jp-brand-color1,currentColor);outline-offset:1px}
</style>
"""
"""Colors for light and dark, each with a contrast of at least 4.5 to 1; outside Jupyter the page's own text color."""


def render_status(snapshots: Sequence[Snapshot], note: str = "", *, live: bool = False) -> str:
    """Render submissions as HTML tables, with text from outside escaped.

    While somebody polls, it is `live` and shows the next poll.
    """
    parts = [STATUS_STYLE, f'<div class="cn-tracker {NO_MATHJAX}">']
    for snapshot in snapshots:
        # What is saved while it is open, or without a kernel, must not look like the final state.
        when = "" if snapshot.settled else f" at {snapshot.at:%H:%M:%S} UTC"
        parts.append(
            f'<div class="h"><b>Submission {html.escape(snapshot.submission_id)}</b> — {_describe_state(snapshot)}{when}</div>'
        )
        if any(not batch.withheld for batch in snapshot.batches):
            parts.append(_render_table(snapshot, live))
        parts += [
            f'<div class="msg">{render_counts(batch, batch.outcomes)}, never sent: {html.escape(batch.place)}</div>'
            for batch in select_batches([batch for batch in snapshot.batches if batch.withheld], MAX_BATCHES)
        ]
        parts += [f'<div class="msg">{line}</div>' for line in _render_next_steps(snapshot, live)]
    parts.append(f'<div class="note">{html.escape(note)}</div></div>' if note else "</div>")
    return "".join(parts)


def format_status(snapshots: Sequence[Snapshot]) -> str:
    """Format submissions as text for a terminal."""
    lines: list[str] = []
    for snapshot in snapshots:
        lines.append(f"Submission {snapshot.submission_id}: {_describe_state(snapshot)}")
        for batch in snapshot.batches:
            counted = ", ".join(f"{number:,} {outcome}" for outcome, number in batch.outcomes.items())
            messages = [f"       {sku}: {message}" for sku, message in batch.messages[:TEXT_MAX_MESSAGES]]
            if batch.withheld:
                lines += [f"  never sent: {counted}, {batch.place}", *messages]
                continue
            status = batch.status + (f", settled by {batch.settled_by}" if batch.settled_by else "")
            lines.append(
                f"  {batch.batch:>3}  {batch.place:<16} {status + (', overdue' if batch.overdue else ''):<12} {batch.rows:>6,} {pluralize('row', batch.rows):<4}  "
                f"{counted}  {_format_age(batch, snapshot.at)}"
            )
            lines += messages
    return "\n".join(map(make_printable, lines))


def select_batches(batches: Iterable[BatchView], limit: int) -> list[BatchView]:
    """Select the batches to show if there are too many: those that need attention, then the open ones."""
    batches = list(batches)
    chosen = sorted(batches, key=lambda batch: (_batch_priority(batch), batch.batch))[:limit]
    return sorted(chosen, key=lambda batch: batch.batch)


def render_outcome(outcome: str, text: str) -> str:
    """Mark escaped text with the sign and color of an outcome."""
    mark, colour = OUTCOME_MARKS.get(outcome, ("?", "warn"))
    return f'<span class="{colour}">{mark} {text}</span>'


def render_counts(batch: BatchView, outcomes: Iterable[str]) -> str:
    """Render how many rows of a batch have each of these outcomes."""
    return "<br>".join(
        render_outcome(name, f"{batch.outcomes[name]:,} {html.escape(name.replace('_', ' '))}")
        for name in outcomes
        if batch.outcomes.get(name)
    )


def _batch_priority(batch: BatchView) -> int:
    """Return 0 for a batch with rows that need attention, 1 for an open one, 2 for a finished one."""
    if any(number for name, number in batch.outcomes.items() if name not in ("applied", "pending")):
        return 0
    return 1 if batch.outcomes.get("pending") else 2


def _describe_state(snapshot: Snapshot) -> str:
    rows = sum(batch.rows for batch in snapshot.batches)
    if not rows:
        return "nothing to send"
    if not snapshot.settled:
        return f"{rows - snapshot.count('pending'):,} of {format_count(rows, 'row')} settled"
    good = snapshot.count("applied")
    return (
        f"all {format_count(rows, 'row')} applied"
        if good == rows > 1
        else f"{good:,} of {format_count(rows, 'row')} applied"
    )


def _render_table(snapshot: Snapshot, live: bool) -> str:
    batches = [batch for batch in snapshot.batches if not batch.withheld]
    shown = select_batches(batches, MAX_BATCHES)
    heads = "".join(
        f'<th scope="col" class="{kind}">{name}</th>' for name, kind in COLUMNS.items() if live or name != "Next poll"
    )
    rows = "".join(_render_row(batch, snapshot.at, live) for batch in shown)
    hidden = len(batches) - len(shown)
    more = f'<div class="msg">and {hidden:,} more batches: submission.transactions has all of them</div>'
    name = f'aria-label="Batches of submission {html.escape(snapshot.submission_id)}"'
    return f"<table {name}><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{more if hidden else ''}"


def _render_row(batch: BatchView, at: datetime, live: bool) -> str:
    messages = [
        f"<b>{html.escape(sku)}</b>: {html.escape(message)}" for sku, message in batch.messages[:HTML_MAX_MESSAGES]
    ]
    if batch.message_count > HTML_MAX_MESSAGES:
        messages.append(f"and {batch.message_count - HTML_MAX_MESSAGES:,} more below")
    across = len(COLUMNS) - (1 if live else 2)
    below = (
        f'<tr class="m"><td></td><td class="msg" colspan="{across}">{"<br>".join(messages)}</td></tr>'
        if messages
        else ""
    )
    settled_by = f'<br><span class="msg">settled by {batch.settled_by}</span>' if batch.settled_by else ""
    turn = f'<td class="n">{_format_next_poll(batch.next_poll)}</td>' if live else ""
    return (
        f'<tr><td>{batch.batch}</td><td class="{"o" if len(batch.place) <= SHORT_TEXT_LENGTH else ""}">{html.escape(batch.place)}</td>'
        f'<td class="o">{html.escape(batch.status)}{OVERDUE_HTML if batch.overdue else ""}{settled_by}</td>'
        f'<td class="n">{_format_age(batch, at)}</td>{turn}<td class="n">{batch.rows:,}</td>'
        f"<td>{render_counts(batch, ['applied'])}</td><td>{render_counts(batch, ['pending'])}</td>"
        f"<td>{render_counts(batch, [name for name in batch.outcomes if name not in ('applied', 'pending')])}</td></tr>{below}"
    )


def _render_next_steps(snapshot: Snapshot, live: bool) -> list[str]:
    """Describe what to do about unfinished rows; a tracker waits by itself."""
    if all(batch.status == "DRY_RUN" for batch in snapshot.batches):
        return []
    return [
        f"{render_outcome(outcome, _count_outcome(snapshot, outcome))}: {why}. <code>submission.{word}()</code> goes on."
        for outcome, (word, why) in NEXT_STEPS.items()
        if snapshot.count(outcome) and not (outcome == "pending" and live)
    ]


def _count_outcome(snapshot: Snapshot, outcome: str) -> str:
    return f"{snapshot.count(outcome):,} {outcome.replace('_', ' ')}"


def _format_next_poll(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"in {seconds:.0f} s" if seconds >= 1 else "now"


def _format_age(batch: BatchView, at: datetime) -> str:
    """Format how long a batch took, or has taken so far."""
    if batch.submitted_at is None:
        return ""
    end = batch.completed_at or at
    if batch.submitted_at.tzinfo is None or end.tzinfo is None:
        return ""
    return format_duration(max(0.0, (end - batch.submitted_at) / timedelta(seconds=1)))
