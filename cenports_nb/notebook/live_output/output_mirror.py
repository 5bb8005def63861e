"""A widget that stands in for outputs on a reloaded page.

Jupyter replaces an output in place only on the page on which it was first shown: a page that was closed or reloaded
keeps what was saved. A widget reconnects to the kernel, so this one, which is empty at first, shows the outputs there
and hides the saved ones.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from cenports_nb.notebook.live_output.subshell import handle_in_subshell

SCRIPT = Path(__file__).with_name("output_mirror.js").read_text(encoding="utf-8")


class OutputMirror(anywidget.AnyWidget):  # type: ignore[misc]
    """Parts of a page as HTML, for pages other than the first one.

    The parts are sent by message, never as a trait, so a widget's saved state contains none of them.

    Attributes:
        marker: The CSS class of the outputs that it replaces.
    """

    _esm = SCRIPT

    marker = traitlets.Unicode().tag(sync=True)

    def __init__(self) -> None:
        self._first_page: str | None = None
        self._was_reloaded = False
        self._parts: list[str] = []
        super().__init__(marker=f"cn-of-{secrets.token_hex(4)}")
        handle_in_subshell(self)
        self.on_msg(lambda _, content, __: self._handle_message(content))

    def mark(self, page: str) -> str:
        """Mark an output that this widget may replace."""
        return f'<span class="{self.marker}"></span>{page}'

    def update(self, parts: Sequence[str]) -> None:
        """Set what the outputs show now, with texts from outside escaped."""
        self._parts = list(parts)
        if self._was_reloaded:
            self._send_parts()

    def _handle_message(self, content: Any) -> None:
        page = content.get("page") if isinstance(content, dict) else None
        if not isinstance(page, str):
            return
        if self._first_page is None:
            self._first_page = page
        elif page != self._first_page:
            self._was_reloaded = True
            self._send_parts()

    def _send_parts(self) -> None:
        self.send({"parts": self._parts, "first_page": self._first_page})
