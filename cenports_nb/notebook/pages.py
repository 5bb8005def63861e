"""Parts of a report page: headline numbers, tables with a limit, a callout, the result at the end."""

from __future__ import annotations

import html
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
from IPython.display import HTML, Image, display
from matplotlib import pyplot as plt

from cenports_nb.frames.pii import SHOWN, mask_pii
from cenports_nb.frames.provenance import provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cenports_nb.transactions.submission import Submission

RESULT = "application/vnd.cenports-nb.result+json"
"""Where a report leaves what its exit code depends on."""

STYLE = """
<style>
.cn-cards{display:flex;flex-wrap:wrap;gap:10px;margin:10px 0}
.cn-card{border:1px solid rgba(128,128,128,.35);border-radius:6px;padding:9px 15px;min-width:118px}
.cn-card b{display:block;font-size:23px;line-height:1.25;font-variant-numeric:tabular-nums}
.cn-card span{font-size:12.5px;opacity:.8}
.cn-card.bad{border-left:5px solid #bb5566}.cn-card.ok{border-left:5px solid #228866}
.cn-note{border-left:4px solid #4477aa;padding:5px 12px;margin:10px 0;background:rgba(68,119,170,.09)}
.cn-note.bad{border-color:#bb5566;background:rgba(187,85,102,.1)}
.cn-table{overflow-x:auto}
.cn-table table{border-collapse:collapse;font-size:13px;margin:8px 0}
.cn-table th,.cn-table td{padding:3px 14px 3px 0;text-align:left;
 border-bottom:1px solid rgba(128,128,128,.28)}
.cn-table th{font-weight:600;border-bottom:1.5px solid rgba(128,128,128,.6)}
.cn-table .n{text-align:right;font-variant-numeric:tabular-nums}
.cn-table caption{caption-side:bottom;text-align:left;font-size:12.5px;opacity:.8;padding-top:5px}
</style>
"""


def headline(numbers: Mapping[str, int | float | str], bad: Sequence[str] = ()) -> HTML:
    """Show the few numbers that matter, named with their unit; those in `bad` are marked if not 0."""
    cards = []
    for name, value in numbers.items():
        marked = "" if name not in bad else " bad" if value else " ok"
        sign = "" if not marked else "⚠ " if value else "✓ "
        cards.append(f'<div class="cn-card{marked}"><b>{sign}{_cell(value)}</b><span>{html.escape(name)}</span></div>')
    return HTML(f'{STYLE}<div class="cn-cards">{"".join(cards)}</div>')


def note(text: str, *, bad: bool = False) -> HTML:
    """Say one thing that must not be missed."""
    return HTML(f'{STYLE}<div class="cn-note{" bad" if bad else ""}">{html.escape(text)}</div>')


def table(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    *,
    limit: int = 20,
    empty: str = "No rows.",
    signed: Sequence[str] = (),
) -> HTML:
    """Show some columns of a frame under readable headers, the first rows only, everything escaped.

    Personal data is masked, unless the frame comes from `show_pii`.

    Args:
        frame: Any frame.
        columns: Column to header, in order.
        limit: Rows shown; how many there are is said below.
        empty: What stands there instead of an empty table.
        signed: Columns that show a change, with + or − in front.
    """
    if frame.empty:
        return note(empty)
    shown = frame[list(columns)].head(limit)
    shown = shown if SHOWN in frame.attrs else mask_pii(shown)
    numeric = [name for name in columns if pd.api.types.is_numeric_dtype(frame[name]) and frame[name].dtype != bool]
    heads = "".join(
        f'<th{_class(name in numeric)} scope="col">{html.escape(text)}</th>' for name, text in columns.items()
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td{_class(name in numeric)}>{_change(value) if name in signed else _cell(value)}</td>"
            for name, value in zip(columns, values, strict=True)
        )
        + "</tr>"
        for values in shown.itertuples(index=False, name=None)
    )
    more = f"<caption>{limit:,} of {len(frame):,} rows.</caption>" if len(frame) > limit else ""
    return HTML(f'{STYLE}<div class="cn-table"><table>{more}<tr>{heads}</tr>{rows}</table></div>')


def chart(ax: Axes) -> Image:
    """Show a chart as a picture, whatever backend matplotlib has; its title is the text for those who can't see it."""
    figure: Any = ax.get_figure(root=True)  # an Axes that was drawn on has one
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    plt.close(figure)
    return Image(picture.getvalue(), format="png", alt=ax.get_title(loc="left"))


def origin(frames: Mapping[str, pd.DataFrame], submission: Submission | None = None) -> None:
    """Show where the frames of a report come from, and leave the result for the one who ran it."""
    found = {name: provenance(frame) for name, frame in frames.items()}
    known = {name: item for name, item in found.items() if item is not None}
    shown = pd.DataFrame(
        [
            {
                "frame": name,
                "source": item.source,
                "as_of": f"{item.as_of:%Y-%m-%d %H:%M:%S} UTC" if item.as_of else "",
                "rows": item.rows,
                "rejected": item.rejected,
                "complete": "yes" if item.complete else "NO",
                "partner": f"{item.partner_id} ({item.environment})",
            }
            for name, item in known.items()
        ]
    )
    headers = {
        "frame": "frame", "source": "from", "as_of": "as of", "rows": "rows", "rejected": "rejected",
        "complete": "complete", "partner": "account",
    }  # fmt: skip
    outcomes = submission.outcomes["outcome"] if submission is not None else pd.Series([], dtype="str")
    result = {
        "rejected": sum(item.rejected for item in known.values()),
        "incomplete": sum(not item.complete for item in known.values()),
        "in_doubt": int(outcomes.isin(["in_doubt", "pending", "unconfirmed"]).sum()),
        "failed": int(outcomes.isin(["rejected", "not_applied", "not_sent", "held"]).sum()),
    }
    bundle = {"text/html": table(shown, headers).data, "text/plain": str(result), RESULT: result}
    display(bundle, raw=True)


def _class(numeric: bool) -> str:
    return ' class="n"' if numeric else ""


def _change(value: Any) -> str:
    """Write a change with its sign."""
    return "" if pd.isna(value) else f"{value:+,}".replace("-", "−")


def _cell(value: Any) -> str:
    """Write one value for a person: thousands apart, nothing for null, yes and no in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    return html.escape(str(value))
