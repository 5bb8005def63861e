"""Orders as a sentence and as plain tables, for a terminal, a saved notebook or an exported page."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd

from cenports_nb.notebook.explorer.order_index import OrderIndex
from cenports_nb.notebook.grid.columns import Column, list_values
from cenports_nb.notebook.grid.static_table import FORMATTERS, render_static_table
from cenports_nb.rendering.text import format_count
from cenports_nb.rendering.text_table import format_table

MAX_HTML_ROWS = 100
MAX_TEXT_ROWS = 20
"""Maximum orders in a terminal."""


def describe_orders(index: OrderIndex, shown: int | None = None) -> str:
    """Say how many orders there are, and of which days.

    Args:
        index: The orders.
        shown: How many of them the filters show; None for all.
    """
    if not len(index):
        return "No orders: the frame is empty."
    days = index.days.dropna()
    span = "" if days.empty else f", {days.min():%Y-%m-%d} to {days.max():%Y-%m-%d} ({index.time_zone})"
    every = f"{format_count(len(index), 'order')}{span}"
    if shown is None or shown == len(index):
        return f"{every}."
    return f"{shown:,} of {every}: the others were filtered out."


def render_orders(index: OrderIndex, table: pd.DataFrame, columns: Sequence[Column], shown: int | None = None) -> str:
    """Render the first orders as HTML, everything escaped.

    Args:
        index: All orders.
        table: The rows to show.
        columns: The columns of the table.
        shown: How many orders the filters show; None for all.
    """
    sentence = f'<div class="cn-orders-summary">{html.escape(f"{describe_orders(index, shown)} {index.warning}".strip())}</div>'
    return sentence + (render_static_table(table, columns, max_rows=MAX_HTML_ROWS, what="order") if len(table) else "")


def format_orders(index: OrderIndex, table: pd.DataFrame, columns: Sequence[Column], shown: int | None = None) -> str:
    """Format the first orders as text for a terminal."""
    sentence = f"{describe_orders(index, shown)} {index.warning}".strip()
    if table.empty:
        return sentence
    first = pd.DataFrame(index=table.index[:MAX_TEXT_ROWS])
    for column in columns:
        values = table[column.name].iloc[:MAX_TEXT_ROWS]
        if column.kind == "money":
            texts = ["" if value is None else FORMATTERS["money"](value) for value in list_values(values, "money")]
            width = max(map(len, [column.title, *texts]))
            first[column.title.rjust(width)] = pd.Series(
                [text.rjust(width) for text in texts], values.index, dtype="str"
            )
        else:
            # The sentence above names the zone.
            first[column.title.removesuffix(f" ({index.time_zone})")] = values
    more = len(table) - len(first)
    rest = f"\n{format_count(more, 'more order')}." if more else ""
    return f"{sentence}\n{format_table(first)}{rest}"
