"""Return freed heap to the operating system, because a load allocates many times what it keeps."""

from __future__ import annotations

import ctypes
import sys

_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


def trim_heap() -> None:
    """Return freed heap to the operating system, if the C library can (glibc)."""
    if _TRIM is not None:
        _TRIM(0)
