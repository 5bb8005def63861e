"""Parameters: read from the query, the body or both, as typed values."""

import json
import re
from collections.abc import Iterable
from typing import Any

from cenports_nb.sandbox.dialect import Place
from cenports_nb.sandbox.http.replies import Json

Pairs = list[tuple[str, str]]

_FLAGS = frozenset({"isAcknowledged", "isPaginated", "acknowledged", "actualStock"})
_NUMBERS = frozenset({"limit"})
_BOOLS = {"true": True, "1": True, "false": False, "0": False}
_ITEM = re.compile(r"(\w+)\[(\d*)\]\[(\w+)\]")  # orders[0][orderNo], as PHP reads a query


def read(place: Place, query: Pairs, body: Any, arrays: Iterable[str] = ()) -> Any:
    """Read what an end point sees; not a dict if it reads the body and that is no JSON object."""
    if place == "body":
        return body
    typed = _typed(query, arrays)
    if place == "query":
        return typed
    return {**body, **typed} if isinstance(body, dict) else body


def page_number(place: Place, query: Pairs, body: Any) -> int:
    """Read the page asked for, in the query before the body; anything odd is the first, as in Laravel."""
    values: list[Any] = []
    if place != "body":
        values.append(dict(query).get("page"))
    if place != "query" and isinstance(body, dict):
        values.append(body.get("page"))
    for value in values:
        if value is not None:
            text = str(value)
            return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1
    return 1


def _typed(query: Pairs, arrays: Iterable[str]) -> Json:
    """Give texts the types that the rules ask for; what can't be one stays text and is refused by them."""
    # A blank one is null, as Laravel has it.
    params: Json = {name: value or None for name, value in query}
    for name in _FLAGS & params.keys():
        params[name] = _BOOLS.get(str(params[name]).lower(), params[name])
    for name in _NUMBERS & params.keys():
        text = str(params[name])
        params[name] = int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else params[name]
    for name in arrays:
        params[name] = _array(params[name]) if params.get(name) else _items(name, query)
    return params


def _array(text: str) -> Any:
    """Read an array that is one text: JSON, or order numbers separated by commas."""
    if text.lstrip().startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return [{"orderNo": name.strip()} for name in text.split(",") if name.strip()]


def _items(name: str, query: Pairs) -> list[Json] | None:
    """Read an array whose items are parameters of their own."""
    items: dict[str, Json] = {}
    for key, value in query:
        match = _ITEM.fullmatch(key)
        if match and match[1] == name:
            items.setdefault(match[2] or f"+{len(items)}", {})[match[3]] = value
    return list(items.values()) or None
