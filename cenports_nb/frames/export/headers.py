"""Headers and number formats that a reader of a workbook sees; the cells keep the names and values of the frame."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from cenports_nb.frames.schema.column_docs import MONEY, TABLES, UNITS

MONEY_COLUMNS = frozenset(
    {"line_value", "order_total", "price_before", "price_after"}
    | {name for table in TABLES for name, doc in table.items() if doc.unit == MONEY}
)
UNIT_COLUMNS = frozenset(
    {"units", "orders", "lines", "sold", "open_quantity", "unexplained", "line_count"}
    | {name for table in TABLES for name, doc in table.items() if doc.unit == UNITS}
)
PRICE_COLUMNS = frozenset({"price", "price_before", "price_after"})
"""Money of one unit: it has up to four decimals, and its sum means nothing."""

GENERAL, MONEY_FORMAT, PRICE_FORMAT, UNITS_FORMAT = "General", "#,##0.00", "#,##0.00##", "#,##0"
ABBREVIATIONS = {"sku": "SKU", "upc": "UPC", "id": "ID", "no": "number"}
CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def choose_number_format(column: pd.Series[Any]) -> str:
    """Choose the format of a column's numbers: two decimals for money, thousands separators for units."""
    if column.name in PRICE_COLUMNS:
        return PRICE_FORMAT
    if column.name in MONEY_COLUMNS:
        return MONEY_FORMAT
    return UNITS_FORMAT if column.name in UNIT_COLUMNS else GENERAL


def is_summable(column: pd.Series[Any]) -> bool:
    """Return whether the sum of a column means something: money and units, but not prices or orders in several rows."""
    is_known = column.name in (MONEY_COLUMNS | UNIT_COLUMNS) - PRICE_COLUMNS - {"orders"}
    return is_known and pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)


def write_title(name: str) -> str:
    """Write a column's name for a reader: `product_sku` is "Product SKU"; other names stay as they are."""
    if not CODE.fullmatch(name):
        return name
    first, *others = (ABBREVIATIONS.get(word, word) for word in name.split("_"))
    return " ".join([first[0].upper() + first[1:], *others])


def title_format(name: str) -> str:
    """Return the number format in which a header shows its title; its cell keeps the name, which programs read."""
    title = write_title(name)
    return "@" if title == name else f'General;General;General;"{title}"'
