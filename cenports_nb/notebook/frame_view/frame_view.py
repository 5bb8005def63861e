"""How a frame of the package looks in Jupyter: the columns that matter, masked, with lines about its origin."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.frames.privacy.display import has_people, is_unmasked
from cenports_nb.frames.privacy.masking import mask_for_display, mask_series
from cenports_nb.frames.provenance import ACCOUNT_KEY, PROVENANCE_KEY, Provenance, describe_file, provenance
from cenports_nb.ipython import get_shell
from cenports_nb.notebook.frame_view.columns import choose_columns, cut_middle, has_loaded_rows
from cenports_nb.notebook.frame_view.table import NULL_TEXT, format_times, render_table, select_rows
from cenports_nb.rendering.text import format_count

Bundle = dict[str, Any]
Fact = tuple[str, bool]
"""A short text, and whether it is a warning."""

TERMINAL_ROWS = 500  # pandas' limit where max_rows is 0 in a terminal; no screen shows more

ORIGIN_LINE = (
    '<div class="cn-origin" style="font-size:12px;line-height:1.5;margin:3px 0;opacity:.85;'
    'font-variant-numeric:tabular-nums">{}</div>'
)
# Bold, a sign and a word: readable without color, on a light and a dark background.
WARNING_HTML = '<b style="border-bottom:2px solid #d1495b">⚠ {}</b>'

STYLED_TEXT = (
    "A styled frame shows personal data as it is: style a masked frame, cn.mask_pii(frame).style, or show it with "
    "cn.show_pii(frame).style."
)
FALLBACK_TEXT = "A frame of cenports_nb that can't be shown masked ({}); cn.show_pii(frame) shows it as it is."


def render_frame(shown: pd.DataFrame | pd.Series[Any]) -> Bundle | None:
    """Render a frame with a line about its origin, or a Series as text; None leaves it to pandas.

    Only the rows that pandas would show are masked. A frame that no loader made and that has no people is left to pandas.
    """
    if not _is_ours(shown):
        return None
    try:
        if isinstance(shown, pd.DataFrame):
            return _render_bundle(shown)
        return None if is_unmasked(shown) else {"text/plain": _format_series(shown)}
    except Exception as error:  # noqa: BLE001 - IPython would fall back to the plain view, with everybody in it
        text = FALLBACK_TEXT.format(type(error).__name__)
        return {"text/plain": text, "text/html": html.escape(text)}


def render_text(shown: pd.DataFrame | pd.Series[Any]) -> str:
    """Render a frame or Series that is an element of a list or dict, masked."""
    bundle = render_frame(shown)
    return repr(shown) if bundle is None else str(bundle["text/plain"])


def render_styled(styler: Any) -> str | None:
    """Render one sentence instead of a styled frame with unmasked people; None leaves it to pandas."""
    frame = styler.data
    if not isinstance(frame, pd.DataFrame) or not _is_ours(frame) or is_unmasked(frame):
        return None
    rows = frame.iloc[: pd.get_option("styler.render.max_rows") or len(frame)]
    return html.escape(STYLED_TEXT) if _count_masked(rows, mask_for_display(rows)) else None


def _is_ours(shown: pd.DataFrame | pd.Series[Any]) -> bool:
    if PROVENANCE_KEY in shown.attrs or ACCOUNT_KEY in shown.attrs:
        return True
    return isinstance(shown, pd.DataFrame) and has_people(shown)


def _render_bundle(frame: pd.DataFrame) -> Bundle | None:
    most_rows = pd.get_option("display.max_rows")
    if pd.get_option("display.large_repr") == "info" and len(frame) > (most_rows or len(frame)):
        return None  # pandas then shows counts and dtypes, no values
    origin = provenance(frame)
    is_loaded = has_loaded_rows(frame, origin)
    columns = choose_columns(frame) if is_loaded else list(range(frame.shape[1]))
    cut = _select_displayed_rows(len(frame), most_rows)
    part = frame if cut is None else frame.iloc[cut]
    chosen = part.iloc[:, columns] if len(columns) < frame.shape[1] else part
    shown: Any = chosen if is_unmasked(frame) else mask_for_display(chosen)
    lines = [
        _describe_origin(frame, origin) if is_loaded or origin is None else _describe_alarms(origin),
        _describe_view(frame, chosen, shown, is_loaded=is_loaded),
    ]
    texts = ["\n".join(" · ".join(f"⚠ {text}" if alarm else text for text, alarm in line) for line in lines if line)]
    with pd.option_context("display.show_dimensions", False):  # those of a part would be wrong
        plain = shown.apply(_format_for_terminal) if is_loaded and len(shown) else shown
        found: Bundle = {"text/plain": "\n\n".join([repr(plain), *filter(None, texts)])}
        page = None
        if is_loaded and pd.get_option("display.notebook_repr_html"):
            removed = len(frame) - len(part)
            rows = [row - removed if row >= len(part) // 2 and removed else row for row in select_rows(len(frame))]
            page = render_table(shown, cut_middle(range(len(columns)), pd.get_option("display.max_columns")), rows)
        elif not is_loaded:
            # A SKU with two `$` is not a formula, which could even be a link that runs something.
            with pd.option_context("display.html.use_mathjax", False):
                page = shown._repr_html_()  # None if the user's options say so
        every: Any = shown
        if len(columns) < frame.shape[1] and (
            pd.get_option("display.html.table_schema") or pd.get_option("styler.render.repr") == "latex"
        ):
            every = part if is_unmasked(frame) else mask_for_display(part)
        latex = every._repr_latex_()
    if page is not None:
        found["text/html"] = page + "".join(ORIGIN_LINE.format(_render_facts(line)) for line in lines if line)
    if latex is not None:
        found["text/latex"] = latex
    if pd.get_option("display.html.table_schema"):
        found["application/vnd.dataresource+json"] = every._repr_data_resource_()
    return found


def _format_series(column: pd.Series[Any]) -> str:
    rows = _select_displayed_rows(len(column), pd.get_option("display.max_rows"))
    text = repr(mask_series(column if rows is None else column.iloc[rows]))
    if rows is None:
        return text
    before, _, after = text.rpartition(f"Length: {len(rows)}")
    return f"{before}Length: {len(column)}{after}"


def _select_displayed_rows(length: int, most_rows: int | None) -> Any:
    """Select the rows that pandas would show, and enough others that it still shortens the table; None selects all."""
    each = length if most_rows is None else (most_rows or TERMINAL_ROWS) + 1
    return np.r_[0:each, length - each : length] if length > 2 * each else None


def _count_masked(part: pd.DataFrame, shown: pd.DataFrame) -> int:
    """Count the masked columns and labels."""
    pairs = ((part.iloc[:, index].array, shown.iloc[:, index].array) for index in range(part.shape[1]))
    columns = sum(not plain.equals(masked) for plain, masked in pairs)
    return columns + (not part.index.equals(shown.index)) + (not part.columns.equals(shown.columns))


def _format_for_terminal(column: pd.Series[Any]) -> pd.Series[Any]:
    is_text = isinstance(column.dtype, pd.StringDtype)
    return format_times(column).fillna(NULL_TEXT) if is_text or column.dtype.kind == "M" else column


def _describe_origin(frame: pd.DataFrame, found: Provenance | None) -> list[Fact]:
    """Describe the origin of loaded rows."""
    rows = len(frame)
    if found is None:
        return [(format_count(rows, "rejected record" if ACCOUNT_KEY in frame.attrs else "row"), False)]
    loaded = format_count(rows, "row") if rows == found.rows else f"{rows:,} of {found.rows:,} rows"
    if rows > found.rows:
        loaded = f"{rows:,} rows made of {found.rows:,}"
    if not found.environment:
        return [(loaded, False), (describe_file(found), False)]
    return [
        (loaded, False),
        (f"as of {found.as_of:%Y-%m-%d %H:%M:%S} UTC" if found.as_of else "no answer used", False),
        ("complete", False) if found.complete else ("INCOMPLETE", True),
        (f"{found.rejected:,} rejected", found.rejected > 0),
        (found.source, False),
        (found.environment, False),
    ]


def _describe_alarms(found: Provenance) -> list[Fact]:
    """Describe what a sum or a description must not hide about the rows that it was made of."""
    facts = [] if found.complete else [("made of INCOMPLETE rows", True)]
    return [*facts, (f"{found.rejected:,} rejected", True)] if found.rejected else facts


def _describe_view(frame: pd.DataFrame, chosen: pd.DataFrame, shown: pd.DataFrame, *, is_loaded: bool) -> list[Fact]:
    """Describe what a view leaves out or masks, and how to see it."""
    name = _find_name(frame)
    facts = []
    zones = {str(dtype.tz) for dtype in chosen.dtypes if isinstance(dtype, pd.DatetimeTZDtype)}
    if is_loaded and zones:
        facts.append((f"times in {', '.join(sorted(zones))}", False))
    most = pd.get_option("display.max_columns") or chosen.shape[1]
    hidden = frame.shape[1] - min(chosen.shape[1], most)
    if hidden:
        how = f'{name}.columns, or pd.set_option("display.max_columns", None) to show them'
        facts.append((f"{format_count(hidden, 'more column')}: {how}", False))
    masked = 0 if shown is chosen else _count_masked(chosen, shown)
    if masked:
        how = f"cn.show_pii({name}) shows {'it' if masked == 1 else 'them'}"
        facts.append((f"{format_count(masked, 'column')} masked, {how}", False))
    return facts


def _find_name(frame: pd.DataFrame) -> str:
    """Return the variable that a person gave the frame; `frame` if there is none."""
    names = getattr(get_shell(), "user_ns", {})
    return next((name for name, value in [*names.items()] if value is frame and not name.startswith("_")), "frame")


def _render_facts(facts: Sequence[Fact]) -> str:
    return " · ".join(WARNING_HTML.format(html.escape(text)) if alarm else html.escape(text) for text, alarm in facts)
