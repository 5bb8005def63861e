"""What the guards judge: one plan beside the stock, its rows found once and for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.provenance import Provenance, provenance
from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys, find_duplicates, index_rows
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.validation import refuse_duplicates, validate_columns
from cenports_nb.frames.text_columns import repeat_text, take_text
from cenports_nb.rendering.text import pluralize
from cenports_nb.stock.demand import STOCK_KEYS
from cenports_nb.stock.guards.thresholds import Thresholds
from cenports_nb.stock.plans.metadata import Note, note_of
from cenports_nb.stock.plans.update_frame import looked_up, refuse_strangers

PLANNED = [*STOCK_KEYS, "type", "quantity"]
FURTHER = ("reference", "counted_at")
HISTORY = [
    *("submission_id", "created_at", "age_s", "fingerprint", "reference"),
    *("warehouse_code", "product_sku", "type", "quantity", "outcome"),
]


@dataclass(frozen=True)
class Objections:
    """What one guard objects to.

    Attributes:
        keys: `warehouse_code` and `product_sku` of each objection; null where more than one row is meant.
        messages: One sentence each.
    """

    keys: dict[str, pd.Series[Any]]
    messages: pd.Series[Any]


@dataclass(frozen=True)
class Case:
    """A plan beside the stock that it will change.

    Attributes:
        updates: `warehouse_code product_sku type quantity`, and `reference`, `counted_at` if it has them.
        actual: `warehouse_code product_sku quantity`, and `is_discontinued` if it has it.
        limits: The thresholds.
        note: What the plan says of its making; None if it says nothing.
        origin: Where `actual` comes from; None if it does not know.
        history: Earlier rows; None if they were not given.
        given: The plan as it was given.
        places: The row of `actual` for each row of the plan, -1 where none.
        known: Where the warehouse has the SKU.
        now: The stock of each row, 0 where it has none.
        target: The stock that the row leads to.
        available: Its available stock, the least of its channels; `now` where that is not known.
        is_available: Where it is known.
    """

    updates: pd.DataFrame
    actual: pd.DataFrame
    limits: Thresholds
    note: Note | None
    origin: Provenance | None
    history: pd.DataFrame | None
    given: pd.DataFrame
    places: IntArray
    known: Mask
    now: IntArray
    target: IntArray
    available: IntArray
    is_available: Mask

    @property
    def is_true_up(self) -> Mask:
        """Which rows set the stock; the others move it."""
        found: Mask = (self.updates["type"] == "TRUE_UP").to_numpy(dtype=bool)
        return found

    def texts(self, name: str, rows: IntArray) -> pd.Series[Any]:
        """Take a text column of some rows of the plan."""
        return take_text(rows, self.updates[name])

    def object_to(self, rows: IntArray, messages: pd.Series[Any]) -> Objections:
        """Object to rows, one sentence each."""
        return Objections({name: self.texts(name, rows) for name in STOCK_KEYS}, messages)


def case_of(
    updates: pd.DataFrame,
    actual: pd.DataFrame,
    available: pd.DataFrame | None,
    history: pd.DataFrame | None,
    limits: Thresholds,
) -> Case:
    """Read and join what the guards look at.

    Raises:
        InvalidRequestError: A column is missing or can't be read, or a key repeats.
    """
    plan = validate_columns(updates, schemas.StockUpdates, "updates", [*PLANNED, *FURTHER], optional=FURTHER)
    plan = plan.reset_index(drop=True)
    stock = validate_columns(
        actual,
        schemas.ActualStock,
        "actual",
        [*STOCK_KEYS, "quantity", "is_discontinued"],
        optional=["is_discontinued"],
    ).reset_index(drop=True)
    sale = (
        None
        if available is None
        else validate_columns(available, schemas.AvailableStock, "available", [*STOCK_KEYS, "quantity"])
    )
    refuse_strangers(actual, available=available)
    frames = [frame for frame in (plan, stock, sale) if frame is not None]
    numbered = encode_keys(*([frame[name] for name in STOCK_KEYS] for frame in frames))
    number, in_stock = numbered.rows[0], numbered.rows[1]
    refuse_duplicates(updates, find_duplicates(number, index_rows(number, numbered.size)), STOCK_KEYS, "updates")
    at_stock = index_rows(in_stock, numbered.size)
    refuse_duplicates(actual, find_duplicates(in_stock, at_stock), STOCK_KEYS, "actual")
    places = at_stock[number]
    now, known = looked_up(stock, places)
    quantity = plan["quantity"].to_numpy()
    sets = (plan["type"] == "TRUE_UP").to_numpy(dtype=bool)
    least, is_available = now, np.zeros(len(plan), dtype=bool)
    if sale is not None:
        lowest = np.full(numbered.size, np.iinfo(np.int64).max)
        np.minimum.at(lowest, numbered.rows[2], sale["quantity"].to_numpy())
        is_available = lowest[number] < np.iinfo(np.int64).max
        least = np.where(is_available, lowest[number], now)
    return Case(
        updates=plan,
        actual=stock,
        limits=limits,
        note=note_of(updates),
        origin=provenance(actual),
        history=None if history is None else _history(history),
        given=updates,
        places=places,
        known=known,
        now=now,
        target=np.where(sets, quantity, now + quantity),
        available=least,
        is_available=is_available & known,
    )


def of_frame(message: str) -> Objections:
    """Object to the whole frame."""
    return Objections({name: repeat_text(None, 1) for name in STOCK_KEYS}, repeat_text(message, 1))


def of_warehouses(codes: Sequence[str], messages: Sequence[str]) -> Objections | None:
    """Object to warehouses, one sentence each."""
    if not len(codes):
        return None
    keys = {"warehouse_code": _texts(codes), "product_sku": repeat_text(None, len(codes))}
    return Objections(keys, _texts(messages))


def _texts(values: Sequence[str]) -> pd.Series[Any]:
    return pd.Series(list(values), dtype="str")


def _history(history: pd.DataFrame) -> pd.DataFrame:
    lacking = [name for name in HISTORY if name not in history.columns]
    if lacking:
        raise InvalidRequestError(f"history lacks the {pluralize('column', len(lacking))} {', '.join(lacking)}.")
    history = history[history[STOCK_KEYS].notna().all(axis=1)]  # orders have no such key
    texts = [name for name in HISTORY if name not in ("created_at", "age_s", "quantity")]
    kinds = dict.fromkeys(texts, "str") | {"quantity": "int64", "age_s": "float64"}
    read = history[HISTORY].reset_index(drop=True).astype(kinds)
    return read.assign(created_at=pd.to_datetime(read["created_at"], utc=True))
