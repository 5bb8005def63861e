"""Text files: quotes that swallow rows, encodings that can't be detected, units, and texts that come back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.tables.encodings import CANDIDATES


def read(text: str | bytes, **arguments: Any) -> list[tuple[str, int]]:
    source = io.BytesIO(text) if isinstance(text, bytes) else io.StringIO(text)
    counts = cn.read_counts(source, warehouse_code="W", **arguments)
    return list(zip(counts["product_sku"], counts["quantity"], strict=True))


def refuse(text: str | bytes, **arguments: Any) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        read(text, **arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_inch_mark_in_a_tab_file_is_text() -> None:
    """No row is swallowed, whichever cell it begins or ends."""
    text = 'sku\titem-name\tquantity\nA1\t"12 inch pan lid\t5\nB2\tmid pan\t6\nC3\tfry pan 12"\t9\nD4\t"pot"\t7\n'
    assert read(text) == [("A1", 5), ("B2", 6), ("C3", 9), ("D4", 7)]


def test_a_line_break_in_a_tab_file_is_one_if_its_quotes_pair() -> None:
    """What Excel writes as Unicode text; beside a stray quote it is refused by its line."""
    text = 'sku\tname\tquantity\nA1\t"two\nlines"\t5\n'
    assert read(text) == [("A1", 5)]
    assert "is not closed in line 3" in refuse(
        'sku\tname\tquantity\nB1\t12" "\t5\nA1\t"two\nlines"\t5\n'.replace('12" "', '"12')
    )


@pytest.mark.parametrize(
    "rows",
    [
        'A1,"Lid,5\nB2,Pan 12",6\nC3,pot,7',
        'A1,"pan 12"",5\nB2,pot 9",6',
        'A1,5,"Lid\nB2,6,Pan 12"',
        '"Lid,A1,5\nPan 12",B2,6',
    ],
)
def test_a_cell_that_swallows_rows_is_refused(rows: str) -> None:
    """By the line that it begins in."""
    assert "a cell that begins in line 2 and swallows the rows below it" in refuse(f"SKU,Name,Qty\n{rows}\n")


@pytest.mark.parametrize("rows", ['A1,"two\nlines",5', '"A1","Call,\nthen send",5', 'A1,"one\n\nthree",5'])
def test_a_cell_of_several_lines_is_read(rows: str) -> None:
    """A note is no row."""
    assert read(f"SKU,Name,Qty\n{rows}\n") == [("A1", 5)]


@pytest.mark.parametrize(
    ("encoding", "sku"),
    [("shift_jis", "テスト-1"), ("gbk", "测试-1"), ("cp1251", "АБ-1"), ("mac_roman", "CAFÉ-1"), ("cp1250", "ŠROUB-1")],
)
def test_an_ambiguous_encoding_is_a_question(encoding: str, sku: str) -> None:
    """With what each candidate makes of a cell, the right one among them; the answer is an argument."""
    content = f"SKU,Qty\n{sku},15\n".encode(encoding)
    words = refuse(content)
    assert f"{sku!r} (" in words
    assert "name the right one with encoding=" in words
    assert read(content, encoding=encoding) == [(sku, 15)]


def test_what_is_not_read_may_have_any_encoding() -> None:
    """A name that nobody needs is no question."""
    assert read("SKU,Name,Qty\nA1,Größe 5,15\n".encode("cp1252")) == [("A1", 15)]


def test_an_encoding_that_is_none_is_refused() -> None:
    """Or one that the bytes are not of."""
    assert "There is no encoding 'klingon'" in refuse(b"SKU,Qty\nA,1\n", encoding="klingon")
    assert "isn't an encoding of text" in refuse(b"SKU,Qty\nA,1\n", encoding="base64")
    assert "is not text of utf-8 (line 2)" in refuse("SKU,Qty\nÄ,1\n".encode("cp1252"), encoding="utf-8")


def is_utf_8(content: bytes) -> bool:
    try:
        return bool(content.decode("utf-8"))
    except UnicodeDecodeError:
        return False


@given(st.sampled_from(CANDIDATES), st.text(st.characters(codec="cp1252", categories=["L"]), min_size=1, max_size=6))
def test_no_encoding_is_guessed_wrongly(encoding: str, sku: str) -> None:
    """Read as it was written, or a question."""
    try:
        content = f"SKU,Qty\n{sku},15\n".encode(encoding)
    except UnicodeEncodeError:
        return
    assume(not is_utf_8(content) or sku.isascii())  # by chance: UTF-8 comes first
    try:
        assert read(content) == [(sku, 15)]
    except InvalidRequestError as error:
        assert "encoding=" in str(error)  # noqa: PT017 - it may also be read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SKU,Qty,UOM\nA,5,CS\nB,6,EA\n", "has the units 'CS' and 'EA' in 'UOM'"),
        ("SKU,Qty,Count UOM\nA,5,CS\n", "has the units 'CS' in 'Count UOM'"),
        ("SKU,Qty,Base unit of measure\nA,5,box of 6\n", "has the units 'box of 6'"),
        ("SKU,Qty,U/M\nA,5,CS12\n", "has the units 'CS12' in 'U/M'"),
        ("SKU,Qty,UOM\nA,5,CS\nB,6,\n", "has the units 'CS' and nothing in 'UOM'"),
        ("SKU,Qty,Unit\nA,5,Case\n", "has the units 'Case' in 'Unit'"),
        ("Artikel;Menge;Einheit\nA;5;Stück\nB;2;Karton\n", "has the units 'Stück' and 'Karton'"),
    ],
)
def test_units_of_several_pieces_are_a_question(text: str, words: str) -> None:
    """Stock is counted in single units."""
    assert words in refuse(text)
    assert read("SKU,Qty,UOM\nA,5,EA\nB,6,pcs\nC,1,\n") == [("A", 5), ("B", 6), ("C", 1)]


def test_a_comma_that_may_belong_to_a_number_is_refused() -> None:
    """Before an optional note it may be 1,234; a column that always has three digits is one of its own."""
    assert "a quantity that the cell behind it, 'Note', may belong to" in refuse("SKU,Qty,Note\nA,1,234\nB,5,\n")
    assert read("SKU,Qty,Bin\nA,1,234\nB,5,101\n") == [("A", 1), ("B", 5)]


def test_a_last_line_that_ends_in_the_middle_is_refused() -> None:
    """The quantity may have lost digits; with a line break, or where other lines are as short, it is whole."""
    text = "SKU,Qty,Name\nA,500,pan\nB,50"
    assert "cut short: its last line, 3, has 2 cells and no line break" in refuse(text)
    assert read(f"{text}\n") == [("A", 500), ("B", 50)]
    assert read("SKU,Qty,Name\nA,500\nB,50") == [("A", 500), ("B", 50)]


def test_upcs_of_one_product_are_the_same() -> None:
    """UPC-A, EAN-13 and GTIN-14 differ by zeros in front."""
    stock = pd.DataFrame({
        "warehouse_code": ["W"], "product_sku": ["P"], "product_upc": ["036000291452"], "quantity": [5],
    }).astype({"warehouse_code": "str", "product_sku": "str", "product_upc": "str"})  # fmt: skip
    for upc in ("036000291452", "0036000291452", "00036000291452"):
        assert read(f"EAN,Qty\n{upc},5\n", by="product_upc", stock=stock) == [("P", 5)]


SKU = st.one_of(
    st.sampled_from(
        ["-5A", "+X1", "@HOME", "=1+1", "VAL_xa100_EV", "0012", "1e5", "'A", "''", " A", "A ", '="1"', "a_x000D_b"]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8).filter(str.strip),
)


@given(st.lists(SKU, min_size=1, max_size=6, unique=True), st.sampled_from(["csv", "xlsx", "parquet"]))
def test_any_sku_comes_back_from_what_we_write(tmp_path_factory: Any, skus: list[str], suffix: str) -> None:
    """`export`, then `read_counts`."""
    stock = pd.DataFrame({"warehouse_code": "W", "product_sku": skus, "quantity": range(len(skus))})
    stock = stock.astype({"warehouse_code": "str", "product_sku": "str"})
    path: Path = tmp_path_factory.mktemp("export") / f"stock.{suffix}"
    found = cn.read_counts(cn.export(stock, path))
    assert found["product_sku"].tolist() == skus
    assert found["quantity"].tolist() == list(range(len(skus)))


@pytest.mark.parametrize("text", ["#N/A", "#REF!", "#NV", "#¡REF!"])
def test_an_error_that_a_spreadsheet_wrote_is_no_value(text: str) -> None:
    """In the SKU or the quantity; elsewhere it doesn't matter."""
    assert "an error such as #N/A instead of a value as product_sku in line 2" in refuse(f"SKU,Qty\n{text},1\n")
    assert "instead of a value as quantity in line 2" in refuse(f"SKU,Qty\nA,{text}\n")
    assert read(f"SKU,Qty,Name\nA,1,{text}\n") == [("A", 1)]
