"""Test reading a count: keys stay text, and errors are one line."""

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError

HEAD = "warehouse_code,product_sku,quantity"


def _csv(*lines: str) -> io.StringIO:
    return io.StringIO("\n".join([HEAD, *lines]) + "\n")


def _rows(counts: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(counts.itertuples(index=False, name=None))


KEY = (
    # A byte-order mark is no letter: Arrow passes over one at the begin of what it reads.
    st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufeff"), min_size=1)
    .map(str.strip)
    # An apostrophe or equals sign at the begin may be the guard of a text that `export` or a spreadsheet writes.
    .filter(lambda text: text and not text.startswith(("'", "=")))
)


@given(st.dictionaries(st.tuples(KEY, KEY), st.integers(0, 2**31 - 1), min_size=1, max_size=20))
def test_whatever_pandas_writes_is_read_back(counted: dict[tuple[str, str], int]) -> None:
    """Quotes, commas, leading zeros, and `None` and `nan` as SKUs stay text; counts stay whole."""
    expected = [(code, sku, quantity) for (code, sku), quantity in counted.items()]
    text = pd.DataFrame(expected, columns=HEAD.split(",")).to_csv(index=False)
    assert _rows(cn.read_counts(io.StringIO(text))) == expected


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found_in_the_header(separator: str) -> None:
    """Excel writes semicolons in much of Europe."""
    text = f"{HEAD}\nW,0012,5\n".replace(",", separator)
    assert _rows(cn.read_counts(io.StringIO(text))) == [("W", "0012", 5)]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "xlsx", "parquet"])
def test_every_format_is_read(tmp_path: Path, suffix: str) -> None:
    """The format is recognized by content."""
    frame = pd.DataFrame({"warehouse_code": ["W"], "product_sku": ["0012"], "quantity": ["5"]})
    path = tmp_path / f"count.{suffix}"
    write = {
        "csv": lambda: frame.to_csv(path, index=False),
        "tsv": lambda: frame.to_csv(path, index=False, sep="\t"),
        "xlsx": lambda: frame.to_excel(path, index=False),
        "parquet": lambda: frame.to_parquet(path),
    }
    write[suffix]()
    assert _rows(cn.read_counts(path)) == [("W", "0012", 5)]


def test_numbers_of_a_spreadsheet_are_numbers(tmp_path: Path) -> None:
    """A cell of 5.0 is 5."""
    path = tmp_path / "count.xlsx"
    pd.DataFrame({"warehouse_code": ["W"], "product_sku": ["A"], "quantity": [5.0]}).to_excel(path, index=False)
    assert _rows(cn.read_counts(path)) == [("W", "A", 5)]


def test_a_byte_order_mark_is_not_part_of_the_header() -> None:
    """Excel writes one."""
    assert _rows(cn.read_counts(io.BytesIO(b"\xef\xbb\xbf" + _csv("W,A,5").getvalue().encode()))) == [("W", "A", 5)]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["W,A,-1"], "a negative quantity in line 2"),
        (["W,A,1", "W,B,1.5"], "a quantity that is not whole in line 3"),
        (["W,A,"], "no quantity in line 2"),
        (["W,A,many"], "a quantity that isn't a number in line 2"),
        (["W,A,inf"], "a quantity that is not whole in line 2"),
        (["W,A,99999999999"], "a quantity above 2,147,483,647 in line 2"),
        (["W,,1"], "no product_sku in line 2"),
        ([",A,1"], "no warehouse_code in line 2"),
        (["W,A,1", "W,B,2", "W,A,3"], "repeats .* in lines 2, 4"),
        (["W,A,1", "W,B,2,3"], "line 3 has 4 cells, the headers are 3"),
    ],
)
def test_an_invalid_row_is_named_by_its_line(lines: list[str], words: str) -> None:
    """One line, and nothing is returned."""
    with pytest.raises(InvalidRequestError, match=words) as caught:
        cn.read_counts(_csv(*lines))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("column", HEAD.split(","))
