"""Fixtures: a real JupyterLab and a real Chromium."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jupyter_lab import CHROMIUM, Lab, missing_chromium, stop_kernels, wait_until_up
from playwright.sync_api import Browser, Page, sync_playwright

import cenports_nb


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep all browser tests in one worker: one Lab, one Chromium."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start JupyterLab with a home of its own on a free port."""
    if CHROMIUM is None:
        missing_chromium()
    home = tmp_path_factory.mktemp("lab")
    folder = home / "notebooks"
    folder.mkdir()
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    environment = {
        **os.environ,
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "PYTHONPATH": str(Path(cenports_nb.__file__).parents[1]),
    }
    log = (home / "lab.log").open("w")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
            "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={folder}",
            "--ServerApp.terminals_enabled=False", "--LabApp.expose_app_in_browser=True",
        ],
        env=environment, stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_up(f"{url}/api?token={token}", process, home / "lab.log")
        yield Lab(url, token, folder)
    finally:
        process.terminate()
        process.wait(20)
        log.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium, headless."""
    if CHROMIUM is None:
        missing_chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


@pytest.fixture
def open_in_lab(lab: Lab, browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Open a notebook on a fresh page, with its kernel ready."""
    context = browser.new_context(viewport={"width": 1200, "height": 1000})

    def open_notebook(name: str) -> Page:
        page = context.new_page()
        page.goto(f"{lab.url}/lab/workspaces/{secrets.token_hex(4)}/tree/{name}?token={lab.token}")
        # The indicator says idle before there is a kernel; the status bar does not.
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
        return page

    yield open_notebook
    context.close()
    stop_kernels(lab)
