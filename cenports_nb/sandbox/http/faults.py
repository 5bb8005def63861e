"""Faults: failures that are injected into certain requests, and counted."""

import gzip
import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from cenports_nb.sandbox.http.responses import Response, respond_business_error, respond_json, respond_message
from cenports_nb.sandbox.http.routes import ROUTES
from cenports_nb.sandbox.records import encode

# Every kind with its options. What a kind does to the response is below; `response_writer` has what it does to the
# connection, and `service` what it does to the account.
FAULT_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "too_many": {"retry_after": None},  # 429; with the given header, or none
    "server_error": {"status": 500},
    "bad_gateway": {},
    "unavailable": {"retry_after": None},
    "drop": {},  # the connection ends without a byte, and nothing is carried out
    "reset": {},  # the same, with a reset
    "cut_headers": {},
    "cut": {},
    "no_length": {},
    "short_length": {},
    "cut_json": {},
    "cut_gzip": {},
    "bomb": {"size": 300_000_000},
    "slow": {"seconds": 1.0},
    "drip": {"seconds": 0.05, "headers": False},
    "html": {},
    "empty": {},
    "garbage": {},
    "error_200": {},
    "wrong_shape": {},
    "expired_token": {},
    "unauthorized": {},
    "redirect": {"to": "http://127.0.0.1:9/v2/elsewhere"},
    "foreign_link": {"host": "https://evil.example"},
    "lost": {},  # carried out, then the connection ends without a byte
    "late_error": {"status": 500},  # carried out, then answered as if it had not been
    "failed_rows": {"rows": (0,), "message": "The row was refused."},
}

_ALL_CALLS: Final = [f"{method} {path}" for path, methods in ROUTES.items() for method in methods]
_TRANSACTION_CALLS: Final = [
    f"{method} {path}"
    for path, methods in ROUTES.items()
    for method, route in methods.items()
    if route.makes_transaction
]


@dataclass(eq=False)
class Fault:
    """One fault; `count` is the number of requests that it hit."""

    kind: str
    call: str
    after: int  # requests to let through first
    times: int | None  # requests to hit after that; None for all
    page: int | None  # only requests for this page
    options: Mapping[str, Any]
    count: int = 0
    passed: int = 0

    def matches(self, call: str, page: int) -> bool:
        """Return whether it may hit such a request."""
        if self.kind == "failed_rows" and call not in _TRANSACTION_CALLS:
            return False
        is_meant = call != "POST /authorize" if self.call == "*" else call == self.call
        return is_meant and self.page in {None, page} and (self.times is None or self.count < self.times)


