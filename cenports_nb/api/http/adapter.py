"""Send a request until there is a response or a reason to stop: retries, rate limit and authentication in one loop."""

from __future__ import annotations

import email.utils
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
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
"""Maximum time of one call with its retries, without waits for the rate limit."""
MAX_RETRY_AFTER_SECONDS = 75.0
"""Maximum total `Retry-After` per call: one window of the rate limit and a margin."""
MAX_ERROR_BYTES = 2**18
"""Maximum size of an error's body that is read."""
AUTHORIZE_PATH = "/authorize"
REQUEST_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "cenports-nb"}


class PageRequest(requests.PreparedRequest):
    """A GET whose response is reduced to its page of records before it is cached or read."""

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self.endpoint = endpoint


class WriteRequest(requests.PreparedRequest):
    """A write, sent once or not at all.

    Attributes:
        slot: Its time slot in the rate limit, acquired before.
        may_depart: Called just before the first byte is sent; False cancels it.
    """

    def __init__(self, slot: float, may_depart: Callable[[], bool]) -> None:
        super().__init__()
        self.slot = slot
        self.may_depart = may_depart


@dataclass(frozen=True)
class Exchange:
    """One request and its response as sent and received; never a token request.

    Attributes:
        method: The method.
        address: Path and query.
        sent: The body of the request; None if it has none.
        status: The status of the response.
        received: The body of the response.
        header_names: Names of the response's headers, in lower case.
    """

    method: str
    address: str
    sent: bytes | None
    status: int
    received: bytes
    header_names: frozenset[str] = frozenset()


class NotDepartedError(Exception):
    """A write was not sent, because it might have been too late for it."""


