"""Test that Ctrl-C ends a load at once, whatever it is waiting for."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.scripted_server import ReceivedRequest, Reply, ScriptedServer

WORKER = Path(__file__).parents[1] / "support" / "interrupt_worker.py"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
@pytest.mark.xdist_group("processes")
@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_load_sends_nothing_more(server: ScriptedServer) -> None:
    """A load of forty pages at ten a minute waits neither for the minute nor for its threads."""
    burst = threading.Event()

    def answer(seen: ReceivedRequest) -> Reply:
        page = seen.body.get("page", 1)
        order = {"orderNo": str(page), "orderDate": "2026-02-20T10:01:00Z", "channelId": "X"}
        if len(server.of("GET /orders")) == 9:  # with the token, all that the minute allows
            burst.set()
        return Reply({"data": [order], "current_page": page, "last_page": 40, "total": 40})

    server.on("GET /orders", answer)
    worker = subprocess.Popen([sys.executable, str(WORKER), server.url], stdout=subprocess.PIPE, text=True)
    assert burst.wait(240)
    worker.send_signal(signal.SIGINT)
    output, _ = worker.communicate()
    assert (worker.returncode, output) == (0, "interrupted\n")
    assert len(server.of("GET /orders")) == 9
