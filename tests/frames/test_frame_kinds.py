"""Test that errors name the kind of a wrong frame, and detect two swapped ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.schema.frame_kinds import EXPECTED, KINDS, identify_frame

Frames = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def frames() -> Frames:
    with cn.connect("sandbox") as client:
        days = {"last": "90D"}
        actual, available = cn.load_actual_stock(client), cn.load_available_stock(client)
        orders, lines = cn.load_orders(client, **days, with_acknowledged=True), cn.load_line_items(client, **days)
        counts = actual[["warehouse_code", "product_sku", "quantity"]].head(3).assign(quantity=1)
        counts.attrs = {}
        return {
            "actual": actual,
            "available": available,
            "orders": orders,
            "line_items": lines,
            "shipments": cn.load_shipments(client, **days),
            "shipment_items": cn.load_shipment_items(client, **days),
            "warehouses": cn.load_warehouses(client),
            "channels": cn.load_channels(client),
            "diff": cn.diff_stock(actual, available),
            "updates": cn.build_true_up(counts, actual),
            "cover": cn.stock_cover(lines, available, days=7),
            "ages": cn.order_ages(orders, lines),
            "counts": counts,
        }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("actual", "an actual stock frame"),
        ("available", "an available stock frame"),
        ("orders", "an orders frame"),
        ("line_items", "a line items frame"),
        ("shipments", "a shipments frame"),
        ("shipment_items", "a shipment items frame"),
        ("warehouses", "a warehouses frame"),
        ("channels", "a channels frame"),
        ("diff", "a stock comparison"),
        ("updates", "an update frame"),
        ("cover", "a stock cover frame"),
        ("ages", "an order ages frame"),
        ("counts", None),
    ],
)
def test_each_frame_is_known_by_its_columns(frames: Frames, name: str, kind: str | None) -> None:
    """The kind is known without provenance too, as after reading a file."""
    bare = frames[name].copy()
    bare.attrs = {}
    for frame in (frames[name], bare):
        found = identify_frame(frame)
        assert (found.name if found else None) == kind


def test_outcomes_and_objections_are_known(frames: Frames) -> None:
    """They have the key columns of stock too."""
    actual = frames["actual"]
    objections = cn.check_updates(frames["updates"].assign(product_sku=["X", "Y", "Z"]), actual)
    outcomes = cn.schemas.Outcomes.example()
    assert [identify_frame(frame).name for frame in (objections, outcomes)] == [
        "a frame of objections",
        "a frame of outcomes",
    ]


def test_available_stock_is_known_by_its_origin(frames: Frames) -> None:
    """Provenance tells it apart if its channel column was dropped."""
    assert identify_frame(frames["available"].drop(columns="channel_id")).name == "an available stock frame"


def _mixed(frames: Frames) -> dict[str, Callable[[], Any]]:
    f = frames
    return {
        "line_items lacks .*: this is an orders frame: use load_line_items": lambda: cn.summarize_sales(f["orders"]),
        "line_items lacks .*: this is a shipments frame: use load_line_items": lambda: cn.summarize_sales(
            f["shipments"]
        ),
        "orders is another frame: this is a line items frame: use load_orders": lambda: cn.order_ages(f["line_items"]),
        "shipments is another frame: this is a shipment items frame: use load_shipments": lambda: cn.match_shipments(
            f["line_items"], f["shipment_items"]
        ),
        "open_items lacks .*: this is an orders frame: use load_open_items": lambda: cn.diff_stock(
            f["actual"], f["available"], open_items=f["orders"]
        ),
        "actual is another frame: this is an available stock frame: use load_actual_stock": lambda: cn.diff_stock(
            f["available"], f["available"]
        ),
        "at_count is another frame: this is an available stock frame: use load_actual_stock": lambda: cn.build_true_up(
            f["counts"], f["actual"], at_count=f["available"]
        ),
        "diff lacks .*: this is an actual stock frame: use diff_stock": lambda: cn.summarize_stock(f["actual"]),
        "updates lacks .*: this is an actual stock frame: use build_true_up": lambda: cn.check_updates(
            f["actual"], f["actual"]
        ),
        "counts is another frame: this is an available stock frame: use read_counts": lambda: cn.build_true_up(
            f["available"], f["actual"]
        ),
        "actual and available are swapped: actual is an available stock frame": lambda: cn.diff_stock(
            f["available"], f["actual"]
        ),
        "counts and actual are swapped: counts is an actual stock frame": lambda: cn.build_true_up(
            f["actual"], f["counts"]
        ),
        "changes and actual are swapped: changes is an actual stock frame": lambda: cn.build_differential(
            f["actual"], f["counts"]
        ),
        "updates and actual are swapped: updates is an actual stock frame": lambda: cn.check_updates(
            f["actual"], f["updates"]
        ),
        "line_items and shipments are swapped": lambda: cn.match_shipments(f["shipments"], f["line_items"]),
        "line_items and orders are swapped": lambda: cn.summarize_sales(f["orders"], orders=f["line_items"]),
        "orders and line_items are swapped": lambda: cn.order_ages(f["line_items"], f["orders"]),
        "line_items and available are swapped": lambda: cn.stock_cover(f["available"], f["line_items"]),
        "orders and line_items are swapped: orders is": lambda: cn.OrderExplorer(f["line_items"], f["orders"]),
    }


@pytest.mark.parametrize("place", range(19))
def test_a_wrong_or_swapped_frame_is_called_by_its_name(frames: Frames, place: int) -> None:
    """The error names the kind, not only the missing columns."""
    words, call = list(_mixed(frames).items())[place]
    with pytest.raises(InvalidRequestError, match=words):
        call()


def test_the_cases_are_all_tried(frames: Frames) -> None:
    """The parametrized range covers the whole list."""
    assert len(_mixed(frames)) == 19


def test_a_frame_that_fits_is_not_refused(frames: Frames) -> None:
    """Edited stock may be a count, or a channel's stock."""
    actual = frames["actual"]
    assert len(cn.build_true_up(actual.assign(quantity=actual["quantity"] + 1), actual)) == len(actual)
    assert len(cn.diff_stock(actual, actual.assign(channel_id="EU"))) == len(actual)
    assert len(cn.build_differential(actual.head(2).assign(quantity=1), actual)) == 2


def test_every_kind_has_its_own_name() -> None:
    """Every expected kind has a name too."""
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert all(kinds <= set(KINDS) for _, kinds in EXPECTED.values())
