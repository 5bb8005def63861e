"""Orders read without a server: records in, both frames and their rejects out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cenports_nb.api.http.record_page import open_page
from cenports_nb.api.retrieval.decoded_page import DecodedPage
from cenports_nb.api.retrieval.results import Part, Retrieval
from cenports_nb.api.retrieval.windows import Window
from cenports_nb.frames.decoding.order_frames import DecodedOrders, select_orders
from cenports_nb.frames.decoding.order_pages import decode_orders
from cenports_nb.frames.loaders.finalize import build_frame
from cenports_nb.frames.provenance import Reject
from cenports_nb.frames.schema import schemas


@dataclass(frozen=True)
class Frames:
    """What came of some records."""

    orders: pd.DataFrame
    line_items: pd.DataFrame
    rejects: tuple[Reject, ...]
    line_rejects: tuple[Reject, ...]
    unknown_fields: frozenset[str]


def build_page(*records: Any) -> bytes:
    """Write records, or bytes that stand for one, as a page."""
    return open_page(
        "", b"[" + b",".join(r if isinstance(r, bytes) else json.dumps(r).encode() for r in records) + b"]"
    ).records


def build_frames(contents: Sequence[DecodedPage], channel_id: str | None = "X") -> Frames:
    """Make both frames of what was opened."""
    whole = Retrieval(tuple(Part(Window(channel_id=channel_id), part) for part in contents))
    found: DecodedOrders = select_orders(whole, None, "UTC")
    lines = build_frame(found.line_columns(), schemas.LineItems)
    return Frames(
        build_frame(found.order_columns(), schemas.Orders),
        lines,
        found.rejects,
        found.line_rejects,
        found.unknown_fields,
    )


def decoded(*records: Any, channel_id: str | None = "X") -> Frames:
    """Read records that came on one page."""
    return build_frames([decode_orders(channel_id, [build_page(*records)])], channel_id)
