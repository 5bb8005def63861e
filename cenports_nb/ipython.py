"""The running IPython shell, if there is one, found without importing IPython."""

from __future__ import annotations

import builtins
from typing import Any


def get_shell() -> Any:
    """Return the IPython shell; None in a script."""
    return getattr(builtins, "get_ipython", lambda: None)()


def get_kernel() -> Any:
    """Return the kernel of a notebook, whose outputs can be replaced; None in a terminal."""
    return getattr(get_shell(), "kernel", None)


def is_attended() -> bool:
    """Return whether a person runs this cell: a runner (papermill, nbconvert) takes no input."""
    if get_kernel() is None:
        return get_shell() is not None
    request = get_kernel().get_parent("shell") or {}
    return bool(request.get("content", {}).get("allow_stdin", False))
