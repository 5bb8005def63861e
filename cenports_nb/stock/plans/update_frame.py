"""The update frame, which every plan is, and its fingerprint."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import repeat_text, take_text, to_arrow
from cenports_nb.frames.provenance import provenance, read_account
from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.rendering.surface import choose_wording
from cenports_nb.rendering.text import format_count
from cenports_nb.stock.plans.sku_suggestions import suggest_skus

UpdateType = Literal["TRUE_UP", "DIFFERENTIAL"]
STOCK_COLUMNS = [*STOCK_KEYS, "quantity"]
SENT_COLUMNS = [*STOCK_KEYS, "type", "quantity"]
MAX_UNITS = 2**31 - 1
"""Maximum units that a row may set or change: what a 32-bit server can store."""


def build_update_frame(
    names: dict[str, pd.Series[Any]],
    kind: UpdateType,
    quantity: IntArray,
    *,
    current: IntArray,
    known: Mask,
    actual: pd.DataFrame | None,
    reason: str | None,
    reference: str | None,
) -> pd.DataFrame:
    """Build an update frame; if the current stock is unknown, it and the change of a TRUE_UP are null.

    Args:
        names: The key of each row.
        kind: The type of every row.
        quantity: The quantity to send.
        current: The current stock.
        known: Whether that is known.
        actual: The stock to find suggestions for unknown SKUs in; None for no suggestions.
        reason: The reason, for every row.
        reference: The planner's document number, for every row.

    Raises:
        InvalidRequestError: `reason` or `reference` is neither text nor None.
    """
    for name, text in (("reason", reason), ("reference", reference)):
        if text is not None and not isinstance(text, str):
            raise InvalidRequestError(f"{name}={text!r} must be text.")
    unknown, rows = ~known, len(quantity)
    if kind == "DIFFERENTIAL":
        change, null_change = quantity, np.zeros(rows, dtype=bool)
    else:
        change, null_change = np.where(unknown, 0, quantity - current), unknown
    columns: dict[str, Any] = {
        **names,
        "type": repeat_text(kind, rows),
        "quantity": quantity,
        "current_quantity": pd.arrays.IntegerArray(np.where(unknown, 0, current), unknown),
        "change": pd.arrays.IntegerArray(change, null_change),
        "known_sku": np.ones(rows, dtype=bool) if actual is None else known,
        "reason": repeat_text(reason, rows),
        "reference": repeat_text(reference, rows),
        "suggestion": repeat_text(None, rows),
    }
    if actual is not None:
        columns["suggestion"] = suggest_skus(pd.DataFrame(names, copy=False), unknown, actual)
    return pd.DataFrame(columns, copy=False)


def check_stock(stock: pd.DataFrame, what: str, *, allow_partial: bool = False) -> pd.DataFrame:
    """Validate the stock that a plan is made from; a partial one would make known SKUs look unknown."""
    read = validate_columns(stock, schemas.ActualStock, what, STOCK_COLUMNS)
    origin = provenance(stock)
    if origin and not allow_partial and (not origin.complete or origin.rejected):
        raise InvalidRequestError(
            f"{what} is partial or has {format_count(origin.rejected, 'rejected row')}, and a missing row would look like an "
            f"unknown SKU: load it again{choose_wording(python=', or pass allow_partial=True', terminal='')}."
        )
    return read


def refuse_other_accounts(actual: pd.DataFrame, **others: pd.DataFrame | None) -> None:
    """Refuse frames of another account than that of the stock; frames without provenance pass."""
    own = read_account(actual)
    for name, frame in others.items():
        account = "" if frame is None else read_account(frame)
        if own and account and account != own:
            raise InvalidRequestError(
                f"{name} is of another account than actual ({account} and {own}): load both from the same client."
            )


def look_up_quantities(stock: pd.DataFrame, rows: IntArray) -> tuple[IntArray, Mask]:
    """Return the quantity of each row, 0 for row -1, and whether there is a row."""
    known = rows >= 0
    quantities = np.append(stock["quantity"].to_numpy(), 0)  # row -1 is the appended one
    return quantities[rows], known


def compute_fingerprint(updates: pd.DataFrame) -> str:
    """Hash what an update frame would send into 32 hexadecimal digits.

    Only keys, type and quantity count, in the order of the keys: not the order of rows and columns, labels, dtypes,
    the current stock or the reason. The hash covers lengths and bytes of UTF-8 and 64-bit integers, independent of
    versions of pandas and Arrow, so a journal can store it.
    """
    read = validate_columns(updates, schemas.StockUpdates, "updates", SENT_COLUMNS)
    quantity = read["quantity"].to_numpy()
    kind = (read["type"] == "DIFFERENTIAL").to_numpy(dtype=np.int8)
    number = encode_keys([read[name] for name in STOCK_KEYS]).rows[0]
    order = np.lexsort((quantity, kind, number))
    known = hashlib.blake2b(b"cenports updates 1", digest_size=16)
    for name in STOCK_KEYS:
        text = to_arrow(take_text(order, read[name])).combine_chunks()
        known.update(pc.binary_length(text).to_numpy().astype("<i8").tobytes())
        # An Arrow array may be a slice of larger buffers: its own bytes are between its first and last offset.
        offsets = np.frombuffer(text.buffers()[1], dtype=np.int64)[text.offset : text.offset + len(text) + 1]
        if len(text):
            known.update(memoryview(text.buffers()[2])[offsets[0] : offsets[-1]])
    known.update(kind[order].tobytes())
    known.update(quantity[order].astype("<i8").tobytes())
    return known.hexdigest()
