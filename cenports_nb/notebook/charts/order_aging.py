"""Ages of waiting orders, as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import Series

from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.notebook.charts.canvas import (
    NAME_MAX_LENGTH,
    draw_headline,
    draw_message,
    draw_remark,
    format_axis,
    prepare_axes,
    replace_undrawable,
)
from cenports_nb.notebook.charts.palette import choose_palette
from cenports_nb.rendering.text import format_count, truncate

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class _AgeRows(pa.DataFrameModel):
    """The columns of `order_ages` that the chart needs."""

    order_no: Series[str]
    acknowledged: Series[pd.BooleanDtype] = pa.Field(nullable=True)
    unshipped: Series[bool]
    age_business_days: Series[int]
    bucket: Series[str]


WAITS = (
    "not acknowledged",
    "acknowledged, not shipped",
    "not shipped, acknowledgement not asked",
    "shipped, acknowledgement not asked",
)
"""What an order waits for; every order is in exactly one of these."""


def plot_ages(ages: pd.DataFrame, *, title: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw how many orders wait, by their age in working days and by what they wait for.

    Args:
        ages: From `order_ages`, or some of its rows.
        title: Replaces the default title.
        ax: The Axes to draw on; a new figure by default.

    Raises:
        InvalidRequestError: A column of `order_ages` is missing.

    Example:
        >>> ages = cn.order_ages(cn.load_orders(client, last="90D", with_acknowledged=True))
        >>> ax = cn.plot_ages(ages)
        >>> ax.get_title(loc="left")
        'Orders that wait'
    """
    rows = validate_columns(ages, _AgeRows, "ages", by_account=True)
    # `order_ages` lists no order that is acknowledged and shipped.
    rows = rows[rows["unshipped"] | ~rows["acknowledged"].fillna(value=False).astype(bool)]
    ax = prepare_axes(ax, 4.2 if len(rows) else 0)
    heading = title or "Orders that wait"
    if rows.empty:
        return draw_message(ax, heading, "No order waits: all are acknowledged and shipped.")
    counts = _count_orders(rows, _list_buckets(ages["bucket"], rows))
    _draw(ax, counts)
    draw_headline(ax, heading)
    oldest = rows.iloc[int(rows["age_business_days"].to_numpy().argmax())]
    days = format_count(int(oldest["age_business_days"]), "working day")
    draw_remark(
        ax,
        [
            f"{format_count(len(rows), 'order')} in all, the oldest, {truncate(oldest['order_no'], NAME_MAX_LENGTH)}, for {days}"
        ],
    )
    return ax


def _list_buckets(bucket: pd.Series[Any], rows: pd.DataFrame) -> list[str]:
    """List the buckets from young to old, with empty ones if the frame names them."""
    if isinstance(bucket.dtype, pd.CategoricalDtype):
        return [str(name) for name in bucket.cat.categories]
    first = rows.groupby("bucket")["age_business_days"].min().sort_values()
    return [str(name) for name in first.index]


def _count_orders(rows: pd.DataFrame, buckets: list[str]) -> pd.DataFrame:
    """Count orders by bucket and by what they wait for."""
    unknown, unshipped = rows["acknowledged"].isna(), rows["unshipped"]
    acknowledged = rows["acknowledged"].fillna(value=False).astype(bool)
    of_row = np.select(
        [~unknown & ~acknowledged, ~unknown & unshipped, unknown & unshipped],
        list(WAITS[:3]),
        WAITS[3],
    )
    table = pd.crosstab(rows["bucket"].to_numpy(), of_row)
    return table.reindex(index=buckets, columns=list(WAITS), fill_value=0)


def _draw(ax: Axes, counts: pd.DataFrame) -> None:
    palette = choose_palette(ax)
    at = np.arange(len(counts))
    below = np.zeros(len(counts))
    styles: list[dict[str, Any]] = [
        {"color": palette.red, "hatch": "////"},
        {"color": palette.blue},
        {"color": palette.yellow, "hatch": ".."},
        {"color": palette.pale_gray, "hatch": "xx"},
    ]
    for wait, style in zip(WAITS, styles, strict=True):
        height = counts[wait].to_numpy()
        if height.any():
            ax.bar(
                at, height, bottom=below, label=wait, width=0.7, edgecolor=palette.background, linewidth=0.8, **style
            )
            below += height
    for position, total in zip(at, below, strict=True):
        ax.annotate(
            f"{total:,.0f}", (position, total), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=9,
            color=palette.text, fontweight="bold",
        )  # fmt: skip
    ax.set_xticks(at, [replace_undrawable(name).replace("-", "–") for name in counts.index])
    format_axis(ax, "orders", below.max() * 1.12, along="y")
    ax.tick_params(axis="x", length=0, labelsize=9, colors=palette.text)
    ax.set_xlabel("working days since the order", fontsize=9, color=palette.text)
    ax.axhline(0, color=palette.text, linewidth=0.8)
