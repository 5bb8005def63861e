"""The tracker without a browser: text, escaping, and what a saved notebook holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from cenports_nb.notebook.views import html_of, text_of
from cenports_nb.transactions.snapshot import BatchView, Snapshot

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAUGHTY = "<img src=x onerror=alert(1)>"

SUBMIT = """
import cenports_nb as cn
client = cn.connect("sandbox")
actual = cn.load_actual_stock(client)
counts = actual.head(2)[["warehouse_code", "product_sku", "quantity"]].assign(quantity=500)
submission = cn.submit_updates(client, cn.build_true_up(counts, actual), allow=["discontinued"])
"""


def snapshot(**changes: object) -> Snapshot:
    batch = {
        "batch": 0, "place": NAUGHTY, "rows": 3, "status": "FAILED", "handle": "h", "submitted_at": AT,
        "completed_at": AT + timedelta(seconds=90), "outcomes": {"unconfirmed": 2, "rejected": 1},
        "messages": ((NAUGHTY, NAUGHTY),), "told": 1, **changes,
    }  # fmt: skip
    return Snapshot("s-1", AT + timedelta(minutes=5), (BatchView(**batch),), settled=True)


def test_every_text_from_outside_is_escaped() -> None:
    """A SKU, a warehouse or a message can't bring a tag into the page."""
    assert "<img" not in html_of([snapshot()])


def test_signs_stand_beside_colours() -> None:
    """Colour is never the only sign of an outcome."""
    page = html_of([snapshot()])
    assert "✗ 1 rejected" in page
    assert "? 2 unconfirmed" in page


@pytest.mark.parametrize(("end", "age"), [(AT + timedelta(seconds=90), "90 s"), (None, "5 min")])
def test_age_ends_with_the_transaction(end: datetime | None, age: str) -> None:
    """A finished batch shows how long it took, an open one how long it has been under way."""
    assert f">{age}<" in html_of([snapshot(completed_at=end)])


def test_what_takes_too_long_is_said() -> None:
    """Overdue beside the status, in a notebook and in a terminal."""
    late = snapshot(overdue=True, status="PROCESSING")
    assert "overdue" in html_of([late])
    assert "PROCESSING, overdue" in text_of([late])


def test_terminal_sees_the_same_snapshot() -> None:
    """The text view has status, outcomes and messages."""
    text = text_of([snapshot()])
    assert "FAILED" in text
    assert "2 unconfirmed, 1 rejected" in text


def run_notebook(folder: Path, *sources: str) -> list[str]:
    """Execute cells as nbconvert does, and return the tracker's tables in the saved notebook."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs if "data" in output]
    return [page for output in outputs if "cn-tracker" in (page := output.data.get("text/html", ""))]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_saved_notebook_holds_the_final_states_of_a_wait_in_a_later_cell(tmp_path: Path) -> None:
    """The tracker's own output has the end, although another cell waited for it."""
    (table,) = run_notebook(tmp_path, SUBMIT, "cn.TransactionTracker(submission)", "submission.wait()")
    assert "COMPLETED" in table
    assert "Next poll" not in table
    assert "✓ 2 applied" in table


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_saved_notebook_without_a_wait_holds_a_table_all_the_same(tmp_path: Path) -> None:
    """A notebook that ends before its transactions do shows the state it ended in, not a blank."""
    (table,) = run_notebook(tmp_path, SUBMIT, "cn.TransactionTracker(submission)")
    assert "2 pending" in table
