"""What stands in for outputs on a page that was loaded again.

Jupyter replaces an output in place only on the page on which it was first shown: one that was closed or loaded again
has what was saved, for ever. A widget finds its way back to the kernel, so this one, which shows nothing at first, shows
the outputs there, and hides those that stand still.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from cenports_nb.notebook.subshell import hear_at_once

PAGE = (Path(__file__).parent / "output_mirror.js").read_text(encoding="utf-8")


class Board(anywidget.AnyWidget):  # type: ignore[misc]
    """Parts of a page as HTML, for pages other than the first one.

    They go by message, never as a trait: nothing of them is kept in a widget's saved state.

    Attributes:
        mark: The class of what the outputs hold that it stands in for.
    """

    _esm = PAGE

    mark = traitlets.Unicode().tag(sync=True)

    def __init__(self) -> None:
        self._first: str | None = None
        self._again = False
        self._parts: list[str] = []
        super().__init__(mark=f"cn-of-{secrets.token_hex(4)}")
        hear_at_once(self)
        self.on_msg(lambda _, content, __: self._heard(content))

    def marked(self, page: str) -> str:
        """Mark an output as one that this may stand in for."""
        return f'<span class="{self.mark}"></span>{page}'

    def draw(self, parts: Sequence[str]) -> None:
        """Take what the outputs show now; everything from outside is escaped in it."""
        self._parts = list(parts)
        if self._again:
            self._tell()

    def _heard(self, content: Any) -> None:
        here = content.get("here") if isinstance(content, dict) else None
        if not isinstance(here, str):
            return
        if self._first is None:
            self._first = here
        elif here != self._first:
            self._again = True
            self._tell()

    def _tell(self) -> None:
        self.send({"parts": self._parts, "first": self._first})
