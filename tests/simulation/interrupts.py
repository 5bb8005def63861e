"""Interrupts at every opcode: Ctrl-C wherever Python may raise it, which is in the main thread, between two opcodes."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import cenports_nb

ENTER_BLOCK = dis.opmap.get("BEFORE_WITH", -1)
PACKAGE = str(Path(cenports_nb.__file__).parent)


class Interrupter:
    """Raises KeyboardInterrupt at one opcode of the package's own code, or counts them.

    Args:
        at: At which opcode, from 1; 0 to count them all.
        folder: Only in files below this one.
    """

    def __init__(self, at: int = 0, folder: str = PACKAGE) -> None:
        self._at = at
        self._folder = folder
        self.opcodes = 0

    def __enter__(self) -> Interrupter:
        self._before = sys.gettrace()
        sys.settrace(self._enter_frame)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _enter_frame(self, frame: FrameType, event: str, _: Any) -> Callable[..., Any] | None:
        if event != "call" or not frame.f_code.co_filename.startswith(self._folder):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._trace

    def _trace(self, frame: FrameType, event: str, __: Any) -> Callable[..., Any] | None:
        if event == "opcode":
            self.opcodes += 1
            if self.opcodes >= self._at > 0 and not _enters_block(frame):
                sys.settrace(None)
                raise KeyboardInterrupt
        return self._trace


def _enters_block(frame: FrameType) -> bool:
    """Return whether a `with` has just taken its lock: there Python raises no interrupt, or the lock would stay taken."""
    before = frame.f_lasti - 2  # an instruction has two bytes
    return before >= 0 and frame.f_code.co_code[before] == ENTER_BLOCK


def count_opcodes(work: Callable[[], object]) -> int:
    """Count the opcodes of the package that some work takes in this thread."""
    with Interrupter() as counting:
        work()
    return counting.opcodes


def interrupt(work: Callable[[], object], at: int) -> bool:
    """Do some work with an interrupt at one opcode; tell whether it came to that."""
    try:
        with Interrupter(at):
            work()
    except KeyboardInterrupt:
        return True
    return False
