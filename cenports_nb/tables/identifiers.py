"""Columns of identifiers, read as the workbook shows them; what a spreadsheet has changed is refused."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cenports_nb.rendering.text import add_article
from cenports_nb.tables.table import Table

SHORTENED = r"\d([.,]\d+)?E\+\d\d$"
"""How Excel writes a long number to a text file, without its last digits."""
AS_TEXT = "give the column the format Text or 0 in Excel, enter it again, and save"


def read_identifiers(table: Table, place: int, name: str) -> pd.Series[Any]:
    """Read a column of identifiers: SKUs, order numbers, postal codes.

    Args:
        table: The table.
        place: The position of the column.
        name: The column's name in errors.

    Raises:
        InvalidRequestError: Dates, numbers whose shown text is not known, or shortened numbers.
    """
    identifiers, one = table.read_identifiers(place), add_article(name)
    table.refuse(table.find_flagged("date", place), f"{one} that Excel made a date", AS_TEXT)
    unshown = f"{one} that is a number in a format that hides its digits, or has more than 15 of them"
    table.refuse(table.find_flagged("unshown", place), unshown, AS_TEXT)
    if table.separator is not None:  # workbooks and Parquet files hold all digits, whatever they show
        shortened = identifiers.str.match(SHORTENED).to_numpy(dtype=bool)
        table.refuse(shortened, f"{one} that Excel shortened, such as 7.12345E+11, so that digits are lost", AS_TEXT)
    return identifiers
