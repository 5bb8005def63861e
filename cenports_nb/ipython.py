"""The IPython shell that this runs in, if it does; nothing of IPython is imported for that."""

from __future__ import annotations

import builtins
from typing import Any


def get_shell() -> Any:
    """Return the shell; None in a script."""
    return getattr(builtins, "get_ipython", lambda: None)()


def get_kernel() -> Any:
    """Return the kernel of a notebook, whose outputs can be replaced; None in a terminal, which only prints."""
    return getattr(get_shell(), "kernel", None)


def is_attended() -> bool:
    """Tell whether a person runs this cell: a runner without one (papermill, nbconvert) takes no input."""
    if get_kernel() is None:
        return get_shell() is not None
    request = get_kernel().get_parent("shell") or {}
    return bool(request.get("content", {}).get("allow_stdin", False))
