"""One session, and the order of its layers: cache over retry over pacing over auth.

    Wire.get ─▶ cache (a hit ends here) ─▶ Exchange.send: for each try: token, pace, send, read, check, decide

A hit costs no rate limit because pacing lies below the cache; a retry costs a place in the rate limit
because pacing lies below the retries; the token is added last, on a copy, so that no layer above can keep it.
"""

from __future__ import annotations

import email.utils
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
from requests.adapters import HTTPAdapter
from requests_cache import CachedSession
from urllib3.exceptions import HTTPError

from cenports_nb.api import answers
from cenports_nb.api.auth import Token
from cenports_nb.api.cache import Cache
from cenports_nb.api.pacing import Clock, Pacer
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
from cenports_nb.settings import Credentials

TRIES = 4
CONNECT_S = 10.0
READ_S = 50.0
CALL_S = 60.0  # for one call with its retries; waiting for the rate limit is not counted
PATIENCE_S = 75.0  # the longest wait that one 429 may ask for: a window and some
MAX_BODY = 128 * 2**20
AUTHORIZE = "/authorize"


@dataclass(frozen=True)
class Answer:
    """One answer, whole and checked.

    Attributes:
        body: The JSON as it came.
        at: When it was fetched, UTC.
        cached: Whether it came from the cache.
    """

    body: bytes
    at: datetime
    cached: bool


