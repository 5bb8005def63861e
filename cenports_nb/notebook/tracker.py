"""The transaction tracker: listens to submissions and draws them until they end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import ipywidgets
from IPython.display import HTML, display

from cenports_nb.errors import CenportsError, JournalError
from cenports_nb.notebook.views import html_of, text_of
from cenports_nb.transactions.snapshot import Snapshot
from cenports_nb.transactions.submission import Submission

REDRAW_S = 1.0  # ages move on between polls
DOUBTFUL = ("unconfirmed", "in_doubt")


class TransactionTracker:
    """A live table of one submission or several: status, age, outcomes, messages.

    It never blocks the kernel: a thread asks, together with any `wait()`, inside the rate limit. The table is
    plain HTML that is replaced in place, so a saved or exported notebook holds its last state without a
    kernel; the buttons beside it live only as long as there is something to do.
    """

    def __init__(self, submissions: Submission | Sequence[Submission]) -> None:
        self._submissions = [submissions] if isinstance(submissions, Submission) else list(submissions)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._drawn: list[Any] = []
        self._controls: list[Any] = []
        self._note = ""
        self._drawing = threading.Lock()
        for submission in self._submissions:
            submission.watch(self._heard)

    @property
    def snapshots(self) -> list[Snapshot]:
        """What is drawn."""
        return [submission.snapshot() for submission in self._submissions]

    def close(self) -> None:
        """Stop watching; the table keeps the last state."""
        self._stop.set()
        self._clear_controls()

    def verify(self) -> None:
        """Read the stock to settle what Cenports does not confirm, and draw the result."""
        self._note = ""
        try:
            for submission in self._submissions:
                submission.verify()
        except CenportsError as error:
            self._note = str(error)
        self._draw()

    def __repr__(self) -> str:
        return text_of(self.snapshots)

    def _ipython_display_(self) -> None:
        seen = self.snapshots
        if not all(snapshot.settled for snapshot in seen):
            self._controls.append(display(self._buttons(), display_id=True))
        self._drawn.append(display(HTML(html_of(seen)), display_id=True))
        if self._thread is None and not all(snapshot.settled for snapshot in seen):
            self._thread = threading.Thread(target=self._follow, name="cenports-nb tracker", daemon=True)
            self._thread.start()

    def _buttons(self) -> ipywidgets.Widget:
        verify = ipywidgets.Button(description="Verify", tooltip="Read the stock to settle unconfirmed rows")
        stop = ipywidgets.Button(description="Stop watching", tooltip="The transactions themselves go on")
        verify.on_click(lambda _: self.verify())
        stop.on_click(lambda _: self.close())
        return ipywidgets.HBox([verify, stop])

    def _follow(self) -> None:
        """Poll until all is settled; a failed poll is told and tried again, a lost journal ends it."""
        while not self._stop.is_set():
            wait = REDRAW_S
            try:
                for submission in self._submissions:
                    if not submission.settled:
                        wait = min(wait, submission.poll())
                self._note = ""
                self._draw()
                if all(snapshot.settled for snapshot in self.snapshots):
                    self._end()
                    return
            except JournalError:
                return  # the client was closed
            except CenportsError as error:
                self._note = f"The last poll failed, the next one comes by itself: {error}"
                self._draw()
                wait = REDRAW_S
            self._stop.wait(max(wait, 0.05))

    def _heard(self, seen: Snapshot) -> None:
        """Draw after a poll of anybody; called in a cell's own thread at the end of its wait()."""
        self._draw()
        if seen.settled and all(snapshot.settled for snapshot in self.snapshots):
            self._end()

    def _draw(self) -> None:
        with self._drawing:
            table = HTML(html_of(self.snapshots, self._note))
            for handle in self._drawn:
                handle.update(table)

    def _end(self) -> None:
        self._stop.set()
        doubtful = any(snapshot.count(outcome) for snapshot in self.snapshots for outcome in DOUBTFUL)
        if not doubtful:
            self._clear_controls()

    def _clear_controls(self) -> None:
        """Take the buttons away; what is saved in their place is nothing."""
        while self._controls:
            self._controls.pop().update(HTML(""))
