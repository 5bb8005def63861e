"""Clicks that are heard while a cell runs, where Jupyter can."""

from __future__ import annotations

from typing import Any

ROUTE = "_reply_subshell_for"
"""Where ipykernel 7.4 sends what a page says of a widget: behind the cell that runs, if that made the widget."""


def hear_at_once(*widgets: Any) -> None:
    """Let a subshell of the kernel hear what is pressed; only for handlers that are quick and safe in any thread.

    Without subshells (older kernels, other notebooks than JupyterLab) a click is heard between two cells, as ever.

    Args:
        widgets: Each with a comm that is open.
    """
    for widget in widgets:
        if hasattr(widget.comm, ROUTE):
            setattr(widget.comm, ROUTE, lambda _data, subshell: subshell)
