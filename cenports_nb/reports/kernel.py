"""Run a notebook in a kernel of its own, with this Python and without the user's IPython settings."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cenports_nb.errors import CenportsError
from cenports_nb.reports.catalogue import find_heading
from cenports_nb.reports.failure import Failure, one_line
from cenports_nb.reports.secret_detection import NOTIFY_VARIABLE, redact_secret

INJECTED_TAG = "injected-parameters"
"""The tag of the cell with the given parameters; it is not counted."""
KERNEL_DIED = "DeadKernelError"
KERNEL_EXIT_SECONDS = 10.0
"""How long to wait for a killed kernel."""
SOCKET_PATH_MAX_LENGTH = 80
"""Operating systems limit a socket's path to about a hundred characters."""
KERNEL_ARGUMENTS = [
    "--IPKernelApp.log_level=40",
    "--HistoryManager.enabled=False",
    "--InteractiveShellApp.exec_PYTHONSTARTUP=False",
]


@dataclass(frozen=True)
class CellProgress:
    """A cell begins or ends.

    Attributes:
        number: The number of the code cell, from 1; the cell with the given parameters is not counted.
        cells: The number of code cells.
        section: The heading above the cell.
        seconds: The time that it took; None when it begins.
    """

    number: int
    cells: int
    section: str
    seconds: float | None = None


ProgressCallback = Callable[[CellProgress], None]


def list_code_cells(notebook: Any) -> dict[int, CellProgress]:
    """Return the code cells of a notebook by their position."""
    found: dict[int, tuple[int, str]] = {}
    section = ""
    for index, cell in enumerate(notebook.cells):
        section = find_heading(cell) or section
        if cell.cell_type == "code" and cell.source.strip() and INJECTED_TAG not in cell.metadata.get("tags", []):
            found[index] = len(found) + 1, section
    return {index: CellProgress(number, len(found), section) for index, (number, section) in found.items()}


def execute_notebook(notebook: Any, environ: Mapping[str, str], progress: ProgressCallback) -> Failure | None:
    """Run the cells of a notebook in order, and store their outputs in it.

    Args:
        notebook: From nbformat; changed in place.
        environ: Variables to add to the kernel's environment.
        progress: Called when a cell begins and when it ends.

    Returns:
        Where it stopped; None if all cells ran.

    Raises:
        CenportsError: The kernel did not start.
    """
    from nbclient import NotebookClient  # noqa: PLC0415 - slow to import, and only a run needs it
    from nbclient.exceptions import CellExecutionError, DeadKernelError  # noqa: PLC0415

    cells = _RunningCell(notebook, progress)
    with tempfile.TemporaryDirectory(prefix="cenports-nb-") as private_folder:  # readable by this user only
        manager = _create_kernel_manager(Path(private_folder))
        client = NotebookClient(
            notebook, km=manager, timeout=None, extra_arguments=KERNEL_ARGUMENTS, on_cell_start=cells.begin, on_cell_executed=cells.end,
            resources={"metadata": {"path": str(Path.cwd())}},
        )  # fmt: skip
        problem = ""
        try:
            # Without the user's IPython settings: output of a start-up file would be part of the report. The environment may
            # contain the client secret, so no local variable holds it.
            own = {"IPYTHONDIR": private_folder, "PYDEVD_DISABLE_FILE_VALIDATION": "1", **environ}
            inherited = (name for name in os.environ if name != NOTIFY_VARIABLE)  # a report doesn't need it
            client.execute(env={**{name: os.environ[name] for name in inherited}, **own}, cleanup_kc=True)
        except CellExecutionError as error:
            return cells.failure(str(error.ename), str(error.evalue))
        except DeadKernelError:
            return cells.failure(KERNEL_DIED, "the kernel died: it was killed, or ran out of memory")
        except (RuntimeError, OSError) as error:
            problem = one_line(str(error))
        finally:
            _stop_kernel(client, manager)
        if problem:
            raise CenportsError(f"The kernel of the report did not start or answer ({problem}).")
    return None


def _stop_kernel(client: Any, manager: Any) -> None:
    """Kill the kernel if it is still running, as after Ctrl-C."""
    process = getattr(manager.provisioner, "process", None)
    if client.kc is not None:
        client.kc.stop_channels()
    if process is not None:
        process.kill()
        process.wait(KERNEL_EXIT_SECONDS)


class _RunningCell:
    """The running cell, and when it began."""

    def __init__(self, notebook: Any, progress: ProgressCallback) -> None:
        self._code_cells = list_code_cells(notebook)
        self._progress = progress
        self._index, self._started_at = 0, 0.0

    def begin(self, cell: Any, cell_index: int) -> None:
        # By default nbclient ends only the kernel on Ctrl-C and SIGTERM; here they end the run, which leaves nothing behind.
        with contextlib.suppress(RuntimeError, ValueError, NotImplementedError):
            for name in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().remove_signal_handler(name)
        self._index, self._started_at = cell_index, time.monotonic()
        if cell_progress := self._code_cells.get(cell_index):
            self._progress(cell_progress)

    def end(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        if cell_progress := self._code_cells.get(cell_index):
            self._progress(replace(cell_progress, seconds=time.monotonic() - self._started_at))

    def failure(self, cause: str, text: str) -> Failure:
        cell = self._code_cells.get(self._index) or CellProgress(0, len(self._code_cells), "")
        return Failure(self._index, cell.number, cell.cells, cell.section, cause, one_line(redact_secret(text)))


def _create_kernel_manager(private_folder: Path) -> Any:
    """Create a manager whose only kernel is this Python, with its connection file in a private folder."""
    from ipykernel.kernelspec import get_kernel_dict  # noqa: PLC0415
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager  # noqa: PLC0415
    from jupyter_client.manager import AsyncKernelManager  # noqa: PLC0415

    class CurrentPython(KernelSpecManager):  # type: ignore[misc,unused-ignore]
        """Offers one kernel, whatever others are installed under its name."""

        def get_kernel_spec(self, kernel_name: str) -> Any:
            return KernelSpec(resource_dir="", **get_kernel_dict())

    manager = AsyncKernelManager(
        kernel_name="python3", kernel_spec_manager=CurrentPython(), connection_file=str(private_folder / "kernel.json")
    )
    sockets = str(private_folder / "s")
    if sys.platform != "win32" and len(sockets) < SOCKET_PATH_MAX_LENGTH:
        # Over TCP, ports are chosen before they are bound, so kernels that start together sometimes fail.
        manager.transport, manager.ip = "ipc", sockets
    return manager
