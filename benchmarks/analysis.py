"""What the analysis of a million lines takes: `python benchmarks/analysis.py`.

Generated lines of three channels (three an order, two years, a thousand SKUs in four warehouses), their orders
and one shipment an order. Medians of runs in one process, checks of the frames included.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

import cenports_nb as cn

SIZES = (100_000, 1_000_000)
RUNS = 5


def frames(rows: int) -> dict[str, pd.DataFrame]:
    """Make line items, their orders, shipments and stock, with the loaders' dtypes."""
    generator = np.random.default_rng(1)
    order = np.arange(rows) // 3
    many = int(order[-1]) + 1
    minute = np.sort(generator.integers(0, 730 * 24 * 60, many))
    placed = pd.Series(pd.Timestamp("2024-01-01T00:00Z") + pd.to_timedelta(minute, unit="min")).dt.as_unit("us")
    orders = pd.DataFrame(
        {
            "order_no": pd.Series(np.char.mod("%08d", np.arange(many))).astype("str"),
            "channel_id": pd.Series(np.array(["EU", "NA", "SA"])[np.arange(many) % 3]).astype("str"),
            "order_date": placed,
            "status": pd.Series(np.where(np.arange(many) % 10, "Completed", "Incompleted")).astype("str"),
            "ship_to_state": pd.Series(np.char.mod("S%02d", np.arange(many) % 50)).astype("str"),
            "grand_total": generator.integers(1, 10**6, many) / 100,
            "acknowledged": pd.array(np.arange(many) % 7 > 0, dtype="boolean"),
        }
    )
    sku = generator.integers(0, 1000, rows)
    lines = orders[["order_no", "channel_id", "order_date"]].take(order).reset_index(drop=True)
    lines = lines.assign(
        line_item=np.arange(rows) % 3 + 1,
        product_sku=pd.Series(np.char.mod("SKU-%04d", sku)).astype("str"),
        ship_from_warehouse_code=pd.Series(np.char.mod("WH-%d", sku % 4)).astype("str"),
        quantity=generator.integers(1, 20, rows),
        price=generator.integers(1, 10**5, rows) / 100,
        status=pd.Series(np.where(order % 10, "shipped", "pending")).astype("str"),
    )
    shipments = orders[["order_no", "channel_id"]].assign(
        ship_date=orders["order_date"] + pd.Timedelta(days=2), tracking_number="T" + orders["order_no"]
    )
    shipments = shipments[np.arange(many) % 10 > 0].reset_index(drop=True)
    stock = lines[["ship_from_warehouse_code", "product_sku"]].drop_duplicates(ignore_index=True)
    stock = stock.set_axis(["warehouse_code", "product_sku"], axis="columns").assign(quantity=100)
    later = lines.assign(quantity=lines["quantity"] + (np.arange(rows) % 20 == 0))
    return {"lines": lines, "orders": orders, "shipments": shipments, "stock": stock, "later": later.iloc[::-1]}


def calls(made: dict[str, pd.DataFrame]) -> dict[str, Callable[[], object]]:
    """Name what is measured."""
    lines, orders = made["lines"], made["orders"]
    zone = "America/New_York"
    return {
        "summarize_sales by day": lambda: cn.summarize_sales(lines, time_zone=zone),
        "summarize_sales by week and sku": lambda: cn.summarize_sales(lines, by=["week", "sku"], time_zone=zone),
        "summarize_sales by state": lambda: cn.summarize_sales(lines, by="state", orders=orders),
        "stock_cover of a year": lambda: cn.stock_cover(lines, made["stock"], days=365, as_of="2025-12-31"),
        "order_ages": lambda: cn.order_ages(orders, lines, now="2026-01-01T12:00Z", time_zone=zone),
        "match_shipments": lambda: cn.match_shipments(lines, made["shipments"], time_zone=zone),
        "changes, a row in 20 moved": lambda: cn.changes(lines, made["later"]),
    }


def median(call: Callable[[], object]) -> float:
    """Time a call, in milliseconds; the first run warms up."""
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times[1:])


def main() -> None:
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    taken: dict[str, list[float]] = {}
    for rows in sizes:
        for name, call in calls(frames(rows)).items():
            taken.setdefault(name, []).append(median(call))
    print(f"{'milliseconds, medians of ' + str(RUNS):<34}" + "".join(f"{rows:>14,} lines" for rows in sizes))
    for name, times in taken.items():
        print(f"{name:<34}" + "".join(f"{time_:>20.0f}" for time_ in times))


if __name__ == "__main__":
    main()
