"""The rows of batches, folded: plain HTML that unfolds without a kernel."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

from cenports_nb.rendering.note import NO_MATHJAX
from cenports_nb.rendering.text import format_count
from cenports_nb.submissions.tracking.snapshot import BatchView, RowView, Snapshot
from cenports_nb.submissions.tracking.status_table import render_outcome, select_batches

MAX_DETAIL_ROWS = 400
"""Maximum rows of all batches together, so that a saved notebook stays small and the page fast."""
MAX_BATCHES = 40
ROW_DETAIL_SLOTS = 10
"""Outputs over which the batches of a tracker are spread, so that a change replaces one of them."""

ReadRows = Callable[[str, int, int], Sequence[RowView]]
"""Reads rows of a batch: submission id, batch number, maximum rows."""


def render_row_details(snapshots: Sequence[Snapshot], read_rows: ReadRows) -> list[str]:
    """Render the rows of each batch below a line that unfolds them, as at most `ROW_DETAIL_SLOTS` parts of HTML.

    Args:
        snapshots: One for each submission.
        read_rows: Reads the rows of a batch.
    """
    shown = [(snapshot, batch) for snapshot in snapshots for batch in select_batches(snapshot.batches, MAX_BATCHES)][
        :MAX_BATCHES
    ]
    if not shown:
        return []
    limit = max(1, MAX_DETAIL_ROWS // len(shown))
    name_submission = len(snapshots) > 1
    batches = [
        _render_batch(snapshot, batch, read_rows(snapshot.submission_id, batch.batch, limit), name_submission)
        for snapshot, batch in shown
    ]
    hidden = sum(len(snapshot.batches) for snapshot in snapshots) - len(shown)
    if hidden:
        batches.append(f'<div class="msg">The rows of {hidden:,} more batches are in submission.outcomes.</div>')
    parts = [*batches[: ROW_DETAIL_SLOTS - 1], "".join(batches[ROW_DETAIL_SLOTS - 1 :])]
    return [f'<div class="cn-rows {NO_MATHJAX}">{part}</div>' for part in parts if part]


def _render_batch(snapshot: Snapshot, batch: BatchView, rows: Sequence[RowView], name_submission: bool) -> str:
    # The table above lists the batches; these lines only unfold them.
    what = (
        f"{format_count(batch.rows, 'row')} never sent, {html.escape(batch.place)}"
        if batch.withheld
        else f"Rows of batch {batch.batch}"
    )
    of = f" of submission {html.escape(snapshot.submission_id)}" if name_submission else ""
    line = f"<summary>{what}{of}</summary>"
    stock = any(row.after is not None for row in rows)
    heads = (
        '<th scope="col">SKU</th><th scope="col" class="n">Stock before</th><th scope="col" class="n">Stock after</th>'
    )
    if not stock:
        heads = '<th scope="col">Order</th>'
    body = "".join(_render_row(row, stock) for row in rows)
    hidden = batch.rows - len(rows)
    more = f'<div class="msg">and {hidden:,} more rows: submission.outcomes has all of them</div>' if hidden > 0 else ""
    return (
        f'<details>{line}<table aria-label="Rows of batch {batch.batch}"><thead><tr>{heads}<th scope="col">Outcome</th><th scope="col">Message</th></tr></thead>'
        f"<tbody>{body}</tbody></table>{more}</details>"
    )


def _render_row(row: RowView, stock: bool) -> str:
    numbers = (
        f'<td class="n">{_format_units(row.before)}</td><td class="n">{_format_units(row.after)}</td>' if stock else ""
    )
    return (
        f"<tr><td>{html.escape(row.name)}</td>{numbers}<td>{render_outcome(row.outcome, html.escape(row.outcome.replace('_', ' ')))}</td>"
        f'<td class="msg">{html.escape(row.message or "")}</td></tr>'
    )


def _format_units(units: int | None) -> str:
    return "" if units is None else f"{units:,}"
