"""Sending: an answer goes onto the wire, whole or as a fault wants it."""

import os
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Final

from cenports_nb.sandbox.faults import Fault
from cenports_nb.sandbox.http.replies import Reply

# On, and 0 seconds: closing is then a reset. Windows has shorter fields.
_LINGER_NOT: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
_PIECE: Final = 2**20


@dataclass(frozen=True)
class Sending:
    """One answer on its way; `closing` is set when the sandbox ends."""

    handler: BaseHTTPRequestHandler
    reply: Reply
    options: Mapping[str, Any]
    closing: threading.Event

    def head(self, *more: tuple[str, str], length: int | None) -> bytes:
        """Write status and headers; without a length the body ends with the connection or says its end itself."""
        handler, reply = self.handler, self.reply
        handler.log_request(reply.status)
        phrase = handler.responses.get(reply.status, ("",))[0]
        headers = [
            ("Server", handler.version_string()),
            ("Date", handler.date_time_string()),
            ("Content-Type", reply.content_type),
            *([] if length is None else [("Content-Length", str(length))]),
            *reply.headers,
            *more,
            *([("Connection", "close")] if handler.close_connection else []),
        ]
        lines = [f"{handler.protocol_version} {reply.status} {phrase}", *(f"{name}: {text}" for name, text in headers)]
        return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")

    def write(self, head: bytes, body: bytes = b"") -> None:
        """Put bytes on the wire; HEAD has no body."""
        self.handler.wfile.write(head)
        if self.handler.command != "HEAD":
            self.handler.wfile.write(body)

    def wait(self, seconds: float) -> bool:
        """Wait, in real time; True if the sandbox ends meanwhile."""
        self.handler.wfile.flush()
        return self.closing.wait(seconds)

    def end(self) -> None:
        """End the connection after this."""
        self.handler.close_connection = True


def send(handler: BaseHTTPRequestHandler, reply: Reply, fault: Fault | None, closing: threading.Event) -> None:
    """Send an answer in the way of its fault."""
    way = _WAYS.get(fault.kind, _whole) if fault else _whole
    way(Sending(handler, reply, fault.options if fault else {}, closing))


def _whole(sending: Sending) -> None:
    sending.write(sending.head(length=len(sending.reply.body)), sending.reply.body)


def _drop(sending: Sending) -> None:
    sending.end()


def _reset(sending: Sending) -> None:
    sending.end()
    connection: socket.socket = sending.handler.connection
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    # The server would say goodbye first; closed here, the socket ends with its last file, and with a reset.
    connection.close()


def _cut_headers(sending: Sending) -> None:
    head = sending.head(length=len(sending.reply.body))
    sending.end()
    sending.write(head[: len(head) // 2])


def _cut(sending: Sending) -> None:
    body = sending.reply.body
    head = sending.head(length=len(body))
    sending.end()
    sending.write(head, body[: len(body) // 2])


def _no_length(sending: Sending) -> None:
    sending.end()
    body = sending.reply.body
    sending.write(sending.head(length=None), body[: len(body) // 2])


def _short_length(sending: Sending) -> None:
    # The rest of the body comes too, and belongs to nothing.
    body = sending.reply.body
    head = sending.head(length=len(body) // 2)
    sending.end()
    sending.write(head, body)


def _slow(sending: Sending) -> None:
    sending.wait(sending.options["seconds"])
    _whole(sending)


def _drip(sending: Sending) -> None:
    body = sending.reply.body
    head = sending.head(length=len(body))
    if not sending.options["headers"]:
        sending.write(head)
        head = b""
    for byte in head + (b"" if sending.handler.command == "HEAD" else body):
        if sending.wait(sending.options["seconds"]):
            sending.end()
            return
        sending.write(bytes((byte,)))


def _bomb(sending: Sending) -> None:
    more = ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")
    sending.write(sending.head(*more, length=None))
    for piece in _zipped(sending.options["size"]) if sending.handler.command != "HEAD" else ():
        if sending.wait(0):  # no waiting, but what there is so far goes out
            sending.end()
            return
        sending.write(b"%x\r\n%b\r\n" % (len(piece), piece))
    sending.write(b"", b"0\r\n\r\n")


def _zipped(size: int) -> Iterator[bytes]:
    """Make a small gzip file of much JSON, piece by piece, so that nobody here holds what it holds."""
    start, stop = b'{"data":[', b"]}"
    packer = zlib.compressobj(wbits=31)
    yield packer.compress(start) + packer.flush(zlib.Z_SYNC_FLUSH)
    blank = b" " * _PIECE
    left = max(0, size - len(start) - len(stop))
    while left > 0:
        piece = packer.compress(blank[:left])
        left -= min(left, _PIECE)
        if piece:
            yield piece
    yield packer.compress(stop) + packer.flush()


_WAYS: Final[dict[str, Callable[[Sending], None]]] = {
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