class ServerClock:
    """Cenports' own time: the `Date` of its last response, plus the time since then on this process's clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: tuple[datetime, float] | None = None

    def set_by(self, date: str | None) -> None:
        """Set the clock by the `Date` of a response; ignore a missing one."""
        found = _parse_date(date)
        if found is not None:
            self._known = found, self._clock.monotonic()

    def now(self) -> datetime | None:
        """Return the time at Cenports; None before the first response."""
        if self._known is None:
            return None
        date, read_at = self._known
        return date + timedelta(seconds=self._clock.monotonic() - read_at)


class ApiAdapter(Transport):
    """The layers below the cache, as one loop: retries, rate limit, authentication."""

    def __init__(
        self,
        tokens: TokenProvider,
        rate_limiter: RateLimiter,
        usage: Usage,
        clock: Clock,
        redact: Callable[[str], str],
        *,
        exchange: Callable[..., requests.Response] | None = None,
        random: Random | None = None,
    ) -> None:
        super().__init__()
        self.server_clock = ServerClock(clock)
        self.on_exchange: Callable[[Exchange], None] | None = None
        self._exchange = exchange or self.exchange
        self._random = random or Random()  # noqa: S311 - no secret depends on it
        self._tokens = tokens
        self._rate_limiter = rate_limiter
        self._usage = usage
        self._clock = clock
        self._redact = redact

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        """Send a request until there is a response, or a reason to stop."""
        path = request.path_url.partition("?")[0]
        what = f"{request.method} {path}"
        is_token_request = path.endswith(AUTHORIZE_PATH)
        tls_options = {name: options.get(name) for name in ("verify", "cert", "proxies")}
        if isinstance(request, WriteRequest):
            return self._send_write(what, request, tls_options)
        response = self._send_repeatedly(what, request, tls_options, is_token_request=is_token_request)
        if isinstance(request, PageRequest):
            failure = self._reduce_to_records(request, response)
            if failure is not None:
                del response  # its body may contain a secret
                raise failure
        return response

    def _send_repeatedly(
        self, what: str, request: requests.PreparedRequest, tls_options: Mapping[str, Any], *, is_token_request: bool
    ) -> requests.Response:
        is_repeatable = request.method == "GET" or is_token_request
        deadline = self._clock.monotonic() + CALL_TIMEOUT_SECONDS
        failures, refusals, paused_seconds, token_renewed = 0, 0, 0.0, False
        while True:
            before = self._clock.monotonic()
            signed = _copy_without_headers(request)
            authorization = None if is_token_request else self._authorization()
            self._rate_limiter.acquire()
            deadline += self._clock.monotonic() - before  # waits for a token and the rate limit are not counted
            self._usage.add(sent=1, retried=int(failures + refusals + token_renewed > 0))
            result = self._send_once(what, signed, authorization, deadline, tls_options)
            if isinstance(result, requests.Response):
                return result
            if isinstance(result, AuthenticationError) and authorization and not token_renewed:
                self._tokens.discard(authorization)
                token_renewed = True
            elif isinstance(result, RateLimitedError):
                # 429 is refused before any processing, so writes are repeated too. All processes of the account pause.
                refusals += 1
                pause = max(result.retry_after or 0.0, self._backoff_seconds(refusals))
                if paused_seconds + pause > MAX_RETRY_AFTER_SECONDS:
                    raise result
                paused_seconds += pause
                self._rate_limiter.pause(pause)
            elif _is_transient(result) and is_repeatable:
                failures += 1
                pause = self._backoff_seconds(failures)
                if failures == MAX_TRIES or self._clock.monotonic() + pause >= deadline:
                    raise result
                self._clock.sleep(pause)
            else:
                raise result

    def reserve(self) -> float:
        """Wait until a write may be sent, with a token and a slot in the rate limit; return the slot.

        Raises:
            CenportsError: No token could be fetched; `reached` is False.
        """
        self._authorization()
        return self._rate_limiter.acquire()

    def pause(self, seconds: float) -> None:
        """Pause all requests of the account for a while, in every process."""
        self._rate_limiter.pause(seconds)

    def _send_write(self, what: str, request: WriteRequest, tls_options: Mapping[str, Any]) -> requests.Response:
        """Send a write once; callers decide whether to send it again.

        Raises:
            NotDepartedError: It was not sent.
        """
        authorization = self._authorization()
        # The slot was acquired before the last look; it counts from the moment of sending.
        if not self._rate_limiter.renew(request.slot) or not request.may_depart():
            raise NotDepartedError
        self._usage.add(sent=1)
        deadline = self._clock.monotonic() + CALL_TIMEOUT_SECONDS
        result = self._send_once(what, _copy_without_headers(request), authorization, deadline, tls_options)
        if isinstance(result, requests.Response):
            return result
        if isinstance(result, AuthenticationError):
            self._tokens.discard(authorization)
        raise result

    def _authorization(self) -> Secret:
        """Return the token's header; if that fails, the request itself was not sent."""
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
        """Send once; return a good response, or its error without secrets."""
        seconds = max(0.1, deadline - self._clock.monotonic())
        try:
            response = self._exchange(what, request, seconds, authorization=authorization, **tls_options)
            self.server_clock.set_by(response.headers.get("Date"))
            if self.on_exchange is not None and authorization is not None:
                sent = request.body if isinstance(request.body, bytes) else None
                address, status = request.path_url, response.status_code
                names = frozenset(map(str.lower, response.headers))
                self.on_exchange(Exchange(str(request.method), address, sent, status, response.content, names))
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

    def _reduce_to_records(self, request: PageRequest, response: requests.Response) -> UnexpectedAnswerError | None:
        """Replace a page by its records, so that the cache stores those and the envelope is parsed once.

        Returns:
            The error if it can't be read, without secrets.
        """
        try:
            page = extract_records(request.endpoint, response.parsed_body, response.headers)  # type: ignore[attr-defined]
        except UnexpectedAnswerError as error:
            return UnexpectedAnswerError(self._redact(str(error)))
        response._content = page.to_bytes()
        del response.parsed_body  # type: ignore[attr-defined]  # it holds the body as it came
        return None

    def _backoff_seconds(self, failure: int) -> float:
        """Return the pause before the next try: doubling, with jitter so that processes spread out."""
        return float(0.5 * 2 ** (failure - 1) * self._random.uniform(0.75, 1.25))

    def _redact_bytes(self, body: bytes) -> bytes:
        return self._redact(body[:MAX_ERROR_BYTES].decode("utf-8", "replace")).encode()


def _copy_without_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Copy only what Cenports needs, so that no header of an upper layer is sent."""
    signed = request.copy()
    kept = ("content-type", "content-length")
    signed.headers = requests.structures.CaseInsensitiveDict(
        {name: value for name, value in request.headers.items() if name.lower() in kept}
    )
    signed.headers.update(REQUEST_HEADERS)
    return signed


def _is_transient(error: CenportsError) -> bool:
    """Return whether a failure may disappear at the next try."""
    return isinstance(error, TransportError) or (isinstance(error, ApiError) and error.status >= 500)


def _parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Parse `Retry-After`, seconds or a date; None if it can't be parsed."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        date = _parse_date(value)
        if date is None:
            return None
        seconds = (date - now).total_seconds()
    return None if math.isnan(seconds) else max(0.0, seconds)


def _parse_date(value: str | None) -> datetime | None:
    """Parse an HTTP date; None if it can't be parsed."""
    try:
        return email.utils.parsedate_to_datetime(value).astimezone(UTC) if value else None
    except (ValueError, TypeError, OverflowError):
        return None
