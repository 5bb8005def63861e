"""Test count files in any encoding, with any separator, and with lines outside the table."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as arrow
import pyarrow.parquet as arrow_parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError

TEXT = "Lager;Artikelnr.;Gezählt\nSÜD;0012;5\n"


def _rows(counts: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(counts.itertuples(index=False, name=None))


def _refused(text: str | bytes, **arguments: Any) -> str:
    source = io.BytesIO(text) if isinstance(text, bytes) else io.StringIO(text)
    with pytest.raises(InvalidRequestError) as caught:
        cn.read_counts(source, **arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac_roman"])
def test_text_is_read_in_the_encoding_it_has(encoding: str) -> None:
    """Excel saves CSV UTF-8, Unicode text and plain CSV; a known header shows the code page."""
    assert _rows(cn.read_counts(io.BytesIO(TEXT.encode(encoding)))) == [("SÜD", "0012", 5)]


def test_bytes_that_are_not_what_they_say_are_refused() -> None:
    """Invalid bytes are not replaced by a guess."""
    assert "is not text of utf-8" in _refused(b"\xef\xbb\xbfa\xff")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_do_on_any_system(newline: str) -> None:
    """Line ends are those of Windows, Unix or old Macs; the last one may be missing."""
    text = newline.join(["warehouse_code,product_sku,quantity", "W,A,1", "", "W,B,2"])
    assert _rows(cn.read_counts(io.BytesIO(text.encode()))) == [("W", "A", 1), ("W", "B", 2)]


def test_excels_own_word_on_the_separator_is_obeyed() -> None:
    """The first line may be `sep=;`."""
    assert _rows(cn.read_counts(io.StringIO(f"sep=;\r\n{TEXT}"))) == [("SÜD", "0012", 5)]


@pytest.mark.parametrize("title", ["Count of May", "Count of May;;", "Warehouse report;;"])
def test_a_title_above_the_headers_is_refused(title: str) -> None:
    """The error has the line of the headers."""
    assert "has its headers in line 3" in _refused(f"{title}\n\n{TEXT}")


def test_empty_lines_are_no_rows_and_keep_the_numbers_of_the_others() -> None:
    """Empty lines and lines of separators are skipped, and line numbers in errors stay right."""
    assert "isn't a number in line 7" in _refused("\n\nSKU,Qty\n\n , \nA,1\nB,x\n", warehouse_code="W")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Warehouse,SKU,Qty\nW,A,1\nW,B,2\nTotal,,3\n", 4),
        ("Warehouse,SKU,Qty\nW,A,1\nTotal:,,1\nV,B,2\n", 3),
        ("Lager;Artikel;Menge\nW;A;1\nW;B;2\n;Summe;3\n", 4),
        ("Warehouse,SKU,Qty\nW,A,1\nW,B,2\nW,Grand total,3\n", 4),
    ],
)
def test_a_total_below_the_table_is_refused(text: str, line: int) -> None:
    """It would be read as a product."""
    assert f"a total below the table in line {line}: delete it" in _refused(text)


def test_a_total_of_a_file_without_warehouses_is_found_by_its_sum() -> None:
    """A product may be called "Total" if its quantity isn't the sum of the others."""
    text = "SKU,Qty\nA,1\nB,2\nTotal,"
    assert "a total below the table in line 4" in _refused(f"{text}3\n", warehouse_code="W")
    assert len(cn.read_counts(io.StringIO(f"{text}4\n"), warehouse_code="W")) == 3


def test_a_cell_of_two_lines_does_not_shift_the_lines_of_others() -> None:
    """A note has a line break."""
    assert "isn't a number in line 4" in _refused('Warehouse,SKU,Qty,Note\nW,A,1,"two\nlines"\nW,B,x,\n')


def test_a_short_line_lacks_its_last_cells() -> None:
    """Some programs omit empty cells at the end."""
    assert _rows(cn.read_counts(io.StringIO("Warehouse,SKU,Qty,Note\nW,A,1\nW,B,2,n\n"))) == [
        ("W", "A", 1),
        ("W", "B", 2),
    ]


