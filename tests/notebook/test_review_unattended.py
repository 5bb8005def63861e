"""Test that a review which nobody can answer, as papermill runs it, shows the plan and sends nothing."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

REVIEW = """
import cenports_nb as cn
client = cn.connect("sandbox")
actual = cn.load_actual_stock(client)
counts = actual.groupby("warehouse_code").head(2)[["warehouse_code", "product_sku", "quantity"]]
counts = counts.assign(quantity=counts["quantity"] + 3)
counts.loc[len(actual)] = [counts["warehouse_code"].iloc[0], "<img src=x onerror=document.title='ran'>", 1]
review = cn.StockReview(client, cn.build_true_up(counts, actual))
review
"""


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_without_a_user_there_is_only_the_plan(tmp_path: Path) -> None:
    """There is no widget and no button, nothing is sent, and text is escaped."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in (REVIEW, "review.submission is None")]
    )
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    text = nbformat.writes(notebook)
    assert "widget-view" not in text
    assert "widgets" not in notebook.metadata
    (output,) = notebook.cells[0].outputs
    assert "☑ yes" in output.data["text/html"]
    assert "<img" not in output.data["text/html"]
    assert "Not sent." in output.data["text/html"]
    assert notebook.cells[1].outputs[0].data["text/plain"] == "True"
