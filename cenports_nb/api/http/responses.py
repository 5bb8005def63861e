"""What a response means: whether it is complete JSON, and the error of a status or an envelope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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

EMPTY_VALUES = (b"", b"null", b"[]", b"{}", b'""', b"false")
"""No errors, or no data."""
FAILURE_STATUSES = ("error", "fail", "failed", "failure")
MAX_QUOTED_CHARACTERS = 500
RECORD_FIELDS = frozenset({"orderNo", "warehouseCode", "channelId"})
"""Fields that mark an object as a record."""
_NOTHING = msgspec.Raw()


@dataclass(frozen=True)
class Envelope:
    """The outermost fields of a JSON object, an envelope around records or a bare record; values stay unparsed."""

    fields: Mapping[str, msgspec.Raw]

    @property
    def data(self) -> msgspec.Raw:
        """The content of the envelope; empty if there is none."""
        return self.fields.get("data", _NOTHING)

    @property
    def is_record(self) -> bool:
        """Whether this is a bare record rather than an envelope."""
        return not RECORD_FIELDS.isdisjoint(self.fields)

    def read(self, name: str) -> Any:
        """Decode one field; None if it is missing."""
        return msgspec.json.decode(self.fields[name]) if name in self.fields else None


@dataclass(frozen=True)
class JsonBody:
    """A body that is complete JSON.

    Attributes:
        body: The JSON, repaired if it had NaN or half a surrogate pair.
        envelope: Its outermost fields, if it is an object.
    """

    body: bytes
    envelope: Envelope | None


def parse_body(what: str, body: bytes, redact: Callable[[str], str] = str) -> JsonBody:
    """Parse the body of a 2xx response down to its outermost fields; `redact` removes secrets from quotes.

    Raises:
        TransportError: It is empty, truncated or not JSON.
        UnexpectedAnswerError: It is nested too deeply.
        BusinessError: It has a `code` other than 200, or says that it failed and has no data.
    """
    start = body.lstrip()[:1]
    if not start:
        raise TransportError(f"{what} was answered 200 with nothing in it: try again.")
    try:
        if start != b"{":
            msgspec.json.decode(body, type=list[msgspec.Raw] if start == b"[" else Any)
            return JsonBody(body, None)
        envelope = Envelope(msgspec.json.decode(body, type=dict[str, msgspec.Raw]))
    except RecursionError:
        raise UnexpectedAnswerError(
            f"{what} was answered with JSON that is nested too deeply: ask Cenports' integration team."
        ) from None
    except msgspec.DecodeError as error:
        if (repaired := repair_json(body)) is not None:
            return parse_body(what, repaired, redact)
        # The first line of truncated or damaged JSON may contain personal data; a page of HTML doesn't.
        quoted = "" if start in (b"{", b"[") else f"; it begins {redact(body[:4096].decode('utf-8', 'replace'))[:60]!r}"
        raise TransportError(
            f"{what} was answered 200, but not with whole JSON ({error}{quoted}): try again."
        ) from None
    code = envelope.read("code")
    if code is not None and str(code) != "200":
        raise business_error(what, 200, body)
    is_bare = (
        bytes(envelope.data) in EMPTY_VALUES and envelope.read("handle") is None and "orderNo" not in envelope.fields
    )
    if is_bare and _says_failure(envelope):
        raise business_error(what, 200, body)
    return JsonBody(body, envelope)


def _says_failure(envelope: Envelope) -> bool:
    """Return whether an envelope has errors, or a status or flag of failure."""
    errors = [bytes(envelope.fields.get(name, _NOTHING)) for name in ("errors", "error")]
    return (
        any(error not in EMPTY_VALUES for error in errors)
        or str(envelope.read("status")).lower() in FAILURE_STATUSES
        or str(envelope.read("success")).lower() == "false"
    )


def error_from_response(
    what: str, status: int, body: bytes, *, retry_after: float | None = None, now: datetime | None = None
) -> CenportsError:
    """Return the error of an HTTP status, with Cenports' own message."""
    text = _quote(body)
    if status == 422:
        message, errors = _validation_errors(body)
        reasons = "; ".join(f"{field}: {' '.join(texts)}" for field, texts in errors.items()) or message or text
        return InvalidRequestError(f"Cenports refused {what}: {reasons}", status=422, errors=errors)
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
            f"Cenports refused {what} for too many requests (429): try again {_describe_retry_after(retry_after, now)}; if that "
            "happens often, set CENPORTS_RATE_LIMIT to the account's real limit.",
            body=text,
            retry_after=retry_after,
        )
    hint = "try again later" if status >= 500 else "check the address"
    return ApiError(f"Cenports answered {what} with {status}: {hint}.", status=status, body=text)


def _describe_retry_after(retry_after: float | None, now: datetime | None) -> str:
    """Say when to try again, if known."""
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
    """Convert `errors` of any shape to texts: a list of texts or objects, an object, one text."""
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


def _validation_errors(body: bytes) -> tuple[str, dict[str, list[str]]]:
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
    """Build the error of a business refusal: code, message and errors, as far as it is JSON."""
    text = _quote(body)
    code, message, errors = "", text, []
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:  # the reference's own example isn't JSON
        found = None
    if isinstance(found, dict):
        code = str(found.get("code") or "")
        message = str(found.get("message") or text)
        errors = flatten_errors(found.get("errors"))
    return BusinessError(
        f"Cenports refused {what}{f' (code {code})' if code else ''}: {' '.join([message, *errors])}",
        status=status,
        body=text,
        code=code,
        errors=errors,
    )


def _quote(body: bytes) -> str:
    return body[: MAX_QUOTED_CHARACTERS * 4].decode("utf-8", "replace")[:MAX_QUOTED_CHARACTERS]
