"""What all charts share: Axes, title, legend, axis format, and the message of an empty chart."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from matplotlib import font_manager
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cenports_nb.errors import InvalidRequestError
from cenports_nb.notebook.charts.figure import ChartFigure
from cenports_nb.notebook.charts.palette import choose_background, choose_palette
from cenports_nb.rendering.text import format_count, format_number, truncate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURE_WIDTH_INCHES = 9.0
MESSAGE_HEIGHT_INCHES = 1.6
NAME_MAX_LENGTH = 34
NAME_CHAR_POINTS, TITLE_CHAR_POINTS = 5.4, 7.6
"""Average width of a character in a name and in the title, rounded up."""
LITERAL_TEXT: dict[str, Any] = {"parse_math": False, "usetex": False}
"""Options for texts from outside: a `$` or `_` in a SKU is not a formula."""


def prepare_axes(ax: Axes | None, height: float) -> Axes:
    """Return the caller's Axes, or those of a new figure; a height of 0 is enough for a message."""
    if ax is not None:
        return ax
    background = choose_background()
    _, ax = plt.subplots(
        figsize=(FIGURE_WIDTH_INCHES, height or MESSAGE_HEIGHT_INCHES), layout="constrained", facecolor=background,
        FigureClass=ChartFigure,
    )  # fmt: skip
    ax.set_facecolor(background)
    return ax


def check_bar_limit(top: int) -> None:
    """Check that a limit of bars is a positive whole number.

    Raises:
        InvalidRequestError: It is not.
    """
    if not isinstance(top, int) or isinstance(top, bool) or top < 1:
        raise InvalidRequestError(f"top={top!r} must be a whole number above 0.")


def draw_headline(ax: Axes, text: str, *, columns: int | None = 3) -> None:
    """Write the title at the left, and the legend below it.

    Args:
        ax: The finished chart.
        text: The title.
        columns: Columns of the legend, fewer where there is no room; None for no legend.
    """
    rows = 0 if columns is None else _draw_legend(ax, columns)
    pad = 8 + 16 * rows
    ax.set_title(
        replace_undrawable(truncate(text, max(24, int(estimate_axis_width(ax) / TITLE_CHAR_POINTS)))),
        loc="left",
        fontsize=12,
        fontweight="bold",
        color=choose_palette(ax).text,
        pad=pad,
        **LITERAL_TEXT,
    )
    for each in ax.findobj(Text):
        each.set_usetex(False)  # with usetex switched on, even empty texts and numbers would need TeX


def _draw_legend(ax: Axes, columns: int) -> int:
    """Draw the legend, bars first, then lines; return its number of rows."""
    found = list(zip(*ax.get_legend_handles_labels(), strict=True))
    found.sort(key=lambda one: isinstance(one[0], Line2D | LineCollection))
    lengths, room = [len(label) for _, label in found], estimate_axis_width(ax)
    while columns > 1 and _estimate_legend_width(lengths, columns) > room:
        columns -= 1
    legend = ax.legend(
        *zip(*found, strict=True), loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, frameon=False, fontsize=9,
        borderaxespad=0.2, handlelength=1.8, columnspacing=1.6,
    )  # fmt: skip
    legend.set_in_layout(False)  # a wide legend must not narrow the chart, and the title reserves its height
    for text in legend.get_texts():
        text.set(color=choose_palette(ax).text, **LITERAL_TEXT)
    return -(-len(found) // columns)


def _estimate_legend_width(lengths: list[int], columns: int) -> float:
    """Estimate the width of a legend in points; its columns are filled one after the other."""
    rows = -(-len(lengths) // columns)
    return sum(NAME_CHAR_POINTS * max(lengths[at : at + rows]) + 32 for at in range(0, len(lengths), rows))


def draw_message(ax: Axes, heading: str, text: str) -> Axes:
    """Write why there is nothing to draw."""
    draw_headline(ax, heading, columns=None)
    ax.text(
        0.01,
        0.5,
        replace_undrawable(text),
        transform=ax.transAxes,
        va="center",
        fontsize=10.5,
        color=choose_palette(ax).gray,
        wrap=True,
        **LITERAL_TEXT,
    )
    ax.set_axis_off()
    return ax


def draw_remark(ax: Axes, parts: Iterable[str], *, below: float = 36) -> None:
    """Write below the chart what it leaves out, `below` points under the axis."""
    text = "; ".join(filter(None, parts))
    if text:
        ax.annotate(
            replace_undrawable(f"{text}."), (0, 0), xycoords="axes fraction", xytext=(0, -below), textcoords="offset points",
            va="top", fontsize=8.5, color=choose_palette(ax).gray, annotation_clip=False, wrap=True, **LITERAL_TEXT,
        )  # fmt: skip


def format_hidden(count: int, what: str = "SKU", description: str = "not drawn") -> str:
    """Say how many rows are not drawn; empty for none."""
    return f"{format_count(count, f'more {what}')} {description}" if count > 0 else ""


def format_axis(ax: Axes, unit: str, most: float, *, along: Literal["x", "y"] = "x", marks: int = 6) -> None:
    """Scale one axis from 0, with its unit and thousands separators, and remove the frame.

    Args:
        ax: The finished chart.
        unit: What the axis counts.
        most: The end of the axis.
        along: `"x"` or `"y"`.
        marks: The approximate number of ticks.
    """
    palette = choose_palette(ax)
    axis = ax.xaxis if along == "x" else ax.yaxis
    (ax.set_xlim if along == "x" else ax.set_ylim)(0, most)
    axis.set_label_text(replace_undrawable(unit), fontsize=9, color=palette.gray, **LITERAL_TEXT)
    axis.set_major_locator(MaxNLocator(marks, integer=True))
    axis.set_major_formatter(FuncFormatter(lambda value, _: format_number(value, ",.0f")))
    ax.tick_params(axis=along, labelsize=9, colors=palette.gray, length=0)
    ax.grid(visible=False, axis="both")
    ax.grid(axis=along, color=palette.grid, linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ax.spines.values():
        side.set_visible(False)


def available_width(ax: Axes) -> float:
    """Return the width in points of the chart with its names: the figure's, or its share of a grid of charts."""
    figure: Any = ax.figure
    width = float(figure.bbox.width / figure.dpi * 72)
    grid = ax.get_subplotspec()
    if figure.get_layout_engine() is None or grid is None:
        return float(ax.get_position().width * width)
    return width * len(grid.colspan) / int(grid.get_gridspec().ncols)


def estimate_axis_width(ax: Axes) -> float:
    """Estimate the width in points that the names leave; without a layout they are outside the Axes."""
    figure: Any = ax.figure
    if figure.get_layout_engine() is None:
        return available_width(ax)
    longest = max((len(label.get_text()) for label in ax.get_yticklabels()), default=0)
    return max(available_width(ax) - NAME_CHAR_POINTS * longest - 22, 60.0)


def replace_undrawable(text: str) -> str:
    """Replace characters that the font lacks, which matplotlib would draw as boxes with a warning."""
    drawable = (c if ord(c) in _list_glyphs() and unicodedata.category(c)[0] != "C" else "□" for c in str(text))
    return "".join(drawable)


@cache
def _list_glyphs() -> frozenset[int]:
    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    return frozenset(font.get_charmap())
