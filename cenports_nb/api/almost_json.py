"""What some servers send and JSON does not have: NaN, Infinity, half a surrogate pair.

One such value must not cost the whole answer. It is written as an object of one field, which no column takes
for a value, so that its record alone can't be read.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

MARK = "not JSON"
MARKED = re.compile(rf'{{"{MARK}": ?("(?:[^"\\\\]|\\\\.)*")}}')


def mend(body: bytes) -> bytes | None:
    """Write an answer as JSON; None if that can't be done, or if it is JSON already."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError:
        try:
            found = json.loads(body, parse_constant=lambda name: {MARK: name})
            return json.dumps(_without_halves(found)).encode()
        except (ValueError, RecursionError):
            return None
    return None


def as_sent(text: str) -> str:
    """Write a record as it came, before it was mended."""
    return MARKED.sub(lambda found: str(json.loads(found[1])), text) if MARK in text else text


def _without_halves(value: Any) -> Any:
    """Mark texts that have half a surrogate pair."""
    if isinstance(value, str):
        return value if _whole(value) else {MARK: json.dumps(value)}
    if isinstance(value, list):
        return [_without_halves(item) for item in value]
    if isinstance(value, dict):
        return {
            name if _whole(name) else name.encode("ascii", "backslashreplace").decode(): _without_halves(item)
            for name, item in value.items()
        }
    return value


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
