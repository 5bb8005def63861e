"""Faults: failures that are injected into certain requests, and counted."""

import gzip
import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

from cenports_nb.sandbox.http.responses import Response, respond_business_error, respond_json, respond_message
from cenports_nb.sandbox.http.routes import ROUTES
from cenports_nb.sandbox.records import encode

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


@dataclass(frozen=True)
class FaultKind:
    """What a fault does to a response; `response_writer` has what it does to the connection, `service` to the account."""

    options: Options = field(default_factory=dict)  # with their defaults
    answer: Callable[[Options], Response] | None = None  # answers, and the request is not handled
    alter: Callable[[Response, Options], Response] | None = None  # alters the response of the handled request


def _retry_after(options: Options) -> tuple[tuple[str, str], ...]:
    return () if options["retry_after"] is None else (("Retry-After", str(options["retry_after"])),)


def _server_error(options: Options) -> Response:
    return respond_message(options["status"], "Server Error")


def _error_200(_: Options) -> Response:
    return replace(respond_business_error([("", "Something went wrong.")], "documented"), status=200)


def _cut_json(response: Response, _: Options) -> Response:
    return replace(response, body=_half(response.body))


def _cut_gzip(response: Response, _: Options) -> Response:
    return replace(
        response, body=_half(gzip.compress(response.body)), headers=(*response.headers, ("Content-Encoding", "gzip"))
    )


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


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


FAULT_KINDS: Final[dict[str, FaultKind]] = {
    "too_many": FaultKind(
        {"retry_after": None}, lambda options: respond_message(429, "Too Many Attempts.", _retry_after(options))
    ),
    "server_error": FaultKind({"status": 500}, _server_error),
    "bad_gateway": FaultKind(answer=lambda _: Response(502, _BAD_GATEWAY, content_type="text/html")),
    "unavailable": FaultKind(
        {"retry_after": None}, lambda options: respond_message(503, "Service Unavailable", _retry_after(options))
    ),
    "drop": FaultKind(answer=lambda _: _NO_RESPONSE),  # the connection ends without a byte
    "reset": FaultKind(answer=lambda _: _NO_RESPONSE),  # the same, with a reset
    "cut_headers": FaultKind(),
    "cut": FaultKind(),
    "no_length": FaultKind(),
    "short_length": FaultKind(),
    "cut_json": FaultKind(alter=_cut_json),
    "cut_gzip": FaultKind(alter=_cut_gzip),
    "bomb": FaultKind({"size": 300_000_000}, lambda _: Response(200, b"")),  # its body is generated while it is sent
    "slow": FaultKind({"seconds": 1.0}),
    "drip": FaultKind({"seconds": 0.05, "headers": False}),
    "html": FaultKind(answer=lambda _: Response(200, _LOGIN, content_type=_HTML)),
    "empty": FaultKind(answer=lambda _: Response(200, b"")),
    "garbage": FaultKind(answer=lambda _: Response(200, hashlib.shake_256(b"garbage").digest(600))),
    "error_200": FaultKind(answer=_error_200),
    "wrong_shape": FaultKind(answer=lambda _: respond_json({"data": "hello"})),
    "expired_token": FaultKind(),
    "unauthorized": FaultKind(answer=lambda _: respond_message(401, "Unauthenticated.")),
    "redirect": FaultKind(
        {"to": "http://127.0.0.1:9/v2/elsewhere"},
        lambda options: Response(302, b"", (("Location", options["to"]),), _HTML),
    ),
    "foreign_link": FaultKind({"host": "https://evil.example"}, alter=_foreign_link),
    "lost": FaultKind(alter=lambda response, _: replace(response, status=0)),  # the connection ends without a byte
    "late_error": FaultKind({"status": 500}, alter=lambda _, options: _server_error(options)),
    "failed_rows": FaultKind({"rows": (0,), "message": "The row was refused."}),
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

    kinds: Final = tuple(FAULT_KINDS)

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
        if kind not in FAULT_KINDS:
            raise ValueError(f"There is no fault {kind!r}: use one of {', '.join(FAULT_KINDS)}.")
        defaults = FAULT_KINDS[kind].options
        unknown = sorted(options.keys() - defaults.keys())
        if unknown:
            known = ", ".join(defaults) or "none"
            raise ValueError(f"The fault {kind!r} has no option {', '.join(unknown)}: its options are {known}.")
        calls = ["*", *(_TRANSACTION_CALLS if kind == "failed_rows" else _ALL_CALLS)]
        if call not in calls:
            raise ValueError(f"The fault {kind!r} can't strike {call!r}: use one of {', '.join(calls)}.")
        if after < 0 or (times is not None and times < 1) or (page is not None and page < 1):
            raise ValueError("A fault needs after= of at least 0, and times= and page= of at least 1 or None.")
        fault = Fault(kind, call, after, times, page, {**defaults, **options})
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
