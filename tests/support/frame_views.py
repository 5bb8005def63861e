"""Frames as a loader returns them, and how a notebook shows them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pandas as pd

import cenports_nb as cn
from cenports_nb.frames.provenance import Provenance, Reject, attach
from cenports_nb.notebook.frame_view.frame_view import render_frame

ORIGIN = Provenance(
    "GET /orders", {}, "sandbox", "P-1", datetime(2026, 11, 25, 10, 12, 3, tzinfo=UTC), 1, 0, complete=True, rows=830,
    rejected=0, outside=0, package_version="0",
)  # fmt: skip


def loaded(rows: int = 830, **changes: Any) -> pd.DataFrame:
    """Make orders as a loader returns them."""
    rejects = tuple(
        Reject(i, f"B{i}", "order_date", "order_date isn't a date: 'Jane Doe'", '{"customerName":"Jane Doe"}')
        for i in range(changes.get("rejected", 0))
    )
    return attach(cn.schemas.Orders.example(rows=rows), dataclasses.replace(ORIGIN, **changes), rejects)


def shown(frame: Any) -> dict[str, str]:
    bundle = render_frame(frame)
    assert bundle is not None
    return bundle
