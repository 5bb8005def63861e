"""What faults do to responses: replace them, or alter the right one."""

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from cenports_nb.sandbox.http.faults import Fault
from cenports_nb.sandbox.http.responses import Response, respond_business_error, respond_json, respond_message
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
    "bomb": lambda _: Response(200, b""),  # its body is made while it is sent
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
        return response  # a refusal that is no JSON has no links
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
