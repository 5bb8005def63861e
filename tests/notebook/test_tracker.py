"""Test the tracker without a browser: text, escaping, and what runs in a kernel; test_unattended.py has saved notebooks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient
from support.fake_clock import FakeClock
from support.lab_snippets import CONNECT, HURRY

import cenports_nb as cn
from cenports_nb.notebook.tracker.row_details import render_row_details
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Sandbox
from cenports_nb.submissions.tracking.snapshot import BatchView, RowView, Snapshot
from cenports_nb.submissions.tracking.status_table import format_status, render_status

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAUGHTY = "<img src=x onerror=alert(1)>"

SUBMIT = """
actual = cn.load_actual_stock(client)
counts = actual.head(2)[["warehouse_code", "product_sku", "quantity"]].assign(quantity=500)
submission = cn.submit_updates(client, cn.build_true_up(counts, actual), allow=["discontinued"])
"""


def snapshot(**changes: object) -> Snapshot:
    batch = {
        "batch": 0, "place": NAUGHTY, "rows": 3, "status": "FAILED", "handle": "h", "submitted_at": AT,
        "completed_at": AT + timedelta(seconds=90), "outcomes": {"unconfirmed": 2, "rejected": 1},
        "messages": ((NAUGHTY, NAUGHTY),), "message_count": 1, **changes,
    }  # fmt: skip
    return Snapshot("s-1", AT + timedelta(minutes=5), (BatchView(**batch),), settled=True)


def test_every_text_from_outside_is_escaped() -> None:
    """SKUs, warehouses and messages can't add a tag to the page."""
    assert "<img" not in render_status([snapshot()])


def test_signs_stand_beside_colours() -> None:
    """Each outcome has a sign besides its color."""
    page = render_status([snapshot()])
    assert "✗ 1 rejected" in page
    assert "? 2 unconfirmed" in page


@pytest.mark.parametrize(("end", "age"), [(AT + timedelta(seconds=90), "90 s"), (None, "5 min")])
def test_age_ends_with_the_transaction(end: datetime | None, age: str) -> None:
    """A finished batch shows its duration, an open one its age."""
    assert f">{age}<" in render_status([snapshot(completed_at=end)])


def test_overdue_batches_are_marked() -> None:
    """The status has "overdue" beside it, in a notebook and a terminal."""
    late = snapshot(overdue=True, status="PROCESSING")
    assert "overdue" in render_status([late])
    assert "PROCESSING, overdue" in format_status([late])


def test_terminal_sees_the_same_snapshot() -> None:
    """The text view has status, outcomes and messages."""
    text = format_status([snapshot()])
    assert "FAILED" in text
    assert "2 unconfirmed, 1 rejected" in text


def test_next_poll_is_shown_while_polling() -> None:
    """A table that isn't updated has no such column."""
    asked = snapshot(status="QUEUED", outcomes={"pending": 3}, next_poll=7.4, completed_at=None)
    assert ">in 7 s<" in render_status([asked], live=True)
    assert "Next poll" not in render_status([asked])


def test_rows_that_were_never_sent_are_no_batch() -> None:
    """They have a line of their own, in a notebook and a terminal."""
    held = snapshot(status="HELD", outcomes={"held": 3}, withheld=True)
    page = render_status([held])
    assert "<table" not in page
    assert "‖ 3 held</span>, never sent: " in page
    assert "never sent: 3 held" in format_status([held])
    (fold,) = render_row_details([held], read_rows(3))
    assert "<summary>3 rows never sent, " in fold


def test_a_failed_batch_with_applied_rows_says_what_settled_them(
    timed: cn.Client, northwind: Sandbox, clock: FakeClock
) -> None:
    """The status is Cenports' word; the stock and a person may know better."""
    northwind.faults.add("lost", "PATCH /inventories")
    submission = cn.submit_updates(timed, plan(timed, "0003", "0011"), progress=False)
    submission.resolve("0003", "applied", "the shelf has it")
    assert submission.snapshot().batches[0].settled_by == "resolve"
    clock.advance(60)
    submission.verify()
    assert submission.snapshot().outcomes == {"applied": 2}
    assert submission.snapshot().batches[0].settled_by == "verify and resolve"
    assert "IN_DOUBT<br><span" in render_status([submission.snapshot()])
    assert "IN_DOUBT, settled by verify and resolve" in format_status([submission.snapshot()])


@pytest.mark.parametrize(
    ("outcome", "word"), [("unconfirmed", "verify"), ("rejected", "retry"), ("not_sent", "resume"), ("in_doubt", "verify")]
)  # fmt: skip
def test_rows_that_are_not_done_come_with_the_call_that_goes_on(outcome: str, word: str) -> None:
    """The table is that of the command line."""
    assert f"submission.{word}()" in render_status([snapshot(outcomes={outcome: 3})])


def test_a_dry_run_has_nothing_to_go_on_with() -> None:
    """A dry run sends nothing, so nothing can be continued."""
    assert "submission." not in render_status(
        [snapshot(status="DRY_RUN", outcomes={"not_sent": 3}, message_count=0, messages=())]
    )


