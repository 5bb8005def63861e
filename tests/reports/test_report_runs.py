"""Test runs of custom reports: progress, failures, and runs without a terminal."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from support.command_line import RunCommand
from support.report_runs import HOSTILE, build_environment, command, own_notebook, read_examples, run, visible

from cenports_nb.errors import InvalidRequestError
from cenports_nb.reports import CellProgress, ReportError, run_report
from cenports_nb.sandbox import Sandbox

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("report runs")]

RESULT = "application/vnd.cenports-nb.result+json"
FILES = "from cenports_nb.notebook.report_page.attachments import choose_files\nimport pandas as pd\nfiles = choose_files(out, 'x')"
WRITE = "print(files.write('rows.csv', pd.DataFrame({'a': [1]})))"
WAIT = "import threading; threading.Event().wait()"
OUT = 'out = ""  # the folder'


def test_a_report_of_ones_own_runs_from_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has parameters and files, and each cell's start and end is reported."""
    monkeypatch.chdir(tmp_path)
    path = own_notebook(
        tmp_path / "my report.ipynb", "## Sums", FILES, WRITE, "rows + 1", parameters=f"rows = 1  # how many\n{OUT}"
    )
    reported: list[CellProgress] = []
    ran = run_report(path, {"rows": "41"}, out="out", page=True, progress=reported.append)
    assert ran.notebook == Path("out/my report.ipynb")
    assert [file.name for file in ran.files] == ["rows.csv"]
    assert "42" in ran.page.read_text()
    assert [(step.number, step.cells, step.section, step.seconds is None) for step in reported][-2:] == [
        (4, 4, "Sums", True), (4, 4, "Sums", False),
    ]  # fmt: skip


def test_a_report_runs_where_another_kernel_has_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs in this Python, and ignores the user's start-up files."""
    kernel = tmp_path / "data" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["/nowhere/python"], "display_name": "x", "language": "python"}')
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("print('from start-up')")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    ran = run_report(own_notebook(tmp_path / "mine.ipynb", "import sys; print(sys.executable)"), out=tmp_path / "out")
    text = ran.notebook.read_text()
    assert sys.executable in text
    assert "start-up" not in text


def stopped(tmp_path: Path, source: str, **more: object) -> tuple[ReportError, str, str]:
    """Run a notebook whose third cell fails; return the error, the notebook and the page."""
    path = own_notebook(tmp_path / "mine.ipynb", "1", "## Later on", "2", source, "3")
    with pytest.raises(ReportError) as failed:
        run_report(path, out=tmp_path / "out", page=True, **more)
    error = failed.value
    return error, error.notebook.read_text(), error.page.read_text()


def test_a_failing_cell_is_named_and_marked(tmp_path: Path) -> None:
    """The error has the cell and reason; notebook and page have it at the top and at the cell."""
    error, notebook, page = stopped(tmp_path, "{}['sku']")
    assert str(error).startswith("Report mine stopped in cell 3 of 4, section 'Later on': 'sku' (KeyError).")
    assert (error.cause, error.cell, error.section) == ("KeyError", 3, "Later on")
    cells = nbformat.reads(notebook, as_version=4).cells
    assert [at for at, cell in enumerate(cells) if "report-stopped" in cell.metadata.get("tags", [])] == [0, 5]
    assert "Traceback" in notebook  # for the one who mends it
    assert page.index("This report is incomplete: it stopped in cell 3 of 4") < page.index("<h1")
    assert page.count('class="cn-stopped ') == 2
    assert "<title>Stopped: My report</title>" in page
    assert "Traceback" not in page


def test_a_hostile_error_is_text_everywhere(tmp_path: Path) -> None:
    """A message adds no markup, formula or second line."""
    error, notebook, page = stopped(tmp_path, f"raise ValueError({HOSTILE!r} + chr(10) + chr(10) + '$x$ # head')")
    assert "\n" not in str(error)
    markdown = [cell.source for cell in nbformat.reads(notebook, as_version=4).cells if cell.cell_type == "markdown"]
    boxes = [text for text in markdown if "cn-stopped" in text]
    assert len(boxes) == 2
    assert [text for text in boxes if "<img" in text or "$" in text or "\n" in text] == []
    assert "<img" not in page
    assert "&lt;img src=x onerror=" in page


