"""Send one request: once, read completely, limited in time and size.

The time-out of requests applies to each piece that arrives, so a slow trickle would never reach it: a watchdog closes
the connection when the time of the whole call is over.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from cenports_nb.api.concurrency import MAX_THREADS
from cenports_nb.errors import TransportError
from cenports_nb.secret import Secret, drop_frames

CONNECT_TIMEOUT_SECONDS = 10.0
READ_TIMEOUT_SECONDS = 50.0
MAX_BODY_BYTES = 128 * 2**20
CHUNK_BYTES = 2**16


class Transport(HTTPAdapter):
    """Sends a request once and returns its response with the body read, or the reason why there is none."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=MAX_THREADS)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make every connection watched."""
        super().init_poolmanager(*arguments, **options)  # type: ignore[no-untyped-call, unused-ignore]
        self.poolmanager.pool_classes_by_scheme = WATCHED_POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Make every connection through a proxy watched too."""
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = WATCHED_POOLS
        return manager

    def exchange(
        self,
        what: str,
        request: requests.PreparedRequest,
        seconds: float,
        authorization: Secret | None = None,
        **options: Any,
    ) -> requests.Response:
        """Send once and read the whole response.

        Args:
            what: The call, for messages.
            request: The request.
            seconds: The maximum time for all of it.
            authorization: The header of that name; no variable in an error's frames holds it.
            options: `verify`, `cert` and `proxies` of requests.

        Raises:
            TransportError: No usable response; `reached` is False if the request was never sent.
        """
        timeout = (min(CONNECT_TIMEOUT_SECONDS, seconds), min(READ_TIMEOUT_SECONDS, seconds))
        with _watchdog(seconds) as watch:
            result = self._exchange_signed(what, request, authorization, timeout, options)
        if watch.expired and isinstance(result, requests.Response | TransportError):
            raise TransportError(f"{what} was not answered whole in {seconds:.0f} s: stopped reading; try again later.")
        if isinstance(result, BaseException):
            raise result
        return result

    def _exchange_signed(
        self,
        what: str,
        request: requests.PreparedRequest,
        authorization: Secret | None,
        timeout: tuple[float, float],
        options: Mapping[str, Any],
    ) -> requests.Response | BaseException:
        """Send once; an error is returned without its frames, because those of libraries hold the header."""
        try:
            signed = request.copy()
            if authorization is not None:
                signed.headers["Authorization"] = authorization.reveal()
            response = HTTPAdapter.send(self, signed, stream=True, timeout=timeout, **options)
            with response:
                response._content = _read_body(what, response.raw)
        except (requests.exceptions.RequestException, HTTPError, OSError) as error:
            return _transport_error(what, timeout, error)  # the error itself holds the request
        except BaseException as error:  # noqa: BLE001 - raised by the caller, a KeyboardInterrupt too
            return drop_frames(error)
        response.request = request
        response._content_consumed = True  # type: ignore[attr-defined]
        return response


def _read_body(what: str, raw: BaseHTTPResponse) -> bytes:
    """Read like `.content`, but in pieces, so that a decompression bomb is noticed early."""
    body = bytearray()
    for chunk in raw.stream(CHUNK_BYTES, decode_content=True):
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise TransportError(
                f"{what} was answered with more than {MAX_BODY_BYTES >> 20} MiB: stopped reading; ask for less."
            )
    return bytes(body)


class _Watch:
    """The connection in use, and whether its time is over."""

    def __init__(self) -> None:
        self.expired = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def watch(self, connection: socket.socket | None) -> None:
        """Register the connection that is about to be read; close it if the time is over."""
        with self._lock:
            self._socket = connection
            if self.expired:
                self._close()

    def expire(self) -> None:
        """End the wait for a response."""
        with self._lock:
            self.expired = True
            self._close()

    def _close(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # A plain shutdown: that of TLS would wait for the peer.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_current_watch = threading.local()


@contextlib.contextmanager
def _watchdog(seconds: float) -> Iterator[_Watch]:
    """Close this thread's connection when its time is over."""
    watch = _current_watch.watch = _Watch()
    timer = threading.Timer(seconds, watch.expire)
    timer.daemon = True
    timer.start()
    try:
        yield watch
    finally:
        timer.cancel()
        _current_watch.watch = None


class _Connection(HTTPConnection):
    def getresponse(self) -> Any:
        _watch_connection(self.sock)
        return super().getresponse()


class _SecureConnection(HTTPSConnection):
    def getresponse(self) -> Any:
        _watch_connection(self.sock)
        return super().getresponse()


def _watch_connection(connection: Any) -> None:
    watch = getattr(_current_watch, "watch", None)
    if watch is not None:
        watch.watch(connection)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


WATCHED_POOLS = {"http": _Pool, "https": _SecurePool}


def _transport_error(what: str, timeout: tuple[float, float], error: Exception) -> TransportError:
    """Build the error that says what happened, and whether the request may have arrived."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        text = f"{what} reached no server in {timeout[0]:.0f} s ({_innermost_reason(error)})"
        return TransportError(f"{text}: check the network and the address.", reached=False)
    if isinstance(error, requests.exceptions.ReadTimeout):
        text = f"{what} was not answered in {timeout[1]:.0f} s ({_innermost_reason(error)})"
        return TransportError(f"{text}: try again later.")
    if isinstance(error, requests.exceptions.RequestException):
        text = f"{what} failed: {_innermost_reason(error)}; check the network and the address."
        return TransportError(text, reached=not _never_connected(error))
    return TransportError(f"{what} was cut off while it was read: {_innermost_reason(error)}; try again.")


def _never_connected(error: requests.exceptions.RequestException) -> bool:
    """Return whether the connection was never made, rather than broken."""
    text = repr(error)
    return any(word in text for word in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError"))


def _innermost_reason(error: Exception) -> str:
    """Name the innermost cause, without addresses and object ids."""
    inner: Any = error
    while getattr(inner, "args", None) and isinstance(inner.args[0], BaseException):
        inner = inner.args[0]
    cause = getattr(inner, "reason", inner)
    return type(cause).__name__ if isinstance(cause, BaseException) else str(cause)
