"""One method for each documented call: parsed JSON, rate limited, uncached."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cenports_nb.errors import InvalidRequestError


class Endpoints:
    """`client.api`: the documented calls.

    Types and sizes are checked before anything is sent. The journal has none of these calls: for safe writes use
    `submit_updates` and its siblings. A write makes the cache stale; a read-only client refuses it.
    """

    def __init__(self, call: Callable[[str, str, Mapping[str, Any]], Any], authorize: Callable[[], object]) -> None:
        self._call = call
        self._authorize = authorize

    def authorize(self) -> None:
        """POST /authorize, if there is no token yet; the token stays inside the client."""
        self._authorize()

    def get_orders(self, **parameters: Any) -> Any:
        """GET /orders: `channelId orders limit startDate endDate isAcknowledged isPaginated`, all optional."""
        return self._call("GET", "/orders", parameters)

    def create_orders(self, *, channel_id: str, orders: Sequence[Mapping[str, Any]]) -> Any:
        """POST /orders: the transaction."""
        return self._call("POST", "/orders", {"channelId": channel_id, "orders": list(orders)})

    def acknowledge_orders(self, *, channel_id: str, orders: Sequence[str]) -> Any:
        """PATCH /orders/acknowledge: done when it returns."""
        for number in orders:
            if "," in number:
                raise InvalidRequestError(f"The order number {number!r} has a comma: it can't be sent in a list.")
        return self._call("PATCH", "/orders/acknowledge", {"channelId": channel_id, "orders": ",".join(orders)})

    def get_channels(self) -> Any:
        """GET /channels."""
        return self._call("GET", "/channels", {})

    def create_channel(self, **fields: Any) -> Any:
        """POST /channels: `channelName contactInfo …`, as in the reference."""
        return self._call("POST", "/channels", fields)

    def get_shipments(self, **parameters: Any) -> Any:
        """GET /shipments: `channelId orders startDate endDate limit acknowledged`."""
        return self._call("GET", "/shipments", parameters)

    def acknowledge_shipments(self, *, orders: Sequence[str]) -> Any:
        """PATCH /shipments/acknowledge: the transaction."""
        return self._call("PATCH", "/shipments/acknowledge", {"shipments": [{"orderNo": number} for number in orders]})

    def get_inventories(self, **parameters: Any) -> Any:
        """GET /inventories: `channelId`, or `actualStock=True`; `warehouseCode`."""
        return self._call("GET", "/inventories", parameters)

    def update_inventories(self, *, warehouse_code: str, inventories: Sequence[Mapping[str, Any]]) -> Any:
        """PATCH /inventories: the transaction."""
        return self._call("PATCH", "/inventories", {"warehouseCode": warehouse_code, "inventories": list(inventories)})

    def get_transaction(self, handle: str) -> Any:
        """GET /transaction."""
        return self._call("GET", "/transaction", {"handle": handle})
