"""Test files of orders, which follow the rules of count files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from support.made_orders import line, lines, order, orders

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.sandbox import Sandbox
from cenports_nb.submissions.orders.order_file import read_order_file
from cenports_nb.submissions.orders.order_plan import plan_orders

ORDER: dict[str, Any] = {
    "order_no": "A1", "order_date": "2026-03-01", "customer_name": "Ann Example", "ship_to_address1": "1 Road",
    "ship_to_address2": "Apt 4", "ship_to_city": "Hayward", "ship_to_state": "CA", "ship_to_country": "US",
    "ship_to_postal_code": "02139", "carrier_code": "UPS", "service_level": "Ground", "product_sku": "0001", "quantity": 1,
    "price": 18.0, "grand_total": 18.0,
}  # fmt: skip
HEADERS = list(ORDER)


def build_book(*rows: dict[str, Any]) -> Any:
    book = openpyxl.Workbook()
    book.active.append(HEADERS)
    for row in rows or (ORDER,):
        book.active.append([row[name] for name in HEADERS])
    return book


def cell(book: Any, name: str, row: int = 2) -> Any:
    return book.active.cell(row, HEADERS.index(name) + 1)


def save(book: Any, folder: Path) -> Path:
    book.save(folder / "orders.xlsx")
    return folder / "orders.xlsx"


def write(folder: Path, separator: str = ",", encoding: str = "utf-8", **changed: Any) -> Path:
    row = [str({**ORDER, **changed}[name]) for name in HEADERS]
    path = folder / "orders.csv"
    path.write_bytes("\n".join(separator.join(cells) for cells in (HEADERS, row)).encode(encoding))
    return path


def refuse(path: Path, **arguments: Any) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        plan_orders(read_order_file(path, **arguments), None, channel_id="C")
    assert "\n" not in str(caught.value)
    assert "Ann" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "ship_to_postal_code",
            2139,
            "a ship_to_postal_code that is a number, so that zeros in front may be lost in row 2",
        ),
        ("product_sku", 1, "a product_sku that is a number"),
        ("order_no", 12.5, "an order_no that is a number"),
    ],
)
def test_a_number_in_a_column_of_text_is_refused(name: str, value: float, words: str, tmp_path: Path) -> None:
    """A format that shows its leading zeros makes it text."""
    book = build_book()
    cell(book, name).value = value
    assert words in refuse(save(book, tmp_path))


def test_a_number_format_that_shows_zeros_makes_a_text(tmp_path: Path) -> None:
    """The postal code is the one shown."""
    book = build_book()
    cell(book, "ship_to_postal_code").value = 2139
    cell(book, "ship_to_postal_code").number_format = "00000"
    cell(book, "product_sku").value = 1
    cell(book, "product_sku").number_format = "0000"
    (row,) = read_order_file(save(book, tmp_path)).to_dict("records")
    assert (row["ship_to_postal_code"], row["product_sku"]) == ("02139", "0001")


@pytest.mark.parametrize("name", ["ship_to_address2", "ship_to_city", "price", "order_date"])
@pytest.mark.parametrize(
    ("value", "kind", "words"), [("#N/A", "e", "an error such as #N/A"), ("=1+1", "f", "a formula")]
)
def test_a_cell_without_a_value_is_refused(name: str, value: str, kind: str, words: str, tmp_path: Path) -> None:
    """This includes optional columns in use."""
    book = build_book()
    cell(book, name).value, cell(book, name).data_type = value, kind
    found = refuse(save(book, tmp_path))
    assert words in found
    assert f"as {name} in row 2" in found


def test_a_line_break_of_a_workbook_is_one(tmp_path: Path) -> None:
    """Every way to write it works."""
    book = build_book({**ORDER, "ship_to_address1": "12 Main_x000D_\nUnit 3"})
    assert read_order_file(save(book, tmp_path))["ship_to_address1"].tolist() == ["12 Main\nUnit 3"]


def test_sheets_and_hidden_rows_are_questions(tmp_path: Path) -> None:
    """Errors name the arguments of `create_orders` that decide."""
    book = build_book(ORDER, {**ORDER, "order_no": "A2"})
    book.active.row_dimensions[3].hidden = True
    path = save(book, tmp_path)
    assert "order lines in rows that are hidden or filtered out (1 row is, row 3)" in refuse(path)
    assert read_order_file(path, hidden_rows="exclude")["order_no"].tolist() == ["A1"]
    assert read_order_file(path, hidden_rows="include")["order_no"].tolist() == ["A1", "A2"]
    other = book.create_sheet("Tuesday")
    other.append(HEADERS)
    other.append([{**ORDER, "order_no": "T1"}[name] for name in HEADERS])
    path = save(book, tmp_path)
    assert "('Sheet', 'Tuesday'): choose one with sheet='Sheet'" in refuse(path)
    assert read_order_file(path, sheet="Tuesday")["order_no"].tolist() == ["T1"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"ship_to_postal_code": "'02139"}, "an apostrophe in front"),
        ({"ship_to_postal_code": "2139"}, "has too few digits for the US: zeros in front are lost"),
        ({"ship_to_postal_code": "21391234"}, "has too few digits for the US"),
        ({"order_no": "7.12345E+11"}, "an order_no that Excel shortened"),
        ({"ship_to_address2": "#REF!"}, "an error such as #N/A instead of a value as ship_to_address2 in line 2"),
    ],
)
def test_damage_by_a_spreadsheet_is_refused(changed: dict[str, str], words: str, tmp_path: Path) -> None:
    """The error has line or order, and no value."""
    assert words in refuse(write(tmp_path, **changed))


def test_markers_of_text_for_excel_are_removed(tmp_path: Path) -> None:
    """A formula of text, a declared separator, or the apostrophe of `export`."""
    assert read_order_file(write(tmp_path, ship_to_postal_code='="02139"'))["ship_to_postal_code"].tolist() == ["02139"]
    assert read_order_file(write(tmp_path, ship_to_address1="'-5 Road"))["ship_to_address1"].tolist() == ["-5 Road"]
    path = write(tmp_path, separator=";")
    path.write_text("sep=;\n" + path.read_text())
    assert read_order_file(path)["order_no"].tolist() == ["A1"]


def test_an_inch_mark_of_a_tab_file_swallows_no_order(tmp_path: Path) -> None:
    """Each line is an order."""
    rows = [
        {**ORDER, "order_no": no, "customer_name": name}
        for no, name in (("B1", '"12 inch'), ("B2", "x"), ("B3", '12"'))
    ]
    path = tmp_path / "orders.txt"
    path.write_text("\n".join("\t".join(map(str, cells)) for cells in (HEADERS, *(row.values() for row in rows))))
    assert read_order_file(path)["order_no"].tolist() == ["B1", "B2", "B3"]


def test_an_encoding_is_asked_for_without_a_persons_name(tmp_path: Path) -> None:
    """The error lists encodings without decoded values."""
    path = write(tmp_path, encoding="cp1252", customer_name="Jörg Müller")
    words = refuse(path)
    assert "cp1252" in words
    assert "rg M" not in words
    assert read_order_file(path, encoding="cp1252")["customer_name"].tolist() == ["Jörg Müller"]


def test_arguments_of_files_are_refused_for_frames(northwind: Sandbox, tmp_path: Path) -> None:
    """Such arguments are refused, not ignored."""
    with cn.connect("sandbox", base_url=northwind.url, cache=tmp_path) as client:
        frame = read_order_file(write(tmp_path))
        with pytest.raises(InvalidRequestError, match="say how a file is read: pass its path as orders"):
            cn.create_orders(client, frame, channel_id="NW-NA", sheet="Monday")


@pytest.mark.parametrize("name", ["orders.csv", "orders.xlsx", "exported.csv", "semicolons.csv"])
def test_a_file_of_one_row_a_line_is_the_same_plan(name: str, tmp_path: Path) -> None:
    """Leading zeros stay, and so do telephones that look like formulas."""
    order_frame = orders(order(contact_phone="+49 30 1", sub_total=55), order("0002", grand_total=3.3))
    line_frame = lines(
        line(quantity=2, price=20.0), line(quantity=1, price=15.0), line("0002", price=3.3, product_sku="007")
    )
    table, path = line_frame.merge(order_frame, on="order_no"), tmp_path / name
    if name == "orders.xlsx":
        table.to_excel(path, index=False)
    elif name == "exported.csv":
        cn.export(table, path)
    else:
        table.to_csv(path, index=False, sep=";" if "semi" in name else ",")
    assert plan_orders(read_order_file(path), None, channel_id="C") == plan_orders(
        order_frame, line_frame, channel_id="C"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"order_no,price\n1,2,3\n", "line 2 has 3 cells, the headers are 2"),
        ("order_no;customer_name\n1;Müller\n".encode("cp1252"), "name the right one with encoding="),
        (b"PK\x03\x04nothing", "is cut short or damaged"),
        (b"<html><table><tr><td>order_no</td></tr></table>", "is a web page (HTML)"),
        (b"price,price\n1,2\n", "has the column price more than once"),
        (None, "There is no file"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_one_line(content: bytes | None, words: str, tmp_path: Path) -> None:
    """The error has its name and what to do, without content."""
    path = tmp_path / "orders.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidRequestError) as caught:
        plan_orders(read_order_file(path), None, channel_id="C")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_workbook_with_nothing_in_it_is_refused(tmp_path: Path) -> None:
    """An empty sheet has no orders."""
    pd.DataFrame().to_excel(tmp_path / "orders.xlsx")
    with pytest.raises(InvalidRequestError, match="is empty"):
        read_order_file(tmp_path / "orders.xlsx")
