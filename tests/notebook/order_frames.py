"""Frames of orders as tests of the explorer need them: few columns, any text."""

from __future__ import annotations

from typing import Any

import pandas as pd

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
