"""Stands in for ipykernel's launcher in tests: the kernel is forked from a process that has pandas imported already.

Found before ipykernel's own, because the tests put this folder into `PYTHONPATH`. Whoever starts this process takes it
for the kernel: it passes signals on, ends with the kernel's exit code, and the kernel ends with it. Where no server is
named, the kernel starts as it does for a user.
"""

import json
import os
import select
import signal
import socket
import sys

SERVER_VARIABLE = "TEST_KERNEL_SERVER"
PARENT_CHECK_SECONDS = 1.0


def start_cold() -> None:
    from ipykernel import kernelapp  # noqa: PLC0415 - slow to import; the server has it

    kernelapp.launch_new_instance()


def start_warm(address: str) -> int:
    """Ask the server for a kernel and stay until it ends; return its exit code."""
    parent = int(os.environ.get("JPY_PARENT_PID", "0"))
    request = {"argv": sys.argv, "environ": dict(os.environ), "folder": os.getcwd(), "path": sys.path}  # noqa: PTH109
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        socket.send_fds(server, [b"\n"], [0, 1, 2])
        server.sendall(json.dumps(request).encode() + b"\n")
        answers = server.makefile()
        kernel = int(answers.readline())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _: os.kill(kernel, number))
        while not select.select([server], [], [], PARENT_CHECK_SECONDS)[0]:
            if parent and os.getppid() != parent:
                return 1
        return int(answers.readline() or 1)


if __name__ == "__main__":
    del sys.path[0]  # the folder in which it was started, as ipykernel does it
    if SERVER_VARIABLE in os.environ:
        sys.exit(start_warm(os.environ[SERVER_VARIABLE]))
    start_cold()
