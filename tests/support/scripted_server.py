"""A server that answers what a test wrote down, for all that a well-behaved one never says."""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

TOKEN = "token-that-nobody-may-see"
SECRET = "secret-that-nobody-may-see"


@dataclass(frozen=True)
class ReceivedRequest:
    """A request that arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """One answer: JSON or bytes, whole, cut short of its Content-Length, or instead a reset or an end without a byte."""

    body: Any = field(default_factory=lambda: {"data": []})
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    reset: bool = False
    dropped: bool = False

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Answer = Reply | Callable[[ReceivedRequest], Reply]


class ScriptedServer:
    """Answers each end point with the next of its answers; the last one repeats."""

    def __init__(self) -> None:
        self.requests: list[ReceivedRequest] = []
        self._answers: dict[str, list[Answer]] = {}
        self.on("POST /authorize", Reply({"token_type": "Bearer", "expires_in": 86400, "access_token": TOKEN}))
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                server.answer(self)

            do_GET = do_POST = do_PATCH = answer  # noqa: N815 - http.server's names

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v2"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def on(self, call: str, *answers: Answer) -> "ScriptedServer":
        """Answer a call such as `GET /orders` so from now on."""
        self._answers[call] = list(answers)
        return self

    def of(self, call: str) -> list[ReceivedRequest]:
        """The requests of one call that arrived."""
        return [seen for seen in self.requests if f"{seen.method} {seen.path}" == call]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.socket.shutdown(socket.SHUT_RDWR)  # wakes the accept loop, where the system can
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        raw = handler.rfile.read(length)
        target, _, query = handler.path.partition("?")
        seen = ReceivedRequest(
            handler.command,
            target.removeprefix("/v2"),
            dict(parse_qsl(query)),
            json.loads(raw) if raw else None,
            dict(handler.headers),
        )
        self.requests.append(seen)
        answers = self._answers[f"{seen.method} {seen.path}"]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        reply = answer if isinstance(answer, Reply) else answer(seen)
        handler.close_connection = True
        if reply.dropped:
            return
        if reply.reset:
            linger = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            handler.connection.close()
            return
        handler.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.content)))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(reply.content[: len(reply.content) - reply.cut])
