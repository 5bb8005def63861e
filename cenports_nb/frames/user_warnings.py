"""Warnings that name the line of the user; those of loaders on threads are collected for the end."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from cenports_nb.errors import PACKAGE_FOLDER


class CollectedWarning(NamedTuple):
    """A warning that a loader of one of several accounts gave."""

    text: str
    category: type[Warning]


_COLLECTED: ContextVar[list[CollectedWarning] | None] = ContextVar("_COLLECTED", default=None)


def warn_user(text: str, category: type[Warning]) -> None:
    """Warn at the user's line; while several accounts are loaded, keep the warning for the end."""
    collected = _COLLECTED.get()
    if collected is None:
        warnings.warn(text, category, stacklevel=_find_stacklevel_of_caller())
    else:
        collected.append(CollectedWarning(text, category))


def _find_stacklevel_of_caller() -> int:
    """Return the stack level of the first frame outside this package, so that a warning names the user's line."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE_FOLDER):
        frame, level = frame.f_back, level + 1
    return level


@contextmanager
def collect_warnings() -> Iterator[list[CollectedWarning]]:
    """Keep the warnings of this thread's loader: of warnings from threads, Python shows no line and drops repeated ones."""
    collected: list[CollectedWarning] = []
    token = _COLLECTED.set(collected)
    try:
        yield collected
    finally:
        _COLLECTED.reset(token)
