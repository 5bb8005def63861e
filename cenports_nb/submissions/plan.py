"""Update frames and orders as batches and rows of the journal, decided before anything is written or sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.submissions.rules.models import Batch, Row
from cenports_nb.submissions.rules.states import INITIAL_OUTCOMES

CHUNK_ROWS = 20_000
DRY_RUN_MESSAGE = "A dry run: nothing was sent."


@dataclass(frozen=True)
class Plan:
    """Batches of one warehouse each, in frame order, and their rows, which are generated because there may be a million.

    Attributes:
        canary_rows: The number of rows at the front that are the canary.
    """

    submission_id: str
    batches: tuple[Batch, ...]
    canary_rows: int
    _rows: pd.DataFrame
    _batch_numbers: np.ndarray[Any, Any]
    _row_numbers: np.ndarray[Any, Any]
    _before_at: str
    _before_position: int | None

    def rows(self) -> Iterator[Row]:
        """Make the rows, in the order of the batches."""
        texts = ["warehouse_code", "product_sku", "type", "outcome", "message", "reason", "reference", "allowed"]
        numbers = ["current_quantity", "before_quantity", "reserved", "open_quantity"]
        for start in range(0, len(self._rows), CHUNK_ROWS):
            part = self._rows.iloc[start : start + CHUNK_ROWS]
            columns: dict[str, Iterable[Any]] = {
                "submission_id": repeat(self.submission_id),
                "item": range(start, start + len(part)),
                "batch": self._batch_numbers[start : start + CHUNK_ROWS].tolist(),
                "row": self._row_numbers[start : start + CHUNK_ROWS].tolist(),
                "quantity": part["quantity"].tolist(),
                "before_at": repeat(self._before_at),
                "before_position": repeat(self._before_position),
                "exposed": repeat(0),
                **{name: _texts(part[name]) for name in texts},
                **{name: _ints(part[name]) for name in numbers},
            }
            yield from map(Row, *(columns.get(name, repeat(None)) for name in Row.__struct_fields__))


def plan_batches(
    submission_id: str,
    updates: pd.DataFrame,
    *,
    batch_size: int,
    canary: int,
    before_at: str,
    before_position: int | None = None,
    dry_run: bool = False,
) -> Plan:
    """Split a frame into batches of one warehouse each, in frame order.

    Args:
        submission_id: The submission's id.
        updates: `warehouse_code product_sku type quantity current_quantity before_quantity`, optionally `outcome` (of
            `INITIAL_OUTCOMES`), `message`, `reason`, `reference`, `reserved`, `allowed`, `open_quantity`.
        batch_size: Maximum rows of a batch.
        canary: The number of rows to send first, in batches of their own.
        before_at: When `before_quantity` was read.
        before_position: The journal's position at that time.
        dry_run: Nothing will be sent.
    """
    defaults: dict[str, Any] = {
        "outcome": "not_sent", "message": None, "reason": None, "reference": None, "reserved": None, "allowed": None,
        "open_quantity": None,
    }  # fmt: skip
    updates = updates.assign(**{name: value for name, value in defaults.items() if name not in updates.columns})
    if dry_run:
        updates = updates.assign(message=updates["message"].where(updates["message"].notna(), DRY_RUN_MESSAGE))
    outcomes = pd.Categorical(updates["outcome"], categories=INITIAL_OUTCOMES).codes.astype(np.int64)
    warehouses, _ = pd.factorize(updates["warehouse_code"])
    rank = warehouses + (len(updates) + 1) * outcomes  # what is not sent comes last
    order = np.argsort(rank, kind="stable")
    rank, outcomes = rank[order], outcomes[order]
    group_start = np.flatnonzero(np.r_[True, rank[1:] != rank[:-1]]) if len(rank) else np.zeros(0, dtype=np.int64)
    canary = min(canary, int((outcomes == 0).sum()))
    starts = _starts(group_start, len(rank), batch_size, canary)
    batch_numbers = np.searchsorted(starts, np.arange(len(rank)), side="right") - 1
    row_numbers = np.arange(len(rank)) - starts[batch_numbers] if len(rank) else batch_numbers
    ordered = updates.take(order)
    ends = np.append(starts[1:], len(rank))[: len(starts)]
    places = ordered["warehouse_code"].iloc[starts].tolist()
    states = ["dry_run" if dry_run else "planned", *INITIAL_OUTCOMES[1:]]
    batches = tuple(
        Batch(submission_id, number, place, int(end - start), states[outcomes[start]])
        for number, (place, start, end) in enumerate(zip(places, starts.tolist(), ends.tolist(), strict=True))
    )
    return Plan(submission_id, batches, canary, ordered, batch_numbers, row_numbers, before_at, before_position)


def _starts(groups: np.ndarray[Any, Any], rows: int, batch_size: int, canary: int) -> np.ndarray[Any, Any]:
    """Find the first row of each batch: at each warehouse, after each full batch, and after the canary."""
    found: list[int] = []
    for start, end in pairwise([*groups.tolist(), rows]):
        cuts = [start, *([canary] if start < canary < end else []), end]
        for left, right in pairwise(cuts):
            found.extend(range(left, right, batch_size))
    return np.array(found, dtype=np.int64)


def _texts(values: pd.Series[Any]) -> list[str | None]:
    return [value if isinstance(value, str) else None for value in values.tolist()]


def _ints(values: pd.Series[Any]) -> list[int | None]:
    return [None if null else int(value) for value, null in zip(values.tolist(), values.isna().tolist(), strict=True)]


def build_order_batches(
    submission_id: str, parts: Iterable[tuple[str, Sequence[tuple[str | None, str, str | None]]]]
) -> tuple[list[Batch], list[Row]]:
    """Build batches and rows of orders.

    Each part is what the rows of a batch share, and its orders: channel id, order number, body as JSON.
    """
    batches: list[Batch] = []
    rows: list[Row] = []
    for number, (place, orders) in enumerate(parts):
        first = len(rows)
        batches.append(Batch(submission_id, number, place, len(orders)))
        rows += [
            Row(submission_id, first + i, number, i, channel_id=channel_id, order_no=order_no, payload=payload)
            for i, (channel_id, order_no, payload) in enumerate(orders)
        ]
    return batches, rows


def check_whole_number(name: str, value: object, least: int) -> None:
    """Check that an argument is a whole number and large enough.

    Raises:
        InvalidRequestError: It isn't.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidRequestError(f"{name}={value!r} must be a whole number of {least} or more.")
