"""The product identifiers of a count file -> SKUs, looked up in the stock of their warehouse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import from_arrow, take_text, to_arrow
from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys, index_rows
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.tables.table import AS_TEXT, Table

IDENTIFIERS = ("product_sku", "product_upc", "retailer_sku")
UPC = r"^(\d{8}|\d{12,14})$"


def look_up_skus(
    codes: pd.Series[Any], names: pd.Series[Any], by: str, stock: pd.DataFrame | None, table: Table
) -> pd.Series[Any]:
    """Look up the SKU of each row in its warehouse.

    Args:
        codes: The warehouse of each row.
        names: The product identifier of each row.
        by: `product_upc` or `retailer_sku`.
        stock: Actual stock, from `load_actual_stock`.
        table: The file, for its lines.

    Raises:
        InvalidRequestError: There is no stock, or an identifier belongs to no SKU of its warehouse, or to several.
    """
    if stock is None:
        raise InvalidRequestError(f"by={by!r} needs stock=, from load_actual_stock, to look the SKUs up in.")
    stock = validate_columns(stock, schemas.ActualStock, "stock", [*STOCK_KEYS, by])
    known = stock[stock[by].notna().to_numpy()].drop_duplicates().reset_index(drop=True)
    if by == "product_upc":
        names = _drop_decimals(names)
    padded = _pad_upcs(names) if by == "product_upc" else names
    stocked = known.assign(product_upc=_pad_upcs(known[by])) if by == "product_upc" else known
    many, rows = _found(codes, padded, stocked, by)
    table.refuse(many, f"a {by} that stands for several SKUs of its warehouse", "name these rows by product_sku")
    absent = rows < 0
    if absent.any():
        bare = [_without_zeros(column) for column in (names, known[by])]
        _, alike = _found(codes, bare[0], known.assign(**{by: bare[1]}), by)
        lost = absent & (alike >= 0)
        if lost.any():
            first = int(np.flatnonzero(lost)[0])
            example = f"{names.iloc[first]} for {known[by].iloc[alike[first]]}"
            table.refuse(lost, f"a {by} that lost its zeros in front ({example})", AS_TEXT)
        table.refuse(absent, f"a {by} that its warehouse does not have", "correct it, or leave it out")
    return take_text(rows, known["product_sku"])


def _found(codes: pd.Series[Any], names: pd.Series[Any], known: pd.DataFrame, by: str) -> tuple[Mask, IntArray]:
    """Return for each identifier whether several SKUs of its warehouse have it, and its row in `known`."""
    numbered = encode_keys([codes, names], [known["warehouse_code"], known[by]])
    asked, there = numbered.rows
    many = np.bincount(there, minlength=numbered.size) > 1
    return many[asked], index_rows(there, numbered.size)[asked]


def _pad_upcs(upcs: pd.Series[Any]) -> pd.Series[Any]:
    """Write UPC-A, EAN-8, EAN-13 and GTIN-14 with 14 digits, so that equal products have equal numbers."""
    digits = to_arrow(upcs)
    is_whole = pc.match_substring_regex(digits, UPC)
    return from_arrow(pc.if_else(is_whole, pc.utf8_lpad(digits, 14, "0"), digits))


def _drop_decimals(names: pd.Series[Any]) -> pd.Series[Any]:
    return from_arrow(pc.replace_substring_regex(to_arrow(names), r"^(\d+)\.0$", r"\1"))


def _without_zeros(names: pd.Series[Any]) -> pd.Series[Any]:
    return from_arrow(pc.utf8_ltrim(to_arrow(names), characters="0"))
