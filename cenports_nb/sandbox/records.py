"""Records: orders, shipments, warehouses and channels as the API answers them."""

import json
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
StockKey = tuple[str, str]
"""A warehouse code and a SKU."""


@dataclass(frozen=True)
class Seed:
    """The records that an account starts with."""

    orders: list[Json]
    shipments: list[Json]
    warehouses: list[Json]
    channels: list[Json]


def encode(value: object) -> bytes:
    """Write compact JSON; non-ASCII characters are escaped, as PHP does."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")
