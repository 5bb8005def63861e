"""Fixtures: JupyterLab and Chromium."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright
from support.jupyter_lab import (
    CHROMIUM,
    Lab,
    close_documents,
    missing_chromium,
    open_document,
    running_lab,
    stop_kernels,
    take_page,
)

VIEWPORT: ViewportSize = {"width": 1200, "height": 1000}
WAIT_MS = 90_000
"""What a page may take on a machine that does something else besides."""


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start JupyterLab with its own home on a free port."""
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
def lab_context(browser: Browser) -> Iterator[BrowserContext]:
    """Share JupyterLab's compiled pages between tests."""
    with browser.new_context(viewport=VIEWPORT) as context:
        yield context


@pytest.fixture(scope="session")
def idle_pages() -> list[Page]:
    """Pages with JupyterLab loaded and nothing open: loading takes seconds of processor time."""
    return []


@pytest.fixture
def open_in_lab(lab: Lab, lab_context: BrowserContext, idle_pages: list[Page]) -> Iterator[Callable[[str], Page]]:
    """Open a notebook alone on a page, with its kernel ready; loaded again, the page opens it by its address.

    A page that was loaded again is not used for the next test: it may still be restoring what was open.
    """
    page = take_page(lab, lab_context, idle_pages)
    page.set_viewport_size(VIEWPORT)
    loads: list[Page] = []

    def note_load(loaded: Page) -> None:
        loads.append(loaded)

    page.on("load", note_load)

    def open_notebook(name: str) -> Page:
        open_document(page, name)
        address = f"{lab.url}/lab/workspaces/{secrets.token_hex(4)}/tree/{name}?token={lab.token}"
        page.evaluate("address => history.replaceState(null, '', address)", address)
        return page

    yield open_notebook
    if loads:
        page.close()
    else:
        page.remove_listener("load", note_load)
        close_documents(page)
        idle_pages.append(page)
    stop_kernels(lab)