def test_a_state_that_is_not_the_end_says_when_it_was() -> None:
    """A saved notebook or a page without kernel must not look final."""
    under_way = replace(snapshot(outcomes={"pending": 3}), settled=False)
    assert "0 of 3 rows settled at 12:05:00 UTC" in render_status([under_way])
    assert "UTC" not in render_status([snapshot()])


class Slow:
    """A submission whose second snapshot is held back until it is outdated."""

    def __init__(self, pictures: list[Snapshot]) -> None:
        self._pictures = pictures
        self.taken, self.let_go = threading.Event(), threading.Event()

    def snapshot(self) -> Snapshot:
        picture = self._pictures.pop(0)
        if len(self._pictures) == 1:
            self.taken.set()
            assert self.let_go.wait(30)
        return picture


def test_an_old_snapshot_never_replaces_a_newer_one() -> None:
    """The tracker's thread may be late when wait() ends; the saved notebook has the final state."""
    under_way = replace(snapshot(outcomes={"pending": 3}), settled=False)
    slow = Slow([under_way, under_way, snapshot()])
    tracker = cn.TransactionTracker([cast("cn.Submission", slow)])
    with ThreadPoolExecutor() as pool:
        first = pool.submit(lambda: tracker.snapshots)
        assert slow.taken.wait(30)
        last = pool.submit(lambda: tracker.snapshots)
        wait([last], timeout=0.3)
        slow.let_go.set()
        assert last.result(30)[0].settled
        first.result(30)
    assert tracker._snapshots[0].settled


def many(number: int) -> Snapshot:
    """Make batches that are all done but the last."""
    done = [replace(snapshot(outcomes={"applied": 3}).batches[0], batch=i) for i in range(number - 1)]
    return Snapshot("s-1", AT, (*done, replace(snapshot().batches[0], batch=number - 1)), settled=True)


def test_of_many_batches_those_that_need_somebody_are_shown() -> None:
    """The table stays short, and has the number of batches left out."""
    page = render_status([many(1000)])
    assert page.count("<tr>") == 61
    assert "<tr><td>999</td>" in page
    assert "940 more batches" in page


def read_rows(rows: int) -> Callable[[str, int, int], list[RowView]]:
    return lambda _, __, limit: [RowView(f"{i:04}", 5, 7, "rejected", NAUGHTY) for i in range(min(rows, limit))]


def test_a_fold_holds_some_rows_and_says_where_the_rest_is() -> None:
    """It has the number of other rows, and the call that returns all."""
    (page,) = render_row_details([snapshot(rows=500)], read_rows(500))
    assert page.count("<tr>") == 401
    assert "and 100 more rows: submission.outcomes has all of them" in page
    assert page.startswith('<div class="cn-rows tex2jax_ignore mathjax_ignore"><details><summary>')
    assert "<img" not in page


def test_folds_of_many_batches_are_few_and_small() -> None:
    """A submission of any size has at most some hundreds of rows and ten outputs."""
    pages = render_row_details([many(1000), many(1000)], read_rows(500))
    assert len(pages) == 10
    assert sum(page.count("<tr>") for page in pages) <= 400 + 40
    assert "The rows of 1,960 more batches" in pages[-1]


def test_rows_of_orders_have_no_stock() -> None:
    """Rows name orders, and there is no empty column of units."""
    (page,) = render_row_details([snapshot()], lambda *_: [RowView("SO-1", None, None, "applied", None)])
    assert ">Order<" in page
    assert "Stock" not in page


def plan(client: cn.Client, *skus: str) -> pd.DataFrame:
    actual = cn.load_actual_stock(client, refresh=True)
    counts = actual[actual["product_sku"].isin(skus)][["warehouse_code", "product_sku", "quantity"]]
    return cn.build_true_up(counts.assign(quantity=counts["quantity"] + 2), actual)


def join_tracker_threads() -> None:
    """Wait for the trackers' threads to end."""
    for thread in threading.enumerate():
        if thread.name == "cenports-nb tracker":
            thread.join(30)
            assert not thread.is_alive()


def test_poll_now_asks_each_account_once(timed: cn.Client, northwind: Sandbox, clock: FakeClock) -> None:
    """Several submissions share one request, and the thread ends with the job."""
    submissions = [cn.submit_updates(timed, plan(timed, sku), progress=False) for sku in ("0003", "0011")]
    tracker = cn.TransactionTracker(submissions)
    clock.advance(60)
    tracker.poll_now()
    join_tracker_threads()
    assert sum(request.path == "/transaction" for request in northwind.requests) == 2
    assert [seen.count("applied") for seen in tracker.snapshots] == [1, 1]
    assert tracker.note == ""


