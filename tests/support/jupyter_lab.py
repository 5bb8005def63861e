"""A real JupyterLab and a real Chromium."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import BrowserContext, Page

from support.kernel_server import build_import_path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
START_S = 240
OPEN = """
async name => {
  const app = window.jupyterapp;
  const panel = await app.commands.execute("docmanager:open", { path: name });
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
  app.shell.activateById(panel.id);
  while (app.shell.currentWidget !== panel) await new Promise(done => setTimeout(done, 20));
}
"""
HURRY = """
from cenports_nb.sandbox import Sandbox
from cenports_nb.submissions.tracking import poller
poller.FIRST_POLL_SECONDS = 0.3
Sandbox.__init__.__kwdefaults__["transaction_seconds"] = 0.3
"""
"""Runs when a kernel starts: a transaction of the sandbox takes three seconds, and is polled after two and five."""
CLOSE_ALL = """
() => {
  for (const open of [...window.jupyterapp.shell.widgets("main")]) {
    if (open.context) open.context.model.dirty = false;
    open.dispose();
  }
  document.title = "JupyterLab";
}
"""


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab.

    Attributes:
        url: Its address.
        token: What lets one in.
        folder: Where its notebooks are.
    """

    url: str
    token: str
    folder: Path

    def write(self, name: str, *sources: str) -> None:
        """Put a notebook of these code cells into Lab's folder."""
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), self.folder / name)


@contextmanager
def running_lab(home: Path) -> Iterator[Lab]:
    """Start the command as a person does who has never used Jupyter, on a free port, and end it."""
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    page_config = home / "config" / "labconfig" / "page_config.json"
    page_config.parent.mkdir(parents=True)
    page_config.write_text(json.dumps({"buildCheck": False, "buildAvailable": False}))  # starts Node at each page
    startup = home / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "hurry.py").write_text(HURRY)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CENPORTS_")},
        "CENPORTS_HOME": str(home / "cenports-home"),
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "PYTHONPATH": build_import_path(),
    }
    log = (home / "lab.log").open("w")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "cenports_nb", "lab", "--no-browser", "--port", str(port), "--", "--allow-root",
            f"--IdentityProvider.token={token}", "--ServerApp.terminals_enabled=False", "--LabApp.expose_app_in_browser=True",
        ],
        cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_up(f"{url}/api?token={token}", process, home / "lab.log")
        yield Lab(url, token, home / "cenports-notebooks")
    finally:
        process.terminate()
        process.wait(300)
        log.close()


def load_lab(page: Page, lab: Lab) -> None:
    """Load JupyterLab with nothing open."""
    page.goto(f"{lab.url}/lab/workspaces/{secrets.token_hex(4)}?token={lab.token}")


def take_page(lab: Lab, context: BrowserContext, idle_pages: list[Page]) -> Page:
    """Take a page with JupyterLab loaded and nothing open, a new one if there is none."""
    if idle_pages:
        return idle_pages.pop()
    page = context.new_page()
    load_lab(page, lab)
    wait_until_restored(page)
    return page


def wait_until_restored(page: Page) -> None:
    """Wait until JupyterLab has loaded and opened what was open before."""
    page.wait_for_function("() => window.jupyterapp && window.jupyterapp.restored.then(() => true)")


def open_document(page: Page, name: str) -> None:
    """Open a notebook in a page that has JupyterLab loaded, or goes on loading it; it is in front, its kernel ready."""
    wait_until_restored(page)
    page.evaluate(OPEN, name)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()


def close_documents(page: Page) -> None:
    """Close whatever is open, without a question about what is not saved."""
    page.evaluate(CLOSE_ALL)


def stop_kernels(lab: Lab) -> None:
    """End every session, so that the next test starts from nothing."""
    headers = {"Authorization": f"token {lab.token}"}
    with urllib.request.urlopen(urllib.request.Request(f"{lab.url}/api/sessions", headers=headers)) as answer:
        sessions = json.load(answer)
    for session in sessions:
        request = urllib.request.Request(f"{lab.url}/api/sessions/{session['id']}", method="DELETE", headers=headers)
        urllib.request.urlopen(request).close()


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Ask until Lab answers; each try waits for the connection, not for the clock."""
    for _ in range(START_S * 4):
        if process.poll() is not None:
            pytest.fail(f"JupyterLab ended at once:\n{log.read_text()[-2000:]}")
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            try:
                process.wait(0.25)
            except subprocess.TimeoutExpired:
                continue
        else:
            return
    pytest.fail(f"JupyterLab did not answer in {START_S} s:\n{log.read_text()[-2000:]}")


def missing_chromium() -> None:
    """Skip where a person has no Chromium; fail where CI must have one."""
    if os.environ.get("CI") == "true":
        pytest.fail("There is no Chromium on this machine: .ci/run installs Debian's.")
    pytest.skip("There is no Chromium on this machine: install it (Debian: chromium) to run this test.")
