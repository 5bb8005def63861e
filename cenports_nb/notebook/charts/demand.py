"""Stock against demand: a bar for what there is, a mark for what is wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.notebook.charts.bars import EDGE, bars_height, finish_bars, sku_labels
from cenports_nb.notebook.charts.canvas import (
    BLUE,
    INK,
    PALE,
    RED,
    canvas,
    check_top,
    headline,
    more,
    remark,
    sentence,
)
from cenports_nb.notebook.charts.cover import Cover
from cenports_nb.stock.summary import summarize_stock

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class _Words:
    """What stock and demand are called, by the frame that they come from."""

    stock: str
    demand: str
    lacks: str
    short: str
    enough: str
    title: str
    nothing: str


OPEN = _Words(
    stock="on the shelf",
    demand="ordered, not shipped",
    lacks="short",
    short="{demand:,} ordered, {shortfall:,} short",
    enough="{demand:,} ordered, {spare:,} to spare",
    title="Stock against open orders",
    nothing="no SKU has open orders",
)
SOLD = _Words(
    stock="for sale",
    demand="sold in {days} days",
    lacks="less than was sold",
    short="{demand:,} sold, {stock:,} for sale",
    enough="{demand:,} sold, {stock:,} for sale",
    title="Stock against sales",
    nothing="no SKU was sold in these days",
)


def plot_demand(frame: pd.DataFrame, *, top: int = 12, title: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the stock of each SKU and the demand for it, in units, the largest shortfall first.

    shortfall = demand - stock. From `diff_stock(…, open_items=…)` stock is actual stock and demand what is ordered
    and neither shipped nor cancelled; a SKU on sale in several channels counts once. From `stock_cover` stock is
    available stock and demand what was sold in the window.

    Args:
        frame: From `diff_stock` with `open_items`, or from `stock_cover`, or some of their rows.
        top: The most SKUs; how many more have demand is said below.
        title: Instead of the default one.
        ax: Where to draw; a new figure by default.

    Raises:
        InvalidRequestError: The frame has no demand in it, or an argument means nothing.
    """
    check_top(top)
    rows, words = _demand(frame)
    rows = rows.assign(shortfall=rows["demand"] - rows["stock"].clip(lower=0))[rows["demand"] > 0]
    found = rows.sort_values(["shortfall", "demand", *STOCK_KEYS[::-1]], ascending=[False, False, True, True])
    bars = found.head(top)
    ax = canvas(ax, bars_height(len(bars)))
    heading = title or words.title
    if bars.empty:
        return sentence(ax, heading, f"No demand to show: {words.nothing}.")
    _draw(ax, bars, words, several=bool(rows["warehouse_code"].nunique() > 1))
    headline(ax, heading)
    remark(ax, [more(len(found) - len(bars), which="with demand not drawn")])
    return ax


def _demand(frame: pd.DataFrame) -> tuple[pd.DataFrame, _Words]:
    """Bring either frame to stock and demand, one row a warehouse and SKU."""
    if isinstance(frame, pd.DataFrame) and "sold" in frame.columns:
        rows = validate_columns(frame, Cover, "frame", optional=["product_name"])
        daily = (rows["sold"] / rows["daily"])[rows["daily"] > 0]  # the length of the window, which the frame tells so
        days = f"{daily.median():.0f}" if len(daily) else "these"
        words = replace(SOLD, demand=SOLD.demand.format(days=days))
        name = rows.get("product_name")
        rows = rows.assign(stock=rows["available"].fillna(0).astype("int64"), demand=rows["sold"], product_name=name)
        return rows, words
    if isinstance(frame, pd.DataFrame) and "open_quantity" not in frame.columns and "actual" in frame.columns:
        raise InvalidRequestError(
            "frame knows no demand: it lacks open_quantity. Pass diff_stock(…, open_items=line_items), or stock_cover(…)."
        )
    rows = summarize_stock(frame, by=STOCK_KEYS)
    return rows.rename(columns={"actual": "stock", "open_quantity": "demand"}), OPEN


def _draw(ax: Axes, bars: pd.DataFrame, words: _Words, *, several: bool) -> None:
    at = range(len(bars))
    short = bars["shortfall"] > 0
    have = bars["stock"].clip(lower=0)
    ax.barh(at, have, color=PALE, label=words.stock, **EDGE)
    lacking: dict[str, Any] = {
        "left": have[short],
        "color": "none",
        "edgecolor": RED,
        "hatch": "////",
        "linewidth": 0.8,
        "height": 0.7,
    }
    places = [place for place, lacks in zip(at, short, strict=True) if lacks]
    if places:
        ax.barh(places, bars.loc[short, "shortfall"], label=words.lacks, **lacking)
    ax.plot(
        bars["demand"], at, linestyle="none", marker="D", markersize=7, color=BLUE, markeredgecolor="white",
        label=words.demand, zorder=3,
    )  # fmt: skip
    ends = pd.concat([have, bars["demand"]], axis=1).max(axis=1)
    texts = [
        (words.short if shortfall > 0 else words.enough).format(
            demand=demand, shortfall=shortfall, spare=-shortfall, stock=max(stock, 0)
        )
        for demand, shortfall, stock in bars[["demand", "shortfall", "stock"]].itertuples(index=False)
    ]
    labels = sku_labels(ax, bars, several=several)
    finish_bars(ax, labels, ends.tolist(), texts, short.tolist(), unit="units")
    ax.axvline(0, color=INK, linewidth=0.8)
