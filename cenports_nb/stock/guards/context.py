"""The context of the guards: an update frame joined once with the stock, its metadata and its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import repeat_text, take_text
from cenports_nb.frames.provenance import Provenance, provenance
from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.frame_kinds import refuse_swapped
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.validation import index_unique_rows, validate_columns
from cenports_nb.rendering.text import pluralize
from cenports_nb.stock.guards.thresholds import Thresholds
from cenports_nb.stock.plans.metadata import PlanMetadata, read_metadata
from cenports_nb.stock.plans.unknown_skus import find_uncounted
from cenports_nb.stock.plans.update_frame import STOCK_COLUMNS, look_up_quantities, refuse_other_accounts

UPDATE_COLUMNS = [*STOCK_KEYS, "type", "quantity"]
OPTIONAL_COLUMNS = ("reference", "counted_at")
HISTORY_COLUMNS = [
    *("submission_id", "created_at", "age_s", "fingerprint", "reference"),
    *("warehouse_code", "product_sku", "type", "quantity", "outcome"),
]


@dataclass(frozen=True)
class Objections:
    """The objections of one guard.

    Attributes:
        keys: `warehouse_code` and `product_sku` of each objection; null if it is about more than one row.
        messages: One sentence each.
    """

    keys: dict[str, pd.Series[Any]]
    messages: pd.Series[Any]


@dataclass(frozen=True)
class GuardContext:
    """An update frame and the stock that it will change.

    Attributes:
        updates: `warehouse_code product_sku type quantity`, and `reference`, `counted_at` if it has them.
        actual: `warehouse_code product_sku quantity`, and `is_discontinued` if it has it.
        thresholds: The thresholds of the guards.
        metadata: What the plan was made from; None if the frame has none.
        origin: The provenance of `actual`; None if it has none.
        history: Earlier updates of the account; None if they were not given.
        stock_rows: The row of `actual` for each row of `updates`, -1 for none.
        known: Whether the warehouse has the SKU of each row.
        now: The current stock of each row, 0 if the SKU is unknown.
        target: The stock that each row leads to.
        available: The available stock of each row, the lowest of its channels; `now` if it is unknown.
        has_available: Whether the available stock of each row is known.
        is_uncounted: Whether each row itself says that nobody counted it.
    """

    updates: pd.DataFrame
    actual: pd.DataFrame
    thresholds: Thresholds
    metadata: PlanMetadata | None
    origin: Provenance | None
    history: pd.DataFrame | None
    stock_rows: IntArray
    known: Mask
    now: IntArray
    target: IntArray
    available: IntArray
    has_available: Mask
    is_uncounted: Mask

    @property
    def is_true_up(self) -> Mask:
        """Whether each row sets the stock; the others change it."""
        found: Mask = (self.updates["type"] == "TRUE_UP").to_numpy(dtype=bool)
        return found

    def take_text(self, name: str, rows: IntArray) -> pd.Series[Any]:
        """Take a text column of some rows of the update frame."""
        return take_text(rows, self.updates[name])

    def object_to_rows(self, rows: IntArray, messages: pd.Series[Any]) -> Objections:
        """Object to rows, with one message each."""
        return Objections({name: self.take_text(name, rows) for name in STOCK_KEYS}, messages)


def build_context(
    updates: pd.DataFrame,
    actual: pd.DataFrame,
    available: pd.DataFrame | None,
    history: pd.DataFrame | None,
    thresholds: Thresholds,
) -> GuardContext:
    """Validate the frames and join them by key."""
    refuse_swapped(updates=updates, actual=actual, available=available)
    needed = [*UPDATE_COLUMNS, *OPTIONAL_COLUMNS]
    plan = validate_columns(updates, schemas.StockUpdates, "updates", needed, optional=OPTIONAL_COLUMNS)
    plan = plan.reset_index(drop=True)
    flag = "is_discontinued"
    stock = validate_columns(actual, schemas.ActualStock, "actual", [*STOCK_COLUMNS, flag], optional=[flag])
    stock = stock.reset_index(drop=True)
    for_sale = None
    if available is not None:
        for_sale = validate_columns(available, schemas.AvailableStock, "available", STOCK_COLUMNS)
    refuse_other_accounts(actual, available=available)
    frames = [frame for frame in (plan, stock, for_sale) if frame is not None]
    encoded = encode_keys(*([frame[name] for name in STOCK_KEYS] for frame in frames))
    codes, size = encoded.rows[0], encoded.size
    index_unique_rows(updates, codes, size, STOCK_KEYS, "updates")
    stock_rows = index_unique_rows(actual, encoded.rows[1], size, STOCK_KEYS, "actual")[codes]
    now, known = look_up_quantities(stock, stock_rows)
    quantity = plan["quantity"].to_numpy()
    lowest, has_available = now, np.zeros(len(plan), dtype=bool)
    if for_sale is not None:
        minimum = np.full(size, np.iinfo(np.int64).max)
        np.minimum.at(minimum, encoded.rows[2], for_sale["quantity"].to_numpy())
        has_available = minimum[codes] < np.iinfo(np.int64).max
        lowest = np.where(has_available, minimum[codes], now)
    return GuardContext(
        updates=plan,
        actual=stock,
        thresholds=thresholds,
        metadata=read_metadata(updates),
        origin=provenance(actual),
        history=None if history is None else _check_history(history),
        stock_rows=stock_rows,
        known=known,
        now=now,
        target=np.where(plan["type"] == "TRUE_UP", quantity, now + quantity),
        available=lowest,
        has_available=has_available & known,
        is_uncounted=find_uncounted(updates, quantity),
    )


def object_to_frame(message: str) -> Objections:
    """Object to the whole frame."""
    return Objections({name: repeat_text(None, 1) for name in STOCK_KEYS}, repeat_text(message, 1))


def object_to_warehouses(codes: Sequence[str], messages: Sequence[str]) -> Objections | None:
    """Object to warehouses, with one message each."""
    if not len(codes):
        return None
    keys = {"warehouse_code": _to_text(codes), "product_sku": repeat_text(None, len(codes))}
    return Objections(keys, _to_text(messages))


def _to_text(values: Sequence[str]) -> pd.Series[Any]:
    return pd.Series(list(values), dtype="str")


def _check_history(history: pd.DataFrame) -> pd.DataFrame:
    lacking = [name for name in HISTORY_COLUMNS if name not in history.columns]
    if lacking:
        raise InvalidRequestError(f"history lacks the {pluralize('column', len(lacking))} {', '.join(lacking)}.")
    history = history[history[STOCK_KEYS].notna().all(axis=1)]  # orders have no such key
    texts = [name for name in HISTORY_COLUMNS if name not in ("created_at", "age_s", "quantity")]
    kinds = dict.fromkeys(texts, "str") | {"quantity": "int64", "age_s": "float64"}
    read = history[HISTORY_COLUMNS].reset_index(drop=True).astype(kinds)
    return read.assign(created_at=pd.to_datetime(read["created_at"], utc=True))
