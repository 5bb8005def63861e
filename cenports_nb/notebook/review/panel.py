"""The page of a review: the grid of its rows, what is said of all of them, totals, and the buttons."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import traitlets

from cenports_nb.notebook.grid.widget import LOOK, SOURCE, Grid
from cenports_nb.notebook.review.decision import Decision, decision_of, pairs_of

HERE = Path(__file__).parent
JOBS = ("dry", "send")


class Panel(Grid):
    """A grid with a decision around it: everything that the page shows is here, everything it asks for is `asked`.

    Attributes:
        accepted: Guards that are accepted by name.
        reasons: Why rows are left out, as pairs of text and ranges.
        told: What the page says and allows; see `review.StockReview`.
        end: Once it is sent: the tracker's table and the rows of its batches, our own HTML, escaped.
    """

    controls = None  # it is drawn on as one of a tracker's `Outputs`

    _esm = (
        SOURCE
        + (HERE / "review.js").read_text(encoding="utf-8")
        + "\nexport default {render: renewed((model, el) => reviewOf(model, el))};\n"
    )
    _css = LOOK + (HERE / "review.css").read_text(encoding="utf-8")

    accepted = traitlets.List(traitlets.Unicode()).tag(sync=True)
    reasons = traitlets.List().tag(sync=True)
    told = traitlets.Dict().tag(sync=True)
    end = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self.asked: Callable[[str, Decision, bool], None] = lambda *_: None
        self.turn: AbstractContextManager[Any] = threading.RLock()  # what is heard and what is decided take turns
        super().__init__(**traits)

    @property
    def decision(self) -> Decision:
        """What is decided now."""
        content = {"ticked": self.ranges, "accepted": self.accepted, "reasons": self.reasons}
        found = decision_of(content, self.rows, self.known)
        return found or Decision(())

    @property
    def known(self) -> list[str]:
        """Guards that can be accepted by name."""
        return [one["guard"] for one in self.told.get("of_all", ())]

    def decide(self, decision: Decision) -> None:
        """Show another decision."""
        with self.turn, self.hold_sync():
            self.version += 1
            self.ranges = list(decision.ranges)
            self.accepted = list(decision.accepted)
            self.reasons = pairs_of(decision.reasons, self.rows)

    def draw(self, table: str, text: str, folds: Sequence[str]) -> None:
        """Show a tracker instead: a page that was loaded again still has the panel, and no other place for it."""
        self.end = [table, *folds]

    def heard(self, content: Mapping[str, Any]) -> None:
        """Take a message of a page; one that makes no sense changes nothing.

        A page sends its whole decision with every message, also with the press of a button: what is tried or sent is
        what the person saw, and nothing else.
        """
        if "ticked" not in content:
            super().heard(content)
            return
        found, version = decision_of(content, self.rows, self.known), content.get("version")
        if found is None or not isinstance(version, int):
            return
        with self.turn, self.hold_sync():
            self.version = max(self.version, version)
            self.ranges = list(found.ranges)
            self.accepted = list(found.accepted)
            self.reasons = pairs_of(found.reasons, self.rows)
        if content.get("do") in JOBS:
            self.asked(content["do"], found, content.get("sure") is True)
