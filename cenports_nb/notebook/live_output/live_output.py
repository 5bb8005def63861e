"""Outputs below a cell that are replaced in place: a widget, and plain HTML for pages without a kernel.

A saved or exported notebook shows the HTML. It can be replaced from any thread, and each part is replaced only when it
changed. After a page was reloaded, Jupyter no longer replaces saved outputs; an `OutputMirror` shows them there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from IPython.display import display

from cenports_nb.notebook.live_output.output_mirror import OutputMirror

WIDGET_MIME_TYPE = "application/vnd.jupyter.widget-view+json"
EMPTY_HTML = "<span></span>"


class LiveOutput:
    """An optional widget, and parts of HTML below it.

    Args:
        widget_marker: HTML before the first part while there is a widget, such as a style that hides one of them.
        mirror: Shows the same parts on a reloaded page.
    """

    def __init__(self, *, widget_marker: str = "", mirror: OutputMirror | None = None) -> None:
        self._widget_marker = widget_marker
        self._mirror = mirror
        self._widget_slot: Any = None
        self._has_widget = False
        self._slots: list[tuple[Any, tuple[str, str]]] = []

    def show(self, widget: Any, parts: Sequence[str], text: str, *, slots: int = 1) -> None:
        """Show a widget and its parts below the running cell.

        Args:
            widget: None where nobody can use it.
            parts: HTML, with texts from outside escaped.
            text: The first part for a terminal.
            slots: The number of outputs for parts; none can be added later.
        """
        self._has_widget = widget is not None
        if widget is not None:
            self._widget_slot = _display(_widget_bundle(widget))
        self._slots = [(_display(_html_bundle(*part)), part) for part in self._fit(parts, text, slots)]

    def reserve(self, slots: int) -> None:
        """Reserve empty outputs below the running cell, to be filled later from another cell or thread."""
        self._widget_slot = _display(_html_bundle(EMPTY_HTML))
        self._slots = [(_display(_html_bundle(EMPTY_HTML)), (EMPTY_HTML, "")) for _ in range(slots)]

    def insert_widget(self, widget: Any) -> None:
        """Put a widget into its reserved output; call `update` afterwards."""
        self._has_widget = True
        self._widget_slot.update(_widget_bundle(widget), raw=True)

    def remove_widget(self) -> None:
        """Remove the widget from the page."""
        if self._has_widget:
            self._has_widget = False
            self._widget_slot.update(_html_bundle(EMPTY_HTML), raw=True)

    def update(self, parts: Sequence[str], text: str) -> None:
        """Replace the parts that changed; parts beyond the number of outputs share the last one."""
        if self._mirror:
            self._mirror.update(parts)
        for i, ((slot, old), new) in enumerate(zip(self._slots, self._fit(parts, text, len(self._slots)), strict=True)):
            if new != old:
                slot.update(_html_bundle(*new), raw=True)
                self._slots[i] = (slot, new)

    def repeat(self) -> None:
        """Send every part again: a notebook runner drops what a thread sends while another cell runs."""
        for slot, part in self._slots:
            slot.update(_html_bundle(*part), raw=True)

    def _fit(self, parts: Sequence[str], text: str, slots: int) -> list[tuple[str, str]]:
        """Distribute parts over this many outputs, each with its text."""
        if not slots:
            return []
        pages = [*parts[: slots - 1], "".join(parts[slots - 1 :])]
        pages += [""] * (slots - len(pages))
        if self._mirror:
            pages = [self._mirror.mark(page) if page else page for page in pages]
        first = (self._widget_marker if self._has_widget else "") + pages[0]
        return [(first, text), *((page, "") for page in pages[1:])]


def _widget_bundle(widget: Any) -> dict[str, Any]:
    """Build a widget's bundle; a saved page without a kernel uses its other formats, which are empty."""
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {WIDGET_MIME_TYPE: view, **_html_bundle(EMPTY_HTML)}


def _html_bundle(page: str, text: str = "") -> dict[str, str]:
    return {"text/html": page, "text/plain": text}


def _display(bundle: dict[str, Any]) -> Any:
    return display(bundle, raw=True, display_id=True)
