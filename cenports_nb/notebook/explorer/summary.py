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


def describe_orders(index: OrderIndex, shown: int) -> str:
    """Say how many orders there are, of which days, how many of them the filters show, and what is missing."""
    if not len(index):
        return f"No orders: the frame is empty. {index.warning}".rstrip()
    days = index.days.dropna()
    span = "" if days.empty else f", {days.min():%Y-%m-%d} to {days.max():%Y-%m-%d} ({index.time_zone})"
    every = f"{format_count(len(index), 'order')}{span}"
    filtered = f"{every}." if shown == len(index) else f"{shown:,} of {every}: the others were filtered out."
    return f"{filtered} {index.warning}".rstrip()


def render_orders(index: OrderIndex, table: pd.DataFrame, columns: Sequence[Column]) -> str:
    """Render the first rows of the table of orders as HTML, everything escaped."""
    sentence = f'<div class="cn-orders-summary">{html.escape(describe_orders(index, len(table)))}</div>'
    return sentence + (render_static_table(table, columns, max_rows=MAX_HTML_ROWS, what="order") if len(table) else "")


def format_orders(index: OrderIndex, table: pd.DataFrame, columns: Sequence[Column]) -> str:
    """Format the first orders as text for a terminal."""
    sentence = describe_orders(index, len(table))
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
