"""Handle messages of a widget while a cell runs, where the kernel can.

ipykernel 7.4 sends a widget's messages to the shell that created the widget, where they wait for the running cell. Its
private method `_reply_subshell_for` decides that for each comm. It is replaced only in versions whose method is known;
with any other ipykernel, messages are handled between cells.
"""

from __future__ import annotations

from typing import Any

import ipykernel

FIRST_KNOWN_VERSION = (7, 4)
FIRST_UNKNOWN_VERSION = (8, 0)
ROUTING_METHOD = "_reply_subshell_for"


def can_route_to_subshell() -> bool:
    """Return whether the installed ipykernel has the routing method in its known form."""
    installed = tuple(int(part) for part in ipykernel.version_info[:2])
    return FIRST_KNOWN_VERSION <= installed < FIRST_UNKNOWN_VERSION


def handle_in_subshell(*widgets: Any) -> None:
    """Handle the messages of widgets with an open comm in a subshell; only for handlers that are quick and thread-safe."""
    if not can_route_to_subshell():
        return
    for widget in widgets:
        if hasattr(widget.comm, ROUTING_METHOD):
            setattr(widget.comm, ROUTING_METHOD, lambda _data, subshell: subshell)
