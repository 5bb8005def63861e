"""Stock against demand: a bar for the stock, a mark for the demand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.account_column import name_warehouses_by_account
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.notebook.charts.bars import bar_style, build_sku_labels, draw_bar_chart, label_bars
from cenports_nb.notebook.charts.canvas import check_bar_limit, format_hidden
from cenports_nb.notebook.charts.cover import read_cover
from cenports_nb.notebook.charts.palette import choose_palette
from cenports_nb.stock.summary import summarize_stock

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class _Wording:
    """What stock and demand are called, depending on the frame."""

    stock: str
    demand: str
    lacks: str
    short: str
    enough: str
    title: str
    nothing: str


OPEN_ORDER_WORDING = _Wording(
    stock="on hand",
    demand="ordered, not shipped",
    lacks="short",
    short="{demand:,} ordered, {shortfall:,} short",
    enough="{demand:,} ordered, {spare:,} to spare",
    title="Stock against open orders",
    nothing="no SKU has open orders",
)
SALES_WORDING = _Wording(
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

    shortfall = demand - stock. From `diff_stock(…, open_items=…)`, stock is actual stock, and demand is what is
    ordered and neither shipped nor cancelled; a SKU that several channels sell counts once. From `stock_cover`,
    stock is available stock, and demand is what was sold in the window.

    Args:
        frame: From `diff_stock` with `open_items`, or from `stock_cover`, or some of their rows.
        top: The maximum number of SKUs; the number of further SKUs with demand is written below.
        title: Replaces the default title.
        ax: The Axes to draw on; a new figure by default.

    Raises:
        InvalidRequestError: The frame has no demand, or an argument is invalid.

    Example:
        >>> line_items, available = cn.load_line_items(client, last="30D"), cn.load_available_stock(client)
        >>> cover = cn.stock_cover(line_items, available, days=28)
        >>> ax = cn.plot_demand(cover, top=10)
        >>> ax.get_title(loc="left")
        'Stock against sales'
    """
    check_bar_limit(top)
    rows, wording = _read_demand(frame)
    rows = rows.assign(shortfall=rows["demand"] - rows["stock"].clip(lower=0))[rows["demand"] > 0]
    found = rows.sort_values(["shortfall", "demand", *STOCK_KEYS[::-1]], ascending=[False, False, True, True])
    bars = found.head(top)
    return draw_bar_chart(
        ax,
        len(bars),
        title or wording.title,
        draw=partial(_draw, bars=bars, wording=wording, show_warehouse=bool(rows["warehouse_code"].nunique() > 1)),
        nothing=f"No demand to show: {wording.nothing}.",
        remark=[format_hidden(len(found) - len(bars), description="with demand not drawn")],
    )


def _read_demand(frame: pd.DataFrame) -> tuple[pd.DataFrame, _Wording]:
    """Return stock and demand of either frame, one row per warehouse and SKU."""
    if isinstance(frame, pd.DataFrame) and "sold" in frame.columns:
        rows = read_cover(frame, "frame")
        daily = (rows["sold"] / rows["daily"])[
            rows["daily"] > 0
        ]  # the length of the window in days, which the frame has only in this form
        days = f"{daily.median():.0f}" if len(daily) else "these"
        wording = replace(SALES_WORDING, demand=SALES_WORDING.demand.format(days=days))
        name = rows.get("product_name")
        rows = rows.assign(stock=rows["available"].fillna(0).astype("int64"), demand=rows["sold"], product_name=name)
        return rows, wording
    if isinstance(frame, pd.DataFrame) and "open_quantity" not in frame.columns and "actual" in frame.columns:
        raise InvalidRequestError(
            "frame has no demand: the column open_quantity is missing. Pass diff_stock(…, open_items=line_items), or stock_cover(…)."
        )
    rows = name_warehouses_by_account(summarize_stock(frame, by=STOCK_KEYS))
    return rows.rename(columns={"actual": "stock", "open_quantity": "demand"}), OPEN_ORDER_WORDING


def _draw(ax: Axes, bars: pd.DataFrame, wording: _Wording, *, show_warehouse: bool) -> None:
    at = range(len(bars))
    palette = choose_palette(ax)
    short = bars["shortfall"] > 0
    have = bars["stock"].clip(lower=0)
    ax.barh(at, have, color=palette.pale_gray, label=wording.stock, **bar_style(ax))
    lacking: dict[str, Any] = {
        "left": have[short],
        "color": "none",
        "edgecolor": palette.red,
        "hatch": "////",
        "linewidth": 0.8,
        "height": 0.7,
    }
    positions = [position for position, lacks in zip(at, short, strict=True) if lacks]
    if positions:
        ax.barh(positions, bars.loc[short, "shortfall"], label=wording.lacks, **lacking)
    ax.plot(
        bars["demand"], at, linestyle="none", marker="D", markersize=7, color=palette.blue, markeredgecolor=palette.background,
        label=wording.demand, zorder=3,
    )  # fmt: skip
    ends = pd.concat([have, bars["demand"]], axis=1).max(axis=1)
    texts = [
        (wording.short if shortfall > 0 else wording.enough).format(
            demand=demand, shortfall=shortfall, spare=-shortfall, stock=max(stock, 0)
        )
        for demand, shortfall, stock in bars[["demand", "shortfall", "stock"]].itertuples(index=False)
    ]
    labels = build_sku_labels(ax, bars, show_warehouse=show_warehouse)
    label_bars(ax, labels, ends.tolist(), texts, short.tolist(), unit="units")
    ax.axvline(0, color=palette.text, linewidth=0.8)
