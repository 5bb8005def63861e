"""Answers: a status, a JSON body, and the refusals that the API documents."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

Json = dict[str, Any]
Errors = dict[str, list[str]]

ENVELOPE: Final[Json] = {"code": 200, "status": "success", "message": "OK"}


@dataclass(frozen=True)
class Reply:
    """One answer, ready for the wire."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"


class Refusal(Exception):  # noqa: N818 - a refusal is an ordinary answer, not a fault of the sandbox
    """Ends a call early with its answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def encode(value: object) -> bytes:
    """Write compact JSON; non-ASCII characters are escaped, as PHP does."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def plain(value: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """Answer with a JSON value as it is."""
    return Reply(status, encode(value), headers)


def message(status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """Answer `{"message": text}`."""
    return plain({"message": text}, status, headers)


def rows_with(rows: Iterable[bytes], words: Json) -> Reply:
    """Answer with rows that are JSON already, and words beside them."""
    envelope = b"," + encode(words)[1:] if words else b"}"
    return Reply(200, b'{"data":[' + b",".join(rows) + b"]" + envelope)


def success(rows: Iterable[bytes] = ()) -> Reply:
    """Answer with rows that are JSON already, in the envelope of code, status and message."""
    return rows_with(rows, ENVELOPE)


def invalid(errors: Errors) -> Reply:
    """Answer 422 with the messages of every field that failed."""
    return plain({"message": "The given data was invalid.", "errors": errors}, 422)


def business(errors: list[tuple[str, str]], shape: str) -> Reply:
    """Answer 400 with the documented code 50001; each error is a name and a text."""
    text = "Sorry, we're unable to process your request at this moment."
    texts = [error for _, error in errors]
    if shape == "not_json":
        items = b"\n".join(b"{\n" + encode(error) + b"\n}," for error in texts)
        return Reply(400, b'{\n"code": "50001",\n"message": ' + encode(text) + b',\n"errors": [\n' + items + b"\n]\n}")
    shaped: Any = texts
    if shape == "objects":
        shaped = [{"message": error} for error in texts]
    elif shape == "map":
        shaped = dict(errors)
    return plain({"code": "50001", "message": text, "errors": shaped}, 400)


def with_status_200(reply: Reply) -> Reply:
    """Hide a 400 or 422 in an answer of status 200: what it is stands in the body alone."""
    if reply.status not in {400, 422}:
        return reply
    try:
        body = json.loads(reply.body)
    except ValueError:
        return replace(reply, status=200)
    return plain({"code": reply.status, **body}, headers=reply.headers)