def test_a_missing_column_is_named_with_those_that_are_there(column: str) -> None:
    """The error says how to name the file's own headers."""
    text = f"{HEAD}\nW,A,1\n".replace(column, "Other")
    with pytest.raises(InvalidRequestError, match=f"lacks the column {column}.*Other.*columns="):
        cn.read_counts(io.StringIO(text))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 but no workbook", "is cut short or damaged"),
        (b"PAR1 but no table", "is a Parquet file that is damaged or cut short"),
        ("größe".encode("latin-1"), "lacks the columns"),
        (b"SKU,Qty\n\x00\xff", "is not UTF-8 text, nor any other that is known"),
    ],
)
def test_a_file_that_is_no_table_says_so(content: bytes, words: str) -> None:
    """The error is one line."""
    with pytest.raises(InvalidRequestError, match=words) as caught:
        cn.read_counts(io.BytesIO(content))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The error has its path."""
    with pytest.raises(InvalidRequestError, match=r"no file .*count\.csv"):
        cn.read_counts(tmp_path / "count.csv")


@pytest.mark.parametrize("columns", [{"quantity": "Gezählt"}, {"Gezählt": "quantity"}])
def test_ones_own_headers_may_be_named_in_either_direction(columns: dict[str, str]) -> None:
    """The mapping may be given either way round."""
    text = "Warehouse Code,Product SKU,Gezählt\nW,A,5\n"
    assert _rows(cn.read_counts(io.StringIO(text), columns=columns)) == [("W", "A", 5)]


def test_a_header_that_is_not_there_is_named_with_those_that_are() -> None:
    """The error shows a typo at once."""
    with pytest.raises(InvalidRequestError, match=r"no header 'Counted'.*'quantity'"):
        cn.read_counts(_csv("W,A,1"), columns={"quantity": "Counted"})


def test_two_columns_of_one_name_are_refused() -> None:
    """It is unknown which one counts."""
    with pytest.raises(InvalidRequestError, match="more than one column that may be quantity"):
        cn.read_counts(io.StringIO("warehouse_code,product_sku,quantity,Quantity\nW,A,1,2\n"))


def test_one_warehouse_for_the_whole_file() -> None:
    """The file has no warehouse column; blank lines at its end don't count."""
    counts = cn.read_counts(io.StringIO("product_sku,quantity\nA,1\n,\n\n"), warehouse_code="W")
    assert _rows(counts) == [("W", "A", 1)]


def test_ones_own_warehouse_codes_are_translated() -> None:
    """The map gives Cenports' codes."""
    assert _rows(cn.read_counts(_csv("north,A,1"), warehouse_map={"north": "W"})) == [("W", "A", 1)]


def test_a_warehouse_that_the_map_lacks_is_refused() -> None:
    """The error has its line."""
    with pytest.raises(InvalidRequestError, match="warehouse_map lacks in line 3"):
        cn.read_counts(_csv("north,A,1", "south,A,1"), warehouse_map={"north": "W"})


def test_bins_are_added_up_on_request() -> None:
    """A SKU may be in two places of a warehouse."""
    assert _rows(cn.read_counts(_csv("W,A,1", "W,B,2", "W,A,3"), duplicates="sum")) == [("W", "A", 4), ("W", "B", 2)]


def test_the_time_of_a_count_is_an_instant() -> None:
    """It is UTC; an empty one is null, an invalid one is refused."""
    head = io.StringIO(f"{HEAD},counted_at\nW,A,1,2026-01-31T08:00+01:00\nW,B,1,\n")
    assert cn.read_counts(head)["counted_at"].tolist() == [pd.Timestamp("2026-01-31T07:00Z"), pd.NaT]


