"""The kind of a frame, by its columns and its provenance, so that an error can name a wrong or swapped frame."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.provenance import provenance


@dataclass(frozen=True)
class FrameKind:
    """A kind of frame.

    Attributes:
        name: Its name, with an article.
        columns: Columns that it has.
        absent: Columns that it doesn't have.
    """

    name: str
    columns: frozenset[str]
    absent: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, name: str, columns: str, absent: str = "") -> FrameKind:
        """Parse column names separated by blanks."""
        return cls(name, frozenset(columns.split()), frozenset(absent.split()))


OUTCOMES = FrameKind.parse("a frame of outcomes", "submission_id batch outcome")
OBJECTIONS = FrameKind.parse("a frame of objections", "guard message")
UPDATES = FrameKind.parse("an update frame", "warehouse_code product_sku type quantity known_sku")
DIFF = FrameKind.parse("a stock comparison", "warehouse_code product_sku actual available reserved")
COVER = FrameKind.parse("a stock cover frame", "product_sku sold daily cover_days")
AGES = FrameKind.parse("an order ages frame", "order_no age_hours bucket")
LINE_ITEMS = FrameKind.parse("a line items frame", "order_no line_item product_sku price")
SHIPMENT_ITEMS = FrameKind.parse("a shipment items frame", "order_no line_item tracking_number")
SHIPMENTS = FrameKind.parse("a shipments frame", "order_no ship_date tracking_number", "line_item")
ORDERS = FrameKind.parse("an orders frame", "order_no order_date grand_total", "product_sku")
AVAILABLE = FrameKind.parse("an available stock frame", "channel_id warehouse_code product_sku quantity", "order_no")
ACTUAL = FrameKind.parse("an actual stock frame", "warehouse_code product_sku quantity is_discontinued")
WAREHOUSES = FrameKind.parse("a warehouses frame", "warehouse_code street_address", "product_sku")
CHANNELS = FrameKind.parse("a channels frame", "channel_id channel_name", "order_no product_sku")
KINDS = (
    *(OUTCOMES, OBJECTIONS, UPDATES, DIFF, COVER, AGES, LINE_ITEMS, SHIPMENT_ITEMS, SHIPMENTS, ORDERS),
    *(AVAILABLE, ACTUAL, WAREHOUSES, CHANNELS),
)
"""The kinds of frame; the first one that fits is a frame's kind."""

EXPECTED: dict[str, tuple[str, frozenset[FrameKind]]] = {
    "orders": ("load_orders", frozenset({ORDERS})),
    "line_items": ("load_line_items", frozenset({LINE_ITEMS})),
    "open_items": ("load_open_items", frozenset({LINE_ITEMS})),
    "shipments": ("load_shipments", frozenset({SHIPMENTS})),
    "channels": ("load_channels", frozenset({CHANNELS})),
    "actual": ("load_actual_stock", frozenset({ACTUAL})),
    "at_count": ("load_actual_stock", frozenset({ACTUAL})),
    "stock": ("load_actual_stock", frozenset({ACTUAL})),
    "available": ("load_available_stock", frozenset({AVAILABLE, ACTUAL})),
    "counts": ("read_counts", frozenset({ACTUAL, UPDATES})),
    "changes": ("read_counts(signed=True)", frozenset({ACTUAL, UPDATES})),
    "updates": ("build_true_up or build_differential", frozenset({UPDATES})),
    "diff": ("diff_stock", frozenset({DIFF})),
    "cover": ("stock_cover", frozenset({COVER})),
    "ages": ("order_ages", frozenset({AGES})),
}
"""For each argument: the function that makes its frame, and the kinds of frame it may be made from by hand."""


def identify_frame(frame: pd.DataFrame) -> FrameKind | None:
    """Return the kind of a frame; None if it may be anything."""
    columns = set(frame.columns)
    kind = next((kind for kind in KINDS if kind.columns <= columns and not kind.absent & columns), None)
    if kind is not None and kind != ACTUAL:
        return kind
    origin = provenance(frame)
    if origin is None or origin.source != "GET /inventories" or "product_sku" not in columns:
        return kind
    return AVAILABLE if "channel_id" in origin.params else kind


def explain_wrong_kind(frame: pd.DataFrame, what: str) -> str:
    """Describe a frame of the wrong kind for an argument; empty if it may be right."""
    found, (function, kinds) = identify_frame(frame), EXPECTED.get(what, ("", frozenset()))
    return f"this is {found.name}: use {function}" if function and found is not None and found not in kinds else ""


def refuse_swapped(**frames: pd.DataFrame | None) -> None:
    """Refuse two frames that were swapped.

    Args:
        **frames: Frames by the name of their argument.

    Raises:
        InvalidRequestError: They were swapped.
    """
    kinds = {name: identify_frame(frame) for name, frame in frames.items() if isinstance(frame, pd.DataFrame)}
    for one, kind in kinds.items():
        for other, other_kind in kinds.items():
            if (
                kind is not None
                and kind not in EXPECTED[one][1]
                and kind in EXPECTED[other][1]
                and (other_kind is None or other_kind in EXPECTED[one][1])
            ):
                raise InvalidRequestError(f"{one} and {other} are swapped: {one} is {kind.name}.")


def refuse_swapped_stock(what: str, frame: pd.DataFrame, actual: pd.DataFrame | None) -> None:
    """Refuse counts or changes that are the stock itself, if the other frame is not.

    Raises:
        InvalidRequestError: They were swapped.
    """
    if isinstance(frame, pd.DataFrame) and isinstance(actual, pd.DataFrame):
        kind = identify_frame(frame)
        if kind == ACTUAL and identify_frame(actual) is None and provenance(actual) is None:
            raise InvalidRequestError(f"{what} and actual are swapped: {what} is {kind.name}.")
