"""Counts: read the file of counted quantities."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import from_arrow, repeat_text, take_text, to_arrow
from cenports_nb.frames.choices import check_choice
from cenports_nb.frames.row_keys import Mask, encode_keys, find_duplicates, index_first_rows, index_rows, sum_by_code
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.rendering.surface import choose_wording, name_argument, name_parameter
from cenports_nb.rendering.text import pluralize
from cenports_nb.stock.counts.checks import (
    check_directions,
    check_hidden_rows,
    check_plan_type,
    check_units,
    check_unlabeled,
    read_uncounted,
    refuse_loose_commas,
    refuse_shown_units,
    write_origin,
)
from cenports_nb.stock.counts.header_words import HEADER_WORDS
from cenports_nb.stock.counts.headers import find_columns, parse_columns, score_headers
from cenports_nb.stock.counts.identifiers import IDENTIFIERS, look_up_skus
from cenports_nb.stock.counts.quantities import FLAWS, NUMBER, TOO_LARGE, read_changes, read_quantities
from cenports_nb.stock.plans.update_frame import MAX_UNITS
from cenports_nb.tables.encodings import decode_columns
from cenports_nb.tables.headers import list_headers, normalize_header
from cenports_nb.tables.hidden_rows import HiddenRows
from cenports_nb.tables.read import read_table
from cenports_nb.tables.table import Table

TOTALS = ("total", "totals", "grand total", "sum", "summe", "gesamt", "gesamtsumme", "somme", "suma", "total general")
INSTANT = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$"
DAY = r"^\d{4}-\d\d-\d\d([T ]00:00(:00(\.0+)?)?)?$"
NAIVE = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$"


def read_counts(
    path_or_buffer: str | Path | IO[bytes] | IO[str],
    *,
    columns: Mapping[str, str] | None = None,
    warehouse_code: str | None = None,
    warehouse_map: Mapping[str, str] | None = None,
    duplicates: Literal["raise", "sum"] = "raise",
    by: Literal["product_sku", "product_upc", "retailer_sku"] = "product_sku",
    stock: pd.DataFrame | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    hidden_rows: HiddenRows | None = None,
    signed: bool = False,
) -> pd.DataFrame:
    r"""Read counted stock from a .csv, .tsv, .xlsx or .parquet file.

    Every cell is read as text, so `0012` keeps its zeros; a number of a workbook is the SKU that its format shows.
    Headers are found by `columns`, by our own names, or by common words in English, German, French and Spanish. Of two
    quantities the one whose header says that it was counted is read ("New quantity" beside "Qty");
    `provenance(counts).params` has the columns that were read. Quantities are whole units; `12.0` is 12, and thousands
    may be separated if that is unambiguous. Anything ambiguous is a question: an error that names the argument that
    answers it. Invalid values raise, naming their line; a file is read completely or not at all.

    Args:
        path_or_buffer: The file.
        columns: Your headers: `{"quantity": "Counted"}` or `{"Counted": "quantity"}`.
        warehouse_code: The warehouse of a file without such a column.
        warehouse_map: Your warehouse codes to those of Cenports.
        duplicates: `"sum"` adds up rows of the same warehouse and SKU (bins) and takes the earliest `counted_at`;
            `"raise"` refuses them.
        by: The column that identifies products; identifiers other than the SKU are looked up in `stock`.
        stock: Actual stock, from `load_actual_stock`, for `by`.
        sheet: The sheet of a workbook, if several have such a table.
        encoding: The encoding of a text file that is not UTF-8, such as `"cp1252"`, if it can't be detected.
        hidden_rows: `"include"` or `"exclude"` rows with quantities that a workbook hides or filters out; by default
            `hidden_rows` of the profile, else such rows are a question.
        signed: The file has changes, for `build_differential`: -3 removes three units, 3 and +3 add them.

    Returns:
        `warehouse_code product_sku quantity`, and `counted_at` (UTC) if the file has it. A day without a time is its
        first moment in UTC, the earliest possible one; any other time needs its zone, such as `2026-01-31T08:00Z`, which
        a date cell of Excel can't hold: write it as text. For a file of held rows, or of a plan, `is_uncounted` marks
        rows that nobody counted, if there are any: the guard `zero_beside_unknown` continues to hold them.

    Raises:
        InvalidRequestError: A column is missing, there is a question, or rows can't be read; the message names the lines.

    Example:
        >>> import io
        >>> cn.read_counts(io.StringIO("Warehouse,SKU,Counted\nW,0012,5\n"))
          warehouse_code product_sku  quantity
        0              W        0012         5
    """
    check_choice("duplicates", duplicates, ("raise", "sum"))
    check_choice("by", by, IDENTIFIERS)
    if warehouse_map is not None and not isinstance(warehouse_map, Mapping):
        raise InvalidRequestError(
            f"warehouse_map={warehouse_map!r} isn't a mapping of your codes to those of Cenports."
        )
    given = parse_columns(columns, by)
    table = read_table(path_or_buffer, lambda cells: score_headers(cells, given, by), sheet=sheet, encoding=encoding)
    table = table.select_rows(~table.find_empty_rows())
    positions = find_columns(
        table.headers, given, by, table.title, lambda position: _is_numeric(table, position), signed=signed
    )
    _refuse_lacking(table, positions, by, warehouse_code)
    check_unlabeled(table, positions, given)
    table = check_hidden_rows(table, positions, given, hidden_rows)
    table.refuse_flagged(positions)
    table = decode_columns(table, positions.values())
    check_plan_type(table, signed=signed)
    check_units(table, positions)

    units = read_changes if signed else read_quantities
    typed = positions["quantity"] not in table.numeric_columns
    quantity, flaws = units(table.read_text(positions["quantity"]), table.separator, typed=typed)
    names = table.read_text(positions[by])
    codes = _warehouses(table, positions.get("warehouse_code"), warehouse_code, warehouse_map, (names, quantity))
    if "warehouse_code" not in positions:
        _refuse_total(table, [names], quantity, alone=False)
    table.refuse((names == "").to_numpy(), f"no {by}", "fill it in, or delete the row")
    names = table.read_identifiers(positions[by], by)
    skus = names if by == "product_sku" else look_up_skus(codes, names, by, stock, table)
    for what, bad in flaws:
        table.refuse(bad, what)
    if signed:
        check_directions(table, positions, quantity)
    refuse_loose_commas(table, positions)
    refuse_shown_units(table, positions["quantity"])
    counted_at = _instants(table, positions["counted_at"]) if "counted_at" in positions else None
    is_uncounted = read_uncounted(table, positions, codes, quantity)
    counts = _counts(table, (codes, skus), quantity, counted_at, is_uncounted, sums=duplicates == "sum")
    return write_origin(counts, table, positions)


def _is_numeric(table: Table, position: int) -> bool:
    """Return whether all values of a column look like numbers."""
    texts = to_arrow(table.read_text(position))
    return bool(pc.all(pc.or_(pc.equal(texts, ""), pc.match_substring_regex(texts, NUMBER)), min_count=0).as_py())


def _counts(
    table: Table,
    keys: tuple[pd.Series[Any], pd.Series[Any]],
    quantity: np.ndarray[Any, np.dtype[np.int64]],
    counted_at: pd.Series[Any] | None,
    is_uncounted: Mask,
    *,
    sums: bool,
) -> pd.DataFrame:
    """Build the frame: one row per key, in the order of the file."""
    numbered = encode_keys([*keys])
    number = numbered.rows[0]
    twice = find_duplicates(number, index_rows(number, numbered.size))
    if not sums:
        table.refuse(
            twice,
            f"a warehouse and SKU that repeats ({name_argument('duplicates', 'sum')} adds bins up)",
            "keep one of each",
        )
    rows = np.sort(index_first_rows(number, numbered.size))
    rows = rows[rows >= 0]
    total = sum_by_code(number, quantity, numbered.size)
    table.refuse(total[number] > MAX_UNITS, f"bins that add up to {FLAWS[TOO_LARGE].removeprefix('a quantity ')}")
    made: dict[str, Any] = {name: take_text(rows, column) for name, column in zip(STOCK_KEYS, keys, strict=True)}
    made["quantity"] = total[number[rows]]
    if counted_at is not None:
        earliest = counted_at.groupby(number, sort=True).min() if twice.any() else counted_at
        made["counted_at"] = (earliest.reindex(number[rows]) if twice.any() else earliest).array
    if is_uncounted.any():
        made["is_uncounted"] = np.isin(number[rows], number[is_uncounted])
    return pd.DataFrame(made, copy=False)


def _refuse_lacking(table: Table, positions: Mapping[str, int], by: str, warehouse_code: str | None) -> None:
    needed = [by, "quantity"] if warehouse_code is not None else ["warehouse_code", by, "quantity"]
    lacking = [ours for ours in needed if ours not in positions]
    if not lacking:
        return
    hint = f" (or pass {name_argument('warehouse_code')})" if "warehouse_code" in lacking else ""
    others = [
        one
        for one in IDENTIFIERS
        if one != by and {normalize_header(h) for h in table.headers} & {normalize_header(one), *HEADER_WORDS[one]}
    ]
    if by in lacking and others:
        hint += f" (or pass {name_argument('by', others[0])}{choose_wording(python=' and stock=', terminal='')})"
    raise InvalidRequestError(
        f"{table.title} lacks the {pluralize('column', len(lacking))} {', '.join(lacking)}{hint}; it has "
        f"{list_headers(table.headers)}. Name your headers with {name_argument('columns')}. Nothing was read."
    )


def _warehouses(
    table: Table,
    position: int | None,
    given: str | None,
    mapped: Mapping[str, str] | None,
    others: tuple[pd.Series[Any], np.ndarray[Any, np.dtype[np.int64]]],
) -> pd.Series[Any]:
    """Return the warehouse of each row."""
    if position is None:
        code = given if mapped is None else mapped.get(str(given))
        if not isinstance(code, str) or not code:
            lacking = "is none" if mapped is None else f"is not in {name_parameter('warehouse_map')}"
            raise InvalidRequestError(
                f"{name_argument('warehouse_code', given)} {lacking}: pass the code of a warehouse."
            )
        return repeat_text(code, len(table.lines))
    codes = table.read_text(position)
    names, quantity = others
    _refuse_total(table, [codes, names], quantity, alone=True)
    table.refuse((codes == "").to_numpy(), "no warehouse_code", "fill it in, or delete the row")
    codes = table.read_identifiers(position, "warehouse_code")
    if given is not None:
        differs = (codes != given).to_numpy()
        table.refuse(
            differs,
            f"a warehouse other than {name_argument('warehouse_code', given)}",
            f"leave {name_parameter('warehouse_code')} out",
        )
    if mapped is None:
        return codes
    coded = to_arrow(codes).combine_chunks().dictionary_encode()
    words = coded.dictionary.to_pylist()
    known = np.array([isinstance(mapped.get(word), str) and mapped[word] != "" for word in words], dtype=bool)
    table.refuse(
        ~known[coded.indices.to_numpy()],
        f"a warehouse that {name_parameter('warehouse_map')} lacks",
        "add it",
    )
    return take_text(
        coded.indices.to_numpy().astype(np.int64), pd.Series([mapped[word] for word in words], dtype="str")
    )


def _refuse_total(
    table: Table, keys: list[pd.Series[Any]], quantity: np.ndarray[Any, np.dtype[np.int64]], *, alone: bool
) -> None:
    """Refuse a line of totals: its text says so and it names no product, or its quantity is the sum of those above.

    Args:
        table: The file.
        keys: The columns of the key.
        quantity: The quantities.
        alone: Whether a line whose text says so, with the rest of its key empty, is one at any position.
    """
    says = np.zeros(len(table.lines), dtype=bool)
    empty = np.zeros(len(table.lines), dtype=bool)
    for column in keys:
        texts = pc.utf8_rtrim(pc.utf8_lower(to_arrow(column)), characters=": ")
        says |= np.asarray(pc.is_in(texts, value_set=_TOTALS).to_numpy(), dtype=bool)
        empty |= (column == "").to_numpy()
    if not says.any():
        return
    total: Mask = says & empty if alone else np.zeros(len(says), dtype=bool)
    if says[-1] and len(says) > 2 and quantity[-1] == quantity[:-1].sum():
        total[-1] = True
    table.refuse(total, "a total below the table", "delete it")


_TOTALS = to_arrow(pd.Series(TOTALS, dtype="str")).combine_chunks()


def _instants(table: Table, position: int) -> pd.Series[Any]:
    """Parse when it was counted, each distinct text once."""
    coded = to_arrow(table.read_text(position)).combine_chunks().dictionary_encode()
    words, codes = coded.dictionary, coded.indices.to_numpy()

    def has_form(pattern: str) -> Mask:
        return np.asarray(pc.match_substring_regex(words, pattern).to_numpy(zero_copy_only=False), dtype=bool)

    fine, empty = has_form(INSTANT) | has_form(DAY), has_form("^$")
    naive = has_form(NAIVE) & ~fine
    table.refuse(naive[codes], "a counted_at without a time zone", "write it as text such as 2026-01-31T08:00Z")
    texts = from_arrow(words).where(fine)
    parsed = pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce").astype("datetime64[us, UTC]")
    bad = parsed.isna().to_numpy() & ~empty
    table.refuse(bad[codes], "a counted_at that isn't a date like 2026-01-31T08:00Z", "write it so")
    return parsed.take(codes).reset_index(drop=True)
