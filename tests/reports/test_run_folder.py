"""Test where reports are written: complete or not at all, beside other runs, after killed ones."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.report_runs import visible

from cenports_nb.errors import InvalidRequestError
from cenports_nb.reports.run_folder import RunFolder, publish_run, reserve_run_folder

WORKER = Path(__file__).parents[1] / "support" / "run_folder_worker.py"


def put(folder: Path, word: str, *, keep: bool = False, stopped: bool = False, data: bool = True) -> RunFolder:
    """Make a run whose notebook and page link to their file."""
    with reserve_run_folder(folder, "mine") as run_folder:
        link = f'<a href="mine/{run_folder.run}/rows.csv">{word}</a>'
        if data:
            (run_folder.partial_folder / "rows.csv").write_text(word)
        publish_run(run_folder, {".ipynb": link, ".html": link}, keep=keep, stopped=stopped)
    return run_folder


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a run in another process."""
    process = subprocess.Popen([sys.executable, str(WORKER), str(tmp_path)], stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_run_is_there_with_its_files(tmp_path: Path) -> None:
    """The user sees only the notebook, the page and their file."""
    run_folder = put(tmp_path, "first")
    assert set(visible(tmp_path)) == {"mine.ipynb", "mine.html", f"mine/{run_folder.run}/rows.csv"}


def test_a_later_run_takes_the_place_of_the_earlier(tmp_path: Path) -> None:
    """Files without a link are deleted."""
    put(tmp_path, "first")
    second = put(tmp_path, "second")
    assert set(visible(tmp_path)) == {"mine.ipynb", "mine.html", f"mine/{second.run}/rows.csv"}
    assert b"second" in visible(tmp_path)["mine.html"]


def test_a_page_that_was_not_written_again_keeps_its_files(tmp_path: Path) -> None:
    """A run without a page leaves the earlier page, whose links must still work."""
    first = put(tmp_path, "first")
    with reserve_run_folder(tmp_path, "mine") as second:
        publish_run(second, {".ipynb": "second"}, keep=False)
    assert f"mine/{first.run}/rows.csv" in visible(tmp_path)


def test_runs_that_are_kept_have_their_own_notebook_and_page(tmp_path: Path) -> None:
    """Nothing is overwritten, and links lead into the run's folder."""
    first, second = put(tmp_path, "first", keep=True), put(tmp_path, "second", keep=True)
    seen = visible(tmp_path)
    assert seen[f"mine/{first.run}/mine.html"] == b'<a href="rows.csv">first</a>'
    assert seen[f"mine/{second.run}/mine.html"] == b'<a href="rows.csv">second</a>'


def test_a_run_that_stopped_is_called_so(tmp_path: Path) -> None:
    """Its page links to its files under a separate name, which the next run deletes."""
    run_folder = put(tmp_path, "stopped", keep=True, stopped=True)
    assert f"mine/{run_folder.run}-stopped/rows.csv" in visible(tmp_path)
    assert f"mine/{run_folder.run}-stopped/rows.csv".encode() in visible(tmp_path)["mine.html"]
    second = put(tmp_path, "second", keep=True)
    assert {name.split("/")[1] for name in visible(tmp_path) if "/" in name} == {second.run}


def test_an_error_in_the_middle_leaves_the_earlier_report(tmp_path: Path) -> None:
    """The earlier report is unchanged."""
    put(tmp_path, "first")
    before = visible(tmp_path)
    with contextlib.suppress(ZeroDivisionError), reserve_run_folder(tmp_path, "mine") as run_folder:
        (run_folder.partial_folder / "rows.csv").write_text("second")
        raise ZeroDivisionError
    assert visible(tmp_path) == before
    assert [path.name for path in (tmp_path / "mine").glob(".*")] == [".lock"]


@pytest.mark.slow
def test_a_killed_run_leaves_the_earlier_report_and_the_next_run_cleans_up(
    tmp_path: Path, worker: subprocess.Popen[str]
) -> None:
    """Files of a dead process are deleted; the earlier report stays until then."""
    put(tmp_path, "first")
    before = visible(tmp_path)
    assert worker.stdout is not None
    run = worker.stdout.readline().strip()
    worker.kill()
    worker.wait()
    assert visible(tmp_path) == before
    assert (tmp_path / "mine" / f".part-{run}" / "half.csv").exists()
    put(tmp_path, "second")
    assert [path.name for path in (tmp_path / "mine").glob(".*")] == [".lock"]


@pytest.mark.slow
def test_a_run_at_work_is_left_alone(tmp_path: Path, worker: subprocess.Popen[str]) -> None:
    """Two runs in one folder don't touch each other's files."""
    assert worker.stdout is not None
    run = worker.stdout.readline().strip()
    run_folder = put(tmp_path, "second")
    assert run_folder.run != run
    assert (tmp_path / "mine" / f".part-{run}" / "half.csv").read_text() == "half"


def test_runs_of_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    """Names are distinct while the first still runs, too."""
    with reserve_run_folder(tmp_path, "mine") as one, reserve_run_folder(tmp_path, "mine") as two:
        assert one.run != two.run


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """The error comes before anything runs."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InvalidRequestError, match=r"can't be used .*: choose another one"),
        reserve_run_folder(tmp_path / "file", "mine"),
    ):
        pass