def test_refused_rows_are_sent_again(timed: cn.Client, northwind: Sandbox, clock: FakeClock) -> None:
    """Retry sends the rows that may be sent again, and follows the new batch."""
    northwind.faults.add("failed_rows", "PATCH /inventories", rows=(0,), message="Busy.")
    submission = cn.submit_updates(timed, plan(timed, "0003"), progress=False).wait(progress=False)
    assert submission.snapshot().count("rejected") == 1
    tracker = cn.TransactionTracker(submission)
    tracker.retry()
    join_tracker_threads()
    clock.advance(60)
    tracker.poll_now()
    join_tracker_threads()
    assert tracker.snapshots[0].outcomes == {"applied": 1}


def test_a_button_that_fails_says_so_in_one_sentence(timed: cn.Client, northwind: Sandbox) -> None:
    """No cell has a traceback, and the table stays."""
    northwind.faults.add("failed_rows", "PATCH /inventories", rows=(0,), message="Busy.")
    submission = cn.submit_updates(timed, plan(timed, "0003", "0011"), progress=False).wait(progress=False)
    northwind.faults.add("server_error", "GET /inventories", times=None)
    tracker = cn.TransactionTracker(submission)
    tracker.verify()
    join_tracker_threads()
    assert tracker.note.startswith(f"Verify of {submission.submission_id}: ")
    assert "\n" not in tracker.note
    assert "applied" in repr(tracker)


def test_refused_credentials_are_not_tried_for_ever(timed: cn.Client, northwind: Sandbox, clock: FakeClock) -> None:
    """Waiting doesn't help: one message, and Poll now continues once they are fixed."""
    tracker = cn.TransactionTracker(cn.submit_updates(timed, plan(timed, "0003"), progress=False))
    clock.advance(60)
    northwind.faults.add("unauthorized", "GET /transaction", times=None)
    tracker.poll_now()
    join_tracker_threads()
    assert tracker.note.startswith("No longer polled: ")
    assert tracker.note.endswith(" Poll now tries again.")
    northwind.faults.clear()
    tracker.poll_now()
    join_tracker_threads()
    assert tracker.note == ""
    assert tracker.snapshots[0].count("applied") == 1


def test_after_the_client_is_closed_the_last_state_stays(timed: cn.Client) -> None:
    """The tracker says why it no longer changes."""
    tracker = cn.TransactionTracker(cn.submit_updates(timed, plan(timed, "0003"), progress=False))
    timed.close()
    tracker.poll_now()
    join_tracker_threads()
    assert "1 pending" in repr(tracker)
    assert "No longer polled: The client of this submission is closed" in tracker.note


def run_notebook(folder: Path, *sources: str) -> list[str]:
    """Execute cells as nbconvert does, and return the trackers' tables of the saved notebook."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs if "data" in output]
    streams = [output.text for cell in notebook.cells for output in cell.outputs if output.output_type == "stream"]
    assert "".join(streams) == ""
    assert "Poll now" not in nbformat.writes(notebook)  # no button where nobody can press it
    return [page for output in outputs if "cn-tracker" in (page := output.data.get("text/html", ""))]


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_nothing_is_left_running_when_all_is_settled(tmp_path: Path) -> None:
    """No thread polls, and a retry in a later cell is followed all the same."""
    refused = "client.sandbox.faults.add('failed_rows', 'PATCH /inventories', rows=(0, 1), message='Busy.')"
    first = SUBMIT.replace("submission =", f"{refused};\nsubmission =")
    join = """
    import threading
    [thread.join(60) for thread in threading.enumerate() if thread.name == "cenports-nb tracker"]
    assert not any(thread.name == "cenports-nb tracker" for thread in threading.enumerate())
    """
    join = "\n".join(line.strip() for line in join.splitlines())
    rejected = "assert submission.snapshot().count('rejected') == 2, submission"
    cells = [CONNECT, HURRY, f"{first}\ntracker = cn.TransactionTracker(submission)\ndisplay(tracker)", join, rejected]
    cells += ["_ = submission.retry(progress=False)", join]
    (table,) = run_notebook(tmp_path, *cells)
    assert "✓ 2 applied" in table


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_after_a_restart_the_journal_goes_on(tmp_path: Path, northwind: Sandbox) -> None:
    """Another kernel opens the submission by its id and follows it to the same end."""
    account = f"""
    import cenports_nb as cn
    client = cn.connect("staging", base_url={northwind.url!r}, partner_id={PARTNER_ID!r}, client_id={CLIENT_ID!r}, client_secret={CLIENT_SECRET!r})
    """
    account = "\n".join(line.strip() for line in account.splitlines())
    run_notebook(tmp_path, account, SUBMIT, "cn.TransactionTracker(submission)")
    again = "submission = cn.open_submission(client, cn.list_submissions()['submission_id'].iloc[-1])"
    hurry = "from cenports_nb.submissions.tracking import poller; poller.FIRST_POLL_SECONDS = 0.1"
    (table,) = run_notebook(
        tmp_path, account, f"{again}\n{hurry}\ncn.TransactionTracker(submission)", "_ = submission.wait()"
    )
    assert "✓ 2 applied" in table
