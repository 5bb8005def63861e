"""Test errors in a notebook: one paragraph and the caller's line, and the full traceback on request."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError, format_paragraph

BAD = 'cn.load_orders(client, "2026-05-02", "2026-05-01")'
WORDS = "InvalidRequestError: start 2026-05-02 is after end 2026-05-01: swap them."


def in_a_shell(folder: Path, *lines: str) -> str:
    """Run lines in an IPython terminal, and return the output."""
    source = "\n".join(["import cenports_nb as cn", 'client = cn.connect("sandbox")', *lines, ""])
    command = [
        sys.executable,
        "-m",
        "IPython",
        "--simple-prompt",
        "--no-banner",
        "--colors=NoColor",
        "--no-confirm-exit",
    ]
    environment = {**os.environ, "IPYTHONDIR": str(folder)}
    return subprocess.run(command, input=source, env=environment, capture_output=True, text=True, timeout=300, check=True).stdout  # fmt: skip


@pytest.mark.slow
def test_an_error_is_a_paragraph_and_the_line_that_led_to_it(tmp_path: Path) -> None:
    """It has the cause, what to do, the line of the user's code and how to see more, without the package's code.

    `%tb` shows the traceback afterwards, `%xmode` beforehand; the shell's view of other errors is unchanged.
    """
    lines = [BAD, "print('more')", "%tb", "%xmode Verbose", BAD, "%xmode Plain", BAD, "print('other')", "1 / 0"]
    shown, _, rest = in_a_shell(tmp_path, *lines).partition("more\n")
    more, _, other = rest.partition("other\n")
    assert WORDS in shown
    assert f"line 1:  {BAD}" in shown
    assert "Every step that led here: %tb" in shown
    assert "Traceback" not in shown
    assert more.count("Traceback") == 3
    assert more.count("dates.py") >= 3
    assert "Traceback" in other


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scheduled_runs_show_the_full_traceback() -> None:
    """A scheduled notebook has the paragraph, and the traceback below it."""
    source = f'import cenports_nb as cn\nclient = cn.connect("sandbox")\n{BAD}'
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, timeout=300, allow_errors=True).execute()
    (error,) = notebook.cells[0].outputs
    assert (error.ename, error.evalue) == tuple(WORDS.split(": ", 1))
    assert error.traceback[0].startswith(WORDS)
    assert "line 3:" in error.traceback[0]
    assert "dates.py" in "\n".join(error.traceback)


def test_a_message_moves_no_cursor() -> None:
    """Messages may quote text from outside."""
    text = format_paragraph(InvalidRequestError("SKU '\x1b[2J\x07' is odd.\nLook at it."))
    assert (
        text == "InvalidRequestError: SKU '\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}' is odd.\nLook at it."
    )


def test_scripts_show_pythons_traceback() -> None:
    """The view is for IPython only."""
    code = "import cenports_nb as cn\nraise cn.errors.JournalError('The disk is full.')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.startswith("Traceback")
    assert ran.stderr.endswith("JournalError: The disk is full.\n")


def test_notes_are_shown() -> None:
    """Notes added to an error are shown."""
    with pytest.raises(cn.errors.JournalError) as caught:
        raise_with_a_note()
    text = format_paragraph(caught.value)
    assert text.startswith("JournalError: The disk is full.\nNothing was sent.\n\n    line ")


def raise_with_a_note() -> None:
    error = cn.errors.JournalError("The disk is full.")
    error.add_note("Nothing was sent.")
    raise error
