"""One session, and the order of its layers: cache over retry over pacing over auth.

    Wire.find  ─▶ cache (a hit ends here)
    Wire.fetch ─▶ Exchange.send, for each try: token, pace, send, read, check, decide ─▶ cache (whole, valid answers)

A hit costs no rate limit because pacing lies below the cache; a retry costs a place in the rate limit
because pacing lies below the retries; the token is added last, on a copy, so that no layer above can keep
it. Redirects are never followed, so it goes to one host only.
"""

from __future__ import annotations

import email.utils
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import msgspec
import requests

from cenports_nb.api.http import responses
from cenports_nb.api.http.auth import Token
from cenports_nb.api.http.cache import Cache
from cenports_nb.api.http.rate_limit import Clock, RateLimiter
from cenports_nb.api.http.transport import Transport
from cenports_nb.api.usage import Usage
from cenports_nb.errors import (
    ApiError,
    AuthenticationError,
    BusinessError,
    CenportsError,
    OfflineMissError,
    RateLimitedError,
    TransportError,
    UnexpectedAnswerError,
)
from cenports_nb.settings import Credentials

TRIES = 4
CALL_S = 60.0  # for one call with its retries; waiting for the rate limit is not counted
PATIENCE_S = 75.0  # that all 429 of one call may ask to wait: a window and some
AUTHORIZE = "/authorize"


@dataclass(frozen=True)
class ApiResponse:
    """One answer, whole and checked.

    Attributes:
        body: The JSON as it came.
        at: When it was fetched, UTC.
        cached: Whether it came from the cache.
    """

    body: bytes
    at: datetime
    cached: bool


@dataclass(frozen=True)
class ApiRequest:
    """What is asked of a GET call.

    Attributes:
        path: The end point, such as `/orders`.
        body: Parameters that travel as a JSON body.
        query: Parameters that travel in the address.
        url: The address of a further page, on the same host.
    """

    path: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, Any] | None = None
    url: str | None = None


@dataclass
class Asked:
    """What tells one request from another."""

    method: str | None
    url: str | None
    body: Any


class ApiSession:
    """Sends requests of one account and returns checked answers."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        cache: Cache | None,
        pacer: RateLimiter,
        usage: Usage,
        clock: Clock,
        offline: bool = False,
    ) -> None:
        self.base_url = base_url
        self._credentials = credentials
        self._cache = cache
        self._usage = usage
        self._clock = clock
        self._offline = offline
        self._urls: dict[tuple[Any, ...], str] = {}
        self.token = Token(self._authorize, clock)
        self._session = cache.session() if cache else requests.Session()
        self._session.mount(
            "{}://{}/".format(*urlsplit(base_url)), HttpAdapter(self.token, pacer, usage, clock, self._redact)
        )

    def find(self, question: ApiRequest, max_age: float) -> ApiResponse | None:
        """Look for an answer in the cache that is no older than this."""
        if self._cache is None or max_age <= 0:
            return None
        kept = self._cache.find(self._asked(question), max_age)
        if kept is None:
            return None
        self._usage.add(cached=1)
        return ApiResponse(*kept, cached=True)

    def fetch(self, question: ApiRequest, *, keep: bool) -> ApiResponse:
        """Ask Cenports.

        Args:
            question: What to ask.
            keep: Whether the answer may go into the cache.

        Raises:
            CenportsError: One of its children, by what went wrong; see `cenports_nb.errors`.
        """
        request = self._prepare(question)
        if self._cache is not None:
            # Always past the cache on the way out; `no-store` also on the way back.
            keeps = keep and self._cache.keeps
            request.headers["Cache-Control"] = "no-cache" if keeps else "no-cache, no-store"
        return ApiResponse(self._send(request).content, self._clock.now(), cached=False)

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> ApiResponse:
        """Write something, once: repeated only after a 401 or 429, which refuse before any processing."""
        request = requests.PreparedRequest()
        request.prepare(method, self.base_url + path, headers=dict(JSON), data=msgspec.json.encode(body))
        return ApiResponse(self._send(request).content, self._clock.now(), cached=False)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _prepare(self, question: ApiRequest) -> requests.PreparedRequest:
        """Write a question as a request."""
        address, query = self._address(question)
        request = requests.PreparedRequest()
        if question.body is None:
            request.prepare("GET", address, params=query)
        else:
            request.prepare("GET", address, params=query, headers=dict(JSON), data=msgspec.json.encode(question.body))
        return request

    def _asked(self, question: ApiRequest) -> Asked:
        """Write what the cache must know of a request, as it would be prepared; addresses are remembered."""
        address, query = self._address(question)
        key = (address, *query.items())
        url = self._urls.get(key)
        if url is None:
            request = requests.PreparedRequest()
            request.prepare("GET", address, params=query)
            url = self._urls[key] = request.url or ""
        return Asked("GET", url, None if question.body is None else msgspec.json.encode(question.body))

    def _address(self, question: ApiRequest) -> tuple[str, dict[str, Any]]:
        """Take apart where a question goes; what a page's address says twice is said once."""
        address, query = self.base_url + question.path, dict(question.query or {})
        if question.url is not None:
            further = urlsplit(self._further(question.path, question.url))
            address = further._replace(query="", fragment="").geturl()
            query = {**dict(parse_qsl(further.query, keep_blank_values=True)), **query}
        return address, query

    def _send(self, request: requests.PreparedRequest) -> requests.Response:
        if self._offline:
            raise OfflineMissError(
                f"{request.method} {request.path_url.partition('?')[0]} is not in the cache, and this client is "
                "offline: connect without offline=True, or ask for what was loaded before."
            )
        # What the environment says of proxies and certificates, as requests has it.
        options = self._session.merge_environment_settings(request.url or "", {}, None, None, None)
        return self._session.send(request, allow_redirects=False, **options)

    def _further(self, path: str, url: str) -> str:
        """Resolve the address of a further page; the token never goes to another host."""
        try:
            address = urljoin(self.base_url + path, url)
            if urlsplit(address)[:2] == urlsplit(self.base_url)[:2]:
                return address
        except ValueError:
            pass
        raise UnexpectedAnswerError(
            f"A page of GET {path} points to another host, {url[:200]!r}: nothing was sent there; "
            "ask Cenports' integration team."
        )

    def _authorize(self) -> bytes:
        key = self._credentials
        grant = {
            "grant_type": "client_credentials",
            "client_id": key.client_id,
            "client_secret": key.client_secret,
        }
        return self.send("POST", AUTHORIZE, grant).body

    def _redact(self, text: str) -> str:
        """Take token and secret out of a text; a secret of a letter or two is in every word and hides nothing."""
        secret = self._credentials.client_secret
        text = self.token.redact(text)
        return text.replace(secret, "…") if len(secret) >= 4 else text


