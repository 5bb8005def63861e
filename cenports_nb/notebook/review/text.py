"""What a review says: in a terminal, in a saved notebook, and in a sentence."""

from __future__ import annotations

import html
from collections.abc import Sequence

from cenports_nb.api.client import Client
from cenports_nb.notebook.grid.row_selection import Mask
from cenports_nb.notebook.grid.static_table import still_of
from cenports_nb.notebook.review.decision import Decision, Total, totals_of
from cenports_nb.notebook.review.review_table import Sheet
from cenports_nb.stock.plans.plan_text import format_plan
from cenports_nb.submissions.submission import Submission

STYLE = """
<style>
.cn-reviewed{font-size:13px;line-height:1.45;margin:4px 0;color:var(--jp-content-font-color1,inherit)}
.cn-reviewed summary{cursor:pointer}
.cn-reviewed .doubt{border-left:4px solid currentColor;padding-left:10px;margin:5px 0}
</style>
"""


def many(number: int, what: str) -> str:
    """Write a number of things."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def where_of(client: Client) -> str:
    """Name the account that would be changed."""
    return f"{client.settings.environment}, partner {client.settings.partner_id}"


def title_of(sheet: Sheet, client: Client) -> str:
    """Say what is reviewed."""
    return f"Review of {many(len(sheet.frame), 'change')} of stock — {where_of(client)}"


def page_of(sheet: Sheet, decision: Decision, client: Client, usual: str, said: str, *, folded: bool = False) -> str:
    """Draw the plan with its ticks, as a saved notebook shows it; everything in it is escaped.

    Args:
        sheet: What is reviewed.
        decision: As it stands.
        client: Whose stock it is.
        usual: Why rows are left out of which nobody said why.
        said: One sentence: how far it came.
        folded: Whether the rows unfold below a line.
    """
    rows = len(sheet.frame)
    ticked = decision.ticked(rows)
    why = ["" if on else decision.reasons.get(i) or usual for i, on in enumerate(ticked.tolist())]
    # What is out of the usual comes first, since only some rows are shown.
    frame = sheet.frame.take(_steady(sheet.doubted | ~ticked))
    places = frame.index.tolist()
    table = still_of(
        frame, sheet.columns, ticked=ticked[places], live={"why": [why[i] for i in places]}, what="row of the plan"
    )
    doubts = "".join(
        f'<div class="doubt">! {html.escape(text)} — {"accepted" if guard in decision.accepted else "not accepted"}</div>'
        for guard, text in zip(sheet.of_all["guard"], sheet.of_all["message"], strict=True)
    )
    totals = "".join(f"<div>{html.escape(line)}</div>" for line in lines_of(totals_of(sheet, decision)))
    body = f"{doubts}{table}{totals}"
    head = f"<b>{html.escape(title_of(sheet, client))}</b><div>{html.escape(said)}</div>"
    if folded:
        body = f"<details><summary>The plan as it was reviewed</summary>{body}</details>"
    return f'{STYLE}<div class="cn-reviewed">{head}{body}</div>'


def _steady(first: Mask) -> list[int]:
    """Order rows so that some come first, each part in the order of the plan."""
    return [*first.nonzero()[0].tolist(), *(~first).nonzero()[0].tolist()]


def text_of(sheet: Sheet, decision: Decision, client: Client, said: str) -> str:
    """Write the plan with its totals as text for a terminal."""
    plan = sheet.frame[["warehouse_code", "product_sku", "now", "new", "change"]]
    totals = "\n".join(lines_of(totals_of(sheet, decision)))
    return f"{title_of(sheet, client)}\n{said}\n\n{format_plan(plan, sheet.objections)}\n\nTicked:\n{totals}"


def lines_of(totals: Sequence[Total]) -> list[str]:
    """Write totals, a line each."""
    return [
        f"{one.warehouse_code}: {many(one.rows, 'row')} ticked, {many(one.more, 'unit')} more, "
        f"{many(one.less, 'unit')} less, {one.left_out:,} left out"
        for one in totals
    ]


def tried_of(dry: Submission, client: Client) -> list[str]:
    """Say what a dry run found: what would be sent, where to, and what would not."""
    rows = dry.changes
    going = rows[rows["outcome"] != "held"]
    before = going["before_quantity"].fillna(going["current_quantity"]).fillna(0)
    change = (going["quantity"] - before).where(going["type"] == "TRUE_UP", going["quantity"]).astype("int64")
    requests = going["batch"].nunique()
    lines = [
        f"Dry run: {many(len(going), 'row')} would go to {where_of(client)} in {many(requests, 'request')}; nothing was sent."
    ]
    for code in going["warehouse_code"].unique():
        of_it = change[(going["warehouse_code"] == code).to_numpy()]
        lines.append(
            f"{code}: {many(len(of_it), 'row')}, {many(int(of_it.clip(lower=0).sum()), 'unit')} more, "
            f"{many(int(-of_it.clip(upper=0).sum()), 'unit')} less than the stock of this moment"
        )
    held = len(rows) - len(going)
    if held:
        lines.append(f"{many(held, 'row')} would be held, with the reasons beside them.")
    return lines
