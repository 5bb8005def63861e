"""A plan as text, before it is sent: the largest changes, what guards hold against them, totals by warehouse."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cenports_nb.rendering.text import format_count
from cenports_nb.rendering.text_table import format_table

KEYS = ["warehouse_code", "product_sku"]
MOST_ROWS = 30
"""Rows of the largest changes; as many again where guards object to smaller ones."""


def build_plan_table(updates: pd.DataFrame, now: str = "current_quantity") -> pd.DataFrame:
    """Write an update frame as what it does to the stock: `warehouse_code product_sku now new change`.

    Args:
        updates: `warehouse_code product_sku type quantity`, and the stock it was planned on.
        now: The column with that stock.
    """
    before, quantity = updates[now].astype("Int64"), updates["quantity"].astype("Int64")
    moves = (updates["type"] == "DIFFERENTIAL").to_numpy()
    return updates[KEYS].assign(
        now=before,
        new=quantity.mask(moves, before + quantity),
        change=(quantity - before).mask(moves, quantity),
    )


def format_plan(plan: pd.DataFrame, objections: pd.DataFrame, *, most: int = MOST_ROWS) -> str:
    """Write a plan: rows by size of change, objections beside them, then totals, then what is said of all.

    Args:
        plan: From `build_plan_table`.
        objections: `warehouse_code product_sku message`; null keys mean a warehouse or all of it.
        most: Rows that are shown.
    """
    of_rows = objections[objections["product_sku"].notna()]
    beside = of_rows.groupby(KEYS, sort=False)["message"].agg("; ".join).rename("objection").reset_index()
    told = plan.merge(beside, on=KEYS, how="left")
    # A SKU that nobody knows begins at nothing.
    told = told.assign(size=told["change"].fillna(told["new"]).abs()).sort_values(
        "size", ascending=False, kind="stable"
    )
    told = told.drop(columns="size")
    objected = told["objection"].notna()
    shown = told[_first(~objected | objected, most) | _first(objected, most)]
    if not objected.any():
        shown = shown.drop(columns="objection")
    lines = [format_table(shown.rename(columns={"warehouse_code": "warehouse", "product_sku": "SKU"}), signed="change")]
    hidden = len(told) - len(shown)
    if hidden:
        more = int(objected.sum() - objected[shown.index].sum())
        lines.append(f"… and {hidden:,} more rows{f', {more:,} of them with objections' if more else ''}")
    lines += ["", *_totals(plan)]
    of_all = objections.loc[objections["product_sku"].isna(), "message"]
    lines += [f"Objection to {message}" for message in of_all]
    return "\n".join(lines)


def _totals(plan: pd.DataFrame) -> list[str]:
    change = plan["change"].fillna(plan["new"]).fillna(0).astype("int64")
    sums = pd.DataFrame(
        {"warehouse_code": plan["warehouse_code"], "rows": 1, "up": change.clip(lower=0), "down": -change.clip(upper=0)}
    )
    found = sums.groupby("warehouse_code", sort=False).sum()
    columns = [found[name].tolist() for name in ("rows", "up", "down")]
    return [
        f"{code}: {format_count(rows, 'row')}, {format_count(up, 'unit')} up, {format_count(down, 'unit')} down"
        for code, rows, up, down in zip(found.index, *columns, strict=True)
    ]


def _first(mask: pd.Series[Any], most: int) -> pd.Series[Any]:
    return mask & (mask.cumsum() <= most)
