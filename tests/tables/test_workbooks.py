"""Workbooks: which sheet, which rows, and cells that hold more or less than they show."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError

HEADERS = ["Warehouse", "SKU", "Qty"]


def build(*rows: list[Any], headers: list[str] | None = None) -> Any:
    book = openpyxl.Workbook()
    for row in (headers or HEADERS, *rows):
        book.active.append(row)
    return book


def save(book: Any) -> io.BytesIO:
    buffer = io.BytesIO()
    book.save(buffer)
    buffer.seek(0)
    return buffer


def refuse(source: Any, **arguments: Any) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        cn.read_counts(source, **arguments)
    text = str(caught.value)
    assert "\n" not in text
    assert "openpyxl" not in text
    return text


def read(book: Any, **arguments: Any) -> list[tuple[str, int]]:
    counts = cn.read_counts(save(book), **arguments)
    return list(zip(counts["product_sku"], counts["quantity"], strict=True))


def test_hidden_rows_with_a_quantity_are_a_question() -> None:
    """One sentence with how many rows and units; the answer is an argument."""
    book = build(["W", "A", 5], ["W", "B", 6], ["W", "C", 7])
    book.active.row_dimensions[3].hidden = True
    assert "has 6 units in rows that are hidden or filtered out (1 row is, row 3)" in refuse(save(book))
    assert read(book, hidden_rows="include") == [("A", 5), ("B", 6), ("C", 7)]
    assert read(book, hidden_rows="exclude") == [("A", 5), ("C", 7)]
    assert "hidden_rows='maybe' must be 'include' or 'exclude'" in refuse(save(book), hidden_rows="maybe")


def test_the_answer_about_hidden_rows_may_stand_in_the_profile(home: Path) -> None:
    """For every file."""
    book = build(["W", "A", 5], ["W", "B", 6])
    book.active.row_dimensions[3].hidden = True
    (home / "profiles.toml").write_text('[default]\nhidden_rows = "exclude"\n')
    assert read(book) == [("A", 5)]
    (home / "profiles.toml").write_text('[default]\nhidden_rows = "sometimes"\n')
    assert "hidden_rows='include'" in refuse(save(book))


def test_a_hidden_row_without_a_quantity_does_not_matter() -> None:
    """A separator that somebody folded away."""
    book = build(["W", "A", 5], [None, None, None], ["W", "C", 7])
    book.active.row_dimensions[3].hidden = True
    assert read(book) == [("A", 5), ("C", 7)]


def test_a_hidden_column_is_read_only_if_it_is_named() -> None:
    """The old numbers beside the new ones."""
    book = build(["W", "A", 5, "x"], headers=[*HEADERS, "Note"])
    book.active.column_dimensions["C"].hidden = True
    assert "hides the column 'Qty', which would be read as quantity" in refuse(save(book))
    assert read(book, columns={"quantity": "Qty"}) == [("A", 5)]


def test_of_several_sheets_one_is_named() -> None:
    """Hidden ones too; a template without rows doesn't matter."""
    book = build(["W", "A", 1])
    book.active.title = "Monday"
    other = book.create_sheet("Tuesday")
    other.append(HEADERS)
    assert read(book) == [("A", 1)]
    other.append(["W", "B", 2])
    assert "('Monday', 'Tuesday'): choose one with sheet='Monday'" in refuse(save(book))
    assert read(book, sheet="Tuesday") == [("B", 2)]
    assert read(book, sheet="tuesday ") == [("B", 2)]
    assert "has no sheet 'Sunday'; its sheets are 'Monday', 'Tuesday'" in refuse(save(book), sheet="Sunday")
    other.sheet_state = "hidden"
    assert read(book) == [("A", 1)]
    assert read(book, sheet="Tuesday") == [("B", 2)]
    book.active.sheet_state = "hidden"
    book.create_sheet("Read me").append(["Count here"])
    book.active = 2
    assert "only on a hidden sheet: read it with sheet='Monday'" in refuse(save(book))


