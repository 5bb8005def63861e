"""Which frames still have the rows that were loaded, and which of their columns a view shows first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from pandas.api import types

from cenports_nb.frames.provenance import Provenance

ADDRESS_PARTS = ("name", "address1", "address2", "city", "state", "country", "postal_code")
SECONDARY_COLUMNS = frozenset(
    {
        *("channel", "contact_name", "contact_email", "contact_phone", "merchant_msg", "retailer_msg"),
        *(f"bill_to_{part}" for part in ADDRESS_PARTS),
        *(f"ship_to_{part}" for part in ADDRESS_PARTS if part != "country"),
        *(f"ship_from_{part}" for part in ("warehouse_name", "location", "contact_phone", "availability", "owner")),
        *("carrier_code", "service_level", "sub_total", "discount", "ship_cost"),
        *("retailer_sku", "product_upc", "product_extras", "warehouse_name"),
    }
)
"""Columns that a wide frame does not show: names and numbers beside an id, addresses, messages, parts of a sum."""

SHOWN_AS_GIVEN = 8
"""A frame of at most this many columns was selected by a person: all of them are shown."""

WIDE = 10
"""A frame of more columns is shown without the secondary ones."""

DEFAULT_MAX_COLUMNS = (0, 20)
"""pandas' default of `display.max_columns`, in a terminal and elsewhere."""

LINE_COLUMNS = frozenset({"line_item", "product_sku", "quantity", "price"})
"""Columns of line items that orders lack."""


def has_loaded_rows(frame: pd.DataFrame, origin: Provenance | None) -> bool:
    """Return whether each row is still one order, line or SKU: its key columns are there, and rows are numbered.

    Sums, descriptions and transposed frames have lost them.
    """
    if frame.columns.nlevels > 1 or frame.index.nlevels > 1 or not frame.columns.is_unique:
        return False
    names = {*frame.columns, frame.index.name}
    key = _find_key(names, origin)
    if not key or not key <= names:
        return False
    if not all(types.is_string_dtype(frame[name].dtype) for name in key & {*frame.columns}):
        return False  # such as `orders.isna()`
    if frame.index.name is None:
        return types.is_integer_dtype(frame.index.dtype)
    return frame.index.name in key and len(key) == 1  # a grouped frame has its groups as index


def _find_key(names: set[object], origin: Provenance | None) -> set[str]:
    if "order_no" in names:
        return {"order_no", "product_sku"} if names & LINE_COLUMNS else {"order_no"}
    if "street_address" in names:
        return {"warehouse_code"}
    if "channel_name" in names:
        return {"channel_id"}
    if origin is None or "product_sku" not in names:
        return set()
    if not origin.environment:  # read from a file
        return {"product_sku"}
    return {"warehouse_code", "product_sku"} | ({"channel_id"} if "channel_id" in origin.params else set())


def choose_columns(frame: pd.DataFrame) -> list[int]:
    """Choose the columns of a frame of rows that a view shows, by position.

    Columns that a person added are shown. Someone who sets `display.max_columns` gets all columns, as many as that.
    """
    every = list(range(frame.shape[1]))
    if pd.get_option("display.max_columns") not in DEFAULT_MAX_COLUMNS or len(every) <= SHOWN_AS_GIVEN:
        return every
    if len(every) > WIDE:
        every = [position for position in every if frame.columns[position] not in SECONDARY_COLUMNS]
    return [position for position in every if not _is_empty(frame.iloc[:, position])]


def _is_empty(column: pd.Series[Any]) -> bool:
    return len(column) > 0 and bool(pd.isna(column.iloc[0])) and bool(column.isna().all())


def cut_middle(positions: Sequence[int], most: int | None) -> list[int]:
    """Leave out positions in the middle, as pandas does where there are too many; -1 stands for them."""
    if not most or len(positions) <= most:
        return list(positions)
    half = most // 2
    return [*positions[:half], -1, *positions[len(positions) - half :]] if half else [positions[0], -1]
