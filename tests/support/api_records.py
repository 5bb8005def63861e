"""Strategies for records as the API sends them, with texts that are often misread, and the cells of a frame to compare."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from hypothesis import strategies as st

NAUGHTY = [
    *[
        "0012",
        "1e5",
        "1E5",
        "0x1F",
        "1_000",
        "1,000",
        "1.0",
        "-0",
        "+1",
        "9" * 30,
        "007",
        "1/2",
        "½",
        "١٢٣",
        "Infinity",
    ],
    *["NaN", "nan", "None", "null", "NULL", "Null", "true", "false", "undefined", "nil", "NA", "N/A", "#N/A", "<NA>"],
    *["NaT", "pd.NA", "inf", "2024-02-29", "1970-01-01T00:00:00Z", "00:00"],
    *[" ", "  x", "x  ", "\t", "\n", "a\nb", "a\r\nb", "a\u2028b", "a\u0085b", "\x0b", "\xa0x\xa0"],
    *["\ufeffx", "x\ufeff", "\u200b", "a\u200bb", "\u202eabc", "\u2066a\u2069", "مرحبا", "שלום", "田中さん", "Ⅷ", "ﬁ"],
    *["Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘", "é", "e\u0301", "👩‍👩‍👧‍👦", "🏳️‍🌈", "📦", "\U0010ffff", "\uffff"],
    *[
        "\x00",
        "a\x00b",
        "\x01\x1f\x7f\x9f",
        "\\",
        "\\\\",
        "\\u0041",
        "\\ud800",
        '"',
        "'",
        '"}',
        "`",
        "''",
        '\\"',
        "\\n",
    ],
    *["<script>alert(1)</script>", "'; DROP TABLE orders; --", "../../etc/passwd", "C:\\CON", "/dev/null", "%00", "%s"],
    *[
        "{{7*7}}",
        "${x}",
        "=1+1",
        "@SUM(A1)",
        "+1-1",
        "-1",
        "[]",
        "{}",
        "[1]",
        '{"a": 1}',
        "&amp;",
        "x" * 5000,
        "not JSON",
    ],
    '{"not JSON": "NaN"}',
]
TEXT = st.sampled_from(NAUGHTY) | st.text(max_size=12)
MAYBE = st.none() | st.just("") | TEXT
KEY = TEXT.filter(bool)
ASKED = KEY.filter(lambda text: text.strip() and len(text) <= 255)
"""What is sent as a parameter: 255 characters at most, and blanks alone are as good as nothing."""
PRICE = st.integers(-(10**9), 10**9).map(lambda parts: parts / 10_000)
UNITS = st.integers(-(10**5), 10**5)

ORDER_TEXTS = {
    "customer_order_no": "customerOrderNo",
    "channel": "channel",
    "customer_name": "customerName",
    "contact_name": "contactName",
    "contact_email": "contactEmail",
    "contact_phone": "contactPhone",
    "status": "status",
    **{
        f"{column}_{name}": f"{group}.{sent}"
        for column, group in (("bill_to", "billTo"), ("ship_to", "shipTo"))
        for name, sent in (
            *((same, same) for same in ("name", "address1", "address2", "city", "state", "country")),
            ("postal_code", "postalCode"),
        )
    },
    "ship_from_warehouse_code": "shipFrom.warehouseCode",
    "ship_from_warehouse_name": "shipFrom.warehouseName",
    "ship_from_location": "shipFrom.location",
    "ship_from_contact_phone": "shipFrom.contactPhone",
    "ship_from_owner": "shipFrom.owner",
    "carrier_code": "shippingInfo.carrierCode",
    "service_level": "shippingInfo.serviceLevel",
    "merchant_msg": "notes.merchantMsg",
    "retailer_msg": "notes.retailerMsg",
}
ORDER_MONEY = {
    "sub_total": "pricing.subTotal",
    "discount": "pricing.discount",
    "ship_cost": "pricing.shipCost",
    "grand_total": "pricing.grandTotal",
}
ORDER_COLUMNS = {
    "order_no": "orderNo",
    "channel_id": "channelId",
    **ORDER_TEXTS,
    **ORDER_MONEY,
    "ship_from_availability": "shipFrom.availability",
}
LINE_COLUMNS = {
    "product_sku": "productSku",
    "retailer_sku": "retailerSku",
    "product_name": "productName",
    "ship_from_warehouse_code": "shipFromWarehouseCode",
    "quantity": "quantity",
    "price": "price",
    "status": "status",
}
STOCK_COLUMNS = {
    "product_sku": "productSku",
    "retailer_sku": "retailerSku",
    "product_upc": "productUpc",
    "product_name": "productName",
}


def nested(columns: dict[str, str], values: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    """Strategies for the nested objects of some columns: missing, null, with some of their fields, or all."""
    groups: dict[str, dict[str, st.SearchStrategy[Any]]] = {}
    for path in columns.values():
        group, _, name = path.rpartition(".")
        groups.setdefault(group, {})[name] = values
    return {group: st.none() | st.fixed_dictionaries({}, optional=fields) for group, fields in groups.items() if group}


FLAT = {path: MAYBE for path in ORDER_TEXTS.values() if "." not in path}
LINE = st.fixed_dictionaries(
    {"productSku": KEY, "quantity": UNITS, "price": st.none() | PRICE},
    optional={
        **dict.fromkeys(("retailerSku", "productName", "shipFromWarehouseCode"), MAYBE),
        "status": MAYBE,
        "lineItem": st.none() | st.sampled_from(["1", "2", "3", "x", "0"]),
    },
)
ORDER = st.fixed_dictionaries(
    {
        "orderNo": KEY,
        "channelId": ASKED,
        "orderDate": st.integers(0, 60 * 86_400).map(
            lambda seconds: (datetime(2024, 2, 1, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat()
        ),
        "lineItems": st.lists(LINE, min_size=1, max_size=4),
    },
    optional={**FLAT, **nested(ORDER_TEXTS, MAYBE), **nested(ORDER_MONEY, st.none() | PRICE)},
)
ORDERS = st.lists(ORDER, min_size=1, max_size=6, unique_by=lambda order: (order["channelId"], order["orderNo"]))
STOCK_ROW = st.fixed_dictionaries(
    {"productSku": KEY, "quantity": UNITS.map(str)},
    optional={**dict.fromkeys(("retailerSku", "productUpc", "productName"), MAYBE)},
)
WAREHOUSES = st.lists(
    st.fixed_dictionaries(
        {
            "warehouseCode": ASKED.filter(lambda code: "," not in code),
            "warehouseName": MAYBE,
            "warehouseInventory": st.lists(STOCK_ROW, max_size=4, unique_by=lambda row: row["productSku"]),
        }
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda warehouse: warehouse["warehouseCode"],
)


def read_cells(frame: pd.DataFrame, columns: Iterable[str]) -> list[list[Any]]:
    """The cells of a frame as Python has them, None for null."""
    return [[None if pd.isna(value) else value for value in row] for row in frame[[*columns]].itertuples(index=False)]
