"""Why a record can't be read, in words for people."""

from __future__ import annotations

import re

import msgspec

from cenports_nb.api.http.json_repair import restore_text
from cenports_nb.frames.provenance import Reject


def explain_reject(record_index: int, record: bytes, key: str, error: Exception, where: str = "") -> Reject:
    """Name the column and the reason of a record that msgspec refused.

    Args:
        record_index: The record's position among those received.
        record: Its JSON.
        key: The field that identifies it.
        error: The error of msgspec.
        where: Text in front of the reason.
    """
    text, _, path = str(error).partition(" - at `$")
    path = path.rstrip("`")
    column = snake_case(path.rpartition(".")[2])
    if "required field" in text:
        column = snake_case(text.split("`")[1])
        text = f"{column} is missing"
    elif wanted := EXPECTED_TYPE.match(text):
        text = f"{column or 'the record'} {_describe_mismatch(wanted[1], record, path)}"
    elif column and column not in text:
        text = f"{column}: {text}"
    return Reject(record_index, read_key(record, key), column, where + text, format_record(record))


EXPECTED_TYPE = re.compile(r"Expected `([^`]+)`, got `\w+`$")
TYPE_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "yes or no",
    "array": "a list",
    "object": "an object",
}
"""msgspec's names of types -> words for people."""


def _describe_mismatch(wanted: str, record: bytes, path: str) -> str:
    """Describe which type a value doesn't have, and the value."""
    kinds = wanted.split(" | ")
    what = TYPE_WORDS["str"] if "str" in kinds else TYPE_WORDS.get(kinds[0], kinds[0])
    try:
        value = msgspec.json.decode(record)
        for name, item in re.findall(r"\.(\w+)|\[(\d+)\]", path):
            value = value[name] if name else value[int(item)]
    except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError):
        return f"isn't {what}"
    if value is None:
        return "is null" if path else f"isn't {what}: null"
    text = restore_text(msgspec.json.encode(value).decode())
    return f"isn't {what}: {text if len(text) <= MAX_QUOTED_CHARACTERS else text[: MAX_QUOTED_CHARACTERS - 1] + '…'}"


MAX_QUOTED_CHARACTERS = 60
"""Characters of a value that a reason quotes; the record has all of it."""


def read_key(record: bytes, key: str) -> str:
    """Return the key field of a record; empty if it can't be read."""
    try:
        found = msgspec.json.decode(record)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return str(found.get(key) or "") if isinstance(found, dict) else ""


def snake_case(name: str) -> str:
    """Convert `trackingURL` to `tracking_url`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower().lstrip("_")


def format_record(record: bytes) -> str:
    """Return a record as text, whatever its bytes are."""
    return restore_text(bytes(record).decode("utf-8", "replace"))
