"""What a tool that shows the variables of a traceback could show of it."""

from __future__ import annotations

import contextlib
import traceback
from types import FrameType, TracebackType
from typing import Any

LEAVES = (type(None), bool, int, float, complex, range, type, TracebackType)
MAX_DEPTH = 8


def find_in_traceback(error: BaseException, secrets: list[str]) -> list[str]:
    """Find secrets in the variables of our frames and all others, from the first below the test's own.

    Errors that led to it are searched as well, whether or not a traceback would show them.
    """
    found: list[str] = []
    seen_errors: list[BaseException] = []
    errors: list[BaseException | None] = [error]
    while errors:
        one = errors.pop()
        if one is None or any(one is other for other in seen_errors):
            continue
        seen_errors.append(one)
        errors += [one.__cause__, one.__context__]
        texts = [str(one), repr(one), repr(vars(one)), "".join(_with_locals(one))]
        found += [f"text of {type(one).__name__}" for text in texts for secret in secrets if secret in text]
        step = one.__traceback__
        while step is not None:
            if "/tests/" not in step.tb_frame.f_code.co_filename:
                found += _search_frame(step.tb_frame, secrets)
            step = step.tb_next
    return found


def _with_locals(error: BaseException) -> list[str]:
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    shown.stack = traceback.StackSummary.from_list([one for one in shown.stack if "/tests/" not in one.filename])
    return list(shown.format(chain=False))


def _search_frame(frame: FrameType, secrets: list[str]) -> list[str]:
    where = f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_code.co_name}"
    found: list[str] = []
    seen: set[int] = set()
    for name, value in frame.f_locals.items():
        _search(value, f"{where}.{name}", secrets, seen, found, 0)
    return found


def _search(value: Any, path: str, secrets: list[str], seen: set[int], found: list[str], depth: int) -> None:
    if isinstance(value, LEAVES) or depth > MAX_DEPTH or id(value) in seen:
        return
    if isinstance(value, str):
        found += [path for secret in secrets if secret in value]
        return
    if isinstance(value, bytes | bytearray):
        found += [path for secret in secrets if secret.encode() in bytes(value)]
        return
    seen.add(id(value))
    for name, item in _list_parts(value):
        _search(item, path + name, secrets, seen, found, depth + 1)


def _list_parts(value: Any) -> list[tuple[str, Any]]:
    """List attributes, slots and items."""
    parts: list[tuple[str, Any]] = []
    if hasattr(value, "__dict__") and not isinstance(value, type(traceback)):
        parts += [(f".{name}", item) for name, item in list(vars(value).items())]
    for kind in type(value).__mro__:
        names = getattr(kind, "__slots__", ())
        parts += [(f".{name}", getattr(value, name, None)) for name in ([names] if isinstance(names, str) else names)]
    if hasattr(value, "items") and hasattr(value, "keys"):
        with contextlib.suppress(Exception):  # a mapping that can't be listed shows nothing either
            parts += [(f"[{key!r}]", item) for key, item in list(value.items())]
    elif isinstance(value, list | tuple | set | frozenset):
        parts += [(f"[{i}]", item) for i, item in enumerate(value)]
    return parts
