"""What a person decided of a plan: which rows go, why the others do not, which objections are accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.notebook.grid.row_selection import Mask, mask_of, ranges_of
from cenports_nb.notebook.review.review_table import Sheet
from cenports_nb.stock.guards.registry import GUARDS

MOST_LETTERS = 500
"""Of a reason."""


@dataclass(frozen=True)
class Decision:
    """One decision; what is tried and sent is always all of one.

    Attributes:
        ranges: The rows that are ticked.
        accepted: Guards that doubt the whole plan and are accepted by name.
        reasons: Why rows are left out, by their position.
    """

    ranges: tuple[int, ...]
    accepted: tuple[str, ...] = ()
    reasons: Mapping[int, str] = field(default_factory=dict, compare=False)
    """Not compared: another reason sends the same rows."""

    def ticked(self, rows: int) -> Mask:
        """Which of so many rows are ticked."""
        mask = mask_of(self.ranges, rows)
        assert mask is not None  # noqa: S101 - it was read with this very number of rows
        return mask


@dataclass(frozen=True)
class Total:
    """What the ticked rows of a warehouse do: rows, units more, units less, and rows left out."""

    warehouse_code: str
    rows: int
    more: int
    less: int
    left_out: int


def decision_of(content: Mapping[str, Any], rows: int, known: Sequence[str]) -> Decision | None:
    """Read a decision as the page sends it; None if it makes no sense.

    Args:
        content: `ticked`, `accepted`, and `reasons` as pairs of text and ranges.
        rows: Of the plan.
        known: Guards that can be accepted.
    """
    ranges, accepted = content.get("ticked"), content.get("accepted")
    if not isinstance(ranges, list) or mask_of(ranges, rows) is None or not isinstance(accepted, list):
        return None
    reasons = reasons_of(content.get("reasons"), rows)
    if reasons is None or any(name not in known for name in accepted):
        return None
    return Decision(tuple(ranges), tuple(sorted(set(accepted))), reasons)


def reasons_of(pairs: Any, rows: int) -> dict[int, str] | None:
    """Read reasons as pairs of text and ranges; None if they are no such thing."""
    if not isinstance(pairs, list):
        return None
    found: dict[int, str] = {}
    for pair in pairs:
        if (
            not isinstance(pair, list)
            or len(pair) != 2
            or not isinstance(pair[0], str)
            or not isinstance(pair[1], list)
        ):
            return None
        mask = mask_of(pair[1], rows)
        if mask is None:
            return None
        found |= dict.fromkeys(mask.nonzero()[0].tolist(), pair[0].strip()[:MOST_LETTERS])
    return found


def pairs_of(reasons: Mapping[int, str], rows: int) -> list[list[Any]]:
    """Write reasons as pairs of text and ranges."""
    by_text: dict[str, list[int]] = {}
    for row, text in reasons.items():
        by_text.setdefault(text, []).append(row)
    pairs = []
    for text, places in by_text.items():
        mask = np.zeros(rows, dtype=bool)
        mask[places] = True
        pairs.append([text, ranges_of(mask)])
    return pairs


def first_of(sheet: Sheet) -> Decision:
    """Begin with every row that no guard objects to; the others a person ticks knowingly."""
    doubted = sheet.doubted
    reasons = {row: f"a guard objects: {sheet.frame['guard'].iloc[row]}" for row in doubted.nonzero()[0].tolist()}
    return Decision(tuple(ranges_of(~doubted)), (), reasons)


def untick(decision: Decision, mask: Mask, why: str) -> Decision:
    """Leave further rows out."""
    ticked = decision.ticked(len(mask))
    reasons = {**decision.reasons, **dict.fromkeys((mask & ticked).nonzero()[0].tolist(), why)}
    return Decision(tuple(ranges_of(ticked & ~mask)), decision.accepted, reasons)


def left_out_of(sheet: Sheet, decision: Decision, usual: str) -> pd.DataFrame:
    """List the rows that are left out, with why: `warehouse_code product_sku reason`."""
    left = ~decision.ticked(len(sheet.frame))
    reasons = [decision.reasons.get(row) or usual for row in left.nonzero()[0].tolist()]
    return sheet.frame.loc[left, STOCK_KEYS].assign(reason=pd.Series(reasons, dtype="str").to_numpy())


def accepted_of(sheet: Sheet, decision: Decision) -> pd.DataFrame:
    """List the objections that are accepted: those to rows that are ticked all the same, and those accepted by name."""
    ticked = sheet.frame[decision.ticked(len(sheet.frame))]
    of_rows = sheet.of_rows[sheet.of_rows["guard"].isin(list(GUARDS))]
    going = pd.MultiIndex.from_frame(of_rows[STOCK_KEYS]).isin(pd.MultiIndex.from_frame(ticked[STOCK_KEYS]))
    of_all = sheet.of_all
    return pd.concat([of_rows[going], of_all[of_all["guard"].isin(decision.accepted)]], ignore_index=True)


def totals_of(sheet: Sheet, decision: Decision) -> list[Total]:
    """Add up what the ticked rows do, by warehouse."""
    change = sheet.frame["change"].fillna(0).astype("int64")
    on = pd.Series(decision.ticked(len(change)), index=change.index)
    sums = pd.DataFrame(
        {
            "warehouse_code": sheet.frame["warehouse_code"],
            "rows": on.astype("int64"),
            "more": change.clip(lower=0).where(on, 0),
            "less": (-change.clip(upper=0)).where(on, 0),
            "left_out": (~on).astype("int64"),
        }
    )
    found = sums.groupby("warehouse_code", sort=False).sum()
    return [Total(str(code), *map(int, values)) for code, values in zip(found.index, found.to_numpy(), strict=True)]
