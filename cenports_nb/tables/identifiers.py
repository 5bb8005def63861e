"""Columns of identifiers, read as a person sees them; what a spreadsheet made of one is refused."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cenports_nb.rendering.text import add_article
from cenports_nb.tables.table import Table

SHORTENED = r"\d([.,]\d+)?E\+\d\d$"
"""How Excel writes a long number into a text file, its last digits lost."""
AS_TEXT = "give the column the format Text or 0 in Excel, enter it again, and save"


def read_identifiers(table: Table, place: int, name: str) -> pd.Series[Any]:
    """Read a column of identifiers: SKUs, order numbers, postal codes.

    Args:
        table: The table.
        place: Of the column.
        name: What the column is called in errors.

    Raises:
        InvalidRequestError: Dates, numbers in a format whose text is not known, shortened numbers.
    """
    identifiers, one = table.read_identifiers(place), add_article(name)
    table.refuse(table.find_flagged("date", place), f"{one} that Excel made a date", AS_TEXT)
    unshown = f"{one} that is a number in a format that hides its digits, or has more than 15 of them"
    table.refuse(table.find_flagged("unshown", place), unshown, AS_TEXT)
    if table.separator is not None:  # a workbook and a Parquet file hold all digits, whatever they show
        shortened = identifiers.str.match(SHORTENED).to_numpy(dtype=bool)
        table.refuse(shortened, f"{one} that Excel shortened, such as 7.12345E+11, so that digits are lost", AS_TEXT)
    return identifiers
