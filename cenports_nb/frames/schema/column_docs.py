"""The meaning of each column: one literal table per frame, which the schemas take their descriptions from.

`source` is the field in Cenports' answer, or says how the package computes the column. `personal` is the kind of
pseudonym for values that identify a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd
import pandera.pandas as pa

Model = TypeVar("Model", bound=pa.DataFrameModel)

NAME, ADDRESS, PHONE, EMAIL, TEXT = "name", "address", "phone", "email", "text"
UNITS, MONEY, UTC, DAY = "units", "order's currency", "UTC", "day"


@dataclass(frozen=True)
class ColumnDoc:
    """The documentation of one column.

    Attributes:
        text: The meaning, in one line.
        source: The field of the answer, such as `shipTo.postalCode`; `a[].b` is field b of each item of a.
        example: A made-up value, as in the frame.
        unit: units, the order's currency, UTC, day, or empty.
        personal: name, address, phone, email or text if values identify a person.
        counted: Whether further example rows increment the value, because it is part of a key.
    """

    text: str
    source: str
    example: Any
    unit: str = ""
    personal: str = ""
    counted: bool = False

    def example_value(self, row: int) -> Any:
        """Return the example value of a row, incremented if it is part of a key."""
        if not self.counted:
            return self.example
        if isinstance(self.example, int):
            return self.example + row
        stem = str(self.example).rstrip("0123456789")
        digits = str(self.example)[len(stem) :]
        return f"{stem}{int(digits) + row:0{len(digits)}}"


def documented_by(table: Mapping[str, ColumnDoc]) -> Callable[[type[Model]], type[Model]]:
    """Give each column of a model its description and metadata from a table.

    Raises:
        KeyError: The table lacks a column of the model.
    """

    def explain(model: type[Model]) -> type[Model]:
        for name, field in model._collect_fields().items():  # otherwise a descriptor hides FieldInfo
            meaning = table[name]
            field[1].description = meaning.text
            field[1].metadata = {
                "unit": meaning.unit,
                "personal": meaning.personal,
                "source": meaning.source,
                "meaning": meaning,
            }
        return model

    return explain


def _address(whose: str, group: str, name: str, street: str) -> dict[str, ColumnDoc]:
    prefix = {"billTo": "bill_to", "shipTo": "ship_to"}[group]
    return {
        f"{prefix}_name": ColumnDoc(f"Name of {whose}.", f"{group}.name", name, personal=NAME),
        f"{prefix}_address1": ColumnDoc(f"Street of {whose}.", f"{group}.address1", street, personal=ADDRESS),
        f"{prefix}_address2": ColumnDoc(f"Second line, {whose}.", f"{group}.address2", "Apt 4", personal=ADDRESS),
        f"{prefix}_city": ColumnDoc(f"City of {whose}.", f"{group}.city", "Tracy"),
        f"{prefix}_state": ColumnDoc(f"State of {whose}, as sent.", f"{group}.state", "CA"),
        f"{prefix}_country": ColumnDoc(f"Country of {whose}, as sent.", f"{group}.country", "US"),
        f"{prefix}_postal_code": ColumnDoc(
            f"Postal code of {whose}; text, so leading zeros are kept.",
            f"{group}.postalCode",
            "05021",
            personal=ADDRESS,
        ),
    }


def _at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


NO_SOURCE = "computed by the package"

# fmt: off
ORDERS = {
    "order_no": ColumnDoc("The order's number, unique in its channel.", "orderNo", "10248", counted=True),
    "customer_order_no": ColumnDoc("The customer's own number; may repeat.", "customerOrderNo", "PO-0042"),
    "order_date": ColumnDoc("When it was ordered; exactly midnight is a plain day.", "orderDate", _at("2026-03-01 09:30"), UTC),
    "channel": ColumnDoc("Name of the sales channel, as the order has it.", "channel", "Web shop"),
    "channel_id": ColumnDoc("The sales channel's id.", "channelId", "SHOP-1"),
    "customer_name": ColumnDoc("Who ordered.", "customerName", "Maria Anders", personal=NAME),
    "contact_name": ColumnDoc("The contact person for the order.", "contactName", "Maria Anders", personal=NAME),
    "contact_email": ColumnDoc("The contact's e-mail address.", "contactEmail", "maria@example.com", personal=EMAIL),
    "contact_phone": ColumnDoc("The contact's phone number.", "contactPhone", "555-0100", personal=PHONE),
    "status": ColumnDoc("The order's status as sent; an open set.", "status", "Completed"),
    **_address("who pays", "billTo", "Maria Anders", "12 Orchard Road"),
    "ship_from_warehouse_code": ColumnDoc("The warehouse that it ships from.", "shipFrom.warehouseCode", "NW-EAST"),
    "ship_from_warehouse_name": ColumnDoc("That warehouse's name.", "shipFrom.warehouseName", "Northwind East"),
    "ship_from_location": ColumnDoc("That warehouse's address in one line.", "shipFrom.location", "1 Dock Road, Boston, MA, US, 02110", personal=ADDRESS),
    "ship_from_contact_phone": ColumnDoc("That warehouse's phone number.", "shipFrom.contactPhone", "555-0199", personal=PHONE),
    "ship_from_availability": ColumnDoc("Whether that warehouse is available.", "shipFrom.availability", True),
    "ship_from_owner": ColumnDoc("Code of that warehouse's owner.", "shipFrom.owner", "NORTHWIND"),
    **_address("who receives", "shipTo", "Hanna Moos", "7 Mill Lane"),
    "carrier_code": ColumnDoc("The carrier's code at Cenports.", "shippingInfo.carrierCode", "FDSH"),
    "service_level": ColumnDoc("The code of the carrier's service at Cenports.", "shippingInfo.serviceLevel", "GR"),
    "sub_total": ColumnDoc("Sum of the lines.", "pricing.subTotal", 440.0, MONEY),
    "discount": ColumnDoc("Discount on the order.", "pricing.discount", 0.0, MONEY),
    "ship_cost": ColumnDoc("What shipping costs the customer.", "pricing.shipCost", 32.38, MONEY),
    "grand_total": ColumnDoc("What the customer pays.", "pricing.grandTotal", 472.38, MONEY),
    "merchant_msg": ColumnDoc("Message of the merchant, free text.", "notes.merchantMsg", "Leave at the door.", personal=TEXT),
    "retailer_msg": ColumnDoc("Message of the retailer, free text.", "notes.retailerMsg", "Thank you!", personal=TEXT),
    "line_count": ColumnDoc("Number of lines of the order, including rejected ones.", "lineItems", 3, "lines"),
    "acknowledged": ColumnDoc("As requested; null if nothing was requested, because answers lack it.", "request parameter isAcknowledged", False),
}
LINE_ITEMS = {
    "order_no": ORDERS["order_no"],
    "channel_id": ORDERS["channel_id"],
    "order_date": ORDERS["order_date"],
    "line_item": ColumnDoc("The line's number; its position from 1 if none is sent.", "lineItems[].lineItem", 1),
    "product_sku": ColumnDoc("The product's SKU.", "lineItems[].productSku", "0012"),
    "retailer_sku": ColumnDoc("The retailer's SKU of the product.", "lineItems[].retailerSku", "R-77"),
    "product_name": ColumnDoc("The product's name.", "lineItems[].productName", "Queso Cabrales"),
    "ship_from_warehouse_code": ColumnDoc("The warehouse that the line ships from.", "lineItems[].shipFromWarehouseCode", "NW-EAST"),
    "quantity": ColumnDoc("Units ordered; below 0 for a correction.", "lineItems[].quantity", 12, UNITS),
    "price": ColumnDoc("Price of one unit, as sent: up to four decimals.", "lineItems[].price", 14.5, MONEY),
    "status": ColumnDoc("The line's status as sent; an open set.", "lineItems[].status", "shipped"),
}
SHIPMENTS = {
    "order_no": ColumnDoc("The order that was shipped.", "orderNo", "10248", counted=True),
    "channel_id": ColumnDoc("Its sales channel; the requested one if none is sent.", "channelId", "SHOP-1"),
    "ship_date": ColumnDoc("When it was shipped.", "shipDate", _at("2026-03-02 16:05"), UTC),
    "carrier_code": ColumnDoc("The carrier's code at Cenports.", "carrierCode", "FDSH"),
    "service_level": ColumnDoc("The code of the carrier's service at Cenports.", "serviceLevel", "GR"),
    "tracking_number": ColumnDoc("The carrier's tracking number.", "trackingNumber", "NW0000010248"),
    "warehouse_code": ColumnDoc("The warehouse that it shipped from.", "warehouseCode", "NW-EAST"),
    "acknowledged": ColumnDoc("Whether it is acknowledged, as sent or as requested.", "acknowledged", True),
}
SHIPMENT_ITEMS = {
    "order_no": SHIPMENTS["order_no"],
    "channel_id": SHIPMENTS["channel_id"],
    "ship_date": SHIPMENTS["ship_date"],
    "tracking_number": ColumnDoc("The carrier's tracking number; that of the line's package if the shipment has none.", "trackingNumber", "NW0000010248"),
    "line_item": ColumnDoc("The line's number; its position in the shipment, from 1, if none can be read.", "lineItems[].lineItem", 1),
    "product_sku": ColumnDoc("The product's SKU; null if the line has none.", "lineItems[].productSku", "0012"),
    "quantity": ColumnDoc("Units sent; null if the line has none.", "lineItems[].quantity", 2, UNITS),
}
ACTUAL_STOCK = {
    "warehouse_code": ColumnDoc("The warehouse.", "warehouseCode", "NW-EAST"),
    "product_sku": ColumnDoc("The product's SKU, unique in its warehouse.", "warehouseInventory[].productSku", "0012", counted=True),
    "retailer_sku": ColumnDoc("The retailer's SKU of the product.", "warehouseInventory[].retailerSku", "R-77"),
    "product_upc": ColumnDoc("The product's UPC; text, so leading zeros are kept.", "warehouseInventory[].productUpc", "000000000012"),
    "product_name": ColumnDoc("The product's name.", "warehouseInventory[].productName", "Queso Cabrales"),
    "quantity": ColumnDoc("Units in the warehouse.", "warehouseInventory[].quantity", 39, UNITS),
    "is_discontinued": ColumnDoc("Whether it is discontinued; false if nothing is sent.", "warehouseInventory[].isDiscontinued", False),
    "next_availability_date": ColumnDoc("When more is expected.", "warehouseInventory[].nextAvailabilityDate", pd.Timestamp("2026-04-01"), DAY),
    "next_available_quantity": ColumnDoc("How much more is expected then.", "warehouseInventory[].nextAvailabileQuantity", 40, UNITS),
    "product_extras": ColumnDoc("Further data, as JSON text.", "warehouseInventory[].productExtras", "[]"),
    "warehouse_name": ColumnDoc("The warehouse's name.", "warehouseName", "Northwind East"),
}
AVAILABLE_STOCK = {
    "channel_id": ColumnDoc("The requested sales channel.", "request parameter channelId", "SHOP-1"),
    **ACTUAL_STOCK,
    "quantity": ColumnDoc("Units that can still be sold there; may be below 0.", "warehouseInventory[].quantity", 27, UNITS),
}
WAREHOUSES = {
    "warehouse_code": ColumnDoc("The warehouse's code.", "warehouseCode", "WH-01", counted=True),
    "warehouse_name": ACTUAL_STOCK["warehouse_name"],
    # A warehouse may be a home (is_residential), so its street is a person's address.
    "street_address": ColumnDoc("Its street.", "warehouseAddress.streetAddress", "1 Dock Road", personal=ADDRESS),
    "street_address2": ColumnDoc("Second line of its address.", "warehouseAddress.streetAddress2", "Gate 4", personal=ADDRESS),
    "city": ColumnDoc("Its city.", "warehouseAddress.city", "Boston"),
    "province": ColumnDoc("Its province or state.", "warehouseAddress.province", "Massachusetts"),
    "province_code": ColumnDoc("Code of its province or state.", "warehouseAddress.provinceAbbre", "MA"),
    "country_code": ColumnDoc("Code of its country.", "warehouseAddress.countryCode", "US"),
    "country": ColumnDoc("Its country.", "warehouseAddress.country", "United States"),
    "postal_code": ColumnDoc("Its postal code; text, so leading zeros are kept.", "warehouseAddress.postalCode", "02110", personal=ADDRESS),
    "is_residential": ColumnDoc("Whether it is a residential address.", "warehouseAddress.isResidential", False),
}
CHANNELS = {
    "channel_id": ColumnDoc("The sales channel's id.", "channelId", "SHOP-1", counted=True),
    "channel_name": ColumnDoc("Its name.", "channelName", "Web shop"),
    "channel_email": ColumnDoc("The e-mail address of its contact.", "channelEmail", "shop@example.com", personal=EMAIL),
    "channel_phone": ColumnDoc("The phone number of its contact.", "channelPhone", "555-0100", personal=PHONE),
    "location": ColumnDoc("Its location, in one line.", "location", "Seattle, WA, US, 98101"),
    "features": ColumnDoc("Its features, as text or JSON text.", "features", '["returns"]'),
}
STOCK_DIFF = {
    "warehouse_code": ColumnDoc("The warehouse.", "warehouse_code of both frames", "NW-EAST"),
    "product_sku": ColumnDoc("The product's SKU.", "product_sku of both frames", "0012", counted=True),
    "product_name": ColumnDoc("The product's name.", "product_name of both frames", "Queso Cabrales"),
    "actual": ColumnDoc("Units in the warehouse.", "quantity of actual stock", 39, UNITS),
    "available": ColumnDoc("Units that can still be sold.", "quantity of available stock", 27, UNITS),
    "reserved": ColumnDoc("Units sold but not yet shipped.", "actual − available", 12, UNITS),
    "side": ColumnDoc("Which of the two frames has the SKU.", NO_SOURCE, "both"),
    "oversold": ColumnDoc("Whether more is sold than there is.", NO_SOURCE, False),
    "inconsistent": ColumnDoc("Whether the two quantities contradict each other.", NO_SOURCE, False),
}
STOCK_UPDATES = {
    "warehouse_code": ColumnDoc("The warehouse.", "warehouse_code of the counts", "NW-EAST"),
    "product_sku": ColumnDoc("The product's SKU.", "product_sku of the counts", "0012", counted=True),
    "type": ColumnDoc("TRUE_UP sets the stock, DIFFERENTIAL changes it.", "sent as type", "TRUE_UP"),
    "quantity": ColumnDoc("The quantity to send: the new stock, or the change.", "sent as quantity", 41, UNITS),
    "current_quantity": ColumnDoc("The stock when the update was planned.", "quantity of actual stock", 39, UNITS),
    "change": ColumnDoc("The planned change of the stock.", "quantity − current_quantity", 2, UNITS),
    "known_sku": ColumnDoc("Whether the warehouse has the SKU.", NO_SOURCE, True),
    "reason": ColumnDoc("Why, in the planner's words.", "given by the planner", "weekly count"),
    "reference": ColumnDoc("The planner's document number.", "given by the planner", "COUNT-17"),
    "suggestion": ColumnDoc("The one SKU of the warehouse that an unknown SKU resembles; never applied by itself.", NO_SOURCE, "0012"),
    "counted_at": ColumnDoc("When it was counted.", "counted_at of the counts", _at("2026-03-01 08:00"), UTC),
}
OUTCOMES = {
    "submission_id": ColumnDoc("The submission.", NO_SOURCE, "20260301T093000-7f3a"),
    "batch": ColumnDoc("Number of the batch in its submission, from 0.", NO_SOURCE, 0),
    "row": ColumnDoc("Position in the batch, from 0.", NO_SOURCE, 0, counted=True),
    "warehouse_code": STOCK_UPDATES["warehouse_code"],
    "product_sku": STOCK_UPDATES["product_sku"],
    "type": STOCK_UPDATES["type"],
    "quantity": STOCK_UPDATES["quantity"],
    "handle": ColumnDoc("Cenports' handle of the transaction.", "handle", "c0ffee00"),
    "status": ColumnDoc("The transaction's status, as sent.", "status", "COMPLETED"),
    "outcome": ColumnDoc("The outcome of the row.", NO_SOURCE, "applied"),
    "message": ColumnDoc("The message of Cenports or the package about the row.", "errors[].message", "The product sku 0012 does not exist."),
    "submitted_at": ColumnDoc("When the batch was sent.", "submitted_at", _at("2026-03-01 09:30"), UTC),
    "completed_at": ColumnDoc("When its transaction ended.", "completed_at", _at("2026-03-01 09:41"), UTC),
    "read_back": ColumnDoc("The stock that was read afterward.", "warehouseInventory[].quantity", 41, UNITS),
    "read_back_at": ColumnDoc("When it was read.", NO_SOURCE, _at("2026-03-01 09:45"), UTC),
}
# fmt: on
TABLES: tuple[dict[str, ColumnDoc], ...] = (
    *(ORDERS, LINE_ITEMS, SHIPMENTS, SHIPMENT_ITEMS, ACTUAL_STOCK, AVAILABLE_STOCK),
    *(WAREHOUSES, CHANNELS, STOCK_DIFF, STOCK_UPDATES, OUTCOMES),
)
