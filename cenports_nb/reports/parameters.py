"""Parameters of a report, converted to the types of the notebook's defaults."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from datetime import date
from typing import Any

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.choices import suggest_choice
from cenports_nb.rendering.surface import name_argument
from cenports_nb.reports.catalogue import Report
from cenports_nb.reports.secret_detection import is_secret_name, is_secret_value

BOOLEAN_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
OUT_PARAMETER = "out"
"""The parameter with the folder for the notebook's files; `run_report` sets it."""
STORED_IN_CLEAR = "parameters are written into the notebook: use the environment or a profile."


def check_parameters(report: Report, given: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the given parameters to the types of the notebook's defaults.

    Raises:
        InvalidRequestError: The notebook lacks a parameter, or a value looks like a secret or has the wrong type.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        if is_secret_name(name):
            raise InvalidRequestError(f"{name!r} looks like a secret, and {STORED_IN_CLEAR}")
        if name not in report.parameters:
            has = f"It has {', '.join(report.parameters)}." if report.parameters else "It has none."
            raise InvalidRequestError(
                f"Report {report.name!r} has no parameter {name!r}{suggest_choice([name], report.parameters) or '.'} {has}"
            )
        if name == OUT_PARAMETER:
            raise InvalidRequestError(
                f"Parameter {OUT_PARAMETER!r} is set by the run: pass {name_argument('out')} to the run instead."
            )
        if is_secret_value(value):
            raise InvalidRequestError(f"The value of {name!r} looks like a secret, and {STORED_IN_CLEAR}")
        values[name] = _coerce(name, value, report.parameters[name])
    return values


def _coerce(name: str, value: Any, default: Any) -> Any:
    """Convert a value to the type of the default; without a default it is text or None."""
    plain = _to_plain(value)
    if isinstance(default, bool):
        read = BOOLEAN_WORDS.get(plain.strip().lower()) if isinstance(plain, str) else plain
        return _require_type(bool, read, name, value, f"true or false, such as {default!r}")
    if isinstance(default, int):
        return _require_type(int, _parse_number(plain, int), name, value, f"a whole number, such as {default!r}")
    if isinstance(default, float):
        return _require_type(float, _parse_number(plain, float), name, value, f"a number, such as {default!r}")
    if isinstance(default, list | tuple):
        return _parse_list(name, plain, value)
    if plain is None or (default is None and plain == ""):
        return None
    return _require_type(str, plain, name, value, "text, such as '0012'")


def _to_plain(value: Any) -> Any:
    """Convert paths and dates to text."""
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    return value.isoformat() if isinstance(value, date) else value


def _parse_number(value: Any, kind: type) -> Any:
    if isinstance(value, bool):
        return None
    try:
        read = kind(value) if isinstance(value, str) or kind is float else value
    except (ValueError, TypeError):
        return None
    return read if not isinstance(read, float) or math.isfinite(read) else None


def _parse_list(name: str, plain: Any, value: Any) -> list[str]:
    parts = plain.split(",") if isinstance(plain, str) else plain
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise InvalidRequestError(f"Parameter {name!r} is {value!r}: it must be texts, such as 'a,b'.")
    return [part.strip() for part in parts if part.strip()]


def _require_type(kind: type, read: Any, name: str, value: Any, what: str) -> Any:
    if type(read) is not kind:
        raise InvalidRequestError(f"Parameter {name!r} is {value!r}: it must be {what}.")
    return read
