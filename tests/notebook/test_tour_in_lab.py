"""The tour in a real JupyterLab, started by `cenports-nb lab`: run, saved, opened again, exported."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, BrowserContext, Page, expect
from support.jupyter_lab import CHROMIUM, Lab, missing_chromium, stop_kernels, wait_until_up
from support.tour_runs import ENDS, GRIDS, TOUR, check_ends, complaints, surroundings

pytestmark = pytest.mark.browser

RUN_ALL = "window.ran = window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => 'done'); null"


@pytest.fixture(scope="module")
def tour_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start the command as a person does, who has never used Jupyter."""
    if CHROMIUM is None:
        missing_chromium()
    folder = tmp_path_factory.mktemp("tour-lab")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    environment = surroundings(folder, HOME=str(folder), JUPYTER_CONFIG_DIR=str(folder / "config"))
    with (folder / "lab.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "cenports_nb", "lab", "--no-browser", "--port", str(port), "--",
             "--allow-root", f"--IdentityProvider.token={token}", "--ServerApp.terminals_enabled=False",
             "--LabApp.expose_app_in_browser=True", f"--LabApp.workspaces_dir={folder / 'workspaces'}",
             f"--LabApp.user_settings_dir={folder / 'settings'}"],
            cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_up(f"{url}/api?token={token}", process, folder / "lab.log")
            yield Lab(url, token, folder / "cenports-notebooks")
        finally:
            process.terminate()
            process.wait(20)


def open_notebook(context: BrowserContext, lab: Lab, name: str) -> Page:
    page = context.new_page()
    page.goto(f"{lab.url}/lab/workspaces/{secrets.token_hex(4)}/tree/tour/{name}?token={lab.token}")
    return page


def wait_for_kernel(page: Page) -> None:
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)


@pytest.fixture(scope="module")
def saved_tour(tour_lab: Lab, browser: Browser) -> Iterator[dict[str, Page]]:
    """Run all cells of every notebook, side by side, save them, and end their kernels."""
    with browser.new_context(viewport={"width": 1200, "height": 1000}) as context:
        # The one that waits most comes first.
        pages = {name: open_notebook(context, tour_lab, name) for name in reversed(TOUR)}
        for page in pages.values():
            wait_for_kernel(page)
            page.evaluate(RUN_ALL)
        for page in pages.values():
            assert page.evaluate("window.ran") == "done"
            page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
        stop_kernels(tour_lab)
        yield pages
        stop_kernels(tour_lab)


def test_run_all_ends_well_in_every_notebook(tour_lab: Lab, saved_tour: dict[str, Page]) -> None:
    """No error, no warning, every tracker at its end in what is on the disk."""
    for name in saved_tour:
        assert complaints(tour_lab.folder / "tour" / name) == [], name
        check_ends(tour_lab.folder / "tour" / name)


def test_opened_again_without_its_kernel_every_notebook_has_its_last_state(saved_tour: dict[str, Page]) -> None:
    """Tables stand where live ones were, and nothing is left of what needs a kernel."""
    pages = saved_tour
    for name in {**GRIDS, **ENDS}:
        pages[name].reload()
        wait_for_kernel(pages[name])
        for place, end in enumerate(ENDS.get(name, [])):
            table = pages[name].locator(".cn-tracker").nth(place)
            table.scroll_into_view_if_needed()
            expect(table).to_contain_text(end)
        if name in GRIDS:
            table = pages[name].locator(".cn-static-table").first
            table.scroll_into_view_if_needed()
            expect(table).to_be_visible()
            expect(table).to_contain_text(GRIDS[name])
        expect(pages[name].get_by_text("Error displaying widget").locator("visible=true")).to_have_count(0)


@pytest.mark.usefixtures("saved_tour")
def test_as_a_page_without_network_every_notebook_has_its_last_state(
    tour_lab: Lab, browser: Browser, tmp_path: Path
) -> None:
    """Exported by nbconvert and opened offline: tables and pictures are inside, trackers at their end."""
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        for name in TOUR:
            notebook = nbformat.read(tour_lab.folder / "tour" / name, as_version=4)
            target = tmp_path / f"{name}.html"
            target.write_text(HTMLExporter().from_notebook_node(notebook)[0])
            page.goto(target.as_uri(), wait_until="domcontentloaded")
            assert page.locator(".cn-tracker").count() == len(ENDS.get(name, []))
            for place, end in enumerate(ENDS.get(name, [])):
                expect(page.locator(".cn-tracker").nth(place)).to_contain_text(end)
            if name in GRIDS:
                expect(page.locator(".cn-static-table").first).to_contain_text(GRIDS[name])
            assert page.locator("table").count() > 1
            pictures = page.locator(".jp-OutputArea img")
            assert pictures.evaluate_all("all => all.every(one => one.complete && one.naturalWidth > 0)")
