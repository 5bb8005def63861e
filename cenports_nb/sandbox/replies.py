"""Answers: a status, a JSON body, and the refusals that the API documents."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Errors = dict[str, list[str]]


@dataclass(frozen=True)
class Reply:
    """One answer, ready for the wire."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


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


def success(rows: Iterable[bytes] = (), **words: Any) -> Reply:
    """Answer with rows that are JSON already, in the envelope of code, status and message."""
    envelope = encode({"code": 200, "status": "success", "message": "OK", **words})
    return Reply(200, b'{"data":[' + b",".join(rows) + b"]," + envelope[1:])


def invalid(errors: Errors) -> Reply:
    """Answer 422 with the messages of every field that failed."""
    return plain({"message": "The given data was invalid.", "errors": errors}, 422)


def business(errors: list[str]) -> Reply:
    """Answer 400 with the documented code 50001."""
    text = "Sorry, we're unable to process your request at this moment."
    return plain({"code": "50001", "message": text, "errors": errors}, 400)
