"""Parts of a report page: headline numbers, a table with a limit, a callout, a chart."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pandas as pd
from IPython.display import HTML, Image, Markdown
from matplotlib import pyplot as plt
from matplotlib.text import Annotation, Text

from cenports_nb.frames.masking import is_unmasked, mask_for_display
from cenports_nb.frames.provenance import read_time_zone
from cenports_nb.notebook.charts.figure import describe_chart
from cenports_nb.notebook.report_page.attachments import HEADLINE_MIME_TYPE, NARROW_PNG_MIME_TYPE, PAGE_VARIABLE
from cenports_nb.notebook.report_page.cells import render_rows, render_value
from cenports_nb.rendering.note import NO_MATHJAX

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
NARROW_WIDTH_INCHES, CHART_DPI = 4.9, 110
TITLE_MARGIN_PIXELS, MAX_FITS = 8, 3
MIN_BAR_SHARE = 0.2
"""How short the bars of a narrow chart may become, as a share of their length."""
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


class Chart(Image):  # type: ignore[misc]
    """A chart as a picture, with a narrow one for the report page on a phone."""

    def __init__(self, picture: bytes, alt: str, narrow: bytes | None = None) -> None:
        super().__init__(picture, format="png", alt=alt)
        self._narrow = narrow

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        data, metadata = super()._repr_mimebundle_(include, exclude)
        if self._narrow is not None:
            data[NARROW_PNG_MIME_TYPE] = base64.b64encode(self._narrow).decode()
        return data, metadata


def chart(plot: Axes | Callable[..., Axes], *args: Any, **kwargs: Any) -> Chart:
    """Show a chart as a picture, whatever matplotlib's backend; its alternative text describes it.

    Args:
        plot: A function that draws, such as `cn.plot_orders`, whose chart the page also has in a narrow form for small
            screens; or a drawn chart.
        args: What the function draws.
        kwargs: Its further arguments.

    Example:
        >>> picture = report_page.chart(cn.plot_orders, cn.load_orders(client, last="60D"), by="day")
    """
    if not callable(plot):
        return Chart(_save(plot), describe_chart(plot))
    ax = plot(*args, **kwargs)
    alt, height, title = describe_chart(ax), _figure(ax).get_figheight(), ax.get_title(loc="left")
    wide = _save(ax)
    if not os.environ.get(PAGE_VARIABLE):
        return Chart(wide, alt)
    size = (NARROW_WIDTH_INCHES, height)
    _, narrow_ax = plt.subplots(figsize=size, dpi=CHART_DPI, layout="constrained", facecolor="white")
    plot(*args, **kwargs, ax=narrow_ax)
    _fit_texts(narrow_ax, title)
    return Chart(wide, alt, _save(narrow_ax))


def section(title: str, text: str = "") -> Markdown:
    """Show a heading and a paragraph, for a section that only some runs have."""
    return Markdown(f"## {title}\n\n{text}")


def _fit_texts(ax: Axes, title: str) -> None:
    """Give a narrow chart its whole title, and shorten its bars until the texts beside them are whole."""
    canvas: Any = _figure(ax).canvas
    canvas.draw()
    if (shown := ax.get_title(loc="left")) != title:  # cut, because it begins where the bars do
        heading = next(text for text in ax.findobj(Text) if isinstance(text, Text) and text.get_text() == shown)
        heading.set(text=title, x=(TITLE_MARGIN_PIXELS - ax.bbox.x0) / ax.bbox.width)
        canvas.draw()
    for _ in range(MAX_FITS):  # other numbers on the axis change its width
        left, right = ax.bbox.x0, _figure(ax).bbox.x1
        shares = [1.0]
        for text in ax.texts:
            if isinstance(text, Annotation) and text.xycoords == "data":
                end = ax.transData.transform((float(text.xy[0]), 0))[0]
                room = right - left - (text.get_window_extent().x1 - end)
                shares.append(room / (end - left) if end > left else 1.0)
        if (share := min(shares)) >= 1:
            return
        start, stop = ax.get_xlim()
        ax.set_xlim(start, start + (stop - start) / max(share, MIN_BAR_SHARE))
        canvas.draw()


def _save(ax: Axes) -> bytes:
    """Save the figure of a chart as PNG, and close it."""
    picture = io.BytesIO()
    _figure(ax).savefig(picture, format="png", dpi=CHART_DPI)
    plt.close(_figure(ax))
    return picture.getvalue()


def _figure(ax: Axes) -> Any:
    return ax.get_figure(root=True)  # drawn Axes have one


def _render_caption(rows: int, limit: int, file: str) -> str:
    """Say how many rows there are beyond the shown ones, and which file has all of them."""
    more = f"{limit:,} of {rows:,} rows" if rows > limit else ""
    where = f"all in {render_link(file)}" if file else ""
    parts = "; ".join(filter(None, (more, where)))
    return f"<caption>{parts[0].upper()}{parts[1:]}.</caption>" if parts else ""


def render_link(link: str) -> str:
    """Link to a file beside the page, by its name."""
    return f'<a href="{html.escape(link)}">{html.escape(unquote(link.rpartition("/")[2]))}</a>'
