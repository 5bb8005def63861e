"""The widget of a review: the grid of its rows, what is said of all of them, totals, and the buttons."""

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


class ReviewGrid(Grid):
    """A grid with a decision around it: everything that the page shows is here, everything it asks for is `on_request`.

    Attributes:
        accepted: Guards that are accepted by name.
        reasons: Why rows are left out, as pairs of text and ranges.
        state: What the page says and allows; see `StockReview`.
        tracker_html: Once it is sent: the tracker's table and the rows of its batches, our own HTML, escaped.
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

    def __init__(self, **traits: Any) -> None:
        self.on_request: Callable[[str, Decision, bool], None] = lambda *_: None
        self.lock: AbstractContextManager[Any] = threading.RLock()  # guards the decision
        super().__init__(**traits)

    @property
    def decision(self) -> Decision:
        """What is decided now."""
        content = {"selection": self.selection, "accepted": self.accepted, "reasons": self.reasons}
        return parse_decision(content, self.rows, self.acceptable_guards) or Decision(())

    @property
    def acceptable_guards(self) -> list[str]:
        """Guards that can be accepted by name."""
        return [objection["guard"] for objection in self.state.get("general_objections", ())]

    def show_decision(self, decision: Decision) -> None:
        """Show another decision."""
        with self.lock, self.hold_sync():
            self.selection_version += 1
            self.selection = list(decision.selection)
            self.accepted = list(decision.accepted)
            self.reasons = encode_reasons(decision.reasons, self.rows)

    def update(self, parts: Sequence[str], text: str) -> None:
        """Show a tracker instead: a page that was loaded again still has this widget, and nothing else to show it."""
        self.tracker_html = list(parts)

    def handle_message(self, content: Mapping[str, Any]) -> None:
        """Take a message of a page; one that makes no sense changes nothing.

        A page sends its whole decision with every message, also with the press of a button: what is tried or sent is
        what the person saw, and nothing else.
        """
        if "selection" not in content:
            super().handle_message(content)
            return
        decision, version = parse_decision(content, self.rows, self.acceptable_guards), content.get("selection_version")
        if decision is None or not isinstance(version, int):
            return
        with self.lock, self.hold_sync():
            self.selection_version = max(self.selection_version, version)
            self.selection = list(decision.selection)
            self.accepted = list(decision.accepted)
            self.reasons = encode_reasons(decision.reasons, self.rows)
        if content.get("request") in REQUESTS:
            self.on_request(content["request"], decision, content.get("confirmed") is True)
