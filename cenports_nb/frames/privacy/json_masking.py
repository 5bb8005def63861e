"""Mask the personal fields of JSON text, by their names."""

from __future__ import annotations

import json
from typing import Any

from cenports_nb.frames.privacy.personal_columns import normalize_name, personal_kind
from cenports_nb.frames.privacy.pseudonyms import Pseudonymize
from cenports_nb.frames.schema.column_docs import TEXT


def mask_json(text: str, path: str, pseudonymize: Pseudonymize, quoted: str = "") -> str | None:
    """Mask the personal fields of JSON, by their names; None if the text isn't JSON.

    Args:
        text: The JSON.
        path: Its location, such as the column; empty for a record.
        pseudonymize: From `build_pseudonymizer`.
        quoted: A field whose text could not be read, so that it may hold anything.
    """
    try:
        value = json.loads(text)
        masked = json.dumps(_mask_value(value, path, pseudonymize, quoted), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return None
    try:
        masked.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which only its escape can represent
        return json.dumps(json.loads(masked), separators=(",", ":"))
    return masked


def _mask_value(value: Any, path: str, pseudonymize: Pseudonymize, quoted: str) -> Any:
    if isinstance(value, dict):
        return {
            name: _mask_value(item, f"{path}_{normalize_name(name)}".lstrip("_"), pseudonymize, quoted)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_mask_value(item, path, pseudonymize, quoted) for item in value]
    if value is None or isinstance(value, bool):
        return value
    anything = not path or (isinstance(value, str) and path == quoted)  # outside any field, or not what it should be
    kind = personal_kind(path) or (TEXT if anything else "")
    return pseudonymize(kind, value) if kind else value
