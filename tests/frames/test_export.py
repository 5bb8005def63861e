"""Test that files have what the frame has: exact text, real dates, nothing cut, no formulas."""

from __future__ import annotations

import csv
import re
import tempfile
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.export.workbook import sheet_names

NASTY = [
    "0012", "1e5", "TRUE", "9" * 30, "=1+1", "+49 30 1", "-5", "@SUM(A1)", "\tx", "\rx", "a\rb", "a\r\nb", "\n", "'=1+1",
    '=HYPERLINK("http://example.com")', "http://example.com", "mailto:a@example.com", "internal:Sheet1!A1", "{=1}",
    " blank ", '"', '""', "a,b;c", "\x00", "\x01\x1f", "\x7f", "￾", "_x0041_", "🍣" * 3, "é\u0301", "NaN", "None",
    "2026-03-01", "1/2", "#REF!", "<b>&amp;</b>", "]]>", "’", "\u2028", "nan", "NULL",
]  # fmt: skip
# XlsxWriter escapes `_x0001_` to keep it text, but not where two of them share an underscore.
TEXT = (st.sampled_from(NASTY) | st.text(min_size=1)).filter(lambda text: not re.search(r"_x[0-9a-fA-F]{4}_x", text))
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def texts(*values: Any) -> pd.Series[Any]:
    return pd.Series(values, dtype="str")


def cells(path: Path, sheet: str | None = None) -> list[list[Any]]:
    """Return the sheet's cells as Excel reads them."""
    book = openpyxl.load_workbook(path)
    found = book[sheet] if sheet else book.active
    return [[unescape(cell.value) if isinstance(cell.value, str) else cell.value for cell in row] for row in found]


def serial(path: Path) -> list[str]:
    """Return the numbers in the sheet's XML."""
    with zipfile.ZipFile(path) as archive:
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    return [cell.text or "" for cell in sheet.iter("{http://schemas.openxmlformats.org/spreadsheetml/2006/main}v")]


@given(values=st.lists(TEXT | st.none(), min_size=1, max_size=25), head=TEXT)
@example(values=NASTY, head="=1+1")
def test_text_in_excel_is_text_exactly(values: list[str | None], head: str) -> None:
    """Text that looks like a number, formula or link is a text cell with the same text."""
    with tempfile.TemporaryDirectory() as folder:
        path = cn.export(pd.DataFrame({head: texts(*values), "end": "x"}), Path(folder) / "a.xlsx")
        assert [row[0] for row in cells(path)] == [head, *values]
        sheet = openpyxl.load_workbook(path).active
        written = [cell for row in sheet for cell in row if cell.value is not None]
        assert {cell.data_type for cell in written} == {"s"}
        assert {cell.number_format for cell in written if cell.row > 1} == {"@"}
        assert {cell.hyperlink for cell in written} == {None}
        with zipfile.ZipFile(path) as archive:
            assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


@given(values=st.lists(TEXT | st.none(), min_size=1, max_size=25), head=TEXT)
@example(values=NASTY, head="=1+1")
def test_text_in_csv_is_text_with_an_apostrophe_before_formulas(values: list[str | None], head: str) -> None:
    """Every text can be read back, and none, headers included, begins like a formula."""
    frame = pd.DataFrame({head: texts(*values), "end": 1})
    with tempfile.TemporaryDirectory() as folder:
        path = cn.export(frame, Path(folder) / "a.csv")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row[0] for row in csv.reader(file)]
    assert rows == [
        f"'{text}" if text.startswith(FORMULA) else text for text in [head, *(value or "" for value in values)]
    ]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_identifiers_come_back_as_they_were(tmp_path: Path, ending: str) -> None:
    """pandas reads the same text from the file."""
    frame = pd.DataFrame({"sku": texts("0012", "1e5", "TRUE", "9" * 30, "None", "NaN")})
    path = cn.export(frame, tmp_path / f"a.{ending}")
    read = pd.read_csv if ending == "csv" else pd.read_excel
    back = read(path, dtype=str, keep_default_na=False)
    assert list(back["sku"]) == list(frame["sku"])


