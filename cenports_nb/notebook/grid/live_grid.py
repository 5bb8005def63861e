"""Where a grid is shown: the live one, and below it the same as plain HTML for whoever has no kernel.

The plain one is hidden while the live one is on the page. Where the live one is dead (a notebook opened again, a
kernel restarted) or was never made (an export), nothing is left of it, and the plain one stands. Once a page is loaded
again Jupyter replaces no output that it had saved: the live one goes on, the plain one stays as it was until its cell is
run again.
"""

from __future__ import annotations

from typing import Any

from IPython.display import display

WIDGET = "application/vnd.jupyter.widget-view+json"

NOTHING = {"text/html": "<span></span>", "text/plain": ""}

BELOW = """
<style>
.jp-OutputArea-child:has(+ .jp-OutputArea-child .cn-below-grid):is(:not(:has(.cn-grid)),:has(.cn-dead)),
.jp-OutputArea-child:has(.cn-grid):not(:has(.cn-dead)) + .jp-OutputArea-child:has(.cn-below-grid)
{display:none}
</style>
<span class="cn-below-grid"></span>
"""
"""Stands in the output below a live grid."""


class Place:
    """Two outputs below the cell that runs, replaced in place from any thread."""

    def __init__(self) -> None:
        self._live: Any = None
        self._still: Any = None
        self._drawn: tuple[str, str] | None = None

    def show(self, grid: Any, page: str, text: str) -> None:
        """Show a grid, and hold the same as HTML and as text.

        Args:
            grid: A widget; None where nobody can use it.
            page: The plain one; what comes from outside is escaped in it.
            text: The same for a terminal.
        """
        if grid is not None:
            view = {"version_major": 2, "version_minor": 0, "model_id": grid.model_id}
            self._live = display({WIDGET: view, **NOTHING}, raw=True, display_id=True)
        self._still = display(self._bundle(page, text), raw=True, display_id=True)
        self._drawn = (page, text)

    def draw(self, page: str, text: str) -> None:
        """Replace the plain one, if it changed."""
        if self._still is not None and (page, text) != self._drawn:
            self._drawn = (page, text)
            self._still.update(self._bundle(page, text), raw=True)

    def take_away(self, page: str, text: str) -> None:
        """Leave the plain one alone on the page."""
        live, self._live = self._live, None
        if live is not None:
            live.update(NOTHING, raw=True)
        self._drawn = None
        self.draw(page, text)

    def _bundle(self, page: str, text: str) -> dict[str, str]:
        return {"text/html": (BELOW if self._live is not None else "") + page, "text/plain": text}
