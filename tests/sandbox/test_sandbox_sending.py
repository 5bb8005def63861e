"""Faults on the wire: bytes that are missing, late, or too many."""

import gzip
import http.client
import json
import socket
import threading
import time
import zlib
from typing import Any

import pytest
from support.sandbox_requests import Wire, new_order

from cenports_nb.sandbox import Sandbox


def parts(answer: bytes) -> tuple[dict[str, str], bytes]:
    """Take an answer apart: its headers, and its body as it came."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    return dict(line.split(": ", 1) for line in lines[1:]), body


@pytest.fixture
def usual(wire: Wire) -> bytes:
    """The body as it is without a fault."""
    body = parts(wire.talk())[1]
    assert len(body) > 10_000
    return body


@pytest.mark.parametrize("kind", ["drop", "lost"])
def test_a_connection_without_an_answer(wire: Wire, kind: str) -> None:
    """It ends properly, and there is no status to record."""
    wire.sandbox.faults.add(kind)
    assert wire.talk() == b""
    assert (wire.sandbox.requests[-1].status, wire.sandbox.requests[-1].fault) == (0, kind)
    assert wire.get("/orders").status == 200


def test_a_reset_connection(wire: Wire) -> None:
    """It ends improperly."""
    wire.sandbox.faults.add("reset", times=5)
    for _ in range(5):
        with pytest.raises(ConnectionResetError):
            wire.talk()
    assert wire.sandbox.requests[-1].status == 0
    assert wire.talk()


def test_headers_that_are_cut(wire: Wire) -> None:
    """The status is there, the end of the headers is not."""
    wire.sandbox.faults.add("cut_headers")
    answer = wire.talk()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\n\r\n" not in answer
    assert wire.sandbox.requests[-1].status == 200


def test_a_body_that_is_cut(wire: Wire, usual: bytes) -> None:
    """Its length is said rightly, and half of it comes."""
    wire.sandbox.faults.add("cut")
    headers, body = parts(wire.talk())
    assert int(headers["Content-Length"]) == len(usual)
    assert body == usual[: len(usual) // 2]


def test_a_body_without_a_length(wire: Wire, usual: bytes) -> None:
    """It ends with the connection, in the middle."""
    wire.sandbox.faults.add("no_length")
    headers, body = parts(wire.talk())
    assert "Content-Length" not in headers
    assert headers["Connection"] == "close"
    assert body == usual[: len(usual) // 2]


def test_a_length_that_is_too_short(wire: Wire, usual: bytes) -> None:
    """The body is longer."""
    wire.sandbox.faults.add("short_length")
    headers, body = parts(wire.talk())
    assert int(headers["Content-Length"]) == len(usual) // 2
    assert body == usual


def test_json_that_is_cut(wire: Wire, usual: bytes) -> None:
    """For HTTP it is whole, and the connection goes on."""
    wire.sandbox.faults.add("cut_json")
    answer = wire.raw("GET", "/v2/orders", b'{"partnerId":"SANDBOX"}', **wire.authorization)
    assert answer.body == usual[: len(usual) // 2]
    assert wire.get("/orders").status == 200


def test_gzip_that_is_cut(wire: Wire, usual: bytes) -> None:
    """For HTTP it is whole; what can be unpacked is the beginning."""
    wire.sandbox.faults.add("cut_gzip")
    answer = wire.raw("GET", "/v2/orders", b'{"partnerId":"SANDBOX"}', **wire.authorization)
    assert answer.headers["Content-Encoding"] == "gzip"
    with pytest.raises(EOFError):
        gzip.decompress(answer.body)
    unpacked = zlib.decompressobj(wbits=31).decompress(answer.body)
    assert 100 < len(unpacked) < len(usual)
    assert usual.startswith(unpacked)


@pytest.mark.parametrize("size", [0, 11, 12, 5_000_000])
def test_a_bomb(wire: Wire, size: int) -> None:
    """It is small, and holds as much JSON as it is told to."""
    wire.sandbox.faults.add("bomb", size=size)
    answer = wire.raw("GET", "/v2/orders", b'{"partnerId":"SANDBOX"}', **wire.authorization)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.body) < 10_000
    unpacked = gzip.decompress(answer.body)
    assert len(unpacked) == max(size, 11)
    assert json.loads(unpacked) == {"data": []}
    assert wire.get("/orders").status == 200


def test_a_bomb_that_nobody_takes(wire: Wire) -> None:
    """Three hundred megabytes begin at once, and closing the sandbox does not wait for them."""
    wire.sandbox.faults.add("bomb")
    connection = start(wire, "/orders")
    assert connection.recv(9) == b"HTTP/1.1 "
    assert seconds_to_close(wire.sandbox) < 2
    connection.close()


def start(wire: Wire, path: str = "/channels") -> socket.socket:
    """Send a request, see it arrive, and leave the answer to itself."""
    connection = socket.create_connection(("127.0.0.1", wire.connection.port), timeout=20)
    before = len(wire.sandbox.requests)
    head = f"GET /v2{path}?partnerId=SANDBOX HTTP/1.1\r\nAuthorization: Bearer {wire.token}\r\n\r\n"
    connection.sendall(head.encode())
    while len(wire.sandbox.requests) == before:
        threading.Event().wait(0.001)
    return connection


def seconds_to_close(sandbox: Sandbox) -> float:
    before = time.monotonic()
    sandbox.close()
    return time.monotonic() - before


def test_a_slow_answer(wire: Wire, usual: bytes) -> None:
    """It is whole in the end."""
    wire.sandbox.faults.add("slow", seconds=0.05)
    before = time.monotonic()
    assert parts(wire.talk())[1] == usual
    assert time.monotonic() - before >= 0.05


@pytest.mark.parametrize("headers", [False, True])
def test_an_answer_in_drops(wire: Wire, headers: bool) -> None:
    """It comes byte by byte, and is whole in the end."""
    fault = wire.sandbox.faults.add("drip", "GET /orders", seconds=0.0001, headers=headers)
    answer = wire.talk("/orders", orders="10248")
    assert json.loads(parts(answer)[1])["data"][0]["orderNo"] == "10248"
    assert fault.count == 1


@pytest.mark.parametrize(("kind", "seconds"), [("slow", 3600), ("drip", 3600)])
def test_closing_in_the_middle(wire: Wire, kind: str, seconds: float) -> None:
    """A sandbox that ends does not wait for an answer that is late."""
    wire.sandbox.faults.add(kind, "GET /channels", seconds=seconds)
    connection = start(wire)
    assert seconds_to_close(wire.sandbox) < 2
    connection.close()


@pytest.mark.parametrize("kind", ["drip", "bomb", "cut", "short_length", "html"])
def test_a_fault_without_a_body(wire: Wire, kind: str) -> None:
    """HEAD has none, whatever happens."""
    wire.sandbox.faults.add(kind, "*", **({"seconds": 0.0} if kind == "drip" else {}))
    connection = http.client.HTTPConnection("127.0.0.1", wire.connection.port, timeout=20)
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
def test_a_write_that_is_struck(wire: Wire, kind: str, method: str, path: str, params: dict[str, Any]) -> None:
    """It takes effect, and only the answer suffers, or nothing has happened at all."""
    wire.sandbox.faults.add(kind, f"{method} {path}", **({"seconds": 0.0} if kind == "slow" else {}))
    if kind == "reset":
        with pytest.raises(ConnectionResetError):
            wire.talk(path, method, **params)
    else:
        wire.talk(path, method, **params)
    assert len(wire.sandbox.state.transactions) == (kind in DONE)
    if path == "/inventories":
        wire.sandbox.clock.advance(3)
        assert (wire.actual()["NW-EAST", "0001"] == 7) == (kind in DONE)


def test_an_acknowledgement_that_is_lost(wire: Wire) -> None:
    """It holds all the same."""
    wire.sandbox.faults.add("lost", "PATCH /orders/acknowledge")
    assert wire.talk("/orders/acknowledge", "PATCH", channelId="NW-EU", orders="11008") == b""
    assert len(wire.get("/orders", isAcknowledged=False).data) == 20


@pytest.mark.parametrize(("method", "path", "params"), WRITES)
@pytest.mark.parametrize("call", ["*", None])
def test_rows_that_fail(wire: Wire, call: str | None, method: str, path: str, params: dict[str, Any]) -> None:
    """The write is answered as usual and ends FAILED; the other rows are applied."""
    options: dict[str, Any] = {} if call else {"rows": (1, 9), "message": "No."}
    fault = wire.sandbox.faults.add("failed_rows", call or f"{method} {path}", **options)
    before = wire.actual()
    wire.get("/orders")
    assert fault.count == 0
    submitted = wire.call(method, path, **params)
    assert (submitted.body["status"], wire.sandbox.requests[-1].fault) == ("QUEUED", "failed_rows")
    outcome = wire.settled(submitted)
    row, text = (0, "The row was refused.") if call else (1, "No.")
    assert (outcome["status"], outcome["errors"]) == ("FAILED", [{"index": row, "message": text}])
    assert fault.count == 1
    if path == "/inventories":
        sku = "0002" if call else "0001"
        assert wire.actual() == {**before, ("NW-EAST", sku): 7}
    if path == "/orders":
        orders = wire.get("/orders", orders="N-1,N-2").data
        assert [order["orderNo"] for order in orders] == ["N-2" if call else "N-1"]
    again = wire.settled(wire.call(method, path, **params))
    assert again["status"] == ("FAILED" if path == "/orders" else "COMPLETED")


def test_rows_that_fail_with_all_others(wire: Wire) -> None:
    """Where a FAILED transaction applies nothing, a fault is no exception."""
    wire.speak(failed_applies="nothing")
    before = wire.actual()
    wire.sandbox.faults.add("failed_rows", "PATCH /inventories")
    assert wire.settled(wire.call(*WRITES[0][:2], **WRITES[0][2]))["status"] == "FAILED"
    assert wire.actual() == before


def test_a_latency_that_is_set_later(wire: Wire) -> None:
    """It counts from the next answer on."""
    wire.sandbox.latency = 0.03
    before = time.monotonic()
    wire.get("/orders")
    assert time.monotonic() - before >= 0.03
    wire.sandbox.latency = 0
    assert wire.get("/orders").status == 200
