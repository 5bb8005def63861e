"""Answering a request: rate limit, fault, route, body, token, end point; independent of the HTTP server."""

import json
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl

from cenports_nb.sandbox.account.state import AccountState
from cenports_nb.sandbox.http.endpoint_request import EndpointRequest, QueryPairs, read_page_number, read_parameters
from cenports_nb.sandbox.http.faults import FAULT_KINDS, Fault, Faults
from cenports_nb.sandbox.http.responses import Refusal, Response, hide_error_status, respond_message
from cenports_nb.sandbox.http.routes import ROUTES, Route
from cenports_nb.sandbox.records import Json

PREFIX: Final = "/v2"
MAX_BODY_BYTES: Final = 10 * 2**20
_SECRETS: Final = frozenset({"client_secret", "access_token"})


@dataclass(frozen=True)
class Request:
    """A request that arrived and the status of its response; without tokens and secrets."""

    method: str
    path: str  # of the end point, without /v2
    params: Json  # query and body together
    at: datetime  # real time
    status: int  # 0 if none was sent
    fault: str | None = None  # the kind of fault that hit it


@dataclass(frozen=True)
class RawRequest:
    """A request as read from the connection; `body` is None if it was too large."""

    method: str
    target: str
    authorization: str | None
    body: bytes | None

    @property
    def path(self) -> str:
        """The path, with /v2."""
        return self.target.partition("?")[0]

    @cached_property
    def query(self) -> QueryPairs:
        """The parameters of the query."""
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)

    @cached_property
    def json(self) -> Any:
        """The body; an empty object if there is none, None if it is not JSON."""
        try:
            return json.loads(self.body.decode("utf-8"), parse_constant=_refuse_constant) if self.body else {}
        except (ValueError, RecursionError):
            return None


class RateLimit:
    """At most `limit` requests in any `window` seconds of real time; refused ones don't count."""

    def __init__(self, limit: int | None, window: float = 60.0, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._window = window
        self._now = now
        self._seen: deque[float] = deque()
        self._lock = threading.Lock()

    def admit(self) -> float:
        """Admit a request and return 0, or return the seconds until one can be admitted."""
        if self._limit is None:
            return 0.0
        with self._lock:
            now = self._now()
            while self._seen and self._seen[0] <= now - self._window:
                self._seen.popleft()
            if len(self._seen) >= self._limit:
                return max(self._seen[0] + self._window - now, 0.001)
            self._seen.append(now)
            return 0.0


class Service:
    """Answers requests from the account state, and records them."""

    def __init__(self, state: AccountState, rate_limit: RateLimit, faults: Faults, base_url: Callable[[], str]) -> None:
        self.state = state
        self.requests: list[Request] = []
        self._rate_limit = rate_limit
        self._faults = faults
        self._base_url = base_url

    def answer(self, request: RawRequest) -> tuple[Response, Fault | None]:
        """Answer a request; also return the fault that hit it."""
        at = datetime.now(UTC)
        path = request.path.removeprefix(PREFIX) if request.path.startswith(f"{PREFIX}/") else request.path
        wait = self._rate_limit.admit()
        fault = None
        if wait > 0:
            response = respond_message(429, "Too Many Attempts.", (("Retry-After", str(math.ceil(wait))),))
        else:
            fault = self._faults.trigger(
                f"{request.method} {path}", read_page_number("either", request.query, request.json)
            )
            response = self._respond_with_fault(request, fault) if fault else self._respond(request, None)
        params = {**dict(request.query), **(request.json if isinstance(request.json, dict) else {})}
        public = {name: value for name, value in params.items() if name not in _SECRETS}
        kind = fault.kind if fault else None
        self.requests.append(Request(request.method, path, public, at, response.status, kind))
        return response, fault

    def _respond_with_fault(self, request: RawRequest, fault: Fault) -> Response:
        kind = FAULT_KINDS[fault.kind]
        if kind.answer:
            return kind.answer(fault.options)
        response = self._respond(request, fault)
        return kind.alter(response, fault.options) if kind.alter else response

    def _respond(self, request: RawRequest, fault: Fault | None) -> Response:
        try:
            route = _find_route(request.method, request.path)
            if request.body is None:
                raise Refusal(respond_message(413, "The request body is larger than 10 MiB."))
            with self.state.lock:
                return self._run_endpoint(route, request, fault)
        except Refusal as refusal:
            return refusal.response

    def _run_endpoint(self, route: Route, request: RawRequest, fault: Fault | None) -> Response:
        now, dialect = self.state.settle(), self.state.dialect
        kind, options = (fault.kind, fault.options) if fault else (None, {})
        if kind == "expired_token":
            self.state.tokens.revoke_all()
        refused = dict.fromkeys(options["rows"], options["message"]) if kind == "failed_rows" else {}
        try:
            if route.needs_token and not self.state.tokens.accepts(request.authorization, now):
                raise Refusal(respond_message(401, "Unauthenticated."))
            params = read_parameters(route.source(dialect), request.query, request.json, route.arrays)
            if not isinstance(params, dict):
                raise Refusal(respond_message(400, "The request body must be a JSON object."))
            url = request.path if dialect.relative_links else self._base_url() + request.path.removeprefix(PREFIX)
            page = read_page_number(dialect.page_parameter, request.query, request.json)
            response = route.answer(EndpointRequest(self.state, dialect, now, params, url, page, refused))
        except Refusal as refusal:
            response = refusal.response
        return hide_error_status(response) if dialect.errors_as_200 else response


def _find_route(method: str, path: str) -> Route:
    methods = ROUTES.get(path.removeprefix(PREFIX)) if path.startswith(f"{PREFIX}/") else None
    if methods is None:
        raise Refusal(respond_message(404, f"The route {path.lstrip('/')} could not be found."))
    if method not in methods:
        allowed = ", ".join(methods)
        text = f"The {method} method is not supported for this route. Supported methods: {allowed}."
        raise Refusal(respond_message(405, text, (("Allow", allowed),)))
    return methods[method]


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")
