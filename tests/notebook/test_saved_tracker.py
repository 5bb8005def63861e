"""Test a tracker in an exported page, without kernel and network."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, expect
from support.lab_snippets import CONNECT, HURRY, SUBMIT


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_exported_page_has_the_end_and_its_rows_unfold(tmp_path: Path, browser: Browser) -> None:
    """The final table opens its rows by keyboard, has no buttons and needs no network."""
    cells = [
        nbformat.v4.new_code_cell(source) for source in (CONNECT, HURRY, SUBMIT, "_ = submission.wait(progress=False)")
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=300).execute()
    target = tmp_path / "page.html"
    target.write_text(HTMLExporter().from_notebook_node(notebook)[0])
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.goto(target.as_uri(), wait_until="domcontentloaded")
        expect(page.locator(".cn-tracker")).to_contain_text("2 of 5 rows applied")
        expect(page.locator(".cn-tracker")).not_to_contain_text("pending")
        fold = page.locator(".cn-rows details").first
        fold.locator("summary").focus()
        page.keyboard.press("Enter")
        expect(fold.get_by_role("cell", name="<img src=x onerror=document.title='ran'>", exact=True)).to_be_visible()
        expect(page.get_by_role("button")).to_have_count(0)
        assert page.title() != "ran"
