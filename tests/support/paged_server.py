"""A server that answers what a test tells it to: what the sandbox is too well-behaved to say."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, str], bytes]
Script = Callable[[str, str, dict[str, Any], int], Reply | None]


def reply(value: Any, status: int = 200, **headers: str) -> Reply:
    """Make an answer of JSON, or of bytes as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return status, {name.replace("_", "-"): text for name, text in headers.items()}, body


class ScriptedServer:
    """Asks a function for each answer: method, path, parameters, how often it was asked; None drops the line."""

    def __init__(self, script: Script) -> None:
        self.seen: list[tuple[str, str, dict[str, Any], str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                parameters = json.loads(body or b"{}")
                path = self.path.partition("?")[0].removeprefix("/v2")
                outer.seen.append((self.command, path, parameters, self.headers.get("Authorization", "")))
                times = sum(entry[:2] == (self.command, path) for entry in outer.seen)
                found = script(self.command, self.path.removeprefix("/v2"), parameters, times)
                if found is None and path == "/authorize":
                    found = reply({"access_token": f"token-{times}", "token_type": "Bearer", "expires_in": 3600})
                if found is None:
                    self.close_connection = True
                    return
                status, headers, content = found
                self.send_response(status)
                for name, text in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(content)
                if headers:
                    self.close_connection = True

            do_GET = do_POST = do_PATCH = answer  # noqa: N815 - http.server calls these names

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v2"

    def asked(self, path: str, method: str = "GET") -> int:
        """How often an end point was asked."""
        return sum(entry[:2] == (method, path) for entry in self.seen)

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
