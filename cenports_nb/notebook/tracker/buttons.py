"""The buttons of a tracker: what can be done now, where somebody can press them. They look like the review's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from cenports_nb.notebook.grid.widget import GRID_STYLE, read_scripts
from cenports_nb.notebook.live_output.output_mirror import OutputMirror
from cenports_nb.notebook.live_output.subshell import handle_in_subshell
from cenports_nb.rendering.text import format_count
from cenports_nb.submissions.tracking.snapshot import Snapshot

BUTTONS_MARKER = (
    "<style>.jp-OutputArea-child:has(+ .jp-OutputArea-child .cn-below-buttons):not(:has(button,.cn-output-mirror)){display:none}</style>"
    '<span class="cn-below-buttons"></span>'
)
"""Marks the output below the buttons, and hides the buttons where a reopened notebook could only show an error."""


@dataclass(frozen=True)
class Button:
    """One button and the outcomes that it acts on; a read-only client can't press one that `writes`."""

    name: str
    hint: str
    writes: bool
    outcomes: tuple[str, ...]


BUTTONS: Mapping[str, Button] = {
    "poll": Button("Poll now", "Ask Cenports now instead of at the next poll", False, ("pending",)),
    "verify": Button("Verify", "Read the stock to settle what Cenports does not confirm", False, ("unconfirmed", "in_doubt")),
    "retry": Button("Retry", "Send again what was rejected or not applied, where stock and later changes allow it", True, ("rejected", "not_applied")),
    "stop": Button("Stop watching", "The transactions themselves go on", False, ()),
}  # fmt: skip


class ButtonBar(anywidget.AnyWidget):  # type: ignore[misc]
    """The buttons of a tracker; a press is answered on the page at once, and passed to `on_press`.

    Attributes:
        view: What a cell shows: the buttons, and the mirror below them, if there is one.
        buttons: `key name hint disabled` of each.
        answered: The number of presses that the kernel has handled.
        parts: The tables, our own escaped HTML, where no output can show them, as in marimo.
    """

    _esm = read_scripts("text.js", "html_parts.js") + Path(__file__).with_name("buttons.js").read_text(encoding="utf-8")
    _css = GRID_STYLE

    buttons = traitlets.List().tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)
    parts = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, on_press: Callable[[str], None], *, read_only: bool, mirror: OutputMirror | None = None) -> None:
        self._on_press = on_press
        self._read_only = read_only
        self._mirror = mirror
        super().__init__()
        self.view = ipywidgets.VBox([self, mirror]) if mirror else self
        handle_in_subshell(self)  # people may want to stop or to poll while a cell waits
        self.on_msg(lambda _, content, __: self.handle_message(content))

    def handle_message(self, content: Mapping[str, Any]) -> None:
        """Handle a press; ignore one of a button that is disabled now."""
        if "press" not in content:
            return
        self.answered += 1
        if any(button["key"] == content["press"] and not button["disabled"] for button in self.buttons):
            self._on_press(content["press"])

    def show_work(self, snapshots: Sequence[Snapshot], *, busy: bool, watching: bool) -> None:
        """Enable the buttons that have work, and show for how many rows."""
        buttons = []
        for key, button in BUTTONS.items():
            rows = sum(snapshot.count(outcome) for snapshot in snapshots for outcome in button.outcomes)
            enabled = watching if key == "stop" else rows > 0 and not busy and not (button.writes and self._read_only)
            name = button.name if key in ("poll", "stop") or not rows else f"{button.name} {format_count(rows, 'row')}"
            hint = f"{button.hint}; this client is read-only" if button.writes and self._read_only else button.hint
            buttons.append({"key": key, "name": name, "hint": hint, "disabled": not enabled})
        if self.buttons != buttons:
            self.buttons = buttons

    def remove(self) -> None:
        """Close the buttons; a mirror below them stays for people who return to the page later."""
        if self._mirror:
            self.view.children = [self._mirror]
        self.close()
