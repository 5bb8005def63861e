"""What all charts share: where they are drawn, their title, numbers, names, legend, and the sentence for nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from matplotlib import font_manager
from matplotlib import pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cenports_nb.errors import InvalidRequestError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, SKY, YELLOW, RED, PALE = "#004488", "#8fb4d9", "#ddaa33", "#bb5566", "#c3ccd6"
"""Distinct for the colour-blind, and from dark to light in grey; hatches and words say the same again."""
INK, FAINT, GRID = "#222222", "#6b6b6b", "#e3e3e3"
WIDTH = 9.0
SENTENCE_HEIGHT = 1.6
"""Inches."""
NAME_LENGTH, TITLE_LENGTH = 34, 90
LITERAL: dict[str, Any] = {"parse_math": False, "usetex": False}
"""For every text with words from outside: a `$` or `_` in a SKU is no formula."""


def canvas(ax: Axes | None, height: float) -> Axes:
    """Give the Axes to draw on: the caller's, untouched by pyplot, or those of a new figure; 0 high for a sentence."""
    if ax is not None:
        return ax
    _, ax = plt.subplots(figsize=(WIDTH, height or SENTENCE_HEIGHT), layout="constrained", facecolor="white")
    ax.set_facecolor("white")
    return ax


def bar_height(bars: int) -> float:
    """Tell how high a figure of horizontal bars must be for its words to stand apart."""
    return 1.5 + 0.42 * max(bars, 2) if bars else 0


def check_top(top: int) -> None:
    """Refuse a number of bars that is none.

    Raises:
        InvalidRequestError: Not a whole number above 0.
    """
    if not isinstance(top, int) or isinstance(top, bool) or top < 1:
        raise InvalidRequestError(f"top={top!r} must be a whole number above 0.")


def headline(ax: Axes, text: str, *, columns: int | None = 3) -> None:
    """Write the title, at the left where reading begins, and below it what colours, hatches and lines mean.

    Args:
        ax: What was drawn on.
        text: The title.
        columns: How many explanations stand beside each other; None for none.
    """
    rows = 0 if columns is None else _legend(ax, columns)
    pad = 8 + 16 * rows
    ax.set_title(
        plain(shortened(text, TITLE_LENGTH)), loc="left", fontsize=12, fontweight="bold", color=INK, pad=pad, **LITERAL
    )


def _legend(ax: Axes, columns: int) -> int:
    """Explain columns and bars first, then lines and marks; tell how many rows that takes."""
    found = list(zip(*ax.get_legend_handles_labels(), strict=True))
    found.sort(key=lambda one: isinstance(one[0], Line2D))
    drawn = ax.legend(
        *zip(*found, strict=True), loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, frameon=False, fontsize=9,
        borderaxespad=0.2, handlelength=1.8, columnspacing=1.6,
    )  # fmt: skip
    for text in drawn.get_texts():
        text.set(color=INK, **LITERAL)
    return -(-len(found) // columns)


def sentence(ax: Axes, heading: str, text: str) -> Axes:
    """Say why there is nothing to draw, instead of an empty picture."""
    headline(ax, heading, columns=None)
    ax.text(
        0.01, 0.5, plain(text), transform=ax.transAxes, va="center", fontsize=10.5, color=FAINT, wrap=True, **LITERAL
    )
    ax.set_axis_off()
    return ax


def remark(ax: Axes, parts: Iterable[str], *, below: float = 36) -> None:
    """Say below the chart, so many points below its axis, what it leaves out."""
    text = "; ".join(filter(None, parts))
    if text:
        ax.annotate(
            plain(f"{text}."), (0, 0), xycoords="axes fraction", xytext=(0, -below), textcoords="offset points",
            va="top", fontsize=8.5, color=FAINT, annotation_clip=False, **LITERAL,
        )  # fmt: skip


def more(count: int, what: str = "SKU", which: str = "not drawn") -> str:
    """Say how many there are beyond those that are drawn; nothing if none."""
    return f"{many(count, f'more {what}')} {which}" if count > 0 else ""


def many(count: int, what: str) -> str:
    """Write a number with its noun."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def beside(ax: Axes, ends: Sequence[float], texts: Sequence[str], alarming: Sequence[bool]) -> None:
    """Say the numbers beside horizontal bars; what needs action is bold besides its colour."""
    for place, (end, text, alarm) in enumerate(zip(ends, texts, alarming, strict=True)):
        ax.annotate(
            plain(text), (end, place), xytext=(9, 0), textcoords="offset points", va="center", fontsize=8.5,
            color=RED if alarm else FAINT, fontweight="bold" if alarm else "normal",
            bbox={"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 0.5}, **LITERAL,
        )  # fmt: skip


def names(ax: Axes, labels: Sequence[str]) -> None:
    """Name horizontal bars, the first one on top."""
    ax.set_yticks(range(len(labels)), [plain(label) for label in labels])
    for label in ax.get_yticklabels():
        label.set(fontsize=9, color=INK, **LITERAL)
    ax.tick_params(axis="y", length=0, pad=7)
    ax.set_ylim(len(labels) - 0.45, -0.55)


def numbers(ax: Axes, unit: str, most: float, *, along: Literal["x", "y"] = "x", room: float = 1.3) -> None:
    """Scale one axis from 0, with its unit and thousands apart, and clear the frame around.

    Args:
        ax: What was drawn on.
        unit: What is counted.
        most: The largest value.
        along: `"x"` or `"y"`.
        room: How much of `most` the axis has, for the words beside the bars.
    """
    axis = ax.xaxis if along == "x" else ax.yaxis
    (ax.set_xlim if along == "x" else ax.set_ylim)(0, max(float(most), 1.0) * room)
    axis.set_label_text(plain(unit), fontsize=9, color=FAINT, **LITERAL)
    axis.set_major_locator(MaxNLocator(6, integer=True))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.tick_params(axis=along, labelsize=9, colors=FAINT, length=0)
    ax.grid(axis=along, color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ax.spines.values():
        side.set_visible(False)


def sku_label(sku: str, name: Any, warehouse: str | None = None) -> str:
    """Name a bar of one SKU: the SKU whole where it can be, what it is as far as there is room, and where."""
    known = "" if name is None or name != name else str(name)  # noqa: PLR0124 — a null is not itself
    parts = [shortened(sku), shortened(known), "" if warehouse is None else f"({shortened(warehouse, 16)})"]
    return "  ".join(filter(None, parts))


def shortened(text: str, length: int = NAME_LENGTH) -> str:
    """Cut a long name, and show that it was cut."""
    return text if len(text) <= length else text[: length - 1] + "…"


def plain(text: str) -> str:
    """Replace what the chart's font can't draw, which would be a warning and an empty box."""
    drawable = (c if ord(c) in _glyphs() and unicodedata.category(c)[0] != "C" else "□" for c in str(text))
    return "".join(drawable)


@cache
def _glyphs() -> frozenset[int]:
    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    return frozenset(font.get_charmap())