def test_a_long_line_is_refused_with_its_number() -> None:
    """An extra comma shifts the cells after it."""
    assert "line 3 has 4 cells, the headers are 3" in _refused("Warehouse,SKU,Qty\nW,A,1\nW,B,1,234\n")


def test_a_quote_that_never_closes_is_refused() -> None:
    """It would include the rest of the file."""
    assert "a quotation mark that is not closed, or stands in the middle of a cell, in line 2" in _refused(
        'Warehouse,SKU,Qty\nW,"A,1\nW,B,2\n'
    )


def test_a_file_of_headers_alone_is_an_empty_count() -> None:
    """Columns and dtypes are those of a full one."""
    full = cn.read_counts(io.StringIO("Warehouse,SKU,Qty,Counted at\nW,A,1,2026-01-31\n"))
    empty = cn.read_counts(io.StringIO("Warehouse,SKU,Qty,Counted at\n"))
    assert (len(empty), empty.dtypes.to_dict()) == (0, full.dtypes.to_dict())


CELL = st.text(st.sampled_from('ab,;"\n \t1é'), max_size=4)


@given(st.lists(st.tuples(CELL, CELL), max_size=6), st.sampled_from(",;\t"), st.booleans(), st.booleans())
def test_both_ways_of_reading_give_the_same(
    cells: list[tuple[str, str]], separator: str, all_quoted: bool, broken: bool
) -> None:
    """A cell with a line break makes the file be read record by record; the counts are equal."""
    buffer = io.StringIO()
    style = csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(buffer, delimiter=separator, quoting=style, lineterminator="\n")
    writer.writerow(["Warehouse", "SKU", "Qty", "Note"])
    for number, (code, note) in enumerate(cells):
        writer.writerow([f"W{code}".replace("\n", ""), f"A{number}", number, note.replace("\n", "")])
    writer.writerow(["W", "last", 1, "two\nlines" if broken else "one line"])
    counts = cn.read_counts(io.StringIO(buffer.getvalue()))
    expected = [(f"W{code}".replace("\n", "").strip(), f"A{number}", number) for number, (code, _) in enumerate(cells)]
    assert _rows(counts) == [*expected, ("W", "last", 1)]


def test_parquet_keeps_what_its_columns_are(tmp_path: Path) -> None:
    """Whole floats lose only their .0, instants keep their zone, categories are text."""
    path = tmp_path / "count.parquet"
    when = pd.to_datetime(["2026-01-31T08:00+01:00", None], utc=True)
    frame = pd.DataFrame(
        {"Lager": pd.Categorical(["W", "W"]), "SKU": [12.0, 13.0], "Qty": [5.0, 6.0], "counted_at": when}
    )
    frame.to_parquet(path)
    counts = cn.read_counts(path)
    assert _rows(counts[["warehouse_code", "product_sku", "quantity"]]) == [("W", "12", 5), ("W", "13", 6)]
    assert counts["counted_at"].tolist() == [pd.Timestamp("2026-01-31T07:00Z"), pd.NaT]


@pytest.mark.parametrize(("quantity", "words"), [([1.5], "not whole in row 1"), ([None], "no quantity in row 1")])
def test_parquet_is_refused_by_its_row(tmp_path: Path, quantity: list[Any], words: str) -> None:
    """Rows count from 1."""
    path = tmp_path / "count.parquet"
    pd.DataFrame({"Lager": ["W"], "SKU": ["A"], "Qty": quantity}).to_parquet(path)
    assert words in _refused(path.read_bytes())


def test_parquet_keeps_all_digits_of_floats(tmp_path: Path) -> None:
    """pandas makes floats of UPCs in a column with nulls."""
    path = tmp_path / "count.parquet"
    frame = pd.DataFrame({"Lager": "W", "SKU": [712345678901.0, 1234567.0], "Qty": [1e6, 1.0]})
    frame.to_parquet(path)
    assert _rows(cn.read_counts(path)) == [("W", "712345678901", 1_000_000), ("W", "1234567", 1)]


