"""What planning a correction costs, from a count file to checked updates: `python benchmarks/plan.py`.

Ten warehouses. Every tenth SKU was counted differently, so that a tenth of the stock is planned; `all rows`
plans every row. Checks have available stock of three channels and a history of 100,000 rows. Seconds are the
best of three runs in a process of its own; memory is what that grew by at the peak of a further run, so without
the frames that the step is given, and is reported on Linux only.
"""

from __future__ import annotations

import gc
import multiprocessing
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa

import cenports_nb as cn
from cenports_nb.stock.plans.update_frame import compute_fingerprint

KEYS = ["warehouse_code", "product_sku"]
SIZES = (10_000, 1_000_000)
HISTORY = 100_000
RUNS = 3


def stock(rows: int, seed: int = 1) -> pd.DataFrame:
    """Make stock of ten warehouses, ordered by its key as the loaders return it."""
    at = np.arange(rows)
    return pd.DataFrame(
        {
            "warehouse_code": pd.Series(np.char.mod("WH-%02d", at // (rows // 10))).astype("str"),
            "product_sku": pd.Series(np.char.mod("SKU-%07d", at % (rows // 10))).astype("str"),
            "quantity": np.random.default_rng(seed).integers(0, 500, rows),
            "is_discontinued": at % 50 == 0,
        }
    )


def counts(rows: int, every: int) -> pd.DataFrame:
    """Count what is there, a little less in every so many rows."""
    frame = stock(rows)[[*KEYS, "quantity"]]
    return frame.assign(quantity=np.maximum(frame["quantity"] - (frame.index % every == 0), 0))


def available(rows: int) -> pd.DataFrame:
    """Every third SKU has something reserved."""
    frame = stock(rows)
    less = frame.assign(quantity=frame["quantity"] - 3 * (frame.index % 3 == 0))
    return pd.concat([less.assign(channel_id=name) for name in ("EU", "NA", "SA")], ignore_index=True)


def history(rows: int) -> pd.DataFrame:
    """Earlier rows, a hundredth of them still open."""
    frame = stock(rows)[[*KEYS, "quantity"]].sample(HISTORY, replace=True, random_state=2, ignore_index=True)
    outcomes = np.where(np.arange(HISTORY) % 100 == 0, "pending", "applied")
    return frame.assign(
        submission_id=pd.Series(np.char.mod("S-%04d", np.arange(HISTORY) // 500)).astype("str"),
        created_at=pd.Timestamp("2026-03-01T08:00Z"),
        age_s=3_600.0,
        fingerprint="0" * 32,
        reference="COUNT-1",
        type="TRUE_UP",
        outcome=outcomes,
    )


def prepared(what: str, rows: int, folder: Path) -> Callable[[], object]:
    """Make what a step needs, and return the step."""
    if what == "read_counts":
        path = folder / "counts.csv"
        counts(rows, 10).to_csv(path, index=False)
        return lambda: cn.read_counts(path)
    if what == "read_counts, by UPC":
        path = folder / "counts.csv"
        known = stock(rows).assign(product_upc=lambda frame: frame["product_sku"].str.replace("SKU-", "00012"))
        renamed = counts(rows, 10).assign(UPC=known["product_upc"])[["warehouse_code", "UPC", "quantity"]]
        renamed.to_csv(path, index=False, sep=";", quoting=1)
        return lambda: cn.read_counts(path, by="product_upc", stock=known)
    actual, every = stock(rows), 1 if "all rows" in what else 10
    counted = counts(rows, every)
    if what.startswith("build_true_up"):
        if "unknown" in what:
            counted = counted.assign(product_sku=counted["product_sku"].str.lower())
        return lambda: cn.build_true_up(counted, actual)
    updates = cn.build_true_up(counted, actual, reference="COUNT-2")
    if what.startswith("fingerprint"):
        return lambda: compute_fingerprint(updates)
    if "unknown" in what:
        updates["product_sku"] = updates["product_sku"].str.lower()
    sale, earlier = available(rows), history(rows)
    return lambda: cn.check_updates(updates, actual, available=sale, history=earlier)


STEPS = (
    *("read_counts", "read_counts, by UPC", "build_true_up", "build_true_up, all rows"),
    *(
        "build_true_up, all rows unknown",
        "fingerprint, all rows",
        "check_updates",
        "check_updates, all rows",
        "check_updates, all rows unknown",
    ),
)


def measure_peak(step: Callable[[], object]) -> float:
    """Run a step once more and tell by how many MiB it grew at its peak; NaN where that can't be reported."""
    if not Path("/proc/self/clear_refs").exists():
        return float("nan")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = resident("VmRSS")
    step()
    return (resident("VmHWM") - before) / 1024


def resident(name: str) -> int:
    """Read a line of this process's status, KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def measure(what: str, rows: int, answers: multiprocessing.Queue[tuple[float, float, int]]) -> None:
    """Run a step alone in this process."""
    with TemporaryDirectory() as folder:
        step = prepared(what, rows, Path(folder))
        times, made = [], None
        for _ in range(RUNS):
            start = time.perf_counter()
            made = step()
            times.append(time.perf_counter() - start)
        found = len(made) if isinstance(made, pd.DataFrame) else 1
        del made
        gc.collect()
        pa.default_memory_pool().release_unused()
        grown = measure_peak(step)
    answers.put((min(times), grown, found))


def main() -> None:
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    print(f"{'':<34}{'rows':>11}{'seconds':>10}{'MiB more':>10}{'rows out':>11}")
    context = multiprocessing.get_context("spawn")
    for rows in sizes:
        for what in STEPS:
            answers = context.Queue()
            process = context.Process(target=measure, args=(what, rows, answers))
            process.start()
            seconds, grown, found = answers.get()
            process.join()
            print(f"{what:<34}{rows:>11,}{seconds:>10.3f}{grown:>10.0f}{found:>11,}", flush=True)


if __name__ == "__main__":
    main()
