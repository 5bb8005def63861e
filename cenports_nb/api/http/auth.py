"""The access token: fetched once for all threads, and kept only in memory."""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from cenports_nb.api.http.rate_limit import Clock
from cenports_nb.errors import CenportsError, UnexpectedAnswerError
from cenports_nb.secret import Secret, drop_frames

MAX_LIFETIME_SECONDS = 12 * 3600.0  # "Tokens are valid for 12 hours", whatever expires_in says
RENEW_EARLY_SECONDS = 60.0
_FIRST_EPOCH_SECONDS = 1e9  # values above are dates, below are spans: `exp` may be either


class TokenResponse(msgspec.Struct):
    """The response of POST /authorize."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: float | None = None
    exp: float | None = None


class TokenProvider:
    """Provides the `Authorization` header; one request for it, however many threads ask."""

    def __init__(self, fetch: Callable[[], Secret], clock: Clock, on_token: Callable[[Secret], None]) -> None:
        """Fetch tokens with `fetch`; `on_token` is called with each."""
        self._fetch = fetch
        self._clock = clock
        self._on_token = on_token
        self._lock = threading.Lock()
        self._header = Secret("")
        self._expires_at = 0.0

    def header(self) -> Secret:
        """Return the header's value; fetch a token if there is none or it is about to expire."""
        with self._lock:
            if not self._header or self._clock.now().timestamp() >= self._expires_at:
                self._fetch_token()
            return self._header

    def discard(self, header: Secret) -> None:
        """Discard a token that was refused; a newer one of another thread is kept."""
        with self._lock:
            if self._header == header:
                self._header = Secret("")

    def _fetch_token(self) -> None:
        body, now = self._fetch(), self._clock.now().timestamp()
        failure: CenportsError | None = None
        try:
            token, self._header, expires_at = _parse_token(body, now)
        except CenportsError as error:
            failure = drop_frames(error)
        if failure is not None:
            raise failure
        self._on_token(token)
        self._expires_at = expires_at - RENEW_EARLY_SECONDS


def _parse_token(body: Secret, now: float) -> tuple[Secret, Secret, float]:
    """Parse the token, the header's value and the expiry; the frames of an error contain them in clear text."""
    try:
        answer = msgspec.json.decode(body.reveal(), type=TokenResponse, strict=False)
    except msgspec.ValidationError as error:
        raise UnexpectedAnswerError(
            f"POST /authorize answered without a usable token ({error}): "
            "check the address, or ask Cenports' integration team."
        ) from None
    header = f"{answer.token_type} {answer.access_token}"
    if not answer.access_token or not (header.isascii() and header.isprintable()):
        raise UnexpectedAnswerError(
            "POST /authorize answered with a token that no header can carry: ask Cenports' integration team."
        )
    ends = [now + MAX_LIFETIME_SECONDS]
    if answer.expires_in is not None:
        ends.append(now + answer.expires_in)
    for exp in (answer.exp, _read_jwt_expiry(answer.access_token)):
        if exp is not None:
            ends.append(exp if exp > _FIRST_EPOCH_SECONDS else now + exp)
    return Secret(answer.access_token), Secret(header), min(ends)


def _read_jwt_expiry(token: str) -> float | None:
    """Return the `exp` of a JWT; None if the token isn't one."""
    try:
        part = token.split(".")[1]
        claims: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error, msgspec.MsgspecError):
        return None