def test_parquet_with_a_column_twice_names_it() -> None:
    """The file isn't damaged."""
    table = arrow.Table.from_arrays([["W"], ["A"], [5], [7]], names=["Lager", "SKU", "Qty", "Qty"])
    buffer = io.BytesIO()
    arrow_parquet.write_table(table, buffer)
    assert "more than one column that may be quantity" in _refused(buffer.getvalue())


@pytest.mark.parametrize("write", [pd.DataFrame.to_parquet, pd.DataFrame.to_excel])
def test_texts_of_thousands_are_a_question_in_every_format(write: Any) -> None:
    """1.000 as text means 1000 to a German, even in a workbook; as a number it is 1."""
    buffer = io.BytesIO()
    write(pd.DataFrame({"Lager": "W", "SKU": ["A", "B"], "Qty": ["1.000", "250"]}), buffer, index=False)
    assert "can be read in two ways" in _refused(buffer.getvalue())
    decimals = pd.DataFrame({"Lager": "W", "SKU": ["A"], "Qty": [Decimal("1.000")]})
    buffer = io.BytesIO()
    decimals.to_parquet(buffer)
    assert _rows(cn.read_counts(io.BytesIO(buffer.getvalue()))) == [("W", "A", 1)]


@pytest.mark.parametrize("source", [None, 5, b"SKU,Qty", pd.DataFrame({"SKU": ["A"]}), "a\0b"])
def test_what_is_no_file_is_refused(source: Any) -> None:
    """The error is one of the package's own."""
    with pytest.raises(InvalidRequestError, match=r"is no file|can't be read"):
        cn.read_counts(source)


def test_a_workbook_opened_as_text_is_refused(tmp_path: Path) -> None:
    """A path or mode 'rb' reads it."""
    path = tmp_path / "count.xlsx"
    path.write_bytes(_saved("xlsx"))
    with path.open(encoding="utf-8") as file, pytest.raises(InvalidRequestError, match="open it with 'rb'"):
        cn.read_counts(file)


@pytest.mark.parametrize("encoding", [5, "", "a\0b"])
def test_what_is_no_encoding_is_refused(encoding: Any) -> None:
    """The error names one that is."""
    assert "There is no encoding" in _refused(b"SKU,Qty\nA,5\n", encoding=encoding)


@pytest.mark.parametrize(
    "arguments", [{"columns": ["Qty"]}, {"columns": {"quantity": 3}}, {"warehouse_map": ["W"]}, {"sheet": 0}]
)
def test_arguments_of_another_type_are_refused(arguments: dict[str, Any]) -> None:
    """pandas numbers sheets, for example."""
    with pytest.raises(InvalidRequestError, match=f"{next(iter(arguments))}=.* isn't"):
        cn.read_counts(io.BytesIO(_saved("xlsx")), **arguments)


def _saved(suffix: str) -> bytes:
    frame = pd.DataFrame({"Warehouse": "W", "Item": [f"A{n}" for n in range(9)], "Qty": range(9)})
    buffer = io.BytesIO()
    write = {"xlsx": frame.to_excel, "parquet": frame.to_parquet, "csv": frame.to_csv}[suffix]
    write(buffer, index=False)
    return buffer.getvalue()


WHOLE = {suffix: _saved(suffix) for suffix in ("csv", "xlsx", "parquet")}


@pytest.mark.parametrize("suffix", WHOLE)
@given(
    damage=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=5),
    data=st.data(),
)
def test_a_damaged_file_is_refused_in_one_line(
    suffix: str, damage: list[tuple[float, int]], data: st.DataObject
) -> None:
    """It is read if possible; errors of libraries are never shown."""
    content = bytearray(WHOLE[suffix])
    for place, byte in damage:
        content[int(place * len(content))] = byte
    content = content[: data.draw(st.integers(len(content) // 2, len(content)))]
    try:
        cn.read_counts(io.BytesIO(bytes(content)))
    except InvalidRequestError as error:
        assert "\n" not in str(error)  # noqa: PT017 - it may also be read
        assert len(str(error)) < 700  # noqa: PT017
