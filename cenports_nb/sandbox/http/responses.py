"""Responses: a status, a JSON body, and the errors that the API documents."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from cenports_nb.sandbox.records import Json, encode

Errors = dict[str, list[str]]

ENVELOPE: Final[Json] = {"code": 200, "status": "success", "message": "OK"}


@dataclass(frozen=True)
class Response:
    """A response, ready to be sent."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"


class Refusal(Exception):  # noqa: N818 - a refusal is an ordinary answer, not a fault of the sandbox
    """Ends the handling of a request with its response."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def respond_json(value: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Respond with a JSON value."""
    return Response(status, encode(value), headers)


def respond_message(status: int, text: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Respond with `{"message": text}`."""
    return respond_json({"message": text}, status, headers)


def respond_rows(rows: Iterable[bytes], metadata: Json, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """Respond with rows that are already JSON, and metadata beside them."""
    envelope = b"," + encode(metadata)[1:] if metadata else b"}"
    return Response(200, b'{"data":[' + b",".join(rows) + b"]" + envelope, headers)


def respond_success(rows: Iterable[bytes] = ()) -> Response:
    """Respond with rows that are already JSON, in the envelope of code, status and message."""
    return respond_rows(rows, ENVELOPE)


def respond_invalid(errors: Errors) -> Response:
    """Respond with 422 and the messages of every invalid field."""
    return respond_json({"message": "The given data was invalid.", "errors": errors}, 422)


def respond_business_error(errors: list[tuple[str, str]], shape: str) -> Response:
    """Respond with 400 and the documented code 50001; each error is a name and a text."""
    text = "Sorry, we're unable to process your request at this moment."
    texts = [error for _, error in errors]
    if shape == "not_json":
        items = b"\n".join(b"{\n" + encode(error) + b"\n}," for error in texts)
        head = b'{\n"code": "50001",\n"message": ' + encode(text)
        return Response(400, head + b',\n"errors": [\n' + items + b"\n]\n}")
    shaped: Any = texts
    if shape == "objects":
        shaped = [{"message": error} for error in texts]
    elif shape == "map":
        shaped = dict(errors)
    return respond_json({"code": "50001", "message": text, "errors": shaped}, 400)


def hide_error_status(response: Response) -> Response:
    """Turn a 400 or 422 into a response with status 200, whose body alone has the code."""
    if response.status not in {400, 422}:
        return response
    try:
        body = json.loads(response.body)
    except ValueError:
        return replace(response, status=200)
    return respond_json({"code": response.status, **body}, headers=response.headers)