class Wire:
    """Sends requests of one account and returns checked answers."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        cache: Cache | None,
        rate_limit: int,
        usage: Usage,
        clock: Clock,
    ) -> None:
        self.base_url = base_url
        self._credentials = credentials
        self._cache = cache
        self._usage = usage
        self.token = Token(self._authorize, clock)
        pacer = Pacer(rate_limit, clock, lambda seconds: usage.add(waited_s=seconds))
        self._session = cache.session() if cache else requests.Session()
        self._session.mount(
            "{}://{}/".format(*urlsplit(base_url)), Exchange(self.token, pacer, usage, clock, self._redact)
        )
        self._clock = clock

    def get(
        self,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        url: str | None = None,
        refresh: bool = False,
        keep: bool = True,
    ) -> Answer:
        """Read one answer, from the cache if it is young enough there.

        Args:
            path: The end point, such as `/orders`.
            body: Parameters that travel as a JSON body.
            query: Parameters that travel in the address.
            url: The address of a further page, on the same host.
            refresh: Ask Cenports even if the cache has it.
            keep: Whether the answer may be kept at all.

        Raises:
            CenportsError: One of its children, by what went wrong; see `cenports_nb.errors`.
        """
        address = self._further(path, url) if url is not None else self.base_url + path
        arguments: dict[str, Any] = {"params": query, "allow_redirects": False}
        if body is not None:
            arguments |= {"data": msgspec.json.encode(body), "headers": {"Content-Type": "application/json"}}
        if isinstance(self._session, CachedSession):
            age = self._cache.max_age(path) if self._cache and keep else 0
            arguments |= {"expire_after": age, "force_refresh": refresh or not keep}
        response = self._session.request("GET", address, **arguments)
        cached = bool(getattr(response, "from_cache", False))
        at = getattr(response, "created_at", None) or self._clock.now()
        if cached:
            self._usage.add(cached=1)
        return Answer(response.content, at.replace(tzinfo=at.tzinfo or UTC), cached)

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        """Write something, once: repeated only after a 401 or 429, which refuse before any processing."""
        response = self._session.request(
            method,
            self.base_url + path,
            data=msgspec.json.encode(body),
            headers={"Content-Type": "application/json"},
            allow_redirects=False,
        )
        return Answer(response.content, self._clock.now(), cached=False)

    def close(self) -> None:
        """Close the connections and the cache file."""
        self._session.close()
        if isinstance(self._session, CachedSession):
            self._session.cache.close()  # type: ignore[no-untyped-call]

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
        return self.send(
            "POST",
            AUTHORIZE,
            {
                "grant_type": "client_credentials",
                "client_id": key.client_id,
                "client_secret": key.client_secret,
            },
        ).body

    def _redact(self, text: str) -> str:
        return self.token.redact(text).replace(self._credentials.client_secret, "…")


class Exchange(HTTPAdapter):
    """The layers below the cache, as one loop."""

    def __init__(self, token: Token, pacer: Pacer, usage: Usage, clock: Clock, redact: Callable[[str], str]) -> None:
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
        renewed = False
        until = self._clock.monotonic() + CALL_S
        failure: CenportsError = TransportError(f"{what} was not tried.", reached=False)
        for attempt in range(1, TRIES + 1):
            before = self._clock.monotonic()
            signed = self._clean_copy(request)
            if not authorize:
                signed.headers["Authorization"] = self._signature()
            self._pacer.take()
            until += self._clock.monotonic() - before  # a token and a place in the rate limit take their own time
            self._usage.add(sent=1, retried=int(attempt > 1))
            answer: requests.Response | CenportsError = self._try(what, signed, options, until)
            if isinstance(answer, requests.Response):
                return answer
            failure = answer
            if isinstance(answer, AuthenticationError) and not authorize and not renewed:
                self._token.refused(signed.headers["Authorization"])
                renewed = True
                continue
            pause = _pause(answer, attempt, repeatable=repeatable)
            if pause is None:
                break
            if isinstance(answer, RateLimitedError):
                until += pause
                self._usage.add(waited_s=pause)
            elif self._clock.monotonic() + pause >= until:
                break
            self._clock.sleep(pause)
        raise failure

    def _signature(self) -> str:
        """Return the token's header; without one, the request itself never left."""
        try:
            return self._token.header()
        except CenportsError as error:
            error.reached = False
            raise

    def _try(
        self, what: str, request: requests.PreparedRequest, options: Mapping[str, Any], until: float
    ) -> requests.Response | CenportsError:
        """Send once: a good answer, or the error that it stands for, without secrets."""
        try:
            response = self._exchange(what, request, options, until)
            if 200 <= response.status_code < 300:
                answers.check(what, response.content)
                return response
        except TransportError as error:
            return TransportError(self._redact(str(error)), reached=error.reached)
        except BusinessError as error:
            return answers.business(what, error.status, self._redact_bytes(response.content))
        retry_after = _retry_after(response.headers.get("Retry-After"), self._clock.now())
        body = self._redact_bytes(response.content)
        return answers.error_of(what, response.status_code, body, retry_after)

    def _exchange(
        self, what: str, request: requests.PreparedRequest, options: Mapping[str, Any], until: float
    ) -> requests.Response:
        """Send once and read the whole answer, bounded in time and size."""
        left = max(0.1, until - self._clock.monotonic())
        connect_s, read_s = min(CONNECT_S, left), min(READ_S, left)
        try:
            response = super().send(
                request,
                stream=True,
                timeout=(connect_s, read_s),
                verify=options.get("verify", True),
                cert=options.get("cert"),
                proxies=options.get("proxies"),
            )
        except requests.exceptions.ConnectTimeout as error:
            text = f"{what} found nobody in {connect_s:.0f} s ({_reason(error)})"
            raise TransportError(f"{text}: check the network and the address.", reached=False) from None
        except requests.exceptions.ReadTimeout as error:
            text = f"{what} was not answered in {read_s:.0f} s ({_reason(error)})"
            raise TransportError(f"{text}: try again later.") from None
        except requests.exceptions.RequestException as error:
            text = f"{what} failed: {_reason(error)}; check the network and the address."
            raise TransportError(text, reached=not _never_left(error)) from None
        with response:
            response._content = self._read(what, response, until)
        response._content_consumed = True  # type: ignore[attr-defined]
        return response

    def _read(self, what: str, response: requests.Response, until: float) -> bytes:
        """Read what `.content` would; `read1` returns what is there, so that a slow drip meets the deadline."""
        body = bytearray()
        try:
            while chunk := response.raw.read1(2**16, decode_content=True):
                body += chunk
                if len(body) > MAX_BODY:
                    raise TransportError(
                        f"{what} was answered with more than {MAX_BODY >> 20} MiB: stopped reading; ask for less."
                    )
                if self._clock.monotonic() > until:
                    raise TransportError(
                        f"{what} was answered too slowly: stopped reading after {CALL_S:.0f} s; try again later."
                    )
        except (HTTPError, OSError) as error:
            text = f"{what} was cut off while it was read: {_reason(error)}; try again."
            raise TransportError(text) from None
        return bytes(body)

    def _clean_copy(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Copy only what Cenports needs, so that no header of a layer above goes out."""
        signed = request.copy()
        signed.headers = requests.structures.CaseInsensitiveDict(
            {
                name: value
                for name, value in request.headers.items()
                if name.lower() in ("content-type", "content-length", "accept-encoding")
            }
        )
        signed.headers["Accept"] = "application/json"
        signed.headers["User-Agent"] = "cenports-nb"
        return signed

    def _redact_bytes(self, body: bytes) -> bytes:
        return self._redact(body.decode("utf-8", "replace")).encode()


def _pause(error: CenportsError, attempt: int, *, repeatable: bool) -> float | None:
    """Decide after a failure: seconds until the next try, or None to stop."""
    if attempt == TRIES:
        return None
    if isinstance(error, RateLimitedError):
        # A refusal before any processing: writes may be repeated too.
        asked = error.retry_after or 0.0
        return max(asked, _backoff(attempt)) if asked <= PATIENCE_S else None
    passing = isinstance(error, TransportError) or (isinstance(error, ApiError) and error.status >= 500)
    return _backoff(attempt) if passing and repeatable else None


def _never_left(error: requests.exceptions.RequestException) -> bool:
    """Tell a connection that was never made from one that broke."""
    text = repr(error)
    return any(word in text for word in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError"))


def _reason(error: BaseException) -> str:
    """Name the innermost cause, without addresses and object ids."""
    inner: Any = error
    while getattr(inner, "args", None) and isinstance(inner.args[0], BaseException):
        inner = inner.args[0]
    cause = getattr(inner, "reason", inner)
    return type(cause).__name__ if isinstance(cause, BaseException) else str(cause)


def _backoff(attempt: int) -> float:
    """Seconds before the next try: doubling, with jitter so that processes spread."""
    return float(0.5 * 2 ** (attempt - 1) * random.uniform(0.75, 1.25))  # noqa: S311 - no secret depends on it


def _retry_after(value: str | None, now: datetime) -> float | None:
    """Read `Retry-After`, seconds or a date; what can't be read says nothing."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (email.utils.parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return None
