"""Instead: the answers that a fault gives in place of the right one, or makes of it."""

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from cenports_nb.sandbox.faults import Fault
from cenports_nb.sandbox.http.replies import Reply, encode, message, plain

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
_NOTHING: Final = Reply(0, b"")


def instead(fault: Fault) -> Reply | None:
    """Answer without carrying the request out; None if the fault lets it be carried out."""
    answer = _ANSWERS.get(fault.kind)
    return answer(fault.options) if answer else None


def changed(fault: Fault, reply: Reply) -> Reply:
    """Make of the right answer what the fault makes of it."""
    change = _CHANGES.get(fault.kind)
    return change(reply, fault.options) if change else reply


def _too_many(options: Options) -> Reply:
    return message(429, "Too Many Attempts.", _retry_after(options))


def _server_error(options: Options) -> Reply:
    return message(options["status"], "Server Error")


def _unavailable(options: Options) -> Reply:
    return message(503, "Service Unavailable", _retry_after(options))


def _retry_after(options: Options) -> tuple[tuple[str, str], ...]:
    return () if options["retry_after"] is None else (("Retry-After", str(options["retry_after"])),)


def _error_200(_: Options) -> Reply:
    text = "Sorry, we're unable to process your request at this moment."
    return plain({"code": "50001", "message": text, "errors": ["Something went wrong."]})


def _redirect(options: Options) -> Reply:
    return Reply(302, b"", (("Location", options["to"]),), _HTML)


_ANSWERS: Final[dict[str, Callable[[Options], Reply]]] = {
    "too_many": _too_many,
    "server_error": _server_error,
    "bad_gateway": lambda _: Reply(502, _BAD_GATEWAY, content_type="text/html"),
    "unavailable": _unavailable,
    "drop": lambda _: _NOTHING,
    "reset": lambda _: _NOTHING,
    "bomb": lambda _: Reply(200, b""),  # its body is made while it is sent
    "html": lambda _: Reply(200, _LOGIN, content_type=_HTML),
    "empty": lambda _: Reply(200, b""),
    "garbage": lambda _: Reply(200, hashlib.shake_256(b"garbage").digest(600)),
    "error_200": _error_200,
    "wrong_shape": lambda _: plain({"data": "hello"}),
    "unauthorized": lambda _: message(401, "Unauthenticated."),
    "redirect": _redirect,
}


def _cut_json(reply: Reply, _: Options) -> Reply:
    return replace(reply, body=_half(reply.body))


def _cut_gzip(reply: Reply, _: Options) -> Reply:
    return replace(reply, body=_half(gzip.compress(reply.body)), headers=(*reply.headers, ("Content-Encoding", "gzip")))


def _foreign_link(reply: Reply, options: Options) -> Reply:
    try:
        body = json.loads(reply.body)
    except ValueError:
        return reply  # a refusal that is no JSON has no links
    places = (body, body.get("links")) if isinstance(body, dict) else ()
    for place in places:
        for name in ("next_page_url", "next"):
            if isinstance(place, dict) and isinstance(link := place.get(name), str):
                place[name] = options["host"] + urlsplit(link)._replace(scheme="", netloc="").geturl()
    return replace(reply, body=encode(body))


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


_CHANGES: Final[dict[str, Callable[[Reply, Options], Reply]]] = {
    "cut_json": _cut_json,
    "cut_gzip": _cut_gzip,
    "foreign_link": _foreign_link,
    "lost": lambda reply, _: replace(reply, status=0),
    "late_error": lambda _, options: _server_error(options),
}
