"""Small frames for charts, made up, so that a picture depends on nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from cenports_nb.submissions.tracking.snapshot import BatchView, Snapshot

AT = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)
NAUGHTY = [
    "$x$",
    "$x_1$ costs $5_",
    "日本の 🍣",
    "a\nb\x00c",
    "<img src=x onerror=alert(1)>",
    "م" * 300,
    "\\frac{1}{0}",
    "%_&#{",
]


def orders(start: str, *counts: int) -> pd.DataFrame:
    """Make so many orders on each day, from a day on, at noon."""
    days = np.repeat(pd.date_range(start, periods=len(counts), tz="UTC") + pd.Timedelta(hours=12), counts)
    return pd.DataFrame(
        {
            "order_no": pd.Series([f"{number:04}" for number in range(len(days))], dtype="str"),
            "channel_id": pd.Series(["EU"] * len(days), dtype="str"),
            "order_date": pd.Series(days).astype("datetime64[us, UTC]"),
            "grand_total": np.full(len(days), 10.25),
            "customer_name": pd.Series(["Jane Doe"] * len(days), dtype="str"),
        }
    )


def lines(start: str, *units: int) -> pd.DataFrame:
    """Make an order of one line on each day, of so many units."""
    made = orders(start, *[1] * len(units))
    return made.assign(line_item=1, product_sku="0012", quantity=units, price=2.5, status="shipped")


def stock(*rows: tuple[str, int, int, int], warehouse: str = "W1") -> pd.DataFrame:
    """Make a comparison of stock: SKU, actual, available and open units."""
    frame = pd.DataFrame(rows, columns=["product_sku", "actual", "available", "open_quantity"])
    return frame.assign(warehouse_code=warehouse, product_name="Name of " + frame["product_sku"])


def cover(*rows: tuple[str, int | None, int]) -> pd.DataFrame:
    """Make stock cover of 28 days: SKU, available units, sold units."""
    frame = pd.DataFrame(rows, columns=["product_sku", "available", "sold"]).astype({"available": "Int64"})
    available = frame["available"].astype("float64").clip(lower=0)
    return frame.assign(
        warehouse_code="W1",
        product_name="Name of " + frame["product_sku"],
        daily=frame["sold"] / 28,
        cover_days=(available * 28 / frame["sold"].where(frame["sold"] > 0)),
    )


def ages(*rows: tuple[int, bool | None, bool]) -> pd.DataFrame:
    """Make ages of orders: working days, acknowledged, unshipped."""
    frame = pd.DataFrame(rows, columns=["age_business_days", "acknowledged", "unshipped"])
    return frame.assign(
        order_no=[f"{number:04}" for number in range(len(frame))],
        acknowledged=frame["acknowledged"].astype("boolean"),
        unshipped=frame["unshipped"].astype("bool"),
        bucket=pd.cut(
            frame["age_business_days"].astype("int64"),
            [-np.inf, 1, 2, 5, np.inf], right=False, labels=["0", "1", "2-4", "5+"],
        ),
    )  # fmt: skip


def snapshot(*batches: tuple[str, dict[str, int]], name: str = "s-1") -> Snapshot:
    """Make a submission: the place and the outcomes of each batch."""
    views = [
        BatchView(number, place, sum(outcomes.values()), "COMPLETED", "h", AT, AT, outcomes, ())
        for number, (place, outcomes) in enumerate(batches)
    ]
    return Snapshot(name, AT, tuple(views), settled=True)
