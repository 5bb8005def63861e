"""A minimal HTTP client for the sandbox, and an order to send."""

import http.client
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Dialect, Sandbox

CREDENTIALS = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
NOON = datetime(2025, 6, 15, 12, tzinfo=UTC)


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Any

    @property
    def data(self) -> Any:
        assert self.status == 200, self.body
        return self.body["data"]

    @property
    def errors(self) -> Any:
        assert self.status == 422, self.body
        assert self.body["message"] == "The given data was invalid."
        return self.body["errors"]


class SandboxClient:
    """One keep-alive connection with a token."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.connection = http.client.HTTPConnection("127.0.0.1", urlsplit(sandbox.url).port, timeout=20)
        self.token: str | None = None

    def send_raw(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Send a request; the body of the answer is as it came."""
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        return Answer(response.status, response.read(), response.headers)

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        answer = self.send_raw(method, path, body, **headers)
        return answer._replace(body=json.loads(answer.body) if answer.body else None)

    def call(self, method: str, path: str, /, **params: Any) -> Answer:
        """Call an end point as the partner, with parameters in the body."""
        body = json.dumps({"partnerId": PARTNER_ID, **params}).encode()
        return self.send(method, f"/v2{path}", body, **self.authorization)

    def get(self, path: str, /, **params: Any) -> Answer:
        return self.call("GET", path, **params)

    def read_until_closed(self, path: str = "/orders", method: str = "GET", /, **params: Any) -> bytes:
        """Send a request on a connection of its own and return every byte until its end."""
        body = json.dumps({"partnerId": PARTNER_ID, **params})
        head = f"{method} /v2{path} HTTP/1.1\r\nAuthorization: Bearer {self.token}\r\nConnection: close\r\n"
        address = ("127.0.0.1", urlsplit(self.sandbox.url).port or 0)
        with socket.create_connection(address, timeout=20) as connection:
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def get_by_query(self, path: str, /, **params: Any) -> Answer:
        """Get an end point as the partner, with parameters in the query."""
        query = urlencode({"partnerId": PARTNER_ID, **params})
        return self.send("GET", f"/v2{path}?{query}", **self.authorization)

    def set_dialect(self, **changes: Any) -> "SandboxClient":
        """Give the sandbox another dialect."""
        self.sandbox.dialect = Dialect(**changes)
        return self

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def log_in(self) -> "SandboxClient":
        answer = self.send("POST", "/v2/authorize", json.dumps(CREDENTIALS).encode())
        self.token = answer.body["access_token"]
        return self

    def transaction(self, submitted: Answer) -> Any:
        assert submitted.status == 200, submitted.body
        return self.get("/transaction", handle=submitted.body["handle"]).body

    def finish_transaction(self, submitted: Answer) -> Any:
        """Move the clock past the transaction's end and say how it went."""
        self.sandbox.clock.advance(3)
        return self.transaction(submitted)

    def actual(self) -> dict[tuple[str, str], int]:
        return stock(self.get("/inventories", actualStock=True).data)

    def available(self, channel_id: str = "NW-EU") -> dict[tuple[str, str], int]:
        return stock(self.get("/inventories", channelId=channel_id).data)


def stock(warehouses: Any) -> dict[tuple[str, str], int]:
    return {
        (warehouse["warehouseCode"], row["productSku"]): int(row["quantity"])
        for warehouse in warehouses
        for row in warehouse["warehouseInventory"]
    }


def open_client(sandbox: Sandbox) -> Iterator[SandboxClient]:
    with sandbox:
        sandbox_client = SandboxClient(sandbox)
        try:
            yield sandbox_client.log_in()
        finally:
            sandbox_client.connection.close()


def new_order(number: str = "N-1", **changes: Any) -> dict[str, Any]:
    order: dict[str, Any] = {
        "orderNo": number,
        "orderDate": "2025-06-14",
        "customerName": "Jon Doe",
        "shipTo": {
            "address1": "1742 Sabre Street",
            "city": "Hayward",
            "state": "CA",
            "country": "US",
            "postalCode": "04545",
        },
        "shippingInfo": {"carrierCode": "ANY", "serviceLevel": "Ground"},
        "lineItems": [{"sku": "0001", "quantity": 2, "consumerPrice": 20.0, "subTotal": 40.0}],
        "grandTotal": 40.0,
    }
    return {**order, **changes}
