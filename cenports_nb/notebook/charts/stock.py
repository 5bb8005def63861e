"""Stock as bars: for sale, reserved, short."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import pandas as pd

from cenports_nb.frames.account_column import name_warehouses_by_account
from cenports_nb.frames.choices import check_choice
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.notebook.charts.bars import bar_style, build_sku_labels, draw_bar_chart, label_bars
from cenports_nb.notebook.charts.canvas import check_bar_limit, format_hidden
from cenports_nb.notebook.charts.palette import choose_palette
from cenports_nb.stock.summary import summarize_stock

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_stock(
    diff: pd.DataFrame,
    *,
    by: Literal["sku", "warehouse"] = "sku",
    top: int = 12,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw stock on hand as what is for sale, reserved and short, in units.

    Args:
        diff: From `diff_stock`, or some of its rows.
        by: One bar per SKU, the most reserved first, or one per warehouse.
        top: The maximum number of bars; the number of further ones is written below.
        title: Replaces the default title.
        ax: The Axes to draw on; a new figure by default.

    Raises:
        InvalidRequestError: A column of `diff_stock` is missing, or an argument is invalid.

    Example:
        >>> diff = cn.diff_stock(cn.load_actual_stock(client), cn.load_available_stock(client))
        >>> ax = cn.plot_stock(diff, by="warehouse")
        >>> ax.get_title(loc="left")
        'Stock by warehouse'
    """
    needed = [*STOCK_KEYS, "product_name", "actual", "available"]
    diff = validate_columns(diff, schemas.StockDiff, "diff", needed, by_account=True)
    check_choice("by", by, ("sku", "warehouse"))
    check_bar_limit(top)
    found = _build_bars(diff, by)
    bars = found.head(top)
    show_warehouse = by == "sku" and bool(found["product_sku"].duplicated().any())
    return draw_bar_chart(
        ax,
        len(bars),
        title or ("Stock by warehouse" if by == "warehouse" else "Most reserved SKUs"),
        draw=partial(_draw, bars=bars, by=by, show_warehouse=show_warehouse),
        nothing="No stock to show: no SKU has units on hand or reserved.",
        remark=[format_hidden(len(found) - len(bars), "warehouse" if by == "warehouse" else "SKU")],
    )


def _build_bars(diff: pd.DataFrame, by: str) -> pd.DataFrame:
    """Sum a diff into bars; a SKU that several channels sell counts once, with its lowest available quantity."""
    rows = name_warehouses_by_account(summarize_stock(diff, by=STOCK_KEYS))
    rows["free"] = rows["available"].clip(lower=0)
    rows["covered"] = (rows["reserved"] - rows["short"]).clip(lower=0)
    if by == "warehouse":
        bars = rows.groupby("warehouse_code", as_index=False)[["actual", "reserved", "short", "free", "covered"]].sum()
        return bars.sort_values("actual", ascending=False)
    rows = rows[(rows["actual"] != 0) | (rows["reserved"] != 0)]
    return rows.sort_values(["reserved", *STOCK_KEYS[::-1]], ascending=[False, True, True])


def _draw(ax: Axes, bars: pd.DataFrame, by: str, *, show_warehouse: bool) -> None:
    """Draw each bar as covered, free and short units, with the numbers beside it."""
    if by == "warehouse":
        labels = bars["warehouse_code"].tolist()
    else:
        labels = build_sku_labels(ax, bars, show_warehouse=show_warehouse)
    palette, style = choose_palette(ax), bar_style(ax)
    at = range(len(bars))
    ends = bars["covered"] + bars["free"] + bars["short"]
    ax.barh(at, bars["covered"], color=palette.yellow, label="reserved by open orders", **style)
    ax.barh(at, bars["free"], left=bars["covered"], color=palette.blue, label="for sale", **style)
    ax.barh(
        at, bars["short"], left=bars["covered"] + bars["free"], color=palette.red, hatch="////",
        label="short: reserved, not on hand", **style,
    )  # fmt: skip
    texts = [
        f"{reserved:,} reserved, {short:,} short" if short else f"{free:,} of {actual:,} for sale"
        for free, actual, reserved, short in bars[["free", "actual", "reserved", "short"]].itertuples(index=False)
    ]
    label_bars(ax, labels, ends.tolist(), texts, (bars["short"] > 0).tolist(), unit="units")
