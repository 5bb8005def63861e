"""Progress of a review that takes long: building its table, a dry run, sending."""

from __future__ import annotations

import contextlib
import html
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.ipython import get_kernel, is_attended
from cenports_nb.notebook.live_output.live_output import LiveOutput
from cenports_nb.stock.plans.update_frame import compute_fingerprint
from cenports_nb.submissions.context import get_context
from cenports_nb.submissions.journal.queries import count_sent_batches

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

INTERVAL_SECONDS = 1.0
MANY_ROWS = 20_000
"""A review of fewer changes is built before anybody would read what it does."""


@contextlib.contextmanager
def report_progress(show: Callable[[str], None], describe: Callable[[], str]) -> Iterator[None]:
    """Show once a second how far the body is, and for how long it has run.

    Args:
        show: Called with the text, from another thread.
        describe: Describes how far it is.
    """
    began, finished = time.monotonic(), threading.Event()

    def repeat() -> None:
        while not finished.wait(INTERVAL_SECONDS):
            with contextlib.suppress(Exception):  # the work goes on, whatever becomes of its progress
                show(f"{describe()}, {time.monotonic() - began:.0f} s")

    thread = threading.Thread(target=repeat, name="cenports-nb progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


@contextlib.contextmanager
def report_steps(show: Callable[[str], None] | None, what: str) -> Iterator[Callable[[str], None]]:
    """Show which step runs, at once and then once a second; nothing stays.

    Args:
        show: Shows a text; None shows nothing.
        what: What is done.

    Yields:
        A function that is called with the name of each step when it begins.
    """
    if show is None:
        yield lambda _: None
        return
    step = ""

    def begin(name: str) -> None:
        nonlocal step
        step = name
        show(describe())

    def describe() -> str:
        return f"{what}: {step} …"

    try:
        with report_progress(show, describe):
            yield begin
    finally:
        show("")


def reserve_line(rows: int) -> Callable[[str], None] | None:
    """Reserve a line below the running cell for the steps of a large review; None where nobody waits for it."""
    if rows < MANY_ROWS or get_kernel() is None or not is_attended():
        return None
    output = LiveOutput()
    output.reserve(1)
    return lambda text: output.update([f'<div class="cn-building">{html.escape(text)}</div>' if text else ""], text)


def describe_sent_batches(client: Client, updates: pd.DataFrame, since: datetime) -> str:
    """Describe how many batches of an update frame are sent, as in ", 3 of 12 batches sent"; empty before the first one."""
    journal = get_context(client).journal
    sent, total = count_sent_batches(journal, client.settings.account, compute_fingerprint(updates), since)
    return f", {sent:,} of {total:,} batches sent" if total else ""
