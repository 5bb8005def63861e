"""Parameters: what was given, read as the types of the notebook's defaults."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from datetime import date
from typing import Any

from cenports_nb.errors import InvalidRequestError
from cenports_nb.reports.catalogue import Report, nearest
from cenports_nb.reports.secret_detection import is_secret, looks_secret

WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
OUT = "out"
"""The parameter that tells a notebook where its files go; `run_report` sets it."""
WRITTEN = "parameters are written into the notebook: use the environment or a profile."


def check_parameters(report: Report, given: Mapping[str, Any]) -> dict[str, Any]:
    """Read given parameters as the types of the notebook's defaults.

    Raises:
        InvalidRequestError: One the notebook doesn't have, one that looks like a secret, one of a wrong type.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        if looks_secret(name):
            raise InvalidRequestError(f"{name!r} looks like a secret, and {WRITTEN}")
        if name not in report.parameters:
            has = f"It has {', '.join(report.parameters)}." if report.parameters else "It has none."
            raise InvalidRequestError(
                f"Report {report.name!r} has no parameter {name!r}{nearest(name, report.parameters)} {has}"
            )
        if name == OUT:
            raise InvalidRequestError(f"Parameter {OUT!r} is set by the run: use --out, or out= of run_report.")
        if is_secret(value):
            raise InvalidRequestError(f"The value of {name!r} looks like a secret, and {WRITTEN}")
        values[name] = _typed(name, value, report.parameters[name])
    return values


def _typed(name: str, value: Any, default: Any) -> Any:
    """Read a value as the type of the default; what has no type of its own is text, or nothing."""
    plain = _plain(value)
    if isinstance(default, bool):
        read = WORDS.get(plain.strip().lower()) if isinstance(plain, str) else plain
        return _of(bool, read, name, value, f"true or false, such as {default!r}")
    if isinstance(default, int):
        return _of(int, _number(plain, int), name, value, f"a whole number, such as {default!r}")
    if isinstance(default, float):
        return _of(float, _number(plain, float), name, value, f"a number, such as {default!r}")
    if isinstance(default, list | tuple):
        return _list(name, plain, value)
    if plain is None or (default is None and plain == ""):
        return None
    return _of(str, plain, name, value, "text, such as '0012'")


def _plain(value: Any) -> Any:
    """Write paths and days as text."""
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    return value.isoformat() if isinstance(value, date) else value


def _number(value: Any, kind: type) -> Any:
    if isinstance(value, bool):
        return None
    try:
        read = kind(value) if isinstance(value, str) or kind is float else value
    except (ValueError, TypeError):
        return None
    return read if not isinstance(read, float) or math.isfinite(read) else None


def _list(name: str, plain: Any, value: Any) -> list[str]:
    parts = plain.split(",") if isinstance(plain, str) else plain
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise InvalidRequestError(f"Parameter {name!r} is {value!r}: it must be texts, such as 'a,b'.")
    return [part.strip() for part in parts if part.strip()]


def _of(kind: type, read: Any, name: str, value: Any, what: str) -> Any:
    if type(read) is not kind:
        raise InvalidRequestError(f"Parameter {name!r} is {value!r}: it must be {what}.")
    return read