def test_a_sheet_is_no_word_for_a_text_file() -> None:
    """Nor an encoding for a workbook."""
    assert "is a text file, which has no sheets" in refuse(io.StringIO("SKU,Qty\nA,1\n"), sheet="One")
    assert "isn't a text file: leave encoding= out" in refuse(save(build(["W", "A", 1])), encoding="cp1252")


def test_texts_are_what_excel_shows() -> None:
    """Control characters are escaped in the file, and an escape that somebody typed is escaped once more."""
    book = build(["W", "A1_x000D_", 5], ["W", "VAL_xa100_EV", 1])
    assert read(book) == [("A1", 5), ("VAL_xa100_EV", 1)]


@pytest.mark.parametrize("where", ["XFD1", "XFD1048576", "A1048576", "D900"])
def test_a_stray_cell_far_away_costs_nothing(where: str) -> None:
    """It is in no column that is read, or blank."""
    book = build(*(["W", f"A{row}", 5] for row in range(20)))
    book.active[where] = " " if where.startswith("A") else "x"
    assert len(read(book)) == 20


@pytest.mark.parametrize("column", [1, 2, 3, 4])
def test_an_error_or_a_lost_result_in_a_column_that_is_read_is_refused(column: int) -> None:
    """With sheet and row; an optional column too."""
    for value, kind, words in (
        ("#N/A", "e", "an error such as #N/A"),
        ("=1+1", "f", "a formula without a saved result"),
    ):
        book = build(["W", "A", 5, None], headers=[*HEADERS, "Counted at"])
        book.active.cell(2, column).value = value
        book.active.cell(2, column).data_type = kind
        assert words in refuse(save(book))
        assert "row 2" in refuse(save(book))


def test_a_row_of_no_height_is_hidden() -> None:
    """As somebody made it with the mouse."""
    source = edit(lambda _, part: part.replace(b'<row r="2"', b'<row r="2" ht="0" customHeight="1"'))
    assert "has 77 units in rows that are hidden" in refuse(source)


def edit(change: Callable[[str, bytes], bytes]) -> io.BytesIO:
    """Save a workbook and change its parts."""
    found = io.BytesIO()
    with zipfile.ZipFile(save(build(["W", "A", 77]))) as parts, zipfile.ZipFile(found, "w") as written:
        for name in parts.namelist():
            written.writestr(name, change(name, parts.read(name)))
    found.seek(0)
    return found


MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (edit(lambda _, part: part.replace(MAIN, b"http://purl.oclc.org/ooxml/spreadsheetml/main")), "Strict Open XML"),
        (
            edit(lambda _, part: part.replace(b"<fill><patternFill /></fill>", b"<fill/>")),
            "whose styles no other program understands",
        ),
        (
            edit(lambda _, part: part.replace(b"<v>77</v>", b"<v>1E+400</v>")),
            "a number too large for Excel as quantity",
        ),
        (io.BytesIO(save(build(["W", "A", 1])).getvalue()[:-900]), "is cut short or damaged"),
        (io.BytesIO(b"\xd0\xcf\x11\xe0" + b"\0" * 600), "is an old Excel workbook (.xls)"),
        (
            io.BytesIO(b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le")),
            "is a workbook with a password, which can't be read: save a copy of it without one",
        ),
        (io.BytesIO(b"<html><table><tr><td>SKU</td></tr></table></html>"), "is a web page (HTML)"),
        (io.BytesIO(b'<?xml version="1.0"?><counts/>'), "is XML"),
        (io.BytesIO(b'[{"SKU": "A"}]'), "is JSON"),
        (io.BytesIO(b"%PDF-1.7"), "is a PDF"),
        (io.BytesIO(b"\x1f\x8b\x08"), "is compressed with gzip"),
    ],
    ids=["strict", "fill", "huge", "cut", "xls", "password", "html", "xml", "json", "pdf", "gzip"],
)
def test_what_cannot_be_read_is_called_by_its_name(source: io.BytesIO, words: str) -> None:
    """In our own words, with what to save it as."""
    source.seek(0)
    assert words in refuse(source)


