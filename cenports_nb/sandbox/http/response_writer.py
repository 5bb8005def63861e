"""Write a response to the connection, whole or as a fault wants it."""

import os
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

from cenports_nb.sandbox.http.faults import Fault
from cenports_nb.sandbox.http.responses import Response

# SO_LINGER on, with 0 seconds: closing resets the connection. Windows has shorter fields.
_RESET_ON_CLOSE: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
_CHUNK_BYTES: Final = 2**20


@dataclass(frozen=True)
class ResponseWriter:
    """One response and its connection; `closing` is set when the sandbox ends."""

    handler: BaseHTTPRequestHandler
    response: Response
    options: Mapping[str, Any]
    closing: threading.Event

    def head(self, *extra: tuple[str, str], length: int | None) -> bytes:
        """Format status and headers; without a length, the body ends with the connection or marks its own end."""
        handler, response = self.handler, self.response
        handler.log_request(response.status)
        phrase = handler.responses.get(response.status, ("",))[0]
        headers = [
            ("Server", handler.version_string()),
            ("Date", handler.date_time_string()),
            ("Content-Type", response.content_type),
            *([] if length is None else [("Content-Length", str(length))]),
            *response.headers,
            *extra,
            *([("Connection", "close")] if handler.close_connection else []),
        ]
        lines = [
            f"{handler.protocol_version} {response.status} {phrase}",
            *(f"{name}: {text}" for name, text in headers),
        ]
        return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")

    def write(self, head: bytes, body: bytes = b"") -> None:
        """Write bytes to the connection; HEAD has no body."""
        self.handler.wfile.write(head)
        if self.handler.command != "HEAD":
            self.handler.wfile.write(body)

    def wait(self, seconds: float) -> bool:
        """Wait, in real time; return True if the sandbox ends meanwhile."""
        self.handler.wfile.flush()
        return self.closing.wait(seconds)

    def end(self) -> None:
        """Close the connection after this response."""
        self.handler.close_connection = True


def write_response(
    handler: BaseHTTPRequestHandler, response: Response, fault: Fault | None, closing: threading.Event
) -> None:
    """Write a response, whole or as its fault wants it."""
    write = _FAULT_WRITERS.get(fault.kind, _whole) if fault else _whole
    write(ResponseWriter(handler, response, fault.options if fault else {}, closing))


def _whole(writer: ResponseWriter) -> None:
    writer.write(writer.head(length=len(writer.response.body)), writer.response.body)


def _drop(writer: ResponseWriter) -> None:
    writer.end()


def _reset(writer: ResponseWriter) -> None:
    writer.end()
    connection: socket.socket = writer.handler.connection
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    # The server would shut the socket down in order; closing its last file here resets the connection.
    connection.close()


def _cut_headers(writer: ResponseWriter) -> None:
    head = writer.head(length=len(writer.response.body))
    writer.end()
    writer.write(head[: len(head) // 2])


def _cut(writer: ResponseWriter) -> None:
    body = writer.response.body
    head = writer.head(length=len(body))
    writer.end()
    writer.write(head, body[: len(body) // 2])


def _no_length(writer: ResponseWriter) -> None:
    writer.end()
    body = writer.response.body
    writer.write(writer.head(length=None), body[: len(body) // 2])


def _short_length(writer: ResponseWriter) -> None:
    # The rest of the body is sent too, and belongs to no response.
    body = writer.response.body
    head = writer.head(length=len(body) // 2)
    writer.end()
    writer.write(head, body)


def _slow(writer: ResponseWriter) -> None:
    writer.wait(writer.options["seconds"])
    _whole(writer)


def _drip(writer: ResponseWriter) -> None:
    body = writer.response.body
    head = writer.head(length=len(body))
    if not writer.options["headers"]:
        writer.write(head)
        head = b""
    for byte in head + (b"" if writer.handler.command == "HEAD" else body):
        if writer.wait(writer.options["seconds"]):
            writer.end()
            return
        writer.write(bytes((byte,)))


def _bomb(writer: ResponseWriter) -> None:
    more = ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")
    writer.write(writer.head(*more, length=None))
    for piece in _compress_chunks(writer.options["size"]) if writer.handler.command != "HEAD" else ():
        if writer.wait(0):  # doesn't wait, but sends what has been written
            writer.end()
            return
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
    writer.write(b"", b"0\r\n\r\n")


def _compress_chunks(size: int) -> Iterator[bytes]:
    """Compress a large JSON in chunks, so that the sandbox never holds all of it."""
    start, stop = b'{"data":[', b"]}"
    packer = zlib.compressobj(wbits=31)
    yield packer.compress(start) + packer.flush(zlib.Z_SYNC_FLUSH)
    blank = b" " * _CHUNK_BYTES
    left = max(0, size - len(start) - len(stop))
    while left > 0:
        piece = packer.compress(blank[:left])
        left -= min(left, _CHUNK_BYTES)
        if piece:
            yield piece
    yield packer.compress(stop) + packer.flush()


_FAULT_WRITERS: Final[dict[str, Callable[[ResponseWriter], None]]] = {
    "drop": _drop,
    "lost": _drop,
    "reset": _reset,
    "cut_headers": _cut_headers,
    "cut": _cut,
    "no_length": _no_length,
    "short_length": _short_length,
    "slow": _slow,
    "drip": _drip,
    "bomb": _bomb,
}
