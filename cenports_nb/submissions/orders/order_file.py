"""A file of orders, one row per line item, read like a count file: nothing is guessed, and no zero gets lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.row_keys import Mask
from cenports_nb.rendering.text import add_article
from cenports_nb.submissions.orders.order_columns import LINE_COLUMNS, LINE_SUB_TOTAL, ORDER_COLUMNS, read_text
from cenports_nb.tables.encodings import decode_columns
from cenports_nb.tables.hidden_rows import settle_hidden_rows
from cenports_nb.tables.read import read_table
from cenports_nb.tables.table import Table

COLUMNS = frozenset({*ORDER_COLUMNS, *LINE_COLUMNS, LINE_SUB_TOTAL, "channel_id"})
TEXT_COLUMNS = frozenset(
    name for name, column in {**LINE_COLUMNS, **ORDER_COLUMNS}.items() if column.read is read_text
) | {"channel_id"}
DAY_COLUMNS = frozenset({"order_date", "estimated_ship_date"})
APOSTROPHE = r"'\d"
"""Excel's text marker as a literal character; no name of a person or street begins with it."""


def read_order_file(
    path: str | Path,
    *,
    sheet: str | None = None,
    encoding: str | None = None,
    hidden_rows: str | None = None,
    profile: str | None = None,
) -> pd.DataFrame:
    """Read a table of orders, one row per line item, with the order's columns on each row or only on its first.

    `hidden_rows` includes or excludes rows that a workbook hides; else the setting of the profile answers.

    Every cell is text. A number in a text column, such as a postal code, is what its number format shows; without such
    a format it is refused, because leading zeros may be lost. Empty rows are left out.

    Returns:
        The table, its rows labeled by their line in the file.

    Raises:
        InvalidRequestError: The file is missing or isn't a table, there is a question, or a cell is ambiguous.
    """
    table = read_table(path, _score, sheet=sheet, encoding=encoding)
    table = table.select_rows(~table.find_empty_rows())
    if not len(table.lines):
        raise InvalidRequestError(f"{table.title} has no row below its headers: put the orders there.")
    headers = [_normalize(header) for header in table.headers]
    read = {position: name for position, name in enumerate(headers) if name in COLUMNS}
    table = settle_hidden_rows(table, _find_order_lines(table, read), "order lines", hidden_rows, profile)
    table.refuse_flagged({name: position for position, name in read.items()})
    table = decode_columns(table, list(read), shows_values=False)  # they are personal
    columns = {
        position: _read_column(table, position, read.get(position))
        for position in range(len(headers))
        if headers[position]
    }
    # A header that repeats stays, and is refused later as such.
    frame = pd.concat(list(columns.values()), axis=1)
    frame.columns = pd.Index([headers[position] for position in columns], dtype=object)
    frame.index = pd.Index(table.lines)
    return frame.astype(object)


def _normalize(header: str) -> str:
    return header.strip().lower().replace(" ", "_")


def _score(cells: Sequence[str]) -> int:
    return len({_normalize(cell) for cell in cells} & COLUMNS)


def _read_column(table: Table, position: int, name: str | None) -> pd.Series[Any]:
    """Read a column as text, and refuse identifiers that a spreadsheet changed."""
    if name in TEXT_COLUMNS:
        what = f"{add_article(name)} that is a number, so that zeros in front may be lost"
        table.refuse(table.find_flagged("number", position), what, "make the column text, and enter it again")
        texts = table.read_identifiers(position, name).str.replace("\r\n", "\n")
        quoted = texts.str.match(APOSTROPHE).to_numpy(dtype=bool)
        table.refuse(
            quoted, f"{add_article(name)} with an apostrophe in front, which a spreadsheet would hide", "delete it"
        )
    else:
        texts = table.read_text(position)
        if name is not None and name not in DAY_COLUMNS:
            table.refuse(
                table.find_flagged("date", position), f"{add_article(name)} that is a date", "enter the number again"
            )
    return texts.rename(str(position))


def _find_order_lines(table: Table, read: dict[int, str]) -> Mask:
    """Find the rows that name an order or a product."""
    found: Mask = np.zeros(len(table.lines), dtype=bool)
    for position, name in read.items():
        if name in ("order_no", "product_sku", "quantity"):
            found |= (table.read_text(position) != "").to_numpy()
    return found
