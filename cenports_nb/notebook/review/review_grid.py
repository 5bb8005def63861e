"""The widget of a review: its grid, general objections, totals and buttons."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import traitlets

from cenports_nb.notebook.grid.widget import GRID_SCRIPT, GRID_STYLE, Grid
from cenports_nb.notebook.review.decision import Decision, encode_reasons, parse_decision

FOLDER = Path(__file__).parent
REQUESTS = ("dry_run", "send")
RELOADED_NOTE = "This page was reloaded. Run the cell that shows the review again to save its result."


class ReviewGrid(Grid):
    """A grid with a decision; what the page asks for is passed to `on_request`.

    Attributes:
        accepted: Guards that are accepted by name.
        reasons: Why rows are left out, as pairs of text and ranges.
        state: What the page shows and allows; see `StockReview`.
        tracker_html: After sending: the tracker's table and the rows of its batches, our own escaped HTML.
        tracker_note: A sentence above them.
    """

    _esm = (
        GRID_SCRIPT
        + (FOLDER / "review.js").read_text(encoding="utf-8")
        + "\nexport default {render: redrawOnColumnChange(createReview)};\n"
    )
    _css = GRID_STYLE + (FOLDER / "review.css").read_text(encoding="utf-8")

    accepted = traitlets.List(traitlets.Unicode()).tag(sync=True)
    reasons = traitlets.List().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    tracker_html = traitlets.List(traitlets.Unicode()).tag(sync=True)
    tracker_note = traitlets.Unicode(RELOADED_NOTE).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self.on_request: Callable[[str, Decision, bool], None] = lambda *_: None
        self.lock: AbstractContextManager[Any] = threading.RLock()  # guards the decision
        super().__init__(**traits)

    @property
    def decision(self) -> Decision:
        """The current decision."""
        content = {"selection": self.selection, "accepted": self.accepted, "reasons": self.reasons}
        return parse_decision(content, self.rows, self.acceptable_guards) or Decision(())

    @property
    def acceptable_guards(self) -> list[str]:
        """The guards that can be accepted by name."""
        return [objection["guard"] for objection in self.state.get("general_objections", ())]

    def show_decision(self, decision: Decision) -> None:
        """Show another decision."""
        self._take(decision, self.selection_version + 1)

    def _take(self, decision: Decision, version: int) -> None:
        with self.lock, self.hold_sync():
            self.selection_version = max(self.selection_version, version)
            self.selection = list(decision.selection)
            self.accepted = list(decision.accepted)
            self.reasons = encode_reasons(decision.reasons, self.rows)

    def update(self, parts: Sequence[str], text: str) -> None:
        """Show a tracker instead: on a reloaded page this widget is the only one that can."""
        self.tracker_html = list(parts)

    def handle_message(self, content: Mapping[str, Any]) -> None:
        """Handle a message from the page; ignore an invalid one.

        Every message, also that of a button, contains the whole decision: what is dry-run or sent is exactly what the
        person saw.
        """
        if "selection" not in content:
            super().handle_message(content)
            return
        decision, version = parse_decision(content, self.rows, self.acceptable_guards), content.get("selection_version")
        if decision is None or not isinstance(version, int):
            return
        self._take(decision, version)
        if content.get("request") in REQUESTS:
            self.on_request(content["request"], decision, content.get("confirmed") is True)
