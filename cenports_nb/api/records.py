"""What the API sends, record by record: msgspec Structs with the API's own field names in camel case.

Texts may come as whole numbers (an identifier is an identifier); numbers may come as texts, which
`strict=False` reads ("58", "58.0" and 58.0 are 58; "58.5", "" and "abc" are no counts).
"""

from __future__ import annotations

from typing import Any

import msgspec

Text = str | int | None
Key = str | int


class BillTo(msgspec.Struct, rename="camel"):
    """Who pays."""

    name: Text = None
    address1: Text = None
    address2: Text = None
    city: Text = None
    state: Text = None
    country: Text = None
    postal_code: Text = None


class ShipTo(BillTo):
    """Who receives: the same fields."""


class ShipFrom(msgspec.Struct, rename="camel"):
    """The warehouse that an order leaves from."""

    warehouse_code: Text = None
    warehouse_name: Text = None
    location: Text = None
    contact_phone: Text = None
    availability: bool | None = None
    owner: Text = None


class ShippingInfo(msgspec.Struct, rename="camel"):
    """How an order is shipped."""

    carrier_code: Text = None
    service_level: Text = None


class Pricing(msgspec.Struct, rename="camel"):
    """The money of an order."""

    sub_total: float | None = None
    discount: float | None = None
    ship_cost: float | None = None
    grand_total: float | None = None


class Notes(msgspec.Struct, rename="camel"):
    """Messages on an order."""

    merchant_msg: Text = None
    retailer_msg: Text = None


class Order(msgspec.Struct, rename="camel"):
    """One record of GET /orders; its lines stay unread, so that a bad line spoils only itself."""

    order_no: Key
    order_date: str
    customer_order_no: Text = None
    channel: Text = None
    channel_id: Text = None
    customer_name: Text = None
    contact_name: Text = None
    contact_email: Text = None
    contact_phone: Text = None
    status: Text = None
    bill_to: BillTo | None = None
    ship_from: ShipFrom | None = None
    ship_to: ShipTo | None = None
    shipping_info: ShippingInfo | None = None
    line_items: list[msgspec.Raw] | None = None
    pricing: Pricing | None = None
    notes: Notes | None = None


class OrderKey(msgspec.Struct, rename="camel"):
    """What paging must know of an order."""

    order_no: Any = None
    channel_id: Any = None


class LineItem(msgspec.Struct, rename="camel"):
    """One line of an order."""

    product_sku: Key
    quantity: int
    line_item: Any = None
    retailer_sku: Text = None
    product_name: Text = None
    ship_from_warehouse_code: Text = None
    price: float | None = None
    status: Text = None


class WarehouseAddress(msgspec.Struct, rename="camel"):
    """Where a warehouse is."""

    street_address: Text = None
    street_address2: Text = None
    city: Text = None
    province: Text = None
    province_abbre: Text = None
    country_code: Text = None
    country: Text = None
    postal_code: Text = None
    is_residential: bool | None = None


class Warehouse(msgspec.Struct, rename="camel"):
    """One record of GET /inventories; its stock rows stay unread, as an order's lines do."""

    warehouse_code: Key
    warehouse_name: Text = None
    warehouse_address: WarehouseAddress | None = None
    warehouse_inventory: list[msgspec.Raw] | None = None


class Stock(msgspec.Struct, rename="camel"):
    """One SKU in one warehouse; the reference misspells `nextAvailabileQuantity`, so both are read."""

    product_sku: Key
    quantity: int
    retailer_sku: Text = None
    product_upc: Text = None
    product_name: Text = None
    is_discontinued: bool | None = None
    next_availability_date: str | None = None
    next_availabile_quantity: int | None = None
    next_available_quantity: int | None = None
    product_extras: msgspec.Raw = msgspec.Raw()


class Channel(msgspec.Struct, rename="camel"):
    """One record of GET /channels; POST /channels misspells `channalName`, so both are read."""

    channel_id: Key
    channel_name: Text = None
    channal_name: Text = None
    channel_email: Text = None
    channel_phone: Text = None
    location: Text = None
    features: Any = None


class Transaction(msgspec.Struct):
    """What a write is answered with, and what GET /transaction tells later."""

    handle: Key
    status: str = ""
    id: Text = None
    submitted_at: Any = None
    completed_at: Any = None
    errors: Any = None
