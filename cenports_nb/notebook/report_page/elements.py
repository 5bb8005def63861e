"""Parts of a report page: headline numbers, a table with a limit, a callout, a section."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import pandas as pd
from IPython.display import HTML, Markdown

from cenports_nb.frames.privacy.display import is_unmasked
from cenports_nb.frames.privacy.masking import mask_for_display
from cenports_nb.frames.provenance import read_time_zone
from cenports_nb.notebook.report_page.attachments import HEADLINE_MIME_TYPE
from cenports_nb.notebook.report_page.cells import render_rows, render_value
from cenports_nb.rendering.note import NO_MATHJAX

STYLE = """
<style>
.cn-cards{display:grid;grid-template-columns:repeat(var(--columns,4),1fr);gap:10px;margin:10px 0}
.cn-card{margin:0!important}
.cn-card b,.cn-card span{display:block}
.cn-card b{font-variant-numeric:tabular-nums}
.cn-table{overflow-x:auto}
.cn-table table{border-collapse:collapse;font-size:13px;margin:8px 0}
.cn-table th,.cn-table td{padding:3px 14px 3px 0;vertical-align:top;
 border-bottom:1px solid rgba(128,128,128,.28)}
.cn-table th{font-weight:600;vertical-align:bottom;border-bottom:1.5px solid rgba(128,128,128,.6)}
.cn-table td{max-width:26em}
.cn-table .long{overflow-wrap:anywhere}
.cn-table .n{text-align:right;font-variant-numeric:tabular-nums}
.cn-table td.n,.cn-table td.whole{white-space:nowrap}
.cn-table caption{caption-side:bottom;text-align:left;font-size:12.5px;opacity:.85;padding-top:5px}
</style>
"""
CARD_STYLE = (
    "display:inline-block;vertical-align:top;min-width:90px;margin:0 10px 10px 0;padding:9px 15px;"
    "border:1px solid rgba(128,128,128,.35);border-radius:6px"
)
"""Inline styles: JupyterLab removes style sheets from untrusted notebooks, such as a scheduler's."""
ACCENT_COLORS = {"": "#4477aa", "bad": "#bb5566", "ok": "#228866"}
TINT_COLORS = {"": "rgba(68,119,170,.09)", "bad": "rgba(187,85,102,.1)"}


class Headline(HTML):  # type: ignore[misc]
    """Headline numbers: cards on the page, and values for `run_report`."""

    def __init__(self, data: str, numbers: Mapping[str, str], bad: Sequence[str]) -> None:
        super().__init__(data)
        self.numbers = dict(numbers)
        self.bad = list(bad)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        text = ", ".join(f"{name}: {number}" for name, number in self.numbers.items())
        values = {"numbers": self.numbers, "bad": self.bad}
        return {"text/html": self.data, "text/plain": text, HEADLINE_MIME_TYPE: values}


def headline(numbers: Mapping[str, int | float | str], bad: Sequence[str] = ()) -> Headline:
    """Show a few headline numbers, named with their unit; those in `bad` are marked if not 0."""
    cards = []
    for name, value in numbers.items():
        kind = "" if name not in bad else "bad" if value else "ok"
        sign = {"": "", "bad": "⚠ ", "ok": "✓ "}[kind]
        style = f"{CARD_STYLE};border-left:5px solid {ACCENT_COLORS[kind]}" if kind else CARD_STYLE
        number = f'<b style="font-size:23px;line-height:1.25">{sign}{render_value(value)}</b>'
        unit = f'<span style="font-size:12.5px;opacity:.85">{html.escape(name)}</span>'
        cards.append(f'<div class="cn-card" style="{style}">{number} {unit}</div>')
    shown = {name: html.unescape(render_value(value)) for name, value in numbers.items()}
    wrong = [name for name in bad if numbers.get(name)]
    columns = _choose_columns(len(cards))
    box = f'{STYLE}<div class="cn-cards {NO_MATHJAX}" style="--columns:{columns}">{"".join(cards)}</div>'
    return Headline(box, shown, wrong)


def _choose_columns(cards: int) -> int:
    """Choose the columns of cards: up to four, and no card alone in the last row."""
    if cards <= 4:
        return max(cards, 1)
    even = [columns for columns in (4, 3) if cards % columns == 0]
    return next(columns for columns in (*even, 4, 3, 5, cards) if cards % columns != 1)


def note(text: str, *, bad: bool = False) -> HTML:
    """Show a sentence that must not be missed."""
    kind = "bad" if bad else ""
    style = f"border-left:4px solid {ACCENT_COLORS[kind]};padding:5px 12px;margin:10px 0;background:{TINT_COLORS[kind]}"
    return HTML(f'<div class="cn-note {NO_MATHJAX}" style="{style}">{html.escape(text)}</div>')


def table(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    *,
    limit: int = 20,
    empty: str = "No rows.",
    signed: Sequence[str] = (),
    money: Sequence[str] = (),
    minor: Sequence[str] = (),
    time_zone: str | None = None,
    file: str = "",
) -> HTML:
    """Show the first rows of a frame, some columns under readable headers, everything escaped.

    Personal data is masked, unless the frame comes from `show_pii`.

    Args:
        frame: Any frame.
        columns: Column to header, in order.
        limit: Maximum rows; the total number is written below.
        empty: The text instead of an empty table.
        signed: Columns that show a change, with + or −.
        money: Columns with two decimals.
        minor: Columns that small screens leave out.
        time_zone: The zone of instants; by default the zone in which the frame was loaded, else UTC.
        file: A link to the file with all rows.
    """
    if frame.empty:
        return note(empty)
    shown = frame[list(columns)].head(limit)
    shown = shown if is_unmasked(frame) else mask_for_display(shown)
    zone = read_time_zone(time_zone, frame)
    rows = render_rows(shown, columns, signed=signed, money=money, minor=minor, time_zone=zone)
    return HTML(
        f'{STYLE}<div class="cn-table {NO_MATHJAX}"><table>{_render_caption(len(frame), limit, file)}{rows}</table></div>'
    )


def section(title: str, text: str = "") -> Markdown:
    """Show a heading and a paragraph, for a section that only some runs have."""
    return Markdown(f"## {title}\n\n{text}")


def _render_caption(rows: int, limit: int, file: str) -> str:
    """Say how many rows there are beyond the shown ones, and which file has all of them."""
    more = f"{limit:,} of {rows:,} rows" if rows > limit else ""
    where = f"all in {render_link(file)}" if file else ""
    parts = "; ".join(filter(None, (more, where)))
    return f"<caption>{parts[0].upper()}{parts[1:]}.</caption>" if parts else ""


def render_link(link: str) -> str:
    """Link to a file beside the page, by its name."""
    return f'<a href="{html.escape(link)}">{html.escape(unquote(link.rpartition("/")[2]))}</a>'
