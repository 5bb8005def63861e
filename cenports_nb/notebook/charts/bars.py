"""Horizontal bars: their names at the left, their numbers in words at the right, and an axis with room for both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cenports_nb.notebook.charts.canvas import (
    FAINT,
    INK,
    LITERAL,
    NAME_LENGTH,
    NAME_SIGN,
    RED,
    axis_width,
    cell_width,
    numbers,
    plain,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EDGE: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.8, "height": 0.7}
"""How a bar is set off from the next."""

GAP = 9
"""Points between a bar and the words beside it."""

WORD_SIGN, BOLD_SIGN, NUMBER_SIGN = 4.9, 5.6, 5.6
"""Points that a sign of words beside a bar, of bold ones and of a number is wide, on average or a little more."""


def bars_height(count: int) -> float:
    """Tell how high a figure of so many bars must be for its words to stand apart, in inches; 0 for none."""
    return 1.5 + 0.42 * max(count, 2) if count else 0


def sku_labels(ax: Axes, rows: pd.DataFrame, *, several: bool) -> list[str]:
    """Name a bar of one SKU: the SKU, where it is if that may differ, and what it is as far as there is room.

    Args:
        ax: Where they will stand.
        rows: `warehouse_code product_sku`, perhaps `product_name`.
        several: Whether the warehouse is said.
    """
    room = _name_room(ax)
    titles = rows["product_name"] if "product_name" in rows else [None] * len(rows)
    return [
        _sku_label(sku, "" if pd.isna(title) else str(title), shortened(code, 16) if several else "", room)
        for sku, title, code in zip(rows["product_sku"], titles, rows["warehouse_code"], strict=True)
    ]


def finish_bars(
    ax: Axes,
    labels: Sequence[str],
    ends: Sequence[float],
    words: Sequence[str],
    alarming: Sequence[bool],
    *,
    unit: str,
    least: float = 1.0,
) -> None:
    """Name the bars, the first one on top, say their numbers beside them, and scale the axis so that both fit.

    Args:
        ax: What the bars were drawn on, at 0, 1, 2 …
        labels: A name for each bar.
        ends: Where each bar ends.
        words: What stands beside it.
        alarming: Which of them need action: they are bold besides their colour.
        unit: What the axis counts.
        least: What the axis must reach.
    """
    shown = [plain(shortened(label, _name_room(ax))) for label in labels]
    ax.set_yticks(range(len(shown)), shown)
    for label in ax.get_yticklabels():
        label.set(fontsize=9, color=INK, **LITERAL)
    ax.tick_params(axis="y", length=0, pad=7)
    ax.set_ylim(len(shown) - 0.45, -0.55)
    for place, (end, text, alarm) in enumerate(zip(ends, words, alarming, strict=True)):
        said = ax.annotate(
            plain(text), (end, place), xytext=(GAP, 0), textcoords="offset points", va="center", fontsize=8.5,
            color=RED if alarm else FAINT, fontweight="bold" if alarm else "normal",
            bbox={"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 0.5}, **LITERAL,
        )  # fmt: skip
        said.set_in_layout(False)  # there is room for it inside
    width = axis_width(ax)
    most = _limit(ends, words, alarming, width, least)
    numbers(ax, unit, most, marks=int(np.clip(width / (NUMBER_SIGN * len(f"{most:,.0f}") + 14), 2, 6)))


def _limit(ends: Sequence[float], words: Sequence[str], alarming: Sequence[bool], width: float, least: float) -> float:
    """Find where the axis must end for every bar with its words to fit; a bar keeps a third at least."""
    most = least * 1.02
    for end, text, alarm in zip(ends, words, alarming, strict=True):
        needed = GAP + (BOLD_SIGN if alarm else WORD_SIGN) * len(text)
        most = max(most, end / max(1 - needed / width, 1 / 3))
    return most


def _name_room(ax: Axes) -> int:
    """Tell how many signs a name may have: not half of the chart's width, and as few as can be told apart."""
    return int(np.clip(0.45 * cell_width(ax) / NAME_SIGN, 18, NAME_LENGTH + 20))


def _sku_label(sku: str, title: str, code: str, room: int) -> str:
    place = f"({code})" if code else ""
    left = room - len(place) - 2 * bool(place)
    shown = shortened(sku, max(left, 8))
    left -= len(shown) + 2
    return "  ".join(filter(None, [shown, shortened(title, min(left, NAME_LENGTH)) if left >= 6 else "", place]))
