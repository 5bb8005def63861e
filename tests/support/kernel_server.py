"""Forks the kernels of tests from a process that has the libraries imported: half a second instead of two and more.

A forked kernel imports `cenports_nb`, pyplot and ipywidgets itself, because what these do at import depends on the
kernel that they are in.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

LIBRARIES = (
    "numpy", "pandas", "pandas.io.formats.style", "pyarrow.parquet", "pyarrow.compute", "pandera.pandas", "msgspec",
    "requests", "requests_cache", "filelock", "psutil", "platformdirs", "IPython.core.completer", "ipykernel.kernelapp",
    "ipykernel.ipkernel", "matplotlib.figure", "matplotlib.font_manager", "matplotlib.backends.backend_agg",
    "matplotlib.dates",
)  # fmt: skip
SERVER_VARIABLE = "TEST_KERNEL_SERVER"
LAUNCHER_FOLDER = Path(__file__).with_name("fast_start")
INLINE_BACKEND = "module://matplotlib_inline.backend_inline"
READY = "ready"


@dataclass(frozen=True)
class KernelRequest:
    """What a launcher was given: arguments, environment, folder, import path, and stdin, stdout and stderr."""

    argv: list[str]
    environ: dict[str, str]
    folder: str
    path: list[str]
    streams: list[int]

    @classmethod
    def receive(cls, connection: socket.socket) -> KernelRequest:
        _, streams, *_ = socket.recv_fds(connection, 1, 3)
        with connection.makefile() as request_file:
            return cls(**json.loads(request_file.readline()), streams=list(streams))

    def release(self) -> None:
        """Close the copies of the streams."""
        for stream in self.streams:
            os.close(stream)


def use_warm_kernels(config: pytest.Config) -> None:
    """Have all kernels forked that this process and its children start from now on."""
    if SERVER_VARIABLE in os.environ or sys.platform != "linux":  # elsewhere libraries don't survive a fork
        return
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cenports-nb-tests-"))
        os.environ[SERVER_VARIABLE] = stack.enter_context(running_kernel_server(Path(folder)))
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(LAUNCHER_FOLDER), os.environ.get("PYTHONPATH")]))
        config.add_cleanup(stack.pop_all().close)


def build_import_path() -> str:
    """Give the `PYTHONPATH` of a process that starts kernels: the launcher of warm ones, and the package."""
    return os.pathsep.join([str(LAUNCHER_FOLDER), str(Path(__file__).parents[2])])


@contextlib.contextmanager
def running_kernel_server(folder: Path) -> Iterator[str]:
    """Start the server and wait until it has imported everything; yield its address."""
    address = str(folder / "kernels")
    process = subprocess.Popen(
        [sys.executable, "-m", "support.kernel_server", address], env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "JPY_PARENT_PID": "1"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == READY
        yield address
        assert process.stdin is not None
        process.stdin.close()  # which ends it


class KernelServer:
    """Forks a kernel for each connection of a launcher."""

    def __init__(self, address: str) -> None:
        self._kernels: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(address)
        self._listener.listen()
        self._ended, self._ended_signal = socket.socketpair()
        self._ended_signal.setblocking(False)
        for source in (self._listener, self._ended, sys.stdin):
            self._selector.register(source, selectors.EVENT_READ)

    def serve(self) -> KernelRequest | None:
        """Serve until stdin ends; return in each kernel, with what it was asked for."""
        signal.set_wakeup_fd(self._ended_signal.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    request = self._fork()
                    if request is not None:
                        signal.set_wakeup_fd(-1)
                        return request
                elif key.fileobj is self._ended:
                    self._ended.recv(4096)
                    self._report_ended()
                elif key.fileobj is sys.stdin:
                    self._kill(self._kernels)
                    return None
                else:  # the launcher is gone
                    self._selector.unregister(key.fileobj)
                    self._kill(kernel for kernel, launcher in self._kernels.items() if launcher is key.fileobj)

    def _fork(self) -> KernelRequest | None:
        """Return the request in the kernel, and None here."""
        launcher = self._listener.accept()[0]
        try:
            request = KernelRequest.receive(launcher)
        except (OSError, ValueError):  # it was killed while it asked
            launcher.close()
            return None
        kernel = os.fork()
        if not kernel:
            return request
        request.release()
        with contextlib.suppress(OSError):
            launcher.sendall(f"{kernel}\n".encode())
        self._kernels[kernel] = launcher
        self._selector.register(launcher, selectors.EVENT_READ)
        return None

    def _report_ended(self) -> None:
        """Tell launchers the exit codes of kernels that ended."""
        for kernel, launcher in list(self._kernels.items()):
            ended, status = os.waitpid(kernel, os.WNOHANG)
            if ended:
                with contextlib.suppress(OSError):
                    launcher.sendall(f"{os.waitstatus_to_exitcode(status) % 256}\n".encode())
                with contextlib.suppress(KeyError):
                    self._selector.unregister(launcher)
                launcher.close()
                del self._kernels[kernel]

    @staticmethod
    def _kill(kernels: Iterable[int]) -> None:
        for kernel in kernels:
            os.kill(kernel, signal.SIGKILL)


def run_kernel(request: KernelRequest) -> None:
    """Take what the launcher was given, and be the kernel."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    for number, stream in enumerate(request.streams):
        os.dup2(stream, number)
    request.release()
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environ)
    os.environ["JPY_PARENT_PID"] = "1"  # as in the server: the launcher watches its parent, and the server the launcher
    sys.argv, sys.path[:] = request.argv, request.path
    random.seed()
    sys.modules["numpy"].random.seed()
    # At import matplotlib takes this variable, and a kernel sets it where nobody else did.
    sys.modules["matplotlib"].rcParams["backend"] = os.environ.get("MPLBACKEND", INLINE_BACKEND)
    app = sys.modules["ipykernel.kernelapp"].IPKernelApp
    app.launch_instance()
    # The thread that answers the request to end waits for another one, which ipykernel 7 may end first: one kernel in
    # ten would hang for three seconds until it is killed.
    control = app.instance().control_thread
    control.stop()
    control.join()


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forks beside the threads of libraries
        for library in LIBRARIES:
            importlib.import_module(library)
        gc.freeze()
        server = KernelServer(sys.argv[1])
        sys.stdout.write(f"{READY}\n")
        sys.stdout.flush()
        asked = server.serve()
    if asked is not None:
        run_kernel(asked)
