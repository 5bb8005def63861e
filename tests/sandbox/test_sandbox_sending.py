"""Test faults of connections: bytes that are missing, late, or too many."""

import gzip
import http.client
import json
import socket
import threading
import time
import zlib
from typing import Any

import pytest
from support.sandbox_requests import SandboxClient, new_order

from cenports_nb.sandbox import Sandbox


def split_response(answer: bytes) -> tuple[dict[str, str], bytes]:
    """Take an answer apart: its headers, and its body as it came."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    return dict(line.split(": ", 1) for line in lines[1:]), body


@pytest.fixture
def full_body(sandbox_client: SandboxClient) -> bytes:
    """The body as it is without a fault."""
    body = split_response(sandbox_client.read_until_closed())[1]
    assert len(body) > 10_000
    return body


@pytest.mark.parametrize("kind", ["drop", "lost"])
def test_a_connection_without_an_answer(sandbox_client: SandboxClient, kind: str) -> None:
    """It ends properly, and there is no status to record."""
    sandbox_client.sandbox.faults.add(kind)
    assert sandbox_client.read_until_closed() == b""
    assert (sandbox_client.sandbox.requests[-1].status, sandbox_client.sandbox.requests[-1].fault) == (0, kind)
    assert sandbox_client.get("/orders").status == 200


def test_a_reset_connection(sandbox_client: SandboxClient) -> None:
    """It ends improperly."""
    sandbox_client.sandbox.faults.add("reset", times=5)
    for _ in range(5):
        with pytest.raises(ConnectionResetError):
            sandbox_client.read_until_closed()
    assert sandbox_client.sandbox.requests[-1].status == 0
    assert sandbox_client.read_until_closed()


def test_headers_that_are_cut(sandbox_client: SandboxClient) -> None:
    """The status is there, the end of the headers is not."""
    sandbox_client.sandbox.faults.add("cut_headers")
    answer = sandbox_client.read_until_closed()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\n\r\n" not in answer
    assert sandbox_client.sandbox.requests[-1].status == 200


def test_a_body_that_is_cut(sandbox_client: SandboxClient, full_body: bytes) -> None:
    """Its length is said rightly, and half of it comes."""
    sandbox_client.sandbox.faults.add("cut")
    headers, body = split_response(sandbox_client.read_until_closed())
    assert int(headers["Content-Length"]) == len(full_body)
    assert body == full_body[: len(full_body) // 2]


def test_a_body_without_a_length(sandbox_client: SandboxClient, full_body: bytes) -> None:
    """It ends with the connection, in the middle."""
    sandbox_client.sandbox.faults.add("no_length")
    headers, body = split_response(sandbox_client.read_until_closed())
    assert "Content-Length" not in headers
    assert headers["Connection"] == "close"
    assert body == full_body[: len(full_body) // 2]


def test_a_length_that_is_too_short(sandbox_client: SandboxClient, full_body: bytes) -> None:
    """The body is longer."""
    sandbox_client.sandbox.faults.add("short_length")
    headers, body = split_response(sandbox_client.read_until_closed())
    assert int(headers["Content-Length"]) == len(full_body) // 2
    assert body == full_body


def test_json_that_is_cut(sandbox_client: SandboxClient, full_body: bytes) -> None:
    """For HTTP it is whole, and the connection goes on."""
    sandbox_client.sandbox.faults.add("cut_json")
    answer = sandbox_client.send_raw("GET", "/v2/orders", b'{"partnerId":"SANDBOX"}', **sandbox_client.authorization)
    assert answer.body == full_body[: len(full_body) // 2]
    assert sandbox_client.get("/orders").status == 200


def test_gzip_that_is_cut(sandbox_client: SandboxClient, full_body: bytes) -> None:
    """For HTTP it is whole; what can be unpacked is the beginning."""
    sandbox_client.sandbox.faults.add("cut_gzip")
    answer = sandbox_client.send_raw("GET", "/v2/orders", b'{"partnerId":"SANDBOX"}', **sandbox_client.authorization)
    assert answer.headers["Content-Encoding"] == "gzip"
    with pytest.raises(EOFError):
        gzip.decompress(answer.body)
    unpacked = zlib.decompressobj(wbits=31).decompress(answer.body)
    assert 100 < len(unpacked) < len(full_body)
    assert full_body.startswith(unpacked)


@pytest.mark.parametrize("size", [0, 11, 12, 5_000_000])
def test_a_bomb(sandbox_client: SandboxClient, size: int) -> None:
    """It is small, and holds as much JSON as the test wants."""
    sandbox_client.sandbox.faults.add("bomb", size=size)
    answer = sandbox_client.send_raw("GET", "/v2/orders", b'{"partnerId":"SANDBOX"}', **sandbox_client.authorization)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.body) < 10_000
    unpacked = gzip.decompress(answer.body)
    assert len(unpacked) == max(size, 11)
    assert json.loads(unpacked) == {"data": []}
    assert sandbox_client.get("/orders").status == 200


def test_a_bomb_that_nobody_takes(sandbox_client: SandboxClient) -> None:
    """Three hundred megabytes begin at once, and closing the sandbox does not wait for them."""
    sandbox_client.sandbox.faults.add("bomb")
    connection = start(sandbox_client, "/orders")
    assert connection.recv(9) == b"HTTP/1.1 "
    assert seconds_to_close(sandbox_client.sandbox) < 2
    connection.close()


def start(sandbox_client: SandboxClient, path: str = "/channels") -> socket.socket:
    """Send a request, see it arrive, and leave the answer to itself."""
    connection = socket.create_connection(("127.0.0.1", sandbox_client.connection.port), timeout=20)
    before = len(sandbox_client.sandbox.requests)
    head = f"GET /v2{path}?partnerId=SANDBOX HTTP/1.1\r\nAuthorization: Bearer {sandbox_client.token}\r\n\r\n"
    connection.sendall(head.encode())
    while len(sandbox_client.sandbox.requests) == before:
        threading.Event().wait(0.001)
    return connection


def seconds_to_close(sandbox: Sandbox) -> float:
    before = time.monotonic()
    sandbox.close()
    return time.monotonic() - before


def test_a_slow_answer(sandbox_client: SandboxClient, full_body: bytes) -> None:
    """It is whole in the end."""
    sandbox_client.sandbox.faults.add("slow", seconds=0.05)
    before = time.monotonic()
    assert split_response(sandbox_client.read_until_closed())[1] == full_body
    assert time.monotonic() - before >= 0.05


@pytest.mark.parametrize("headers", [False, True])
def test_an_answer_in_drops(sandbox_client: SandboxClient, headers: bool) -> None:
    """It comes byte by byte, and is whole in the end."""
    fault = sandbox_client.sandbox.faults.add("drip", "GET /orders", seconds=0.0001, headers=headers)
    answer = sandbox_client.read_until_closed("/orders", orders="10248")
    assert json.loads(split_response(answer)[1])["data"][0]["orderNo"] == "10248"
    assert fault.count == 1


@pytest.mark.parametrize(("kind", "seconds"), [("slow", 3600), ("drip", 3600)])
def test_closing_in_the_middle(sandbox_client: SandboxClient, kind: str, seconds: float) -> None:
    """A sandbox that ends does not wait for an answer that is late."""
    sandbox_client.sandbox.faults.add(kind, "GET /channels", seconds=seconds)
    connection = start(sandbox_client)
    assert seconds_to_close(sandbox_client.sandbox) < 2
    connection.close()


@pytest.mark.parametrize("kind", ["drip", "bomb", "cut", "short_length", "html"])
def test_a_fault_without_a_body(sandbox_client: SandboxClient, kind: str) -> None:
    """HEAD has none, whatever happens."""
    sandbox_client.sandbox.faults.add(kind, "*", **({"seconds": 0.0} if kind == "drip" else {}))
    connection = http.client.HTTPConnection("127.0.0.1", sandbox_client.connection.port, timeout=20)
    connection.request("HEAD", "/v2/orders")
    assert connection.getresponse().read() == b""
    connection.close()


WRITES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "PATCH",
        "/inventories",
        {
            "warehouseCode": "NW-EAST",
            "inventories": [{"productSKU": sku, "type": "TRUE_UP", "quantity": 7} for sku in ("0001", "0002")],
        },
    ),
    ("POST", "/orders", {"channelId": "NW-EU", "orders": [new_order("N-1"), new_order("N-2")]}),
    ("PATCH", "/shipments/acknowledge", {"shipments": [{"orderNo": "11011"}, {"orderNo": "11014"}]}),
]
UNDONE = ("drop", "reset", "server_error", "bad_gateway", "unavailable", "too_many", "unauthorized", "html", "empty")
DONE = ("lost", "cut", "cut_headers", "cut_json", "cut_gzip", "no_length", "short_length", "slow")


@pytest.mark.parametrize(("method", "path", "params"), WRITES)
@pytest.mark.parametrize("kind", UNDONE + DONE)
def test_a_write_with_a_fault(
    sandbox_client: SandboxClient, kind: str, method: str, path: str, params: dict[str, Any]
) -> None:
    """It takes effect, and only the answer suffers, or nothing has happened at all."""
    sandbox_client.sandbox.faults.add(kind, f"{method} {path}", **({"seconds": 0.0} if kind == "slow" else {}))
    if kind == "reset":
        with pytest.raises(ConnectionResetError):
            sandbox_client.read_until_closed(path, method, **params)
    else:
        sandbox_client.read_until_closed(path, method, **params)
    assert len(sandbox_client.sandbox.state.transactions) == (kind in DONE)
    if path == "/inventories":
        sandbox_client.sandbox.clock.advance(3)
        assert (sandbox_client.actual()["NW-EAST", "0001"] == 7) == (kind in DONE)


def test_an_acknowledgement_that_is_lost(sandbox_client: SandboxClient) -> None:
    """It holds all the same."""
    sandbox_client.sandbox.faults.add("lost", "PATCH /orders/acknowledge")
    assert sandbox_client.read_until_closed("/orders/acknowledge", "PATCH", channelId="NW-EU", orders="11008") == b""
    assert len(sandbox_client.get("/orders", isAcknowledged=False).data) == 20


@pytest.mark.parametrize(("method", "path", "params"), WRITES)
@pytest.mark.parametrize("call", ["*", None])
def test_rows_that_fail(
    sandbox_client: SandboxClient, call: str | None, method: str, path: str, params: dict[str, Any]
) -> None:
    """The write is answered as full_body and ends FAILED; the other rows are applied."""
    options: dict[str, Any] = {} if call else {"rows": (1, 9), "message": "No."}
    fault = sandbox_client.sandbox.faults.add("failed_rows", call or f"{method} {path}", **options)
    before = sandbox_client.actual()
    sandbox_client.get("/orders")
    assert fault.count == 0
    submitted = sandbox_client.call(method, path, **params)
    assert (submitted.body["status"], sandbox_client.sandbox.requests[-1].fault) == ("QUEUED", "failed_rows")
    outcome = sandbox_client.finish_transaction(submitted)
    row, text = (0, "The row was refused.") if call else (1, "No.")
    assert (outcome["status"], outcome["errors"]) == ("FAILED", [{"index": row, "message": text}])
    assert fault.count == 1
    if path == "/inventories":
        sku = "0002" if call else "0001"
        assert sandbox_client.actual() == {**before, ("NW-EAST", sku): 7}
    if path == "/orders":
        orders = sandbox_client.get("/orders", orders="N-1,N-2").data
        assert [order["orderNo"] for order in orders] == ["N-2" if call else "N-1"]
    again = sandbox_client.finish_transaction(sandbox_client.call(method, path, **params))
    assert again["status"] == ("FAILED" if path == "/orders" else "COMPLETED")


def test_rows_that_fail_with_all_others(sandbox_client: SandboxClient) -> None:
    """Where a FAILED transaction applies nothing, a fault is no exception."""
    sandbox_client.set_dialect(failed_applies="nothing")
    before = sandbox_client.actual()
    sandbox_client.sandbox.faults.add("failed_rows", "PATCH /inventories")
    assert sandbox_client.finish_transaction(sandbox_client.call(*WRITES[0][:2], **WRITES[0][2]))["status"] == "FAILED"
    assert sandbox_client.actual() == before


def test_a_latency_that_is_set_later(sandbox_client: SandboxClient) -> None:
    """It counts from the next answer on."""
    sandbox_client.sandbox.latency = 0.03
    before = time.monotonic()
    sandbox_client.get("/orders")
    assert time.monotonic() - before >= 0.03
    sandbox_client.sandbox.latency = 0
    assert sandbox_client.get("/orders").status == 200
