"""What all charts share: where they are drawn, their title, numbers, names, legend, and the sentence for nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from matplotlib import font_manager
from matplotlib import pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cenports_nb.errors import InvalidRequestError
from cenports_nb.rendering.text import format_count, format_number, truncate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, SKY, YELLOW, RED, PALE_GRAY = "#004488", "#8fb4d9", "#ddaa33", "#bb5566", "#c3ccd6"
"""Distinct for the colour-blind, and from dark to light in grey; hatches and words say the same again."""
TEXT_COLOR, GRAY, GRID_COLOR = "#222222", "#6b6b6b", "#e3e3e3"
FIGURE_WIDTH_INCHES = 9.0
MESSAGE_HEIGHT_INCHES = 1.6
"""Inches."""
NAME_MAX_LENGTH = 34
NAME_CHAR_POINTS, TITLE_CHAR_POINTS = 5.4, 7.6
"""Points that a sign of a name and of the title is wide, on average or a little more."""
LITERAL_TEXT: dict[str, Any] = {"parse_math": False, "usetex": False}
"""For every text with words from outside: a `$` or `_` in a SKU is no formula."""


def prepare_axes(ax: Axes | None, height: float) -> Axes:
    """Give the Axes to draw on: the caller's, untouched by pyplot, or those of a new figure; 0 high for a sentence."""
    if ax is not None:
        return ax
    _, ax = plt.subplots(
        figsize=(FIGURE_WIDTH_INCHES, height or MESSAGE_HEIGHT_INCHES), layout="constrained", facecolor="white"
    )
    ax.set_facecolor("white")
    return ax


def check_bar_limit(top: int) -> None:
    """Refuse a number of bars that is none.

    Raises:
        InvalidRequestError: Not a whole number above 0.
    """
    if not isinstance(top, int) or isinstance(top, bool) or top < 1:
        raise InvalidRequestError(f"top={top!r} must be a whole number above 0.")


def draw_headline(ax: Axes, text: str, *, columns: int | None = 3) -> None:
    """Write the title, at the left where reading begins, and below it what colours, hatches and lines mean.

    Args:
        ax: What was drawn on.
        text: The title.
        columns: How many explanations stand beside each other, if there is room; None for none.
    """
    rows = 0 if columns is None else _draw_legend(ax, columns)
    pad = 8 + 16 * rows
    ax.set_title(
        replace_undrawable(truncate(text, max(24, int(estimate_axis_width(ax) / TITLE_CHAR_POINTS)))),
        loc="left",
        fontsize=12,
        fontweight="bold",
        color=TEXT_COLOR,
        pad=pad,
        **LITERAL_TEXT,
    )
    for each in ax.findobj(Text):
        each.set_usetex(False)  # even empty ones and numbers would ask for TeX, where a user has switched it on


def _draw_legend(ax: Axes, columns: int) -> int:
    """Explain columns and bars first, then lines and marks; tell how many rows that takes."""
    found = list(zip(*ax.get_legend_handles_labels(), strict=True))
    found.sort(key=lambda one: isinstance(one[0], Line2D))
    lengths, room = [len(label) for _, label in found], estimate_axis_width(ax)
    while columns > 1 and _estimate_legend_width(lengths, columns) > room:
        columns -= 1
    legend = ax.legend(
        *zip(*found, strict=True), loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, frameon=False, fontsize=9,
        borderaxespad=0.2, handlelength=1.8, columnspacing=1.6,
    )  # fmt: skip
    legend.set_in_layout(False)  # the title above it keeps its room; a wide one must not narrow the chart
    for text in legend.get_texts():
        text.set(color=TEXT_COLOR, **LITERAL_TEXT)
    return -(-len(found) // columns)


def _estimate_legend_width(lengths: list[int], columns: int) -> float:
    """Guess how many points wide explanations are, which fill one column after the other."""
    rows = -(-len(lengths) // columns)
    return sum(NAME_CHAR_POINTS * max(lengths[at : at + rows]) + 32 for at in range(0, len(lengths), rows))


def draw_message(ax: Axes, heading: str, text: str) -> Axes:
    """Say why there is nothing to draw, instead of an empty picture."""
    draw_headline(ax, heading, columns=None)
    ax.text(
        0.01,
        0.5,
        replace_undrawable(text),
        transform=ax.transAxes,
        va="center",
        fontsize=10.5,
        color=GRAY,
        wrap=True,
        **LITERAL_TEXT,
    )
    ax.set_axis_off()
    return ax


def draw_remark(ax: Axes, parts: Iterable[str], *, below: float = 36) -> None:
    """Say below the chart, so many points below its axis, what it leaves out."""
    text = "; ".join(filter(None, parts))
    if text:
        ax.annotate(
            replace_undrawable(f"{text}."), (0, 0), xycoords="axes fraction", xytext=(0, -below), textcoords="offset points",
            va="top", fontsize=8.5, color=GRAY, annotation_clip=False, **LITERAL_TEXT,
        )  # fmt: skip


def format_hidden(count: int, what: str = "SKU", description: str = "not drawn") -> str:
    """Say how many there are beyond those that are drawn; nothing if none."""
    return f"{format_count(count, f'more {what}')} {description}" if count > 0 else ""


def format_axis(ax: Axes, unit: str, most: float, *, along: Literal["x", "y"] = "x", marks: int = 6) -> None:
    """Scale one axis from 0, with its unit and thousands apart, and clear the frame around.

    Args:
        ax: What was drawn on.
        unit: What is counted.
        most: Where the axis ends.
        along: `"x"` or `"y"`.
        marks: About as many numbers stand along it.
    """
    axis = ax.xaxis if along == "x" else ax.yaxis
    (ax.set_xlim if along == "x" else ax.set_ylim)(0, most)
    axis.set_label_text(replace_undrawable(unit), fontsize=9, color=GRAY, **LITERAL_TEXT)
    axis.set_major_locator(MaxNLocator(marks, integer=True))
    axis.set_major_formatter(FuncFormatter(lambda value, _: format_number(value, ",.0f")))
    ax.tick_params(axis=along, labelsize=9, colors=GRAY, length=0)
    ax.grid(visible=False, axis="both")
    ax.grid(axis=along, color=GRID_COLOR, linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ax.spines.values():
        side.set_visible(False)


def available_width(ax: Axes) -> float:
    """Tell how many points wide the chart may be with its names: the figure, or its share of a grid of charts."""
    figure: Any = ax.figure
    width = float(figure.bbox.width / figure.dpi * 72)
    grid = ax.get_subplotspec()
    if figure.get_layout_engine() is None or grid is None:
        return float(ax.get_position().width * width)
    return width * len(grid.colspan) / int(grid.get_gridspec().ncols)


def estimate_axis_width(ax: Axes) -> float:
    """Guess how many points are left beside the names at the left; without a layout they hang outside."""
    figure: Any = ax.figure
    if figure.get_layout_engine() is None:
        return available_width(ax)
    longest = max((len(label.get_text()) for label in ax.get_yticklabels()), default=0)
    return max(available_width(ax) - NAME_CHAR_POINTS * longest - 22, 60.0)


def replace_undrawable(text: str) -> str:
    """Replace what the chart's font can't draw, which would be a warning and an empty box."""
    drawable = (c if ord(c) in _list_glyphs() and unicodedata.category(c)[0] != "C" else "□" for c in str(text))
    return "".join(drawable)


@cache
def _list_glyphs() -> frozenset[int]:
    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    return frozenset(font.get_charmap())
