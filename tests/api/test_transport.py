"""Test harmful answers: each ends in its own error, in bounded time and memory, and isn't cached."""

import gzip
import resource
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.fake_clock import FakeClock
from support.raw_server import Behave, RawServer, head
from support.scripted_server import SECRET, TOKEN, Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.api.http import adapter, transport
from cenports_nb.api.http.cache import list_accounts
from cenports_nb.errors import ApiError, TransportError, UnexpectedAnswerError

Connect = Callable[..., Client]
BODY = b'{"data": [{"channelId": "A"}]}'
Serve = Callable[[Behave], RawServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    opened: list[RawServer] = []

    def start(behave: Behave) -> RawServer:
        opened.append(RawServer(behave))
        return opened[-1]

    yield start
    for server in opened:
        server.close()


def _says(*pieces: bytes) -> Behave:
    def behave(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return behave


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


PACKED = gzip.compress(BODY)


@pytest.mark.parametrize(
    "behave",
    [
        _says(),
        _says(b"HTTP/1.1 200 OK\r\nContent-Type: appl"),
        _says(b"\x00\x01\x02 this is no HTTP\r\n\r\n"),
        _says(head(len(BODY)), BODY[:12]),
        _says(head(None), BODY[:12]),
        _says(head(12), BODY),
        _says(head(0)),
        _says(head(None, "Transfer-Encoding: chunked"), _chunked(BODY[:12])),
        _says(head(None, "Transfer-Encoding: chunked"), b"zz\r\n", BODY),
        _says(head(len(PACKED), "Content-Encoding: gzip"), PACKED[:-12]),
        _says(head(len(BODY), "Content-Encoding: gzip"), BODY),
        _says(head(16), b"<html>hi</html> "),
        _says(head(4), b"\xff\xfe\xfd\xfc"),
        _says(head(len(BODY) + 2), BODY + b"]]"),
        _says(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
    ],
    ids=[
        "dropped", "cut in the headers", "no HTTP", "cut", "no length, cut", "length too small", "empty", "chunks cut",
        "chunks of no size", "gzip cut", "no gzip", "html", "garbage", "more than JSON", "too many headers",
    ],
)  # fmt: skip
def test_a_broken_answer_is_an_error_and_not_cached(serve: Serve, staging: Connect, home: Path, behave: Behave) -> None:
    """The error names the request without the token, and a read is tried again."""
    server = serve(behave)
    with pytest.raises(TransportError, match=r"GET /v2/channels .*try again|check the network") as caught:
        cn.load_channels(staging(base_url=server.url))
    assert "\n" not in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert len([request for request in server.requests if b"/channels" in request]) == 4
    assert list_accounts(home) == []


def _drips(head_too: bool) -> Behave:
    def behave(connection: socket.socket) -> None:
        whole = head(len(BODY)) + BODY
        if not head_too:
            connection.sendall(head(len(BODY)))
            whole = BODY
        for i in range(len(whole)):
            connection.sendall(whole[i : i + 1])
            time.sleep(0.05)

    return behave


@pytest.mark.parametrize("head_too", [False, True], ids=["body", "headers"])
def test_a_slow_answer_meets_the_deadline(
    serve: Serve, staging: Connect, monkeypatch: pytest.MonkeyPatch, head_too: bool
) -> None:
    """Each byte comes in time, but the whole answer never would."""
    monkeypatch.setattr(adapter, "CALL_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(adapter, "MAX_TRIES", 1)
    client = staging(base_url=serve(_drips(head_too)).url)
    client.api.authorize()
    before = time.monotonic()
    with pytest.raises(TransportError, match="was not answered whole in 0 s: stopped reading"):
        cn.load_channels(client)
    assert time.monotonic() - before < 60


def test_silence_meets_the_deadline(serve: Serve, staging: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server sends nothing and keeps the connection open."""
    monkeypatch.setattr(adapter, "CALL_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(adapter, "MAX_TRIES", 1)
    never = threading.Event()
    server = serve(lambda _: bool(never.wait(20)) and None)
    client = staging(base_url=server.url)
    client.api.authorize()
    with pytest.raises(TransportError, match="was not answered"):
        cn.load_channels(client)
    never.set()


@pytest.mark.slow
def test_a_gzip_bomb_is_not_unpacked(
    serve: Serve, staging: Connect, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """An answer of a few hundred kilobytes that unpacks to 300 MB is read only up to the size limit."""
    monkeypatch.setattr(adapter, "MAX_TRIES", 1)
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b" " * 2**20) for _ in range(300)) + packer.flush()
    server = serve(_says(head(len(bomb), "Content-Encoding: gzip"), bomb))
    client = staging(base_url=server.url)
    client.api.authorize()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(TransportError, match="more than 128 MiB"):
        cn.load_channels(client)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2.5 * transport.MAX_BODY_BYTES / 1024
    assert list_accounts(home) == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: ScriptedServer, staging: Connect, status: int) -> None:
    """The other host gets no request and no token."""
    other = ScriptedServer()
    server.on("GET /channels", Reply(status=status, headers={"Location": f"{other.url}/channels"}))
    with pytest.raises(ApiError, match=f"with {status}"):
        cn.load_channels(staging())
    other.close()
    assert other.requests == []


@pytest.mark.parametrize(
    "url", ["https://evil.example/v2/orders?page=2", "//evil.example/x", "http://127.0.0.1:1/v2/orders", "http://[bad"]
)
def test_a_page_elsewhere_is_refused(server: ScriptedServer, staging: Connect, url: str) -> None:
    """Nothing is sent to another host, scheme or port."""
    order = {"orderNo": "1", "orderDate": "2026-03-01T10:01:00Z", "channelId": "X"}
    server.on("GET /orders", Reply({"data": [order], "next_page_url": url, "total": 2}))
    with pytest.raises(UnexpectedAnswerError, match="points to another host"):
        cn.load_orders(staging(), "2026-03-01", "2026-03-02")
    assert len(server.of("GET /orders")) == 1


def test_a_page_given_without_its_host_is_on_this_one(server: ScriptedServer, staging: Connect) -> None:
    """A link may be a path alone; parameters that it repeats are sent once."""
    orders = [{"orderNo": str(i), "orderDate": "2026-03-01T10:01:00Z", "channelId": "X"} for i in (1, 2)]
    server.on(
        "GET /orders",
        Reply({"data": orders[:1], "next_page_url": "/v2/orders?page=2&limit=300", "total": 2}),
        Reply({"data": orders[1:], "next_page_url": None, "total": 2}),
    )
    assert len(cn.load_orders(staging(), "2026-03-01", "2026-03-02")) == 2
    assert server.of("GET /orders")[1].query == {"page": "2", "limit": "300"}


def test_threads_use_a_connection_each(server: ScriptedServer, staging: Connect) -> None:
    """Pages read at the same time use several connections, each with its deadline."""
    client = staging(FakeClock())
    server.on("GET /orders", lambda seen: Reply({"data": [{"orderNo": str(seen.body["n"])}]}))
    found: list[bytes] = []

    def ask(number: int) -> None:
        found.append(client.get("/orders", {"n": number}).body)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({*found}) == 24
    assert SECRET not in repr(client)
