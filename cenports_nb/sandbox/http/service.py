"""The way of a request: pace, route, body, token, end point; without a word of HTTP's own."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from cenports_nb.sandbox.account.state import State
from cenports_nb.sandbox.faults import Fault, Faults
from cenports_nb.sandbox.http import parameters
from cenports_nb.sandbox.http.call import Call
from cenports_nb.sandbox.http.fault_responses import changed, instead
from cenports_nb.sandbox.http.rate_limit import Pace
from cenports_nb.sandbox.http.replies import Json, Refusal, Reply, message, with_status_200
from cenports_nb.sandbox.http.routes import ROUTES, Route

PREFIX: Final = "/v2"
BODY_MOST: Final = 10 * 2**20
_SECRETS: Final = frozenset({"client_secret", "access_token"})


@dataclass(frozen=True)
class Request:
    """What arrived and how it was answered; no token and no secret."""

    method: str
    path: str  # of the end point, without /v2
    params: Json  # query and body together
    at: datetime  # real time
    status: int  # 0 where none was sent
    fault: str | None = None  # the kind of fault that struck it


@dataclass(frozen=True)
class Incoming:
    """A request as read from the wire; `body` is None where it was too large to be read."""

    method: str
    target: str
    authorization: str | None
    body: bytes | None


@dataclass(frozen=True)
class _Asked:
    """A request taken apart: its path with /v2, its query, and its body as JSON."""

    incoming: Incoming
    path: str
    query: parameters.Pairs
    body: Any


class Service:
    """Answers requests from the state and records them."""

    def __init__(self, state: State, pace: Pace, faults: Faults, base_url: Callable[[], str]) -> None:
        self.state = state
        self.requests: list[Request] = []
        self._pace = pace
        self._faults = faults
        self._base_url = base_url

    def answer(self, incoming: Incoming) -> tuple[Reply, Fault | None]:
        """Answer one request, whatever it is, and say which fault struck it."""
        at = datetime.now(UTC)
        whole_path, _, query_text = incoming.target.partition("?")
        path = whole_path.removeprefix(PREFIX) if whole_path.startswith(f"{PREFIX}/") else whole_path
        asked = _Asked(incoming, whole_path, parse_qsl(query_text, keep_blank_values=True), _parse(incoming.body))
        wait = self._pace.wait()
        fault = None
        if wait > 0:
            reply = message(429, "Too Many Attempts.", (("Retry-After", str(math.ceil(wait))),))
        else:
            page = parameters.page_number("either", asked.query, asked.body)
            fault = self._faults.strike(f"{incoming.method} {path}", page)
            reply = self._struck(asked, fault) if fault else self._reply(asked, None)
        params = {**dict(asked.query), **(asked.body if isinstance(asked.body, dict) else {})}
        kept = {name: value for name, value in params.items() if name not in _SECRETS}
        kind = fault.kind if fault else None
        self.requests.append(Request(incoming.method, path, kept, at, reply.status, kind))
        return reply, fault

    def _struck(self, asked: _Asked, fault: Fault) -> Reply:
        reply = instead(fault)
        return changed(fault, self._reply(asked, fault)) if reply is None else reply

    def _reply(self, asked: _Asked, fault: Fault | None) -> Reply:
        try:
            route = _route(asked.incoming.method, asked.path)
            if asked.incoming.body is None:
                raise Refusal(message(413, "The request body is larger than 10 MiB."))
            with self.state.lock:
                return self._carry_out(route, asked, fault)
        except Refusal as refusal:
            return refusal.reply

    def _carry_out(self, route: Route, asked: _Asked, fault: Fault | None) -> Reply:
        now, dialect = self.state.settle(), self.state.dialect
        kind, options = (fault.kind, fault.options) if fault else (None, {})
        if kind == "expired_token":
            self.state.tokens.forget()
        refused = dict.fromkeys(options["rows"], options["message"]) if kind == "failed_rows" else {}
        try:
            if route.needs_token and not self.state.tokens.accepts(asked.incoming.authorization, now):
                raise Refusal(message(401, "Unauthenticated."))
            params = parameters.read(route.place(dialect), asked.query, asked.body, route.arrays)
            if not isinstance(params, dict):
                raise Refusal(message(400, "The request body must be a JSON object."))
            url = asked.path if dialect.relative_links else self._base_url() + asked.path.removeprefix(PREFIX)
            page = parameters.page_number(dialect.page_parameter, asked.query, asked.body)
            reply = route.answer(Call(self.state, dialect, now, params, url, page, refused))
        except Refusal as refusal:
            reply = refusal.reply
        return with_status_200(reply) if dialect.errors_as_200 else reply


def _route(method: str, path: str) -> Route:
    methods = ROUTES.get(path.removeprefix(PREFIX)) if path.startswith(f"{PREFIX}/") else None
    if methods is None:
        raise Refusal(message(404, f"The route {path.lstrip('/')} could not be found."))
    if method not in methods:
        allowed = ", ".join(methods)
        text = f"The {method} method is not supported for this route. Supported methods: {allowed}."
        raise Refusal(message(405, text, (("Allow", allowed),)))
    return methods[method]


def _parse(body: bytes | None) -> Any:
    """Read a JSON body; no body is an empty object, and what is not JSON is None."""
    if not body:
        return {}
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")