def test_an_invalid_time_is_refused() -> None:
    """The error has its line."""
    with pytest.raises(InvalidRequestError, match=r"counted_at .* in line 2"):
        cn.read_counts(io.StringIO(f"{HEAD},counted_at\nW,A,1,morning\n"))


STOCK = pd.DataFrame(
    {
        "warehouse_code": ["W", "W", "W", "V"],
        "product_sku": ["A", "B", "C", "A2"],
        "product_upc": ["111", "222", "222", "111"],
        "quantity": [1, 1, 1, 1],
    }
)


def test_products_may_be_named_by_upc() -> None:
    """UPCs are looked up in their warehouse."""
    text = io.StringIO("warehouse_code,product_upc,quantity\nW,111,5\nV,111,6\n")
    assert _rows(cn.read_counts(text, by="product_upc", stock=STOCK)) == [("W", "A", 5), ("V", "A2", 6)]


@pytest.mark.parametrize(("upc", "words"), [("999", "does not have in line 2"), ("222", "several SKUs .* in line 2")])
def test_a_upc_that_is_not_one_sku_is_refused(upc: str, words: str) -> None:
    """It is neither guessed nor dropped."""
    text = io.StringIO(f"warehouse_code,product_upc,quantity\nW,{upc},5\n")
    with pytest.raises(InvalidRequestError, match=words):
        cn.read_counts(text, by="product_upc", stock=STOCK)


@pytest.mark.parametrize("arguments", [{"duplicates": "add"}, {"by": "name"}, {"by": "product_upc"}])
def test_an_invalid_argument_is_refused(arguments: dict[str, Any]) -> None:
    """A typo must not change the result."""
    with pytest.raises(InvalidRequestError):
        cn.read_counts(io.StringIO("warehouse_code,product_upc,quantity\nW,1,5\n"), **arguments)


UPCS = pd.DataFrame(
    {
        "warehouse_code": ["W", "W", "V"],
        "product_sku": ["A", "B", "A2"],
        "product_upc": ["012345678905", "712345678901", "012345678905"],
        "quantity": [1, 1, 1],
    }
)


@pytest.mark.parametrize(
    ("upc", "words"),
    [
        ("12345678905", "a product_upc that lost its zeros in front (12345678905 for 012345678905) in line 3"),
        ("7.12345E+11", "a product_upc that Excel shortened, such as 7.12345E+11, so that digits are lost in line 3"),
        ("7,12345E+11", "a product_upc that Excel shortened"),
        ("999", "a product_upc that its warehouse does not have in line 3"),
        ("", "no product_upc in line 3"),
    ],
)
def test_a_upc_that_a_spreadsheet_damaged_is_refused(upc: str, words: str) -> None:
    """The error says what to do; lost digits are not guessed."""
    text = f"Warehouse;UPC;Qty\nW;712345678901;1\nW;{upc};5\n"
    with pytest.raises(InvalidRequestError) as caught:
        cn.read_counts(io.StringIO(text), by="product_upc", stock=UPCS)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_upc_that_became_a_number_is_still_one() -> None:
    """712345678901.0 has all its digits."""
    text = io.StringIO("Warehouse,UPC,SKU,Qty\nW,712345678901.0,ours,5\nV,012345678905,ours,6\n")
    assert _rows(cn.read_counts(text, by="product_upc", stock=UPCS)) == [("W", "B", 5), ("V", "A2", 6)]


def test_bins_of_two_upcs_of_one_product_are_added_up() -> None:
    """Bins are added by SKU."""
    stock = UPCS.assign(product_sku=["A", "A", "A2"])
    text = "Warehouse,EAN,Qty\nW,012345678905,1\nW,712345678901,2\n"
    with pytest.raises(InvalidRequestError, match=r"repeats .* in lines 2, 3"):
        cn.read_counts(io.StringIO(text), by="product_upc", stock=stock)
    counts = cn.read_counts(io.StringIO(text), by="product_upc", stock=stock, duplicates="sum")
    assert _rows(counts) == [("W", "A", 3)]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["W,A,1", "W,A,"], "no quantity in line 3"),
        (["W,A,2000000000", "W,B,1", "W,A,2000000000"], "bins that add up to above 2,147,483,647 in lines 2, 4"),
    ],
)
def test_bins_that_cannot_be_added_up_are_refused(lines: list[str], words: str) -> None:
    """An empty cell may be an empty bin or an uncounted one."""
    with pytest.raises(InvalidRequestError, match=words):
        cn.read_counts(_csv(*lines), duplicates="sum")


