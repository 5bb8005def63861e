"""The rows of batches, folded away: plain HTML that unfolds without a kernel."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

from cenports_nb.rendering.note import NO_MATHJAX
from cenports_nb.submissions.tracking.snapshot import BatchView, RowView, Snapshot
from cenports_nb.submissions.tracking.status_table import render_counts, render_outcome, select_batches

MOST_ROWS = 400
"""Of all folds together: a saved notebook stays small, and a page quick."""
MOST_FOLDS = 40
PLACES = 10
"""Outputs that the folds of a tracker are spread over, so that one that changes leaves the others as they were."""

Look = Callable[[str, int, int], Sequence[RowView]]
"""Rows of a batch: submission, number, how many at most."""


def folds_of(snapshots: Sequence[Snapshot], look: Look) -> list[str]:
    """Draw the rows of each batch below a line that unfolds them, as PLACES parts of a page at most.

    Args:
        snapshots: One for each submission.
        look: Where the rows are.
    """
    shown = [(seen, batch) for seen in snapshots for batch in select_batches(seen.batches, MOST_FOLDS)][:MOST_FOLDS]
    if not shown:
        return []
    most = max(1, MOST_ROWS // len(shown))
    several = len(snapshots) > 1
    folds = [_fold(seen, batch, look(seen.submission_id, batch.batch, most), several) for seen, batch in shown]
    hidden = sum(len(seen.batches) for seen in snapshots) - len(shown)
    if hidden:
        folds.append(f'<div class="msg">The rows of {hidden:,} more batches are in submission.outcomes.</div>')
    parts = [*folds[: PLACES - 1], "".join(folds[PLACES - 1 :])]
    return [f'<div class="cn-rows {NO_MATHJAX}">{part}</div>' for part in parts if part]


def _fold(seen: Snapshot, batch: BatchView, rows: Sequence[RowView], several: bool) -> str:
    of = f"Submission {html.escape(seen.submission_id)}, batch" if several else "Batch"
    place = f" · {html.escape(batch.place)}" if batch.place else ""
    told = render_counts(batch, batch.outcomes).replace("<br>", " ")
    line = f"<summary>{of} {batch.batch}{place} · {'1 row' if batch.rows == 1 else f'{batch.rows:,} rows'} · {told}</summary>"
    stock = any(row.after is not None for row in rows)
    heads = (
        '<th scope="col">SKU</th><th scope="col" class="n">Stock before</th><th scope="col" class="n">Stock after</th>'
    )
    if not stock:
        heads = '<th scope="col">Order</th>'
    body = "".join(_line(row, stock) for row in rows)
    hidden = batch.rows - len(rows)
    more = f'<div class="msg">and {hidden:,} more rows: submission.outcomes has all of them</div>' if hidden > 0 else ""
    return (
        f'<details>{line}<table aria-label="Rows of batch {batch.batch}"><thead><tr>{heads}<th scope="col">Outcome</th><th scope="col">Message</th></tr></thead>'
        f"<tbody>{body}</tbody></table>{more}</details>"
    )


def _line(row: RowView, stock: bool) -> str:
    numbers = f'<td class="n">{_number(row.before)}</td><td class="n">{_number(row.after)}</td>' if stock else ""
    return (
        f"<tr><td>{html.escape(row.name)}</td>{numbers}<td>{render_outcome(row.outcome, html.escape(row.outcome.replace('_', ' ')))}</td>"
        f'<td class="msg">{html.escape(row.message or "")}</td></tr>'
    )


def _number(units: int | None) -> str:
    return "" if units is None else f"{units:,}"
