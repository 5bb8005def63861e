"""A request as an end point sees it, with its parameters from the query, the body or both as typed values."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cenports_nb.sandbox.account.state import AccountState
from cenports_nb.sandbox.dialect import Dialect, ParameterSource
from cenports_nb.sandbox.http.request_rules import Rules
from cenports_nb.sandbox.http.responses import Errors, Refusal, respond_invalid
from cenports_nb.sandbox.http.validation import KnownCodes, find_errors
from cenports_nb.sandbox.records import Json

QueryPairs = list[tuple[str, str]]

_FLAGS = frozenset({"isAcknowledged", "isPaginated", "acknowledged", "actualStock"})
_NUMBERS = frozenset({"limit"})
_BOOLS = {"true": True, "1": True, "false": False, "0": False}
_ITEM = re.compile(r"(\w+)\[(\d*)\]\[(\w+)\]")  # orders[0][orderNo], as PHP parses a query


@dataclass(frozen=True)
class EndpointRequest:
    """One request: its parameters, read where the end point reads them, and the account state."""

    state: AccountState
    dialect: Dialect
    now: datetime
    params: Json
    url: str  # of the end point, for links to other pages
    page: int
    refused: Mapping[int, str]  # rows of a write that a fault refuses

    def find_errors(self, rules: Rules) -> Errors:
        """Check the parameters; return what is wrong, by name."""
        known = KnownCodes(channels=self.state.channels, warehouses=self.state.stock.warehouses)
        return find_errors(rules, self.params, known)

    def require(self, rules: Rules) -> None:
        """Refuse the request with 422 unless every parameter is valid."""
        errors = self.find_errors(rules)
        if errors:
            raise Refusal(respond_invalid(errors))

    def read_text(self, param: str) -> str | None:
        """Return a text parameter; None if it is missing, blank or not text."""
        value = self.params.get(param)
        return value if isinstance(value, str) and value.strip() else None

    def read_names(self, param: str) -> frozenset[str] | None:
        """Return the parts of a comma-separated parameter; None if there are none."""
        names = (name.strip() for name in (self.read_text(param) or "").split(","))
        return frozenset(name for name in names if name) or None

    def read_limit(self, cap: int | None) -> int:
        """Return the maximum number of rows; an end point without a limit parameter may get any value."""
        asked = self.params.get("limit")
        limit = asked if type(asked) is int and asked > 0 else self.dialect.default_limit
        return limit if cap is None else min(limit, cap)


def read_parameters(source: ParameterSource, query: QueryPairs, body: Any, arrays: Iterable[str] = ()) -> Any:
    """Read the parameters; not a dict if the end point reads the body and that is not a JSON object."""
    if source == "body":
        return body
    typed = _read_query(query, arrays)
    if source == "query":
        return typed
    return {**body, **typed} if isinstance(body, dict) else body


def read_page_number(source: ParameterSource, query: QueryPairs, body: Any) -> int:
    """Read the page number, from the query before the body; an invalid one is 1, as in Laravel."""
    values: list[Any] = []
    if source != "body":
        values.append(dict(query).get("page"))
    if source != "query" and isinstance(body, dict):
        values.append(body.get("page"))
    for value in values:
        if value is not None:
            text = str(value)
            return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1
    return 1


def _read_query(query: QueryPairs, arrays: Iterable[str]) -> Json:
    """Convert texts to the types of the rules; what can't be converted stays text, which the rules refuse."""
    # A blank value is null, as in Laravel.
    params: Json = {name: value or None for name, value in query}
    for name in _FLAGS & params.keys():
        params[name] = _BOOLS.get(str(params[name]).lower(), params[name])
    for name in _NUMBERS & params.keys():
        text = str(params[name])
        params[name] = int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else params[name]
    for name in arrays:
        params[name] = _parse_array(params[name]) if params.get(name) else _collect_items(name, query)
    return params


def _parse_array(text: str) -> Any:
    """Parse an array given as one text: JSON, or order numbers separated by commas."""
    if text.lstrip().startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return [{"orderNo": name.strip()} for name in text.split(",") if name.strip()]


def _collect_items(name: str, query: QueryPairs) -> list[Json] | None:
    """Parse an array whose items are separate parameters."""
    items: dict[str, Json] = {}
    for key, value in query:
        match = _ITEM.fullmatch(key)
        if match and match[1] == name:
            items.setdefault(match[2] or f"+{len(items)}", {})[match[3]] = value
    return list(items.values()) or None
