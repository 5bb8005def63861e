"""Frames of orders as tests of the explorer need them, few columns and any text; and what is made of them."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from cenports_nb.notebook.explorer.order_detail import build_order_details
from cenports_nb.notebook.explorer.order_index import OrderIndex
from cenports_nb.notebook.explorer.order_table import build_order_table, name_channels
from cenports_nb.notebook.explorer.search_index import build_search_index
from cenports_nb.notebook.grid.widget import DetailSection

NAUGHTY = "<img src=x onerror=document.title='ran'>"
CLOSING = "</script><script>document.title='ran'</script>"

Row = dict[str, Any]


def make_orders(*rows: Row) -> pd.DataFrame:
    """Make orders; what a row does not say is as in `schemas.Orders.example()`, or left out."""
    full: list[Row] = [{"channel_id": "SHOP", "order_date": "2026-03-01T09:30Z", **row} for row in rows]
    frame = pd.DataFrame(full)
    frame["order_date"] = pd.to_datetime(frame["order_date"], utc=True).astype("datetime64[us, UTC]")
    return frame


def make_lines(*rows: Row) -> pd.DataFrame:
    """Make line items of one unit each."""
    return pd.DataFrame([{"channel_id": "SHOP", "quantity": 1, **row} for row in rows])


def people(**changes: str) -> Row:
    """Name people and places as an order has them."""
    return {
        "customer_name": "Maria Anders",
        "contact_name": "Hanna Moos",
        "contact_email": "maria@example.com",
        "contact_phone": "555-0100",
        "ship_to_name": "Hanna Moos",
        "ship_to_address1": "7 Mill Lane",
        "ship_to_city": "Boston",
        "ship_to_postal_code": "02110",
        "retailer_msg": "Leave at the door.",
        **changes,
    }


PRIVATE = ("Maria Anders", "Hanna Moos", "maria@example.com", "555-0100", "7 Mill Lane", "02110", "Leave at the door.")

NO_LINES = make_lines({"order_no": "none", "product_sku": "S"})


def table(index: OrderIndex, *, channels: pd.DataFrame | None = None, show_pii: bool = False) -> pd.DataFrame:
    now = pd.Timestamp("2026-03-11T12:00Z")
    return build_order_table(index, name_channels(index, channels), now, show_pii=show_pii)[0]


def build_details(index: OrderIndex, at: int = 0, *, show_pii: bool = False) -> dict[str, DetailSection]:
    return {section.title.split(" (")[0]: section for section in build_order_details(index, at, show_pii=show_pii)}


def find_orders(index: OrderIndex, text: str, *, show_pii: bool = False) -> list[str]:
    """Search as the page does."""
    search_index = build_search_index(index, show_pii=show_pii)
    texts, starts, numbers = search_index.to_buffers()
    assert len(json.loads(texts)) == len(search_index.texts)
    assert (len(starts), len(numbers)) == (4 * (len(index) + 1), 4 * len(search_index.text_numbers))
    hits = [text in each for each in search_index.texts]
    return [
        str(index.orders["order_no"].iloc[at])
        for at in range(len(index))
        if any(hits[n] for n in search_index.text_numbers[search_index.starts[at] : search_index.starts[at + 1]])
    ]