@pytest.mark.parametrize(
    ("zone", "shown"), [(None, "2026-03-01 09:30:15"), ("Europe/Berlin", "2026-03-01 10:30:15"), ("Asia/Kolkata", "2026-03-01 15:00:15")]
)  # fmt: skip
def test_instants_in_excel_are_dates_in_the_zone(tmp_path: Path, zone: str | None, shown: str) -> None:
    """Dates show seconds; the header is the column's name, and its note has the zone."""
    frame = pd.DataFrame({"order_date": pd.to_datetime(["2026-03-01T09:30:15Z", None]).astype("datetime64[us, UTC]")})
    path = cn.export(frame, tmp_path / "a.xlsx", time_zone=zone)
    sheet = openpyxl.load_workbook(path).active
    assert (sheet["A2"].is_date, sheet["A2"].number_format) == (True, "yyyy-mm-dd hh:mm:ss")
    assert (str(sheet["A2"].value), sheet["A3"].value) == (shown, None)
    assert sheet["A1"].value == "order_date"
    assert f"in the zone {zone or 'UTC'}." in sheet["A1"].comment.text


def test_a_plain_day_is_never_shifted(tmp_path: Path) -> None:
    """An order of March 1 without a time stays on March 1 west of Greenwich; other instants are converted."""
    midnight = pd.to_datetime(["2026-03-01T00:00:00Z"]).astype("datetime64[us, UTC]")
    frame = pd.DataFrame({"order_date": midnight, "ship_date": midnight})
    zone = "America/New_York"
    row = cells(cn.export(frame, tmp_path / "a.xlsx", time_zone=zone))[1]
    assert row == [datetime(2026, 3, 1), datetime(2026, 2, 28, 19)]
    text = cn.export(frame, tmp_path / "a.csv", time_zone=zone).read_text(encoding="utf-8-sig").splitlines()[1]
    assert text == "2026-03-01T00:00:00.000000+00:00,2026-02-28T19:00:00.000000-05:00"


@given(
    moments=st.lists(
        st.datetimes(datetime(1930, 1, 1), datetime(2170, 12, 31), timezones=st.just(UTC)), min_size=1, max_size=10
    )
)
def test_instants_in_excel_keep_their_microseconds(moments: list[datetime]) -> None:
    """Excel shows milliseconds at most, but the cell's number has microseconds."""
    frame = pd.DataFrame({"at": pd.Series(moments, dtype="datetime64[us, UTC]")})
    with tempfile.TemporaryDirectory() as folder:
        numbers = serial(cn.export(frame, Path(folder) / "a.xlsx"))
    found = [datetime(1899, 12, 30, tzinfo=UTC) + timedelta(microseconds=round(float(n) * 86_400e6)) for n in numbers[-len(moments):]]  # fmt: skip
    assert [abs(a - b) <= timedelta(microseconds=1) for a, b in zip(found, moments, strict=True)] == [True] * len(
        moments
    )


def test_dates_that_excel_does_not_have_are_text(tmp_path: Path) -> None:
    """They are written as ISO 8601 text in the same column."""
    frame = pd.DataFrame(
        {
            "at": pd.Series(["1899-12-31T12:00:00Z", "2026-01-01T12:00:00.5Z"]).astype("datetime64[us, UTC]"),
            "day": pd.Series(["0001-01-01", "2026-01-01"]).astype("datetime64[us]"),
        }
    )
    path = cn.export(frame, tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(path).active
    assert [cell.value for cell in sheet[2]] == ["1899-12-31T12:00:00.000000+00:00", "0001-01-01T00:00:00.000000"]
    assert [cell.number_format for cell in sheet[3]] == ["yyyy-mm-dd hh:mm:ss.000", "yyyy-mm-dd"]
    assert sheet["A3"].value == datetime(2026, 1, 1, 12, 0, 0, 500_000)


@given(
    moments=st.lists(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.just(UTC)) | st.none(), min_size=1, max_size=10),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia"]),
)  # fmt: skip
def test_instants_in_csv_come_back_exactly(moments: list[datetime | None], zone: str) -> None:
    """They are ISO 8601 with the zone's offset at that instant."""
    frame = pd.DataFrame({"at": pd.Series(moments, dtype="datetime64[us, UTC]"), "end": 1})
    with tempfile.TemporaryDirectory() as folder:
        path = cn.export(frame, Path(folder) / "a.csv", time_zone=zone)
        found = [row["at"] for row in csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines())]
    assert [datetime.fromisoformat(text) if text else None for text in found] == moments
    local = [moment and moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in moments]
    assert [datetime.fromisoformat(text).utcoffset() if text else None for text in found] == local


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_numbers_flags_and_nulls_are_cells_of_their_kind(tmp_path: Path, ending: str) -> None:
    """A null is an empty cell, neither text nor zero."""
    frame = pd.DataFrame(
        {
            "count": pd.array([1, None, -3], dtype="Int64"),
            "flag": pd.array([True, None, False], dtype="boolean"),
            "price": [-0.1234, np.nan, 12.5],
            "name": pd.Categorical(["x", None, "=y"]),
            "mixed": pd.Series(["01", None, 7], dtype=object),
        }
    )
    path = cn.export(frame, tmp_path / f"a.{ending}")
    if ending == "xlsx":
        assert cells(path)[1:] == [[1, True, -0.1234, "x", "01"], [None] * 5, [-3, False, 12.5, "=y", 7]]
    else:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        assert lines[1:] == ["1,True,-0.1234,x,01", ",,,,", "-3,False,12.5,'=y,7"]


