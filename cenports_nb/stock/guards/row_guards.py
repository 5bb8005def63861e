"""Guards of single rows: each objection names a SKU and says what to do with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys, index_first_rows
from cenports_nb.frames.text_columns import decode_categories, join_text, take_text
from cenports_nb.stock.guards.context import Case, Objections
from cenports_nb.stock.guards.thresholds import percent
from cenports_nb.stock.plans.sku_suggestions import suggestions


def max_drop(case: Case) -> Objections | None:
    """A SKU loses more than a share of its stock."""
    limits = case.limits
    lost = case.now - case.target
    rows = np.flatnonzero(case.known & (case.now >= limits.max_drop_from) & (lost > limits.max_drop * case.now))
    if not len(rows):
        return None
    now, target = case.now[rows], case.target[rows]
    share = np.ceil(lost[rows] * 100 / np.maximum(now, 1)).astype(np.int64)
    limit = f"%, which is more than {percent(limits.max_drop)}: count it again, or accept max_drop"
    return case.object_to(
        rows, join_text(*_sku(case, rows), " would fall from ", now, " to ", target, ", by ", share, limit)
    )


def unknown_sku(case: Case) -> Objections | None:
    """A SKU that its warehouse does not have; it may resemble one that it has."""
    rows = np.flatnonzero(~case.known)
    if not len(rows):
        return None
    alike = suggestions(case.updates, ~case.known, case.actual).iloc[rows].reset_index(drop=True)
    sku, code = case.texts("product_sku", rows), case.texts("warehouse_code", rows)
    here = _first_of(code, case.actual["warehouse_code"]) >= 0
    elsewhere = take_text(_first_of(sku, case.actual["product_sku"]), case.actual["warehouse_code"])
    cases = [alike.notna().to_numpy(), ~here, elsewhere.notna().to_numpy()]
    told = np.select(cases, [1, 2, 3], default=0).astype(np.int8)
    before = decode_categories(told, ["", "; did you mean '", "", ", but in '"])
    hint = alike.where(told != 3, elsewhere)
    after = decode_categories(
        told,
        [
            ": correct it, or leave it out",
            "'?",
            ", which the stock does not have: translate your codes with warehouse_map=",
            "': correct the warehouse, or leave it out",
        ],
    )
    return case.object_to(rows, join_text("SKU '", sku, "' is not in warehouse '", code, "'", before, hint, after))


def discontinued(case: Case) -> Objections | None:
    """A discontinued SKU gets more stock."""
    if "is_discontinued" not in case.actual or not len(case.actual):
        return None
    gone = np.append(case.actual["is_discontinued"].to_numpy(dtype=bool), False)[case.places]
    rows = np.flatnonzero(gone & (case.target > case.now))
    if not len(rows):
        return None
    end = ": count it again, or accept discontinued if it came back"
    numbers = " is discontinued and would rise from ", case.now[rows], " to ", case.target[rows], end
    return case.object_to(rows, join_text(*_sku(case, rows), *numbers))


def below_reserved(case: Case) -> Objections | None:
    """Stock would fall below what open orders have reserved, or below 0; raising it towards that is fine."""
    reserved = np.where(case.is_available, np.maximum(case.now - case.available, 0), 0)
    rows = np.flatnonzero(case.known & (case.target < reserved) & (case.target < case.now))
    if not len(rows):
        return None
    numbers = " would fall from ", case.now[rows], " to ", case.target[rows], ", below the ", reserved[rows]
    end = ' units that open orders have reserved: basis="net_of_open" if the file is less of them, else count it again'
    return case.object_to(rows, join_text(*_sku(case, rows), *numbers, end))


def old_count(case: Case) -> Objections | None:
    """A count is older than the stock that it is compared with."""
    if "counted_at" not in case.updates:
        return None
    stock_read = case.note.compared if case.note else None
    if stock_read is None and case.origin and not (case.note and case.note.at_count):
        stock_read = case.origin.as_of
    if stock_read is None:
        return None
    counted = case.updates["counted_at"]
    age = pd.Timestamp(stock_read) - counted
    old: Mask = (age > pd.Timedelta(case.limits.old_count)).to_numpy() & case.is_true_up
    rows = np.flatnonzero(old)
    if not len(rows):
        return None
    minutes = (age.iloc[rows].dt.total_seconds() // 60).to_numpy(dtype="int64")
    end = (
        f" min before the stock was read ({pd.Timestamp(stock_read):%Y-%m-%d %H:%M}Z), which is more than "
        f"{case.limits.old_count}, so sales in between would be undone: pass the stock of then as at_count="
    )
    return case.object_to(rows, join_text(*_sku(case, rows), " was counted ", minutes, end))


def _first_of(wanted: pd.Series[Any], there: pd.Series[Any]) -> IntArray:
    """Find for each text the first row that has it, -1 where none."""
    numbered = encode_keys([wanted], [there])
    return index_first_rows(numbered.rows[1], numbered.size)[numbered.rows[0]]


def _sku(case: Case, rows: IntArray) -> tuple[str | pd.Series[Any], ...]:
    """Name the SKU of each row, and its warehouse."""
    return "SKU '", case.texts("product_sku", rows), "' in warehouse '", case.texts("warehouse_code", rows), "'"
