"""The HTTP server of a sandbox: threads, sockets, and raw requests."""

import logging
import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from cenports_nb.sandbox.http.response_writer import write_response
from cenports_nb.sandbox.http.responses import respond_message
from cenports_nb.sandbox.http.service import MAX_BODY_BYTES, RawRequest, Service

HOST: Final = "127.0.0.1"
# A body over the limit is still read up to here, so that the client gets the answer and not a reset.
_MAX_DRAIN_BYTES: Final = 64 * 2**20
_log = logging.getLogger(__name__)


class Server(ThreadingHTTPServer):
    """Threads and sockets; keeps track of open connections so that it can close them."""

    daemon_threads = True
    block_on_close = False  # `stop` joins the threads after it has woken them
    request_queue_size = 128

    def __init__(self, port: int, service: Service, latency: Callable[[], float]) -> None:
        self.service = service
        self.latency = latency
        self.closing = threading.Event()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._open_lock = threading.Lock()
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        """Bind without HTTPServer's lookup of the host name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in its own thread, which `stop` can find."""
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="cenports-sandbox-answer",
            daemon=True,
        )
        with self._open_lock:
            self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and forget it."""
        super().shutdown_request(request)
        with self._open_lock:
            self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnected; report everything else."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """End the accept loop, then every connection, including idle keep-alive ones."""
        self.closing.set()
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes the accept loop where the system can; it also polls
        self.shutdown()
        with self._open_lock:
            connections = list(self._open.items())
        for connection, thread in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            if thread is not threading.current_thread():
                thread.join(timeout=5)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive, buffered writes and no delay."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "cenports-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 65536

    def answer(self) -> None:
        """Read a request, and send the response."""
        try:
            body = self._read_body()
        except ValueError:
            self.close_connection = True
            write_response(
                self, respond_message(400, "The Content-Length header is not valid."), None, self.server.closing
            )
            return
        request = RawRequest(self.command, self.path, self.headers.get("Authorization"), body)
        response, fault = self.server.service.answer(request)
        self.server.closing.wait(self.server.latency())
        write_response(self, response, fault, self.server.closing)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Format a time for HTTP; by default the current time of the sandbox's clock."""
        now = self.server.service.state.clock.now().timestamp()
        return super().date_time_string(now if timestamp is None else timestamp)  # type: ignore[arg-type, unused-ignore]

    def _read_body(self) -> bytes | None:
        """Read the body; skip it and return None if it is too large."""
        if "Transfer-Encoding" in self.headers:
            raise ValueError("chunked bodies are not read")
        length = int(self.headers.get("Content-Length") or 0)
        if length < 0:
            raise ValueError("a negative length")
        if length <= MAX_BODY_BYTES:
            body = self.rfile.read(length)
            if len(body) < length:
                raise ConnectionResetError("the body ended early")
            return body
        self.close_connection = True
        left = min(length, _MAX_DRAIN_BYTES)
        while left > 0 and (chunk := self.rfile.read(min(left, 65536))):
            left -= len(chunk)
        return None

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Log at debug level, never to stderr."""
        _log.debug(format, *args)


# Every method gets a JSON response, unknown ones a 405.
for _method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
    setattr(_Handler, f"do_{_method}", _Handler.answer)
