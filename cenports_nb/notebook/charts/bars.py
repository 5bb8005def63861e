"""Horizontal bars, with a name on the left, a text on the right, and an axis that leaves room for both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cenports_nb.notebook.charts.canvas import (
    LITERAL_TEXT,
    NAME_CHAR_POINTS,
    NAME_MAX_LENGTH,
    available_width,
    draw_headline,
    draw_message,
    draw_remark,
    estimate_axis_width,
    format_axis,
    prepare_axes,
    replace_undrawable,
)
from cenports_nb.notebook.charts.palette import choose_palette
from cenports_nb.rendering.text import truncate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABEL_GAP_POINTS = 9
"""Space between a bar and its text."""

LABEL_CHAR_POINTS, BOLD_CHAR_POINTS, NUMBER_CHAR_POINTS = 4.9, 5.6, 5.6
"""Average width of a character in a bar's text, in bold text and in a number, rounded up."""


def bar_style(ax: Axes) -> dict[str, Any]:
    """Return how bars are drawn."""
    return {"edgecolor": choose_palette(ax).background, "linewidth": 0.8, "height": 0.7}


def draw_bar_chart(
    ax: Axes | None,
    count: int,
    heading: str,
    *,
    draw: Callable[[Axes], None],
    nothing: str,
    remark: Sequence[str],
    columns: int = 3,
) -> Axes:
    """Draw a title, bars with a legend and a remark below them on the caller's Axes or a new figure; return the Axes.

    `draw` draws and names so many bars; where there are none, the chart is the sentence `nothing`.
    """
    ax = prepare_axes(ax, 1.5 + 0.42 * max(count, 2) if count else 0)
    if not count:
        return draw_message(ax, heading, nothing)
    draw(ax)
    draw_headline(ax, heading, columns=columns)
    draw_remark(ax, remark)
    return ax


def build_sku_labels(ax: Axes, rows: pd.DataFrame, *, show_warehouse: bool) -> list[str]:
    """Name each bar: SKU, product name if there is room, and warehouse.

    Args:
        ax: The Axes that the labels are for.
        rows: `warehouse_code product_sku`, optionally `product_name`.
        show_warehouse: Add the warehouse to each name.
    """
    max_length = _max_name_length(ax)
    titles = rows["product_name"] if "product_name" in rows else [None] * len(rows)
    return [
        _build_sku_label(
            sku, "" if pd.isna(title) else str(title), truncate(code, 16) if show_warehouse else "", max_length
        )
        for sku, title, code in zip(rows["product_sku"], titles, rows["warehouse_code"], strict=True)
    ]


def label_bars(
    ax: Axes,
    labels: Sequence[str],
    ends: Sequence[float],
    texts: Sequence[str],
    alerts: Sequence[bool],
    *,
    unit: str,
    least: float = 1.0,
) -> None:
    """Name the bars from top to bottom, write a text beside each, and scale the axis so that both fit.

    Args:
        ax: The Axes with the bars, drawn at 0, 1, 2 …
        labels: The name of each bar.
        ends: Where each bar ends.
        texts: The text beside each bar.
        alerts: Which bars need action; their text is bold.
        unit: What the axis counts.
        least: The lowest value at which the axis may end.
    """
    palette = choose_palette(ax)
    shown = [replace_undrawable(truncate(label, _max_name_length(ax))) for label in labels]
    ax.set_yticks(range(len(shown)), shown)
    for label in ax.get_yticklabels():
        label.set(fontsize=9, color=palette.text, **LITERAL_TEXT)
    ax.tick_params(axis="y", length=0, pad=7)
    ax.set_ylim(len(shown) - 0.45, -0.55)
    for position, (end, text, alert) in enumerate(zip(ends, texts, alerts, strict=True)):
        annotation = ax.annotate(
            replace_undrawable(text), (end, position), xytext=(LABEL_GAP_POINTS, 0), textcoords="offset points", va="center", fontsize=8.5,
            color=palette.red if alert else palette.gray, fontweight="bold" if alert else "normal",
            bbox={"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 0.5}, **LITERAL_TEXT,
        )  # fmt: skip
        annotation.set_in_layout(False)  # the axis leaves room for it
    width = estimate_axis_width(ax)
    most = _find_axis_end(ends, texts, alerts, width, least)
    format_axis(ax, unit, most, marks=int(np.clip(width / (NUMBER_CHAR_POINTS * len(f"{most:,.0f}") + 14), 2, 6)))


def _find_axis_end(
    ends: Sequence[float], texts: Sequence[str], alerts: Sequence[bool], width: float, least: float
) -> float:
    """Return the end of the axis at which every bar and its text fit; a bar gets at least a third of the width."""
    most = least * 1.02
    for end, text, alert in zip(ends, texts, alerts, strict=True):
        needed = LABEL_GAP_POINTS + (BOLD_CHAR_POINTS if alert else LABEL_CHAR_POINTS) * len(text)
        most = max(most, end / max(1 - needed / width, 1 / 3))
    return most


def _max_name_length(ax: Axes) -> int:
    """Return how many characters a name may have: less than half of the chart's width."""
    return int(np.clip(0.45 * available_width(ax) / NAME_CHAR_POINTS, 18, NAME_MAX_LENGTH + 20))


def _build_sku_label(sku: str, title: str, code: str, max_length: int) -> str:
    position = f"({code})" if code else ""
    left = max_length - len(position) - 2 * bool(position)
    shown = truncate(sku, max(left, 8))
    left -= len(shown) + 2
    return "  ".join(filter(None, [shown, truncate(title, min(left, NAME_MAX_LENGTH)) if left >= 6 else "", position]))
