"""Orders as a person would write them, for tests that need some."""

from __future__ import annotations

from typing import Any

import pandas as pd

ADDRESS = {
    "ship_to_address1": "1742 Sabre Street", "ship_to_city": "Hayward", "ship_to_state": "CA",
    "ship_to_country": "US", "ship_to_postal_code": "02139",
}  # fmt: skip


def order(order_no: str = "A1", **changes: Any) -> dict[str, Any]:
    return {
        "order_no": order_no, "order_date": "2026-03-01", "customer_name": "Ana Trujillo", **ADDRESS,
        "carrier_code": "UPS", "service_level": "Ground", "grand_total": 55.0, **changes,
    }  # fmt: skip


def line(order_no: str = "A1", **changes: Any) -> dict[str, Any]:
    return {"order_no": order_no, "product_sku": "0001", "quantity": 1, "price": 55.0, **changes}


def orders(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(rows) or [order()])


def lines(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(rows) or [line()])
