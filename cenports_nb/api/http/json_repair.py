"""Repair what some servers send and JSON doesn't allow: NaN, Infinity, half a surrogate pair.

One such value must not invalidate the whole answer. It is replaced by an object with one field, which no column
accepts, so that only its record can't be read; every other byte of the answer stays as it was received.
"""

from __future__ import annotations

import json
import re

import msgspec

REPAIR_MARK = "not JSON"
MARKED_VALUE = re.compile(rf'{{"{REPAIR_MARK}": ?("(?:[^"\\]|\\.)*")}}')
TOKEN = re.compile(rb'(?P<text>"(?:[^"\\]|\\.)*+")(?P<name>\s*:)?|-?Infinity|NaN', re.DOTALL)
HALF_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
BOM = b"\xef\xbb\xbf"


def repair_json(body: bytes) -> bytes | None:
    """Repair an answer to valid JSON; None if that can't be done, or if it is valid already."""
    repaired = TOKEN.sub(_repair_token, bytes(body).removeprefix(BOM))
    try:
        msgspec.json.decode(repaired, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    return None if repaired == body else repaired


def restore_text(text: str) -> str:
    """Return a record as it was received, before the repair."""
    return MARKED_VALUE.sub(lambda found: str(json.loads(found[1])), text) if REPAIR_MARK in text else text


def _repair_token(found: re.Match[bytes]) -> bytes:
    """Mark an invalid token; a field's name can't be marked, so its half pair is written as text."""
    text = found["text"]
    if text is None:
        return _mark(found[0])
    if not HALF_SURROGATE.search(text) or _is_encodable(text):
        return found[0]
    if found["name"] is None:
        return _mark(text)
    name = json.loads(text.decode("utf-8", "replace"), strict=False).encode("utf-8", "backslashreplace").decode()
    return json.dumps(name).encode() + found["name"]


def _mark(token: bytes) -> bytes:
    return json.dumps({REPAIR_MARK: token.decode("utf-8", "replace")}).encode()


def _is_encodable(text: bytes) -> bool:
    """Return whether UTF-8 can hold a JSON text."""
    try:
        json.loads(text.decode("utf-8", "replace"), strict=False).encode()
    except ValueError:
        return False
    return True