def test_yesterdays_page_can_not_be_taken_for_todays(tmp_path: Path) -> None:
    """A failed run's page replaces the one before, and the next good one replaces it."""
    path = own_notebook(tmp_path / "mine.ipynb", "import pathlib; assert not pathlib.Path('stop').exists()")
    page = run_report(path, out=tmp_path / "out", page=True).page
    assert "cn-stopped" not in page.read_text().partition("<main>")[2]
    own_notebook(tmp_path / "mine.ipynb", "assert False")
    with pytest.raises(ReportError):
        run_report(path, out=tmp_path / "out", page=True)
    assert "This report is incomplete" in page.read_text()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("import cenports_nb as cn; raise cn.errors.IncompleteError('x', partial=None, missing=None)", 3),
        (f"display({{'text/html': '', '{RESULT}': {{'in_doubt': 2}}}}, raw=True); raise ValueError('x')", 4),
        ("import os; os._exit(1)", 4),
    ],
    ids=["incomplete", "in doubt", "kernel died while sending"],
)
def test_exit_codes_of_what_stopped_it(run_here: RunCommand, tmp_path: Path, source: str, code: int) -> None:
    """They equal other commands'; 4 means rows of unknown outcome.

    2 is in test_reconciliation_report.py, 1 in `test_no_secret_is_left_behind`.
    """
    own_notebook(tmp_path / "mine.ipynb", source, parameters="submit = False")
    ran = run_here("mine.ipynb", "-p", "submit=true")
    assert ran.returncode == code, ran.stderr
    assert ("submissions list --open" in ran.stderr) is (code == 4)


