"""What each call takes: the reference's parameter tables, as tables."""

from typing import Final

from cenports_nb.sandbox.validation import (
    Base64,
    Channel,
    Choice,
    Day,
    Each,
    Field,
    Flag,
    Money,
    Nested,
    NewChannel,
    Partner,
    Text,
    Warehouse,
    Whole,
)

Rules = tuple[Field, ...]

ORDERS_LIMIT: Final = 300
SHIPMENTS_LIMIT: Final = 99
DEFAULT_LIMIT: Final = 50
INVENTORIES_MOST: Final = 1000

AUTHORIZE: Final[Rules] = (Text("grant_type"), Text("client_id"), Text("client_secret"))

GET_ORDERS: Final[Rules] = (
    Partner(),
    Channel(required=False),
    Text("orders", required=False),
    Flag("isAcknowledged", required=False),
    Flag("isPaginated", required=False),
    Whole("limit", required=False, low=1, high=ORDERS_LIMIT),
    Day("startDate", required=False),
    Day("endDate", required=False),
)

POST_ORDERS: Final[Rules] = (
    Partner(),
    Channel(),
    Each(
        "orders",
        fields=(
            Text("orderNo"),
            Text("customerOrderNo", required=False),
            Day("orderDate"),
            Text("customerName"),
            Text("contactName", required=False),
            Text("contactEmail", required=False),
            Text("contactPhone", required=False),
            Nested(
                "shipTo",
                fields=(
                    Text("address1"),
                    Text("address2", required=False),
                    Text("city"),
                    Text("state"),
                    Text("country", size=10),
                    Text("postalCode", size=10),
                ),
            ),
            Nested(
                "shippingInfo",
                fields=(Text("carrierCode"), Text("serviceLevel"), Day("estimatedShipDate", required=False)),
            ),
            Each(
                "lineItems",
                fields=(
                    Text("sku"),
                    Whole("quantity", low=1, high=99_999),
                    Money("consumerPrice"),
                    Money("subTotal"),
                    Whole("lineNumber", required=False, low=1, high=999),
                ),
            ),
            Money("subTotal", required=False),
            Money("shippingCost", required=False, digits=5),
            Money("grandTotal"),
        ),
    ),
)

ACKNOWLEDGE_ORDERS: Final[Rules] = (Partner(), Channel(), Text("orders"))

GET_CHANNELS: Final[Rules] = (Partner(),)

POST_CHANNELS: Final[Rules] = (
    Partner(),
    NewChannel(required=False),
    Text("channelName"),
    Text("contactEmail", required=False),
    Text("contactPhone", required=False),
    Nested(
        "contactInfo",
        fields=(
            Text("address"),
            Text("city"),
            Text("state", size=20),
            Text("country", size=2),
            Text("postalCode", size=10),
        ),
    ),
    Nested(
        "billInfo",
        required=False,
        fields=tuple(
            Text(name, required=False)
            for name in ("name", "email", "phone", "address", "city", "state", "country", "postalCode")
        ),
    ),
    Base64("logo", required=False),
)

GET_SHIPMENTS: Final[Rules] = (
    Partner(),
    Channel(),
    Each("orders", required=False, fields=(Text("orderNo", required=False),)),
    Day("startDate", required=False),
    Day("endDate", required=False),
    Whole("limit", required=False, low=1, high=SHIPMENTS_LIMIT),
    Flag("acknowledged", required=False),
)

ACKNOWLEDGE_SHIPMENTS: Final[Rules] = (Partner(), Each("shipments", fields=(Text("orderNo"),)))

AVAILABLE_STOCK: Final[Rules] = (
    Partner(),
    Channel(),
    Flag("actualStock", required=False),
    Text("warehouseCode", required=False),
    Whole("limit", required=False),
)

ACTUAL_STOCK: Final[Rules] = (
    Partner(),
    Channel(required=False),
    Flag("actualStock"),
    Text("warehouseCode", required=False),
    Whole("limit", required=False),
)

PATCH_INVENTORIES: Final[Rules] = (
    Partner(),
    Warehouse(),
    Each(
        "inventories",
        most=INVENTORIES_MOST,
        fields=(
            Text("productSKU"),
            Choice("type", options=("TRUE_UP", "DIFFERENTIAL")),
            Whole("quantity"),
        ),
    ),
)

GET_TRANSACTION: Final[Rules] = (Partner(), Text("handle"))
