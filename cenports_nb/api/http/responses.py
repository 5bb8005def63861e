"""What an answer means: whole JSON or not, and which error a status or an envelope stands for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from cenports_nb.api.http.json_repair import repair_json
from cenports_nb.errors import (
    ApiError,
    AuthenticationError,
    BusinessError,
    CenportsError,
    InvalidRequestError,
    RateLimitedError,
    TransportError,
    UnexpectedAnswerError,
)

NOTHING = (b"", b"null", b"[]", b"{}", b'""')  # ways to say that there are no errors
FAILURES = ("error", "fail", "failed", "failure")  # what the envelope's `status` says instead of "success"
SHOWN = 500  # characters of a refused answer that an error shows


class Envelope(msgspec.Struct):
    """The outermost words of an answer, for whatever is in it."""

    code: Any = None
    message: Any = None
    status: Any = None
    errors: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()
    handle: Any = None
    orderNo: Any = None  # noqa: N815 - of an order without an envelope, whose status is its own


def check(what: str, body: bytes) -> None:
    """Let a good 200 pass; it must be whole JSON, and its envelope must not tell of an error.

    Raises:
        TransportError: Empty, cut off or not JSON.
        BusinessError: A `code` other than 200, or `errors` without data.
    """
    if not body.strip():
        raise TransportError(f"{what} was answered 200 with nothing in it: try again.")
    try:
        if body.lstrip()[:1] != b"{":
            msgspec.json.decode(body, type=list[msgspec.Raw] if body.lstrip()[:1] == b"[" else Any)
            return
        envelope = msgspec.json.decode(body, type=Envelope)
    except RecursionError:
        raise UnexpectedAnswerError(
            f"{what} was answered with JSON that is nested too deeply: ask Cenports' integration team."
        ) from None
    except msgspec.DecodeError as error:
        if (mended := repair_json(body)) is not None:
            check(what, mended)
            return
        # What is cut off or damaged may name people in its first line; a page of HTML does not.
        damaged = body.lstrip()[:1] in (b"{", b"[")
        start = "" if damaged else f"; it begins {body[:60].decode('utf-8', 'replace')!r}"
        raise TransportError(f"{what} was answered 200, but not with whole JSON ({error}{start}): try again.") from None
    if envelope.code is not None and str(envelope.code) != "200":
        raise business_error(what, 200, body)
    bare = not bytes(envelope.data) and envelope.handle is None and envelope.orderNo is None
    told = bytes(envelope.errors) not in NOTHING or str(envelope.status).lower() in FAILURES
    if bare and told:
        raise business_error(what, 200, body)


def error_from_response(
    what: str, status: int, body: bytes, *, retry_after: float | None = None, now: datetime | None = None
) -> CenportsError:
    """Choose the error that an HTTP status stands for, with Cenports' own words in it."""
    text = body[: SHOWN * 4].decode("utf-8", "replace")[:SHOWN]
    if status == 422:
        message, errors = _validation(body)
        said = "; ".join(f"{field}: {' '.join(texts)}" for field, texts in errors.items()) or message or text
        return InvalidRequestError(f"Cenports refused {what}: {said}", status=422, errors=errors)
    if status == 400:
        return business_error(what, 400, body)
    if status == 401:
        return AuthenticationError(
            f"Cenports refused the credentials for {what} (401): check client id and secret, "
            "and that they belong to this environment.",
            status=401,
            body=text,
        )
    if status == 429:
        return RateLimitedError(
            f"Cenports refused {what} for too many requests (429): try again {_until(retry_after, now)}; if that "
            "happens often, set the account's real rate_limit when connecting.",
            body=text,
            retry_after=retry_after,
        )
    hint = "try again later" if status >= 500 else "check the address"
    return ApiError(f"Cenports answered {what} with {status}: {hint}.", status=status, body=text)


def _until(retry_after: float | None, now: datetime | None) -> str:
    """Say when to come back, as far as it is known."""
    if retry_after is None:
        return "in a minute"
    try:
        return (
            f"in {retry_after:.0f} s"
            if now is None
            else f"after {now + timedelta(seconds=retry_after):%Y-%m-%d %H:%M:%S} UTC"
        )
    except OverflowError:
        return "much later: it asks to wait longer than the calendar goes"


def flatten_errors(value: Any) -> list[str]:
    """Turn `errors` of any shape into texts: a list of text or objects, an object, one text."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        if set(value) >= {"message"}:
            return [str(value["message"])]
        return [text for item in value.values() for text in flatten_errors(item)]
    if isinstance(value, list):
        return [text for item in value for text in flatten_errors(item)]
    return [str(value)]


def _validation(body: bytes) -> tuple[str, dict[str, list[str]]]:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return "", {}
    if not isinstance(found, dict):
        return "", {}
    errors = found.get("errors")
    fields = (
        {str(field): flatten_errors(texts) for field, texts in errors.items()}
        if isinstance(errors, dict)
        else {"": flatten_errors(errors)}
        if errors
        else {}
    )
    return str(found.get("message") or ""), fields


def business_error(what: str, status: int, body: bytes) -> BusinessError:
    """Read a refusal for a reason of business: code, message and errors, as far as it is JSON."""
    text = body[: SHOWN * 4].decode("utf-8", "replace")[:SHOWN]
    code, message, errors = "", text, []
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:  # the reference's own example is not JSON
        found = None
    if isinstance(found, dict):
        code = str(found.get("code") or "")
        message = str(found.get("message") or text)
        errors = flatten_errors(found.get("errors"))
    said = " ".join([message, *errors])
    return BusinessError(
        f"Cenports refused {what}{f' (code {code})' if code else ''}: {said}",
        status=status,
        body=text,
        code=code,
        errors=errors,
    )
