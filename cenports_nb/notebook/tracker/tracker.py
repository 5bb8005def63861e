"""The transaction tracker: watches submissions, draws them, and carries out what its buttons ask for."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from IPython.display import display

from cenports_nb.errors import CenportsError, InvalidRequestError, JournalError
from cenports_nb.ipython import get_kernel, is_attended
from cenports_nb.notebook.live_output.live_output import LiveOutput
from cenports_nb.notebook.live_output.output_mirror import OutputMirror
from cenports_nb.notebook.tracker.buttons import BUTTONS, BUTTONS_MARKER, ButtonBar
from cenports_nb.notebook.tracker.row_details import ROW_DETAIL_SLOTS, render_row_details
from cenports_nb.submissions.submission import PERMANENT_ERRORS, Submission
from cenports_nb.submissions.tracking.snapshot import RowView, Snapshot
from cenports_nb.submissions.tracking.status_table import format_status, render_status

REDRAW_SECONDS = 1.0  # ages change between polls
BUSY_TEXTS = {"poll": "Asking Cenports …", "verify": "Reading the stock …", "retry": "Sending again …"}


class TrackerView(Protocol):
    """What a tracker draws on besides its own outputs."""

    def update(self, parts: Sequence[str], text: str) -> None:
        """Show the table and the rows of each batch, as HTML and as text."""


class TransactionTracker:
    """A live table of one or several submissions: status, age, outcomes, messages, rows to unfold.

    It never blocks the kernel: a thread polls within the rate limit, together with any `wait()`, carries out what the
    buttons ask for, and ends when nothing is open. The table is plain HTML that is replaced in place, so a saved or
    exported notebook shows its last state without a kernel. Buttons are shown only while somebody can press them and
    there is something to do. After a restart, `TransactionTracker(open_submission(client, id))` continues.

    Args:
        submissions: One or several, of one or several accounts.

    Example:
        >>> changes = pd.DataFrame({"warehouse_code": ["NW-EAST"], "product_sku": ["0003"], "quantity": [2]})
        >>> submission = cn.submit_updates(client, cn.build_differential(changes))
        >>> tracker = cn.TransactionTracker(submission)
        >>> submission.wait().settled
        True
    """

    def __init__(self, submissions: Submission | Sequence[Submission]) -> None:
        given = [submissions] if isinstance(submissions, Submission) else submissions
        if not isinstance(given, Iterable) or not all(hasattr(each, "snapshot") for each in given):
            raise InvalidRequestError("TransactionTracker takes a submission, or a list of submissions.")
        self._submissions = list(given)
        self._snapshots = [submission.snapshot() for submission in self._submissions]
        self._outputs: list[LiveOutput] = []
        self._buttons: dict[LiveOutput, ButtonBar] = {}
        self._other_views: list[TrackerView] = []
        self._pages: list[ButtonBar] = []  # with the tables below them
        self._draw_lock = threading.RLock()
        self._condition = threading.Condition()  # guards the three attributes below
        self._jobs: deque[str] = deque()
        self._thread: threading.Thread | None = None
        self._watching = False
        self._busy = ""
        self._last_result = ""  # result of the last button press
        self._poll_error = ""  # why the last poll failed
        self._stopped_clients: dict[int, str] = {}  # clients that are no longer polled, and why
        self._row_details: list[str] = []
        self._row_details_source: object = None  # what they were rendered from

    @property
    def snapshots(self) -> list[Snapshot]:
        """The snapshots that are drawn."""
        self._take_snapshots()
        return list(self._snapshots)

    @property
    def note(self) -> str:
        """The text below the table: what is being done, or what failed."""
        return " ".join(
            dict.fromkeys(
                filter(None, [self._busy, self._last_result, self._poll_error, *self._stopped_clients.values()])
            )
        )

    def poll_now(self) -> None:
        """Poll everything that is open, due or not; returns at once, as the button does."""
        self._request("poll")

    def verify(self) -> None:
        """Read the stock to settle what Cenports does not confirm; returns at once, as the button does."""
        self._request("verify")

    def retry(self) -> None:
        """Send again what may be sent again; returns at once, as the button does."""
        self._request("retry")

    def close(self) -> None:
        """Stop watching; the transactions go on, and the table keeps its last state."""
        for submission in self._submissions:
            submission.unwatch(self._on_snapshot)
        with self._condition:
            self._watching = False
            self._condition.notify_all()
        if not self._is_settled:
            self._last_result = "Stopped watching; the transactions go on. Show the tracker again to go on watching."
        self._draw()

    def __repr__(self) -> str:
        return format_status(self.snapshots)

    def _ipython_display_(self) -> None:
        self._take_snapshots()
        if get_kernel() is None:
            display({"text/plain": format_status(self._snapshots)}, raw=True)
            return
        self._watch_submissions()
        mirror = OutputMirror() if is_attended() and self._can_act else None
        output = LiveOutput(widget_marker=BUTTONS_MARKER, mirror=mirror)
        with self._draw_lock:
            self._update_row_details()
            widget = self._add_buttons(output, mirror).view if mirror else None
            # Batches may be split or sent again later, but outputs for their rows can only be added now.
            slots = 1 + (ROW_DETAIL_SLOTS if len(self._row_details) > 1 else 2)
            output.show(widget, self._render_parts(), format_status(self._snapshots), slots=slots)
            self._outputs.append(output)
        self._start_if_open()

    def _display_(self) -> Any:
        """Return what marimo shows: one widget, because it can't replace outputs."""
        self._take_snapshots()
        self._watch_submissions()
        with self._draw_lock:
            page = ButtonBar(self._on_button, read_only=self._is_read_only)
            self._pages.append(page)
        self._start_if_open()
        return page.view

    @staticmethod
    def reserve() -> LiveOutput:
        """Reserve outputs below the running cell, for `show_in`."""
        output = LiveOutput(widget_marker=BUTTONS_MARKER)
        output.reserve(1 + ROW_DETAIL_SLOTS)
        return output

    def show_in(self, outputs: Sequence[LiveOutput], other_views: Sequence[TrackerView] = ()) -> None:
        """Draw into outputs that a cell has reserved, from any thread.

        Args:
            outputs: Reserved outputs, which get buttons.
            other_views: Further views, which get none.
        """
        self._take_snapshots()
        self._watch_submissions()
        with self._draw_lock:
            for output in outputs:
                if self._can_act:
                    output.insert_widget(self._add_buttons(output).view)
            self._outputs += outputs
            self._other_views += other_views
        self._start_if_open()

    def _watch_submissions(self) -> None:
        with self._condition:
            self._watching = True
        self._last_result = ""
        for submission in self._submissions:
            submission.unwatch(self._on_snapshot)
            submission.watch(self._on_snapshot)

    @property
    def _can_act(self) -> bool:
        """Whether the buttons have anything left to do."""
        return not self._is_settled or self._has_work

    def _add_buttons(self, output: LiveOutput, mirror: OutputMirror | None = None) -> ButtonBar:
        buttons = self._buttons[output] = ButtonBar(self._on_button, read_only=self._is_read_only, mirror=mirror)
        return buttons

    @property
    def _is_read_only(self) -> bool:
        return all(submission.client.settings.read_only for submission in self._submissions)

    def _start_if_open(self) -> None:
        if not self._is_settled:
            self._start()
        self._draw()

    @property
    def _is_settled(self) -> bool:
        return all(snapshot.settled for snapshot in self._snapshots)

    @property
    def _has_work(self) -> bool:
        """Whether a button could still do something once everything is settled."""
        return any(snapshot.count(outcome) for snapshot in self._snapshots for key in ("verify", "retry") for outcome in BUTTONS[key].outcomes)  # fmt: skip

    def _on_button(self, key: str) -> None:
        if key == "stop":
            self.close()
        else:
            self._request(key)

    def _request(self, key: str) -> None:
        """Leave a job to the thread, so that a click does not block the kernel."""
        with self._condition:
            self._last_result, self._busy = "", BUSY_TEXTS[key]
            if key not in self._jobs:
                self._jobs.append(key)
            self._condition.notify_all()
        self._start()
        self._draw()

    def _start(self) -> None:
        with self._condition:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="cenports-nb tracker", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        """Carry out jobs and poll until nothing is open."""
        has_more = True
        while has_more:
            pause, cost = 0.0, 0.0
            try:
                with self._condition:
                    job = self._jobs.popleft() if self._jobs else None
                    self._busy = BUSY_TEXTS[job] if job else ""
                if job:
                    self._carry_out(job)
                elif self._watching:
                    pause = self._poll(now=False)
                began = time.monotonic()
                self._take_snapshots()
                has_more = self._has_more_work()
                self._draw()
                cost = time.monotonic() - began
            except Exception as error:  # noqa: BLE001 - a thread's traceback would land in whichever cell runs
                has_more = False
                self._stop_on_error(error)
            with self._condition:
                if has_more and not self._jobs and self._watching and pause > 0:
                    # Drawing very many rows takes long: limit it to a tenth of the time.
                    self._condition.wait(max(min(pause, REDRAW_SECONDS), 10 * cost))

    def _has_more_work(self) -> bool:
        """Return whether the thread has anything left to do; if not, release it."""
        with self._condition:
            pairs = zip(self._submissions, self._snapshots, strict=True)
            is_open = any(
                not snapshot.settled and id(one.client) not in self._stopped_clients for one, snapshot in pairs
            )
            has_more = bool(self._jobs) or (self._watching and is_open)
            self._busy = BUSY_TEXTS[self._jobs[0]] if self._jobs else ""
            if not has_more:
                self._thread = None
        return has_more

    def _stop_on_error(self, error: Exception) -> None:
        """Report that the tracker stopped, and end its thread."""
        with self._condition:
            self._thread, self._watching, self._busy = None, False, ""
            self._jobs.clear()
        self._last_result = f"The tracker stopped over a {type(error).__name__}: show it again to go on."
        with contextlib.suppress(Exception):  # drawing may be what failed
            self._draw()

    def _carry_out(self, job: str) -> None:
        """Carry out what a button asks for; report a failure in one sentence."""
        if job == "poll":
            self._stopped_clients.clear()
            self._poll(now=True)
            return
        errors = []
        for submission, snapshot in zip(self._submissions, list(self._snapshots), strict=True):
            if any(snapshot.count(outcome) for outcome in BUTTONS[job].outcomes):
                try:
                    submission.verify() if job == "verify" else submission.retry(progress=False)
                except CenportsError as error:
                    errors.append(f"{BUTTONS[job].name} of {submission.submission_id}: {error}")
        self._last_result = " ".join(errors)

    def _poll(self, *, now: bool) -> float:
        """Poll each open account once; return the seconds until the next poll."""
        pause, asked = REDRAW_SECONDS, set(self._stopped_clients)
        for submission, snapshot in zip(self._submissions, list(self._snapshots), strict=True):
            client = id(submission.client)
            if snapshot.settled or client in asked:
                continue
            asked.add(client)
            try:
                pause = min(pause, submission.poll(now=now))
            except PERMANENT_ERRORS as error:
                hint = "" if isinstance(error, JournalError) else " Poll now tries again."
                self._stopped_clients[client] = f"No longer polled: {error}{hint}"
            except CenportsError as error:
                self._poll_error = f"The last poll failed; the next one is automatic: {error}"
        return max(pause, 0.05)

    def _on_snapshot(self, _: Snapshot) -> None:
        """Draw after any change; a cell's thread calls this at the end of its wait()."""
        self._poll_error, self._row_details_source = "", None
        if threading.current_thread() is self._thread:
            return  # that thread draws by itself
        self._take_snapshots()
        self._draw()
        if get_kernel() is not None and not is_attended():
            with self._draw_lock:
                for output in self._outputs:
                    output.repeat()
        if not self._is_settled:
            self._start()  # for example after retry() in a cell
        with self._condition:
            self._condition.notify_all()

    def _take_snapshots(self) -> None:
        """Update the snapshots; a submission of a closed client keeps its last one."""
        with self._draw_lock:
            for i, submission in enumerate(self._submissions):
                try:
                    self._snapshots[i] = submission.snapshot()
                except JournalError as error:
                    self._stopped_clients[id(submission.client)] = f"No longer polled: {error}"

    @property
    def _is_live(self) -> bool:
        return self._thread is not None and self._watching and not self._is_settled

    def _render_parts(self) -> list[str]:
        return [render_status(self._snapshots, self.note, live=self._is_live), *self._row_details]

    def _update_row_details(self) -> None:
        """Render the rows again if they changed; unchanged ones stay unfolded."""
        source = [replace(batch, next_poll=None) for snapshot in self._snapshots for batch in snapshot.batches]
        if source == self._row_details_source:
            return
        try:
            self._row_details = render_row_details(self._snapshots, self._read_rows)
            self._row_details_source = source
        except JournalError:
            pass  # the client is closed, and the note says so

    def _read_rows(self, submission_id: str, batch: int, most: int) -> Sequence[RowView]:
        found = next(one for one in self._submissions if one.submission_id == submission_id)
        return found.read_rows(batch, most)

    def _draw(self) -> None:
        with self._draw_lock:
            self._update_row_details()
            parts, text = self._render_parts(), format_status(self._snapshots)
            for view in (*self._outputs, *self._other_views):
                view.update(parts, text)
            for page in self._pages:
                page.parts = list(parts)
            if not self._watching or (not self._can_act and not self._busy):
                for page in self._pages:
                    page.buttons = []  # the tables stay
                for output, buttons in self._buttons.items():
                    output.remove_widget()
                    buttons.remove()
                self._buttons.clear()
                return
            for buttons in (*self._buttons.values(), *self._pages):
                buttons.show_work(self._snapshots, busy=bool(self._busy), watching=self._watching)
