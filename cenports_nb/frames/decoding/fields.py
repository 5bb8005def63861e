"""Which field of a record fills which column, and how the column is built.

A path `a.b` reads field b of the nested object a; if that object is missing or null, so is the value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from cenports_nb.api import models
from cenports_nb.frames.decoding import columns


@dataclass(frozen=True)
class Field:
    """One column: its name, the path of its value in a record, and how it is built."""

    name: str
    path: str
    builder: columns.ColumnBuilder

    @property
    def json_path(self) -> str:
        """The path in the API's own names."""
        return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), self.path)


def _text_fields(**paths: str) -> tuple[Field, ...]:
    return tuple(Field(name, path, columns.text) for name, path in paths.items())


def _address_fields(prefix: str, group: str) -> tuple[Field, ...]:
    names = ("name", "address1", "address2", "city", "state", "country", "postal_code")
    return tuple(Field(f"{prefix}_{name}", f"{group}.{name}", columns.text) for name in names)


ORDER_FIELDS = (
    Field("order_no", "order_no", columns.key),
    *_text_fields(customer_order_no="customer_order_no"),
    Field("order_date", "order_date", columns.needed_instant),
    *_text_fields(channel="channel"),
    Field("channel_id", "channel_id", columns.key),
    *_text_fields(
        customer_name="customer_name",
        contact_name="contact_name",
        contact_email="contact_email",
        contact_phone="contact_phone",
        status="status",
    ),
    *_address_fields("bill_to", "bill_to"),
    *_text_fields(
        ship_from_warehouse_code="ship_from.warehouse_code",
        ship_from_warehouse_name="ship_from.warehouse_name",
        ship_from_location="ship_from.location",
        ship_from_contact_phone="ship_from.contact_phone",
    ),
    Field("ship_from_availability", "ship_from.availability", columns.flag_or_null),
    *_text_fields(ship_from_owner="ship_from.owner"),
    *_address_fields("ship_to", "ship_to"),
    *_text_fields(carrier_code="shipping_info.carrier_code", service_level="shipping_info.service_level"),
    *(Field(name, f"pricing.{name}", columns.money) for name in ("sub_total", "discount", "ship_cost", "grand_total")),
    *_text_fields(merchant_msg="notes.merchant_msg", retailer_msg="notes.retailer_msg"),
)
LINE_ITEM_FIELDS = (
    Field("product_sku", "product_sku", columns.key),
    *_text_fields(
        retailer_sku="retailer_sku",
        product_name="product_name",
        ship_from_warehouse_code="ship_from_warehouse_code",
    ),
    Field("quantity", "quantity", columns.count),
    Field("price", "price", columns.money),
    *_text_fields(status="status"),
)
RAW_LINE_ITEM_FIELD = Field("line_item", "line_item", columns.text)
"""The number of a line, as text; where it can't be read, the line's position replaces it later."""
STOCK_FIELDS = (
    Field("product_sku", "product_sku", columns.key),
    *_text_fields(retailer_sku="retailer_sku", product_upc="product_upc", product_name="product_name"),
    Field("quantity", "quantity", columns.count),
    Field("is_discontinued", "is_discontinued", columns.flag),
    Field("next_availability_date", "next_availability_date", columns.day),
    Field("next_available_quantity", "next_available_quantity", columns.count_or_null),
)
WAREHOUSE_FIELDS = (
    Field("warehouse_code", "warehouse_code", columns.key),
    *_text_fields(
        warehouse_name="warehouse_name",
        street_address="warehouse_address.street_address",
        street_address2="warehouse_address.street_address2",
        city="warehouse_address.city",
        province="warehouse_address.province",
        province_code="warehouse_address.province_abbre",
        country_code="warehouse_address.country_code",
        country="warehouse_address.country",
        postal_code="warehouse_address.postal_code",
    ),
    Field("is_residential", "warehouse_address.is_residential", columns.flag_or_null),
)
CHANNEL_FIELDS = (
    Field("channel_id", "channel_id", columns.key),
    *_text_fields(
        channel_name="channel_name",
        channel_email="channel_email",
        channel_phone="channel_phone",
        location="location",
        features="features",
    ),
)
SHIPMENT_FIELDS = (
    Field("order_no", "order_no", columns.key),
    *_text_fields(channel_id="channel_id"),
    Field("ship_date", "ship_date", columns.instant),
    *_text_fields(
        carrier_code="carrier_code",
        service_level="service_level",
        tracking_number="tracking_number",
        warehouse_code="warehouse_code",
    ),
    Field("acknowledged", "acknowledged", columns.flag_or_null),
)

# A missing nested object is read as an empty one.
EMPTY_OBJECTS: dict[str, Any] = {"warehouse_address": models.WarehouseAddress()}