def test_a_killed_run_leaves_the_earlier_report(run_here: RunCommand, tmp_path: Path) -> None:
    """Killed in a cell that wrote a file, it leaves the earlier report unchanged."""
    (tmp_path / "out").mkdir()
    for ending in (".ipynb", ".html"):
        (tmp_path / "out" / f"mine{ending}").write_text("of yesterday")
    before = visible(tmp_path / "out")
    path = own_notebook(tmp_path / "mine.ipynb", FILES, WRITE, WAIT, parameters=OUT)
    process = subprocess.Popen(
        command(path.name, "--html"), cwd=tmp_path, env=build_environment(tmp_path), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert any("cell 3 of 4" in line for line in process.stderr)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    assert visible(tmp_path / "out") == before
    assert list((tmp_path / "out" / "mine").glob(".part-*/rows.csv"))
    own_notebook(path, FILES, WRITE, parameters=OUT)
    assert run_here(path.name).returncode == 0
    assert [left.name for left in (tmp_path / "out" / "mine").glob(".*")] == [".lock"]


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_stops_the_run_and_leaves_nothing(tmp_path: Path) -> None:
    """One line, exit code 1, no file."""
    own_notebook(tmp_path / "mine.ipynb", "1", WAIT)
    process = subprocess.Popen(
        command("mine.ipynb"), cwd=tmp_path, env=build_environment(tmp_path), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert any("cell 1 of 2" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    said = process.stderr.read()
    assert process.wait(300) == 1
    process.stderr.close()
    assert said.splitlines()[-1] == "cenports-nb: stopped."
    assert visible(tmp_path / "out") == {}
    assert not list((tmp_path / "out" / "mine").glob(".part-*"))


def test_two_runs_at_once_do_not_mix(tmp_path: Path) -> None:
    """Notebook, page and files all belong to the run that ended last."""
    source = "pd.DataFrame({'a': [word]}).pipe(lambda frame: display(files.write('rows.csv', frame), word))"
    own_notebook(tmp_path / "mine.ipynb", FILES, source, parameters=f"word = ''\n{OUT}")
    both = [
        subprocess.Popen(
            command("mine.ipynb", "--html", "-q", "-p", f"word={word}"), cwd=tmp_path, env=build_environment(tmp_path)
        )
        for word in ("early", "later")
    ]
    assert [process.wait(300) for process in both] == [0, 0]
    seen = {name: text.decode() for name, text in visible(tmp_path / "out").items()}
    words = {re.search("early|later", text)[0] for text in seen.values()}
    assert len(words) == 1
    assert len(seen) == 3


def test_under_cron_it_runs_as_at_a_terminal(tmp_path: Path) -> None:
    """Without terminal, stdin, home and locale: a line for each cell on stderr, the files on stdout."""
    own_notebook(tmp_path / "mine.ipynb", "## Größe", "from matplotlib import pyplot\npyplot.figure().savefig('a.png')")
    closed = ["sh", "-c", 'exec "$@" <&-', "sh", *command("mine.ipynb", "--html")]
    environ = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    ran = subprocess.run(
        closed, cwd=tmp_path, env=environ, capture_output=True, timeout=300, check=False, start_new_session=True
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr.decode()
    assert re.fullmatch(r"Running mine …\n  cell 1 of 1, Größe: \d+\.\d s\n", ran.stderr.decode())
    assert ran.stdout.decode().splitlines() == ["out/mine.ipynb", "out/mine.html"]


def test_quiet_says_nothing_unless_something_is_wrong(run_here: RunCommand, tmp_path: Path) -> None:
    """cron then mails only problems."""
    own_notebook(tmp_path / "mine.ipynb", "1")
    ran = run_here("mine.ipynb", "--quiet")
    assert ran == (0, "", "")


def test_in_a_terminal_one_line_is_replaced(tmp_path: Path) -> None:
    """The line shows the current cell, and is cleared at the end."""
    own_notebook(tmp_path / "mine.ipynb", "## First", "1", "## Second", "2")
    near, far = pty.openpty()
    ran = subprocess.Popen(
        command("mine.ipynb"), cwd=tmp_path, env=build_environment(tmp_path), stdout=subprocess.DEVNULL, stderr=far
    )
    assert ran.wait(300) == 0
    said = os.read(near, 10_000).decode()
    for end in (near, far):
        os.close(end)
    assert "\n" not in said
    assert said.startswith("\rmine: cell 1 of 2, First\rmine: cell 2 of 2, Second")
    assert said.rpartition("\r")[2].strip() == ""


def test_no_secret_is_left_behind(tmp_path: Path) -> None:
    """If a cell prints it, notebook, page, progress and error have it redacted."""
    secret = 's3cr3t-"quoted"-of-staging'
    own_notebook(
        tmp_path / "mine.ipynb", "# s3cr3t", "import os; secret = os.environ['CENPORTS_CLIENT_SECRET']\nprint(secret)",
        "print(repr(secret), file=__import__('sys').stderr)", "raise ValueError(secret)",
    )  # fmt: skip
    ran = run(tmp_path, "mine.ipynb", "--code", environ=build_environment(tmp_path, CENPORTS_CLIENT_SECRET=secret))
    assert ran.returncode == 1
    left = [ran.stderr, ran.stdout, *(text.decode() for text in visible(tmp_path / "out").values())]
    assert [text for text in left if "of-staging" in text] == []


def test_a_warning_is_read_on_the_page(tmp_path: Path) -> None:
    """Its text is shown without the source file's name; the report's own notebook doesn't change."""
    path = own_notebook(tmp_path / "mine.ipynb", "import warnings\nwarnings.warn('two <b>records</b>', UserWarning)")
    before = path.read_bytes()
    page = run_report(path, out=tmp_path / "out", page=True).page.read_text()
    assert path.read_bytes() == before
    assert "UserWarning: two &lt;b&gt;records&lt;/b&gt;" in page
    assert "ipykernel" not in page
    assert "warnings.warn" not in page


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    """The error comes before anything runs."""
    (tmp_path / "out").write_text("")
    with pytest.raises(InvalidRequestError, match="is a file: name a folder"):
        run_report(own_notebook(tmp_path / "mine.ipynb", "1"), out=tmp_path / "out")


def test_the_page_on_reports_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a notebook, its own report runs; test_morning_report.py runs the shipped one as the page does."""
    monkeypatch.chdir(tmp_path)
    ran = run_report(own_notebook(tmp_path / "mine.ipynb", read_examples()[1]), out="out", page=True)
    assert ran.result["incomplete"] == 0


def test_a_report_runs_by_hand(tmp_path: Path) -> None:
    """Run All works without files, or with files below `out` that the notebook links to; it sends only if asked to."""
    report = Path(__file__).parents[2] / "notebooks" / "reports" / "stock-reconciliation.ipynb"
    papermill = [
        "papermill",
        str(report),
        "sent.ipynb",
        "--no-progress-bar",
        "-p",
        "out",
        "files",
        "-p",
        "submit",
        "true",
    ]
    convert = ["nbconvert", "--execute", "--to", "html", f"--output-dir={tmp_path}", str(report)]
    with Sandbox(rate_limit=None, transaction_seconds=0.2) as sandbox:
        both = [
            subprocess.Popen([sys.executable, "-m", *each], cwd=tmp_path, env=build_environment(tmp_path, sandbox.url))
            for each in (papermill, convert)
        ]
        assert [process.wait(300) for process in both] == [0, 0]
    sent = (tmp_path / "sent.ipynb").read_text()
    assert "cn-tracker" in sent
    assert re.search(r"all \d+ rows (applied|settled)", sent)
    assert "pending" not in sent.partition("cn-tracker")[2].partition("cn-rows")[0]
    (folder,) = (tmp_path / "files" / "stock-reconciliation").iterdir()
    assert f"files/stock-reconciliation/{folder.name}/oversold.csv" in sent
    assert (folder / "oversold.csv").exists()
    looked_at = (tmp_path / "stock-reconciliation.html").read_text()
    assert "Nothing was sent: this is the plan." in looked_at
    assert "no files: set out to a folder" in looked_at