def test_the_earliest_bin_tells_when_it_was_counted() -> None:
    """Sales since then may be missing from it."""
    head = f"{HEAD},Counted at\nW,A,1,2026-01-31T09:00Z\nW,B,1,\nW,A,1,2026-01-31T08:00Z\n"
    counts = cn.read_counts(io.StringIO(head), duplicates="sum")
    assert counts["counted_at"].tolist() == [pd.Timestamp("2026-01-31T08:00Z"), pd.NaT]


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("2026-01-31 08:00", "a counted_at without a time zone in line 2: write it as text such as 2026-01-31T08:00Z"),
        ("31.01.2026", "a counted_at that isn't a date like 2026-01-31T08:00Z in line 2"),
        ("2026-02-30", "a counted_at that isn't a date like 2026-01-31T08:00Z in line 2"),
    ],
)
def test_an_ambiguous_time_is_refused(when: str, words: str) -> None:
    """8 am is another instant in each zone."""
    with pytest.raises(InvalidRequestError) as caught:
        cn.read_counts(io.StringIO(f"{HEAD},counted_at\nW,A,1,{when}\n"))
    assert words in str(caught.value)


@pytest.mark.parametrize("when", ["2026-01-31", "2026-01-31 00:00:00", "2026-01-31T00:00Z", "2026-01-31T01:00+0100"])
def test_a_day_alone_is_its_first_moment(when: str) -> None:
    """It is in UTC, the earliest possible time."""
    counts = cn.read_counts(io.StringIO(f"{HEAD},counted_at\nW,A,1,{when}\n"))
    assert counts["counted_at"].tolist() == [pd.Timestamp("2026-01-31T00:00Z")]


@given(st.lists(st.tuples(st.sampled_from("VW"), st.sampled_from("ABC"), st.integers(0, 9)), max_size=9))
def test_bins_add_up_to_what_was_counted(bins: list[tuple[str, str, int]]) -> None:
    """Each SKU has one row, in the place of its first bin."""
    expected: dict[tuple[str, str], int] = {}
    for code, sku, quantity in bins:
        expected[code, sku] = expected.get((code, sku), 0) + quantity
    counts = cn.read_counts(_csv(*(f"{code},{sku},{quantity}" for code, sku, quantity in bins)), duplicates="sum")
    assert _rows(counts) == [(*key, quantity) for key, quantity in expected.items()]


def test_a_file_of_changes_keeps_its_signs() -> None:
    """For `build_differential`, numbers may have either kind of minus, a plus or no sign; bins add up across signs."""
    file = 'warehouse,sku,qty\nW,A,-3\nW,B,+4\nW,C,\N{MINUS SIGN}5\nW,D,6\nW,A,1\nW,E,"-1,234"\nW,E,0\n'
    read = cn.read_counts(io.StringIO(file), signed=True, duplicates="sum")
    assert read["quantity"].tolist() == [-2, 4, -5, 6, -1234]


@pytest.mark.parametrize(
    ("word", "what"), [("--3", "negative"), ("-3.5", "not whole"), ("-", "no quantity"), ("-x", "isn't a number")]
)
def test_an_invalid_change_is_refused(word: str, what: str) -> None:
    """The error has its line."""
    with pytest.raises(InvalidRequestError, match=what):
        cn.read_counts(io.StringIO(f"warehouse,sku,qty\nW,A,{word}\n"), signed=True)
