"""A person's decision about a plan: which rows are sent, why others are not, and which objections are accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.notebook.grid.widget import RowMask, decode_ranges, encode_ranges
from cenports_nb.notebook.review.review_table import ReviewTable
from cenports_nb.stock.guards.registry import GUARDS

REASON_MAX_LENGTH = 500


@dataclass(frozen=True)
class Decision:
    """One decision; a dry run and the sending use exactly one.

    Attributes:
        selection: The selected rows, as ranges.
        accepted: Guards that object to the whole plan and are accepted by name.
        reasons: Why rows are left out, by their position.
    """

    selection: tuple[int, ...]
    accepted: tuple[str, ...] = ()
    reasons: Mapping[int, str] = field(default_factory=dict, compare=False)
    """Not compared: a change of reasons does not change what is sent."""

    def selected(self, rows: int) -> RowMask:
        """Return a mask of the selected rows."""
        mask = decode_ranges(self.selection, rows)
        assert mask is not None  # noqa: S101 - it was read with this very number of rows
        return mask


class _Message(msgspec.Struct):
    selection: list[int]
    accepted: list[str]
    reasons: list[tuple[str, list[int]]]


def parse_decision(content: Mapping[str, Any], rows: int, acceptable_guards: Sequence[str]) -> Decision | None:
    """Parse a decision that the page sent; None if it is invalid.

    Args:
        content: `selection`, `accepted`, and `reasons` as pairs of text and ranges.
        rows: The number of rows of the plan.
        acceptable_guards: The guards that can be accepted.
    """
    try:
        message = msgspec.convert(content, _Message)
    except msgspec.ValidationError:
        return None
    reasons = parse_reasons(message.reasons, rows)
    if (
        decode_ranges(message.selection, rows) is None
        or reasons is None
        or set(message.accepted) - set(acceptable_guards)
    ):
        return None
    return Decision(tuple(message.selection), tuple(sorted(set(message.accepted))), reasons)


def parse_reasons(pairs: Sequence[tuple[str, list[int]]], rows: int) -> dict[int, str] | None:
    """Parse pairs of text and ranges; None if ranges are invalid."""
    reasons: dict[int, str] = {}
    for text, ranges in pairs:
        mask = decode_ranges(ranges, rows)
        if mask is None:
            return None
        reasons |= dict.fromkeys(mask.nonzero()[0].tolist(), text.strip()[:REASON_MAX_LENGTH])
    return reasons


def encode_reasons(reasons: Mapping[int, str], rows: int) -> list[list[Any]]:
    """Encode reasons as pairs of text and ranges."""
    by_text: dict[str, list[int]] = {}
    for row, text in reasons.items():
        by_text.setdefault(text, []).append(row)
    pairs = []
    for text, positions in by_text.items():
        mask = np.zeros(rows, dtype=bool)
        mask[positions] = True
        pairs.append([text, encode_ranges(mask)])
    return pairs


def build_initial_decision(table: ReviewTable) -> Decision:
    """Select every row that no guard objects to; a person selects the others knowingly."""
    has_objection = table.has_objection
    guards = table.frame["guard"].tolist()
    reasons = {row: f"a guard objects: {guards[row]}" for row in has_objection.nonzero()[0].tolist()}
    return Decision(tuple(encode_ranges(~has_objection)), (), reasons)


def deselect(decision: Decision, mask: RowMask, reason: str) -> Decision:
    """Deselect rows, with a reason."""
    selected_rows = decision.selected(len(mask))
    reasons = {**decision.reasons, **dict.fromkeys((mask & selected_rows).nonzero()[0].tolist(), reason)}
    return Decision(tuple(encode_ranges(selected_rows & ~mask)), decision.accepted, reasons)


def list_left_out(table: ReviewTable, decision: Decision, default_reason: str) -> pd.DataFrame:
    """List the rows that are left out and why: `warehouse_code product_sku reason`."""
    left = ~decision.selected(len(table.frame))
    reasons = [decision.reasons.get(row) or default_reason for row in left.nonzero()[0].tolist()]
    return table.frame.loc[left, STOCK_KEYS].assign(reason=pd.Series(reasons, dtype="str").to_numpy())


def list_accepted(table: ReviewTable, decision: Decision) -> pd.DataFrame:
    """List the accepted objections: those to selected rows, and those accepted by name."""
    selected_rows = table.frame[decision.selected(len(table.frame))]
    row_objections = table.row_objections[table.row_objections["guard"].isin(list(GUARDS))]
    is_selected = pd.MultiIndex.from_frame(row_objections[STOCK_KEYS]).isin(
        pd.MultiIndex.from_frame(selected_rows[STOCK_KEYS])
    )
    general_objections = table.general_objections
    return pd.concat(
        [row_objections[is_selected], general_objections[general_objections["guard"].isin(decision.accepted)]],
        ignore_index=True,
    )
