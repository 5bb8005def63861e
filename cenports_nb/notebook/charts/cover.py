"""Days of cover as bars: which SKUs run out first."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.account_column import name_warehouses_by_account
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.notebook.charts.bars import bar_style, build_sku_labels, draw_bar_chart, label_bars
from cenports_nb.notebook.charts.canvas import check_bar_limit, format_hidden
from cenports_nb.notebook.charts.palette import choose_palette
from cenports_nb.rendering.text import format_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class CoverRows(pa.DataFrameModel):
    """The columns of `stock_cover` that the chart needs."""

    warehouse_code: Series[str]
    product_sku: Series[str]
    product_name: Series[str] = pa.Field(nullable=True)
    available: Series[pd.Int64Dtype] = pa.Field(nullable=True)
    sold: Series[int]
    daily: Series[float]
    cover_days: Series[float] = pa.Field(nullable=True)


def plot_cover(
    cover: pd.DataFrame, *, low: float = 7, top: int = 15, title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw how many days the stock of each SKU lasts, the shortest cover first.

    SKUs that were not sold in the window have no cover, and SKUs that were sold but are not stocked have no stock:
    both are counted below the chart.

    Args:
        cover: From `stock_cover`, or some of its rows.
        low: Days of cover below which a bar is hatched; a line marks the limit.
        top: The maximum number of bars; the number of further SKUs is written below.
        title: Replaces the default title.
        ax: The Axes to draw on; a new figure by default.

    Raises:
        InvalidRequestError: A column of `stock_cover` is missing, or an argument is invalid.

    Example:
        >>> line_items, available = cn.load_line_items(client, last="30D"), cn.load_available_stock(client)
        >>> cover = cn.stock_cover(line_items, available, days=28)
        >>> ax = cn.plot_cover(cover, low=7)
        >>> ax.get_title(loc="left")
        'Days until the stock runs out'
    """
    rows = read_cover(cover, "cover").reset_index(drop=True)
    check_bar_limit(top)
    if isinstance(low, bool) or not isinstance(low, int | float) or not 0 <= low < np.inf:
        raise InvalidRequestError(f"low={low!r} must be a number of days.")
    rows["cover_days"] = rows["cover_days"].where(rows["available"].notna()).clip(lower=0)
    found = rows[rows["cover_days"].notna()].sort_values(
        ["cover_days", "daily"], ascending=[True, False], kind="stable"
    )
    bars = _select_bars(found, top)
    left_out = _describe_left_out(rows)
    hidden = found.drop(bars.index)
    out = int((hidden["cover_days"] == 0).sum())
    lasting = format_hidden(len(hidden) - out, description="that last longer")
    return draw_bar_chart(
        ax,
        len(bars),
        title or "Days until the stock runs out",
        draw=partial(_draw, bars=bars, low=low, show_warehouse=bool(rows["warehouse_code"].nunique() > 1)),
        nothing="; ".join(["No SKU was sold from stock in these days", *left_out]) + ".",
        remark=[format_hidden(out, description="out of stock"), lasting, *left_out],
    )


def read_cover(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    """Validate a frame of `stock_cover`; of several accounts, warehouses have the account before their code."""
    rows = validate_columns(frame, CoverRows, what, optional=["product_name"], by_account=True)
    return name_warehouses_by_account(rows)


def _select_bars(found: pd.DataFrame, top: int) -> pd.DataFrame:
    """Choose the bars: SKUs that are out of stock take at most a third while others have stock left."""
    out = found[found["cover_days"] == 0]
    lasting = found[found["cover_days"] > 0]
    room = max(-(-top // 3), top - len(lasting))
    return pd.concat([out.head(room), lasting.head(top - min(room, len(out)))])


def _describe_left_out(rows: pd.DataFrame) -> list[str]:
    no_cover = rows["cover_days"].isna()
    unstocked = no_cover & rows["available"].isna()
    counts = {"sold but not stocked": int(unstocked.sum()), "not sold": int((no_cover & ~unstocked).sum())}
    return [f"{format_count(number, 'SKU')} {what}" for what, number in counts.items() if number]


def _draw(ax: Axes, bars: pd.DataFrame, low: float, *, show_warehouse: bool) -> None:
    days = bars["cover_days"].to_numpy()
    few = days < low
    palette = choose_palette(ax)
    at = np.arange(len(bars))
    styles: dict[str, tuple[Any, dict[str, Any]]] = {
        f"less than {low:g} days": (few & (days > 0), {"color": palette.red, "hatch": "////"}),
        f"{low:g} days or more": (~few, {"color": palette.blue}),
    }
    for word, (chosen, style) in styles.items():
        if chosen.any():
            ax.barh(at[chosen], days[chosen], label=word, **style, **bar_style(ax))
    none = days == 0
    if none.any():
        ax.plot(
            days[none], at[none], linestyle="none", marker="X", markersize=8, color=palette.red, label="none left", zorder=3,
            clip_on=False,
        )  # fmt: skip
    ax.axvline(low, color=palette.text, linewidth=1, linestyle=(0, (4, 3)), zorder=1.5)
    texts = [
        _describe_bar(length, int(available), daily)
        for length, available, daily in zip(days, bars["available"], bars["daily"], strict=True)
    ]
    labels = build_sku_labels(ax, bars, show_warehouse=show_warehouse)
    label_bars(ax, labels, days.tolist(), texts, few.tolist(), unit="days of cover", least=low)


def _describe_bar(days: float, available: int, daily: float) -> str:
    """Describe one bar."""
    left = "none left" if available <= 0 else f"{days:,.1f} days: {format_count(available, 'unit')}"
    return f"{left}, {daily:,.1f} a day"
