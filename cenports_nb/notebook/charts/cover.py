"""Days of cover as bars: what runs out first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.notebook.charts.bars import EDGE, bars_height, finish_bars, sku_labels
from cenports_nb.notebook.charts.canvas import (
    BLUE,
    INK,
    RED,
    canvas,
    check_top,
    headline,
    many,
    more,
    remark,
    sentence,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Cover(pa.DataFrameModel):
    """What a chart needs of `stock_cover`."""

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
    """Draw for how many days the stock lasts, the SKUs that run out first on top.

    SKUs that were not sold in the window last for no time that can be told, and SKUs that were sold and are not
    stocked have nothing to last: both are counted below the chart.

    Args:
        cover: From `stock_cover`, or some of its rows.
        low: So many days are few: a line marks them, and bars below it are hatched.
        top: The most bars; how many more there are is said below.
        title: Instead of the default one.
        ax: Where to draw; a new figure by default.

    Raises:
        InvalidRequestError: A column of `stock_cover` is missing, or an argument means nothing.
    """
    rows = validate_columns(cover, Cover, "cover", optional=["product_name"]).reset_index(drop=True)
    check_top(top)
    if isinstance(low, bool) or not isinstance(low, int | float) or not 0 <= low < np.inf:
        raise InvalidRequestError(f"low={low!r} must be a number of days.")
    rows["cover_days"] = rows["cover_days"].where(rows["available"].notna()).clip(lower=0)
    found = rows[rows["cover_days"].notna()].sort_values(
        ["cover_days", "daily"], ascending=[True, False], kind="stable"
    )
    bars = _first(found, top)
    ax = canvas(ax, bars_height(len(bars)))
    heading = title or "Days until the stock runs out"
    left_out = _left_out(rows)
    if bars.empty:
        return sentence(ax, heading, "; ".join(["No SKU was sold from stock in these days", *left_out]) + ".")
    _draw(ax, bars, low, several=bool(rows["warehouse_code"].nunique() > 1))
    headline(ax, heading)
    hidden = found.drop(bars.index)
    out = int((hidden["cover_days"] == 0).sum())
    remark(ax, [more(out, which="out of stock"), more(len(hidden) - out, which="that last longer"), *left_out])
    return ax


def _first(found: pd.DataFrame, top: int) -> pd.DataFrame:
    """Choose the bars: what is out of stock fills a third at most, as long as something else can still be saved."""
    out = found[found["cover_days"] == 0]
    lasting = found[found["cover_days"] > 0]
    room = max(-(-top // 3), top - len(lasting))
    return pd.concat([out.head(room), lasting.head(top - min(room, len(out)))])


def _left_out(rows: pd.DataFrame) -> list[str]:
    untold = rows["cover_days"].isna()
    unstocked = untold & rows["available"].isna()
    counts = {"sold but not stocked": int(unstocked.sum()), "not sold": int((untold & ~unstocked).sum())}
    return [f"{many(number, 'SKU')} {what}" for what, number in counts.items() if number]


def _draw(ax: Axes, bars: pd.DataFrame, low: float, *, several: bool) -> None:
    days = bars["cover_days"].to_numpy()
    few = days < low
    at = np.arange(len(bars))
    looks: dict[str, tuple[Any, dict[str, Any]]] = {
        f"less than {low:g} days": (few & (days > 0), {"color": RED, "hatch": "////"}),
        f"{low:g} days or more": (~few, {"color": BLUE}),
    }
    for word, (chosen, look) in looks.items():
        if chosen.any():
            ax.barh(at[chosen], days[chosen], label=word, **look, **EDGE)
    none = days == 0
    if none.any():
        ax.plot(
            days[none], at[none], linestyle="none", marker="X", markersize=8, color=RED, label="none left", zorder=3,
            clip_on=False,
        )  # fmt: skip
    ax.axvline(low, color=INK, linewidth=1, linestyle=(0, (4, 3)), zorder=1.5)
    texts = [
        _told(length, int(available), daily)
        for length, available, daily in zip(days, bars["available"], bars["daily"], strict=True)
    ]
    labels = sku_labels(ax, bars, several=several)
    finish_bars(ax, labels, days.tolist(), texts, few.tolist(), unit="days of cover", least=low)


def _told(days: float, available: int, daily: float) -> str:
    """Say one bar in words."""
    left = "none left" if available <= 0 else f"{days:,.1f} days: {many(available, 'unit')}"
    return f"{left}, {daily:,.1f} a day"