@pytest.mark.parametrize(
    ("part", "content", "words"),
    [
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet", "is an OpenDocument file (.ods)"),
        ("counts.csv", b"SKU,Qty\nA,5\n", "is a zip archive"),
        ("xl/workbook.bin", b"", "is a binary workbook (.xlsb)"),
        ("word/document.xml", b"", "is a Word document"),
    ],
)
def test_archives_that_are_no_workbook_are_called_by_their_name(part: str, content: bytes, words: str) -> None:
    """An .xlsx is a zip archive, and not each zip archive is one."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        archive.writestr(part, content)
    assert words in refuse(io.BytesIO(found.getvalue()))


def test_a_number_formatted_as_a_date_it_cannot_be_is_refused() -> None:
    """Excel shows ##### there."""
    book = build(["W", 712345678901, 5])
    book.active["B2"].number_format = "dd/mm/yyyy"
    assert "a format that hides its digits" in refuse(save(book))


def test_a_unit_that_a_number_format_shows_is_a_question() -> None:
    """The cell holds 5, and the person reads 5 CS."""
    book = build(["W", "A", 5])
    book.active["C2"].number_format = '0" CS"'
    assert "a quantity whose number format shows a unit, a percentage or thousands in row 2" in refuse(save(book))
    book.active["C2"].number_format = '0" pcs"'
    assert read(book) == [("A", 5)]


@pytest.mark.parametrize("number_format", ['#,##0" ctn"', 'General" CS"', "#,##0,", "0%", '0.0,"k"', "#,##0\\ \\c\\s"])
def test_a_unit_is_found_in_formats_that_are_not_rendered(number_format: str) -> None:
    """Thousands, percentages and a unit beside either of them."""
    book = build(["W", "A", 5])
    book.active["C2"].number_format = number_format
    assert "shows a unit, a percentage or thousands in row 2" in refuse(save(book))


@pytest.mark.parametrize(
    "number_format", ["#,##0", '#,##0 "pcs"', '_(* #,##0_);_(* \\(#,##0\\);_(* "-"??_);_(@_)', "_-* #,##0 [$€-407]_-"]
)
def test_ordinary_formats_of_quantities_are_read(number_format: str) -> None:
    """Thousands separators and the accounting format add nothing."""
    book = build(["W", "A", 5])
    book.active["C2"].number_format = number_format
    assert read(book) == [("A", 5)]


def test_formulas_that_result_in_an_empty_text_are_empty_cells() -> None:
    """Count sheets have =IF(Z1="","",Z1) filled down below their last product."""
    empty = b'<row r="3"><c r="B3" t="str"><f>IF(Z1="","",Z1)</f><v></v></c></row></sheetData>'
    source = edit(lambda _, content: content.replace(b"</sheetData>", empty))
    assert cn.read_counts(source)["product_sku"].tolist() == ["A"]
    unsaved = empty.replace(b"<v></v>", b"")
    assert "a formula without a saved result" in refuse(
        edit(lambda _, content: content.replace(b"</sheetData>", unsaved))
    )


@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_numbers_without_a_header_are_a_question(suffix: str) -> None:
    """Someone may have written there what was counted; an index on the left and a stray number don't matter."""

    def make(*rows: list[Any]) -> io.BytesIO:
        book = build(*rows, headers=[None, *HEADERS, None])
        text = "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in book.active.values)
        return save(book) if suffix == "xlsx" else io.BytesIO(f"{text}\n".encode())

    counted = [[0, "W", "A", 5, 7], [1, "W", "B", 6, 9], [2, "W", "C", 7, None]]
    assert "has numbers in a column without a header" in refuse(make(*counted))
    assert cn.read_counts(make(*counted), columns={"quantity": "Qty"})["quantity"].tolist() == [5, 6, 7]
    stray = [[*row[:4], None] for row in counted[:2]] + [[2, "W", "C", 7, 1]]
    assert cn.read_counts(make(*stray))["quantity"].tolist() == [5, 6, 7]
