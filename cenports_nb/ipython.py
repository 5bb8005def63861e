"""The IPython shell that this runs in, if it does; nothing of IPython is imported for that."""

from __future__ import annotations

import builtins
from typing import Any


def shell() -> Any:
    """Return the shell; None in a script."""
    return getattr(builtins, "get_ipython", lambda: None)()


def kernel() -> Any:
    """Return the kernel of a notebook, whose outputs can be replaced; None in a terminal, which only prints."""
    return getattr(shell(), "kernel", None)


def attended() -> bool:
    """Tell whether a person runs this cell: a runner without one (papermill, nbconvert) takes no input."""
    if kernel() is None:
        return shell() is not None
    request = kernel().get_parent("shell") or {}
    return bool(request.get("content", {}).get("allow_stdin", False))
