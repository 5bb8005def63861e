"""One method for each documented call: parsed JSON as it came, paced, uncached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from cenports_nb.api.request_schema import check
from cenports_nb.errors import InvalidRequestError

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


class Endpoints:
    """`client.api`: the documented calls, thin.

    Types and sizes are checked before anything is sent. Nothing is written into the journal: for safe writes
    use `submit_updates` and its neighbours. A write makes the cache stale; a read-only client refuses it.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def authorize(self) -> None:
        """POST /authorize, if there is no token yet; the token itself stays inside the client."""
        self._client.session.token.header()

    def get_orders(self, **parameters: Any) -> Any:
        """GET /orders: `channelId orders limit startDate endDate isAcknowledged isPaginated`, all optional."""
        return self._get("/orders", parameters)

    def create_orders(self, *, channel_id: str, orders: Sequence[Mapping[str, Any]]) -> Any:
        """POST /orders: the transaction."""
        return self._write("POST", "/orders", {"channelId": channel_id, "orders": list(orders)})

    def acknowledge_orders(self, *, channel_id: str, orders: Sequence[str]) -> Any:
        """PATCH /orders/acknowledge: done when it returns."""
        for number in orders:
            if "," in number:
                raise InvalidRequestError(f"The order number {number!r} has a comma: it can't be sent in a list.")
        return self._write("PATCH", "/orders/acknowledge", {"channelId": channel_id, "orders": ",".join(orders)})

    def get_channels(self) -> Any:
        """GET /channels."""
        return self._get("/channels", {})

    def create_channel(self, **fields: Any) -> Any:
        """POST /channels: `channelName contactInfo …`, as the reference has them."""
        return self._write("POST", "/channels", fields)

    def get_shipments(self, **parameters: Any) -> Any:
        """GET /shipments: `channelId orders startDate endDate limit acknowledged`."""
        return self._get("/shipments", parameters)

    def acknowledge_shipments(self, *, orders: Sequence[str]) -> Any:
        """PATCH /shipments/acknowledge: the transaction."""
        return self._write("PATCH", "/shipments/acknowledge", {"shipments": [{"orderNo": number} for number in orders]})

    def get_inventories(self, **parameters: Any) -> Any:
        """GET /inventories: `channelId`, or `actualStock=True`; `warehouseCode`."""
        return self._get("/inventories", parameters)

    def update_inventories(self, *, warehouse_code: str, inventories: Sequence[Mapping[str, Any]]) -> Any:
        """PATCH /inventories: the transaction."""
        return self._write("PATCH", "/inventories", {"warehouseCode": warehouse_code, "inventories": list(inventories)})

    def get_transaction(self, handle: str) -> Any:
        """GET /transaction."""
        return self._get("/transaction", {"handle": handle})

    def _get(self, path: str, parameters: Mapping[str, Any]) -> Any:
        self._check(f"GET {path}", parameters)
        return msgspec.json.decode(self._client.get(path, parameters).body)

    def _write(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        self._client.check_writable(f"{method} {path}")
        self._check(f"{method} {path}", body)
        # Nobody follows this write, so the cache counts it as under way until it must have landed.
        self._client.write_started(f"api-{uuid4()}")
        return msgspec.json.decode(self._client.send(method, path, body).body)

    def _check(self, call: str, body: Mapping[str, Any]) -> None:
        check(call, {"partnerId": self._client.settings.partner_id, **body}, self._client.dialect.sizes)