def test_whole_numbers_that_excel_would_round_are_text(tmp_path: Path) -> None:
    """Numbers of 16 and more digits, and values Excel can't represent, are text."""
    frame = pd.DataFrame({"n": [10**15 - 1, 2**63 - 1, -(2**63)], "x": [1.5, np.inf, -np.inf]})
    rows = cells(cn.export(frame, tmp_path / "a.xlsx"))[1:]
    assert rows == [[10**15 - 1, 1.5], [str(2**63 - 1), "inf"], [str(-(2**63)), "-inf"]]


def test_a_parquet_file_is_the_frame(tmp_path: Path, client: cn.Client) -> None:
    """The file keeps dtypes, units, nulls, provenance and rejects."""
    orders = cn.load_orders(client, "1998-05-01", "1998-05-06")
    back = pd.read_parquet(cn.export(orders, tmp_path / "a.parquet"))
    pd.testing.assert_frame_equal(back, orders)
    assert cn.provenance(back) == cn.provenance(orders) is not None
    cn.schemas.Orders.validate(back)


def test_a_parquet_file_has_instants_in_the_zone_asked_for(tmp_path: Path) -> None:
    """The instants are equal, in another zone."""
    orders = cn.schemas.Orders.example()
    back = pd.read_parquet(cn.export(orders, tmp_path / "a.parquet", time_zone="Europe/Berlin"))
    assert str(back["order_date"].dtype) == "datetime64[us, Europe/Berlin]"
    assert (back["order_date"] == orders["order_date"]).all()


def test_a_mapping_is_a_workbook_of_sheets(tmp_path: Path, client: cn.Client) -> None:
    """Each sheet has a frozen header and a filter; the properties have the provenance; empty frames have no sheet."""
    stock = cn.load_actual_stock(client)
    path = cn.export(
        {"stock": stock, "lines": cn.schemas.LineItems.example(), "none": stock.head(0)}, tmp_path / "a.xlsx"
    )
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["stock", "lines", "About"]
    assert [sheet.freeze_panes for sheet in book] == ["A2", "A2", None]
    assert book["stock"].auto_filter.ref == "A1:K78"
    assert 8 <= book["stock"].column_dimensions["A"].width <= 60
    assert "stock: 77 rows, GET /inventories, as of" in book.properties.description


def test_the_last_sheet_tells_what_the_others_are(tmp_path: Path, client: cn.Client) -> None:
    """It has origin, zone and exact totals of each frame; prices and orders in several rows have no total."""
    lines = cn.load_line_items(client, "1998-05-01", "1998-05-06")
    sales = cn.summarize_sales(lines, by="day")
    frames = {"lines": lines, "sales": sales, "none": lines.head(0)}
    path = cn.export(frames, tmp_path / "a.xlsx", time_zone="Europe/Berlin")
    rows = [[cell for cell in row if cell is not None] for row in cells(path, "About")]
    assert [row[:3] for row in rows[1:4]] == [
        ["lines", f"{len(lines)} rows", "sandbox, partner SANDBOX"],
        ["sales", f"{len(sales)} rows", ""],
        ["none", "empty, so it has no sheet", "sandbox, partner SANDBOX"],
    ]
    assert rows[1][3:] == ["GET /orders", rows[1][4], "yes", "Europe/Berlin"]
    totals = {(row[0], row[1]): row[2] for row in rows[rows.index(["Sheet", "Column", "Total"]) + 1 :]}
    assert totals == {
        ("lines", "Quantity"): lines["quantity"].sum(),
        ("sales", "Lines"): len(lines),
        ("sales", "Units"): lines["quantity"].sum(),
        ("sales", "Line value"): pytest.approx((lines["price"] * lines["quantity"]).sum(), abs=0.001),
    }


