"""The customer of each order: a name, or its pseudonym."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cenports_nb.frames.account_column import ACCOUNT
from cenports_nb.frames.privacy.masking import mask_pii
from cenports_nb.frames.privacy.pseudonyms import PSEUDONYM, SHORT_KINDS, shorten_pseudonym
from cenports_nb.frames.schema.column_docs import NAME

CUSTOMER_COLUMNS = ("customer_name", "ship_to_name", "contact_name", "bill_to_name")
"""Columns that name the customer: the first one with a value is shown."""


def name_customers(orders: pd.DataFrame) -> pd.Series[Any] | None:
    """Name the customers; None if the frame has none of their columns."""
    there = [read_text(orders[name]) for name in CUSTOMER_COLUMNS if name in orders.columns]
    if not there:
        return None
    names = there[0]
    for others in there[1:]:
        names = names.fillna(others)
    return names.reset_index(drop=True)


def read_text(values: pd.Series[Any]) -> pd.Series[Any]:
    """Read a column as text, or as nulls if it can't be read: a frame made by a person may hold anything."""
    try:
        return values.astype("str")
    except Exception:  # noqa: BLE001 - raised by a value
        return pd.Series([None] * len(values), index=values.index, dtype="str")


def mask_names(names: pd.Series[Any], frame: pd.DataFrame) -> pd.Series[Any]:
    """Mask the names of a frame's rows for a table that people filter: different names have different pseudonyms.

    Args:
        names: A name or null for each row.
        frame: The frame that they are from; its accounts have their own pseudonyms.
    """
    rows = pd.DataFrame({"customer_name": names.to_numpy()}, dtype="str")
    if ACCOUNT in frame.columns:
        rows[ACCOUNT] = frame[ACCOUNT].to_numpy()
    rows.attrs = frame.attrs
    masked: pd.Series[Any] = mask_pii(rows)["customer_name"]
    whole = masked.dropna().drop_duplicates()
    short = whole.map(lambda text: shorten_pseudonym(text) if PSEUDONYM.fullmatch(text) else text)
    long = whole.str.replace(f"{NAME}-", f"{SHORT_KINDS[NAME]} ", regex=False)
    different = short.where(~short.duplicated(keep=False), long)
    return masked.map(dict(zip(whole, different, strict=True))).astype("str")
