"""The stock review: a plan is looked at, ticked, tried and sent; then the same place shows what becomes of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from IPython.display import display

from cenports_nb.errors import CenportsError, GuardRailError, StaleStockError
from cenports_nb.frames.loaders.stock import load_actual_stock
from cenports_nb.ipython import get_kernel, is_attended
from cenports_nb.notebook.grid.live_grid import Place
from cenports_nb.notebook.live_output import Outputs
from cenports_nb.notebook.review import decision as decisions
from cenports_nb.notebook.review import text as words
from cenports_nb.notebook.review.decision import Decision
from cenports_nb.notebook.review.panel import Panel
from cenports_nb.notebook.review.revalidation import NOTHING_SENT, Setback, moved, objected
from cenports_nb.notebook.review.review_table import sheet_of
from cenports_nb.notebook.tracker.tracker import TransactionTracker
from cenports_nb.submissions.objections import find_objections
from cenports_nb.submissions.sending.staleness import OnStale
from cenports_nb.submissions.submission import Submission
from cenports_nb.submissions.submit import check_rows, submit_updates

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

BUSY = {"dry": "Trying it, without sending …", "send": "Sending …"}
READ_ONLY = "This client is read-only: it can look and try. To send, connect with read_only=False and review it there."


class StockReview:
    """An update frame as a table that people sort, filter and tick, then try, then send; once, whoever clicks how often.

    Rows that a guard objects to begin unticked: a person ticks them knowingly, and that accepts this very objection.
    What guards say of a whole warehouse or frame is accepted by name, in a box above the table. "Dry run" does
    everything but send, as `submit_updates(dry_run=True)`; "Send" works only for exactly what was tried, after a tick
    beside it. What is left out stays in the submission as `held`, with your name and your reason. Then the same
    place is a `TransactionTracker`.

    Nothing here holds the kernel. Where nobody can press a button (papermill, nbconvert) there is a plain table and
    nothing is ever sent. A saved notebook keeps the plan with its ticks, then the tracker's table.

    Args:
        client: Whose stock it is; a read-only one may look and try.
        updates: From `build_true_up`, `build_differential` or `build_reversal`.
        available: Available stock, for the guards that need it.
        thresholds: Other thresholds of guards, as `check_updates` takes them.
        reason: Why rows are left out of which nobody says why.
        on_stale: What to do with rows whose stock moves meanwhile, as `submit_updates` takes it.
        batch_size: Rows of one request at most.
        canary: So many rows go first, as in `submit_updates`.

    Raises:
        InvalidRequestError: A row that can't be sent.
        JournalError: The journal can't be read.
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
        at = client.clock.now()
        actual = load_actual_stock(client)
        found = find_objections(client, updates, actual, at, available=available, thresholds=thresholds)
        self._sheet = sheet_of(updates.copy(), rows, actual, found)
        self._turn = threading.RLock()  # guards the six below
        self._thread: threading.Thread | None = None
        self._job = ""
        self._bad: list[str] = []
        self._tried: tuple[Decision, list[str]] | None = None
        self._over = False  # it was sent, or nobody knows
        self._submission: Submission | None = None
        self._tracker: TransactionTracker | None = None
        self._shown: list[tuple[Place, Outputs]] = []
        self._decision = decisions.first_of(self._sheet)
        self._panel: Panel | None = None

    @property
    def ticked(self) -> pd.DataFrame:
        """The rows of the update frame that would be sent now."""
        return self._sheet.updates[self.decision.ticked(len(self._sheet.frame))]

    @property
    def left_out(self) -> pd.DataFrame:
        """The others with their reasons, as `submit_updates(left_out=…)` takes them."""
        return decisions.left_out_of(self._sheet, self.decision, self._reason)

    @property
    def objections(self) -> pd.DataFrame:
        """What guards object to, as from `check_updates`."""
        return self._sheet.objections

    @property
    def submission(self) -> Submission | None:
        """What was sent; None before."""
        return self._submission

    @property
    def note(self) -> str:
        """How far it came, or what went wrong, in a sentence or two."""
        with self._turn:
            if self._submission is not None:
                return f"Sent as submission {self._submission.submission_id}."
            if self._job:
                return BUSY[self._job]
            tried = self._tried[1] if self._tried and self._tried[0] == self.decision else []
            return " ".join([*self._bad, *tried]) or "Not sent."

    @property
    def decision(self) -> Decision:
        """What is ticked, accepted, and left out why."""
        return self._decision if self._panel is None or self._submission is not None else self._panel.decision

    @property
    def panel(self) -> Panel:
        """The page's other side."""
        with self._turn:
            if self._panel is None:
                sheet, first = self._sheet, self._decision
                panel: Panel = Panel.of(
                    sheet.frame, sheet.columns, label="Planned changes of stock",
                    ticked=first.ticked(len(sheet.frame)), told=self._told(),
                )  # fmt: skip
                panel.turn = self._turn
                panel.decide(first)
                panel.asked = self._asked
                panel.observe(lambda _: self._draw(), ["ranges", "accepted", "reasons"])
                self._panel = panel
            return self._panel

    def __repr__(self) -> str:
        return words.text_of(self._sheet, self.decision, self._client, self.note)

    def _ipython_display_(self) -> None:
        if get_kernel() is None:
            display({"text/plain": repr(self)}, raw=True)
            return
        with self._turn:
            place = Place()
            place.show(self.panel if is_attended() and not self._over else None, self._page(), self._text())
            if self._tracker is not None:
                display(self._tracker)
            elif is_attended() and not self._over:
                outputs = Outputs()
                outputs.keep()
                self._shown.append((place, outputs))

    def _page(self) -> str:
        folded = self._submission is not None
        # What is saved before the end must not pass for it.
        said = self.note if folded else f"{self.note} (at {self._client.clock.now():%H:%M:%S} UTC)"
        return words.page_of(self._sheet, self.decision, self._client, self._reason, said, folded=folded)

    def _text(self) -> str:
        return f"{words.title_of(self._sheet, self._client)}: {self.note}"

    def _told(self) -> dict[str, Any]:
        """What the page says and allows."""
        doubts = zip(self._sheet.of_all["guard"], self._sheet.of_all["message"], strict=True)
        read_only = self._client.settings.read_only
        tried = None
        if self._tried:
            decision, lines = self._tried
            tried = {"ranges": list(decision.ranges), "accepted": list(decision.accepted), "lines": lines}
        return {
            "title": words.title_of(self._sheet, self._client),
            "where": words.where_of(self._client),
            "over": self._over,
            "can_send": not read_only and not self._over,
            "why_not": READ_ONLY if read_only else "Nothing more can be sent from here.",
            "reason": self._reason,
            "of_all": [{"guard": guard, "text": text} for guard, text in doubts],
            "busy": BUSY[self._job] if self._job else "",
            "bad": list(self._bad),
            "tried": tried,
        }

    def _draw(self) -> None:
        with self._turn:
            self.panel.told = self._told()
            page, text = self._page(), self._text()
            for place, _ in self._shown:
                place.draw(page, text)

    def _asked(self, job: str, decision: Decision, sure: bool) -> None:
        """Begin what a button asks for, unless something is under way: a click must not hold the kernel."""
        with self._turn:
            if self._job or self._over:
                return
            self._bad = self._refusal(job, decision, sure)
            if not self._bad:
                self._job = job
                self._thread = threading.Thread(
                    target=self._run, args=(job, decision), name="cenports-nb review", daemon=True
                )
                self._thread.start()
        self._draw()

    def _refusal(self, job: str, decision: Decision, sure: bool) -> list[str]:
        """Say why a press leads to nothing."""
        if not decision.ranges:
            return [f"Nothing is ticked. {NOTHING_SENT}"]
        if job == "dry":
            return []
        if self._client.settings.read_only:
            return [READ_ONLY]
        if self._tried is None or self._tried[0] != decision:
            return [f"What is ticked or accepted is not what was tried: dry-run it first. {NOTHING_SENT}"]
        return [] if sure else [f"Tick the box beside the button first. {NOTHING_SENT}"]

    def _run(self, job: str, decision: Decision) -> None:
        """Try or send one decision; whatever happens is said in a sentence."""
        submission: Submission | None = None
        tried: tuple[Decision, list[str]] | None = None
        bad: list[str] = []
        over = False
        try:
            submission = self._submit(decision, dry=job == "dry")
            if job == "dry":
                tried, submission = (decision, words.tried_of(submission, self._client)), None
        except GuardRailError as error:
            bad = self._take(objected(self._sheet, self.decision, error.objections))
        except StaleStockError as error:
            bad = self._take(moved(self._sheet, self.decision, error.stale))
        except CenportsError as error:
            bad = [f"{error} {NOTHING_SENT}" if "Nothing was sent" not in str(error) else str(error)]
        except Exception as error:  # noqa: BLE001 - a thread's traceback would land in whichever cell runs
            over = job == "send"
            look = " list_submissions() shows whether anything was sent: look before you send it again." if over else ""
            bad = [f"The review stopped over a {type(error).__name__}.{look}"]
        with self._turn:
            self._job, self._bad, self._tried, self._over = "", bad, tried, over
            if submission is not None:
                self._over, self._submission = True, submission
        try:
            self._end(submission, decision) if submission is not None else self._draw()
        except Exception as error:  # noqa: BLE001 - as above; it was sent, and that has to be said
            self._bad = [f"{self.note} It can't be shown here, over a {type(error).__name__}: open_submission() can."]
            self._draw()

    def _submit(self, decision: Decision, *, dry: bool) -> Submission:
        sheet = self._sheet
        return submit_updates(
            self._client,
            sheet.updates,
            allow=decisions.accepted_of(sheet, decision),
            left_out=decisions.left_out_of(sheet, decision, self._reason),
            available=self._available,
            thresholds=self._thresholds,
            dry_run=dry,
            progress=False,
            **self._sending,
        )

    def _take(self, setback: Setback) -> list[str]:
        """Show what came up, and return what is said of it."""
        with self._turn:
            self._sheet = setback.sheet
            self.panel.show_frame(setback.sheet.frame, setback.sheet.columns)
            self.panel.decide(setback.decision)
        return setback.said

    def _end(self, submission: Submission, decision: Decision) -> None:
        """Make the tracker of what was sent out of the place where it was decided."""
        with self._turn:
            panel, self._decision, self._over = self.panel, decision, True
            self._tracker = TransactionTracker(submission)
            page, text = self._page(), self._text()
            shown, self._shown = self._shown, []
            for place, _ in shown:
                place.take_away(page, text)
            panel.told = self._told()
            self._tracker.move_in([outputs for _, outputs in shown], also=[panel])
