"""A review as text and HTML, for a terminal and a saved notebook."""

from __future__ import annotations

import html
from dataclasses import replace

from cenports_nb.api.client import Client
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.notebook.grid.static_table import render_static_table
from cenports_nb.notebook.grid.widget import RowMask
from cenports_nb.notebook.review.decision import Decision, list_accepted
from cenports_nb.notebook.review.review_table import ReviewTable
from cenports_nb.rendering.text import format_count, list_names
from cenports_nb.stock.plans.plan_text import format_plan, sum_by_warehouse
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
    totals = "".join(f"<div>{html.escape(line)}</div>" for line in format_totals(table, decision))
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
    totals = "\n".join(format_totals(table, decision))
    return f"{format_title(table, client)}\n{note}\n\n{format_plan(plan, table.objections)}\n\nTicked:\n{totals}"


def format_totals(table: ReviewTable, decision: Decision) -> list[str]:
    """Say what the selected rows of each warehouse do, and how many are left out, one line each."""
    codes, selected = table.frame["warehouse_code"], decision.selected(len(table.frame))
    change = table.frame["change"].fillna(0)
    sums = sum_by_warehouse(codes[selected], change[selected]).reindex(codes.unique(), fill_value=0)
    return [
        f"{code}: {format_count(rows, 'row')} ticked, {format_count(more, 'unit')} more, {format_count(less, 'unit')} less, "
        f"{int((codes[~selected] == code).sum()):,} left out"
        for code, rows, more, less in sums.itertuples(name=None)
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
    return f"{format_count(len(names), 'objection')} accepted: {list_names(names, MAX_ACCEPTED_NAMES)}"


def describe_dry_run(dry: Submission, client: Client, accepted: str) -> list[str]:
    """Describe a dry run: what would be sent where, what would not, and which objections are accepted."""
    every = dry.changes
    sent_rows = every[every["outcome"] == "not_sent"]
    before = sent_rows["before_quantity"].fillna(sent_rows["current_quantity"]).fillna(0)
    change = (sent_rows["quantity"] - before).where(sent_rows["type"] == "TRUE_UP", sent_rows["quantity"])
    requests = sent_rows["batch"].nunique()
    lines = [
        f"Dry run: {format_count(len(sent_rows), 'row')} would go to {describe_account(client)} in {format_count(requests, 'request')}; nothing was sent."
    ]
    lines += [
        f"{code}: {format_count(rows, 'row')}, {format_count(more, 'unit')} more, {format_count(less, 'unit')} less than the stock of this moment"
        for code, rows, more, less in sum_by_warehouse(sent_rows["warehouse_code"], change).itertuples(name=None)
    ]
    held = len(every) - len(sent_rows)
    if held:
        lines.append(f"{format_count(held, 'row')} would be held, with the reasons beside them.")
    return [*lines, f"{accepted}."] if accepted else lines
