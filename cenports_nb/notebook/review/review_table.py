"""The table of a review: the rows of a plan, what each does to the stock, and what guards object to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.notebook.grid.columns import Column
from cenports_nb.notebook.grid.widget import RowMask
from cenports_nb.stock.plans.plan_text import build_plan_table
from cenports_nb.submissions.objections import is_blocking

COLUMNS = (
    Column("warehouse_code", "Warehouse", choice=True, letters=11, hide_order=5),
    Column("product_sku", "SKU"),
    Column("product_name", "Product", hide_order=2),
    Column("type", "Type", choice=True, hint="TRUE_UP sets the stock, DIFFERENTIAL moves it", hide_order=4),
    Column("now", "Now", "number", hint="Units on the shelf when this was planned", hide_order=3),
    Column("new", "New", "number", hint="Units on the shelf afterwards"),
    Column("change", "Change", "bar", hint="New less now; of an unknown SKU, new"),
    Column("guard", "Guard", hidden=True),
    Column("objection", "Objection", hidden=True),
    Column("why", "Left out because", "live", letters=20, hide_order=1),
)
"""Columns of the grid, in order; columns without values are left out. The page shows an objection below its row."""


@dataclass(frozen=True)
class ReviewTable:
    """A plan as it is shown.

    Attributes:
        updates: A copy of the plan as it was given.
        frame: One row per row of the plan, in its order, with all `COLUMNS` except `why`.
        objections: As from `check_updates`.
    """

    updates: pd.DataFrame
    frame: pd.DataFrame
    objections: pd.DataFrame

    @property
    def general_objections(self) -> pd.DataFrame:
        """Objections to a warehouse or to the whole plan."""
        return self.objections[is_blocking(self.objections)]

    @property
    def row_objections(self) -> pd.DataFrame:
        """Objections to single rows."""
        return self.objections[~is_blocking(self.objections)]

    @property
    def has_objection(self) -> RowMask:
        """A mask of the rows that a guard objects to."""
        return self.frame["guard"].notna().to_numpy(dtype=bool)

    @property
    def columns(self) -> list[Column]:
        """The columns that have values."""
        silent = {name for name in ("product_name", "guard", "objection") if self.frame[name].isna().all()}
        silent |= {"type"} if self.frame["type"].nunique() < 2 else set()
        return [column for column in COLUMNS if column.name not in silent]


def build_review_table(
    updates: pd.DataFrame, rows: pd.DataFrame, actual: pd.DataFrame, objections: pd.DataFrame
) -> ReviewTable:
    """Join a plan with its objections.

    Args:
        updates: The plan as it was given.
        rows: The validated plan.
        actual: Actual stock, for the names of products.
        objections: As from `check_updates`.
    """
    plan = build_plan_table(rows)
    plan = plan.assign(change=plan["change"].fillna(plan["new"]))
    names = actual[[*STOCK_KEYS, "product_name"]].drop_duplicates(STOCK_KEYS)
    frame = plan.merge(names, on=STOCK_KEYS, how="left").assign(type=rows["type"].to_numpy())
    return add_objections(ReviewTable(updates, frame, objections.iloc[:0]), objections)


def add_objections(table: ReviewTable, more: pd.DataFrame) -> ReviewTable:
    """Add objections beside their rows; repeated ones are kept once."""
    names = [*STOCK_KEYS, "guard"]
    objections = pd.concat([table.objections, more[[*names, "message"]]], ignore_index=True)
    objections = objections.drop_duplicates(names, keep="last", ignore_index=True)
    frame = table.frame.drop(columns=["guard", "objection"], errors="ignore")
    texts = _join_by_row(objections[~is_blocking(objections)])
    keys = zip(frame["warehouse_code"].tolist(), frame["product_sku"].tolist(), strict=True)
    pairs = [texts.get(key, (None, None)) for key in keys]
    for column, name in enumerate(("guard", "objection")):
        frame[name] = pd.Series([pair[column] for pair in pairs], index=frame.index, dtype="str")
    return ReviewTable(table.updates, frame, objections)


def _join_by_row(row_objections: pd.DataFrame) -> dict[tuple[str, str], tuple[str, str]]:
    """Join the guards and the messages of each row, by warehouse and SKU; `groupby` takes ten times as long."""
    guards: dict[tuple[str, str], str] = {}
    messages: dict[tuple[str, str], str] = {}
    columns = [row_objections[name].tolist() for name in (*STOCK_KEYS, "guard")]
    for code, sku, guard, text in zip(*columns, _format_beside(row_objections), strict=True):
        key = code, sku
        guards[key] = f"{guards[key]}, {guard}" if key in guards else guard
        messages[key] = f"{messages[key]}; {text}" if key in messages else text
    return {key: (guards[key], messages[key]) for key in guards}


def _format_beside(row_objections: pd.DataFrame) -> list[str]:
    """Format objections for their rows, which already name warehouse and SKU."""
    columns = [row_objections[name].tolist() for name in (*STOCK_KEYS, "guard", "message")]
    texts = []
    for code, sku, guard, text in zip(*columns, strict=True):
        short = text.removeprefix(f"SKU '{sku}' ").removeprefix(f"in warehouse '{code}' ")
        texts.append(f"{guard}: {short}")
    return texts


def find_rows(table: ReviewTable, keys: pd.DataFrame) -> RowMask:
    """Return a mask of the rows with these keys."""
    wanted = pd.MultiIndex.from_frame(keys[STOCK_KEYS])
    return np.asarray(pd.MultiIndex.from_frame(table.frame[STOCK_KEYS]).isin(wanted))
