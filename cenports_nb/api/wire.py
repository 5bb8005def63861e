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
from urllib.parse import urlsplit

import msgspec
import requests
from requests.adapters import HTTPAdapter
from requests_cache import CachedSession

from cenports_nb.api import answers
from cenports_nb.api.auth import Token
from cenports_nb.api.cache import Cache
from cenports_nb.api.pacing import Clock, Pacer
from cenports_nb.api.usage import Usage
from cenports_nb.errors import CenportsError, TransportError, UnexpectedAnswerError
from cenports_nb.settings import Credentials

TRIES = 4
CONNECT_S = 10.0
READ_S = 50.0
CALL_S = 60.0  # for one try, from the first byte sent to the last one read
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
        self._session.mount(base_url, Exchange(self.token, pacer, usage, clock, self._redact))
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
        if url is not None and urlsplit(url)[:2] != urlsplit(self.base_url)[:2]:
            raise UnexpectedAnswerError(
                f"A page of GET {path} points to another host, {urlsplit(url).netloc!r}: nothing was sent there."
            )
        arguments: dict[str, Any] = {"params": query, "allow_redirects": False}
        if body is not None:
            arguments |= {"data": msgspec.json.encode(body), "headers": {"Content-Type": "application/json"}}
        if isinstance(self._session, CachedSession):
            age = self._cache.max_age(path) if self._cache and keep else 0
            arguments |= {"expire_after": age, "force_refresh": refresh}
        response = self._session.request("GET", url or self.base_url + path, **arguments)
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
            self._session.cache.close()

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

    def __init__(
        self, token: Token, pacer: Pacer, usage: Usage, clock: Clock, redact: Callable[[str], str]
    ) -> None:
        super().__init__()
        self._token = token
        self._pacer = pacer
        self._usage = usage
        self._clock = clock
        self._redact = redact

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:  # type: ignore[override]
        """Try until there is an answer, or a reason to stop."""
        path = request.path_url.partition("?")[0]
        what = f"{request.method} {path}"
        authorize = path.endswith(AUTHORIZE)
        repeatable = request.method == "GET" or authorize
        renewed = False
        for attempt in range(1, TRIES + 1):
            signed = self._clean_copy(request)
            if not authorize:
                signed.headers["Authorization"] = self._token.header()
            self._pacer.take()
            self._usage.add(sent=1, retried=int(attempt > 1))
            try:
                response = self._exchange(what, signed, options)
                if response.status_code == 200:
                    answers.check(what, response.content)
                    return response
            except TransportError as error:
                if attempt == TRIES or not repeatable:
                    raise self._safe(error) from None
                self._clock.sleep(_backoff(attempt))
                continue
            status = response.status_code
            retry_after = _retry_after(response.headers.get("Retry-After"), self._clock.now())
            error_ = answers.error_of(what, status, self._redact_bytes(response.content), retry_after)
            if status == 401 and not authorize and not renewed:
                self._token.refused(signed.headers["Authorization"])
                renewed = True
            elif status == 429 and attempt < TRIES and (retry_after or 0) <= PATIENCE_S:
                wait = max(retry_after or 0.0, _backoff(attempt))
                self._clock.sleep(wait)
                self._usage.add(waited_s=wait)
            elif status >= 500 and repeatable and attempt < TRIES:
                self._clock.sleep(_backoff(attempt))
            else:
                raise error_
        raise error_

    def _exchange(
        self, what: str, request: requests.PreparedRequest, options: Mapping[str, Any]
    ) -> requests.Response:
        """Send once and read the whole answer, bounded in time and size."""
        until = self._clock.monotonic() + CALL_S
        try:
            response = super().send(
                request,
                stream=True,
                timeout=(CONNECT_S, READ_S),
                verify=options.get("verify", True),
                cert=options.get("cert"),
                proxies=options.get("proxies"),
            )
        except requests.exceptions.ConnectTimeout as error:
            raise TransportError(f"{what} found nobody in {CONNECT_S:.0f} s ({_reason(error)}).", reached=False) from None
        except requests.exceptions.ReadTimeout as error:
            raise TransportError(f"{what} was not answered in {READ_S:.0f} s ({_reason(error)}).") from None
        except requests.exceptions.RequestException as error:
            raise TransportError(f"{what} failed: {_reason(error)}.", reached=not _never_left(error)) from None
        body = bytearray()
        with response:
            try:
                for chunk in response.iter_content(2**16):
                    body += chunk
                    if len(body) > MAX_BODY:
                        raise TransportError(f"{what} was answered with more than {MAX_BODY >> 20} MiB: stopped reading.")
                    if self._clock.monotonic() > until:
                        raise TransportError(f"{what} was answered too slowly: stopped reading after {CALL_S:.0f} s.")
            except requests.exceptions.RequestException as error:
                raise TransportError(f"{what} was cut off while it was read: {_reason(error)}.") from None
        response._content = bytes(body)  # noqa: SLF001 - what `.content` would do, less the bounds
        response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
        return response

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

    def _safe(self, error: TransportError) -> CenportsError:
        return TransportError(self._redact(str(error)), reached=error.reached)


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