JSON = {"Content-Type": "application/json"}
PLAIN = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "cenports-nb"}


class HttpAdapter(Transport):
    """The layers below the cache, as one loop."""

    def __init__(
        self, token: Token, pacer: RateLimiter, usage: Usage, clock: Clock, redact: Callable[[str], str]
    ) -> None:
        super().__init__()
        self._token = token
        self._pacer = pacer
        self._usage = usage
        self._clock = clock
        self._redact = redact

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        """Try until there is an answer, or a reason to stop."""
        path = request.path_url.partition("?")[0]
        what = f"{request.method} {path}"
        authorize = path.endswith(AUTHORIZE)
        repeatable = request.method == "GET" or authorize
        trusted = {name: options.get(name) for name in ("verify", "cert", "proxies")}
        until = self._clock.monotonic() + CALL_S
        failures, refusals, held, renewed = 0, 0, 0.0, False
        while True:
            before = self._clock.monotonic()
            signed = _clean_copy(request)
            if not authorize:
                signed.headers["Authorization"] = self._signature()
            self._pacer.take()
            until += self._clock.monotonic() - before  # a token and a place in the rate limit take their own time
            self._usage.add(sent=1, retried=int(failures + refusals + renewed > 0))
            answer = self._try(what, signed, until, trusted)
            if isinstance(answer, requests.Response):
                return answer
            if isinstance(answer, AuthenticationError) and not authorize and not renewed:
                self._token.refused(signed.headers["Authorization"])
                renewed = True
            elif isinstance(answer, RateLimitedError):
                # A refusal before any processing: writes are repeated too. No process of the account goes on.
                refusals += 1
                pause = max(answer.retry_after or 0.0, _backoff(refusals))
                if held + pause > PATIENCE_S:
                    raise answer
                held += pause
                self._pacer.hold(pause)
            elif _passing(answer) and repeatable:
                failures += 1
                pause = _backoff(failures)
                if failures == TRIES or self._clock.monotonic() + pause >= until:
                    raise answer
                self._clock.sleep(pause)
            else:
                raise answer

    def _signature(self) -> str:
        """Return the token's header; without one, the request itself never left."""
        try:
            return self._token.header()
        except CenportsError as error:
            error.reached = False
            raise

    def _try(
        self, what: str, request: requests.PreparedRequest, until: float, trusted: Mapping[str, Any]
    ) -> requests.Response | CenportsError:
        """Send once: a good answer, or the error that it stands for, without secrets."""
        try:
            response = self.exchange(what, request, max(0.1, until - self._clock.monotonic()), **trusted)
            if 200 <= response.status_code < 300:
                responses.check(what, response.content)
                return response
        except TransportError as error:
            return TransportError(self._redact(str(error)), reached=error.reached)
        except BusinessError as error:
            return responses.business_error(what, error.status, self._redact_bytes(response.content))
        now = self._clock.now()
        retry_after = _retry_after(response.headers.get("Retry-After"), now)
        return responses.error_from_response(
            what, response.status_code, self._redact_bytes(response.content), retry_after=retry_after, now=now
        )

    def _redact_bytes(self, body: bytes) -> bytes:
        return self._redact(body.decode("utf-8", "replace")).encode()


def _clean_copy(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Copy only what Cenports needs, so that no header of a layer above goes out."""
    signed = request.copy()
    kept = ("content-type", "content-length")
    signed.headers = requests.structures.CaseInsensitiveDict(
        {name: value for name, value in request.headers.items() if name.lower() in kept}
    )
    signed.headers.update(PLAIN)
    return signed


def _passing(error: CenportsError) -> bool:
    """Tell a failure that may be gone at the next try."""
    return isinstance(error, TransportError) or (isinstance(error, ApiError) and error.status >= 500)


def _backoff(failure: int) -> float:
    """Seconds before the next try: doubling, with jitter so that processes spread."""
    return float(0.5 * 2 ** (failure - 1) * random.uniform(0.75, 1.25))  # noqa: S311 - no secret depends on it


def _retry_after(value: str | None, now: datetime) -> float | None:
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
