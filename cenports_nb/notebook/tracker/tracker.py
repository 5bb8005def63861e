"""The transaction tracker: listens to submissions, draws them, and carries out what its buttons ask for."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from IPython.display import display

from cenports_nb.errors import CenportsError, JournalError
from cenports_nb.ipython import get_kernel, is_attended
from cenports_nb.notebook.live_output import Outputs, Page
from cenports_nb.notebook.output_mirror import Board
from cenports_nb.notebook.tracker.buttons import BUTTONS, Controls
from cenports_nb.notebook.tracker.row_details import folds_of
from cenports_nb.submissions.submission import PERMANENT_ERRORS, Submission
from cenports_nb.submissions.tracking.snapshot import RowView, Snapshot
from cenports_nb.submissions.tracking.status_table import format_status, render_status

REDRAW_S = 1.0  # ages move on between polls
BUSY = {"poll": "Asking Cenports …", "verify": "Reading the stock …", "retry": "Sending again …"}


class TransactionTracker:
    """A live table of one submission or several: status, age, outcomes, messages, rows to unfold.

    It never blocks the kernel: a thread asks, together with any `wait()`, inside the rate limit, and does what the
    buttons say; it ends when nothing is open. The table is plain HTML that is replaced in place, so a saved or
    exported notebook holds its last state without a kernel; the buttons are there only while somebody can press
    them and there is something to do. After a restart `TransactionTracker(open_submission(client, id))` goes on.

    Args:
        submissions: One, or several, of one account or of many.
    """

    def __init__(self, submissions: Submission | Sequence[Submission]) -> None:
        self._submissions = [submissions] if isinstance(submissions, Submission) else list(submissions)
        self._seen = [submission.snapshot() for submission in self._submissions]
        self._pages: list[Page] = []
        self._drawing = threading.RLock()
        self._turn = threading.Condition()  # guards the three below
        self._jobs: deque[str] = deque()
        self._thread: threading.Thread | None = None
        self._watching = False
        self._busy = ""
        self._word = ""  # what became of the last press
        self._trouble = ""  # why the last poll failed
        self._stuck: dict[int, str] = {}  # clients that are not asked any more, and why
        self._folds: list[str] = []
        self._folded: object = None  # what the folds were drawn from

    @property
    def snapshots(self) -> list[Snapshot]:
        """What is drawn."""
        self._look()
        return list(self._seen)

    @property
    def note(self) -> str:
        """What is said below the table: what is being done, or what failed."""
        return " ".join(dict.fromkeys(filter(None, [self._busy, self._word, self._trouble, *self._stuck.values()])))

    def poll_now(self) -> None:
        """Ask for everything that is open, whatever its turn; returns at once, as the button does."""
        self._press("poll")

    def verify(self) -> None:
        """Read the stock to settle what Cenports does not confirm; returns at once, as the button does."""
        self._press("verify")

    def retry(self) -> None:
        """Send again what may be sent again; returns at once, as the button does."""
        self._press("retry")

    def close(self) -> None:
        """Stop watching; the transactions go on, and the table keeps the last state."""
        for submission in self._submissions:
            submission.unwatch(self._heard)
        with self._turn:
            self._watching = False
            self._turn.notify_all()
        if not self._settled:
            self._word = "Stopped watching; the transactions go on. Show the tracker again to go on watching."
        self._draw()

    def __repr__(self) -> str:
        return format_status(self.snapshots)

    def _ipython_display_(self) -> None:
        self._look()
        if get_kernel() is None:
            display({"text/plain": format_status(self._seen)}, raw=True)
            return
        self._watch()
        page = Outputs(self._controls(stays=True) if is_attended() else None)
        with self._drawing:
            self._fold()
            page.show(self._table(), format_status(self._seen), self._folds)
            self._pages.append(page)
        self._begin()

    def move_in(self, pages: Sequence[Outputs], also: Sequence[Page] = ()) -> None:
        """Draw into room that was kept by a cell before, from any thread.

        Args:
            pages: With buttons, as somebody is there to press them.
            also: Without.
        """
        self._look()
        self._watch()
        with self._drawing:
            for page in pages:
                page.fill(self._controls())
            self._pages += [*pages, *also]
        self._begin()

    def _watch(self) -> None:
        with self._turn:
            self._watching = True
        self._word = ""
        for submission in self._submissions:
            submission.unwatch(self._heard)
            submission.watch(self._heard)

    def _controls(self, *, stays: bool = False) -> Controls | None:
        """Make buttons, where there is anything left to press them for."""
        if self._settled and not self._has_work:
            return None
        read_only = all(one.client.settings.read_only for one in self._submissions)
        return Controls(self._pressed, read_only=read_only, board=Board() if stays else None)

    def _begin(self) -> None:
        if not self._settled:
            self._start()
        self._draw()

    @property
    def _settled(self) -> bool:
        return all(seen.settled for seen in self._seen)

    @property
    def _has_work(self) -> bool:
        """Whether a button could still do something once all is settled."""
        return any(seen.count(outcome) for seen in self._seen for key in ("verify", "retry") for outcome in BUTTONS[key].outcomes)  # fmt: skip

    def _pressed(self, key: str) -> None:
        if key == "stop":
            self.close()
        else:
            self._press(key)

    def _press(self, key: str) -> None:
        """Leave a job to the thread: a click must not hold the kernel."""
        with self._turn:
            self._word, self._busy = "", BUSY[key]
            if key not in self._jobs:
                self._jobs.append(key)
            self._turn.notify_all()
        self._start()
        self._draw()

    def _start(self) -> None:
        with self._turn:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="cenports-nb tracker", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        """Do what is asked, poll until nothing is open, and end."""
        going = True
        while going:
            pause, cost = 0.0, 0.0
            try:
                with self._turn:
                    job = self._jobs.popleft() if self._jobs else None
                    self._busy = BUSY[job] if job else ""
                if job:
                    self._do(job)
                elif self._watching:
                    pause = self._poll(now=False)
                began = time.monotonic()
                self._look()
                going = self._goes_on()
                self._draw()
                cost = time.monotonic() - began
            except Exception as error:  # noqa: BLE001 - a thread's traceback would land in whichever cell runs
                going = False
                self._failed(error)
            with self._turn:
                if going and not self._jobs and self._watching and pause > 0:
                    # A picture of very many rows takes long: it may cost a tenth of the time, not all of it.
                    self._turn.wait(max(min(pause, REDRAW_S), 10 * cost))

    def _goes_on(self) -> bool:
        """Tell whether the thread has anything left to do; where it has not, it is the tracker's no more."""
        with self._turn:
            pairs = zip(self._submissions, self._seen, strict=True)
            open_still = any(not seen.settled and id(one.client) not in self._stuck for one, seen in pairs)
            going = bool(self._jobs) or (self._watching and open_still)
            self._busy = BUSY[self._jobs[0]] if self._jobs else ""
            if not going:
                self._thread = None
        return going

    def _failed(self, error: Exception) -> None:
        """Say that the tracker stands still, and leave nothing running."""
        with self._turn:
            self._thread, self._watching, self._busy = None, False, ""
            self._jobs.clear()
        self._word = f"The tracker stopped over a {type(error).__name__}: show it again to go on."
        with contextlib.suppress(Exception):  # drawing may be what failed
            self._draw()

    def _do(self, job: str) -> None:
        """Carry out what a button asks for; what fails is told in one sentence."""
        if job == "poll":
            self._stuck.clear()
            self._poll(now=True)
            return
        told = []
        for submission, seen in zip(self._submissions, list(self._seen), strict=True):
            if any(seen.count(outcome) for outcome in BUTTONS[job].outcomes):
                try:
                    submission.verify() if job == "verify" else submission.retry(progress=False)
                except CenportsError as error:
                    told.append(f"{BUTTONS[job].name} of {submission.submission_id}: {error}")
        self._word = " ".join(told)

    def _poll(self, *, now: bool) -> float:
        """Ask for what is open, each account once; return seconds until the next turn."""
        pause, asked = REDRAW_S, set(self._stuck)
        for submission, seen in zip(self._submissions, list(self._seen), strict=True):
            client = id(submission.client)
            if seen.settled or client in asked:
                continue
            asked.add(client)
            try:
                pause = min(pause, submission.poll(now=now))
            except PERMANENT_ERRORS as error:
                again = "" if isinstance(error, JournalError) else " Poll now tries again."
                self._stuck[client] = f"Not asked any more: {error}{again}"
            except CenportsError as error:
                self._trouble = f"The last poll failed, the next one comes by itself: {error}"
        return max(pause, 0.05)

    def _heard(self, _: Snapshot) -> None:
        """Draw after anybody's news; called in a cell's own thread at the end of its wait()."""
        self._trouble, self._folded = "", None
        if threading.current_thread() is self._thread:
            return  # which draws by itself
        self._look()
        self._draw()
        if not self._settled:
            self._start()  # such as after a retry() in a cell
        with self._turn:
            self._turn.notify_all()

    def _look(self) -> None:
        """Take new pictures, none older than what is there; of a client that was closed the last one stays."""
        with self._drawing:
            for i, submission in enumerate(self._submissions):
                try:
                    self._seen[i] = submission.snapshot()
                except JournalError as error:
                    self._stuck[id(submission.client)] = f"Not asked any more: {error}"

    @property
    def _live(self) -> bool:
        return self._thread is not None and self._watching and not self._settled

    def _table(self) -> str:
        return render_status(self._seen, self.note, live=self._live)

    def _fold(self) -> None:
        """Read the rows again where they changed; what is unfolded stays so meanwhile."""
        source = [replace(batch, next_poll=None) for seen in self._seen for batch in seen.batches]
        if source == self._folded:
            return
        try:
            self._folds = folds_of(self._seen, self._rows)
            self._folded = source
        except JournalError:
            pass  # the client is closed, and the note says so

    def _rows(self, submission_id: str, batch: int, most: int) -> Sequence[RowView]:
        found = next(one for one in self._submissions if one.submission_id == submission_id)
        return found.read_rows(batch, most)

    def _draw(self) -> None:
        with self._drawing:
            self._fold()
            table, text = self._table(), format_status(self._seen)
            done = not self._watching or (self._settled and not self._has_work and not self._busy)
            for page in self._pages:
                page.draw(table, text, self._folds)
                if page.controls and done:
                    page.controls.take_away()
                    page.controls = None
                elif page.controls:
                    page.controls.draw(self._seen, busy=bool(self._busy), watching=self._watching)
