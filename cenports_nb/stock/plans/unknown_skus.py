"""Unknown SKUs of a count: those that a person settled, and which uncounted SKU each of the others may be."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys, index_rows
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.rendering.surface import name_argument
from cenports_nb.stock.plans.metadata import UnsettledSkus
from cenports_nb.stock.plans.sku_folding import fold_loosely
from cenports_nb.stock.plans.sku_suggestions import suggest_skus

NEW = "new"
"""Settles an unknown SKU as one that the warehouse did not have before."""
UNCOUNTED_WORDS = " was not counted and would be set to "
"""The start of a held row's message, before its quantity; it is parsed when the row is submitted again."""
MAX_NAMED_SKUS = 10
"""Unknown SKUs that a message names for a warehouse; it counts the others."""
MAX_COMPARED_SKUS = 400
"""Uncounted SKUs that an unknown one is compared with: those that begin or end most like it."""


@dataclass(frozen=True)
class SettledCount:
    """A count whose unknown SKUs were settled as far as possible.

    Attributes:
        counted: The count, with settled SKUs replaced.
        is_new: Which rows are settled as new.
        remembered: The settlements of earlier counts that were applied.
    """

    counted: pd.DataFrame
    is_new: Mask
    remembered: dict[str, str]


def check_settlements(unknown: Mapping[str, str] | None) -> dict[str, str]:
    """Check the type of `unknown=`.

    Raises:
        InvalidRequestError: It isn't a mapping of text to text.
    """
    if unknown is None:
        return {}
    if not isinstance(unknown, Mapping) or not all(
        isinstance(text, str) and text for pair in unknown.items() for text in pair
    ):
        raise InvalidRequestError(
            f'unknown={unknown!r} must say what each unknown SKU is, such as {{"NEW-1": "new", "ab100": "AB-100"}}.'
        )
    return dict(unknown)


def settle_unknown_skus(
    counted: pd.DataFrame, now: pd.DataFrame, given: Mapping[str, str], remembered: Mapping[str, str]
) -> SettledCount:
    """Settle the unknown SKUs of a count, in each warehouse that lacks them.

    Args:
        counted: `warehouse_code product_sku`, each key once.
        now: Actual stock, `warehouse_code product_sku`.
        given: What a person says each SKU of this count is: "new", or another SKU.
        remembered: What was said of earlier counts, applied if possible and not given otherwise.

    Raises:
        InvalidRequestError: The count lacks a given SKU, or the warehouse has it; or its target is not in the
            warehouse or was counted too.
    """
    is_new = np.zeros(len(counted), dtype=bool)
    if not given and not remembered:
        return SettledCount(counted, is_new, {})
    encoded = encode_keys(*([frame[name] for name in STOCK_KEYS] for frame in (counted, now)))
    is_unknown = index_rows(encoded.rows[1], encoded.size)[encoded.rows[0]] < 0
    settled = {**remembered, **given}
    rows = np.flatnonzero(counted["product_sku"].isin(list(settled)).to_numpy())
    _refuse_absent(given, counted["product_sku"].iloc[rows], is_unknown[rows])
    targets = list(settled.values())
    stocked, taken = (_select_keys(frame, targets) for frame in (now, counted))
    skus, applied = counted["product_sku"].tolist() if len(rows) else [], dict[str, str]()
    for row in rows[is_unknown[rows]].tolist():
        sku, code = skus[row], str(counted["warehouse_code"].iloc[row])
        target = settled[sku]
        key = code, target
        if target == NEW:
            is_new[row] = True
        elif key not in stocked or key in taken:
            if sku in given:
                raise InvalidRequestError(_explain_refusal(sku, target, code, is_stocked=key in stocked))
            continue
        else:
            skus[row] = target
            taken.add(key)
        if sku not in given:
            applied[sku] = target
    if len(rows):
        counted = counted.assign(product_sku=pd.array(skus, dtype="str"))
    return SettledCount(counted, is_new, applied)


def _refuse_absent(given: Mapping[str, str], skus: pd.Series[Any], is_unknown: Mask) -> None:
    """Refuse settlements of SKUs that need none."""
    counted, unknown = set(skus), set(skus[is_unknown])
    for sku in given:
        if sku not in counted:
            raise InvalidRequestError(
                f"{name_argument('unknown')} settles {sku!r}, which the count does not have: leave it out."
            )
        if sku not in unknown:
            raise InvalidRequestError(
                f"{name_argument('unknown')} settles {sku!r}, which its warehouse has: leave it out."
            )


def _select_keys(frame: pd.DataFrame, skus: list[str]) -> set[tuple[str, str]]:
    found = frame.loc[frame["product_sku"].isin(skus), STOCK_KEYS]
    return set(zip(*(found[name].tolist() for name in STOCK_KEYS), strict=True))


def _explain_refusal(sku: str, target: str, code: str, *, is_stocked: bool) -> str:
    what = (
        f"was counted in warehouse {code!r} too: add their quantities up in the count"
        if is_stocked
        else f'is not in warehouse {code!r}: name a SKU that it has, or settle {sku!r} as "new"'
    )
    return f"{name_argument('unknown')} says that {sku!r} is {target!r}, which {what}."


