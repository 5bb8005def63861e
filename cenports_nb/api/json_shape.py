"""The shape of an answer: field names and types without values, so that it can be shown to anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

TEXT_FORMS = {
    "text: instant": r"\d{4}-\d\d-\d\d[T ].*",
    "text: day": r"\d{4}-\d\d-\d\d",
    "text: integer": r"-?\d+",
    "text: decimal": r"-?\d+\.\d+",
    "text: empty": r"\s*",
}


def describe_shape(value: Any) -> Any:
    """Return field names and types, without values."""
    if isinstance(value, dict):
        return {_name(key): describe_shape(item) for key, item in value.items()}
    if isinstance(value, list):
        shape: Any = None
        for item in value:
            shape = merge_shapes(shape, describe_shape(item))
        return [] if shape is None else [shape]
    if isinstance(value, str):
        return next((form for form, pattern in TEXT_FORMS.items() if re.fullmatch(pattern, value)), "text")
    return {bool: "flag", int: "integer", float: "decimal", type(None): "null"}[type(value)]


def _name(key: str) -> str:
    """Return a field name; a name that looks like a value is hidden."""
    return key if re.fullmatch(r"[A-Za-z][A-Za-z_]{0,30}\d?", key) else "(some key)"


def merge_shapes(one: Any, other: Any) -> Any:
    """Merge two shapes; differing types are listed side by side."""
    if one is None or one == other:
        return other
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: merge_shapes(one.get(name), other.get(name, one.get(name))) for name in (*one, *other)}
    if isinstance(one, list) and isinstance(other, list):
        return [merge_shapes(one[0] if one else None, other[0] if other else None)] if one or other else []
    seen = dict.fromkeys((*_list_kinds(one), *_list_kinds(other)))
    return " or ".join(sorted(seen))


def _list_kinds(shape: Any) -> Iterator[str]:
    if isinstance(shape, str):
        yield from shape.split(" or ")
    else:
        yield "object" if isinstance(shape, dict) else "list" if isinstance(shape, list) else "null"
