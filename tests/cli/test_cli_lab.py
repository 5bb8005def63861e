"""Test `cenports-nb lab`: copies never overwrite a user's changes, and JupyterLab starts and ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import cenports_nb
from cenports_nb.cli.notebook_copies import NotebookCopy, copy_notebooks, summarize_copies
from cenports_nb.errors import InvalidRequestError
from cenports_nb.reports import find_notebook_folder

START_S = 240


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    folder = tmp_path / "shipped"
    (folder / "tour").mkdir(parents=True)
    (folder / "tour" / "1-load.ipynb").write_text("first")
    (folder / "tour" / ".ipynb_checkpoints").mkdir()
    (folder / "tour" / ".ipynb_checkpoints" / "1-load.ipynb").write_text("left over")
    (folder / "count.csv").write_text("1")
    return folder


def steps(copies: list[NotebookCopy]) -> dict[str, str]:
    return {copy.name: copy.action for copy in copies}


def test_a_new_folder_gets_every_file(shipped: Path, tmp_path: Path) -> None:
    """Notebooks and data are copied with their folders, without Jupyter's checkpoints."""
    copies = copy_notebooks(shipped, tmp_path / "mine")
    assert steps(copies) == {"count.csv": "new", "tour/1-load.ipynb": "new"}
    assert (tmp_path / "mine/tour/1-load.ipynb").read_text() == "first"
    assert summarize_copies(copies, Path("mine")) == "2 of 2 files copied to mine."
    assert summarize_copies(copy_notebooks(shipped, tmp_path / "mine"), Path("mine")) == "All 2 files are in mine."


def test_changed_notebooks_are_kept_and_reported(shipped: Path, tmp_path: Path) -> None:
    """A second run leaves changed files alone and names them."""
    copy_notebooks(shipped, tmp_path / "mine")
    (tmp_path / "mine/tour/1-load.ipynb").write_text("mine")
    copies = copy_notebooks(shipped, tmp_path / "mine")
    assert (tmp_path / "mine/tour/1-load.ipynb").read_text() == "mine"
    assert summarize_copies(copies, Path("mine")) == "All 2 files are in mine; kept as you left it: tour/1-load.ipynb."


def test_a_newer_version_replaces_only_what_nobody_changed(shipped: Path, tmp_path: Path) -> None:
    """The new version of a changed file gets a name of its own, once."""
    mine = tmp_path / "mine"
    copy_notebooks(shipped, mine)
    (mine / "tour/1-load.ipynb").write_text("mine")
    (shipped / "tour/1-load.ipynb").write_text("second")
    (shipped / "count.csv").write_text("2")
    copies = copy_notebooks(shipped, mine)
    assert steps(copies) == {"count.csv": "renewed", "tour/1-load.ipynb": "beside"}
    assert (mine / "count.csv").read_text() == "2"
    assert (mine / "tour/1-load.ipynb").read_text() == "mine"
    assert (mine / "tour/1-load.new.ipynb").read_text() == "second"
    assert "the newer tour/1-load.ipynb is 1-load.new.ipynb, beside it" in summarize_copies(copies, mine)
    assert steps(copy_notebooks(shipped, mine)) == {"count.csv": "same", "tour/1-load.ipynb": "kept"}
    (mine / "tour/1-load.new.ipynb").write_text("mine too")
    (shipped / "tour/1-load.ipynb").write_text("third")
    copy_notebooks(shipped, mine)
    assert (mine / "tour/1-load.new.ipynb").read_text() == "mine too"
    assert (mine / "tour/1-load.new2.ipynb").read_text() == "third"


@pytest.mark.parametrize("memory", [None, "not JSON", "[]"])
def test_where_nothing_is_remembered_every_difference_is_a_persons(
    shipped: Path, tmp_path: Path, memory: str | None
) -> None:
    """The folder existed before, or the record of copies is lost."""
    mine = tmp_path / "mine"
    (mine / "tour").mkdir(parents=True)
    (mine / "tour/1-load.ipynb").write_text("mine")
    if memory is not None:
        (mine / ".cenports-nb.json").write_text(memory)
    copy_notebooks(shipped, mine)
    assert (mine / "tour/1-load.ipynb").read_text() == "mine"
    assert (mine / "tour/1-load.new.ipynb").read_text() == "first"


