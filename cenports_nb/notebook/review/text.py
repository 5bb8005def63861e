"""A review as text and HTML, for a terminal and a saved notebook."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import replace

from cenports_nb.api.client import Client
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.notebook.grid.static_table import render_static_table
from cenports_nb.notebook.grid.widget import RowMask
from cenports_nb.notebook.review.decision import Decision, WarehouseTotal, list_accepted, sum_by_warehouse
from cenports_nb.notebook.review.review_table import ReviewTable
from cenports_nb.rendering.text import format_count
from cenports_nb.stock.plans.plan_text import format_plan
from cenports_nb.submissions.objections import is_blocking
from cenports_nb.submissions.submission import Submission

MAX_ACCEPTED_NAMES = 5
"""Maximum accepted objections that a sentence names, as in review.js."""

STYLE = """
<style>
.cn-reviewed{font-size:13px;line-height:1.45;margin:4px 0;color:var(--jp-content-font-color1,inherit)}
.cn-reviewed summary{cursor:pointer}
.cn-reviewed .doubt{border-left:4px solid currentColor;padding-left:10px;margin:5px 0}
</style>
"""


def describe_account(client: Client) -> str:
    """Name the account to be changed."""
    return f"{client.settings.environment}, partner {client.settings.partner_id}"


def format_title(table: ReviewTable, client: Client) -> str:
    """Return the title of a review."""
    return f"Review of {format_count(len(table.frame), 'change')} of stock — {describe_account(client)}"


def render_review(
    table: ReviewTable,
    decision: Decision,
    client: Client,
    default_reason: str,
    note: str,
    *,
    folded: bool = False,
) -> str:
    """Render the plan with its ticks as a saved notebook shows it, everything escaped.

    Args:
        table: The plan.
        decision: The current decision.
        client: The account.
        default_reason: The reason for rows that are left out without one.
        note: The state of the review, in one sentence.
        folded: Fold the rows below a line.
    """
    rows = len(table.frame)
    selected = decision.selected(rows)
    why = ["" if on else decision.reasons.get(i) or default_reason for i, on in enumerate(selected.tolist())]
    # Rows that need attention come first, because only some rows are shown.
    frame = table.frame.take(_move_first(table.has_objection | ~selected))
    positions = frame.index.tolist()
    table_html = render_static_table(
        frame,
        [replace(column, hidden=column.name == "guard") for column in table.columns],
        selected=selected[positions],
        live={"why": [why[i] for i in positions]},
        what="row of the plan",
    )
    objections_html = "".join(
        f'<div class="doubt">! {html.escape(text)} — {"accepted" if guard in decision.accepted else "not accepted"}</div>'
        for guard, text in zip(table.general_objections["guard"], table.general_objections["message"], strict=True)
    )
    totals = "".join(f"<div>{html.escape(line)}</div>" for line in format_totals(sum_by_warehouse(table, decision)))
    body = f"{objections_html}{table_html}{totals}"
    head = f"<b>{html.escape(format_title(table, client))}</b><div>{html.escape(note)}</div>"
    if folded:
        body = f"<details><summary>The plan as it was reviewed</summary>{body}</details>"
    return f'{STYLE}<div class="cn-reviewed">{head}{body}</div>'


def _move_first(first: RowMask) -> list[int]:
    """Move some rows first, keeping the order of both parts."""
    return [*first.nonzero()[0].tolist(), *(~first).nonzero()[0].tolist()]


def format_review(table: ReviewTable, decision: Decision, client: Client, note: str) -> str:
    """Format the plan with its totals as text for a terminal."""
    plan = table.frame[["warehouse_code", "product_sku", "now", "new", "change"]]
    totals = "\n".join(format_totals(sum_by_warehouse(table, decision)))
    return f"{format_title(table, client)}\n{note}\n\n{format_plan(plan, table.objections)}\n\nTicked:\n{totals}"


def format_totals(totals: Sequence[WarehouseTotal]) -> list[str]:
    """Format totals, one line each."""
    return [
        f"{total.warehouse_code}: {format_count(total.rows, 'row')} ticked, {format_count(total.more, 'unit')} more, "
        f"{format_count(total.less, 'unit')} less, {total.left_out:,} left out"
        for total in totals
    ]


def describe_accepted(table: ReviewTable, decision: Decision) -> str:
    """Name the accepted objections, as in "1 objection accepted: 0001 max_drop"; empty if there are none.

    Of a plan for several warehouses, the warehouse is named too.
    """
    accepted = list_accepted(table, decision)
    of_rows, general = accepted[~is_blocking(accepted)], accepted[is_blocking(accepted)]
    key = STOCK_KEYS if table.frame["warehouse_code"].nunique() > 1 else ["product_sku"]
    names = of_rows[[*key, "guard"]].agg(" ".join, axis=1).tolist() if len(of_rows) else []
    names += general["guard"].unique().tolist()
    if not names:
        return ""
    hidden = len(names) - MAX_ACCEPTED_NAMES
    more = f" and {hidden:,} more" if hidden > 0 else ""
    return f"{format_count(len(names), 'objection')} accepted: {', '.join(names[:MAX_ACCEPTED_NAMES])}{more}"


def describe_dry_run(dry: Submission, client: Client, accepted: str) -> list[str]:
    """Describe a dry run: what would be sent where, what would not, and which objections are accepted."""
    rows = dry.changes
    sent_rows = rows[rows["outcome"] == "not_sent"]
    before = sent_rows["before_quantity"].fillna(sent_rows["current_quantity"]).fillna(0)
    change = (
        (sent_rows["quantity"] - before).where(sent_rows["type"] == "TRUE_UP", sent_rows["quantity"]).astype("int64")
    )
    requests = sent_rows["batch"].nunique()
    lines = [
        f"Dry run: {format_count(len(sent_rows), 'row')} would go to {describe_account(client)} in {format_count(requests, 'request')}; nothing was sent."
    ]
    for code in sent_rows["warehouse_code"].unique():
        warehouse_change = change[(sent_rows["warehouse_code"] == code).to_numpy()]
        lines.append(
            f"{code}: {format_count(len(warehouse_change), 'row')}, {format_count(int(warehouse_change.clip(lower=0).sum()), 'unit')} more, "
            f"{format_count(int(-warehouse_change.clip(upper=0).sum()), 'unit')} less than the stock of this moment"
        )
    held = len(rows) - len(sent_rows)
    if held:
        lines.append(f"{format_count(held, 'row')} would be held, with the reasons beside them.")
    return [*lines, f"{accepted}."] if accepted else lines
