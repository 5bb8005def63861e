"""Random count files as people and programs write them, with what they mean: to be read exactly, or refused."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from random import Random
from typing import Any

import openpyxl
import pandas as pd
import xlsxwriter

TEXT_SKUS = (
    *(
        "A12",
        "0012",
        "12",
        "1e5",
        "-5A",
        "+X1",
        "@HOME",
        "=1+1",
        "MAR-5",
        "VAL_xa100_EV",
        "x_x000D_y",
        '12" PAN',
        "O'NEIL",
    ),
    *(
        "'0012",
        "TRUE",
        "null",
        "1,5",
        "A;B",
        "A|B",
        "ÜBER-1",
        "ŠROUB-1",
        "АБ-1",
        "テスト-1",
        "CAFÉ-1",
        "AB–100",
        "a b",
    ),
)
NAMES = (
    "Chai",
    '12" pan',
    '"12 inch lid',
    "pan, deep",
    "lid; flat",
    "two\nlines",
    "",
    "Größe 5",
    'a "b" c',
    "=SUM(A1)",
)
SEPARATORS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "cp1250", "cp1251", "shift_jis", "mac_roman")
NUMBER_FORMATS = {
    "0000": "{:04d}",
    '"SKU-"000': "SKU-{:03d}",
    "00000_)": "{:05d}",
    "0000;-0000": "{:04d}",
    "General": "{}",
}
Row = tuple[str, str, int]


@dataclass
class DamagedFile:
    """A file, and what it means.

    Attributes:
        seed: It is made of.
        kind: Its format.
        damages: What is unusual about it.
        content: Its bytes.
        rows: Warehouse, SKU and quantity, in the order of the file.
        must_be_read: Whether nothing in it leaves a question open.
    """

    seed: int
    kind: str
    damages: list[str]
    content: bytes
    rows: list[Row]
    must_be_read: bool


def build_file(seed: int) -> DamagedFile:
    """Build the file of a seed."""
    random = Random(seed)
    skus = random.sample(TEXT_SKUS, random.randint(2, 8))
    rows = [(random.choice(("W", "V")), sku, random.choice((0, 1, 7, 130, 4_711))) for sku in skus]
    kind = random.choice(("text", "text", "xlsx", "xlsx", "parquet"))
    build = {"text": _build_text, "xlsx": _build_workbook, "parquet": _build_parquet}[kind]
    return build(seed, random, rows)


def _build_text(seed: int, random: Random, rows: list[Row]) -> DamagedFile:
    separator, encoding = random.choice(SEPARATORS), random.choice(ENCODINGS)
    quoting = random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL, None))
    newline = random.choice(("\n", "\r\n", "\r"))
    damages = [separator, encoding, "quoted" if quoting is not None else "raw"]
    header, cells = (
        ["Warehouse", "SKU", "Name", "Qty"],
        [[code, sku, random.choice(NAMES), str(quantity)] for code, sku, quantity in rows],
    )
    if random.random() < 0.2:
        damages.append("old quantity")
        header[3] = "Counted"
        header.append("Qty")
        cells = [[*row, str(random.randint(0, 99))] for row in cells]
    if random.random() < 0.2:
        damages.append("excel text guard")
        cells = [[row[0], f'="{row[1]}"', *row[2:]] if '"' not in row[1] else row for row in cells]
    if random.random() < 0.1:
        damages.append("blank lines")
        cells.insert(random.randint(0, len(cells)), [""] * len(header))
    if newline == "\r":  # the csv module would not quote the other line break
        cells = [[cell.replace("\n", " ") for cell in row] for row in cells]
    is_open = False
    if random.random() < 0.1:
        damages.append("error text")
        cells[random.randrange(len(cells))][random.choice((1, 3))] = random.choice(("#N/A", "#REF!", "#NV"))
        is_open = True
    buffer = io.StringIO()
    if quoting is None:
        if any(separator in cell or "\n" in cell for row in cells for cell in row):
            quoting = csv.QUOTE_MINIMAL
        else:
            buffer.write(newline.join(separator.join(row) for row in [header, *cells]) + newline)
    if quoting is not None:
        csv.writer(buffer, delimiter=separator, quoting=quoting, lineterminator=newline).writerows([header, *cells])
    text = buffer.getvalue()
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        content = text.encode("utf-8")
        damages[1] = "utf-8"
    must_be_read = damages[1].startswith("utf") and "raw" not in damages and not is_open
    return DamagedFile(seed, "text", damages, content, rows, must_be_read)


def _build_workbook(seed: int, random: Random, rows: list[Row]) -> DamagedFile:
    damages: list[str] = []
    if random.random() < 0.3:
        return DamagedFile(seed, "xlsx", ["xlsxwriter"], _write_plainly(rows), rows, must_be_read=True)
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["Warehouse", "SKU", "Name", "Qty", "Note"])
    rows = [row for row in rows if "_x000D_" not in row[1]]  # which openpyxl writes unescaped
    for code, sku, quantity in rows:
        sheet.append([code, None, random.choice(NAMES).replace("=SUM(A1)", "total"), quantity])
        sheet.cell(sheet.max_row, 2).value = sku
        sheet.cell(sheet.max_row, 2).data_type = "s"
    must_be_read = True
    for damage in random.sample(WORKBOOK_DAMAGES, random.randint(0, 2)):
        damages.append(damage)
        rows, is_open = _damage(random, book, sheet, rows, damage)
        must_be_read &= not is_open
    buffer = io.BytesIO()
    book.save(buffer)
    return DamagedFile(seed, "xlsx", damages, buffer.getvalue(), rows, must_be_read)


OPEN_DAMAGES = ("hidden row", "filter", "error", "formula", "date sku", "second sheet")
"""What must not be read in silence."""
WORKBOOK_DAMAGES = (
    *OPEN_DAMAGES,
    *("number sku", "hidden empty row", "stray cell", "read me", "template", "hidden sheet", "carriage return"),
)


def _damage(random: Random, book: Any, sheet: Any, rows: list[Row], damage: str) -> tuple[list[Row], bool]:
    """Damage a workbook; return what it means then, and whether that leaves a question open."""
    place = random.randrange(len(rows))
    if damage == "number sku":
        number, (number_format, shown) = random.randint(1, 999), random.choice(list(NUMBER_FORMATS.items()))
        _write_number(sheet, place + 2, number, number_format)
        renamed = [*rows[:place], (rows[place][0], shown.format(number), rows[place][2]), *rows[place + 1 :]]
        return renamed, len({row[:2] for row in renamed}) < len(renamed)
    if damage in OPEN_DAMAGES:
        _damage_row(random, book, sheet, place + 2, damage)
        return rows, True
    if damage == "hidden empty row":
        sheet.row_dimensions[len(rows) + 5].hidden = True
    elif damage == "stray cell":
        sheet[random.choice(("XFD1048576", "ZZ1", "AB500", "H90000"))].value = random.choice(("x", " ", 5))
    elif damage == "read me":
        book.create_sheet("Read me", 0).append(["How to count"])
    elif damage == "template":
        book.create_sheet("Template").append(["Warehouse", "SKU", "Qty"])
    elif damage == "hidden sheet":
        _add_sheet(random, book, "hidden")
    else:
        sheet.cell(place + 2, 3).value = "deep_x000D_\npan"
    return rows, False


def _damage_row(random: Random, book: Any, sheet: Any, line: int, damage: str) -> None:
    """Damage a row so that it must not be read as it is."""
    cell = sheet.cell(line, random.choice((2, 4)))
    if damage in ("hidden row", "filter"):
        sheet.row_dimensions[line].hidden = True
        sheet.auto_filter.ref = "A1:E9" if damage == "filter" else None
    elif damage == "error":
        cell.value, cell.data_type = "#N/A", "e"
    elif damage == "formula":
        cell.value = "=1+1"
    elif damage == "date sku":
        _write_number(sheet, line, 46_000, "d-mmm")
    else:
        _add_sheet(random, book, "visible")


def _write_number(sheet: Any, line: int, number: int, number_format: str) -> None:
    cell = sheet.cell(line, 2)
    cell.value, cell.number_format = number, number_format


def _add_sheet(random: Random, book: Any, state: str) -> None:
    other = book.create_sheet("Old", random.randint(0, 1))
    for row in (["Warehouse", "SKU", "Qty"], ["W", "OLD", 1]):
        other.append(row)
    other.sheet_state = state


def _write_plainly(rows: list[Row]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"strings_to_formulas": False, "strings_to_numbers": False}) as book:
        sheet = book.add_worksheet()
        for line, row in enumerate([("Lager", "Artikel", "Menge"), *rows]):
            for place, cell in enumerate(row):
                (sheet.write_string if isinstance(cell, str) else sheet.write_number)(line, place, cell)
    return buffer.getvalue()


def _build_parquet(seed: int, random: Random, rows: list[Row]) -> DamagedFile:
    frame = pd.DataFrame(rows, columns=["warehouse_code", "product_sku", "quantity"])
    damages = [random.choice(("int64", "float64", "Int64", "str", "category"))]
    if damages[0] == "category":
        frame["product_sku"] = frame["product_sku"].astype("category")
    else:
        frame["quantity"] = frame["quantity"].astype(damages[0])
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=random.random() < 0.5)
    return DamagedFile(seed, "parquet", damages, buffer.getvalue(), rows, must_be_read=True)
