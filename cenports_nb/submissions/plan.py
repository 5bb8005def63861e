"""An update frame as batches and rows of the journal: decided here, carried out elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.submissions.journal.models import Batch, Row

CHUNK = 20_000
DRY = "A dry run: nothing was sent."


@dataclass(frozen=True)
class Plan:
    """Batches of one warehouse each, in frame order, and their rows; a million of them are made as they are taken.

    Attributes:
        canary: How many batches at the front are the canary.
    """

    submission_id: str
    batches: tuple[Batch, ...]
    canary: int
    _sorted: pd.DataFrame
    _batch_of: np.ndarray[Any, Any]
    _row_of: np.ndarray[Any, Any]
    _before_at: str
    _message: str | None

    def rows(self) -> Iterator[Row]:
        """Make the rows, in the order of the batches."""
        held = {batch.batch for batch in self.batches if batch.state == "held"}
        for start in range(0, len(self._sorted), CHUNK):
            part = self._sorted.iloc[start : start + CHUNK]
            numbers, places = self._batch_of[start : start + CHUNK], self._row_of[start : start + CHUNK]
            columns = [part[name].tolist() for name in ("warehouse_code", "product_sku", "type", "quantity")]
            quantities = [_ints(part[name]) for name in ("current_quantity", "before_quantity")]
            messages = [text if isinstance(text, str) else None for text in part["held"].tolist()]
            for i, (number, place, code, sku, kind, quantity, current, before, message) in enumerate(
                zip(numbers.tolist(), places.tolist(), *columns, *quantities, messages, strict=True), start
            ):
                yield Row(
                    self.submission_id, i, number, place, code, sku, kind, quantity, current, before, self._before_at,
                    outcome="held" if number in held else "not_sent", message=message or self._message,
                )  # fmt: skip


def plan(
    submission_id: str,
    updates: pd.DataFrame,
    *,
    batch_size: int,
    canary: int,
    before_at: str,
    dry_run: bool = False,
) -> Plan:
    """Cut a frame into batches of one warehouse each, in frame order.

    Args:
        submission_id: Of the submission.
        updates: `warehouse_code product_sku type quantity current_quantity before_quantity held`; `held` says why a row
            is not sent.
        batch_size: Rows of a batch at most.
        canary: So many rows go first, in batches of their own.
        before_at: When `before_quantity` was read.
        dry_run: Nothing of it is sent.
    """
    warehouses, _ = pd.factorize(updates["warehouse_code"])
    held = updates["held"].notna().to_numpy()
    rank = warehouses + (len(updates) + 1) * held  # what is held comes last
    order = np.argsort(rank, kind="stable")
    rank, held = rank[order], held[order]
    group_start = np.flatnonzero(np.r_[True, rank[1:] != rank[:-1]]) if len(rank) else np.zeros(0, dtype=np.int64)
    starts = _starts(group_start, len(rank), batch_size, min(canary, int((~held).sum())))
    batch_of = np.searchsorted(starts, np.arange(len(rank)), side="right") - 1
    row_of = np.arange(len(rank)) - starts[batch_of] if len(rank) else batch_of
    ordered = updates.take(order)
    ends = np.append(starts[1:], len(rank))[: len(starts)]
    places = ordered["warehouse_code"].iloc[starts].tolist()
    usual = "dry_run" if dry_run else "planned"
    batches = tuple(
        Batch(submission_id, number, place, int(end - start), "held" if held[start] else usual)
        for number, (place, start, end) in enumerate(zip(places, starts.tolist(), ends.tolist(), strict=True))
    )
    singing = sum(int(end) <= canary and batch.state != "held" for batch, end in zip(batches, ends, strict=True))
    return Plan(submission_id, batches, singing, ordered, batch_of, row_of, before_at, DRY if dry_run else None)


def _starts(groups: np.ndarray[Any, Any], rows: int, batch_size: int, canary: int) -> np.ndarray[Any, Any]:
    """Find the first row of each batch: of each warehouse, of each so many rows, and after the canary."""
    found: list[int] = []
    for start, end in pairwise([*groups.tolist(), rows]):
        cuts = [start, *([canary] if start < canary < end else []), end]
        for left, right in pairwise(cuts):
            found.extend(range(left, right, batch_size))
    return np.array(found, dtype=np.int64)


def _ints(values: pd.Series[Any]) -> list[int | None]:
    return [None if null else int(value) for value, null in zip(values.tolist(), values.isna().tolist(), strict=True)]
