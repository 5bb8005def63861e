"""The HTTP session of one account. Its layers: cache over retries over rate limit over authentication.

    ApiSession.find_page   ─▶ cache (a hit ends here)
    ApiSession.fetch_page  ─▶ ApiAdapter.send, for each try: token, rate limit, send, parse, decide ─▶ cache

The rate limit is below the cache, so a hit uses no slot; it is below the retries, so each retry uses one. The token is
added last, to a copy, so that no upper layer can store it. Redirects are never followed, so the token goes to one host
only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import msgspec
import requests

from cenports_nb.account import is_this_machine, normalize_address
from cenports_nb.api.dialect import Dialect
from cenports_nb.api.http.adapter import AUTHORIZE_PATH, ApiAdapter, Exchange, PageRequest, WriteRequest
from cenports_nb.api.http.auth import TokenProvider
from cenports_nb.api.http.cache import Cache, CacheableRequest
from cenports_nb.api.http.rate_limit import Clock, RateLimiter
from cenports_nb.api.http.record_page import RecordPage
from cenports_nb.api.usage import Usage
from cenports_nb.errors import OfflineMissError, UnexpectedAnswerError
from cenports_nb.redaction import Redactor
from cenports_nb.secret import Secret, SecretBody
from cenports_nb.settings import Credentials

JSON_HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class ApiRequest:
    """One GET request.

    Attributes:
        path: The end point, such as `/orders`.
        parameters: Its parameters, without the partner id.
        url: The URL of another page, on the same host.
    """

    path: str
    parameters: Mapping[str, Any]
    url: str | None = None


@dataclass(frozen=True)
class ApiResponse:
    """A complete, checked response.

    Attributes:
        body: The JSON as received.
        at: When it was fetched, UTC.
    """

    body: bytes
    at: datetime


@dataclass(frozen=True)
class PageResponse:
    """One page of records.

    Attributes:
        page: Its records, and what it says about other pages.
        at: When it was fetched, UTC.
        cached: Whether it came from the cache.
    """

    page: RecordPage
    at: datetime
    cached: bool

    def without_records(self) -> PageResponse:
        """Return the response without its records, which may be large."""
        return replace(self, page=RecordPage(self.page.info, b""))


class ApiSession:
    """Sends the requests of one account, and returns checked responses."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        dialect: Callable[[], Dialect],
        cache: Cache | None,
        rate_limiter: RateLimiter,
        usage: Usage,
        clock: Clock,
        offline: bool = False,
        exchange: Callable[..., requests.Response] | None = None,
        random: Random | None = None,
    ) -> None:
        self.base_url = base_url
        self._credentials = credentials
        self._dialect = dialect
        self._cache = cache
        self._usage = usage
        self._clock = clock
        self._offline = offline
        self._prepared_urls: dict[tuple[Any, ...], str] = {}
        self._redact = Redactor(credentials.client_id, credentials.client_secret)
        self.tokens = TokenProvider(self._request_token, clock, self._redact.add_token)
        self._session = cache.session() if cache else requests.Session()
        self._adapter = ApiAdapter(
            self.tokens, rate_limiter, usage, clock, self._redact, exchange=exchange, random=random
        )
        self._session.mount("{}://{}/".format(*urlsplit(base_url)), self._adapter)

    def find_page(self, request: ApiRequest, max_age_seconds: float) -> PageResponse | None:
        """Return a page of at most this age from the cache; None if there is none."""
        if self._cache is None or max_age_seconds <= 0:
            return None
        found = self._cache.find(self._cacheable(request), max_age_seconds, any_generation=self._offline)
        if found is None:
            return None
        self._usage.add(cached=1)
        content, at = found
        return PageResponse(RecordPage.from_bytes(content), at, cached=True)

    def fetch_page(self, request: ApiRequest, *, keep: bool) -> PageResponse:
        """Fetch a page of records past the cache.

        Args:
            request: The request.
            keep: Whether the page may be cached.

        Raises:
            CenportsError: A subclass, by what went wrong; see `cenports_nb.errors`.
        """
        prepared = self._prepare(request, PageRequest(request.path))
        if self._cache is not None:
            # The request always bypasses the cache; with `no-store` the response does too.
            keeps = keep and self._cache.keeps
            prepared.headers["Cache-Control"] = "no-cache" if keeps else "no-cache, no-store"
        response = self._send(prepared)
        return PageResponse(RecordPage.from_bytes(response.content), self._clock.now(), cached=False)

    def fetch(self, path: str, parameters: Mapping[str, Any]) -> ApiResponse:
        """Fetch a response past the cache, without storing it."""
        prepared = self._prepare(ApiRequest(path, parameters), requests.PreparedRequest())
        prepared.headers["Cache-Control"] = "no-cache, no-store"
        return ApiResponse(self._send(prepared).content, self._clock.now())

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> ApiResponse:
        """Send a write, once: repeated only after a 401 or 429, which refuse before any processing."""
        request = requests.PreparedRequest()
        request.prepare(method, self.base_url + path, headers=dict(JSON_HEADERS), data=msgspec.json.encode(body))
        return ApiResponse(self._send(request).content, self._clock.now())

    def reserve_write(self) -> float:
        """Wait until a write may be sent, and return its slot in the rate limit.

        Raises:
            CenportsError: No token could be fetched; `reached` is False.
        """
        return self._adapter.reserve()

    def write(
        self, method: str, path: str, body: Mapping[str, Any], slot: float, may_depart: Callable[[], bool]
    ) -> ApiResponse:
        """Send a write, once and without retries.

        Args:
            method: The method.
            path: The path.
            body: The JSON body.
            slot: From `reserve_write`.
            may_depart: Called just before the first byte is sent; False cancels it.

        Raises:
            NotDepartedError: It was not sent.
            CenportsError: It was refused, or no usable response was received.
        """
        request = WriteRequest(slot, may_depart)
        request.prepare(method, self.base_url + path, headers=dict(JSON_HEADERS), data=msgspec.json.encode(body))
        return ApiResponse(self._send(request).content, self._clock.now())

    def read_server_clock(self) -> datetime | None:
        """Return the time at Cenports; None before the first response with a `Date`."""
        return self._adapter.server_clock.now()

    def pause(self, seconds: float) -> None:
        """Pause all requests of the account for a while, in every process."""
        self._adapter.pause(seconds)

    @contextmanager
    def observe(self, on_exchange: Callable[[Exchange], None]) -> Iterator[None]:
        """Call a function with each request and its response while the block runs, except token requests."""
        self._adapter.on_exchange = on_exchange
        try:
            yield
        finally:
            self._adapter.on_exchange = None

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _prepare(self, request: ApiRequest, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        address, query, body = self._arrange(request)
        headers = None if body is None else dict(JSON_HEADERS)
        prepared.prepare("GET", address, params=query, headers=headers, data=body)
        return prepared

    def _cacheable(self, request: ApiRequest) -> CacheableRequest:
        """Describe a request to the cache as it would be prepared; URLs are remembered."""
        address, query, body = self._arrange(request)
        key = (address, *query.items())
        url = self._prepared_urls.get(key)
        if url is None:
            prepared = requests.PreparedRequest()
            prepared.prepare("GET", address, params=query)
            url = self._prepared_urls[key] = prepared.url or ""
        return CacheableRequest("GET", url, body)

    def _arrange(self, request: ApiRequest) -> tuple[str, dict[str, Any], bytes | None]:
        """Return address, query and body; the dialect decides where parameters go.

        A parameter that a page's URL repeats is sent once.
        """
        parameters = {"partnerId": self._credentials.partner_id, **request.parameters}
        dialect = self._dialect()
        where = dialect.channel_parameters if request.path == "/channels" else dialect.get_parameters
        body = msgspec.json.encode(parameters) if where in ("body", "both") else None
        address, query = self.base_url + request.path, format_query(parameters) if where in ("query", "both") else {}
        if request.url is not None:
            page = urlsplit(self._resolve_page_url(request.path, request.url))
            address = page._replace(query="", fragment="").geturl()
            query = {**dict(parse_qsl(page.query, keep_blank_values=True)), **query}
        return address, query, body

    def _send(self, request: requests.PreparedRequest) -> requests.Response:
        if self._offline:
            raise OfflineMissError(
                f"{request.method} {request.path_url.partition('?')[0]} is not in the cache, and this client is "
                "offline: connect without offline=True, or ask for what was loaded before."
            )
        # Proxies and certificates come from the environment, as in requests.
        options = self._session.merge_environment_settings(request.url or "", {}, None, None, None)
        if is_this_machine(self.base_url):
            options["proxies"] = {}  # a proxy would look for loopback on its own machine, and see the secret
        return self._session.send(request, allow_redirects=False, **options)

    def _resolve_page_url(self, path: str, url: str) -> str:
        """Resolve the URL of another page; the token is never sent to another host."""
        try:
            page, own = urlsplit(urljoin(self.base_url + path, url)), urlsplit(self.base_url)
            if page[:2] == own[:2]:
                return page.geturl()
            if normalize_address(f"{page.scheme}://{page.netloc}") == normalize_address(f"{own.scheme}://{own.netloc}"):
                return page._replace(scheme=own.scheme, netloc=own.netloc).geturl()  # another spelling of the host
        except ValueError:
            pass
        raise UnexpectedAnswerError(
            f"A page of GET {path} points to another host, {url[:200]!r}: nothing was sent there; "
            "ask Cenports' integration team."
        )

    def _request_token(self) -> Secret:
        key = self._credentials
        grant = SecretBody(
            {
                "grant_type": "client_credentials",
                "client_id": key.client_id,
                "client_secret": key.client_secret,
            }
        )
        request = requests.PreparedRequest()
        address = self.base_url + AUTHORIZE_PATH
        request.prepare("POST", address, headers=dict(JSON_HEADERS), data=grant)
        return Secret(self._send(request).content.decode("utf-8", "surrogateescape"))


def format_query(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Format parameters for a query string: flags as 1 and 0, which Laravel reads."""
    found: dict[str, Any] = {}
    for name, value in parameters.items():
        if isinstance(value, bool):
            found[name] = int(value)
        elif isinstance(value, list):
            found |= {f"{name}[{i}][{key}]": text for i, item in enumerate(value) for key, text in item.items()}
        else:
            found[name] = value
    return found
