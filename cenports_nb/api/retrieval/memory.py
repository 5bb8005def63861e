"""Memory that was given up, returned to the system: a load reads many times of what it keeps."""

from __future__ import annotations

import ctypes
import sys

_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


def trim_heap() -> None:
    """Return what has been given up, where the C library can be told to (glibc)."""
    if _TRIM is not None:
        _TRIM(0)
