"""Test input on a pseudo-terminal, and killed processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from support.cli_shop import Shop

pytestmark = pytest.mark.slow

pty = pytest.importorskip("pty")


ASKED = "anything else to stop"


def at_a_terminal(
    shop: Shop, *command: str, types: str, until: str = ASKED, first: Callable[[], object] = bool
) -> tuple[int, str]:
    """Run a command on a terminal, type a line when it asks, and return exit code and screen."""
    ours, theirs = pty.openpty()
    process = shop.start(*command, preexec_fn=lambda: os.login_tty(theirs))
    os.close(theirs)
    screen = b""
    typed = False
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # Linux says so when the other end is closed
            break
        if not piece:
            break
        screen += piece
        if not typed and until.encode() in screen:
            first()
            os.write(ours, types.encode())
            typed = True
    os.close(ours)
    return process.wait(), screen.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("typed", ["3\n", "\x04"], ids=["another number", "end"])
def test_anything_but_the_number_of_rows_stops(shop: Shop, typed: str) -> None:
    """The number isn't typed by habit; anything else is exit code 1, and nothing is sent."""
    file = shop.count({"0022": 105, "0047": 37})
    code, screen = at_a_terminal(shop, "submit", file, types=typed)
    assert (code, shop.writes) == (1, 0)
    assert "Type 2 to send 2 rows to staging (partner SANDBOX), anything else to stop" in screen


def test_the_number_of_rows_sends_them(shop: Shop) -> None:
    """The plan is above the question, the outcome below."""
    file = shop.count({"0022": 105, "0047": 37})
    code, screen = at_a_terminal(shop, "submit", file, "--no-wait", types="2\n")
    assert (code, shop.writes, shop.stock("0022")) == (4, 1, 105)
    assert screen.index("NW-EAST    0022  104  105") < screen.index("Type 2") < screen.index("2 pending")


def test_stock_that_moves_while_a_person_reads_is_seen(shop: Shop) -> None:
    """Stock is read again after the confirmation, and an outdated plan sends nothing."""
    file = shop.count({"0022": 105})
    code, screen = at_a_terminal(shop, "submit", file, types="1\n", first=lambda: shop.sell("0022", 2))
    assert (code, shop.writes) == (1, 0)
    assert "stock moved from 104 to 102" in screen


def test_a_secret_is_typed_unseen(shop: Shop) -> None:
    """The terminal doesn't echo the secret; without a keyring the message says that it isn't saved."""
    shop.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"  # type: ignore[index]
    command = ["login", "--env", "staging", "--partner-id", "P", "--client-id", "c"]
    code, screen = at_a_terminal(shop, *command, until="Client secret: ", types="my-secret\n")
    assert (code, "my-secret" in screen) == (2, False)
    assert "The keyring of this machine keeps nothing" in screen


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_while_waiting_loses_nothing(shop: Shop) -> None:
    """Exit code 4, and how to continue."""
    process = shop.start(
        "submit", shop.count({"0022": 105}), "--yes", stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=1
    )
    _read_until(process, "pending")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 4
    assert "lost" in err
    assert "cenports-nb submissions" in err


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_while_sending_says_where_to_go_on(shop: Shop) -> None:
    """Exit code 4: the batch under way is in doubt, and one line names the submission."""
    stuck = shop.sandbox.faults.add("slow", "PATCH /inventories", seconds=60)
    file = shop.count({"0022": 105})
    process = shop.start("submit", file, "--yes", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _wait_for(lambda: stuck.count == 1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 4
    assert f"Submission {shop.newest()} was interrupted and nothing of it is lost" in err
    assert "`cenports-nb submissions list --open` shows it." in err


def test_a_process_that_is_killed_while_sending_is_gone_on_with(shop: Shop) -> None:
    """Killed at the second of three batches, it is listed as open; after resume every row is applied once."""
    stuck = shop.sandbox.faults.add("slow", "PATCH /inventories", after=1, seconds=60)
    file = shop.count({"0022": 105, "0047": 37, "0059": 80})
    process = shop.start(
        "submit", file, "--yes", "--batch-size", "1", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _wait_for(lambda: stuck.count == 1)
    process.kill()
    process.wait()
    shop.sandbox.faults.clear()
    submission = shop.newest()
    assert submission in shop.run("submissions", "list", "--open")[1]
    writes = shop.writes
    assert (shop.run("submissions", "resume", submission)[0], shop.writes) == (2, writes)  # nobody said yes
    code, out, _ = shop.run("submissions", "resume", submission, "--yes")
    assert code == 0, out
    assert [shop.stock(sku) for sku in ("0022", "0047", "0059")] == [105, 37, 80]
    assert submission not in shop.run("submissions", "list", "--open")[1]


def _wait_for(true: Callable[[], bool]) -> None:
    """Wait up to a minute for something in another process."""
    never = threading.Event()
    for _ in range(6000):
        if true():
            return
        never.wait(0.01)
    raise AssertionError("It did not happen.")


def _read_until(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            return
    raise AssertionError(f"It ended without {word!r}; {sys.platform}.")
