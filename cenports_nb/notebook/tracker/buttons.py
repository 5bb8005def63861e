"""The buttons of a tracker: what can be done now, where somebody can press them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets

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
    """One button.

    Attributes:
        name: Its label.
        hint: What it does, in a sentence.
        writes: Whether it sends something, which a read-only client can't.
        outcomes: The outcomes that it acts on.
    """

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


class ButtonRow:
    """The buttons of a tracker, in `widget`.

    Args:
        on_press: Called with the key of a button.
        read_only: Whether the client is read-only.
        mirror: Stands below the buttons, and stays when they are removed.
    """

    def __init__(self, on_press: Callable[[str], None], *, read_only: bool, mirror: OutputMirror | None = None) -> None:
        self._read_only = read_only
        self._mirror = mirror
        self._buttons: dict[str, Any] = {}
        for key, button in BUTTONS.items():
            widget = ipywidgets.Button(description=button.name, tooltip=button.hint)
            widget.on_click(lambda _, key=key: on_press(key))
            handle_in_subshell(widget)  # people may want to stop or to poll while a cell waits
            self._buttons[key] = widget
        self._row = ipywidgets.HBox(list(self._buttons.values()), layout={"flex_flow": "row wrap"})
        self.widget = ipywidgets.VBox([self._row, mirror]) if mirror else self._row

    def update(self, snapshots: Sequence[Snapshot], *, busy: bool, watching: bool) -> None:
        """Enable the buttons that have work, and show for how many rows."""
        for key, button in BUTTONS.items():
            rows = sum(snapshot.count(outcome) for snapshot in snapshots for outcome in button.outcomes)
            enabled = watching if key == "stop" else rows > 0 and not busy and not (button.writes and self._read_only)
            name = button.name if key in ("poll", "stop") or not rows else f"{button.name} {format_count(rows, 'row')}"
            widget = self._buttons[key]
            hint = f"{button.hint}; this client is read-only" if button.writes and self._read_only else button.hint
            for trait, value in (("description", name), ("disabled", not enabled), ("tooltip", hint)):
                if getattr(widget, trait) != value:
                    setattr(widget, trait, value)

    def close(self) -> None:
        """Close the buttons; the mirror stays for people who return to the page later."""
        if self._mirror:
            self.widget.children = [self._mirror]
        for widget in (self._row, *self._buttons.values()):
            widget.close()