def test_headers_show_titles_and_keep_names(tmp_path: Path, client: cn.Client) -> None:
    """Readers see "Product SKU"; pandas and `read_counts` read the names and exact values from the first sheet."""
    stock = cn.load_actual_stock(client)
    counted = stock[["warehouse_code", "product_sku", "quantity"]].assign(line_value=1234.5, price=0.125, Mine="x")
    path = cn.export(counted, tmp_path / "a.xlsx")
    head, first = list(openpyxl.load_workbook(path).active.iter_rows(max_row=2))
    assert [cell.number_format.split('"')[1::2] for cell in head] == [
        ["Warehouse code"], ["Product SKU"], ["Quantity"], ["Line value"], ["Price"], []
    ]  # fmt: skip
    assert [cell.value for cell in head] == list(counted.columns)
    assert [cell.comment and cell.comment.text for cell in head] == [
        "warehouse_code", "product_sku", "quantity", "line_value", "price", None
    ]  # fmt: skip
    assert [cell.number_format for cell in first[2:5]] == ["#,##0", "#,##0.00", "#,##0.00##"]
    back = pd.read_excel(path, dtype={"warehouse_code": "str", "product_sku": "str", "Mine": "str"})
    pd.testing.assert_frame_equal(back, counted, check_dtype=False)
    pd.testing.assert_frame_equal(cn.read_counts(path), counted[["warehouse_code", "product_sku", "quantity"]])


@pytest.mark.parametrize(
    ("names", "fixed"),
    [
        (["a/b:c*[d]?\\"], ["a_b_c__d___"]),
        (["x" * 40], ["x" * 31]),
        (["x" * 40, "x" * 41], ["x" * 31, "x" * 27 + " (2)"]),
        (["Stock", "stock", "STOCK"], ["Stock", "stock (2)", "STOCK (3)"]),
        (["", "'q'", "History", "\x01"], ["sheet", "q", "History_", "_"]),
        (["🍣" * 20], ["🍣" * 15]),
    ],
)
def test_sheet_names_that_excel_refuses_are_fixed(names: list[str], fixed: list[str]) -> None:
    """Invalid signs, length, case, and empty or reserved names are fixed."""
    assert sheet_names(names) == fixed


@given(names=st.lists(st.text(max_size=40), min_size=1, max_size=6, unique=True))
def test_any_names_make_a_workbook(names: list[str]) -> None:
    """The workbook opens and has a sheet for each frame."""
    with tempfile.TemporaryDirectory() as folder:
        path = cn.export({name: pd.DataFrame({"a": [1]}) for name in names}, Path(folder) / "a.xlsx")
        assert len(openpyxl.load_workbook(path).sheetnames) == len(names) + 1


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_an_index_with_a_name_is_a_column(tmp_path: Path, ending: str) -> None:
    """A named index, as of set_index and groupby, is written; row numbers of a filter are not."""
    orders = cn.schemas.Orders.example()
    read = {"csv": pd.read_csv, "xlsx": pd.read_excel, "parquet": pd.read_parquet}[ending]
    by_order = read(cn.export(orders.set_index("order_no")[["ship_to_city"]], tmp_path / f"a.{ending}"))
    assert list(by_order.columns) == ["order_no", "ship_to_city"]
    filtered = read(cn.export(orders.tail(2)[["ship_to_city"]], tmp_path / f"b.{ending}"))
    assert list(filtered.columns) == ["ship_to_city"]
    grouped = orders.groupby("ship_to_city").agg({"grand_total": ["min", "max"]})
    assert list(read(cn.export(grouped, tmp_path / f"c.{ending}")).columns) == [
        "ship_to_city", "grand_total min", "grand_total max",
    ]  # fmt: skip


ONE = pd.DataFrame({"a": [1]})


