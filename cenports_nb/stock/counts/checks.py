"""Checks before a count is accepted: hidden rows and columns, units of measure, ambiguous commas."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as arrow
import pyarrow.compute as pc

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import to_arrow
from cenports_nb.frames.provenance import Provenance, attach
from cenports_nb.frames.row_keys import IntArray, Mask
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.rendering.surface import choose_wording, name_argument
from cenports_nb.rendering.text import format_count
from cenports_nb.stock.counts.header_words import (
    EACH_UNITS,
    INCOMING_WORDS,
    OUTGOING_WORDS,
    PACK_HEADER_WORDS,
    PACK_UNITS,
    UNIT_HEADERS,
)
from cenports_nb.stock.plans.unknown_skus import find_uncounted
from cenports_nb.tables.headers import normalize_header
from cenports_nb.tables.hidden_rows import settle_hidden_rows
from cenports_nb.tables.table import Table


def check_hidden_rows(
    table: Table, positions: Mapping[str, int], given: Mapping[str, str], answer: str | None
) -> Table:
    """Ask about hidden rows with a quantity, and about hidden columns that nobody named.

    Raises:
        InvalidRequestError: The question.
    """
    for name, position in positions.items():
        if position in table.hidden_columns and name not in given:
            header = table.headers[position]
            raise InvalidRequestError(
                f"{table.title} hides the column {header!r}, which would be read as {name}: name the right one with "
                f"{name_argument('columns', {name: header})}, or show it in Excel. Nothing was read."
            )
    quantity = table.read_text(positions["quantity"])
    matters = (quantity != "").to_numpy()
    hidden = quantity[matters & (table.hidden_rows if table.hidden_rows is not None else False)]
    units = sum(int(text) for text in hidden if re.fullmatch(r"\d{1,15}", text))
    return settle_hidden_rows(table, matters, format_count(units, "unit"), answer)


def check_plan_type(table: Table, *, signed: bool) -> None:
    """Refuse rows of a plan of the other type: the quantity of a DIFFERENTIAL is a change, that of a TRUE_UP the stock.

    Raises:
        InvalidRequestError: There are such rows.
    """
    if "type" not in table.headers:
        return
    types = to_arrow(table.read_text(table.headers.index("type")))
    is_other = np.asarray(pc.equal(types, "TRUE_UP" if signed else "DIFFERENTIAL").to_numpy(), dtype=bool)
    what, taker = ("a counted stock", "build_true_up") if signed else ("a change", "build_differential")
    option = "without --differential" if signed else "with --differential"
    advice = choose_wording(
        python=f"pass signed={not signed}, and the result to {taker}", terminal=f"submit the file {option}"
    )
    table.refuse(
        is_other, f"{what}, as its type says, instead of {'a change' if signed else 'a counted stock'}", advice
    )


def check_unlabeled(table: Table, positions: Mapping[str, int], given: Mapping[str, str]) -> None:
    """Ask about numbers without a header beside most rows: someone may have written there what was counted.

    Raises:
        InvalidRequestError: The question.
    """
    if "quantity" not in given and table.unlabeled_rows * 2 > len(table.lines):
        chosen = name_argument("columns", {"quantity": table.headers[positions["quantity"]]})
        raise InvalidRequestError(
            f"{table.title} has numbers in a column without a header: write one above it, such as Counted, or name the quantity "
            f"with {chosen}. Nothing was read."
        )


def check_directions(table: Table, positions: Mapping[str, int], quantity: IntArray) -> None:
    """Refuse changes whose sign is elsewhere: in a header of units that left, or in a column such as Direction.

    Raises:
        InvalidRequestError: Units that left are written without a minus sign.
    """
    for position, header in enumerate(table.headers):
        if position in positions.values() and position != positions["quantity"]:
            continue
        texts = pc.utf8_lower(to_arrow(table.read_text(position)))
        if set(normalize_header(header).split()) & OUTGOING_WORDS:
            leaves = pc.match_substring_regex(texts, r"^0*[1-9]\d*$")
        elif set(pc.unique(texts).to_pylist()) <= OUTGOING_WORDS | INCOMING_WORDS | {""}:
            leaves = pc.is_in(texts, value_set=arrow.array(sorted(OUTGOING_WORDS)))
        else:
            continue
        table.refuse(
            np.asarray(leaves.to_numpy(), dtype=bool) & (quantity > 0),
            f"units that left, as {header!r} says, and no minus sign",
            "write one column with signs, such as -3, then delete or rename the others",
        )


def check_units(table: Table, positions: Mapping[str, int]) -> None:
    """Refuse quantities in several units of measure, or in packs: stock is counted in single units.

    Raises:
        InvalidRequestError: The question.
    """
    counted = table.headers[positions["quantity"]]
    if set(normalize_header(counted).split()) & PACK_HEADER_WORDS:
        raise InvalidRequestError(
            f"{table.title} has quantities in packs, as the header {counted!r} says, and stock is counted in single "
            "units: convert the quantities, then rename the column. Nothing was read."
        )
    for position, header in enumerate(table.headers):
        normalized = normalize_header(header)
        is_unit = normalized in UNIT_HEADERS or "uom" in normalized.split() or "unit of measure" in normalized
        if position in positions.values() or not is_unit:
            continue
        units = {normalize_header(text): text for text in pc.unique(to_arrow(table.read_text(position))).to_pylist()}
        others = [text for unit, text in units.items() if unit and unit not in EACH_UNITS]
        words = {word for text in others for word in (normalize_header(text), *re.findall(r"[a-z]+", text.lower()))}
        if others and (len(units) > 1 or words & PACK_UNITS):
            shown = " and ".join(repr(text) if text else "nothing" for text in list(units.values())[:5])
            raise InvalidRequestError(
                f"{table.title} has the units {shown} in {header!r}, and stock is counted in single units: convert the "
                f"quantities, then delete the column {header!r}. Nothing was read."
            )


def refuse_shown_units(table: Table, position: int) -> None:
    """Refuse quantities whose number format shows a unit of several pieces, such as 5 CS, or a share or thousands.

    Raises:
        InvalidRequestError: There are such rows.
    """
    shown = table.shown.get(position)
    if shown is None:
        return
    letters = pc.utf8_trim(pc.replace_substring_regex(pc.utf8_lower(shown.fill_null("")), r"[^\pL]+", " "), " ")
    others = pc.and_(pc.not_equal(letters, ""), pc.invert(pc.is_in(letters, value_set=arrow.array(sorted(EACH_UNITS)))))
    table.refuse(
        np.asarray(others.to_numpy(), dtype=bool),
        "a quantity whose number format shows a unit, a percentage or thousands",
        "convert it to single units, and give the column the format General",
    )


def refuse_loose_commas(table: Table, positions: Mapping[str, int]) -> None:
    """Refuse a quantity that may continue in the next cell: an unquoted 1,234 in a file separated by commas.

    Raises:
        InvalidRequestError: There are such lines; a next column that always has three digits is a separate column.
    """
    position = positions["quantity"] + 1
    if table.separator != "," or position >= len(table.headers) or position in positions.values():
        return
    after = to_arrow(table.read_text(position))
    is_group = np.asarray(pc.match_substring_regex(after, r"^\d{3}$").to_numpy(), dtype=bool)
    head = pc.match_substring_regex(to_arrow(table.read_text(positions["quantity"])), r"^[1-9]\d{0,2}$")
    if is_group.all():
        return
    table.refuse(
        is_group & np.asarray(head.to_numpy(), dtype=bool),
        f"a quantity that the cell behind it, {table.headers[position]!r}, may belong to, such as 1,234",
        'write 1234 or "1,234", or save the file with semicolons',
    )


def read_uncounted(table: Table, positions: Mapping[str, int], codes: pd.Series[Any], quantity: IntArray) -> Mask:
    """Return which rows of a plan, or of held rows, were not counted; rows of another file all were."""
    is_plan = {*STOCK_KEYS, "type", "quantity", "current_quantity"} <= set(table.headers)
    own = {
        header: table.read_text(position)
        for position, header in enumerate(table.headers)
        if (header == "message" or (header == "known_sku" and is_plan)) and position not in positions.values()
    }
    return find_uncounted(pd.DataFrame({"warehouse_code": codes, **own}), quantity)


def write_origin(counts: pd.DataFrame, table: Table, positions: Mapping[str, int]) -> pd.DataFrame:
    """Store in a frame's provenance which columns of which file it was read from."""
    columns = {name: table.headers[position] for name, position in positions.items()}
    if table.sheet is not None:
        columns["sheet"] = table.sheet
    origin = Provenance(
        source=table.name, params=columns, environment="", partner_id="", as_of=None, requests=0, cached=0, complete=True,
        rows=len(counts), rejected=0, outside=0, package_version=version("cenports-nb"),
    )  # fmt: skip
    return attach(counts, origin, ())
