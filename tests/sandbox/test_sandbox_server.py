"""Test the server: start, stop, concurrent connections, and clients that disconnect."""

import http.client
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from support.sandbox_requests import SandboxClient

from cenports_nb.sandbox import Sandbox


def port(sandbox: Sandbox) -> int:
    found = urlsplit(sandbox.url).port
    assert found is not None
    return found


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("cenports-sandbox")]


def test_closing() -> None:
    """The port is free, no thread is left, and a second time does nothing."""
    sandbox = Sandbox().start()
    assert sandbox.start() is sandbox
    number = port(sandbox)
    sandbox_client = SandboxClient(sandbox).log_in()  # its idle connection is ended too
    sandbox.close()
    sandbox.close()
    sandbox_client.connection.close()
    with socket.create_server(("127.0.0.1", number)):
        pass
    assert threads() == []


def test_a_port_of_ones_own() -> None:
    """It is used, and a second sandbox on it is refused."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        number = probe.getsockname()[1]
    with Sandbox(port=number) as sandbox:
        assert sandbox.url == f"http://127.0.0.1:{number}/v2"
        with pytest.raises(OSError, match="in use"):
            Sandbox(port=number).start()


def test_a_sandbox_that_was_not_started() -> None:
    """It has no address, can be closed, and says what it is."""
    sandbox = Sandbox()
    sandbox.close()
    assert repr(sandbox) == "<Sandbox not started, 830 orders>"
    with pytest.raises(RuntimeError, match="start"):
        _ = sandbox.url


def test_starting_again() -> None:
    """The account is as it was."""
    sandbox = Sandbox(orders=5)
    for _ in range(2):
        with sandbox:
            sandbox_client = SandboxClient(sandbox).log_in()
            sandbox_client.connection.close()
    assert len(sandbox.requests) == 2
    assert repr(sandbox) == f"<Sandbox {sandbox.url}, 5 orders>"


def test_a_keep_alive_connection(sandbox_client: SandboxClient) -> None:
    """It serves one request after the other."""
    used = sandbox_client.connection.sock
    for _ in range(5):
        assert sandbox_client.get("/orders").status == 200
    assert sandbox_client.connection.sock is used


def test_many_at_once(sandbox_client: SandboxClient) -> None:
    """Concurrent differentials are each applied exactly once."""
    before = sandbox_client.actual()["NW-EAST", "0001"]

    def add_one(_: int) -> int:
        one = SandboxClient(sandbox_client.sandbox)
        one.token = sandbox_client.token
        rows = [{"productSKU": "0001", "type": "DIFFERENTIAL", "quantity": 1}]
        try:
            return one.call("PATCH", "/inventories", warehouseCode="NW-EAST", inventories=rows).body["id"]
        finally:
            one.connection.close()

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(add_one, range(40)))
    sandbox_client.sandbox.clock.advance(3)
    assert sorted(ids) == list(range(1, 41))
    assert sandbox_client.actual()["NW-EAST", "0001"] == before + 40


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /v2/orders HTTP/1.1\r\n",
        b"POST /v2/orders HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
        b"nonsense\r\n\r\n",
    ],
)
def test_a_client_that_goes_away(sandbox_client: SandboxClient, sent: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed, and the next one is served."""
    with socket.create_connection(("127.0.0.1", port(sandbox_client.sandbox))) as connection:
        connection.sendall(sent)
        # Linger of 0: the close is a reset, the rudest way to leave.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert sandbox_client.get("/orders").status == 200
    assert capfd.readouterr().err == ""


def test_a_head_request(sandbox_client: SandboxClient) -> None:
    """It is 405 without a body, so that the connection can go on."""
    connection = http.client.HTTPConnection("127.0.0.1", port(sandbox_client.sandbox))
    try:
        for _ in range(2):
            connection.request("HEAD", "/v2/orders")
            response = connection.getresponse()
            assert (response.status, response.read()) == (405, b"")
    finally:
        connection.close()


def test_latency() -> None:
    """Each answer takes at least so long, and closing does not wait for it."""
    with Sandbox(latency=0.02) as sandbox:
        sandbox_client = SandboxClient(sandbox)
        before = time.monotonic()
        sandbox_client.log_in()
        assert time.monotonic() - before >= 0.02
        sandbox_client.connection.close()
    with Sandbox(latency=3600) as slow, socket.create_connection(("127.0.0.1", port(slow))) as connection:
        connection.sendall(b"GET /v2/orders HTTP/1.1\r\n\r\n")
        while not slow.requests:
            threading.Event().wait(0.001)
        before = time.monotonic()
        slow.close()
        assert time.monotonic() - before < 60


def test_nothing_is_shared_between_sandboxes() -> None:
    """A token of one is none of another."""
    with Sandbox() as one, Sandbox() as other:
        sandbox_client, stranger = SandboxClient(one).log_in(), SandboxClient(other)
        stranger.token = sandbox_client.token
        assert stranger.get("/orders").status == 401
        sandbox_client.connection.close()
        stranger.connection.close()
