"""Records: how the dialect writes an order and a stock row."""

from typing import Any

from cenports_nb.sandbox.account.orders import Order
from cenports_nb.sandbox.clock import stamp
from cenports_nb.sandbox.dialect import Dialect
from cenports_nb.sandbox.http.replies import Json, encode

_MISSPELT = "nextAvailabileQuantity"


def order_bytes(order: Order, dialect: Dialect) -> bytes:
    """Write an order as JSON."""
    if dialect.order_dates == "instant" and dialect.line_numbers == "text":
        return order.payload
    record = dict(order.record)
    if dialect.order_dates == "day":
        record["orderDate"] = stamp(order.at.replace(hour=0, minute=0, second=0, microsecond=0))
    if dialect.line_numbers != "text":
        record["lineItems"] = [_line(line, dialect) for line in record["lineItems"]]
    return encode(record)


def warehouse_record(warehouse: Json, dialect: Dialect) -> Json:
    """Write a warehouse with its stock rows."""
    if dialect.quantities == "text" and dialect.misspelt:
        return warehouse
    return {**warehouse, "warehouseInventory": [_stock_row(row, dialect) for row in warehouse["warehouseInventory"]]}


def _line(line: Json, dialect: Dialect) -> Json:
    if dialect.line_numbers == "missing":
        return {name: value for name, value in line.items() if name != "lineItem"}
    number = line.get("lineItem")
    return {**line, "lineItem": int(number)} if isinstance(number, str) and number.isdecimal() else line


def _stock_row(row: Json, dialect: Dialect) -> Json:
    return {
        "nextAvailableQuantity" if name == _MISSPELT and not dialect.misspelt else name: (
            _quantity(value, dialect) if name in {"quantity", _MISSPELT} else value
        )
        for name, value in row.items()
    }


def _quantity(value: Any, dialect: Dialect) -> Any:
    try:
        number = int(value)
    except (TypeError, ValueError):
        return value  # a folder's own data may hold anything here
    match dialect.quantities:
        case "number":
            return number
        case "decimal_text":
            return f"{number}.0"
        case "decimal":
            return float(number)
        case _:
            return value
