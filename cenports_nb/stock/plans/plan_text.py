"""A plan as text: the largest changes, the objections of guards, totals by warehouse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.rendering.text import format_count
from cenports_nb.rendering.text_table import format_table

MAX_ROWS = 30
"""Maximum rows with the largest changes; as many again if guards object to smaller ones."""


def build_plan_table(updates: pd.DataFrame, now: str = "current_quantity") -> pd.DataFrame:
    """Show what an update frame does to the stock in column `now`: `warehouse_code product_sku now new change`."""
    before, quantity = updates[now].astype("Int64"), updates["quantity"].astype("Int64")
    moves = (updates["type"] == "DIFFERENTIAL").to_numpy()
    return updates[STOCK_KEYS].assign(
        now=before, new=quantity.mask(moves, before + quantity), change=(quantity - before).mask(moves, quantity)
    )


def format_plan(plan: pd.DataFrame, objections: pd.DataFrame) -> str:
    """Format a plan: rows by size of change with their objections, totals, then general objections.

    Args:
        plan: From `build_plan_table`.
        objections: `warehouse_code product_sku message`; null keys stand for a warehouse or the whole plan.
    """
    messages = objections[objections["product_sku"].notna()].groupby(STOCK_KEYS, sort=False)["message"]
    rows = plan.merge(messages.agg("; ".join).rename("objection").reset_index(), on=STOCK_KEYS, how="left")
    # An unknown SKU starts at 0.
    size = rows["change"].fillna(rows["new"]).abs()
    rows = rows.loc[size.sort_values(ascending=False, kind="stable").index]
    objected = rows["objection"].notna()
    shown = rows[(np.arange(len(rows)) < MAX_ROWS) | objected & (objected.cumsum() <= MAX_ROWS)]
    if not objected.any():
        shown = shown.drop(columns="objection")
    lines = [format_table(shown.rename(columns={"warehouse_code": "warehouse", "product_sku": "SKU"}), signed="change")]
    hidden = len(rows) - len(shown)
    if hidden:
        more = int(objected.sum() - objected[shown.index].sum())
        lines.append(f"… and {hidden:,} more rows{f', {more:,} of them with objections' if more else ''}")
    lines += ["", *_format_totals(plan)]
    lines += [f"Objection to {message}" for message in objections.loc[objections["product_sku"].isna(), "message"]]
    return "\n".join(lines)


def _format_totals(plan: pd.DataFrame) -> list[str]:
    change = plan["change"].fillna(plan["new"]).fillna(0)
    return [
        f"{code}: {format_count(rows, 'row')}, {format_count(more, 'unit')} up, {format_count(less, 'unit')} down"
        for code, rows, more, less in sum_by_warehouse(plan["warehouse_code"], change).itertuples(name=None)
    ]


def sum_by_warehouse(codes: pd.Series[Any], change: pd.Series[Any]) -> pd.DataFrame:
    """Sum changes by warehouse, in the order of their rows: `rows more less`."""
    units = change.astype("int64")
    sums = pd.DataFrame({"rows": 1, "more": units.clip(lower=0), "less": -units.clip(upper=0)})
    return sums.groupby(codes, sort=False).sum()