def find_unsettled(
    counted: pd.DataFrame, is_unsettled: Mask, now: pd.DataFrame, is_counted: Mask, is_zeroed: Mask
) -> dict[str, UnsettledSkus]:
    """Find for each warehouse its unsettled SKUs, and what was set to 0 beside them.

    Args:
        counted: The count.
        is_unsettled: Which of its rows are unknown and not settled.
        now: Actual stock.
        is_counted: Which of its rows were counted.
        is_zeroed: Which of its rows are set to 0 because they were not.
    """
    unsettled, zeroed = counted[is_unsettled], now[is_zeroed]
    zeroed = zeroed[zeroed["warehouse_code"].isin(unsettled["warehouse_code"].unique())]
    if not len(zeroed):
        return {}
    found = {}
    uncounted = now[~is_counted]
    for code, zeros in zeroed.groupby("warehouse_code")["product_sku"]:
        rows = unsettled[unsettled["warehouse_code"] == code]
        closest = find_closest(rows[:MAX_NAMED_SKUS], uncounted[uncounted["warehouse_code"] == code])
        found[str(code)] = UnsettledSkus(len(rows), closest, zeros.tolist())
    return found


def find_uncounted(rows: pd.DataFrame, quantity: IntArray) -> Mask:
    """Find rows that nobody counted, in a plan or in held rows that are submitted as a count again.

    Held rows say so themselves, until somebody counts them and writes another quantity. In a plan without metadata,
    every 0 beside an unknown SKU of the same warehouse may be one.

    Args:
        rows: `warehouse_code`, and one of `is_uncounted`, `message` or `known_sku`.
        quantity: The quantity of each row.
    """
    if "is_uncounted" in rows:
        flagged: Mask = rows["is_uncounted"].to_numpy(dtype=bool, na_value=False)
        return flagged
    if "message" in rows:
        messages = rows["message"].astype("object").tolist()
        return np.array(
            [
                isinstance(message, str) and f"{UNCOUNTED_WORDS}{units}," in message
                for message, units in zip(messages, quantity.tolist(), strict=True)
            ],
            dtype=bool,
        )
    if "known_sku" in rows:
        unknown = rows["warehouse_code"][rows["known_sku"].isin([False, "False", "false", "FALSE"])]
        found: Mask = (quantity == 0) & rows["warehouse_code"].isin(unknown.unique()).to_numpy()
        return found
    return np.zeros(len(rows), dtype=bool)


def find_abandoned(uncounted: pd.DataFrame, unknown: pd.DataFrame) -> dict[str, UnsettledSkus]:
    """Find for each warehouse uncounted rows whose unknown SKUs are not in the count any more.

    Args:
        uncounted: `warehouse_code product_sku`.
        unknown: SKUs that are unknown, or were until they were settled, `warehouse_code`.
    """
    abandoned = uncounted[~uncounted["warehouse_code"].isin(unknown["warehouse_code"].unique())]
    return {
        str(code): UnsettledSkus(0, {}, skus.tolist())
        for code, skus in abandoned.groupby("warehouse_code")["product_sku"]
    }


def find_closest(unknown: pd.DataFrame, uncounted: pd.DataFrame) -> dict[str, str]:
    """Find for each unknown SKU of a warehouse the most similar uncounted SKU.

    Args:
        unknown: `warehouse_code product_sku`, of one warehouse.
        uncounted: `warehouse_code product_sku`, of the same one; not empty.
    """
    suggested = suggest_skus(unknown, np.ones(len(unknown), dtype=bool), uncounted).tolist()
    candidates, folded = uncounted["product_sku"].tolist(), fold_loosely(uncounted["product_sku"]).tolist()
    indexes = [sorted((key[::step], position) for position, key in enumerate(folded)) for step in (1, -1)]
    found = {}
    for sku, key, suggestion in zip(
        unknown["product_sku"], fold_loosely(unknown["product_sku"]), suggested, strict=True
    ):
        if isinstance(suggestion, str):
            found[sku] = suggestion
            continue
        matcher = SequenceMatcher(None, "", key, autojunk=False)
        best = (-1.0, 0)
        for position in sorted(
            {
                position
                for index, step in zip(indexes, (1, -1), strict=True)
                for position in _look_around(index, key[::step])
            }
        ):
            matcher.set_seq1(folded[position])
            if matcher.real_quick_ratio() > best[0] and matcher.quick_ratio() > best[0] and matcher.ratio() > best[0]:
                best = matcher.ratio(), position
        found[sku] = candidates[best[1]]
    return found


def _look_around(index: list[tuple[str, int]], key: str) -> list[int]:
    """Return the positions of the keys around one in a sorted list."""
    middle = bisect_left(index, (key, -1))
    first = max(middle - MAX_COMPARED_SKUS // 4, 0)
    return [position for _, position in index[first : middle + MAX_COMPARED_SKUS // 4]]
