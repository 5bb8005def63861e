"""Test workbooks: zeros, dates and formulas are read as Excel shows them."""

from __future__ import annotations

import io
import re
from datetime import date, datetime
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError

HEADERS = ["Warehouse", "Item", "Qty", "Count date"]


def _book(*rows: list[Any], formats: dict[str, str] | None = None, errors: tuple[str, ...] = ()) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in (HEADERS, *rows):
        book.active.append(row)
    for place, form in (formats or {}).items():
        book.active[place].number_format = form
    for place in errors:
        book.active[place].data_type = "e"
    return book


def _saved(book: openpyxl.Workbook) -> io.BytesIO:
    buffer = io.BytesIO()
    book.save(buffer)
    buffer.seek(0)
    return buffer


def _refused(book: openpyxl.Workbook) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        cn.read_counts(_saved(book))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_numbers_are_read_as_they_are_shown() -> None:
    """A format with zeros keeps them; 12.0 is 12; text stays text."""
    book = _book(["W", 12, 5], ["W", 12.0, 6.0], ["W", "0013", "7"], [None] * 3, ["W", 14, 8], formats={"B2": "00000"})
    counts = cn.read_counts(_saved(book))
    assert counts["product_sku"].tolist() == ["00012", "12", "0013", "14"]
    assert counts["quantity"].tolist() == [5, 6, 7, 8]


def test_days_are_days() -> None:
    """A date cell is midnight UTC."""
    counts = cn.read_counts(_saved(_book(["W", "A", 1, date(2026, 1, 31)], ["W", "B", 1, datetime(2026, 1, 30)])))
    assert counts["counted_at"].dt.strftime("%Y-%m-%dT%H:%MZ").tolist() == ["2026-01-31T00:00Z", "2026-01-30T00:00Z"]


@pytest.mark.parametrize(
    ("book", "words"),
    [
        (_book(["W", "A", 1, datetime(2026, 1, 31, 8)]), "a counted_at without a time zone in row 2"),
        (_book(["W", "A", "=1+1"]), "a formula without a saved result as quantity in row 2"),
        (_book(["W", "=1+1", 1]), "a formula without a saved result as product_sku in row 2"),
        (_book(["W", "A", 1], ["=A2", "=B2", "=C2"]), "a formula without a saved result as warehouse_code in row 3"),
        (_book(["W", date(2026, 1, 2), 1]), "a product_sku that Excel made a date in row 2"),
        (
            _book(["W", 123_456_789_012_345_678, 1]),
            "a number in a format that hides its digits, or has more than 15 of them",
        ),
        (_book(["W", "#N/A", 1], errors=("B2",)), "an error such as #N/A instead of a value as product_sku in row 2"),
        (_book(["W", "A", "#N/A"], errors=("C2",)), "an error such as #N/A instead of a value as quantity in row 2"),
        (_book(["W", "A", 1.234]), "a quantity that is not whole in row 2"),
        (_book(["W", "A", "1.234"]), "a quantity that is not whole in row 2"),
        (_book(["W", "A", True]), "a quantity that isn't a number in row 2"),
        (_book([None, "A", 1]), "no warehouse_code in row 2"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_cells_that_are_not_what_was_entered_are_refused(book: openpyxl.Workbook, words: str) -> None:
    """The error has their row."""
    assert words in _refused(book)


def test_a_formula_in_another_column_is_ignored() -> None:
    """Only columns that are read need values."""
    book = _book(["W", "A", 1, None, "=1+1"])
    assert len(cn.read_counts(_saved(book))) == 1


def test_counts_on_two_sheets_are_refused() -> None:
    """Reading one sheet would lose the other warehouse."""
    book = _book(["W", "A", 1])
    second = book.create_sheet("South")
    second.append(HEADERS)
    second.append(["V", "A", 1])
    assert "such a table on more than one sheet ('Sheet', 'South'): choose one with sheet='Sheet'" in _refused(book)
    second.sheet_state = "hidden"
    assert len(cn.read_counts(_saved(book))) == 1


def test_the_sheet_with_the_headers_is_read() -> None:
    """The first sheet has only notes."""
    book = openpyxl.Workbook()
    book.active.append(["Read me"])
    second = book.create_sheet("Counts")
    second.append(HEADERS)
    second.append(["W", "A", 1])
    assert cn.read_counts(_saved(book))["product_sku"].tolist() == ["A"]
    second.insert_rows(1)
    second["A1"] = "Count of May"
    assert "has its headers in row 2" in _refused(book)


@pytest.mark.parametrize("rows", [0, 1])
def test_a_workbook_with_nothing_in_it_is_no_table(rows: int) -> None:
    """Unknown headers are no table either."""
    book = openpyxl.Workbook()
    for _ in range(rows):
        book.active.append(["Read me"])
    assert ("lacks the columns" if rows else "is empty") in _refused(book)


def test_empty_rows_above_keep_the_numbers_of_the_others() -> None:
    """Row numbers are Excel's."""
    book = _book(["W", "A", 1], ["W", "B", "x"])
    book.active.insert_rows(1, amount=2)
    assert "a quantity that isn't a number in row 5" in _refused(book)


def test_the_declared_size_of_a_sheet_is_ignored() -> None:
    """Some programs declare the size as A1."""
    buffer, reported = _saved(_book(["W", "A", 1], ["W", "B", 2])), io.BytesIO()
    with ZipFile(buffer) as whole, ZipFile(reported, "w") as other:
        for part in whole.namelist():
            other.writestr(part, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', whole.read(part)))
    reported.seek(0)
    assert cn.read_counts(reported)["product_sku"].tolist() == ["A", "B"]