def test_an_invalid_folder_is_one_sentence(shipped: Path, tmp_path: Path) -> None:
    """The error names the folder, the reason and what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidRequestError, match=r"can't be copied to .*choose another --folder"):
        copy_notebooks(shipped, tmp_path / "file" / "mine")


def test_the_shipped_notebooks_begin_with_the_tour(tmp_path: Path) -> None:
    """The notebooks sort in reading order, with the reports beside them."""
    names = [copy.name for copy in copy_notebooks(find_notebook_folder(), tmp_path)]
    tour = [name for name in names if name.startswith("tour/")]
    assert [name[5] for name in tour] == list("123456")
    assert "reports/stock-reconciliation.ipynb" in names


@pytest.fixture
def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def surroundings(folder: Path) -> dict[str, str]:
    """Make a home whose `python3` kernel belongs to an environment without the package."""
    kernel = folder / "home" / ".local/share/jupyter/kernels/python3"
    kernel.mkdir(parents=True, exist_ok=True)
    (kernel / "kernel.json").write_text('{"argv": ["/nowhere/python"], "display_name": "Old", "language": "python"}')
    known = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "CENPORTS_"))}
    return {
        **known,
        "HOME": str(folder / "home"),
        "JUPYTER_PREFER_ENV_PATH": "0",
        "PYTHONPATH": str(Path(cenports_nb.__file__).parents[1]),
    }


def run_lab(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cenports_nb", "lab", "--no-browser", *arguments],
        cwd=folder, env=surroundings(folder), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture
def terminal() -> Iterator[int]:
    """Give the process a terminal, because Ctrl-C works differently without one."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    yield theirs
    os.close(ours)
    os.close(theirs)


def answer(url: str, process: subprocess.Popen[str]) -> bytes:
    """Repeat a request until there is an answer."""
    for _ in range(START_S * 4):
        try:
            with urllib.request.urlopen(url, timeout=5) as page:
                return bytes(page.read())
        except OSError:
            try:
                process.wait(0.25)
            except subprocess.TimeoutExpired:
                continue
            break
    pytest.fail(f"JupyterLab did not answer at {url}.")


@pytest.mark.usefixtures("interruptible")
@pytest.mark.slow
def test_lab_runs_this_environment_and_one_ctrl_c_ends_it(tmp_path: Path, free_port: int, terminal: int) -> None:
    """The kernel runs this Python whatever is installed; Ctrl-C ends without an error or a question."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cenports_nb", "lab", "--no-browser", "--port", str(free_port), "--folder", "mine",
         "--", "--allow-root", "--IdentityProvider.token=sesame", "--ServerApp.terminals_enabled=False"],
        cwd=tmp_path, env=surroundings(tmp_path), stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        kernels = answer(f"http://127.0.0.1:{free_port}/api/kernelspecs?token=sesame", process).decode()
        files = answer(f"http://127.0.0.1:{free_port}/api/contents/tour?token=sesame", process).decode()
        process.send_signal(signal.SIGINT)
        log, _ = process.communicate()
    finally:
        process.kill()
    assert process.returncode == 0, log
    assert sys.executable in kernels
    assert "/nowhere" not in kernels
    assert "5-follow.ipynb" in files
    assert f"http://127.0.0.1:{free_port}/lab/tree/tour/1-load.ipynb?token=" in log
    assert "Traceback" not in log


@pytest.mark.slow
def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    """The check comes before copying."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = run_lab(tmp_path, "--port", str(taken.getsockname()[1]))
    assert ran.returncode == 2
    assert ran.stderr.startswith(
        f"cenports-nb: Port {taken_port(ran.stderr)} is not available (Address already in use). "
    )
    assert len(ran.stderr.splitlines()) == 1
    assert not (tmp_path / "cenports-notebooks").exists()


def taken_port(text: str) -> str:
    return text.split("Port ", 1)[1].partition(" ")[0]


@pytest.mark.slow
def test_without_jupyterlab_it_says_what_to_install(tmp_path: Path) -> None:
    """The copies are made all the same, for another Jupyter."""
    code = "import sys; sys.modules['jupyterlab'] = None; from cenports_nb.cli import main; main(['lab'])"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=surroundings(tmp_path), capture_output=True, text=True, check=False
    )  # fmt: skip
    assert ran.returncode == 2
    assert "install it with `pip install jupyterlab`" in ran.stderr.splitlines()[-1]
    assert (tmp_path / "cenports-notebooks/tour/1-load.ipynb").is_file()


@pytest.mark.thorough
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="JupyterLab refuses only root.")
@pytest.mark.slow
def test_root_sees_how_to_go_on(tmp_path: Path) -> None:
    """JupyterLab refuses to run as root; the message says what to type."""
    ran = run_lab(tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.splitlines()[-1].endswith("take another user, or add `-- --allow-root`.")
