"""Send one request until there is a response or a reason to stop: retries, rate limit and authentication in one loop."""

from __future__ import annotations

import email.utils
import math
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import requests

from cenports_nb.api.http import responses
from cenports_nb.api.http.auth import TokenProvider
from cenports_nb.api.http.rate_limit import Clock, RateLimiter
from cenports_nb.api.http.record_page import extract_records
from cenports_nb.api.http.transport import Transport
from cenports_nb.api.usage import Usage
from cenports_nb.errors import (
    ApiError,
    AuthenticationError,
    BusinessError,
    CenportsError,
    RateLimitedError,
    TransportError,
    UnexpectedAnswerError,
)
from cenports_nb.secret import Secret, drop_frames

MAX_TRIES = 4
CALL_TIMEOUT_SECONDS = 60.0
"""For one call with its retries; waiting for the rate limit is not counted."""
MAX_RETRY_AFTER_SECONDS = 75.0
"""Maximum total pause after 429 per call: one window of the rate limit and a little more."""
MAX_ERROR_BYTES = 2**18
"""No error that people read is longer."""
AUTHORIZE_PATH = "/authorize"
REQUEST_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "cenports-nb"}


class PageRequest(requests.PreparedRequest):
    """A GET of an end point whose response is reduced to its page of records before anybody keeps or reads it."""

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self.endpoint = endpoint


class ApiAdapter(Transport):
    """The layers below the cache, as one loop: retries, rate limit, authentication."""

    def __init__(
        self,
        tokens: TokenProvider,
        rate_limiter: RateLimiter,
        usage: Usage,
        clock: Clock,
        redact: Callable[[str], str],
    ) -> None:
        super().__init__()
        self._tokens = tokens
        self._rate_limiter = rate_limiter
        self._usage = usage
        self._clock = clock
        self._redact = redact

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        """Try until there is a response, or a reason to stop."""
        path = request.path_url.partition("?")[0]
        what = f"{request.method} {path}"
        is_token_request = path.endswith(AUTHORIZE_PATH)
        is_repeatable = request.method == "GET" or is_token_request
        tls_options = {name: options.get(name) for name in ("verify", "cert", "proxies")}
        deadline = self._clock.monotonic() + CALL_TIMEOUT_SECONDS
        failures, refusals, paused_seconds, token_renewed = 0, 0, 0.0, False
        while True:
            before = self._clock.monotonic()
            signed = _copy_without_headers(request)
            authorization = None if is_token_request else self._authorization()
            self._rate_limiter.acquire()
            deadline += self._clock.monotonic() - before  # a token and a place in the rate limit take their own time
            self._usage.add(sent=1, retried=int(failures + refusals + token_renewed > 0))
            result = self._send_once(what, signed, authorization, deadline, tls_options)
            if isinstance(result, requests.Response):
                failure = self._reduce_to_records(request, result)
                if failure is None:
                    return result
                result = failure
            if isinstance(result, AuthenticationError) and authorization and not token_renewed:
                self._tokens.discard(authorization)
                token_renewed = True
            elif isinstance(result, RateLimitedError):
                # A refusal before any processing: writes are repeated too. No process of the account goes on.
                refusals += 1
                pause = max(result.retry_after or 0.0, _backoff_seconds(refusals))
                if paused_seconds + pause > MAX_RETRY_AFTER_SECONDS:
                    raise result
                paused_seconds += pause
                self._rate_limiter.pause(pause)
            elif _is_transient(result) and is_repeatable:
                failures += 1
                pause = _backoff_seconds(failures)
                if failures == MAX_TRIES or self._clock.monotonic() + pause >= deadline:
                    raise result
                self._clock.sleep(pause)
            else:
                raise result

    def _authorization(self) -> Secret:
        """Return the token's header; without one, the request itself never left."""
        try:
            return self._tokens.header()
        except CenportsError as error:
            error.reached = False
            raise

    def _send_once(
        self,
        what: str,
        request: requests.PreparedRequest,
        authorization: Secret | None,
        deadline: float,
        tls_options: Mapping[str, Any],
    ) -> requests.Response | CenportsError:
        """Send once: a good response, or the error that it stands for, without secrets."""
        seconds = max(0.1, deadline - self._clock.monotonic())
        try:
            response = self.exchange(what, request, seconds, authorization, **tls_options)
            if 200 <= response.status_code < 300:
                response.parsed_body = responses.parse_body(  # type: ignore[attr-defined]
                    what, response.content, self._redact
                )
                return response
        except TransportError as error:
            return TransportError(self._redact(str(error)), reached=error.reached)
        except UnexpectedAnswerError as error:
            return drop_frames(error)
        except BusinessError as error:
            return responses.business_error(what, error.status, self._redact_bytes(response.content))
        now = self._clock.now()
        retry_after = _parse_retry_after(response.headers.get("Retry-After"), now)
        return responses.error_from_response(
            what, response.status_code, self._redact_bytes(response.content), retry_after=retry_after, now=now
        )

    def _reduce_to_records(
        self, request: requests.PreparedRequest, response: requests.Response
    ) -> UnexpectedAnswerError | None:
        """Replace a page by its records: the cache keeps that, and nobody parses the envelope again.

        Returns:
            What speaks against it, without secrets.
        """
        if not isinstance(request, PageRequest):
            return None
        try:
            page = extract_records(request.endpoint, response.parsed_body)  # type: ignore[attr-defined]
        except UnexpectedAnswerError as error:
            return UnexpectedAnswerError(self._redact(str(error)))
        response._content = page.to_bytes()
        del response.parsed_body  # type: ignore[attr-defined]  # it holds the body as it came
        return None

    def _redact_bytes(self, body: bytes) -> bytes:
        return self._redact(body[:MAX_ERROR_BYTES].decode("utf-8", "replace")).encode()


def _copy_without_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Copy only what Cenports needs, so that no header of a layer above goes out."""
    signed = request.copy()
    kept = ("content-type", "content-length")
    signed.headers = requests.structures.CaseInsensitiveDict(
        {name: value for name, value in request.headers.items() if name.lower() in kept}
    )
    signed.headers.update(REQUEST_HEADERS)
    return signed


def _is_transient(error: CenportsError) -> bool:
    """Tell a failure that may be gone at the next try."""
    return isinstance(error, TransportError) or (isinstance(error, ApiError) and error.status >= 500)


def _backoff_seconds(failure: int) -> float:
    """Return the pause before the next try: doubling, with jitter so that processes spread."""
    return float(0.5 * 2 ** (failure - 1) * random.uniform(0.75, 1.25))  # noqa: S311 - no secret depends on it


def _parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Read `Retry-After`, seconds or a date; what can't be read says nothing."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (email.utils.parsedate_to_datetime(value).astimezone(UTC) - now).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return None if math.isnan(seconds) else max(0.0, seconds)
