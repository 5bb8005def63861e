"""A command run in this process: a process of its own would add nothing but its imports."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from cenports_nb.cli import main


class Ran(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


RunCommand = Callable[..., Ran]


def run_command(capsys: pytest.CaptureFixture[str], *arguments: str) -> Ran:
    """Run a command; nobody sits at a terminal."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return Ran(int(ended.value.code or 0), *capsys.readouterr())
