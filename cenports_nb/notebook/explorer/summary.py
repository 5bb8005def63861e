"""The orders in words and as plain tables: for a terminal, a saved notebook, an exported page."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd

from cenports_nb.notebook.explorer.order_index import OrderBook
from cenports_nb.notebook.grid.columns import Column, values_of
from cenports_nb.notebook.grid.static_table import WRITE, still_of
from cenports_nb.rendering.text_table import format_table

MOST_ROWS = 100
MOST_LINES = 20
"""Orders in a terminal."""


def sentence_of(book: OrderBook, shown: int | None = None) -> str:
    """Say how many orders there are, and of which days.

    Args:
        book: The orders.
        shown: How many of them a filter shows; None for all.
    """
    if not len(book):
        return "No orders: the frame is empty."
    days = book.days.dropna()
    span = "" if days.empty else f", {days.min():%Y-%m-%d} to {days.max():%Y-%m-%d} ({book.zone})"
    every = f"{len(book):,} order{'s' if len(book) > 1 else ''}{span}"
    if shown is None or shown == len(book):
        return f"{every}."
    return f"{shown:,} of {every}: the others were filtered out."


def page_of(book: OrderBook, table: pd.DataFrame, columns: Sequence[Column], shown: int | None = None) -> str:
    """Draw the first orders as HTML; everything in it is escaped.

    Args:
        book: All orders.
        table: The rows that are shown.
        columns: Of the table.
        shown: How many of them a filter shows; None for all.
    """
    said = f'<div class="cn-orders-said">{html.escape(f"{sentence_of(book, shown)} {book.doubts}".strip())}</div>'
    return said + (still_of(table, columns, most=MOST_ROWS, what="order") if len(table) else "")


def text_of(book: OrderBook, table: pd.DataFrame, columns: Sequence[Column], shown: int | None = None) -> str:
    """Write the first orders as text for a terminal."""
    said = f"{sentence_of(book, shown)} {book.doubts}".strip()
    if table.empty:
        return said
    first = pd.DataFrame(index=table.index[:MOST_LINES])
    for column in columns:
        values = table[column.name].iloc[:MOST_LINES]
        if column.kind == "money":
            texts = ["" if value is None else WRITE["money"](value) for value in values_of(values, "money")]
            width = max(map(len, [column.title, *texts]))
            first[column.title.rjust(width)] = pd.Series(
                [text.rjust(width) for text in texts], values.index, dtype="str"
            )
        else:
            # The zone is in the sentence above.
            first[column.title.removesuffix(f" ({book.zone})")] = values
    more = len(table) - len(first)
    rest = f"\n{more:,} more order{'s' if more > 1 else ''}." if more else ""
    return f"{said}\n{format_table(first)}{rest}"
