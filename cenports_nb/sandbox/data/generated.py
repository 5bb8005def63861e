"""Generated data: an account of any size, reproducible by its seed."""

import math
import random
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from cenports_nb.sandbox.clock import format_instant
from cenports_nb.sandbox.records import Json, Seed, StockKey

_PERIOD_DAYS: Final = 365
_OPEN_SHARE: Final = 0.025
_OVERSOLD_SHARE: Final = 0.06
_PRODUCT_COUNT: Final = 200
# SKUs that a spreadsheet, a float or a null value would change.
_TRICKY_SKUS: Final = ("1e5", "0012", "None", "NA", "00", "TRUE")
_CHANNELS: Final = (("GEN-WEB", "Web Shop"), ("GEN-MARKET", "Marketplace"), ("GEN-TRADE", "Trade Desk"))
_WAREHOUSES: Final = (
    ("GEN-EAST", "East Warehouse", "1 Harbor Road", "Newark", "NJ", "07102"),
    ("GEN-WEST", "West Warehouse", "88 Canyon Way", "Tracy", "CA", "95376"),
    ("GEN-MID", "Midland Warehouse", "4 Prairie Street", "Joliet", "IL", "60431"),
)
_FIRST_NAMES: Final = (
    "Ana", "José", "Zoë", "Łukasz", "Mary", "Wei", "Søren", "Fatima", "Gerald", "Jürgen", "Noa", "Priya",
)  # fmt: skip
_LAST_NAMES: Final = (
    "Smith", "García", "Müller", "Nguyễn", "Jones", "Ōta", "Kowalska", "Brown", "Lévesque", "Okafor", "Lee",
)  # fmt: skip
_STREETS: Final = ("Hott Street", "Sabre Street", "Zimmerman Lane", "Peña Avenue", "Hanifan Lane", "Mill Road")
_PLACES: Final = (
    ("Boston", "MA", "02110"),
    ("Hoboken", "NJ", "07030"),
    ("San Juan", "PR", "00901"),
    ("Hayward", "CA", "94545"),
    ("Oklahoma City", "OK", "73102"),
    ("Cañon City", "CO", "81212"),
    ("Los Angeles", "CA", "90017"),
    ("Hartford", "CT", "06103"),
)
_PRODUCT_NOUNS: Final = (
    "Kettle", "Lamp", "Crème Bowl", "Chair", "Shelf", "Mug", "Blanket", "Jalapeño Pot", "Desk", "Clock",
)  # fmt: skip
_PRODUCT_ADJECTIVES: Final = ("Blue", "Oak", "Small", "Large", "Folding", "Steel", "Round", "Café", "Classic", "Soft")
_CARRIERS: Final = (("UPSN", "GR"), ("FDEG", "GR"), ("USPS", "PM"), ("FDEG", "2D"))