@pytest.mark.parametrize(
    ("given_", "name", "zone", "words"),
    [
        (ONE, "a.doc", None, "no known ending"),
        (ONE, "no/a.csv", None, "no folder"),
        (ONE, "a.xlsx", "Mars/Base", "no time zone 'Mars/Base'"),
        (ONE, "a.csv", "../etc", "no time zone"),
        ({"a": ONE, "b": ONE}, "a.csv", None, "holds one frame, not 2: use .xlsx"),
        ({"a": ONE, "b": ONE}, "a.parquet", None, "holds one frame, not 2: use .xlsx"),
        ({}, "a.xlsx", None, "at least one"),
        ([ONE], "a.xlsx", None, "takes a DataFrame"),
        ({"a": [1]}, "a.xlsx", None, "'a' is a list"),
        (pd.DataFrame({"m": texts("x", "y" * 32_768)}), "a.xlsx", None, "32,768 characters in row 2 of column 'm'.*32,767"),
        (pd.DataFrame({"m": texts("🍣" * 16_384)}), "a.xlsx", None, "16,384 characters"),
        (pd.DataFrame({"a": np.zeros(1_048_576, "int8")}), "a.xlsx", None, "1,048,576 rows.*1,048,575"),
        (pd.DataFrame(np.zeros((1, 16_385), "int8")), "a.xlsx", None, "16,385 columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "a.parquet", None, "Two columns are called 'a'"),
        (pd.DataFrame({"a": pd.Series([1, "x"], dtype=object)}), "a.parquet", None, "give each column one type"),
    ],
)  # fmt: skip
def test_an_invalid_frame_is_one_clear_line(
    tmp_path: Path, given_: Any, name: str, zone: str | None, words: str
) -> None:
    """Nothing is written in part: the existing file stays, and no temporary file is left."""
    old = tmp_path / Path(name).name
    old.write_text("old")
    with pytest.raises(InvalidRequestError, match=words) as caught:
        cn.export(given_, tmp_path / name, time_zone=zone)
    assert "\n" not in str(caught.value)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(old.name, "old")]


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_a_path_that_cannot_be_written_is_one_line(tmp_path: Path, ending: str) -> None:
    """The path is a folder: one line, and no temporary file is left."""
    (tmp_path / f"a.{ending}").mkdir()
    with pytest.raises(InvalidRequestError, match=rf"a\.{ending}' is a folder: choose another name"):
        cn.export(ONE, tmp_path / f"a.{ending}")
    assert [path.name for path in tmp_path.iterdir()] == [f"a.{ending}"]


def test_a_name_that_the_disk_refuses_is_said(tmp_path: Path) -> None:
    """Longer than a file's name may be: one line that says what to do, and no rest."""
    with pytest.raises(InvalidRequestError, match=r"can't be written .*close it where it is open"):
        cn.export(ONE, tmp_path / f"{'a' * 300}.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("frame", [pd.DataFrame(), cn.schemas.Orders.example(rows=0)])
def test_an_empty_frame_is_a_file_all_the_same(tmp_path: Path, ending: str, frame: pd.DataFrame) -> None:
    """The file has the header, if there are columns."""
    path = cn.export(frame, tmp_path / f"a.{ending}")
    if ending == "xlsx" and frame.shape[1]:
        assert cells(path) == [list(frame.columns)]
    assert path.stat().st_size > 0


def test_columns_of_one_name_are_both_written(tmp_path: Path) -> None:
    """A concat may repeat a column."""
    frame = pd.DataFrame([["=1", 2]], columns=["a", "a"])
    assert cells(cn.export(frame, tmp_path / "a.xlsx")) == [["a", "a"], ["=1", 2]]
    assert cn.export(frame, tmp_path / "a.csv").read_text(encoding="utf-8-sig") == "a,a\n'=1,2\n"


def test_half_of_a_surrogate_pair_breaks_no_file(tmp_path: Path) -> None:
    """It can't be encoded, so its escape is written."""
    frame = pd.DataFrame({"a": pd.Series(["x\ud800"], dtype=object)})
    assert cells(cn.export(frame, tmp_path / "a.xlsx"))[1] == ["x\\ud800"]
    assert "x\\ud800" in cn.export(frame, tmp_path / "a.csv").read_text(encoding="utf-8-sig")


@pytest.mark.slow
def test_many_lines_are_a_workbook_in_seconds(tmp_path: Path) -> None:
    """5,000 lines × 11 columns take less than half a second, so 150,000 take eleven."""
    frame = cn.schemas.LineItems.example(rows=5_000)
    began = time.process_time()
    path = cn.export(frame, tmp_path / "a.xlsx")
    assert time.process_time() - began < 20
    assert openpyxl.load_workbook(path, read_only=True).active.max_row == 5_001
