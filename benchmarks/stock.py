"""What comparing and planning stock costs beside a bare merge: `python benchmarks/stock.py`.

The bare merge is `pd.merge(how="outer")` of the same two frames on warehouse and SKU. Everything that
`diff_stock` and `build_true_up` do besides (checks of dtypes, nulls and doubled keys, channels, order) is
inside their time. Medians of runs that take turns in one process; bars: 2 and 2.5 times the merge.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

import cenports_nb as cn

KEYS = ["warehouse_code", "product_sku"]
SIZES = (100_000, 1_000_000)
RUNS = 7
BARS = {"diff_stock": 2.0, "build_true_up": 2.5}


@dataclass(frozen=True)
class Case:
    """Two frames: stock on the shelf and stock for sale."""

    name: str
    actual: pd.DataFrame
    available: pd.DataFrame


def stock(rows: int, seed: int, *, full: bool, one_warehouse_a_sku: bool = False) -> pd.DataFrame:
    """Make stock of ten warehouses, ordered by its key as the loaders return it."""
    generator = np.random.default_rng(seed)
    at = np.arange(rows)
    warehouse, sku = (at % 10, at) if one_warehouse_a_sku else (at // (rows // 10), at % (rows // 10))
    frame = pd.DataFrame(
        {
            "warehouse_code": pd.Series(np.char.mod("WH-%02d", warehouse)).astype("str"),
            "product_sku": pd.Series(np.char.mod("SKU-%07d", sku)).astype("str"),
            "quantity": generator.integers(0, 500, rows),
        }
    ).sort_values(KEYS, ignore_index=True)
    if full:
        texts = ("retailer_sku", "product_upc", "product_name", "product_extras", "warehouse_name")
        frame = frame.assign(**{name: name + " of " + frame["product_sku"] for name in texts})
        frame = frame.assign(is_discontinued=False, next_available_quantity=pd.array([None] * rows, dtype="Int64"))
        frame["next_availability_date"] = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us]")
        frame = frame[list(cn.schemas.ActualStock.to_schema().columns)]
    return frame


def cases(rows: int) -> list[Case]:
    """Frames as loaded, shuffled, with other SKUs on each side, minimal, and of three channels."""
    minimal, other = stock(rows, 1, full=False), stock(rows, 2, full=False)
    full, full_other = stock(rows, 1, full=True), stock(rows, 2, full=True)
    mixed, mixed_other = (frame.sample(frac=1, random_state=seed) for seed, frame in ((3, minimal), (4, other)))
    apart, apart_other = (stock(rows, seed, full=False, one_warehouse_a_sku=True) for seed in (1, 2))
    third = max(rows // 3, 1)
    channels = pd.concat([full_other.assign(channel_id=name) for name in ("EU", "NA", "SA")], ignore_index=True)
    return [
        Case("as loaded, all columns", full, full_other),
        Case("as loaded, minimal columns", minimal, other),
        Case("shuffled, minimal columns", mixed, mixed_other),
        Case("shuffled, all columns", full.sample(frac=1, random_state=3), full_other.sample(frac=1, random_state=4)),
        Case("a third on one side only", mixed[: rows - third], mixed_other[third:]),
        Case(
            "each SKU in one warehouse",
            apart.sample(frac=1, random_state=3),
            apart_other.sample(frac=1, random_state=4),
        ),
        Case("three channels, all columns", full, channels),
    ]


def counted(case: Case) -> pd.DataFrame:
    """Count what is there, and find every tenth SKU different."""
    counts = case.actual[[*KEYS, "quantity"]].reset_index(drop=True)
    return counts.assign(quantity=counts["quantity"] + (counts.index % 10 == 0))


def medians(*calls: Callable[[], object]) -> list[float]:
    """Let calls take turns, so that the machine's mood falls on all of them; milliseconds."""
    times: list[list[float]] = [[] for _ in calls]
    for run in range(RUNS + 1):
        for place, call in enumerate(calls):
            start = time.perf_counter()
            call()
            if run:  # the first one warms up
                times[place].append((time.perf_counter() - start) * 1000)
    return [statistics.median(taken) for taken in times]


def growth(before: dict[tuple[str, str], tuple[int, float]], case: str, name: str, rows: int, took: float) -> str:
    """Compare the time a row with that of the size before, and remember this one."""
    smaller = before.get((case, name))
    before[case, name] = (rows, took)
    return f"{took / smaller[1] / (rows / smaller[0]):.2f}" if smaller else "-"


def main() -> None:
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    print(f"{'milliseconds, medians of ' + str(RUNS):<30}{'rows':>11}{'merge':>8}{'growth':>7}", end="")
    print("".join(f"{name:>16}{'ratio':>7}{'growth':>8}" for name in BARS))
    before: dict[tuple[str, str], tuple[int, float]] = {}
    for rows in sizes:
        for case in cases(rows):
            counts = counted(case)

            def merge(case: Case = case) -> object:
                return pd.merge(case.actual, case.available, on=KEYS, how="outer")

            def diff(case: Case = case) -> object:
                return cn.diff_stock(case.actual, case.available)

            def plan(case: Case = case, counts: pd.DataFrame = counts) -> object:
                return cn.build_true_up(counts, case.actual)

            bare, *ours = medians(merge, diff, plan)
            line = f"{case.name:<30}{rows:>11,}{bare:>8.1f}{growth(before, case.name, 'merge', rows, bare):>7}"
            for (name, bar), took in zip(BARS.items(), ours, strict=True):
                mark = "!" if took / bare > bar else " "
                line += f"{took:>16.1f}{took / bare:>6.2f}{mark}{growth(before, case.name, name, rows, took):>8}"
            print(line, flush=True)
    print("! above its bar. Growth: time a row, compared with the size before; 1.00 is linear.")


if __name__ == "__main__":
    main()
