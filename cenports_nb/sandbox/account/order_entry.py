"""Order entry: turns a created order into an order as GET /orders returns it."""

from decimal import Decimal
from functools import partial

from cenports_nb.sandbox.account.authentication import PARTNER_ID
from cenports_nb.sandbox.account.state import AccountState
from cenports_nb.sandbox.account.transactions import RowRefusal, Undo
from cenports_nb.sandbox.records import Json


def enter_order(state: AccountState, channel_id: str, order: Json) -> Undo:
    """Create an order, or refuse it."""
    texts = _find_refusals(state, channel_id, order)
    if texts:
        raise RowRefusal(*texts)
    entered = state.orders.add(_build_record(state, channel_id, order))
    return partial(state.orders.remove, entered)


def _find_refusals(state: AccountState, channel_id: str, order: Json) -> list[str]:
    number, customer_number = order["orderNo"], order.get("customerOrderNo")
    if state.orders.find(channel_id, number):
        return [f"The order {number} is already existed on our system."]
    if customer_number and state.orders.has_customer_number(channel_id, customer_number):
        return [f"The customer order {customer_number} is already existed on our system."]
    return [
        f"The line item {line_number} of order {number} has been rejected due to product sku does not exist."
        for line_number, line in _number_lines(order["lineItems"])
        if state.stock.find_warehouse(line["sku"]) is None
    ]


def _number_lines(lines: list[Json]) -> list[tuple[int, Json]]:
    numbered: list[tuple[int, Json]] = []
    last = 0
    for line in lines:
        last = line.get("lineNumber") or last + 1
        numbered.append((last, line))
    return numbered


def _build_record(state: AccountState, channel_id: str, order: Json) -> Json:
    lines = [_build_line(state, order["orderNo"], number, line) for number, line in _number_lines(order["lineItems"])]
    address = {
        name: order["shipTo"].get(name) or None
        for name in ("address1", "address2", "city", "state", "country", "postalCode")
    }
    summed = float(sum(Decimal(repr(line["subTotal"])) for line in order["lineItems"]))
    return {
        "orderNo": order["orderNo"],
        "customerOrderNo": order.get("customerOrderNo") or None,
        "orderDate": f"{order['orderDate']}T00:00:00.000000Z",
        "channel": state.channels.get_name(channel_id),
        "channelId": channel_id,
        "customerName": order["customerName"],
        "contactName": order.get("contactName") or None,
        "contactEmail": order.get("contactEmail") or None,
        "contactPhone": order.get("contactPhone") or None,
        "status": "Incompleted",
        "billTo": {"name": order["customerName"], **address},
        "shipFrom": _build_ship_from(state, lines[0]["shipFromWarehouseCode"]),
        "shipTo": {"name": order.get("contactName") or order["customerName"], **address},
        "shippingInfo": {name: order["shippingInfo"][name] for name in ("carrierCode", "serviceLevel")},
        "lineItems": lines,
        "pricing": {
            "subTotal": summed if order.get("subTotal") is None else order["subTotal"],
            "discount": 0,
            "shipCost": order.get("shippingCost") or 0,
            "grandTotal": order["grandTotal"],
        },
        "notes": {"merchantMsg": None, "retailerMsg": None},
    }


def _build_line(state: AccountState, order_no: str, number: int, line: Json) -> Json:
    warehouse_code = state.stock.find_warehouse(line["sku"]) or ""
    product = state.stock.get_row(warehouse_code, line["sku"])
    return {
        "orderNo": order_no,
        "lineItem": str(number),
        "productSku": line["sku"],
        "retailerSku": product.get("retailerSku"),
        "productName": product.get("productName"),
        "shipFromWarehouseCode": warehouse_code,
        "quantity": line["quantity"],
        "price": line["consumerPrice"],
        "status": "pending",
    }


def _build_ship_from(state: AccountState, warehouse_code: str) -> Json:
    warehouse = state.stock.warehouses[warehouse_code]
    address = warehouse.get("warehouseAddress") or {}
    parts = (address.get(name) for name in ("streetAddress", "city", "provinceAbbre", "countryCode", "postalCode"))
    return {
        "warehouseCode": warehouse_code,
        "warehouseName": warehouse.get("warehouseName"),
        "location": ", ".join(str(part) for part in parts if part),
        "contactPhone": None,
        "availability": True,
        "owner": PARTNER_ID,
    }
