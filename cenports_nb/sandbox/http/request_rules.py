"""Rules for the parameters of each end point, as in the reference; functions where they depend on the dialect."""

from functools import cache
from typing import Final

from cenports_nb.sandbox.dialect import Dialect
from cenports_nb.sandbox.http.validation import (
    Base64,
    Boolean,
    Channel,
    Choice,
    Day,
    Field,
    Integer,
    Money,
    NestedObject,
    ObjectList,
    Partner,
    Text,
    Warehouse,
)

Rules = tuple[Field, ...]


def _optional_texts(*names: str) -> Rules:
    return tuple(Text(name, required=False) for name in names)


AUTHORIZE: Final[Rules] = (Text("grant_type"), Text("client_id"), Text("client_secret"))


@cache
def get_orders(dialect: Dialect) -> Rules:
    """GET /orders."""
    return (
        Partner(),
        Channel(required=False),
        Text("orders", required=False),
        Boolean("isAcknowledged", required=False),
        Boolean("isPaginated", required=False),
        Integer("limit", required=False, low=1, high=dialect.order_limit),
        Day("startDate", required=False),
        Day("endDate", required=False),
    )


@cache
def post_orders(dialect: Dialect) -> Rules:
    """POST /orders."""
    nominal = dialect.sizes == "nominal"
    place_size, digits = (255, 20) if nominal else (10, 6)
    order = (
        Text("orderNo"),
        Text("customerOrderNo", required=False),
        Day("orderDate"),
        Text("customerName"),
        *_optional_texts("contactName", "contactEmail", "contactPhone"),
        NestedObject(
            "shipTo",
            fields=(
                Text("address1"),
                Text("address2", required=False),
                Text("city"),
                Text("state"),
                Text("country", size=place_size),
                Text("postalCode", size=place_size),
            ),
        ),
        NestedObject(
            "shippingInfo", fields=(Text("carrierCode"), Text("serviceLevel"), Day("estimatedShipDate", required=False))
        ),
        ObjectList(
            "lineItems",
            fields=(
                Text("sku"),
                Integer("quantity", low=1, high=2**31 - 1 if nominal else 99_999),
                Money("consumerPrice", digits=digits),
                Money("subTotal", digits=digits),
                Integer("lineNumber", required=False, low=1, high=2**31 - 1 if nominal else 999),
            ),
        ),
        Money("subTotal", required=False, digits=digits),
        Money("shippingCost", required=False, digits=20 if nominal else 5),
        Money("grandTotal", digits=digits),
    )
    return (Partner(), Channel(), ObjectList("orders", max_items=dialect.batch_most, fields=order))


ACKNOWLEDGE_ORDERS: Final[Rules] = (Partner(), Channel(), Text("orders"))

GET_CHANNELS: Final[Rules] = (Partner(),)

POST_CHANNELS: Final[Rules] = (
    Partner(),
    Channel(required=False, is_new=True),
    Text("channelName"),
    *_optional_texts("contactEmail", "contactPhone"),
    NestedObject(
        "contactInfo",
        fields=(
            Text("address"),
            Text("city"),
            Text("state", size=20),
            Text("country", size=2),
            Text("postalCode", size=10),
        ),
    ),
    NestedObject(
        "billInfo",
        required=False,
        fields=_optional_texts("name", "email", "phone", "address", "city", "state", "country", "postalCode"),
    ),
    Base64("logo", required=False),
)


@cache
def get_shipments(dialect: Dialect) -> Rules:
    """GET /shipments."""
    return (
        Partner(),
        Channel(),
        ObjectList("orders", required=False, fields=(Text("orderNo", required=False),)),
        Day("startDate", required=False),
        Day("endDate", required=False),
        Integer("limit", required=False, low=1, high=dialect.shipment_limit),
        Boolean("acknowledged", required=False),
    )


@cache
def acknowledge_shipments(dialect: Dialect) -> Rules:
    """PATCH /shipments/acknowledge."""
    return (Partner(), ObjectList("shipments", max_items=dialect.batch_most, fields=(Text("orderNo"),)))


_STOCK: Final[Rules] = (Text("warehouseCode", required=False), Integer("limit", required=False))
AVAILABLE_STOCK: Final[Rules] = (Partner(), Channel(), Boolean("actualStock", required=False), *_STOCK)
ACTUAL_STOCK: Final[Rules] = (Partner(), Channel(required=False), Boolean("actualStock"), *_STOCK)


@cache
def patch_inventories(dialect: Dialect) -> Rules:
    """PATCH /inventories."""
    row = (Text("productSKU"), Choice("type", options=("TRUE_UP", "DIFFERENTIAL")), Integer("quantity"))
    return (Partner(), Warehouse(), ObjectList("inventories", max_items=dialect.batch_most, fields=row))


GET_TRANSACTION: Final[Rules] = (Partner(), Text("handle"))
