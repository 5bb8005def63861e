"""Test a tracker in an exported page, without kernel and network."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, expect
from support.lab_snippets import CONNECT, HURRY, SUBMIT

MARK_THE_END = """
import threading
def mark_end():
    for thread in threading.enumerate():
        if thread.name == "cenports-nb tracker":
            thread.join()
    open("ended", "w").close()
threading.Thread(target=mark_end).start()
"""
WAIT = "_ = submission.wait(progress=False)"


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_exported_page_has_the_end_and_its_rows_unfold(tmp_path: Path, browser: Browser) -> None:
    """The final table opens its rows by keyboard, has no buttons and needs no network."""
    # The tracker's thread draws the end between two cells, where a notebook runner drops what it sends.
    os.mkfifo(tmp_path / "ended")

    def wait_for_end(cell_index: int, **_: object) -> None:
        if cell_index == len(sources) - 1:
            (tmp_path / "ended").read_text()

    sources = (CONNECT, HURRY, SUBMIT, MARK_THE_END, WAIT)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, resources=place, on_cell_start=wait_for_end).execute()
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
