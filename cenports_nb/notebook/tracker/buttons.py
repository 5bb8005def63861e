"""The buttons of a tracker: what may be done now, where somebody can press them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets
from IPython.display import display

from cenports_nb.notebook.output_mirror import Board
from cenports_nb.notebook.subshell import hear_at_once
from cenports_nb.submissions.tracking.snapshot import Snapshot

WIDGET = "application/vnd.jupyter.widget-view+json"

BELOW = (
    "<style>.jp-OutputArea-child:has(+ .jp-OutputArea-child .cn-below-buttons):not(:has(button,.cn-board)){display:none}</style>"
    '<span class="cn-below-buttons"></span>'
)
"""Stands in the output below the buttons: a notebook opened again with another kernel would show an error for them."""


@dataclass(frozen=True)
class Button:
    """One button.

    Attributes:
        name: Its label.
        hint: What it does, in a sentence.
        writes: Whether it sends something, so that a read-only client has no use for it.
        outcomes: It has work while rows have one of these.
    """

    name: str
    hint: str
    writes: bool
    outcomes: tuple[str, ...]


BUTTONS: Mapping[str, Button] = {
    "poll": Button("Poll now", "Ask Cenports now instead of at the next turn", False, ("pending",)),
    "verify": Button("Verify", "Read the stock to settle what Cenports does not confirm", False, ("unconfirmed", "in_doubt")),
    "retry": Button("Retry", "Send again what was rejected or not applied, where stock and later changes allow it", True, ("rejected", "not_applied")),
    "stop": Button("Stop watching", "The transactions themselves go on", False, ()),
}  # fmt: skip


class Controls:
    """A row of buttons on one page; where its kernel is gone nothing is left of it.

    Args:
        pressed: Told the key of a button.
        read_only: The client can't send.
        board: What stands below the buttons, and stays when they go.
    """

    def __init__(self, pressed: Callable[[str], None], *, read_only: bool, board: Board | None = None) -> None:
        self._read_only = read_only
        self._buttons: dict[str, Any] = {}
        for key, button in BUTTONS.items():
            made = ipywidgets.Button(description=button.name, tooltip=button.hint)
            made.on_click(lambda _, key=key: pressed(key))
            hear_at_once(made)  # whoever waits in a cell may want to stop, or to poll now
            self._buttons[key] = made
        self.board = board
        self._row = ipywidgets.HBox(list(self._buttons.values()), layout={"flex_flow": "row wrap"})
        self._box = ipywidgets.VBox([self._row, board]) if board else self._row
        self._handle: Any = None

    def show(self, room: Any = None) -> None:
        """Put the buttons below the cell that runs, or into the room that was kept for them."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self._box.model_id}
        # A saved page without a kernel takes the other forms, which are empty.
        bundle = {WIDGET: view, "text/html": "<span></span>", "text/plain": ""}
        if room is not None:
            room.update(bundle, raw=True)
        self._handle = room or display(bundle, raw=True, display_id=True)

    def draw(self, snapshots: Sequence[Snapshot], *, busy: bool, watching: bool) -> None:
        """Enable what has work, and say how much."""
        for key, button in BUTTONS.items():
            rows = sum(seen.count(outcome) for seen in snapshots for outcome in button.outcomes)
            able = watching if key == "stop" else rows > 0 and not busy and not (button.writes and self._read_only)
            name = (
                button.name if key in ("poll", "stop") or not rows else f"{button.name} {rows:,} row{'s'[: rows > 1]}"
            )
            made = self._buttons[key]
            hint = f"{button.hint}; this client is read-only" if button.writes and self._read_only else button.hint
            for trait, value in (("description", name), ("disabled", not able), ("tooltip", hint)):
                if getattr(made, trait) != value:
                    setattr(made, trait, value)

    def take_away(self) -> None:
        """Leave nothing on the page."""
        if self._handle is not None:
            self._handle.update({"text/html": "<span></span>", "text/plain": ""}, raw=True)
        if self.board:
            self._box.children = [self.board]  # for whoever comes back to the page after the end
        for widget in (self._row, *self._buttons.values()):
            widget.close()
