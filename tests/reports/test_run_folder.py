"""Where reports are put: whole or not at all, beside others, over dead ones."""

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
    """A run of another process, at work."""
    process = subprocess.Popen([sys.executable, str(WORKER), str(tmp_path)], stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_run_is_there_with_its_files(tmp_path: Path) -> None:
    """Notebook, page and the file that they link to; nothing else that a person sees."""
    run_folder = put(tmp_path, "first")
    assert set(visible(tmp_path)) == {"mine.ipynb", "mine.html", f"mine/{run_folder.run}/rows.csv"}


def test_a_later_run_takes_the_place_of_the_earlier(tmp_path: Path) -> None:
    """Files that nothing links to any more are gone."""
    put(tmp_path, "first")
    second = put(tmp_path, "second")
    assert set(visible(tmp_path)) == {"mine.ipynb", "mine.html", f"mine/{second.run}/rows.csv"}
    assert b"second" in visible(tmp_path)["mine.html"]


def test_a_page_that_was_not_written_again_keeps_its_files(tmp_path: Path) -> None:
    """A run without a page leaves the older page, which must not link to nothing."""
    first = put(tmp_path, "first")
    with reserve_run_folder(tmp_path, "mine") as second:
        publish_run(second, {".ipynb": "second"}, keep=False)
    assert f"mine/{first.run}/rows.csv" in visible(tmp_path)


def test_runs_that_are_kept_have_their_own_notebook_and_page(tmp_path: Path) -> None:
    """Nothing is overwritten, and their links lead into their own folder."""
    first, second = put(tmp_path, "first", keep=True), put(tmp_path, "second", keep=True)
    seen = visible(tmp_path)
    assert seen[f"mine/{first.run}/mine.html"] == b'<a href="rows.csv">first</a>'
    assert seen[f"mine/{second.run}/mine.html"] == b'<a href="rows.csv">second</a>'


def test_a_run_that_stopped_is_called_so(tmp_path: Path) -> None:
    """Its files are where its page says, under a name on which no later run builds; the next run removes them."""
    run_folder = put(tmp_path, "stopped", keep=True, stopped=True)
    assert f"mine/{run_folder.run}-stopped/rows.csv" in visible(tmp_path)
    assert f"mine/{run_folder.run}-stopped/rows.csv".encode() in visible(tmp_path)["mine.html"]
    second = put(tmp_path, "second", keep=True)
    assert {name.split("/")[1] for name in visible(tmp_path) if "/" in name} == {second.run}


def test_an_error_in_the_middle_leaves_the_earlier_report(tmp_path: Path) -> None:
    """Not one byte is another."""
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
    """What a dead process left is removed; the report is the earlier one until then."""
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
    """Two runs in one folder don't see each other's files."""
    assert worker.stdout is not None
    run = worker.stdout.readline().strip()
    run_folder = put(tmp_path, "second")
    assert run_folder.run != run
    assert (tmp_path / "mine" / f".part-{run}" / "half.csv").read_text() == "half"


def test_runs_of_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    """Also while the first is still at work."""
    with reserve_run_folder(tmp_path, "mine") as one, reserve_run_folder(tmp_path, "mine") as two:
        assert one.run != two.run


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    """Before anything runs."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InvalidRequestError, match=r"can't be used .*: choose another one"),
        reserve_run_folder(tmp_path / "file", "mine"),
    ):
        pass
