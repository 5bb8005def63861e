"""The update frame: what every plan is written as, whatever it was made from."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.provenance import provenance, read_account
from cenports_nb.frames.row_keys import IntArray, Mask
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.frames.text_columns import repeat_text
from cenports_nb.stock.plans.sku_suggestions import suggest_skus

UpdateType = Literal["TRUE_UP", "DIFFERENTIAL"]
STOCK_COLUMNS = [*STOCK_KEYS, "quantity"]
MAX_UNITS = 2**31 - 1
"""The most units that a row may count or move: what a 32-bit server can hold."""


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
    """Write a plan as an update frame.

    Args:
        names: The key of each row.
        kind: What is sent as type.
        quantity: What is sent.
        current: The stock now.
        known: Where that is known; elsewhere current stock and the change of a TRUE_UP are null.
        actual: The stock that unknown SKUs may resemble one of; None if none was looked at.
        reason: Why, on every row.
        reference: The planner's document number, on every row.
    """
    unknown = ~known
    if kind == "DIFFERENTIAL":
        change, unsaid = quantity, np.zeros(len(quantity), dtype=bool)
    else:
        change, unsaid = np.where(unknown, 0, quantity - current), unknown
    seen = pd.DataFrame(names, copy=False)
    columns: dict[str, Any] = {
        **names,
        "type": repeat_text(kind, len(quantity)),
        "quantity": quantity,
        "current_quantity": pd.arrays.IntegerArray(np.where(unknown, 0, current), unknown),
        "change": pd.arrays.IntegerArray(change, unsaid),
        "known_sku": np.ones(len(quantity), dtype=bool) if actual is None else known,
        "reason": repeat_text(reason, len(quantity)),
        "reference": repeat_text(reference, len(quantity)),
        "suggestion": repeat_text(None, len(quantity)) if actual is None else suggest_skus(seen, unknown, actual),
    }
    return pd.DataFrame(columns, copy=False)


def check_stock(stock: pd.DataFrame, what: str, *, allow_partial: bool = False) -> pd.DataFrame:
    """Check stock that a plan is made from; a partial one would make known SKUs look unknown.

    Raises:
        InvalidRequestError: It can't be read, is partial or has rejects.
    """
    read = validate_columns(stock, schemas.ActualStock, what, STOCK_COLUMNS)
    origin = provenance(stock)
    if origin and not allow_partial and (not origin.complete or origin.rejected):
        raise InvalidRequestError(
            f"{what} is partial or has {origin.rejected} rejected rows, and a missing row would look like an unknown "
            "SKU: load it again, or pass allow_partial=True."
        )
    return read


def refuse_other_accounts(actual: pd.DataFrame, **others: pd.DataFrame | None) -> None:
    """Refuse frames of another account than the stock's; one that does not know its account passes.

    Raises:
        InvalidRequestError: An account differs; it is named as in `cenports_nb.provenance`.
    """
    own = read_account(actual)
    for name, frame in others.items():
        account = "" if frame is None else read_account(frame)
        if own and account and account != own:
            raise InvalidRequestError(
                f"{name} is of another account than actual ({account} and {own}): load both from the same client."
            )


def look_up_quantities(stock: pd.DataFrame, rows: IntArray) -> tuple[IntArray, Mask]:
    """Look up quantities by row, 0 where there is none, and tell where there is one."""
    known = rows >= 0
    quantities = np.append(stock["quantity"].to_numpy(), 0)  # row -1 is the one appended
    return quantities[rows], known
