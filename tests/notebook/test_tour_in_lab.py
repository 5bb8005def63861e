"""Test the tour in JupyterLab, started by `cenports-nb lab`: run, saved, reopened, exported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, BrowserContext, Page, expect
from support.jupyter_lab import Lab, close_documents, load_lab, open_document, stop_kernels, take_page
from support.tour_runs import ENDS, GRIDS, check_ends, complaints, list_outputs

WITH_WIDGETS = sorted({*GRIDS, *ENDS})
RUN_ALL = "window.runs.push(window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => 'done')); null"
SAVE_ALL = """
async () => { for (const open of window.jupyterapp.shell.widgets("main")) if (open.context) await open.context.save(); }
"""


@pytest.fixture(scope="module")
def saved_tour(lab: Lab, lab_context: BrowserContext, idle_pages: list[Page]) -> Iterator[Page]:
    """Run all cells of the notebooks with widgets, side by side on one page, save them, and end their kernels.

    test_tour.py runs the others.
    """
    page = take_page(lab, lab_context, idle_pages)
    page.evaluate("window.runs = []; null")
    for name in reversed(WITH_WIDGETS):  # the one that waits most comes first
        open_document(page, f"tour/{name}")
        page.evaluate(RUN_ALL)
    assert page.evaluate("Promise.all(window.runs)") == ["done"] * len(WITH_WIDGETS)
    page.evaluate(SAVE_ALL)
    stop_kernels(lab)
    close_documents(page)
    yield page
    idle_pages.append(page)
    stop_kernels(lab)


@pytest.mark.usefixtures("saved_tour")
def test_run_all_ends_well_in_every_notebook(lab: Lab) -> None:
    """There is no error or warning, every saved tracker is final, and the last cell has output."""
    tour = lab.folder / "tour"
    for name in WITH_WIDGETS:
        assert complaints(tour / name) == [], name
        check_ends(tour / name)
        assert {"image/png", "text/html"} & set(list_outputs(tour / name)[-1].data)
    assert (tour / "look.xlsx").stat().st_size > 10_000


def test_opened_again_without_its_kernel_every_notebook_has_its_last_state(lab: Lab, saved_tour: Page) -> None:
    """Tables replace live views, and nothing that needs a kernel is left."""
    page = saved_tour
    load_lab(page, lab)
    for name in {**GRIDS, **ENDS}:
        open_document(page, f"tour/{name}")
        for place, end in enumerate(ENDS.get(name, [])):
            table = page.locator(".cn-tracker").nth(place)
            table.scroll_into_view_if_needed()
            expect(table).to_contain_text(end)
        if name in GRIDS:
            table = page.locator(".cn-static-table").first
            table.scroll_into_view_if_needed()
            expect(table).to_be_visible()
            expect(table).to_contain_text(GRIDS[name])
            expect(table).to_have_css("max-height", "480px")  # else Notebook 7 cuts the output
            expect(page.locator(".cn-grid")).to_have_count(0)
        expect(page.get_by_text("Error displaying widget").locator("visible=true")).to_have_count(0)
        close_documents(page)


@pytest.mark.usefixtures("saved_tour")
def test_as_a_page_without_network_every_notebook_has_its_last_state(
    lab: Lab, browser: Browser, tmp_path: Path
) -> None:
    """Pages of nbconvert, opened offline, include tables, pictures and final trackers."""
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        for name in WITH_WIDGETS:
            notebook = nbformat.read(lab.folder / "tour" / name, as_version=4)
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