class Faults:
    """The faults of one sandbox, in the order in which they were added."""

    kinds: Final = tuple(FAULT_OPTIONS)

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(
        self,
        kind: str,
        call: str = "GET /orders",
        *,
        after: int = 0,
        times: int | None = 1,
        page: int | None = None,
        **options: Any,
    ) -> Fault:
        """Inject a fault into requests; only the first matching fault hits a request.

        Args:
            kind: One of `kinds`.
            call: Method and end point, or "*" for all but POST /authorize.
            after: The number of requests to let through first.
            times: The number of requests to hit after that; None for all.
            page: Only requests for this page; 1 includes requests without a page.
            options: Options of the kind.

        Raises:
            ValueError: An invalid kind, call, option or number; the message lists the valid ones.
        """
        if kind not in FAULT_OPTIONS:
            raise ValueError(f"There is no fault {kind!r}: use one of {', '.join(FAULT_OPTIONS)}.")
        unknown = sorted(options.keys() - FAULT_OPTIONS[kind].keys())
        if unknown:
            known = ", ".join(FAULT_OPTIONS[kind]) or "none"
            raise ValueError(f"The fault {kind!r} has no option {', '.join(unknown)}: its options are {known}.")
        calls = ["*", *(_TRANSACTION_CALLS if kind == "failed_rows" else _ALL_CALLS)]
        if call not in calls:
            raise ValueError(f"The fault {kind!r} can't strike {call!r}: use one of {', '.join(calls)}.")
        if after < 0 or (times is not None and times < 1) or (page is not None and page < 1):
            raise ValueError("A fault needs after= of at least 0, and times= and page= of at least 1 or None.")
        fault = Fault(kind, call, after, times, page, {**FAULT_OPTIONS[kind], **options})
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Remove all faults; their counts stay."""
        with self._lock:
            self._faults.clear()

    def trigger(self, call: str, page: int) -> Fault | None:
        """Return the fault that hits a request, and count it."""
        with self._lock:
            for fault in self._faults:
                if not fault.matches(call, page):
                    continue
                if fault.passed < fault.after:
                    fault.passed += 1
                    continue
                fault.count += 1
                return fault
        return None

    def __repr__(self) -> str:
        with self._lock:
            return f"<Faults {', '.join(f'{fault.kind} ({fault.count})' for fault in self._faults) or 'none'}>"


Options = Mapping[str, Any]

_HTML: Final = "text/html; charset=UTF-8"
_LOGIN: Final = b"""<!DOCTYPE html>
<html lang="en"><head><title>Log in</title></head>
<body><form method="POST" action="/login"><input name="email"><input name="password"></form></body></html>
"""
_BAD_GATEWAY: Final = b"""<html>
<head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body>
</html>
"""
_NO_RESPONSE: Final = Response(0, b"")


def replace_response(fault: Fault) -> Response | None:
    """Answer without handling the request; None if the fault lets it be handled."""
    replace_with = _REPLACEMENTS.get(fault.kind)
    return replace_with(fault.options) if replace_with else None


def alter_response(fault: Fault, response: Response) -> Response:
    """Alter the response of a handled request."""
    alter = _ALTERATIONS.get(fault.kind)
    return alter(response, fault.options) if alter else response


def _too_many(options: Options) -> Response:
    return respond_message(429, "Too Many Attempts.", _retry_after(options))


def _server_error(options: Options) -> Response:
    return respond_message(options["status"], "Server Error")


def _unavailable(options: Options) -> Response:
    return respond_message(503, "Service Unavailable", _retry_after(options))


def _retry_after(options: Options) -> tuple[tuple[str, str], ...]:
    return () if options["retry_after"] is None else (("Retry-After", str(options["retry_after"])),)


def _error_200(_: Options) -> Response:
    return replace(respond_business_error([("", "Something went wrong.")], "documented"), status=200)


def _redirect(options: Options) -> Response:
    return Response(302, b"", (("Location", options["to"]),), _HTML)


_REPLACEMENTS: Final[dict[str, Callable[[Options], Response]]] = {
    "too_many": _too_many,
    "server_error": _server_error,
    "bad_gateway": lambda _: Response(502, _BAD_GATEWAY, content_type="text/html"),
    "unavailable": _unavailable,
    "drop": lambda _: _NO_RESPONSE,
    "reset": lambda _: _NO_RESPONSE,
    "bomb": lambda _: Response(200, b""),  # its body is generated while it is sent
    "html": lambda _: Response(200, _LOGIN, content_type=_HTML),
    "empty": lambda _: Response(200, b""),
    "garbage": lambda _: Response(200, hashlib.shake_256(b"garbage").digest(600)),
    "error_200": _error_200,
    "wrong_shape": lambda _: respond_json({"data": "hello"}),
    "unauthorized": lambda _: respond_message(401, "Unauthenticated."),
    "redirect": _redirect,
}


def _cut_json(response: Response, _: Options) -> Response:
    return replace(response, body=_half(response.body))


def _cut_gzip(response: Response, _: Options) -> Response:
    return replace(
        response, body=_half(gzip.compress(response.body)), headers=(*response.headers, ("Content-Encoding", "gzip"))
    )


def _foreign_link(response: Response, options: Options) -> Response:
    try:
        body = json.loads(response.body)
    except ValueError:
        return response  # a refusal that is not JSON has no links
    for links in (body, body.get("links")) if isinstance(body, dict) else ():
        for name in ("next_page_url", "next"):
            if isinstance(links, dict) and isinstance(link := links.get(name), str):
                links[name] = options["host"] + urlsplit(link)._replace(scheme="", netloc="").geturl()
    return replace(response, body=encode(body))


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


_ALTERATIONS: Final[dict[str, Callable[[Response, Options], Response]]] = {
    "cut_json": _cut_json,
    "cut_gzip": _cut_gzip,
    "foreign_link": _foreign_link,
    "lost": lambda response, _: replace(response, status=0),
    "late_error": lambda _, options: _server_error(options),
}