def generate_seed(count: int, seed: int, *, end: date) -> Seed:
    """Generate `count` orders over the twelve months that end on `end`, with shipments, stock and channels."""
    rng = random.Random(seed)  # noqa: S311 - sample data, not secrets
    products = _make_products(rng)
    customers = [_make_customer(rng) for _ in range(min(2_000, count // 4 + 20))]
    open_from = count - math.ceil(count * _OPEN_SHARE)
    orders, shipments = [], []
    reserved: Counter[StockKey] = Counter()
    for index, at in enumerate(_make_instants(rng, count, end)):
        is_open = index >= open_from
        order = _make_order(rng, index, at, customers[rng.randrange(len(customers))], products, is_open=is_open)
        orders.append(order)
        if is_open:
            for line in order["lineItems"]:
                reserved[line["shipFromWarehouseCode"], line["productSku"]] += line["quantity"]
        else:
            shipments.append(_make_shipment(rng, order, at, end, acknowledged=index < open_from * 0.95))
    return Seed(orders, shipments, _make_warehouses(rng, products, reserved, end), _make_channels())


def _make_instants(rng: random.Random, count: int, end: date) -> list[datetime]:
    first = datetime.combine(end, time(), UTC) - timedelta(days=_PERIOD_DAYS - 1)
    seconds = sorted(rng.randrange(_PERIOD_DAYS * 86_400) for _ in range(count))
    if seconds:
        # The last order is always on the last day.
        seconds[-1] = max(seconds[-1], (_PERIOD_DAYS - 1) * 86_400 + rng.randrange(86_400))
    return [first + timedelta(seconds=offset) for offset in seconds]


def _make_products(rng: random.Random) -> list[Json]:
    products = []
    for number in range(_PRODUCT_COUNT):
        plain = f"{number + 100:05d}" if number % 3 == 0 else f"GEN-{number + 100}"
        homes = rng.sample([code for code, *_ in _WAREHOUSES], k=1 if rng.random() < 0.7 else 2)
        products.append(
            {
                "sku": _TRICKY_SKUS[number] if number < len(_TRICKY_SKUS) else plain,
                "retailer_sku": f"R{number:04d}" if rng.random() < 0.5 else None,
                "upc": f"{number:012d}",
                "name": f"{rng.choice(_PRODUCT_ADJECTIVES)} {rng.choice(_PRODUCT_NOUNS)} {number + 1}",
                "cents": rng.randrange(150, 9_000),
                "homes": homes,
                "discontinued": rng.random() < 0.04,
            }
        )
    return products


def _make_customer(rng: random.Random) -> Json:
    city, state, postal_code = rng.choice(_PLACES)
    name = f"{rng.choice(_FIRST_NAMES)} {rng.choice(_LAST_NAMES)}"
    address = {
        "name": name,
        "address1": f"{rng.randrange(1, 9_999)} {rng.choice(_STREETS)}",
        "address2": f"Unit {rng.randrange(1, 99)}" if rng.random() < 0.2 else None,
        "city": city,
        "state": state,
        "country": "US",
        "postalCode": postal_code,
    }
    return {
        "name": name,
        "contact": name if rng.random() < 0.3 else None,
        "email": f"customer{rng.randrange(10**6)}@example.com" if rng.random() < 0.6 else None,
        "phone": f"555-555-{rng.randrange(10**4):04d}" if rng.random() < 0.8 else None,
        "address": address,
    }


_SHIP_FROM: Final[dict[str, Json]] = {
    code: {
        "warehouseCode": code,
        "warehouseName": name,
        "location": f"{street}, {city}, {state}, US, {postal_code}",
        "contactPhone": None,
        "availability": True,
        "owner": "SANDBOX",
    }
    for code, name, street, city, state, postal_code in _WAREHOUSES
}


def _make_order(
    rng: random.Random, index: int, at: datetime, customer: Json, products: list[Json], *, is_open: bool
) -> Json:
    number = f"S{100_000 + index}"
    channel_id, channel = rng.choices(_CHANNELS, weights=(5, 3, 2))[0]
    carrier, level = rng.choice(_CARRIERS)
    lines, cents = _make_lines(rng, number, products, "pending" if is_open else "shipped")
    discount = cents // 10 if rng.random() < 0.1 else 0
    ship_cost = rng.choice((0, 0, 499, 995))
    return {
        "orderNo": number,
        "customerOrderNo": f"PO-{index + 1:06d}" if channel_id == "GEN-TRADE" else None,
        "orderDate": format_instant(at),
        "channel": channel,
        "channelId": channel_id,
        "customerName": customer["name"],
        "contactName": customer["contact"],
        "contactEmail": customer["email"],
        "contactPhone": customer["phone"],
        "status": "Incompleted" if is_open else "Completed",
        "billTo": customer["address"],
        "shipFrom": _SHIP_FROM[lines[0]["shipFromWarehouseCode"]],
        "shipTo": customer["address"],
        "shippingInfo": {"carrierCode": carrier, "serviceLevel": level},
        "lineItems": lines,
        "pricing": {
            "subTotal": cents / 100,
            "discount": discount / 100,
            "shipCost": ship_cost / 100,
            "grandTotal": (cents - discount + ship_cost) / 100,
        },
        "notes": {"merchantMsg": None, "retailerMsg": "Thank you for the purchase!" if rng.random() < 0.2 else None},
    }


def _make_lines(rng: random.Random, order_no: str, products: list[Json], status: str) -> tuple[list[Json], int]:
    lines, total = [], 0
    count = rng.choices((1, 2, 3, 4, 5), weights=(45, 25, 15, 10, 5))[0]
    for position, product in enumerate(rng.sample(products, k=count), start=1):
        quantity = rng.choice((1, 1, 1, 2, 3, 6))
        total += quantity * product["cents"]
        lines.append(
            {
                "orderNo": order_no,
                "lineItem": str(position),
                "productSku": product["sku"],
                "retailerSku": product["retailer_sku"],
                "productName": product["name"],
                "shipFromWarehouseCode": product["homes"][0],
                "quantity": quantity,
                "price": product["cents"] / 100,
                "status": status,
            }
        )
    return lines, total


def _make_shipment(rng: random.Random, order: Json, at: datetime, end: date, *, acknowledged: bool) -> Json:
    # Nothing is shipped after the account's last day.
    latest = datetime.combine(end, time(23, 59, 59), UTC)
    return {
        "orderNo": order["orderNo"],
        "channelId": order["channelId"],
        "shipDate": format_instant(min(at + timedelta(hours=rng.randrange(6, 120)), latest)),
        "carrierCode": order["shippingInfo"]["carrierCode"],
        "serviceLevel": order["shippingInfo"]["serviceLevel"],
        "trackingNumber": f"1Z{rng.randrange(10**12):012d}",
        "warehouseCode": order["shipFrom"]["warehouseCode"],
        "acknowledged": acknowledged,
        "lineItems": [{"productSku": line["productSku"], "quantity": line["quantity"]} for line in order["lineItems"]],
    }


def _make_warehouses(rng: random.Random, products: list[Json], reserved: Counter[StockKey], end: date) -> list[Json]:
    return [
        {
            "warehouseName": name,
            "warehouseCode": code,
            "warehouseAddress": {
                "streetAddress": street,
                "streetAddress2": None,
                "city": city,
                "province": None,
                "provinceAbbre": state,
                "countryCode": "US",
                "country": None,
                "postalCode": postal_code,
                "isResidential": None,
                "ignoreValidation": False,
            },
            "warehouseInventory": [
                _make_stock_row(rng, product, reserved[code, product["sku"]], end)
                for product in products
                if code in product["homes"]
            ],
        }
        for code, name, street, city, state, postal_code in _WAREHOUSES
    ]


def _make_stock_row(rng: random.Random, product: Json, open_units: int, end: date) -> Json:
    if open_units and rng.random() < _OVERSOLD_SHARE:
        quantity = open_units - rng.randint(1, open_units)
    else:
        quantity = open_units + rng.randrange(5, 400)
    is_coming = rng.random() < 0.15
    return {
        "productSku": product["sku"],
        "retailerSku": product["retailer_sku"],
        "productUpc": product["upc"],
        "productName": product["name"],
        "quantity": str(quantity),
        "isDiscontinued": product["discontinued"],
        "nextAvailabilityDate": (end + timedelta(days=rng.randrange(2, 60))).isoformat() if is_coming else None,
        "nextAvailabileQuantity": str(rng.randrange(10, 200)) if is_coming else None,
        "productExtras": [],
    }


def _make_channels() -> list[Json]:
    return [
        {
            "channelName": name,
            "channelId": channel_id,
            "channelEmail": "orders@example.com",
            "channelPhone": "5555550100",
            "location": "Hayward, CA, US, 94545",
            "features": None,
        }
        for channel_id, name in _CHANNELS
    ]
