"""Fixtures: a real JupyterLab and a real Chromium."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright
from support.jupyter_lab import CHROMIUM, Lab, missing_chromium, running_lab, stop_kernels

VIEWPORT: ViewportSize = {"width": 1200, "height": 1000}
CLOSE_ALL = """
() => {
  for (const open of [...window.jupyterapp.shell.widgets("main")]) {
    if (open.context) open.context.model.dirty = false;
    open.dispose();
  }
  document.title = "JupyterLab";
}
"""
WAIT_MS = 90_000
"""What a page may take on a machine that does something else besides."""


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start JupyterLab with a home of its own on a free port."""
    if CHROMIUM is None:
        missing_chromium()
    with running_lab(tmp_path_factory.mktemp("lab")) as started:
        yield started


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium, headless."""
    if CHROMIUM is None:
        missing_chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        patient = started.new_context

        def new_context(**options: Any) -> BrowserContext:
            context = patient(**options)
            context.set_default_timeout(WAIT_MS)
            return context

        started.new_context = new_context  # type: ignore[method-assign]
        expect.set_options(timeout=WAIT_MS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def lab_page(lab: Lab, browser: Browser) -> Iterator[Page]:
    """Load JupyterLab once; it takes seconds."""
    with browser.new_context(viewport=VIEWPORT) as context:
        page = context.new_page()
        page.goto(f"{lab.url}/lab/workspaces/{secrets.token_hex(4)}?token={lab.token}")
        yield page


@pytest.fixture
def open_in_lab(lab: Lab, lab_page: Page) -> Iterator[Callable[[str], Page]]:
    """Open a notebook in JupyterLab, with its kernel ready; loaded again, the page opens it by its address."""

    def open_notebook(name: str) -> Page:
        lab_page.wait_for_function("() => window.jupyterapp && window.jupyterapp.restored.then(() => true)")
        lab_page.evaluate("name => window.jupyterapp.commands.execute('docmanager:open', {path: name})", name)
        # The indicator says idle before there is a kernel; the status bar does not.
        lab_page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        address = f"{lab.url}/lab/workspaces/{secrets.token_hex(4)}/tree/{name}?token={lab.token}"
        lab_page.evaluate("address => history.replaceState(null, '', address)", address)
        return lab_page

    yield open_notebook
    lab_page.evaluate(CLOSE_ALL)
    lab_page.set_viewport_size(VIEWPORT)
    stop_kernels(lab)
