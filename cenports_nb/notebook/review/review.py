"""The stock review: a person selects rows of a plan, dry-runs and sends it; then the tracker takes its place."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
from IPython.display import display

from cenports_nb.errors import CenportsError, GuardRailError, StaleStockError
from cenports_nb.frames.loaders.stock import load_actual_stock
from cenports_nb.ipython import get_kernel, is_attended
from cenports_nb.notebook.grid.static_table import BELOW_GRID_MARKER
from cenports_nb.notebook.live_output.live_output import LiveOutput
from cenports_nb.notebook.review import text
from cenports_nb.notebook.review.decision import Decision, build_initial_decision, list_accepted, list_left_out
from cenports_nb.notebook.review.progress import describe_sent_batches, report_progress, report_steps, reserve_line
from cenports_nb.notebook.review.revalidation import NOTHING_SENT, Revalidation, apply_objections, apply_stale_stock
from cenports_nb.notebook.review.review_grid import ReviewGrid
from cenports_nb.notebook.review.review_table import build_review_table
from cenports_nb.notebook.tracker.tracker import TransactionTracker
from cenports_nb.rendering.text import format_count
from cenports_nb.submissions.final_rows import OnStale
from cenports_nb.submissions.objections import find_objections
from cenports_nb.submissions.submission import Submission
from cenports_nb.submissions.submit import check_rows, submit_updates

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

BUSY_TEXTS = {"dry_run": "Trying it, without sending", "send": "Sending"}
READ_ONLY_MESSAGE = (
    "This client is read-only: it can review and dry-run. To send, connect with read_only=False and review it there."
)
MARIMO_NOTE = "cn.TransactionTracker(review.submission) in another cell shows this with buttons."


class StockReview:
    """An update frame to sort, filter and select rows of, to dry-run, and to send once.

    Rows that a guard objects to are unticked at first; ticking one accepts that objection. Objections to a whole
    warehouse or frame are accepted by name, in a box above the table. "Dry run" does everything but send, as
    `submit_updates(dry_run=True)`. "Send" works only for exactly what was dry-run, after a tick beside it, and only
    once. Unticked rows stay in the submission as `held`, with your name and your reason. After sending, a
    `TransactionTracker` takes the table's place.

    It never blocks the kernel. Where nobody can press a button (papermill, nbconvert), it shows a plain table and sends
    nothing. A saved notebook contains the plan with its ticks, then the tracker's table.

    Args:
        client: The account; a read-only client can review and dry-run.
        updates: From `build_true_up`, `build_differential` or `build_reversal`.
        available: Available stock, for the guards that need it.
        thresholds: Thresholds of guards that replace the defaults, as in `check_updates`.
        reason: The default reason for unticked rows.
        on_stale: What to do with rows whose stock changes meanwhile, as in `submit_updates`.
        batch_size: Maximum rows of one request.
        canary: The number of rows to send first, as in `submit_updates`.

    Raises:
        InvalidRequestError: A row can't be sent.
        JournalError: The journal can't be read.

    Example:
        >>> counts = pd.DataFrame({"warehouse_code": ["NW-EAST"], "product_sku": ["0003"], "quantity": [15]})
        >>> updates = cn.build_true_up(counts, cn.load_actual_stock(client))
        >>> review = cn.StockReview(client, updates)
        >>> review.ticked[["product_sku", "quantity", "change"]]
          product_sku  quantity  change
        0        0003        15       2
    """

    def __init__(
        self,
        client: Client,
        updates: pd.DataFrame,
        *,
        available: pd.DataFrame | None = None,
        thresholds: Mapping[str, Any] | None = None,
        reason: str = "unticked in review",
        on_stale: OnStale = "raise",
        batch_size: int = 500,
        canary: int = 0,
    ) -> None:
        self._client = client
        self._available = available
        self._thresholds = thresholds
        self._reason = reason.strip() or "unticked in review"
        self._sending: dict[str, Any] = {"on_stale": on_stale, "batch_size": batch_size, "canary": canary}
        rows = check_rows(updates)
        with report_steps(
            reserve_line(len(rows)), f"Building the review of {format_count(len(rows), 'change')}"
        ) as begin:
            begin("reading the stock")
            at = client.clock.now()
            actual = load_actual_stock(client)
            begin("asking the guards")
            objections = find_objections(client, updates, actual, at, available=available, thresholds=thresholds)
            begin("drawing the table")
            self._table = build_review_table(updates.copy(), rows, actual, objections)
        self._lock = threading.RLock()  # guards the eight attributes below
        self._thread: threading.Thread | None = None
        self._action = ""
        self._progress = ""  # how far it is, of an action that takes long
        self._answered = 0  # presses of a button, so that the page knows when the kernel has handled one
        self._errors: list[str] = []
        self._dry_run: tuple[Decision, list[str]] | None = None
        self._is_closed = False  # it was sent, or that is not known
        self._submission: Submission | None = None
        self._tracker: TransactionTracker | None = None
        self._outputs: list[tuple[LiveOutput, LiveOutput]] = []  # of the grid, and for the tracker
        self._decision = build_initial_decision(self._table)
        self._grid: ReviewGrid | None = None

    @property
    def ticked(self) -> pd.DataFrame:
        """The rows of the update frame that would be sent now."""
        return self._table.updates[self.decision.selected(len(self._table.frame))]

    @property
    def left_out(self) -> pd.DataFrame:
        """The other rows with their reasons, as `submit_updates(left_out=…)` takes them."""
        return list_left_out(self._table, self.decision, self._reason)

    @property
    def objections(self) -> pd.DataFrame:
        """The objections of guards, as from `check_updates`."""
        return self._table.objections

    @property
    def submission(self) -> Submission | None:
        """The submission; None before sending."""
        return self._submission

    @property
    def note(self) -> str:
        """The state of the review, or what went wrong, in a sentence or two."""
        with self._lock:
            if self._submission is not None:
                accepted = text.describe_accepted(self._table, self.decision)
                return " ".join(
                    [f"Sent as submission {self._submission.submission_id}.", *([f"{accepted}."] if accepted else [])]
                )
            if self._action:
                return f"{BUSY_TEXTS[self._action]} …"
            dry_run = self._dry_run[1] if self._dry_run and self._dry_run[0] == self.decision else []
            return " ".join([*self._errors, *dry_run]) or "Not sent."

    @property
    def decision(self) -> Decision:
        """The ticked rows, the accepted guards, and the reasons of the other rows."""
        return self._decision if self._grid is None or self._submission is not None else self._grid.decision

    @property
    def grid(self) -> ReviewGrid:
        """The widget on the page."""
        with self._lock:
            if self._grid is None:
                table, first = self._table, self._decision
                grid: ReviewGrid = ReviewGrid.from_frame(
                    table.frame, table.columns, label="Planned changes of stock",
                    selected=first.selected(len(table.frame)), state=self._page_state(),
                )  # fmt: skip
                grid.lock = self._lock
                grid.show_decision(first)
                grid.on_request = self._on_request
                grid.observe(lambda _: self._draw(), ["selection", "accepted", "reasons"])
                self._grid = grid
            return self._grid

    def __repr__(self) -> str:
        return text.format_review(self._table, self.decision, self._client, self.note)

    def _ipython_display_(self) -> None:
        if get_kernel() is None:
            display({"text/plain": repr(self)}, raw=True)
            return
        with self._lock:
            is_usable = is_attended() and not self._is_closed
            grid_output = LiveOutput(widget_marker=BELOW_GRID_MARKER)
            grid_output.show(self.grid if is_usable else None, [self._render()], self._format())
            if self._tracker is not None:
                display(self._tracker)
            elif is_usable:
                self._outputs.append((grid_output, TransactionTracker.reserve()))

    def _display_(self) -> ReviewGrid | TransactionTracker:
        """Return what marimo shows: a widget, which shows the submission after sending."""
        with self._lock:
            self.grid.tracker_note = MARIMO_NOTE
            return self._tracker or self.grid

    def _render(self) -> str:
        was_sent = self._submission is not None
        # A notebook saved while it sends must not look as if nothing had been sent.
        note = self.note if was_sent else f"{self.note} (at {self._client.clock.now():%H:%M:%S} UTC)"
        return text.render_review(self._table, self.decision, self._client, self._reason, note, folded=was_sent)

    def _format(self) -> str:
        return f"{text.format_title(self._table, self._client)}: {self.note}"

    def _page_state(self) -> dict[str, Any]:
        """Return what the page shows and allows."""
        objections = self._table.general_objections
        read_only = self._client.settings.read_only
        dry_run = None
        if self._dry_run:
            decision, lines = self._dry_run
            dry_run = {"selection": list(decision.selection), "accepted": list(decision.accepted), "lines": lines}
        return {
            "title": text.format_title(self._table, self._client),
            "account": text.describe_account(self._client),
            "is_closed": self._is_closed,
            "can_send": not read_only and not self._is_closed,
            "cannot_send_reason": READ_ONLY_MESSAGE if read_only else "Nothing more can be sent from here.",
            "reason": self._reason,
            "general_objections": objections[["guard", "message"]].to_dict("records"),
            "answered": self._answered,
            "busy": f"{BUSY_TEXTS[self._action]}{self._progress or ' …'}" if self._action else "",
            "errors": list(self._errors),
            "dry_run": dry_run,
        }

    def _draw(self) -> None:
        with self._lock:
            self.grid.state = self._page_state()
            for output, _ in self._outputs:
                output.update([self._render()], self._format())

    def _on_request(self, action: str, decision: Decision, confirmed: bool) -> None:
        """Start what a button asks for in a thread, unless something is running."""
        with self._lock:
            self._answered += 1
            if not self._action and not self._is_closed:
                self._errors = self._check_request(action, decision, confirmed)
                if not self._errors:
                    self._action = action
                    self._thread = threading.Thread(
                        target=self._run, args=(action, decision), name="cenports-nb review", daemon=True
                    )
                    self._thread.start()
        self._draw()

    def _check_request(self, action: str, decision: Decision, confirmed: bool) -> list[str]:
        """Return why a press does nothing; empty if it does."""
        if not decision.selection:
            return [f"Nothing is ticked. {NOTHING_SENT}"]
        if action == "dry_run":
            return []
        if self._client.settings.read_only:
            return [READ_ONLY_MESSAGE]
        if self._dry_run is None or self._dry_run[0] != decision:
            return [f"What is ticked or accepted is not what was tried: dry-run it first. {NOTHING_SENT}"]
        return [] if confirmed else [f"Tick the box beside the button first. {NOTHING_SENT}"]

    def _run(self, action: str, decision: Decision) -> None:
        """Dry-run or send a decision; report the result in a sentence."""
        submission: Submission | None = None
        dry_run: tuple[Decision, list[str]] | None = None
        errors: list[str] = []
        is_closed = False
        try:
            with report_progress(
                self._show_progress, partial(self._describe_progress, action, decision, self._client.clock.now())
            ):
                submission = self._submit(decision, dry=action == "dry_run")
            if action == "dry_run":
                accepted = text.describe_accepted(self._table, decision)
                dry_run, submission = (decision, text.describe_dry_run(submission, self._client, accepted)), None
        except GuardRailError as error:
            errors = self._apply(apply_objections(self._table, self.decision, error.objections))
        except StaleStockError as error:
            errors = self._apply(apply_stale_stock(self._table, self.decision, error.stale))
        except CenportsError as error:
            errors = [str(error) if error.sent is False else f"{error} {NOTHING_SENT}"]
        except Exception as error:  # noqa: BLE001 - a thread's traceback would land in whichever cell runs
            is_closed = action == "send"
            look = (
                " list_submissions() shows whether anything was sent: look before you send it again."
                if is_closed
                else ""
            )
            errors = [f"The review stopped over a {type(error).__name__}.{look}"]
        with self._lock:
            self._action, self._progress = "", ""
            self._errors, self._dry_run, self._is_closed = errors, dry_run, is_closed
            if submission is not None:
                self._is_closed, self._submission = True, submission
        try:
            self._show_tracker(submission, decision) if submission is not None else self._draw()
        except Exception as error:  # noqa: BLE001 - as above; it was sent, and that has to be said
            self._errors = [
                f"{self.note} It can't be shown here, over a {type(error).__name__}: open_submission() can."
            ]
            self._draw()

    def _describe_progress(self, action: str, decision: Decision, began: datetime) -> str:
        rows = format_count(int(decision.selected(len(self._table.frame)).sum()), "row")
        sent = describe_sent_batches(self._client, self._table.updates, began) if action == "send" else ""
        return f"{rows}{sent}"

    def _show_progress(self, progress: str) -> None:
        with self._lock:
            self._progress = f": {progress}"
            self.grid.state = self._page_state()

    def _submit(self, decision: Decision, *, dry: bool) -> Submission:
        table = self._table
        return submit_updates(
            self._client,
            table.updates,
            allow=list_accepted(table, decision),
            left_out=list_left_out(table, decision, self._reason),
            available=self._available,
            thresholds=self._thresholds,
            dry_run=dry,
            progress=False,
            **self._sending,
        )

    def _apply(self, revalidation: Revalidation) -> list[str]:
        """Show what changed, and return the messages."""
        with self._lock:
            self._table = revalidation.table
            self.grid.show_frame(revalidation.table.frame, revalidation.table.columns)
            self.grid.show_decision(revalidation.decision)
        return revalidation.messages

    def _show_tracker(self, submission: Submission, decision: Decision) -> None:
        """Replace the table by the tracker of the submission."""
        with self._lock:
            grid, self._decision, self._is_closed = self.grid, decision, True
            self._tracker = TransactionTracker(submission)
            outputs, self._outputs = self._outputs, []
            for output, _ in outputs:
                output.remove_widget()
                output.update([self._render()], self._format())
            grid.state = self._page_state()
            self._tracker.show_in([tracker_output for _, tracker_output in outputs], other_views=[grid])
