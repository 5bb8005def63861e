"""Messages of a widget that are handled while a cell runs, where the kernel can.

ipykernel 7.4 sends what a page says of a widget to the shell that made the widget, where it waits for the cell that
runs. Its private method `_reply_subshell_for` decides that for each comm. It is replaced only in versions whose method
is known; with any other ipykernel a message is handled between two cells, as ever.
"""

from __future__ import annotations

from typing import Any

import ipykernel

FIRST_KNOWN_VERSION = (7, 4)
FIRST_UNKNOWN_VERSION = (8, 0)
ROUTING_METHOD = "_reply_subshell_for"


def can_route_to_subshell(version: tuple[int | str, ...] | None = None) -> bool:
    """Tell whether this ipykernel has the routing method as it is known here.

    Args:
        version: Of ipykernel; the installed one by default.
    """
    installed = tuple(int(part) for part in (version or ipykernel.version_info)[:2])
    return FIRST_KNOWN_VERSION <= installed < FIRST_UNKNOWN_VERSION


def handle_in_subshell(*widgets: Any) -> None:
    """Let a subshell of the kernel handle what a page says; only for handlers that are quick and safe in any thread.

    Args:
        widgets: Each with a comm that is open.
    """
    if not can_route_to_subshell():
        return
    for widget in widgets:
        if hasattr(widget.comm, ROUTING_METHOD):
            setattr(widget.comm, ROUTING_METHOD, lambda _data, subshell: subshell)
