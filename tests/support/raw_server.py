"""A server of plain sockets, for answers that no HTTP library would send."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable

from support.scripted_server import TOKEN

Behave = Callable[[socket.socket], None]


class RawServer:
    """Gives a token like any other, and then does with each connection what the test says."""

    def __init__(self, behave: Behave) -> None:
        self.requests: list[bytes] = []
        self.closing = threading.Event()
        self._behave = behave
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v2"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.closing.set()
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65536)
            self.requests.append(request)
            if b"/authorize" in request:
                body = json.dumps({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}).encode()
                connection.sendall(head(len(body)) + body)
            else:
                self._behave(connection)


def head(length: int | None, *more: str, status: str = "200 OK") -> bytes:
    """Write the head of an answer."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", "Connection: close", *more]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
