"""Charts: a frame in, matplotlib Axes out. Readable in grey print and for the colour-blind."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from matplotlib import font_manager
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, MaxNLocator

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames import schemas
from cenports_nb.frames.checks import check
from cenports_nb.stock.demand import KEYS
from cenports_nb.stock.summary import summarize_stock

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AVAILABLE, RESERVED, SHORT = "#004488", "#ddaa33", "#bb5566"  # distinct for the colour-blind, and in grey
INK, FAINT = "#222222", "#767676"
NAME_LENGTH = 34


def plot_stock(
    diff: pd.DataFrame,
    *,
    by: Literal["sku", "warehouse"] = "sku",
    top: int = 12,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw stock on hand as what is still for sale, what is reserved, and what is short, in units.

    Args:
        diff: From `diff_stock`, or some of its rows.
        by: One bar a SKU, the most reserved first, or one a warehouse.
        top: The most bars.
        title: Instead of the default one.
        ax: Where to draw; a new figure by default.

    Raises:
        InvalidRequestError: A column of `diff_stock` is missing.
    """
    needed = [*KEYS, "product_name", "actual", "available"]
    diff = check(diff, schemas.StockDiff, "diff", needed)
    if by not in ("sku", "warehouse"):
        raise InvalidRequestError(f'by={by!r} must be "sku" or "warehouse".')
    bars = _bars(diff, by).head(top)
    if ax is None:
        _, ax = plt.subplots(figsize=(9, 1.3 + 0.42 * max(len(bars), 2)), layout="constrained")
    heading = title or ("Stock by warehouse" if by == "warehouse" else "Most reserved SKUs")
    if bars.empty:
        return _sentence(ax, heading, "No stock to show: no SKU has units on hand or reserved.")
    _draw_bars(ax, bars)
    ax.set_title(_plain(heading), loc="left", fontsize=12, fontweight="bold", color=INK, pad=30, parse_math=False)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, frameon=False, fontsize=9, borderaxespad=0.2)
    return ax


def _bars(diff: pd.DataFrame, by: str) -> pd.DataFrame:
    """Sum a diff into bars; a SKU on sale in several channels is one SKU, at its scarcest."""
    rows = summarize_stock(diff, by=KEYS)
    rows["free"] = rows["available"].clip(lower=0)
    rows["covered"] = (rows["reserved"] - rows["short"]).clip(lower=0)
    if by == "warehouse":
        bars = rows.groupby("warehouse_code", as_index=False)[["actual", "reserved", "short", "free", "covered"]].sum()
        return bars.assign(label=bars["warehouse_code"]).sort_values("actual", ascending=False)
    names = rows["product_name"].fillna("").astype(str)
    short_names = names.where(names.str.len() <= NAME_LENGTH, names.str.slice(0, NAME_LENGTH - 1) + "…")
    rows["label"] = (rows["product_sku"] + "  " + short_names).str.strip()
    rows = rows[(rows["actual"] != 0) | (rows["reserved"] != 0)]
    return rows.sort_values(["reserved", "product_sku"], ascending=[False, True])


def _draw_bars(ax: Axes, bars: pd.DataFrame) -> None:
    """Draw each bar as covered, free and short units, and say the numbers beside it."""
    at = range(len(bars))
    edge: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.8, "height": 0.7}
    ax.barh(at, bars["covered"], color=RESERVED, label="reserved by open orders", **edge)
    ax.barh(at, bars["free"], left=bars["covered"], color=AVAILABLE, label="for sale", **edge)
    ax.barh(
        at, bars["short"], left=bars["covered"] + bars["free"], color=SHORT, hatch="////",
        label="short: reserved, not on hand", **edge,
    )  # fmt: skip
    ends = bars["covered"] + bars["free"] + bars["short"]
    for place, (end, bar) in enumerate(zip(ends, bars.itertuples(), strict=True)):
        free, actual, reserved, short = (int(getattr(bar, name)) for name in ("free", "actual", "reserved", "short"))
        text = f"{reserved:,} reserved, {short:,} short" if short else f"{free:,} of {actual:,} for sale"
        ax.annotate(
            text, (end, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8.5,
            color=SHORT if short else FAINT, fontweight="bold" if short else "normal",
        )  # fmt: skip
    ax.set_yticks(list(at), [_plain(label) for label in bars["label"]])
    for label in ax.get_yticklabels():
        label.set(parse_math=False, fontsize=9, color=INK)
    ax.invert_yaxis()
    ax.set_xlim(0, max(float(ends.max()), 1.0) * 1.3)
    ax.set_xlabel("units", fontsize=9, color=FAINT)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.tick_params(axis="x", labelsize=9, colors=FAINT, length=0)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="#e3e3e3", linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ax.spines.values():
        side.set_visible(False)


def _sentence(ax: Axes, heading: str, text: str) -> Axes:
    """Say why there is nothing to draw, instead of an empty picture."""
    ax.set_title(_plain(heading), loc="left", fontsize=12, fontweight="bold", color=INK, parse_math=False)
    ax.text(0.01, 0.5, text, transform=ax.transAxes, va="center", fontsize=10.5, color=FAINT)
    ax.set_axis_off()
    return ax


@cache
def _glyphs() -> frozenset[int]:
    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    return frozenset(font.get_charmap())


def _plain(text: str) -> str:
    """Replace what the chart's font can't draw, which would be a warning and an empty box."""
    drawable = (c if ord(c) in _glyphs() and unicodedata.category(c)[0] != "C" else "□" for c in str(text))
    return "".join(drawable)
