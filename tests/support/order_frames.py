"""Frames of orders as tests of the explorer need them, few columns and any text; and what is made of them."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from cenports_nb.notebook.explorer.order_detail import story_of
from cenports_nb.notebook.explorer.order_index import OrderBook
from cenports_nb.notebook.explorer.order_table import names_of_channels, table_of
from cenports_nb.notebook.explorer.search_index import terms_of
from cenports_nb.notebook.grid.widget import Part

NAUGHTY = "<img src=x onerror=document.title='ran'>"
CLOSING = "</script><script>document.title='ran'</script>"

Row = dict[str, Any]


def orders_of(*rows: Row) -> pd.DataFrame:
    """Make orders; what a row does not say is as in `schemas.Orders.example()`, or left out."""
    full: list[Row] = [{"channel_id": "SHOP", "order_date": "2026-03-01T09:30Z", **row} for row in rows]
    frame = pd.DataFrame(full)
    frame["order_date"] = pd.to_datetime(frame["order_date"], utc=True).astype("datetime64[us, UTC]")
    return frame


def lines_of(*rows: Row) -> pd.DataFrame:
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

NO_LINES = lines_of({"order_no": "none", "product_sku": "S"})


def table(book: OrderBook, *, channels: pd.DataFrame | None = None, show_pii: bool = False) -> pd.DataFrame:
    now = pd.Timestamp("2026-03-11T12:00Z")
    return table_of(book, names_of_channels(book, channels), now, show_pii=show_pii)[0]


def told(book: OrderBook, at: int = 0, *, shown: bool = False) -> dict[str, Part]:
    return {part.title.split(" (")[0]: part for part in story_of(book, at, shown=shown)}


def found(book: OrderBook, text: str, *, show_pii: bool = False) -> list[str]:
    """Search as the page does."""
    terms = terms_of(book, show_pii=show_pii)
    texts, starts, numbers = terms.buffers()
    assert len(json.loads(texts)) == len(terms.texts)
    assert (len(starts), len(numbers)) == (4 * (len(book) + 1), 4 * len(terms.numbers))
    return [
        str(book.orders["order_no"].iloc[at])
        for at in range(len(book))
        if any(text in terms.texts[number] for number in terms.numbers[terms.starts[at] : terms.starts[at + 1]])
    ]
